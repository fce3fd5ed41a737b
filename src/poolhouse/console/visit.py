"""One visit to a page: the request, who makes it, the operations it may call, and how it answers."""

from dataclasses import dataclass
from typing import Any, TypeVar

import jinja2
from msgspec import Struct
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from poolhouse.console.principal import Operator, Principal
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import Deps
from poolhouse.flows.issuer import issuer_of
from poolhouse.model import (
    DescribeUserPoolRequest,
    DescribeUserPoolResponse,
    GetUserPoolMfaConfigResponse,
    ResourceNotFoundException,
    UserPoolType,
)
from poolhouse.web.dispatcher import Dispatcher
from poolhouse.web.domains import base_url_of
from poolhouse.web.requests import origin

T = TypeVar("T", bound=Struct)

# Suggested in the Region field; any name may be typed.
REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "ap-northeast-2",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a page function gets."""

    request: Request
    form: FormData
    deps: Deps
    dispatcher: Dispatcher
    principal: Principal
    operator: Operator | None
    environment: jinja2.Environment

    @property
    def pool_id(self) -> str:
        """The pool in the path."""
        return str(self.request.path_params["pool_id"])

    @property
    def region(self) -> str:
        """The Region of the page: that of the pool in the path, or the one asked for."""
        pool_id = self.request.path_params.get("pool_id")
        if pool_id is not None:
            return str(pool_id).rpartition("_")[0]
        return self.text("region") or self.query("region") or self.deps.identity.region

    def query(self, name: str) -> str:
        """Return a parameter of the URL, empty where it is absent."""
        return self.request.query_params.get(name, "")

    def text(self, name: str) -> str:
        """Return a field of the form, empty where it is absent."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) and "password" not in name else str(value)

    def texts(self, name: str) -> list[str]:
        """Return all values of a field of the form."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    async def call(self, operation: str, request: Struct, answer: type[T]) -> T:
        """Call an operation for its answer; raises its ServiceError."""
        response = await self.dispatch(operation, request)
        if not isinstance(response, answer):
            raise TypeError(f"{operation} answers {type(response).__name__}")
        return response

    async def dispatch(self, operation: str, request: Struct) -> Struct | None:
        """Call an operation; raises its ServiceError."""
        return await self.dispatcher.call(
            operation, request, region=self.region, origin=origin(self.request.scope, self.deps)
        )

    async def pool(self) -> UserPoolType:
        """Return the pool in the path; raises ResourceNotFoundException."""
        request = DescribeUserPoolRequest(user_pool_id=self.pool_id)
        found = (await self.call("DescribeUserPool", request, DescribeUserPoolResponse)).user_pool
        if found is None:
            raise ResourceNotFoundException(f"User pool {self.pool_id} does not exist.")
        return found

    def issuer(self, settings: UserPoolType) -> str:
        """Return the issuer of a pool."""
        return issuer_of(self.deps.identity, _pool(settings))

    def base_url(self, settings: UserPoolType) -> str | None:
        """Return the base URL of a pool's domain, None where it has none."""
        return base_url_of(self.deps.identity, _pool(settings))

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Render a template."""
        shared = {
            "operator": self.operator,
            "csrf": self.operator.csrf if self.operator else "",
            "region": self.region,
            "regions": REGIONS,
            "pool": None,
            "section": "",
            "keeps_messages": not all(self.deps.courier.sends(channel) for channel in ("EMAIL", "SMS")),
            "error": "",
        }
        html = self.environment.get_template(template).render(shared | context)
        return HTMLResponse(html, status)

    def message(
        self,
        heading: str,
        text: str,
        *,
        status: int = 200,
        detail: str = "",
        link: tuple[str, str] = ("Go to the console", "/console/"),
    ) -> Response:
        """Render a page that only says something.

        ``detail`` is a value to copy, ``link`` a label and where it leads.
        """
        return self.page("message.html", status=status, heading=heading, text=text, detail=detail, link=link)

    @staticmethod
    def go(path: str) -> Response:
        """Redirect within the console after a form."""
        return RedirectResponse(path, 303)


def _pool(settings: UserPoolType) -> Pool:
    """Return the value behind a description, for the rules that work on it."""
    return Pool(id=settings.id or "", settings=settings, mfa=GetUserPoolMfaConfigResponse(), device_group_key="")
