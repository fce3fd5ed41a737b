"""Signing in by a SAML provider: what a pool asks, and what it takes for an answer (spec/http/06 §6.6).

The request of a sign-in is named by the nonce of its way (``flows.round_trips``), so an answer fits one way only.
docs/decisions/0020-saml.md says what is done by whom.
"""

from base64 import b64encode
from hashlib import sha256
from urllib.parse import urlencode

from msgspec.structs import replace

from poolhouse.core.federation import Assertion
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.provider_details import with_metadata
from poolhouse.core.saml import (
    REMEMBERED_SECONDS,
    UNASKED_SECONDS,
    Answer,
    ServiceProvider,
    authn_request,
    redirect_query,
    request_id,
)
from poolhouse.flows.calls import Call
from poolhouse.flows.identity_providers import open_provider
from poolhouse.providers.failure import response_refused
from poolhouse.storage import Tx


async def learn(call: Call, provider: IdentityProvider) -> IdentityProvider:
    """Return a provider with what it says of itself, at most six hours ago; raises ProviderRefused.

    What is new of that is kept: Describe shows it, and users their issuer.
    """
    metadata = await call.deps.providers.saml.metadata(provider.settings, call.now)
    settings = replace(
        provider.settings, provider_details=with_metadata(provider.settings.provider_details or {}, metadata)
    )
    if settings == provider.settings:
        return provider
    known = replace(provider, settings=settings)

    def write(tx: Tx) -> None:
        # Somebody may have changed it meanwhile.
        if tx.identity_providers.find(provider.pool_id, provider.name) == provider:
            tx.identity_providers.save(known)

    await call.store.write(write)
    return known


async def sign_on_url(
    call: Call, provider: IdentityProvider, service: ServiceProvider, *, nonce: str, relay_state: str
) -> str:
    """Return the address at a provider that a browser goes to for signing in, with a request; raises ProviderRefused."""
    details = (await learn(call, provider)).settings.provider_details or {}
    destination = details["SSORedirectBindingURI"]
    message = authn_request(service, id=request_id(nonce), destination=destination, now=call.now)
    signed = "RequestSigningAlgorithm" in details
    return await redirect_url(call, provider, destination, message, relay_state, signed=signed)


async def redirect_url(
    call: Call, provider: IdentityProvider, destination: str, message: str, relay_state: str, *, signed: bool
) -> str:
    """Return the address by which a browser takes a request to a provider, signed with the pool's key or not."""
    query = redirect_query(message, relay_state, signed=signed)
    if signed:
        key = await call.store.read(lambda tx: tx.catalogue.signing_keys(provider.pool_id).access)
        signature = b64encode(await call.deps.keyring.sign_query(key, query)).decode()
        query += "&" + urlencode({"Signature": signature})
    return f"{destination}{'&' if '?' in destination else '?'}{query}"


async def hear(
    call: Call, provider: IdentityProvider, service: ServiceProvider, posted: str, *, nonce: str | None
) -> Assertion:
    """Return what a provider had a browser post; it counts once, here and on other nodes. Raises ProviderRefused.

    ``nonce`` is that of the way on which the browser was sent there; without one the provider has to be one that may
    begin a sign-in.
    """
    if nonce is None and not may_begin(provider):
        raise response_refused("the identity provider may not begin a sign-in")
    answer = await call.deps.providers.saml.read_response(
        open_provider(call.deps, provider),
        posted,
        service=service,
        request_id=None if nonce is None else request_id(nonce),
        now=call.now,
    )
    if nonce is None and answer.issued_at < call.now - UNASKED_SECONDS * 1000:
        raise response_refused("SAML Assertion has expired")
    if not await _use(call, provider, answer):
        raise response_refused("SAML Assertion was used before")
    return answer.assertion


def may_begin(provider: IdentityProvider) -> bool:
    """Tell whether sign-ins may begin at a provider."""
    return provider.is_saml and (provider.settings.provider_details or {}).get("IDPInit") == "true"


async def _use(call: Call, provider: IdentityProvider, answer: Answer) -> bool:
    """Have an assertion count as used; False where it did before."""
    digest = sha256(f"{provider.pool_id} {provider.name} {answer.id}".encode("utf-8", "surrogatepass")).hexdigest()
    expires_at = call.now + REMEMBERED_SECONDS * 1000
    return await call.store.write(lambda tx: tx.nonces.spend(f"saml:{digest}", expires_at))
