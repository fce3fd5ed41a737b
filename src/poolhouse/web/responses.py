"""What the surfaces answer with: JSON, redirects, pages and cookies, with the headers of a pool domain."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import quote

import msgspec
from starlette.types import Send

Header = tuple[bytes, bytes]

JSON_TYPE: Header = (b"content-type", b"application/json;charset=UTF-8")
HTML_TYPE: Header = (b"content-type", b"text/html;charset=UTF-8")
CORS: Header = (b"access-control-allow-origin", b"*")
# With 429: a second's budget fills up within a second.
RETRY_SOON: Header = (b"retry-after", b"1")

# Spec: http/02 §2.0, on every response of a pool domain, with the request id and ``Server`` in place of the
# HTTP server's own name. They are good for every other page as well.
SAFE_HEADERS: tuple[Header, ...] = (
    (b"cache-control", b"no-cache, no-store, max-age=0, must-revalidate"),
    (b"pragma", b"no-cache"),
    (b"strict-transport-security", b"max-age=31536000 ; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"x-xss-protection", b"0"),
)
_NO_EXPIRY: Header = (b"expires", b"0")

# No ``form-action``: browsers apply it to the redirect after the form as well, and that leads to the application.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_PRINTABLE = frozenset(map(chr, range(0x21, 0x7F)))
_TOKEN = _PRINTABLE - frozenset('()<>@,;:\\"/[]?={}')
# Spec: http/01 §1.4 observed a JSON body of 63 bytes; its words are ours.
_NOT_FOUND = b'{"error":"not_found","error_description":"No page lives here."}'


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response; ``headers`` are complete but for what the HTTP server adds."""

    status: int
    headers: list[Header]
    body: bytes = b""


async def respond(send: Send, response: Response) -> None:
    """Send a response."""
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": response.body})


def json_response(status: int, document: object, extra: Sequence[Header] = ()) -> Response:
    """Return a JSON answer from outside the pool domains; ``document`` is anything that msgspec encodes."""
    body = msgspec.json.encode(document)
    return Response(status, [(b"content-type", b"application/json"), _length(body), *extra], body)


def redirect(location: str, extra: Sequence[Header] = ()) -> Response:
    """Return ``302 Found`` from outside the pool domains."""
    return Response(302, [(b"location", _header_safe(location)), _length(b""), *extra])


def page_response(html: str, status: int = 200, extra: Sequence[Header] = (), policy: str = PAGE_POLICY) -> Response:
    """Return an HTML page from outside the pool domains; ``policy`` is its Content-Security-Policy."""
    body = html.encode()
    return Response(status, [HTML_TYPE, *_page_headers(policy), *SAFE_HEADERS, _length(body), *extra], body)


def domain_json(body: bytes, *, request_id: str, status: int = 200, extra: Sequence[Header] = ()) -> Response:
    """Return a JSON answer of a pool domain; ``body`` is encoded already."""
    return Response(status, [JSON_TYPE, *_domain_headers(request_id), _NO_EXPIRY, _length(body), *extra], body)


def domain_empty(*, request_id: str, status: int = 200, extra: Sequence[Header] = ()) -> Response:
    """Return an answer of a pool domain without a body."""
    return Response(status, [*_domain_headers(request_id), _NO_EXPIRY, _length(b""), *extra])


def domain_page(
    html: str,
    *,
    request_id: str,
    status: int = 200,
    extra: Sequence[Header] = (),
    policy: str = PAGE_POLICY,
    language: str = "en-US",
) -> Response:
    """Return an HTML page of a pool domain; ``policy`` is its Content-Security-Policy."""
    body = html.encode()
    headers = [
        HTML_TYPE,
        (b"content-language", language.encode("ascii")),
        *_page_headers(policy),
        *_domain_headers(request_id),
        _NO_EXPIRY,
        _length(body),
        *extra,
    ]
    return Response(status, headers, body)


def domain_redirect(location: str, *, request_id: str, extra: Sequence[Header] = ()) -> Response:
    """Return ``302 Found`` to an absolute URL: an empty body and no ``Expires`` (spec/http/02 §2.0)."""
    return Response(302, [(b"location", _header_safe(location)), *_domain_headers(request_id), _length(b""), *extra])


def domain_not_found(request_id: str) -> Response:
    """Return what a pool domain says on a path that it does not have (spec/http/01 §1.4)."""
    return domain_json(_NOT_FOUND, request_id=request_id, status=404)


def domain_method_not_allowed(allowed: str, *, request_id: str, extra: Sequence[Header] = ()) -> Response:
    """Return ``405``; ``allowed`` lists the methods as in ``Allow``."""
    return domain_empty(request_id=request_id, status=405, extra=[(b"allow", allowed.encode("ascii")), *extra])


def _domain_headers(request_id: str) -> list[Header]:
    return [*SAFE_HEADERS, (b"server", b"Server"), (b"x-amz-cognito-request-id", request_id.encode("ascii"))]


def _page_headers(policy: str) -> list[Header]:
    return [(b"content-security-policy", policy.encode("ascii")), (b"referrer-policy", b"same-origin")]


def _length(body: bytes) -> Header:
    return b"content-length", str(len(body)).encode("ascii")


def _header_safe(location: str) -> bytes:
    if not _PRINTABLE.issuperset(location):
        location = quote(location, safe="%/:=&?~#+!$,;'@()*[]")
    return location.encode("ascii")


@dataclass(frozen=True, slots=True)
class CookieScope:
    """Where a browser sends a cookie: below ``path``, to ``host`` and its subdomains if given, over https if secure."""

    path: str
    secure: bool
    host: str | None = None


def set_cookie(
    scope: CookieScope,
    name: str,
    value: str,
    *,
    max_age: int | None = None,
    now: int = 0,
    same_site: str | None = "Lax",
) -> Header:
    """Return ``Set-Cookie`` for a value without quotes and semicolons (spec/http/03 §3.10).

    With ``max_age`` in seconds, counted from ``now`` in milliseconds, the cookie outlives the browser's session.
    A value that is more than a token is quoted, in the form of RFC 2109 that the SSO cookie was captured in.
    """
    start = f"{name}={value}" if _TOKEN.issuperset(value) else f'{name}="{value}"; Version=1'
    if max_age is None:
        return _cookie(start, scope, same_site=same_site)
    lifetime = f"Max-Age={max_age}; Expires={_cookie_date(now // 1000 + max_age)}"
    return _cookie(start, scope, lifetime, same_site=same_site)


def clear_cookie(scope: CookieScope, name: str) -> Header:
    """Return the ``Set-Cookie`` that makes a browser forget a cookie."""
    return _cookie(f'{name}=""', scope, f"Expires={_cookie_date(10)}")


def _cookie(start: str, scope: CookieScope, lifetime: str | None = None, *, same_site: str | None = "Lax") -> Header:
    parts = [start]
    if scope.host is not None:
        parts.append(f"Domain={scope.host}")
    if lifetime is not None:
        parts.append(lifetime)
    parts.append(f"Path={scope.path}")
    if scope.secure:
        parts.append("Secure")
    parts.append("HttpOnly")
    if same_site is not None:
        parts.append(f"SameSite={same_site}")
    return b"set-cookie", "; ".join(parts).encode("ascii")


def _cookie_date(seconds: int) -> str:
    weekday, day, month, year, clock, zone = formatdate(seconds, usegmt=True).split(" ")
    return f"{weekday} {day}-{month}-{year} {clock} {zone}"
