"""The attribute and the claim ``identities`` (spec/http/04 §4.2.2)."""

from msgspec.structs import replace

from poolhouse.core.identities import (
    Shown,
    identities_claim,
    is_known_by,
    is_profile,
    with_identities,
    without_provider,
)


def shown(user_id: str, provider: str, *, primary: bool = False, issuer: str | None = None) -> Shown:
    return Shown(
        user_id=user_id,
        provider_name=provider,
        provider_type="OIDC",
        issuer=issuer,
        primary=primary,
        date_created=1682704282933,
    )


def test_the_attribute_and_the_claim():
    """The attribute has numbers and truths, the claim strings; both keep Cognito's order of members."""
    attributes = with_identities({"name": "Ann", "identities": "[]"}, [shown("Ä", "P", primary=True)])
    assert attributes == {
        "name": "Ann",
        "identities": '[{"userId":"Ä","providerName":"P","providerType":"OIDC","issuer":null,"primary":true,'
        '"dateCreated":1682704282933}]',
    }
    (claim,) = identities_claim(attributes["identities"])
    assert list(claim.items()) == [
        ("userId", "Ä"),
        ("providerName", "P"),
        ("providerType", "OIDC"),
        ("issuer", None),
        ("primary", "true"),
        ("dateCreated", "1682704282933"),
    ]


def test_the_last_identity_takes_the_attribute_along():
    """Of several providers one can go; without any identity there is no attribute."""
    attributes = with_identities({"name": "Ann"}, [shown("1", "P"), shown("2", "Q"), shown("3", "P")])
    left = without_provider(attributes, "P")
    assert [claim["userId"] for claim in identities_claim(left["identities"])] == ["2"]
    assert without_provider(left, "Q") == with_identities(left, []) == {"name": "Ann"}
    assert without_provider({"name": "Ann"}, "P") == {"name": "Ann"}


def test_the_identity_that_a_user_began_with_stays():
    """Also where its provider is gone, and only it makes a user one who came from a provider."""
    began = with_identities({}, [shown("1", "P", primary=True), shown("2", "Q")])
    left = without_provider(without_provider(began, "Q"), "P")
    assert left == with_identities(began, []) == with_identities({}, [shown("1", "P", primary=True)])
    linked = with_identities(left, [shown("3", "R")])
    assert [claim["userId"] for claim in identities_claim(linked["identities"])] == ["1", "3"]
    assert is_profile(left)
    assert not is_profile(with_identities({}, [shown("1", "P")]))
    assert is_known_by(left, replace(shown("1", "P", primary=True), date_created=1))
    assert not is_known_by(left, shown("1", "P", primary=True, issuer="https://other.example.org"))
    assert not is_known_by(linked, shown("3", "R", primary=True))
