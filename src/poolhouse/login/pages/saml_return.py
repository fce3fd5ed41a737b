"""``/saml2/idpresponse``: a browser brings what a SAML provider says (spec/http/06 §6.6)."""

from urllib.parse import quote

from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.saml import ServiceProvider
from poolhouse.flows.authorization import AuthorizationRefused, refuse
from poolhouse.flows.federation import arrive
from poolhouse.flows.round_trips import RoundTrip, end_round_trip
from poolhouse.flows.saml import hear, learn
from poolhouse.flows.sign_in_loop import SignedIn
from poolhouse.login.pages.provider_return import conclude, is_saml
from poolhouse.login.pages.sign_in import show_form
from poolhouse.login.visit import Visit
from poolhouse.web.responses import Response


def nothing_said() -> AuthorizationRefused:
    """Return the refusal of a form that lacks one of its two fields."""
    return _on_error_page("Invalid samlResponse or relayState from identity provider")


def unknown_relay_state() -> AuthorizationRefused:
    """Return the refusal of a browser of which it is not known what it is to be signed in to."""
    return _on_error_page("Invalid relayState from identity provider")


async def come_back(visit: Visit, trip: RoundTrip, posted: str) -> Response:
    """Sign in whom the provider sent back, or tell the application why not; raises AuthorizationRefused."""
    if trip.is_late(visit.call.now):
        return show_form(visit, error=visit.text("something_wrong"))
    provider = visit.request.find_provider(trip.provider)
    if not await end_round_trip(visit.call, trip):
        raise unknown_relay_state()
    if provider is None:
        return show_form(visit, error=visit.text("login_option"), status=401)
    if not is_saml(provider):
        raise unknown_relay_state()
    return await conclude(visit, _sign_in(visit, provider, posted, nonce=trip.nonce))


async def come_unasked(visit: Visit, posted: str) -> Response:
    """Sign in who comes from a provider without having been sent there; raises AuthorizationRefused."""
    provider = visit.request.provider
    if provider is None or not is_saml(provider):
        return show_form(visit, error=visit.text("login_option"), status=401)
    # Whoever is signed in that way did not choose the account: no other one is to be had there (spec/http/06 §6.6).
    if visit.is_local or not all(map(is_saml, visit.request.providers)):
        raise refuse(visit.request, "invalid_request", "IdP-initiated sign-in needs a client with SAML providers only")
    return await conclude(visit, _sign_in(visit, provider, posted, nonce=None))


async def _sign_in(visit: Visit, provider: IdentityProvider, posted: str, *, nonce: str | None) -> SignedIn:
    call, service = visit.call, ServiceProvider(pool_id=visit.pool.id, base_url=visit.place.domain.base_url)
    provider = await learn(call, provider)
    assertion = await hear(call, provider, service, posted, nonce=nonce)
    return await arrive(call, visit.pool, visit.client, provider, assertion)


def _on_error_page(error: str) -> AuthorizationRefused:
    return AuthorizationRefused(error, f"/error?error={quote(error, safe='')}")
