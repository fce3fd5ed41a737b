"""The pages as one surface: which path is which page, and what every request to one has in common.

Differs from Cognito (login pages): the paths, form fields and ids are Cognito's, the markup, stylesheet and script are
not; classic pages hold each form once, not twice. Sentences of which no copy is known are our own words.
``XSRF-TOKEN`` keeps its value until a sign-in, so that a second tab does not void the form in the first. Second factors
are asked at ``/mfa``, what users choose in place of a password at ``/challenge``. The pages track no devices.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send

from poolhouse.core.parameters import MalformedParameters, Parameters, drop_parameters, parse_parameters
from poolhouse.core.provider_choice import NAMING
from poolhouse.core.rates import CHALLENGE, SIGN_IN, Category, Use
from poolhouse.core.replica import Reach
from poolhouse.core.saml import CONSUMER, read_relay_state
from poolhouse.flows.authorization import Authorization, AuthorizationRefused, check_authorization
from poolhouse.flows.calls import Deps
from poolhouse.flows.links import CLASSIC
from poolhouse.flows.round_trips import RETURN, find_round_trip
from poolhouse.login import session
from poolhouse.login.files import find_file
from poolhouse.login.pages import (
    challenge,
    confirm,
    messages,
    new_password,
    passkeys,
    recover,
    saml_return,
    sign_in,
    sign_up,
)
from poolhouse.login.pages.provider_return import come_back, invalid_state
from poolhouse.login.styles import BRANDED, DEFAULT_STYLE, Styles
from poolhouse.login.texts import texts_of
from poolhouse.login.view import View
from poolhouse.login.visit import Place, Visit
from poolhouse.model import ServiceError, TooManyRequestsException
from poolhouse.web.domains import DomainContext
from poolhouse.web.languages import COOKIE as LANGUAGE_COOKIE
from poolhouse.web.languages import language_cookies
from poolhouse.web.requests import LONGEST_FORM, RequestRefused, cookies, headers, public_call, read_form, when_whole
from poolhouse.web.responses import (
    RETRY_SOON,
    Response,
    domain_method_not_allowed,
    domain_redirect,
    respond,
)
from poolhouse.web.round_trips import find_binding

log = logging.getLogger(__name__)

Page = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Pages:
    """What answers the two methods at one path, what a form counts as, and whether replicas show the page."""

    get: Page
    post: Page
    use: Use
    reach: Reach = Reach.PRIMARY


_CREATION, _RECOVERY = Use(Category.USER_CREATION), Use(Category.USER_ACCOUNT_RECOVERY)
# Pages for signing in to an application: they come with an authorization request in the query.
PAGES = {
    "/login": Pages(sign_in.show, sign_in.submit, SIGN_IN, Reach.ACTIVE),
    "/signup": Pages(sign_up.show, sign_up.submit, _CREATION),
    "/confirm": Pages(confirm.show, confirm.submit, _CREATION),
    "/resendcode": Pages(confirm.show, confirm.send_again, Use(Category.USER_RESOURCE_READ)),
    "/forgotPassword": Pages(recover.show, recover.submit, _RECOVERY),
    "/confirmforgotPassword": Pages(recover.show_reset, recover.submit_reset, _RECOVERY),
    "/confirmForgotPassword": Pages(recover.show_reset, recover.submit_reset, _RECOVERY),
    "/changePassword": Pages(new_password.show, new_password.submit, CHALLENGE),
    "/challenge": Pages(challenge.show, challenge.submit, CHALLENGE, Reach.ACTIVE),
    "/mfa": Pages(challenge.show, challenge.submit, CHALLENGE, Reach.ACTIVE),
    "/passkeys/add": Pages(passkeys.show, passkeys.submit, Use(Category.USER_RESOURCE_UPDATE)),
}
# Where identity providers send browsers back to: the authorization request is in what they bring along.
_RETURN = Use(Category.USER_FEDERATION)
RETURNS = (RETURN, CONSUMER)
MESSAGES = ("/error", "/confirmUser", "/confirmUser/")


class Login:
    """The login pages of all pool domains."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._view = View()
        self._styles = Styles()

    async def handle(self, scope: Scope, receive: Receive, send: Send, domain: DomainContext, path: str) -> bool:
        """Answer a request below a pool domain; False where the path is none of the pages."""
        is_page, is_file = path in PAGES or path in RETURNS, path.startswith("/static/")
        if not is_page and path not in MESSAGES and not is_file:
            return False
        allowed, receive = _methods(path), await when_whole(scope, receive)
        place = self._place(scope, domain)
        if scope["method"] not in allowed:
            refusal = domain_method_not_allowed(", ".join(allowed), request_id=place.call.origin.request_id)
            await respond(send, refusal)
            return True
        response = await self._answer(scope, receive, place, path)
        if response is None:
            return False
        if not is_file:
            response.headers.extend(language_cookies(domain, _asked_language(place.query), place.call.now))
        await respond(send, response)
        return True

    def _place(self, scope: Scope, domain: DomainContext) -> Place:
        """Return what is known before the client is: the pages of nobody in particular."""
        given = cookies(headers(scope))
        call = public_call(scope, self._deps)
        query = scope["query_string"].decode("latin-1")
        return Place(
            call=call,
            domain=domain,
            view=self._view,
            texts=texts_of(_language(domain, query, given)),
            csrf=session.choose_csrf(call, given),
            style=DEFAULT_STYLE,
            style_name=f"{BRANDED}/default",
            query=query,
        )

    async def _answer(self, scope: Scope, receive: Receive, place: Place, path: str) -> Response | None:
        try:
            if path.startswith("/static/"):
                return await find_file(place, self._styles, path)
            if path in MESSAGES:
                return await self._message(place, path)
            if path == RETURN:
                return await self._return(scope, receive, place)
            if path == CONSUMER:
                return await self._consume(scope, receive, place)
            return await self._page(scope, receive, place, PAGES[path])
        except AuthorizationRefused as error:
            location = error.url(place.domain.base_url)
            return domain_redirect(location, request_id=place.call.origin.request_id)
        except RequestRefused as error:
            return messages.show_trouble(place, error.status)
        except TooManyRequestsException:
            response = messages.show_trouble(place, 429)
            response.headers.append(RETRY_SOON)
            return response
        except ServiceError as error:
            log.info("page %s refused: %s", path, error.code)
            return messages.show_trouble(place, error.status)
        except Exception:
            log.exception("page %s failed, request %s", path, place.call.origin.request_id)
            return messages.show_trouble(place, 500)

    async def _message(self, place: Place, path: str) -> Response:
        try:
            parameters = parse_parameters(place.query)
        except MalformedParameters:
            parameters = Parameters({})
        if path == "/error":
            return messages.show_error(place, parameters)
        place.domain.pool.check_reach(Reach.PRIMARY)
        await _count(place, _CREATION)
        return await messages.confirm_user(place, parameters)

    async def _page(self, scope: Scope, receive: Receive, place: Place, pages: Pages) -> Response:
        domain, given = place.domain, headers(scope)
        domain.pool.check_reach(pages.reach)
        request = await check_authorization(place.call, domain.pool, place.query, managed=domain.managed)
        styled = await self._styled(place, request)
        if styled is None:
            return messages.show_unavailable(place)
        kept = cookies(given)
        visit = Visit(
            place=styled,
            request=request,
            cookies=kept,
            state=session.find_state(place.call, kept, pool_id=domain.pool.id, client_id=request.client.id),
        )
        if scope["method"] != "POST":
            return await pages.get(visit)
        form = (await read_form(given, receive)).values
        await _count(place, pages.use)
        return await _submit(visit, pages.post, given, form)

    async def _return(self, scope: Scope, receive: Receive, place: Place) -> Response:
        """Answer a browser that an identity provider sent back, by GET or by a form of the provider's."""
        domain, headed, call = place.domain, headers(scope), place.call
        domain.pool.check_reach(Reach.ACTIVE)
        given = (await _brought(scope, receive, place.query)).values
        kept = cookies(headed)
        trip = find_round_trip(call, domain.pool, given.get("state"), find_binding(kept))
        if trip is None:
            raise invalid_state()
        return await come_back(await self._returned(place, kept, trip.query), trip, given)

    async def _consume(self, scope: Scope, receive: Receive, place: Place) -> Response:
        """Answer a browser that a SAML provider had post what it says, asked for or not."""
        domain, headed, call = place.domain, headers(scope), place.call
        domain.pool.check_reach(Reach.ACTIVE)
        given = await read_form(headed, receive, LONGEST_FORM)
        posted, relay_state = given.get("SAMLResponse"), given.get("RelayState")
        if posted is None or relay_state is None or given.repeated:
            raise saml_return.nothing_said()
        kept = cookies(headed)
        trip = find_round_trip(call, domain.pool, relay_state, find_binding(kept))
        if trip is not None:
            return await saml_return.come_back(await self._returned(place, kept, trip.query), trip, posted)
        query = read_relay_state(relay_state)
        if query is None:
            raise saml_return.unknown_relay_state()
        return await saml_return.come_unasked(await self._returned(place, kept, query), posted)

    async def _returned(self, place: Place, kept: Mapping[str, str], query: str) -> Visit:
        """Return the visit with an authorization request of before; raises AuthorizationRefused."""
        domain = place.domain
        await _count(place, _RETURN)
        request = await check_authorization(place.call, domain.pool, query, managed=domain.managed)
        # A page that is shown now is one to choose anew on. With a form of the provider's the cookie of the language
        # did not come along.
        texts = texts_of(_language(domain, query, kept))
        place = replace(place, query=drop_parameters(query, NAMING), texts=texts)
        # Without a style the way itself is still good.
        return Visit(place=await self._styled(place, request) or place, request=request, cookies=kept)

    async def _styled(self, place: Place, request: Authorization) -> Place | None:
        """Return the place as this client's users see it; None where a managed domain has no style for it."""
        scheme = urlsplit(request.redirect_uri).scheme
        kind, client_id = BRANDED if place.domain.managed else CLASSIC, request.client.id
        style = await self._styles.find(self._deps, kind, place.domain.pool.id, client_id)
        if style is None:
            return None if place.domain.managed else replace(place, redirect_scheme=scheme)
        return replace(place, style=style, style_name=f"{kind}/{client_id}", redirect_scheme=scheme)


