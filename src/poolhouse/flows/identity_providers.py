"""Identity providers between the API's shape and the stored one, where secrets are sealed."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from poolhouse.core.identity_providers import (
    IdentityProvider,
    KeyPair,
    lacks_key_pair,
    split_secrets,
    with_key_pair,
)
from poolhouse.core.provider_details import NEVER_SHOWN, is_encrypted
from poolhouse.core.saml_metadata import read_metadata
from poolhouse.flows.calls import Call, Deps
from poolhouse.model import IdentityProviderType, InvalidParameterException
from poolhouse.providers.saml import have_expired

_PURPOSE = "identity-provider"


async def make_key_pair(call: Call, pool_id: str, details: Mapping[str, str] | None) -> KeyPair | None:
    """Return a key pair for a provider to encrypt with, None where a request's details ask for nothing like it."""
    if details is None or not is_encrypted(details):
        return None
    deps = call.deps
    key, certificate = await asyncio.to_thread(deps.keyring.make_encryption_pair, pool_id, call.now, deps.random)
    return KeyPair(key=key, certificate=b64encode(certificate).decode())


def check_signers(settings: IdentityProviderType, now: int) -> None:
    """Check that a metadata file has a certificate that is still good (spec/http/06 §6.6).

    Raises InvalidParameterException.
    """
    file = (settings.provider_details or {}).get("MetadataFile")
    if file is not None and have_expired(read_metadata(file).certificates, now):
        raise InvalidParameterException("The signing certificate in MetadataFile has expired.")


def complete(settings: IdentityProviderType, pair: KeyPair | None) -> IdentityProviderType:
    """Return the settings with a new key pair where they lack one."""
    return with_key_pair(settings, pair) if pair is not None and lacks_key_pair(settings) else settings


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
