"""``GET /logout``: out of the SSO session, then to the application or back to the sign-in page (spec/http/03 §3.2)."""

from urllib.parse import quote, urlencode

from poolhouse.core.client import Client
from poolhouse.core.grants import callback_urls, is_registered, logout_urls
from poolhouse.core.parameters import MalformedParameters, Parameters, drop_parameters, parse_parameters
from poolhouse.core.provider_choice import NAMING
from poolhouse.core.saml import ServiceProvider
from poolhouse.flows.browser import COOKIE, find_browser_session
from poolhouse.flows.saml_logout import sign_out_url
from poolhouse.oauth.request import OAuthRequest
from poolhouse.web.domains import DomainContext
from poolhouse.web.requests import cookies
from poolhouse.web.responses import Response, clear_cookie, domain_redirect


async def logout(request: OAuthRequest) -> Response:
    """Clear the SSO cookie, end the SSO session if it is on record, and redirect. Tokens stay as they are.

    Whoever came from a SAML provider with IDPSignout goes there first.
    """
    domain = await request.get_domain()
    try:
        parameters = parse_parameters(request.query)
    except MalformedParameters:
        return _page(request, domain, "invalid_request")
    client_id = parameters.get("client_id")
    if client_id is None:
        return _page(request, domain, "Required String parameter 'client_id' is not present")
    found = await request.call.store.read(lambda tx: tx.catalogue.find_app(client_id))
    if found is None or found[0].id != domain.pool.id:
        return _page(request, domain, "Client does not exist.")
    client = found[1]
    target = parameters.get("logout_uri")
    if target is not None and is_registered(target, logout_urls(client)):
        return await _leave(request, domain, target)
    return await _sign_in_again(request, domain, client, parameters)


async def _sign_in_again(
    request: OAuthRequest, domain: DomainContext, client: Client, parameters: Parameters
) -> Response:
    # Whoever signs out is not to be signed in again by a provider at once: these parameters count for nothing here.
    # Cognito: a logout_uri that is not registered counts as absent, hence the first of these texts.
    for name in ("redirect_uri", "response_type"):
        if parameters.get(name) is None:
            return _page(request, domain, f"Required String parameter '{name}' is not present")
    if not is_registered(parameters.values["redirect_uri"], callback_urls(client)):
        return _page(request, domain, "redirect_mismatch", client.id)
    query = drop_parameters(request.query, NAMING)
    if parameters.get("scope") is None:
        query += "&" + urlencode({"scope": " ".join(client.settings.allowed_oauth_scopes or ())})
    return await _leave(request, domain, f"{domain.base_url}/login?{query}")


async def _leave(request: OAuthRequest, domain: DomainContext, location: str) -> Response:
    session = find_browser_session(request.call, domain.pool, cookies(request.headers).get(COOKIE))
    if session is not None and session.id is not None:
        id = session.id
        await request.call.store.write(lambda tx: tx.sso_sessions.delete(id))
    if session is not None and session.at_provider is not None:
        service = ServiceProvider(pool_id=domain.pool.id, base_url=domain.base_url)
        location = await sign_out_url(request.call, service, session, location) or location
    cookie = clear_cookie(domain.session_scope, COOKIE)
    return domain_redirect(location, request_id=request.id, extra=[cookie])


def _page(request: OAuthRequest, domain: DomainContext, error: str, client_id: str | None = None) -> Response:
    suffix = "" if client_id is None else f"&client_id={quote(client_id, safe='')}"
    location = f"{domain.base_url}/error?error={quote(error, safe='')}{suffix}"
    return domain_redirect(location, request_id=request.id)
