"""``/oauth2/idpresponse``: a browser comes back from an identity provider (spec/http/06 §6.4)."""

import logging
from collections.abc import Awaitable, Mapping

from poolhouse.core.grants import OAuthError
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.flows.authorization import AuthorizationRefused, refuse
from poolhouse.flows.federation import arrive
from poolhouse.flows.identity_providers import open_provider
from poolhouse.flows.round_trips import RETURN, RoundTrip, end_round_trip
from poolhouse.flows.sign_in_loop import SignedIn
from poolhouse.login.pages.sign_in import show_form
from poolhouse.login.visit import Visit
from poolhouse.model import InternalErrorException, ServiceError
from poolhouse.providers import ProviderRefused
from poolhouse.web.responses import Response

log = logging.getLogger(__name__)

# What a provider says of an error is its own; this much of it is passed on.
MAX_ERROR, MAX_DESCRIPTION = 100, 300


def invalid_state() -> AuthorizationRefused:
    """Return the refusal of a browser of which it is not known that it was sent away from here."""
    return AuthorizationRefused("Invalid state", "/error?error=Invalid%20state")


async def come_back(visit: Visit, trip: RoundTrip, given: Mapping[str, str]) -> Response:
    """Sign in whom the provider sent back, or tell the application why not.

    ``given`` is what the provider says: a code, or an error. Raises AuthorizationRefused.
    """
    if trip.is_late(visit.call.now):
        return show_form(visit, error=visit.text("something_wrong"))
    provider = visit.request.find_provider(trip.provider)
    if not await end_round_trip(visit.call, trip) or is_saml(provider):
        raise invalid_state()
    if provider is None:
        # Deleted, or taken from the client, while the user was there.
        return show_form(visit, error=visit.text("login_option"), status=401)
    if "error" in given:
        description = given.get("error_description")
        raise refuse(visit.request, given["error"][:MAX_ERROR], description and description[:MAX_DESCRIPTION])
    if "code" not in given:
        raise refuse(visit.request, "invalid_request")
    return await conclude(visit, _sign_in(visit, provider, trip, given))


def is_saml(provider: IdentityProvider | None) -> bool:
    """Tell whether users of a provider come back by the other way, ``pages.saml_return``."""
    return provider is not None and provider.is_saml


async def _sign_in(visit: Visit, provider: IdentityProvider, trip: RoundTrip, given: Mapping[str, str]) -> SignedIn:
    call = visit.call
    assertion = await call.deps.providers.fetch(
        open_provider(call.deps, provider),
        code=given["code"],
        redirect_uri=visit.place.domain.base_url + RETURN,
        nonce=trip.nonce,
        now=call.now,
        issuer=given.get("iss"),
        user=given.get("user"),
    )
    return await arrive(call, visit.pool, visit.client, provider, assertion)


async def conclude(visit: Visit, signing_in: Awaitable[SignedIn]) -> Response:
    """Let in who signs in by a provider, or tell the application why not; raises AuthorizationRefused."""
    try:
        return await visit.finish(await signing_in)
    except AuthorizationRefused:
        raise
    except (OAuthError, ProviderRefused) as error:
        raise refuse(visit.request, error.error, error.description) from error
    except ServiceError as error:
        code = "server_error" if isinstance(error, InternalErrorException) else "invalid_request"
        raise refuse(visit.request, code, error.message) from error
    except Exception:
        log.exception("sign-in by a provider failed, request %s", visit.call.origin.request_id)
        raise refuse(visit.request, "server_error") from None
