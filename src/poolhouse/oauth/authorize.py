"""``/oauth2/authorize``: a checked request is answered at once, refused, or sent to sign in (spec/http/02 §2.1).

That is on the pages of the pool, or at the identity provider that the request names.
"""

import logging

from poolhouse.flows.authorization import Authorization, AuthorizationRefused, check_authorization, refuse
from poolhouse.flows.authorization_answers import pass_on
from poolhouse.flows.browser import COOKIE
from poolhouse.oauth.request import OAuthRequest
from poolhouse.web.domains import DomainContext
from poolhouse.web.languages import language_cookies
from poolhouse.web.requests import FORM_LIMIT, cookies, is_form, read_body
from poolhouse.web.responses import Header, Response, domain_redirect, set_cookie
from poolhouse.web.round_trips import go_to_provider

XSRF_COOKIE = "XSRF-TOKEN"
_logger = logging.getLogger(__name__)


async def authorize(request: OAuthRequest) -> Response:
    """Answer an authorization request; the checks before this are those of ``flows.authorization``.

    One that names an identity provider goes there, unless whoever is signed in with this browser came from there.

    Differs from Cognito (``/oauth2/authorize``): POST is accepted as OpenID Connect Core §3.1.2.1 wants it; under
    POOLHOUSE_STRICT it is answered 405.
    """
    domain, query = await request.get_domain(), await _query(request)
    try:
        checked = await check_authorization(request.call, domain.pool, query, managed=domain.managed)
        cookies_set = language_cookies(domain, checked.parameters.get("lang"), request.call.now)
        return await _answer(request, domain, checked, cookies_set)
    except AuthorizationRefused as refusal:
        return domain_redirect(refusal.url(domain.base_url), request_id=request.id)


async def _query(request: OAuthRequest) -> str:
    """Return the parameters as text: those of a POST come in its form (OpenID Connect Core §3.1.2.1)."""
    if request.method == "POST" and is_form(request.headers):
        body = (await read_body(request.receive, FORM_LIMIT)).decode("latin-1")
        return body or request.query
    return request.query


async def _answer(
    request: OAuthRequest, domain: DomainContext, checked: Authorization, extra: list[Header]
) -> Response:
    """Answer a checked request with these headers besides; raises AuthorizationRefused."""
    try:
        return await _send_on(request, domain, checked, extra)
    except AuthorizationRefused:
        raise
    except Exception:
        _logger.exception("authorization failed, request %s", request.id)
        raise refuse(checked, "server_error") from None


async def _send_on(
    request: OAuthRequest, domain: DomainContext, checked: Authorization, extra: list[Header]
) -> Response:
    """Send a signed-in browser to the application with its code, and any other to where somebody signs in."""
    held = cookies(request.headers)
    location = await pass_on(request.call, checked, held.get(COOKIE))
    if location is not None:
        return domain_redirect(location, request_id=request.id, extra=extra)
    if "none" in checked.prompts:
        raise refuse(checked, "login_required")
    if checked.provider is not None:
        return await go_to_provider(request.call, domain, checked, checked.provider, held, extra)
    return _to_sign_in(request, domain, checked.query, extra)


def _to_sign_in(request: OAuthRequest, domain: DomainContext, query: str, extra: list[Header]) -> Response:
    """Go to the sign-in page with the query as it came, and with the token its forms will need if there is none yet."""
    if XSRF_COOKIE not in cookies(request.headers):
        extra.append(set_cookie(domain.cookie_scope, XSRF_COOKIE, request.call.deps.random.uuid()))
    return domain_redirect(f"{domain.base_url}/login?{query}", request_id=request.id, extra=extra)
