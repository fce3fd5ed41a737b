"""Every path of the server on one page.

==============================================  =====================================
``POST /``, ``OPTIONS /``                       the JSON API
``/<pool id>/.well-known/…``                    discovery and keys, at the issuer
``/auth/<domain>/…``                            a pool domain by path
``Host: <domain>``                              the same at the root
``/user-import/<pool id>/<job id>``             files of user import jobs
``/auth-event-feedback``                        whether a risky sign-in was the user's own
``/console/…``                                  the web console
``/health/live``, ``/health/ready``             for load balancers
==============================================  =====================================
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from poolhouse.flows.calls import Deps
from poolhouse.flows.import_urls import PATH as USER_IMPORT
from poolhouse.flows.risk_mail import PATH as AUTH_EVENT_FEEDBACK
from poolhouse.web.domains import Address, DomainContext, find_address
from poolhouse.web.requests import request_id
from poolhouse.web.responses import domain_not_found, json_response, redirect, respond

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_WELL_KNOWN = re.compile(r"/([\w-]+_[0-9a-zA-Z]+)/\.well-known/(openid-configuration|jwks\.json)", re.ASCII)


class Surface(Protocol):
    """An ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        ...


class Endpoints(Protocol):
    """Serves the endpoints of pool domains, and the documents at a pool's issuer."""

    async def answer(self, scope: Scope, receive: Receive, send: Send, address: Address) -> bool:
        """Answer a request to a pool domain; returns False where there is no such endpoint or no such domain."""
        ...

    async def discovery(self, scope: Scope, receive: Receive, send: Send, pool_id: str, document: str) -> None:
        """Answer with a pool's discovery document or keys."""
        ...


class Pages(Protocol):
    """Serves the pages of pool domains; returns False where a path is not one of them."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, domain: DomainContext, path: str) -> bool:
        """Answer a request below a pool domain."""
        ...


class Router:
    """Brings a request to the surface that answers it."""

    def __init__(
        self,
        deps: Deps,
        *,
        api: Surface,
        oauth: Endpoints,
        login: Pages,
        console: Surface,
        health: Surface,
        imports: Surface,
        feedback: Surface,
    ) -> None:
        self._deps = deps
        self._api, self._oauth, self._login = api, oauth, login
        self._console, self._health, self._imports = console, health, imports
        self._feedback = feedback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        path: str = scope["path"]
        if path == "/" and scope["method"] in {"POST", "OPTIONS"}:
            return await self._api(scope, receive, send)
        if path.startswith("/health/"):
            return await self._health(scope, receive, send)
        if path.startswith(USER_IMPORT):
            return await self._imports(scope, receive, send)
        if path == AUTH_EVENT_FEEDBACK:
            return await self._feedback(scope, receive, send)
        address = await find_address(scope, self._deps)
        if address is not None and await self._domain(scope, receive, send, address):
            return None
        document = _WELL_KNOWN.fullmatch(path)
        if document is not None:
            return await self._oauth.discovery(scope, receive, send, document[1], document[2])
        if path == "/console" or path.startswith("/console/"):
            return await self._console(scope, receive, send)
        if path == "/" and scope["method"] in {"GET", "HEAD"}:
            return await respond(send, redirect("/console/"))
        return await respond(send, json_response(404, {"message": "Not Found"}))

    async def _domain(self, scope: Scope, receive: Receive, send: Send, address: Address) -> bool:
        """Answer a request to a pool domain; False where there is no such domain."""
        if await self._oauth.answer(scope, receive, send, address):
            return True
        domain = await self._deps.store.read(lambda tx: address.find(tx, self._deps.identity))
        if domain is None:
            return False
        if not await self._login.handle(scope, receive, send, domain, domain.path):
            await respond(send, domain_not_found(request_id(scope, self._deps)))
        return True
