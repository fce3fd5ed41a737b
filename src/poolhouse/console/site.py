"""The console's application: its routes, and what every page shares."""

import functools
import hashlib
import hmac
import importlib.resources
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import jinja2
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from poolhouse.console.pages import clients, create_client, create_pool, edit_client, outbox, pools, sign_in, users
from poolhouse.console.principal import Operator, Principal
from poolhouse.console.visit import Visit
from poolhouse.flows.calls import Deps
from poolhouse.flows.operators import is_without_operators
from poolhouse.model import ResourceNotFoundException, ServiceError
from poolhouse.web.dispatcher import Dispatcher
from poolhouse.web.responses import PAGE_POLICY
from poolhouse.web.routes import Receive, Scope, Send, Surface

if TYPE_CHECKING:
    import httpx

STATIC_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
YEAR_SECONDS = 31_536_000
# Anybody may send a form to the set-up page: together these bound what is kept of one.
FORM_FIELDS = 200
FIELD_BYTES = 16 * 1024

Page = Callable[[Visit], Awaitable[Response]]


def _static_files() -> dict[str, bytes]:
    folder = importlib.resources.files("poolhouse.console") / "static"
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("poolhouse.console"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["iso"] = lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat()
    environment.filters["day"] = lambda seconds: datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return environment


def _client_of(own: Surface) -> "httpx.AsyncClient":
    """Return an HTTP client of an application in this process. Imported when somebody signs in: it is heavy."""
    import httpx

    return httpx.AsyncClient(transport=httpx.ASGITransport(app=own))


class Console:
    """The ASGI application below ``/console/``. ``own`` is the whole server, for the console's own sign-in."""

    def __init__(self, deps: Deps, dispatcher: Dispatcher, own: Surface) -> None:
        self._deps = deps
        self._dispatcher = dispatcher
        self.principal = Principal(deps, functools.cache(lambda: _client_of(own)))
        self._static = _static_files()
        version = hashlib.sha256(b"".join(self._static[name] for name in sorted(self._static))).hexdigest()[:12]
        self._environment = _templates()
        self._environment.globals["version"] = version
        self._app = Starlette(routes=self._routes())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._app(scope, receive, send)

    def _routes(self) -> list[Route]:
        pool, client = "/console/pools/{pool_id}", "/console/pools/{pool_id}/clients/{client_id}"
        guarded: list[tuple[str, Page, list[str]]] = [
            ("/console/", pools.show_pools, ["GET"]),
            ("/console/outbox", outbox.show_outbox, ["GET"]),
            ("/console/pools/new", create_pool.show_form, ["GET"]),
            ("/console/pools/new", create_pool.create, ["POST"]),
            (pool, pools.show_pool, ["GET"]),
            (f"{pool}/clients", clients.show_clients, ["GET"]),
            (f"{pool}/clients/new", create_client.show_form, ["GET"]),
            (f"{pool}/clients/new", create_client.create, ["POST"]),
            (client, clients.show_client, ["GET"]),
            (f"{client}/edit", edit_client.show_form, ["GET"]),
            (f"{client}/edit", edit_client.save, ["POST"]),
            (f"{client}/setup", clients.show_setup, ["GET"]),
            (f"{pool}/users", users.show_users, ["GET"]),
            (f"{pool}/users/new", users.show_form, ["GET"]),
            (f"{pool}/users/new", users.create, ["POST"]),
            ("/console/sign-out", sign_in.sign_out, ["POST"]),
            ("/console/{path:path}", pools.show_nothing, ["GET", "POST"]),
        ]
        opened: list[tuple[str, Page, list[str]]] = [
            ("/console/callback", sign_in.callback, ["GET"]),
            ("/console/signed-out", sign_in.signed_out, ["GET"]),
            ("/console/welcome", sign_in.show_welcome, ["GET"]),
            ("/console/welcome", sign_in.welcome, ["POST"]),
            ("/console/landing", sign_in.landing, ["GET"]),
        ]
        return [
            Route("/console", lambda _request: RedirectResponse("/console/", 302)),
            Route("/console/static/{name}", self._serve_static),
            *(Route(path, self._open(page), methods=methods) for path, page, methods in opened),
            *(Route(path, self._guarded(page), methods=methods) for path, page, methods in guarded),
        ]

    def _guarded(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            operator = await self.principal.find(request)
            if operator is None and await is_without_operators(self._deps):
                return await self._answer(await self._visit(request, None), sign_in.show_how_to_begin)
            if operator is None:
                return await self._sign_in(request)
            visit = await self._visit(request, operator)
            if request.method == "POST" and not self._is_own_form(visit, operator):
                return await self._answer(visit, sign_in.show_expired)
            return await self._answer(visit, page)

        return endpoint

    def _open(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await self._answer(await self._visit(request, None), page)

        return endpoint

    async def _answer(self, visit: Visit, page: Page) -> Response:
        try:
            response = await page(visit)
        except ResourceNotFoundException as error:
            response = visit.message("Not found", error.message, status=404)
        except ServiceError as error:
            response = visit.message("That did not work", error.message, status=400)
        response.headers["content-security-policy"] = PAGE_POLICY
        response.headers["x-content-type-options"] = "nosniff"
        response.headers["x-frame-options"] = "DENY"
        response.headers["referrer-policy"] = "same-origin"
        response.headers["cache-control"] = "no-store"
        return response

    async def _sign_in(self, request: Request) -> Response:
        # Neither as a URL, which would be made with the Host header, nor decoded.
        path, query = (request.scope[part].decode("latin-1") for part in ("raw_path", "query_string"))
        target = f"{path}?{query}" if query else path
        response = RedirectResponse("/", 302, {"cache-control": "no-store"})
        response.headers["location"] = await self.principal.begin(
            response, target if request.method == "GET" else "/console/"
        )
        return response

    async def _visit(self, request: Request, operator: Operator | None) -> Visit:
        form = FormData()
        if request.method == "POST":
            form = await request.form(max_fields=FORM_FIELDS, max_files=0, max_part_size=FIELD_BYTES)
        return Visit(
            request=request,
            form=form,
            deps=self._deps,
            dispatcher=self._dispatcher,
            principal=self.principal,
            operator=operator,
            environment=self._environment,
        )

    @staticmethod
    def _is_own_form(visit: Visit, operator: Operator) -> bool:
        return hmac.compare_digest(visit.text("csrf").encode(), operator.csrf.encode())

    async def _serve_static(self, request: Request) -> Response:
        name = request.path_params["name"]
        content = self._static.get(name)
        if content is None:
            return Response(status_code=404)
        headers = {"cache-control": f"public, max-age={YEAR_SECONDS}, immutable", "x-content-type-options": "nosniff"}
        return Response(content, media_type=STATIC_TYPES[name.rpartition(".")[2]], headers=headers)
