"""``POST /``: target → row → caller → request → rate → handler → answer.

Differs from Cognito (request rates): a category of operations has no limit until an operator sets one, by
UpdateProvisionedLimit or POOLHOUSE_RATE_LIMITS. Requests without a signature count in the Region of the node. The finer
limits are not applied: five requests per second for one operation on one pool, ten for one user, and five for tags.
"""

import functools
import logging
import traceback
from dataclasses import dataclass

from msgspec import Struct
from starlette.types import Receive, Scope, Send

import poolhouse.api.operations  # noqa: F401 - fills the registry
from poolhouse.api import callers, codec
from poolhouse.api.errors import RequestEntityTooLargeException, UnknownOperationException
from poolhouse.api.registry import HANDLERS, Handler, check_complete
from poolhouse.core.rates import find_use
from poolhouse.core.replica import Reach, reach_of
from poolhouse.flows.calls import Call, Clock, Deps, Origin
from poolhouse.model import (
    OPERATIONS,
    Access,
    InternalErrorException,
    InvalidParameterException,
    Operation,
    OperationNotEnabledException,
    ServiceError,
)
from poolhouse.web.requests import Headers, RequestRefused, headers, origin, read_body
from poolhouse.web.responses import Response, respond

log = logging.getLogger(__name__)

TARGET = "AWSCognitoIdentityProviderService."
BODY_LIMIT = 1024 * 1024
# These carry images (spec/api/01 §1.9).
LARGE_BODIES = {"CreateManagedLoginBranding": 2 * BODY_LIMIT, "UpdateManagedLoginBranding": 2 * BODY_LIMIT}
# What a service of this family says to a request that is not in its protocol at all.
NOT_THE_PROTOCOL = b"<UnknownOperationException/>"


@dataclass(frozen=True, slots=True)
class Route:
    """All that is known of an operation before a request for it comes."""

    row: Operation
    handler: Handler
    decoder: codec.RequestDecoder
    limit: int
    reach: Reach = Reach.PRIMARY


@functools.cache
def routes() -> dict[str, Route]:
    """Return the route of each operation; raises RegistryError where one has no handler."""
    check_complete()
    return {
        name: Route(
            OPERATIONS[name],
            handler,
            codec.RequestDecoder(OPERATIONS[name]),
            LARGE_BODIES.get(name, BODY_LIMIT),
            reach_of(name),
        )
        for name, handler in HANDLERS.items()
    }


def get_route(operation: str) -> Route:
    """Return the route of an operation; raises UnknownOperationException."""
    route = routes().get(operation)
    if route is None:
        raise UnknownOperationException
    return route


class ApiEndpoint:
    """The JSON API as an ASGI application for ``POST /`` and ``OPTIONS /``.

    ``signature_clock`` tells the time of those who sign, where a test suite has moved the server's own.
    """

    def __init__(self, deps: Deps, signature_clock: Clock | None = None) -> None:
        self._deps, self._signature_clock = deps, signature_clock
        self._signatures = callers.Signatures(deps)
        routes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        given = headers(scope)
        if scope["method"] == "OPTIONS":
            allowed = codec.preflight_headers(given.get("access-control-request-headers"))
            return await respond(send, Response(200, allowed))
        came = origin(scope, self._deps)
        if scope["method"] != "POST" or not _is_json(given):
            return await respond(send, _not_the_protocol(came.request_id))
        target = given.get("x-amz-target", "")
        try:
            route = get_route(target.removeprefix(TARGET) if target.startswith(TARGET) else "")
            body = await read_body(receive, route.limit)
            result = codec.encode(await self._answer(route, came, given, scope["query_string"], body))
        except ServiceError as error:
            return await respond(send, _error(error, came.request_id))
        except RequestRefused as refusal:
            if refusal.status != 413:
                return None  # the client has gone
            return await respond(send, _error(RequestEntityTooLargeException(refusal.reason), came.request_id))
        except Exception as error:  # noqa: BLE001 - nothing else may reach the caller
            _log_failure(error, target, came.request_id)
            return await respond(send, _error(InternalErrorException("Something went wrong"), came.request_id))
        return await respond(send, Response(200, codec.success_headers(came.request_id, result), result))

    async def _answer(self, route: Route, came: Origin, given: Headers, query: bytes, body: bytes) -> Struct | None:
        now, deps = self._deps.clock.now(), self._deps
        call: Call
        if route.row.access is Access.ADMIN:
            signed_before = now if self._signature_clock is None else self._signature_clock.now()
            claim = await self._signatures.check(given, query, body, signed_before)
            call, request = callers.admin_call(deps, now, came, claim, route.reach), route.decoder.decode(body)
            await _check_rate(deps, route, request, claim.region, now)
        else:
            call, request = callers.public_call(deps, now, came, route.reach), route.decoder.decode(body)
            await _check_rate(deps, route, request, deps.identity.region, now)
            if route.row.name in callers.ALSO_SIGNED:
                call = await self._signatures.find_signer(call, given, query, body)
            if route.row.access is Access.USER:
                call = await callers.user_call(call, route.row, request)
        return await _handle(route, call, request)


class ApiDispatcher:
    """Operations for the program's own console, in process: the same handlers and checks, no signature."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def call(self, operation: str, request: Struct, *, region: str, origin: Origin) -> Struct | None:
        """Return the answer to a signed operation, a structure, or None where it has no output.

        Raises the errors of the operation, InvalidParameterException for members outside of their constraints.
        """
        route = get_route(operation)
        if route.row.access is not Access.ADMIN:
            raise ValueError(f"{operation} is no operation of administrators")
        call = callers.console_call(self._deps, self._deps.clock.now(), origin, region, route.reach)
        return await _handle(route, call, route.decoder.check(request))


async def _handle(route: Route, call: Call, request: Struct) -> Struct | None:
    try:
        answer: Struct | None = await route.handler(call, request)
    except OperationNotEnabledException as error:
        if OperationNotEnabledException in route.row.errors:
            raise
        # Some operations that replicas do not offer declare no error that would say so.
        raise InvalidParameterException(error.message) from error
    return answer


async def _check_rate(deps: Deps, route: Route, request: Struct, region: str, now: int) -> None:
    """Count a request by its category; raises TooManyRequestsException. The console's own calls are not counted."""
    if deps.rates.is_idle:
        return
    use = find_use(route.row.name, getattr(request, "auth_flow", None))
    if use is not None:
        await deps.rates.check(region, use, now)


def _is_json(given: Headers) -> bool:
    return given.get("content-type", "").partition(";")[0].strip().lower() == codec.CONTENT_TYPE


def _error(error: ServiceError, request_id: str) -> Response:
    body = codec.error_body(error)
    return Response(error.status, codec.error_headers(error, request_id, body), body)


def _not_the_protocol(request_id: str) -> Response:
    told = dict(codec.success_headers(request_id, NOT_THE_PROTOCOL))
    return Response(404, list((told | {b"content-type": b"text/xml"}).items()), NOT_THE_PROTOCOL)


def _log_failure(error: Exception, target: str, request_id: str) -> None:
    """Log where an error came from, without its text: that may quote a password."""
    frames = " < ".join(
        f"{frame.f_globals.get('__name__')}:{line} {frame.f_code.co_name}"
        for frame, line in reversed(list(traceback.walk_tb(error.__traceback__)))
    )
    log.error("request %s: %s failed with %s at %s", request_id, target, type(error).__qualname__, frames)
