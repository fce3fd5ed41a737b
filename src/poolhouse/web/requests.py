"""What the surfaces read from a raw ASGI request: headers, cookies, bodies, forms, and where it came from."""

from collections.abc import Mapping

from starlette.types import Message, Receive, Scope

from poolhouse.core.parameters import MalformedParameters, Parameters, parse_parameters
from poolhouse.core.replica import Reach
from poolhouse.flows.calls import Deps, Origin, PublicCall

Headers = Mapping[str, str]

# An access token of a user with 100 groups must fit (design/SECURITY.md §4, 21), and its neighbours besides.
FORM_LIMIT = 128 * 1024
# What a SAML provider has a browser post takes more (spec/http/06 §6.6).
LONGEST_FORM = 384 * 1024
FORM_TYPE = "application/x-www-form-urlencoded"
_REQUEST_ID = "poolhouse.request_id"


class RequestRefused(Exception):
    """The request cannot be read; ``status`` is the HTTP status that says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def headers(scope: Scope) -> Headers:
    """Return the headers by lower-case name.

    A name that occurs twice has its values joined, so that no check sees only one of them.
    """
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name in found:
            value = f"{found[name]}{'; ' if name == 'cookie' else ', '}{value}"
        found[name] = value
    return found


def cookies(given: Headers) -> dict[str, str]:
    """Return the cookies by name, without the double quotes that may surround a value.

    Of two with one name the first counts: browsers send the one with the longer path first (RFC 6265 §5.4).
    """
    found: dict[str, str] = {}
    for part in given.get("cookie", "").split(";"):
        name, separator, value = part.strip().partition("=")
        if separator:
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] == '"'
            found.setdefault(name.strip(), value[1:-1] if quoted else value)
    return found


async def when_whole(scope: Scope, receive: Receive) -> Receive:
    """Return what to read a body from once all of it has come, or more of it than any form has.

    Only then does a call begin, and its time: whoever sends a body slowly must not carry the time of its beginning on,
    when what has expired or was used since was still good.
    """
    held: list[Message] = []
    size, more = 0, scope["method"] == "POST"
    while more and size <= LONGEST_FORM:
        event = await receive()
        held.append(event)
        size += len(event.get("body", b""))
        more = event.get("more_body", False)
    held.reverse()

    async def again() -> Message:
        return held.pop() if held else await receive()

    return again


async def read_body(receive: Receive, limit: int) -> bytes:
    """Return the whole body.

    Raises RequestRefused with 413 past ``limit`` bytes, 400 where the client went away.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise RequestRefused(400, "The request ended early.")
        part = event.get("body", b"")
        size += len(part)
        if size > limit:
            raise RequestRefused(413, "The request body is too large.")
        parts.append(part)
        if not event.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def read_form(given: Headers, receive: Receive, limit: int = FORM_LIMIT) -> Parameters:
    """Return the parameters of a form body.

    Raises RequestRefused: 415 where the body is of another type, 413 past ``limit`` bytes, 400 where it is malformed.
    """
    if not is_form(given):
        raise RequestRefused(415, f"The request body must be {FORM_TYPE}.")
    try:
        return parse_parameters(await read_body(receive, limit))
    except MalformedParameters as error:
        raise RequestRefused(400, "The request body is malformed.") from error


def is_form(given: Headers) -> bool:
    """Tell whether the body is declared as ``application/x-www-form-urlencoded``."""
    return given.get("content-type", "").partition(";")[0].strip().lower() == FORM_TYPE


def origin(scope: Scope, deps: Deps) -> Origin:
    """Return where the request came from; its request id is made once and stays with the scope.

    The address is the server's word: it has already looked at the headers of trusted proxies.
    """
    client = scope.get("client")
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    return Origin(
        request_id=request_id(scope, deps),
        address=client[0] if client else "",
        user_agent=agent.decode("latin-1"),
    )


def request_id(scope: Scope, deps: Deps) -> str:
    """Return the id of this request, a UUID, the same one each time."""
    found: str | None = scope.get(_REQUEST_ID)
    if found is None:
        found = scope[_REQUEST_ID] = deps.random.uuid()
    return found


def public_call(scope: Scope, deps: Deps) -> PublicCall:
    """Return the call of a caller of whom nothing is known yet, for what users do without becoming other users."""
    return PublicCall(deps=deps, now=deps.clock.now(), origin=origin(scope, deps), reach=Reach.ACTIVE)
