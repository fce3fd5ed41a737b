"""Identity providers between the API's shape and the stored one, where secrets are sealed."""

import msgspec
from msgspec.structs import replace

from poolhouse.core.identity_providers import IdentityProvider, split_secrets
from poolhouse.core.provider_details import NEVER_SHOWN
from poolhouse.flows.calls import Deps
from poolhouse.model import IdentityProviderType

_PURPOSE = "identity-provider"


def seal_provider(deps: Deps, settings: IdentityProviderType) -> IdentityProvider:
    """Return a provider as it is stored."""
    public, secrets = split_secrets(settings)
    provider = IdentityProvider(settings=public)
    if not secrets:
        return provider
    return replace(provider, sealed=deps.sealer.seal(_PURPOSE, msgspec.json.encode(secrets), _context(provider)))


def open_provider(deps: Deps, provider: IdentityProvider) -> IdentityProviderType:
    """Return the settings of a stored provider with all its secrets. Raises SealBroken."""
    if provider.sealed is None:
        return provider.settings
    opened = deps.sealer.open(_PURPOSE, provider.sealed, _context(provider))
    secrets = msgspec.json.decode(opened, type=dict[str, str])
    return replace(provider.settings, provider_details={**(provider.settings.provider_details or {}), **secrets})


def described_provider(settings: IdentityProviderType) -> IdentityProviderType:
    """Return the settings as answers show them: with the client secret, without a private key."""
    details = settings.provider_details or {}
    return replace(settings, provider_details={key: value for key, value in details.items() if key not in NEVER_SHOWN})


def _context(provider: IdentityProvider) -> bytes:
    return f"{provider.pool_id}/{provider.name}".encode()
