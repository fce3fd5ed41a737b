"""Failures on order: the next calls of an operation are answered with an error, or late."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated

from msgspec import Meta, Struct

from poolhouse.api import codec
from poolhouse.api.registry import HANDLERS
from poolhouse.core.grants import OAuthError
from poolhouse.model import ServiceError
from poolhouse.oauth.endpoints import ENDPOINTS
from poolhouse.oauth.errors import error_response
from poolhouse.web.responses import CORS, Response

EVERY = "*"
MAX_ORDERS = 1000
_BY_PATH = re.compile(r"(?:/auth/[^/]+)?(/.*)")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}", re.ASCII)
_OAUTH_STATUS = {"too_many_requests": 429, "server_error": 500, "temporarily_unavailable": 503}


class Failure(Struct, kw_only=True, forbid_unknown_fields=True):
    """An order: ``times`` calls of an operation fail with an error, after ``delay`` seconds; without one they are late.

    ``operation`` is the API's name of it, the path of an OAuth endpoint such as ``/oauth2/token``, or ``*`` for every
    operation of the API.
    """

    operation: str
    times: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    error: str | None = None
    message: Annotated[str, Meta(max_length=1000)] = ""
    status: Annotated[int, Meta(ge=400, le=599)] | None = None
    delay: Annotated[float, Meta(ge=0, le=60)] = 0

    @property
    def is_oauth(self) -> bool:
        """Whether it is about an OAuth endpoint."""
        return self.operation.startswith("/")


class Failures:
    """The orders that are open, first come, first served."""

    def __init__(self) -> None:
        self.open: list[Failure] = []

    def add(self, failure: Failure) -> None:
        """Take an order; raises ValueError."""
        if len(self.open) >= MAX_ORDERS:
            raise ValueError(f"there are {MAX_ORDERS} orders already")
        _check(failure)
        self.open.append(failure)

    def clear(self, operation: str | None = None) -> None:
        """Cancel all orders, or those for one operation."""
        self.open = [each for each in self.open if operation not in {None, each.operation}]

    def take(self, operation: str) -> Failure | None:
        """Return the order that the call at hand falls under, and count it."""
        for failure in self.open:
            if failure.operation == operation or (failure.operation == EVERY and not operation.startswith("/")):
                failure.times -= 1
                if not failure.times:
                    self.open.remove(failure)
                return failure
        return None


def endpoint_of(path: str) -> str:
    """Return the OAuth endpoint of a path, which may go through ``/auth/<domain>``."""
    found = _BY_PATH.fullmatch(path)
    return found[1] if found else path


def answer(failure: Failure, request_id: str) -> Response | None:
    """Return what the failing call is answered with; None where it is only late."""
    if failure.error is None and failure.status is None:
        return None
    if failure.is_oauth:
        code = failure.error or "server_error"
        status = failure.status or _OAUTH_STATUS.get(code, 400)
        refused = OAuthError(code, failure.message or None)
        return error_response(refused, request_id=request_id, status=status, extra=[CORS])
    code = failure.error or "InternalErrorException"
    kind = _known_errors().get(code, ServiceError)
    error = type(code, (ServiceError,), {"status": failure.status or kind.status})(failure.message)
    body = codec.error_body(error)
    return Response(error.status, codec.error_headers(error, request_id, body), body)


def _check(failure: Failure) -> None:
    """Raise ValueError where an order makes no sense."""
    known = ENDPOINTS if failure.is_oauth else {EVERY, *HANDLERS}
    if failure.operation not in known:
        raise ValueError(f"there is no operation {failure.operation}")
    if failure.error is None and failure.status is None and not failure.delay:
        raise ValueError("a failure needs an error, a status or a delay")
    if failure.error is None and failure.status is not None and failure.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ValueError("a status below 500 needs an error")
    if failure.error is None or failure.is_oauth:
        return
    if not _CODE.fullmatch(failure.error):
        raise ValueError("the error is no name")
    if failure.error not in _known_errors() and failure.status is None:
        raise ValueError(f"there is no error {failure.error}; with a status it may be used all the same")


def _known_errors() -> dict[str, type[ServiceError]]:
    return {kind.__name__: kind for kind in _descendants(ServiceError)}


def _descendants(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)
