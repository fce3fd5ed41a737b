"""What the console's "Create user pool" asks of the API (spec/http/08 §8.2.2, §8.3)."""

import msgspec
import pytest

from poolhouse.core.quick_setup import ApplicationType, Choices, Made, domain_prefix, quick_client, quick_pool
from poolhouse.model import (
    CreateUserPoolClientResponse,
    CreateUserPoolResponse,
    InvalidParameterException,
    UserPoolClientType,
    UserPoolType,
)

WEB, SPA, MOBILE, M2M = ApplicationType
LANDING = "https://auth.example/landing"


def choices(kind=WEB, **changes):
    return Choices(**{"application_type": kind, "landing_url": LANDING, "suffix": "3kf9ab"} | changes)


def requests(chosen):
    """The requests by operation, as they would go out."""
    made = Made(pool_id="us-east-1_AbCdEfGhI", client_id="1client")
    return {step.operation: msgspec.to_builtins(step.request(made)) for step in quick_pool(chosen)}


def pool_of(**changes):
    return requests(choices(**changes))["CreateUserPool"]


@pytest.mark.parametrize(
    ("identifiers", "usernames", "aliases"),
    [
        ({"email"}, ["email"], None),
        ({"phone_number"}, ["phone_number"], None),
        ({"email", "phone_number"}, ["email", "phone_number"], None),
        ({"username"}, None, None),
        ({"username", "email"}, None, ["email"]),
        ({"username", "phone_number"}, None, ["phone_number"]),
        ({"username", "email", "phone_number"}, None, ["email", "phone_number"]),
    ],
)
def test_sign_in_identifiers_become_pool_settings(identifiers, usernames, aliases):
    """Every row of the table."""
    request = pool_of(identifiers=frozenset(identifiers))
    assert request.get("UsernameAttributes") == usernames
    assert request.get("AliasAttributes") == aliases


def test_the_pool_has_the_console_s_defaults():
    """Those of spec/http/08 §8.3.1 that the API does not have by itself."""
    assert pool_of() == {
        "PoolName": "User pool - 3kf9ab",
        "UserPoolTier": "ESSENTIALS",
        "UsernameAttributes": ["email"],
        "UsernameConfiguration": {"CaseSensitive": False},
        "Schema": [{"Name": "email", "Required": True}],
        "AutoVerifiedAttributes": ["email"],
        "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False},
        "DeletionProtection": "ACTIVE",
    }


def test_self_registration_can_be_turned_off():
    """Then only administrators make users."""
    assert pool_of(self_registration=False)["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}


def test_identifiers_are_required_attributes():
    """So are those chosen besides; e-mail is verified before the telephone number."""
    request = pool_of(identifiers=frozenset({"phone_number"}), required_attributes=frozenset({"given_name"}))
    assert [entry["Name"] for entry in request["Schema"]] == ["given_name", "phone_number"]
    assert request["AutoVerifiedAttributes"] == ["phone_number"]
    besides = pool_of(identifiers=frozenset({"phone_number"}), required_attributes=frozenset({"email"}))
    assert besides["AutoVerifiedAttributes"] == ["phone_number"]
    both = pool_of(identifiers=frozenset({"phone_number", "email"}))
    assert both["AutoVerifiedAttributes"] == ["email"]


@pytest.mark.parametrize(
    "chosen",
    [
        {"identifiers": frozenset()},
        {"identifiers": frozenset({"nickname"})},
        {"identifiers": frozenset({"username"}), "required_attributes": frozenset({"name"})},
    ],
)
def test_choices_that_do_not_fit_are_refused(chosen):
    """At least one identifier, and a contact for those with user names only."""
    with pytest.raises(InvalidParameterException):
        quick_pool(choices(**chosen))


def test_the_domain_is_the_pool_s_id_with_managed_login():
    """Lower-cased and without the underscore; reserved words are broken up."""
    assert requests(choices())["CreateUserPoolDomain"] == {
        "UserPoolId": "us-east-1_AbCdEfGhI",
        "Domain": "us-east-1abcdefghi",
        "ManagedLoginVersion": 2,
    }
    assert domain_prefix("us-east-1_abcAWSdef") == "us-east-1abca-wsdef"


@pytest.mark.parametrize("kind", [WEB, SPA, MOBILE])
def test_an_application_with_users_gets_its_client(kind):
    """The columns of spec/http/08 §8.3.2 differ in the secret only."""
    made = requests(choices(kind, return_url="https://app.example/cb", application_name="Shop"))
    assert list(made) == [
        "CreateUserPool",
        "CreateUserPoolDomain",
        "CreateUserPoolClient",
        "CreateManagedLoginBranding",
    ]
    assert made["CreateUserPoolClient"] == {
        "UserPoolId": "us-east-1_AbCdEfGhI",
        "ClientName": "Shop",
        "GenerateSecret": kind is WEB,
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthScopes": ["email", "openid", "phone"],
        "ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        "SupportedIdentityProviders": ["COGNITO"],
        "CallbackURLs": ["https://app.example/cb"],
        "RefreshTokenValidity": 5,
        "AccessTokenValidity": 60,
        "IdTokenValidity": 60,
        "TokenValidityUnits": {"RefreshToken": "days", "AccessToken": "minutes", "IdToken": "minutes"},
        "AuthSessionValidity": 3,
        "PreventUserExistenceErrors": "ENABLED",
        "EnableTokenRevocation": True,
    }
    assert made["CreateManagedLoginBranding"] == {
        "UserPoolId": "us-east-1_AbCdEfGhI",
        "ClientId": "1client",
        "UseCognitoProvidedValues": True,
    }


def test_without_a_return_url_the_landing_page_is_the_callback():
    """So that the login page can be tried at once."""
    assert requests(choices())["CreateUserPoolClient"]["CallbackURLs"] == [LANDING]


def test_a_machine_gets_a_resource_server_and_no_pages():
    """Its client may ask for the one scope with its secret."""
    made = requests(choices(M2M))
    assert list(made) == ["CreateUserPool", "CreateUserPoolDomain", "CreateResourceServer", "CreateUserPoolClient"]
    assert made["CreateResourceServer"]["Identifier"] == "default-m2m-resource-server-3kf9ab"
    assert [scope["ScopeName"] for scope in made["CreateResourceServer"]["Scopes"]] == ["read"]
    client = made["CreateUserPoolClient"]
    assert client["GenerateSecret"] is True
    assert client["AllowedOAuthFlows"] == ["client_credentials"]
    assert client["AllowedOAuthScopes"] == ["default-m2m-resource-server-3kf9ab/read"]
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert not client.keys() & {"CallbackURLs", "SupportedIdentityProviders"}
    assert "Schema" not in made["CreateUserPool"]


def test_ids_come_from_the_answers():
    """Each step sees what the earlier ones made."""
    made = Made().after(CreateUserPoolResponse(user_pool=UserPoolType(id="us-east-1_x")))
    made = made.after(CreateUserPoolClientResponse(user_pool_client=UserPoolClientType(client_id="c")))
    assert made.after(object()) == Made(pool_id="us-east-1_x", client_id="c")


@pytest.mark.parametrize("kind", ApplicationType)
def test_another_client_is_made_as_the_first(kind):
    """A further app client takes the same calls as a pool's first, without those for the pool."""
    whole = [step.operation for step in quick_pool(choices(kind))]

    assert [step.operation for step in quick_client(choices(kind))] == whole[2:]
