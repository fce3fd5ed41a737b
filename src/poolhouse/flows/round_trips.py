"""A browser's way to an identity provider and back: who comes back is who went, and once (spec/http/06 §6.3–6.4).

The authorization request travels in ``state``, sealed. ``csrf-state`` is the cookie that binds it to the browser.
docs/decisions/0018-way-to-providers.md says why it is done in this way.

Differs from Cognito (the way to identity providers): a ``state`` counts once. ``csrf-state`` keeps its value after a
sign-in, so that a second tab can end its own.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from msgspec import Struct

from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.pool import Pool
from poolhouse.core.saml import ServiceProvider
from poolhouse.crypto.seal import SealBroken
from poolhouse.flows.authorization import Authorization
from poolhouse.flows.calls import Call
from poolhouse.flows.identity_providers import open_provider
from poolhouse.flows.saml import sign_on_url

# Where providers by OAuth 2.0 send browsers back to.
RETURN = "/oauth2/idpresponse"
# How long the user may take at the provider.
SECONDS = 300
_PURPOSE = "provider-state"
_BINDING = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
# What of ``prompt`` a provider is told (spec/http/02 §2.1.3).
_PROMPTS = ("login", "select_account", "consent")


class RoundTrip(Struct, frozen=True, kw_only=True):
    """What is known again of a browser that comes back.

    ``query`` is the authorization request, ``provider`` the name of where the user was sent, ``began_at`` the time in
    milliseconds. ``nonce`` is what the provider has to say in its ID token; it makes this way a single one.
    """

    query: str
    provider: str
    nonce: str
    began_at: int

    def is_late(self, now: int) -> bool:
        """Tell whether the user took too long."""
        return now - self.began_at > SECONDS * 1000


_DECODER = msgspec.json.Decoder(RoundTrip)


def choose_binding(call: Call, cookie: str | None) -> str:
    """Return what binds ways to a browser: what it has already, so that two tabs do not void each other's."""
    return cookie if cookie and _BINDING.fullmatch(cookie) else call.deps.random.uuid()


async def set_out(
    call: Call, request: Authorization, provider: IdentityProvider, *, base_url: str, binding: str
) -> str:
    """Return the address at the provider that a browser with this binding goes to.

    ``base_url`` is that of the domain which it comes back to. Raises ProviderRefused.
    """
    trip = RoundTrip(query=request.query, provider=provider.name, nonce=call.deps.random.uuid(), began_at=call.now)
    sealed = call.deps.sealer.seal(_PURPOSE, msgspec.json.encode(trip), _context(request.pool, binding))
    state = urlsafe_b64encode(sealed).decode("ascii")
    if provider.is_saml:
        service = ServiceProvider(pool_id=request.pool.id, base_url=base_url)
        return await sign_on_url(call, provider, service, nonce=trip.nonce, relay_state=state)
    return await call.deps.providers.authorization_url(
        open_provider(call.deps, provider),
        redirect_uri=base_url + RETURN,
        state=state,
        nonce=trip.nonce,
        login_hint=request.parameters.get("login_hint"),
        prompt=_prompt(request),
        acr_values=_acr_values(request, provider),
    )


def find_round_trip(call: Call, pool: Pool, state: str | None, binding: str | None) -> RoundTrip | None:
    """Return the way that a browser comes back from; None where it is not this browser's, of this pool, or made here."""
    if not state or not binding:
        return None
    try:
        sealed = urlsafe_b64decode(state.encode("ascii"))
        return _DECODER.decode(call.deps.sealer.open(_PURPOSE, sealed, _context(pool, binding)))
    except (ValueError, SealBroken, msgspec.DecodeError):
        return None


async def end_round_trip(call: Call, trip: RoundTrip) -> bool:
    """Have a way count as gone; False where it was gone before."""
    expires_at = trip.began_at + (SECONDS + 1) * 1000
    return await call.store.write(lambda tx: tx.nonces.spend(f"provider:{trip.nonce}", expires_at))


def _context(pool: Pool, binding: str) -> bytes:
    return f"{pool.id} {binding}".encode("utf-8", "surrogatepass")


def _prompt(request: Authorization) -> str | None:
    return " ".join(prompt for prompt in _PROMPTS if prompt in request.prompts) or None


def _acr_values(request: Authorization, provider: IdentityProvider) -> str | None:
    """Return what the provider calls the levels that are wanted, as far as it knows them (spec/http/04 §4.11)."""
    names = provider.settings.acr_mapping or {}
    wanted = (names.get(f"Level{level}") for level in request.targets)
    return " ".join(name for name in wanted if name) or None