async def _brought(scope: Scope, receive: Receive, query: str) -> Parameters:
    """Return the parameters that a browser brings from a provider; raises AuthorizationRefused where they are malformed."""
    if scope["method"] == "POST":
        return await read_form(headers(scope), receive)
    try:
        return parse_parameters(query)
    except MalformedParameters:
        raise invalid_state() from None


async def _count(place: Place, use: Use) -> None:
    """Count a request; raises TooManyRequestsException where it is over the limit of its category."""
    deps = place.call.deps
    await deps.rates.check(deps.identity.region, use, place.call.now)


async def _submit(visit: Visit, post: Page, given: Mapping[str, str], form: Mapping[str, str]) -> Response:
    """Answer a form. One that was forged, or waited for too long, leads back to the sign-in."""
    if session.is_forged(given, visit.cookies, form):
        key = "something_wrong" if session.XSRF_COOKIE in visit.cookies else "cookies_needed"
        return sign_in.show_form(visit, error=visit.text(key), status=403)
    if session.is_late(visit.state, visit.call.now):
        return sign_in.show_form(visit.at(None), error=visit.text("something_wrong"))
    return await post(replace(visit, form=form))


def _language(domain: DomainContext, query: str, given: Mapping[str, str]) -> str | None:
    """Return the language of a visitor: what the request says, else the cookie; the classic pages have one only."""
    if not domain.managed:
        return None
    return _asked_language(query) or given.get(LANGUAGE_COOKIE)


def _asked_language(query: str) -> str | None:
    try:
        return parse_parameters(query).get("lang")
    except MalformedParameters:
        return None


def _methods(path: str) -> tuple[str, ...]:
    # Programs that test the links in mail send HEAD; only a visit confirms.
    if path in MESSAGES and path != "/error":
        return ("GET",)
    if path == RETURN:
        return ("GET", "POST")
    if path == CONSUMER:
        return ("POST",)
    return ("GET", "HEAD", "POST") if path in PAGES else ("GET", "HEAD")
