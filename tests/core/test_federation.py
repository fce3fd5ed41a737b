"""What a provider's claims become: texts, methods and levels (spec/http/06 §6.4, spec/http/04 §4.11)."""

import pytest

from poolhouse.core.acr import Method, amr_of
from poolhouse.core.federation import Assertion, read_level, read_methods, read_subject, read_visitor, text_of
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.sign_in import Facts, Progress
from poolhouse.core.step_up import credit
from poolhouse.model import ChallengeNameType as Challenge
from poolhouse.model import IdentityProviderType, IdentityProviderTypeType


def provider(acr_mapping: dict[str, str] | None = None, **mapping: str) -> IdentityProvider:
    settings = IdentityProviderType(
        provider_type=IdentityProviderTypeType.OIDC,
        attribute_mapping={"username": "sub", **mapping},
        acr_mapping=acr_mapping,
    )
    return IdentityProvider(settings=settings)


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        ("Grüße 🔑", "Grüße 🔑"),
        (True, "true"),
        (12, "12"),
        (10**30, "1" + "0" * 30),
        (1.5, "1.5"),
        (["a b", "c"], "[a+b, c]"),
        (["a-b_c.d*e~f,ü", 1, True, {"x": 1}], "[a-b_c.d*e%7Ef%2C%C3%BC, 1, true, %7B%22x%22%3A1%7D]"),
        ([], "[]"),
        ({"formatted": "Königsallee 1"}, '{"formatted":"Königsallee 1"}'),
        ("a\0b\ud800c", "a\ufffdb?c"),
    ],
)
def test_a_claim_as_text(claim: object, text: str):
    """Lists have Cognito's form, with encoded members; what no database stores is replaced."""
    assert text_of(claim) == text


def test_which_claims_count():
    """The ID token wins over user info, and that over the tokens; null and the service's own attributes count for nothing."""
    assertion = Assertion(
        token_response={"access_token": "at", "email": "token"},
        user_info={"email": "info", "name": "Ann", "nick": None},
        id_token={"sub": "1", "email": "id"},
    )
    mapped = provider(email="email", name="name", nickname="nick", sub="sub", identities="sub", custom="access_token")
    visitor = read_visitor(mapped, assertion.claims, "1")
    assert visitor.attributes == {"email": "id", "name": "Ann", "custom": "at"}


@pytest.mark.parametrize(
    ("claims", "subject"),
    [
        ({"sub": "AbC"}, "AbC"),
        ({"sub": 7}, "7"),
        ({"sub": ""}, None),
        ({}, None),
        ({"sub": True}, None),
        ({"sub": []}, None),
    ],
)
def test_the_subject(claims: dict[str, object], subject: str | None):
    """It is a text that is not blank, or a number."""
    assert read_subject(provider(), claims) == subject


@pytest.mark.parametrize(
    ("said", "amr"),
    [
        (None, ["fed"]),
        ("pwd", ["fed"]),
        (["face", {}, 3], ["fed"]),
        (["otp", "kba", "pwd"], ["pwd", "otp", "mfa"]),
        (["pwd", "mfa"], ["pwd", "mfa"]),
        (["mfa"], ["mfa"]),
        (["pwd", "fed"], ["pwd"]),
    ],
)
def test_methods(said: object, amr: list[str]):
    """What the provider calls by a word that is not known here is left out; where nothing is left the word is ``fed``."""
    methods = read_methods(Assertion(id_token={"amr": said}))
    assert Method.FEDERATED in methods
    assert amr_of(methods) == amr


@pytest.mark.parametrize(
    ("said", "level"), [("urn:strong", 3), ("urn:weak", 2), ("urn:other", 1), (None, 1), (["urn:strong"], 1)]
)
def test_levels(said: object, level: int):
    """A provider's ``acr`` stands for the highest level that is mapped to it; one that is not mapped for the first."""
    mapping = {"Level2": "urn:weak", "Level3": "urn:strong", "Level1": "urn:strong"}
    assert read_level(provider(mapping), Assertion(id_token={"acr": said})) == level


def test_what_a_provider_asked_spares_nothing():
    """A password that was shown to another provider is no credit for the pool's own second factor."""
    facts = Facts(first_factors=(Challenge.PASSWORD,), factors=(Challenge.SOFTWARE_TOKEN_MFA,))
    begun = Progress(method=Challenge.PASSWORD, event_id="", targets=(4,))
    own = frozenset({Method.PASSWORD})
    assert credit(facts, begun, own) != begun
    assert credit(facts, begun, own | {Method.FEDERATED}) == begun
