"""The page that the links of mail about risky sign-ins lead to: whether it was the user (spec/api/07 §2, §5).

It belongs to no domain, which a pool may lack, and stands alone: no stylesheet of a pool, no script, no cookie, and the
language is the browser's. Programs that test the links in mail open them, so opening it changes nothing; the button
does. The token in its form is what a forger would have to know.
"""

import base64
import hashlib
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct
from starlette.types import Receive, Scope, Send

from poolhouse.core.parameters import MalformedParameters, parse_parameters
from poolhouse.core.rates import Category, Use
from poolhouse.flows import feedback
from poolhouse.flows.calls import Deps, PublicCall
from poolhouse.login.texts import Texts, texts_of
from poolhouse.model import FeedbackValueType, ServiceError, TooManyRequestsException
from poolhouse.web.languages import preferred_language
from poolhouse.web.requests import RequestRefused, headers, public_call, read_form, when_whole
from poolhouse.web.responses import RETRY_SOON, Header, Response, page_response, respond

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


class _Page(Struct, frozen=True, kw_only=True):
    """What the page says: the keys of its texts, and the button of its form with what is sent along, where it asks."""

    status: int = 200
    heading: str
    lead: str
    button: str = ""
    token: str = ""
    value: str = ""
    extra: tuple[Header, ...] = ()


_BAD = _Page(status=400, heading="feedback_bad_heading", lead="feedback_bad")
_BUSY = _Page(status=429, heading="feedback_busy_heading", lead="feedback_busy", extra=(RETRY_SOON,))
_WRONG_METHOD = _Page(
    status=405, heading=_BAD.heading, lead=_BAD.lead, extra=((b"allow", ", ".join(_METHODS).encode()),)
)
_DONE = {
    FeedbackValueType.Valid: _Page(heading="feedback_done_heading", lead="feedback_valid_done"),
    FeedbackValueType.Invalid: _Page(heading="feedback_done_heading", lead="feedback_invalid_done"),
}
_WORDS = {
    FeedbackValueType.Valid: ("feedback_valid_lead", "feedback_valid_button"),
    FeedbackValueType.Invalid: ("feedback_invalid_lead", "feedback_invalid_button"),
}


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
        given = headers(scope)
        texts = texts_of(preferred_language(given.get("accept-language", "")))
        await respond(send, self._show(await self._answer(scope, receive, given), texts))

    async def _answer(self, scope: Scope, receive: Receive, given: Mapping[str, str]) -> _Page:
        if scope["method"] not in _METHODS:
            return _WRONG_METHOD
        receive = await when_whole(scope, receive)
        call = public_call(scope, self._deps)
        try:
            if scope["method"] == "POST":
                return await self._take(call, (await read_form(given, receive)).values)
            return _ask(call, parse_parameters(scope["query_string"].decode("latin-1")).values)
        except TooManyRequestsException:
            return _BUSY
        except (MalformedParameters, RequestRefused, ServiceError):
            return _BAD

    async def _take(self, call: PublicCall, given: Mapping[str, str]) -> _Page:
        await self._deps.rates.check(self._deps.identity.region, _USE, call.now)
        value, token = _value(given), given.get("token", "")
        if value is None:
            return _BAD
        await call.store.write(lambda tx: feedback.give_by_token(tx, call, token, value))
        return _DONE[value]

    def _show(self, page: _Page, texts: Texts) -> Response:
        html = self._template.render(
            style=STYLE,
            lang=texts.language,
            heading=texts(page.heading),
            lead=texts(page.lead),
            button=page.button and texts(page.button),
            token=page.token,
            value=page.value,
        )
        return page_response(html, page.status, page.extra, _POLICY)


def _ask(call: PublicCall, given: Mapping[str, str]) -> _Page:
    value, token = _value(given), given.get("token", "")
    if value is None or not feedback.is_open(call, token):
        return _BAD
    lead, button = _WORDS[value]
    return _Page(heading="feedback_heading", lead=lead, button=button, token=token, value=value)


def _value(given: Mapping[str, str]) -> FeedbackValueType | None:
    return next((value for value in FeedbackValueType if value == given.get("value")), None)
