"""The HTTP client for identity providers: one for the process, careful about where it goes and how much it reads."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec
from msgspec import Struct

from poolhouse.core.urls import LOOPBACK
from poolhouse.providers.failure import TimedOut, Unreachable

if TYPE_CHECKING:
    import httpx

# How long one request may take as a whole, redirects included: a person waits.
SECONDS = 5.0
# Far more than any provider's keys, settings or tokens need.
MOST_BYTES = 262_144
# spec/http/06 §6.3
MOST_REDIRECTS = 20
# Connections at a time, those that are kept for the next sign-in, and how long.
CONNECTIONS, IDLE_CONNECTIONS, IDLE_SECONDS = 256, 32, 30
JSON = "application/json"
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Answer(Struct, frozen=True):
    """What a provider answered."""

    status: int
    location: str
    body: bytes

    @property
    def document(self) -> Mapping[str, Any]:
        """The JSON object that it is, empty where it is none."""
        return _read_object(self.body)


class HttpClient:
    """Asks providers. Certificates are verified, proxies of the environment not used, and cookies not kept.

    ``make_id`` makes the identifiers by which Cognito tells its requests from each other. ``transport`` takes the place
    of the network.
    """

    def __init__(
        self,
        make_id: Callable[[], str],
        *,
        seconds: float = SECONDS,
        transport: "Callable[[], httpx.AsyncBaseTransport] | None" = None,
    ) -> None:
        self._make_id, self._seconds, self._transport = make_id, seconds, transport
        self._client: httpx.AsyncClient | None = None

    async def read(self, url: str, accept: str = JSON) -> Answer:
        """Get a public document, by way of redirects; raises Unreachable, and TimedOut."""
        return await self._limited(self._follow(url, accept))

    async def ask(
        self, method: str, url: str, *, form: Mapping[str, str] | None = None, token: str | None = None
    ) -> Answer:
        """Send a request with secrets in it, once: it goes where it is meant to go, not on to where that points.

        A form is in the query of a GET and in the body of a POST. Raises Unreachable, and TimedOut.
        """
        headers = {"accept": JSON} | ({} if token is None else {"authorization": f"Bearer {token}"})
        body = b""
        if form is not None and method == "GET":
            url = with_query(url, form)
        elif form is not None:
            headers["content-type"], body = "application/x-www-form-urlencoded", urlencode(form).encode()
        return await self._limited(self._send(method, url, headers, body))

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _follow(self, first: str, accept: str) -> Answer:
        url = first
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._send("GET", url, {"accept": accept}, b"")
            if answer.status not in REDIRECTS or not answer.location:
                return answer
            url = urljoin(url, answer.location)
            check_address(url, named_by=first)
        raise Unreachable("too many redirects")

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        import httpx

        every = {
            "user-agent": "Amazon/Cognito",
            "x-amz-cognito-request-id": self._make_id(),
            # A small answer must not become a large one.
            "accept-encoding": "identity",
        }
        try:
            async with self._opened().stream(method, url, headers={**every, **headers}, content=body) as answer:
                read = bytearray()
                async for part in answer.aiter_raw():
                    read += part
                    if len(read) > MOST_BYTES:
                        raise Unreachable("the answer is too long")
        except httpx.TimeoutException as error:
            raise TimedOut(type(error).__name__) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Unreachable(type(error).__name__) from None
        return Answer(answer.status_code, answer.headers.get("location", ""), bytes(read))

    def _opened(self) -> "httpx.AsyncClient":
        if self._client is None:
            import httpx  # heavy, and only for those who use it

            self._client = httpx.AsyncClient(
                transport=self._transport() if self._transport else _network(),
                timeout=self._seconds,
                # What a provider sets for one user must not come back with another.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                trust_env=False,
                follow_redirects=False,
            )
        return self._client

    async def _limited(self, work: Awaitable[Answer]) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                return await work
        except TimeoutError:
            raise TimedOut("no whole answer in time") from None


def check_address(url: str, *, named_by: str) -> None:
    """Check an address that another server names, which is known by the address ``named_by``; raises Unreachable.

    It is https, or http on the loopback where that server is there as well: what is without a certificate, as this
    machine's own services and metadata of clouds are, is not to be reached that way. Inner networks are, since providers
    live there.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        local = host in LOOPBACK and urlsplit(named_by).hostname in LOOPBACK
    except ValueError:
        raise Unreachable("an address is none") from None
    if not host or {"@", "#", " "} & set(url) or not (url.isascii() and url.isprintable()):
        raise Unreachable("an address is none")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise Unreachable("an address is neither https nor on the loopback")


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Return a URL with parameters behind those that it has."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def _network() -> "httpx.AsyncBaseTransport":
    import httpx

    return httpx.AsyncHTTPTransport(
        verify=ssl.create_default_context(),
        limits=httpx.Limits(
            max_connections=CONNECTIONS,
            max_keepalive_connections=IDLE_CONNECTIONS,
            keepalive_expiry=IDLE_SECONDS,
        ),
        trust_env=False,
    )


def _read_object(body: bytes) -> Mapping[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
