"""What a sign-in page offers of the identity providers (spec/http/06 §6.7)."""

import pytest
from msgspec.structs import replace

from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.provider_choice import (
    find_by_address,
    find_by_identifier,
    listed_providers,
    offer_classic,
    offer_managed,
    title_of,
)
from poolhouse.model import IdentityProviderType
from poolhouse.model import IdentityProviderTypeType as Kind
from tests.storage.builders import client


def provider(name, kind=Kind.OIDC, *identifiers):
    settings = IdentityProviderType(
        user_pool_id="p", provider_name=name, provider_type=kind, idp_identifiers=[*identifiers] or None
    )
    return IdentityProvider(settings=settings)


ONE, TWO, GOOGLE = provider("One", Kind.OIDC, "one.example"), provider("Two"), provider("Google", Kind.Google)
SAML, OTHER_SAML = provider("S1", Kind.SAML, "s1.example"), provider("S2", Kind.SAML, "s2.example")


def names(providers):
    return [each.name for each in providers]


def test_a_client_lists_what_its_users_can_use():
    """In the client's order; what is gone is left out."""
    app = client()
    listed = replace(app.settings, supported_identity_providers=["Two", "COGNITO", "Gone", "S1", "One"])
    assert names(listed_providers(replace(app, settings=listed), [ONE, TWO, GOOGLE, SAML])) == ["Two", "S1", "One"]


@pytest.mark.parametrize("address", ["ann@one.example", " Ann@ONE.Example ", '"a@b"@one.example'])
def test_a_provider_is_found_by_the_domain(address):
    """The part after the last @ counts, however it is capitalised."""
    assert find_by_address([TWO, ONE], address) == (ONE, "one.example")


@pytest.mark.parametrize(
    "address", ["", "one.example", "@one.example", "ann@", "ann@one.example.org", "ann@two.example"]
)
def test_no_provider_by_half_an_address(address):
    """A domain that is no identifier, and what is no address, finds nothing."""
    assert find_by_address([TWO, ONE], address) is None


def test_identifiers_are_exact():
    """In a request an identifier is compared as it is."""
    assert find_by_identifier([TWO, ONE], "one.example") is ONE
    assert find_by_identifier([TWO, ONE], "ONE.example") is None


def test_managed_buttons_in_the_order_of_the_branding():
    """Names of the branding come first, all others follow in the client's order."""
    offer = offer_managed((ONE, TWO, GOOGLE), search=False, order=["Google", "Nobody"])
    assert (names(offer.buttons), offer.searched) == (["Google", "One", "Two"], ())


def test_managed_search_takes_the_place_of_some_buttons():
    """Only what has an identifier can be found; the rest keeps its button."""
    offer = offer_managed((ONE, TWO, GOOGLE), search=True)
    assert (names(offer.buttons), names(offer.searched)) == (["Two", "Google"], ["One"])


@pytest.mark.parametrize(
    ("providers", "searched"),
    [
        ((ONE, GOOGLE), []),
        ((SAML, ONE), []),
        ((SAML, OTHER_SAML, ONE), ["S1", "S2"]),
        ((SAML, OTHER_SAML, provider("S3", Kind.SAML)), []),
    ],
)
def test_the_classic_prompt(providers, searched):
    """Classic pages ask for the address where there are several SAML providers and every one has an identifier."""
    offer = offer_classic(providers)
    assert names(offer.searched) == searched
    assert names(offer.buttons) == [each.name for each in providers if each.name not in searched]


def test_titles():
    """Social providers go by the names that people know, all others by their own."""
    kinds = (Kind.Google, Kind.Facebook, Kind.LoginWithAmazon, Kind.SignInWithApple)
    titles = [title_of(provider(kind.value, kind)) for kind in kinds]
    assert [*titles, title_of(ONE)] == ["Google", "Facebook", "Login with Amazon", "Apple", "One"]
