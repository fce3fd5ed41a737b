"""The page that the links of mail about risky sign-ins lead to: whether it was the user (spec/api/07 §2, §5).

It belongs to no domain, which a pool may lack, and stands alone: no stylesheet of a pool, no script, no cookie. Programs
that test the links in mail open them, so opening it changes nothing; the button does. The token in its form is what a
forger would have to know.
"""

import base64
import hashlib
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.types import Receive, Scope, Send

from poolhouse.core.parameters import MalformedParameters, parse_parameters
from poolhouse.core.rates import Category, Use
from poolhouse.flows import feedback
from poolhouse.flows.calls import Deps, PublicCall
from poolhouse.model import FeedbackValueType, ServiceError, TooManyRequestsException
from poolhouse.web.requests import RequestRefused, headers, public_call, read_form
from poolhouse.web.responses import RETRY_SOON, Response, page_response, respond

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:#f4f5f7;color:#1b1f24}"
    ":root{color-scheme:light dark}"
    "main{box-sizing:border-box;max-width:30rem;width:calc(100% - 2rem);margin:15vh auto 1rem;padding:2rem;background:#fff;border-radius:.75rem}"
    "h1{font-size:1.4rem;line-height:1.3;margin:0 0 1rem}"
    "button{font:inherit;font-weight:600;width:100%;padding:.7rem;border:0;border-radius:.5rem;"
    "background:#1f4fd8;color:#fff;cursor:pointer}"
    "button:focus-visible{outline:3px solid #8fb0ff;outline-offset:2px}"
    "@media(prefers-color-scheme:dark){body{background:#14171a;color:#e8eaed}main{background:#1f2328}"
    "button{background:#8fb0ff;color:#10131a}}"
)
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_METHODS = ("GET", "HEAD", "POST")
_USE = Use(Category.USER_RESOURCE_UPDATE)


class FeedbackPage:
    """Asks and takes the answer."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        environment = Environment(
            loader=PackageLoader("poolhouse.login"), autoescape=True, undefined=StrictUndefined, auto_reload=False
        )
        self._template = environment.get_template("feedback.html")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in _METHODS:
            await respond(send, self._show(405, "bad", extra=[(b"allow", ", ".join(_METHODS).encode())]))
            return
        call = public_call(scope, self._deps)
        try:
            if scope["method"] == "POST":
                response = await self._take(call, (await read_form(headers(scope), receive)).values)
            else:
                response = self._ask(call, parse_parameters(scope["query_string"].decode("latin-1")).values)
        except TooManyRequestsException:
            response = self._show(429, "busy", extra=[RETRY_SOON])
        except (MalformedParameters, RequestRefused, ServiceError):
            response = self._show(400, "bad")
        await respond(send, response)

    def _ask(self, call: PublicCall, given: Mapping[str, str]) -> Response:
        value = _value(given)
        if value is None or not feedback.is_open(call, given.get("token", "")):
            return self._show(400, "bad")
        return self._show(200, "ask", token=given["token"], value=value)

    async def _take(self, call: PublicCall, given: Mapping[str, str]) -> Response:
        await self._deps.rates.check(self._deps.identity.region, _USE, call.now)
        value = _value(given)
        if value is None:
            return self._show(400, "bad")
        token = given.get("token", "")
        await call.store.write(lambda tx: feedback.give_by_token(tx, call, token, value))
        return self._show(200, "done", value=value)

    def _show(
        self,
        status: int,
        state: str,
        *,
        token: str = "",
        value: str = "",
        extra: list[tuple[bytes, bytes]] | None = None,
    ) -> Response:
        html = self._template.render(style=STYLE, state=state, token=token, value=value)
        return page_response(html, status, extra or [], _POLICY)


def _value(given: Mapping[str, str]) -> FeedbackValueType | None:
    return next((value for value in FeedbackValueType if value == given.get("value")), None)
