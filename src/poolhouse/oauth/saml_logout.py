"""``POST /saml2/logout``: a browser comes back from where its user signed out as well (spec/http/06 §6.6)."""

from urllib.parse import quote

from poolhouse.core.saml import ServiceProvider
from poolhouse.flows.saml_logout import check_signed_out, find_way_out
from poolhouse.oauth.request import OAuthRequest
from poolhouse.providers import ProviderRefused
from poolhouse.web.requests import LONGEST_FORM, read_form
from poolhouse.web.responses import Response, domain_redirect


async def saml_logout(request: OAuthRequest) -> Response:
    """Go on to where ``/logout`` was to lead.

    Differs from Cognito (single logout): the provider's answer has to be signed, as the SAML profile wants it. Requests
    to sign out that begin at a provider are not answered.
    """
    domain = await request.get_domain()
    given = await read_form(request.headers, request.receive, LONGEST_FORM)
    posted, way = given.get("SAMLResponse"), find_way_out(request.call, domain.pool, given.get("RelayState"))
    if posted is None or way is None:
        return _page(request, domain.base_url, "Invalid samlResponse or relayState from identity provider")
    try:
        service = ServiceProvider(pool_id=domain.pool.id, base_url=domain.base_url)
        await check_signed_out(request.call, service, way, posted)
    except ProviderRefused as error:
        return _page(request, domain.base_url, error.description)
    return domain_redirect(way.location, request_id=request.id)


def _page(request: OAuthRequest, base_url: str, error: str) -> Response:
    return domain_redirect(f"{base_url}/error?error={quote(error, safe='')}", request_id=request.id)
