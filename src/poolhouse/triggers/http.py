"""The HTTP client of all functions: one for the process, so that connections are used again."""

import ssl
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from poolhouse.core.trigger_events import UNRECOGNIZABLE
from poolhouse.model import InvalidLambdaResponseException
from poolhouse.triggers.failure import UNAVAILABLE, NotInvoked

# What Lambda allows a reply to hold (its quota "Invocation payload").
MOST_BYTES = 6 * 1024 * 1024
# Connections that are kept for the next invocation, and how long.
IDLE_CONNECTIONS, IDLE_SECONDS = 32, 30


class Answer(msgspec.Struct, frozen=True):
    """What an endpoint answered."""

    status: int
    headers: httpx.Headers
    body: bytes


class HttpClient:
    """Posts events. Certificates are verified, redirects are not followed, proxies of the environment not used."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=IDLE_CONNECTIONS, keepalive_expiry=IDLE_SECONDS)
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            limits=limits,
            timeout=None,  # noqa: S113 - the caller limits the time of a try as a whole
            trust_env=False,
            follow_redirects=False,
        )

    async def post(self, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post a body; raises NotInvoked where nobody answers, or with more than may be read."""
        try:
            async with self._client.stream("POST", url, headers=dict(headers), content=body) as answer:
                read = bytearray()
                async for part in answer.aiter_bytes():
                    read += part
                    if len(read) > MOST_BYTES:
                        raise NotInvoked("RequestTooLargeException")
        except (httpx.HTTPError, OSError):
            raise NotInvoked(UNAVAILABLE, passing=True) from None
        return Answer(answer.status_code, answer.headers, bytes(read))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def read_json(body: bytes) -> Any:
    """Return what a reply holds; raises InvalidLambdaResponseException where it is no JSON."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE) from None
