"""``/oauth2/authorize``: a checked request is answered at once, refused, or sent to sign in (spec/http/02 §2.1)."""

import logging

from poolhouse.flows.authorization import (
    Authorization,
    AuthorizationRefused,
    check_authorization,
    pass_on,
    refuse,
)
from poolhouse.flows.browser import COOKIE
from poolhouse.oauth.request import OAuthRequest
from poolhouse.web.domains import DomainContext
from poolhouse.web.languages import language_cookies
from poolhouse.web.requests import FORM_LIMIT, cookies, is_form, read_body
from poolhouse.web.responses import Header, Response, domain_redirect, set_cookie

XSRF_COOKIE = "XSRF-TOKEN"
_logger = logging.getLogger(__name__)


async def authorize(request: OAuthRequest) -> Response:
    """Answer an authorization request; the checks before this are those of ``flows.authorization``.

    Differs from Cognito (``/oauth2/authorize``): POST is accepted as OpenID Connect Core §3.1.2.1 wants it; under
    POOLHOUSE_STRICT it is answered 405.
    """
    domain, query = await request.get_domain(), await _query(request)
    try:
        checked = await check_authorization(request.call, domain.pool, query, managed=domain.managed)
        location = await _answer(request, checked)
    except AuthorizationRefused as refusal:
        return domain_redirect(refusal.url(domain.base_url), request_id=request.id)
    cookies_set = language_cookies(domain, checked.parameters.get("lang"), request.call.now)
    if location is not None:
        return domain_redirect(location, request_id=request.id, extra=cookies_set)
    return _to_sign_in(request, domain, query, cookies_set)


async def _query(request: OAuthRequest) -> str:
    """Return the parameters as text: those of a POST come in its form (OpenID Connect Core §3.1.2.1)."""
    if request.method == "POST" and is_form(request.headers):
        body = (await read_body(request.receive, FORM_LIMIT)).decode("latin-1")
        return body or request.query
    return request.query


async def _answer(request: OAuthRequest, checked: Authorization) -> str | None:
    """Return where a signed-in browser goes with its code, None where somebody has to sign in first.

    Raises AuthorizationRefused.
    """
    try:
        location = await pass_on(request.call, checked, cookies(request.headers).get(COOKIE))
    except AuthorizationRefused:
        raise
    except Exception:
        _logger.exception("authorization failed, request %s", request.id)
        raise refuse(checked, "server_error") from None
    if location is None and "none" in checked.prompts:
        raise refuse(checked, "login_required")
    return location


def _to_sign_in(request: OAuthRequest, domain: DomainContext, query: str, extra: list[Header]) -> Response:
    """Go to the sign-in page with the query as it came, and with the token its forms will need if there is none yet."""
    if XSRF_COOKIE not in cookies(request.headers):
        extra.append(set_cookie(domain.cookie_scope, XSRF_COOKIE, request.call.deps.random.uuid()))
    return domain_redirect(f"{domain.base_url}/login?{query}", request_id=request.id, extra=extra)
