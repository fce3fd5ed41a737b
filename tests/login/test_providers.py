"""Identity providers that are recorded only: the pages promise nothing that they cannot keep."""

import pytest

from tests.operations.test_identity_providers import GIVEN


@pytest.fixture
def site(front, call, app):
    """Pages of a client, and its pool's provider, which that client lists."""
    site = front()
    call(
        "CreateIdentityProvider",
        UserPoolId=site.pool_id,
        ProviderName="Partner",
        ProviderType="OIDC",
        ProviderDetails=GIVEN["OIDC"],
        IdpIdentifiers=["partner.example"],
    )
    return site


def listing(call, site, *names):
    """Make the client list these providers and nothing else that matters."""
    client = call("DescribeUserPoolClient", UserPoolId=site.pool_id, ClientId=site.client_id)["UserPoolClient"]
    kept = {
        name: client[name]
        for name in ("AllowedOAuthFlowsUserPoolClient", "AllowedOAuthFlows", "AllowedOAuthScopes", "CallbackURLs")
    }
    call(
        "UpdateUserPoolClient",
        UserPoolId=site.pool_id,
        ClientId=site.client_id,
        SupportedIdentityProviders=[*names],
        **kept,
    )


def test_no_button_that_leads_nowhere(site, call, visitor):
    """The page of a client that lists a provider besides COGNITO has the form, and no word of the provider."""
    listing(call, site, "COGNITO", "Partner")
    page = visitor(site).open("/login" + site.query())
    assert page.status == 200
    assert page.has("password")
    assert "Partner" not in page.html


@pytest.mark.parametrize("named", [{"identity_provider": "Partner"}, {"idp_identifier": "partner.example"}])
def test_a_named_provider_is_not_available(site, call, visitor, named):
    """Named in the request, by name or identifier, it gives the page of 401."""
    listing(call, site, "COGNITO", "Partner")
    browser = visitor(site)
    page = browser.follow(browser.open("/oauth2/authorize" + site.query(**named)))
    assert page.status == 401
    assert page.error == "Login option is not available. Please try another one"


def test_a_client_of_this_provider_only(site, call, visitor):
    """Says so, and shows no form for the pool's own users."""
    listing(call, site, "Partner")
    page = visitor(site).open("/login" + site.query())
    assert not page.has("password")
    assert page.error == "Login option is not available. Please try another one"
