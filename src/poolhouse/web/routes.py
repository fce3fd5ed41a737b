"""Every path of the server on one page.

==============================================  =====================================
``POST /``, ``OPTIONS /``                       the JSON API
``/<pool id>/.well-known/…``                    discovery and keys, at the issuer
``/auth/<domain>/…``                            a pool domain by path
``Host: <domain>``                              the same at the root
``/console/…``                                  the web console
``/health/live``, ``/health/ready``             for load balancers
==============================================  =====================================
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from poolhouse.flows.calls import Deps
from poolhouse.web.domains import DomainContext, find_domain
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


class DomainSurface(Protocol):
    """Serves some paths of a pool domain; returns False where a path is not one of them."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, domain: DomainContext, path: str) -> bool:
        """Answer a request below a pool domain."""
        ...


class Issuer(Protocol):
    """Serves the documents at a pool's issuer."""

    async def discovery(self, scope: Scope, receive: Receive, send: Send, pool_id: str, document: str) -> None:
        """Answer with a pool's discovery document or keys."""
        ...


class Router:
    """Brings a request to the surface that answers it."""

    def __init__(
        self,
        deps: Deps,
        *,
        api: Surface,
        issuer: Issuer,
        domains: tuple[DomainSurface, ...],
        console: Surface,
        health: Surface,
    ) -> None:
        self._deps = deps
        self._api, self._issuer, self._domains = api, issuer, domains
        self._console, self._health = console, health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        path: str = scope["path"]
        if path == "/" and scope["method"] in {"POST", "OPTIONS"}:
            return await self._api(scope, receive, send)
        if path.startswith("/health/"):
            return await self._health(scope, receive, send)
        domain = await find_domain(scope, self._deps)
        if domain is not None:
            return await self._domain(scope, receive, send, domain)
        document = _WELL_KNOWN.fullmatch(path)
        if document is not None:
            return await self._issuer.discovery(scope, receive, send, document[1], document[2])
        if path == "/console" or path.startswith("/console/"):
            return await self._console(scope, receive, send)
        if path == "/" and scope["method"] in {"GET", "HEAD"}:
            return await respond(send, redirect("/console/"))
        return await respond(send, json_response(404, {"message": "Not Found"}))

    async def _domain(self, scope: Scope, receive: Receive, send: Send, domain: DomainContext) -> None:
        for surface in self._domains:
            if await surface.handle(scope, receive, send, domain, domain.path):
                return
        await respond(send, domain_not_found(request_id(scope, self._deps)))
