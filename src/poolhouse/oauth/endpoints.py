"""The surface: which function answers which path, and what holds for all of them."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from poolhouse.core.grants import OAuthError
from poolhouse.core.saml import LOGOUT
from poolhouse.flows.calls import Deps
from poolhouse.model import TooManyRequestsException
from poolhouse.oauth.authorize import authorize
from poolhouse.oauth.discovery import Discovery
from poolhouse.oauth.errors import FLOW_ERRORS, error_response, translate
from poolhouse.oauth.logout import logout
from poolhouse.oauth.request import NoSuchDomain, OAuthRequest
from poolhouse.oauth.revoke import revoke
from poolhouse.oauth.saml_logout import saml_logout
from poolhouse.oauth.token import token
from poolhouse.oauth.userinfo import userinfo
from poolhouse.storage.errors import Busy
from poolhouse.web.domains import Address
from poolhouse.web.requests import RequestRefused, headers, public_call, when_whole
from poolhouse.web.responses import (
    CORS,
    RETRY_SOON,
    Header,
    Response,
    domain_empty,
    domain_method_not_allowed,
    respond,
)

_logger = logging.getLogger(__name__)
_PREFLIGHT: list[Header] = [
    CORS,
    (b"access-control-allow-headers", b"Authorization, Content-Type"),
    (b"access-control-max-age", b"3600"),
]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path of the surface. ``cors`` opens it to scripts of other origins, and marks the endpoints that speak JSON."""

    answer: Callable[[OAuthRequest], Awaitable[Response]]
    methods: tuple[str, ...]
    cors: bool = False


_AUTHORIZE = Endpoint(authorize, ("GET", "HEAD", "POST"))
ENDPOINTS = {
    "/oauth2/authorize": _AUTHORIZE,
    "/authorize": _AUTHORIZE,
    "/oauth2/token": Endpoint(token, ("POST",), cors=True),
    "/oauth2/userInfo": Endpoint(userinfo, ("GET", "HEAD", "POST"), cors=True),
    "/oauth2/revoke": Endpoint(revoke, ("POST",), cors=True),
    "/logout": Endpoint(logout, ("GET", "HEAD")),
    LOGOUT: Endpoint(saml_logout, ("POST",)),
}
# Clients call it in every spelling (spec/http/01 §1.4).
_USERINFO = "/oauth2/userinfo"


class OAuth:
    """OAuth 2.0 and OpenID Connect: raw ASGI, no framework between the socket and the grant."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._discovery = Discovery(deps)

    async def answer(self, scope: Scope, receive: Receive, send: Send, address: Address) -> bool:
        """Answer a request to a pool domain; returns False where there is no such endpoint or no such domain."""
        path = address.path
        endpoint = ENDPOINTS.get(path)
        if endpoint is None and path.lower() == _USERINFO:
            endpoint = ENDPOINTS["/oauth2/userInfo"]
        if endpoint is None:
            return False
        receive = await when_whole(scope, receive)
        request = OAuthRequest(
            call=public_call(scope, self._deps),
            address=address,
            method=scope["method"],
            headers=headers(scope),
            query=scope["query_string"].decode("latin-1"),
            receive=receive,
        )
        try:
            response = await self._answer(endpoint, request)
        except NoSuchDomain:
            return False
        await respond(send, response)
        return True

    async def discovery(  # the router calls every surface alike
        self,
        scope: Scope,
        receive: Receive,  # noqa: ARG002
        send: Send,
        pool_id: str,
        document: str,
    ) -> None:
        """Answer with a document at a pool's issuer."""
        if scope["method"] not in {"GET", "HEAD"}:
            refused: list[Header] = [(b"allow", b"GET, HEAD"), (b"content-length", b"0"), CORS]
            await respond(send, Response(405, refused))
            return
        await respond(send, await self._discovery.find(pool_id, document))

    async def _answer(self, endpoint: Endpoint, request: OAuthRequest) -> Response:
        """Return the answer of an endpoint; raises NoSuchDomain, also where the request is refused before that shows."""
        extra: list[Header] = [CORS] if endpoint.cors else []
        if request.method not in self._methods(endpoint):
            await request.get_domain()
        if request.method == "OPTIONS" and endpoint.cors:
            methods = (b"access-control-allow-methods", ", ".join(endpoint.methods).encode("ascii"))
            return domain_empty(request_id=request.id, extra=[*_PREFLIGHT, methods])
        if request.method not in self._methods(endpoint):
            allowed = ", ".join(self._methods(endpoint))
            return domain_method_not_allowed(allowed, request_id=request.id, extra=extra)
        try:
            return await endpoint.answer(request)
        except NoSuchDomain:
            raise
        except (OAuthError, RequestRefused, Busy) as error:
            if not isinstance(error, Busy):
                await request.get_domain()
            refusal, status = _refusal(error)
        except FLOW_ERRORS as error:
            refusal, status = translate(error), None
            if isinstance(error, TooManyRequestsException):
                extra.append(RETRY_SOON)
        except Exception:
            _logger.exception("request %s failed", request.id)
            refusal, status = OAuthError("server_error"), 500
        return error_response(refusal, request_id=request.id, status=status, extra=extra)

    def _methods(self, endpoint: Endpoint) -> tuple[str, ...]:
        # Cognito documents GET alone; POST is the standard's (spec/http/02 §2.1).
        return ("GET", "HEAD") if self._deps.identity.strict and endpoint is _AUTHORIZE else endpoint.methods


def _refusal(error: OAuthError | RequestRefused | Busy) -> tuple[OAuthError, int | None]:
    """Return what the caller is told, and with which status where it is not the usual one."""
    if isinstance(error, OAuthError):
        return error, None
    if isinstance(error, RequestRefused):
        return OAuthError("invalid_request"), 413 if error.status == 413 else 400
    return OAuthError("temporarily_unavailable"), 503
