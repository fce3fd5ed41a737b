"""Which identity providers a client's users can choose from, and which the sign-in page finds by itself (spec/http/06 §6.7)."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from poolhouse.core.client import Client
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.model import IdentityProviderTypeType as Kind

SOCIAL = frozenset({Kind.Google, Kind.Facebook, Kind.LoginWithAmazon, Kind.SignInWithApple})
_TITLES = {Kind.LoginWithAmazon: "Login with Amazon", Kind.SignInWithApple: "Apple"}

# The parameters of an authorization request that name a provider.
NAMING = frozenset({"identity_provider", "idp_identifier"})

Providers = tuple[IdentityProvider, ...]


class Offer(Struct, frozen=True):
    """What a page offers: a button for each of some providers, and an input of an e-mail address that finds others."""

    buttons: Providers = ()
    searched: Providers = ()


def listed_providers(client: Client, providers: Iterable[IdentityProvider]) -> Providers:
    """Return the providers that a client's users can sign in by, in the client's order."""
    known = {provider.name: provider for provider in providers}
    return tuple(known[name] for name in client.settings.supported_identity_providers or () if name in known)


def is_social(provider: IdentityProvider) -> bool:
    """Tell the providers that everybody knows from those of one organisation."""
    return provider.settings.provider_type in SOCIAL


def title_of(provider: IdentityProvider) -> str:
    """Return what people call a provider."""
    kind = provider.settings.provider_type
    return _TITLES.get(kind, provider.name) if kind is not None else provider.name


def find_by_identifier(providers: Iterable[IdentityProvider], identifier: str) -> IdentityProvider | None:
    """Return the provider that an identifier belongs to."""
    return next((found for found in providers if identifier in (found.settings.idp_identifiers or ())), None)


def find_by_address(providers: Iterable[IdentityProvider], address: str) -> tuple[IdentityProvider, str] | None:
    """Return the provider of an e-mail address, and the identifier that its domain equals, however it is capitalised."""
    name, at, domain = address.strip().rpartition("@")
    if not (name and at and domain):
        return None
    for provider in providers:
        for identifier in provider.settings.idp_identifiers or ():
            if identifier.casefold() == domain.casefold():
                return provider, identifier
    return None


def offer_managed(providers: Providers, *, search: bool, order: Sequence[str] = ()) -> Offer:
    """Return what managed login offers. ``search`` and ``order``, names that come first, are the branding's.

    What cannot be found by a domain keeps its button.
    """
    places = {name: place for place, name in enumerate(reversed(order), 1)}
    ordered = tuple(sorted(providers, key=lambda provider: -places.get(provider.name, 0)))
    searched = tuple(provider for provider in ordered if search and provider.settings.idp_identifiers)
    return Offer(tuple(provider for provider in ordered if provider not in searched), searched)


def offer_classic(providers: Providers) -> Offer:
    """Return what classic pages offer: an e-mail input where there are several SAML providers, each with an identifier."""
    saml = tuple(provider for provider in providers if provider.is_saml)
    searched = saml if len(saml) > 1 and all(provider.settings.idp_identifiers for provider in saml) else ()
    return Offer(tuple(provider for provider in providers if provider not in searched), searched)
