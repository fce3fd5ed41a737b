"""Text messages through an HTTP gateway: one POST, within a time limit."""

import asyncio
import ssl
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol

import httpx
from msgspec import Struct

from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope
from poolhouse.delivery.failure import BadSetting, NotDelivered

# What a gateway answers to a message that it will never take: another try would be in vain. Refusals of the account and
# of the rate are for the operator to mend, or for time.
FINAL = frozenset({400, 410, 413, 422})
# More than any gateway has to say.
LONGEST_ANSWER = 100_000
# How long a connection is kept: less than the five seconds after which common servers hang up, since a message on its
# way then may have arrived or not.
IDLE_SECONDS = 4.0


class Posting(Struct, frozen=True, kw_only=True):
    """What is posted for one message."""

    url: str
    content: bytes
    headers: dict[str, str]


class Answer(Struct, frozen=True):
    """What the gateway said to that."""

    status: int
    content: bytes


class Gateway(Protocol):
    """How one kind of gateway wants messages."""

    def write(self, message: Message, envelope: Envelope) -> Posting:
        """Return what to post."""
        ...

    def check(self, answer: Answer) -> None:
        """Check that the message was taken; raises NotDelivered, without a word of the gateway's own."""
        ...


def check_status(answer: Answer, why: str = "") -> None:
    """Check that a gateway answered any 2xx; raises NotDelivered. ``why`` goes on in its sentence."""
    if answer.status // 100 != 2:
        raise NotDelivered(f"answered with status {answer.status}{why}", for_good=answer.status in FINAL)


class SmsSender:
    """Sends text messages through a gateway. ``connections`` messages are on their way at a time, per process.

    Connections are kept for the next message for ``idle_seconds``.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        timeout_seconds: float = 10.0,
        connections: int = 8,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._gateway = gateway
        self._seconds = timeout_seconds
        self._places = asyncio.Semaphore(connections)
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            limits=httpx.Limits(max_keepalive_connections=connections, keepalive_expiry=idle_seconds),
            timeout=timeout_seconds,
            # What the gateway sets with one message must not come back with another.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )

    async def send(self, message: Message, envelope: Envelope) -> None:
        """Hand a message to the gateway; raises NotDelivered."""
        posting = self._gateway.write(message, envelope)
        host = httpx.URL(posting.url).host
        try:
            async with asyncio.timeout(self._seconds), self._places:
                answer = await self._post(posting)
            self._gateway.check(answer)
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            raise NotDelivered(f"{host}: {type(error).__name__}") from None
        except NotDelivered as failure:
            raise NotDelivered(f"{host} {failure}", for_good=failure.for_good) from None

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self._client.aclose()

    async def _post(self, posting: Posting) -> Answer:
        async with self._client.stream(
            "POST", posting.url, content=posting.content, headers=posting.headers
        ) as response:
            content = b""
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > LONGEST_ANSWER:
                    break
            return Answer(response.status_code, content)


def read_sms_url(url: str, now: Callable[[], int]) -> Gateway:
    """Return the gateway that POOLHOUSE_SMS_URL means; raises BadSetting. ``now`` is for signatures, in milliseconds."""
    from poolhouse.delivery.sms_gateways import GATEWAYS

    scheme = url.partition(":")[0]
    if scheme not in GATEWAYS:
        known = ", ".join(f"{each}://" for each in GATEWAYS)
        raise BadSetting(f"POOLHOUSE_SMS_URL begins with one of {known}.")
    return GATEWAYS[scheme](url, now)
