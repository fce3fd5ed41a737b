"""SSO sessions of who came from an identity provider, and what they are good for (spec/http/04 §4.11)."""

import pytest

from poolhouse.core.acr import Method
from poolhouse.flows.browser import begin_browser_session, seal_browser_session
from tests.flows.test_federation import a_call
from tests.oauth.conftest import Site, claims, query
from tests.operations.test_provider_links import OIDC

LEVEL = "urn:cognito:loa:{}"


@pytest.fixture
def federated(site: Site, call) -> Site:
    """The site, whose user signed in by a provider that vouches for level 3 by a password."""
    provider = {"ProviderName": "MyIdP", "ProviderType": "OIDC", "ProviderDetails": OIDC}
    call("CreateIdentityProvider", UserPoolId=site.pool_id, **provider)
    site.a = site.app(SupportedIdentityProviders=["COGNITO", "MyIdP"])["ClientId"]
    request = a_call(site.server)
    user = site.server.read(lambda tx: tx.users.find_by_username(site.pool_id, site.username))
    session = begin_browser_session(
        user,
        auth_time=request.now // 1000,
        provider="MyIdP",
        methods=frozenset({Method.FEDERATED, Method.PASSWORD}),
        vouched=3,
    )
    site.cookie = seal_browser_session(request, session)
    return site


def test_a_level_that_the_provider_vouches_for(federated: Site):
    """Tokens tell it where it was asked for, refreshed ones too; a higher one takes a new sign-in."""
    tokens = federated.tokens(acr_values=LEVEL.format(3))
    refreshed = federated.refresh(tokens["refresh_token"]).json()
    for token in (tokens["id_token"], tokens["access_token"], refreshed["access_token"]):
        told = claims(token)
        assert (told["acr"], told["amr"]) == (LEVEL.format(3), ["pwd"])
    assert "acr" not in claims(federated.tokens()["id_token"])
    asked = federated.authorize(acr_values=f"{LEVEL.format(4)} {LEVEL.format(1)}").headers["location"]
    assert "/login?" in asked
    denied = federated.authorize(acr_values=LEVEL.format(4), prompt="none").headers["location"]
    assert query(denied)["error"] == "login_required"
