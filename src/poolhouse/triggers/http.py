"""The HTTP client of all functions: one for the process, so that connections are used again."""

import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

from msgspec import Struct

from poolhouse.triggers.failure import NO_FUNCTION, TOO_LARGE, UNAVAILABLE, NotInvoked
from poolhouse.triggers.invocation import MOST_BYTES

# Connections that are kept for the next invocation, and how long.
IDLE_CONNECTIONS, IDLE_SECONDS = 32, 30
# What an answer that tells no more is called.
BY_STATUS = {403: "AccessDeniedException", 404: NO_FUNCTION, 429: "TooManyRequestsException"}


class Answer(Struct, frozen=True):
    """What an endpoint answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def throttled(self) -> bool:
        """Whether there were too many requests."""
        return self.status == 429

    @property
    def passing(self) -> bool:
        """Whether another try may succeed: it was throttled, or failed by no fault of the request."""
        return self.status >= 500 or self.throttled


class HttpClient:
    """Posts events. Certificates are verified, redirects not followed, proxies of the environment not used, cookies not kept."""

    def __init__(self) -> None:
        import httpx  # heavy, and only for those who use it

        limits = httpx.Limits(max_keepalive_connections=IDLE_CONNECTIONS, keepalive_expiry=IDLE_SECONDS)
        self._failures = (httpx.HTTPError, OSError)
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            limits=limits,
            timeout=None,  # noqa: S113 - the caller limits the time of a try as a whole
            # What is set with one user's event must not come back with another's.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
            follow_redirects=False,
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post a body; raises NotInvoked where nobody answers, or with more than may be read."""
        try:
            async with self._client.stream("POST", url, headers=dict(headers), content=body) as answer:
                read = bytearray()
                async for part in answer.aiter_bytes():
                    read += part
                    if len(read) > MOST_BYTES:
                        raise NotInvoked(TOO_LARGE, detail="the reply is longer than 6 MB")
        except self._failures as error:
            raise NotInvoked(UNAVAILABLE, detail=type(error).__name__, passing=True) from None
        return Answer(answer.status_code, answer.headers, bytes(read))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
