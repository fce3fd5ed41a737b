"""Signing out at a SAML provider who came from there (spec/http/06 §6.6, single logout).

Here the user is signed out first, whatever becomes of it there.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from msgspec import Struct

from poolhouse.core.federation import ends_sessions
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.pool import Pool
from poolhouse.core.saml import ServiceProvider, logout_request, request_id
from poolhouse.crypto.seal import SealBroken
from poolhouse.flows.browser import BrowserSession
from poolhouse.flows.calls import Call
from poolhouse.flows.saml import redirect_url
from poolhouse.storage import Tx

_PURPOSE = "saml-logout"
_MAX_LENGTH = 32 * 1024


class WayOut(Struct, frozen=True, kw_only=True):
    """Where a browser goes once it comes back from a provider, and what it asked there."""

    provider: str
    nonce: str
    location: str


_DECODER = msgspec.json.Decoder(WayOut)


async def sign_out_url(call: Call, service: ServiceProvider, session: BrowserSession, location: str) -> str | None:
    """Return the address at the provider that ends a session there; None where nothing is to be ended.

    ``location`` is where the browser goes on to from there, checked.
    """
    ended = session.at_provider
    provider = await call.store.read(lambda tx: _find(tx, session.pool_id, session.provider))
    if ended is None or provider is None:
        return None
    destination = (provider.settings.provider_details or {}).get("SLORedirectBindingURI")
    if destination is None:
        return None
    way = WayOut(provider=provider.name, nonce=call.deps.random.uuid(), location=location)
    message = logout_request(service, ended, id=request_id(way.nonce), destination=destination, now=call.now)
    sealed = call.deps.sealer.seal(_PURPOSE, msgspec.json.encode(way), service.pool_id.encode())
    relay_state = urlsafe_b64encode(sealed).decode("ascii")
    return await redirect_url(call, provider, destination, message, relay_state, signed=True)


def find_way_out(call: Call, pool: Pool, relay_state: str | None) -> WayOut | None:
    """Return the way out of a browser that comes back; None where the relay state was not made here, for this pool."""
    if not relay_state or len(relay_state) > _MAX_LENGTH:
        return None
    try:
        sealed = urlsafe_b64decode(relay_state.encode("ascii"))
        return _DECODER.decode(call.deps.sealer.open(_PURPOSE, sealed, pool.id.encode()))
    except (ValueError, SealBroken, msgspec.DecodeError):
        return None


async def check_signed_out(call: Call, service: ServiceProvider, way: WayOut, posted: str) -> None:
    """Check that it is the provider's answer that a browser brings; raises ProviderRefused."""
    provider = await call.store.read(lambda tx: _find(tx, service.pool_id, way.provider))
    if provider is None:
        return  # deleted meanwhile: nobody is left to ask
    id = request_id(way.nonce)
    await call.deps.providers.saml.check_logout(provider.settings, posted, service=service, request_id=id, now=call.now)


def _find(tx: Tx, pool_id: str, name: str) -> IdentityProvider | None:
    """Return a provider that ends sessions."""
    provider = tx.identity_providers.find(pool_id, name)
    return provider if provider is not None and ends_sessions(provider) else None
