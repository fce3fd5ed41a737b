"""App clients after CreateUserPoolClient and UpdateUserPoolClient (spec/api/02 §5, spec/http/05, 09 §9.7)."""

import msgspec
import pytest

from poolhouse.core.client import ClientSecret
from poolhouse.core.client_settings import Surroundings, new_client, updated_client
from poolhouse.core.pool_settings import new_pool
from poolhouse.model import (
    CreateUserPoolClientRequest,
    CreateUserPoolRequest,
    FeatureUnavailableInTierException,
    InvalidOAuthFlowException,
    InvalidParameterException,
    ResourceServerScopeType,
    ResourceServerType,
    ScopeDoesNotExistException,
    UpdateUserPoolClientRequest,
)

POOL_ID, CLIENT_ID = "us-east-1_AbCdEfGhI", "38fjsnc484p94kpqsnet7mpld0"
RANGE = "Invalid range for token validity."
WRITE = "Invalid write attributes specified while creating a client"
READ = "Invalid read attributes specified while creating a client"
SECRET = {"GenerateSecret": True}
OAUTH = {"AllowedOAuthFlowsUserPoolClient": True, "AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["openid"]}
SCHEMA = [
    {"Name": "email", "Required": True},
    {"Name": "name", "Required": True, "Mutable": False},
    {"Name": "zoneinfo", "Mutable": False},
    {"Name": "colour", "AttributeDataType": "String"},
    {"Name": "inner", "AttributeDataType": "String", "DeveloperOnlyAttribute": True},
]


def around(**pool):
    request = msgspec.convert({"PoolName": "p"} | pool, CreateUserPoolRequest)
    made = new_pool(request, pool_id=POOL_ID, account_id="1" * 12, device_group_key="-abcdefgh", now=0)
    scope = ResourceServerScopeType(scope_name="read", scope_description="d")
    server = ResourceServerType(identifier="https://rs", scopes=[scope])
    return Surroundings(pool=made, resource_servers=(server,), providers=frozenset({"Okta"}))


def create(where=None, **members):
    request = msgspec.convert({"UserPoolId": POOL_ID, "ClientName": "c"} | members, CreateUserPoolClientRequest)
    return new_client(request, where or around(), client_id=CLIENT_ID, now=1_760_000_000_123)


def update(client, where=None, **members):
    request = msgspec.convert({"UserPoolId": POOL_ID, "ClientId": CLIENT_ID} | members, UpdateUserPoolClientRequest)
    return updated_client(client, request, where or around(), 1_770_000_000_000)


def shown(client):
    return msgspec.to_builtins(client.settings)


def refusal(*where, error=InvalidParameterException, **members):
    with pytest.raises(error) as caught:
        create(*where, **members)
    return caught.value.message


DEFAULTS = {
    "UserPoolId": POOL_ID,
    "ClientName": "c",
    "ClientId": CLIENT_ID,
    "LastModifiedDate": 1760000000.123,
    "CreationDate": 1760000000.123,
    "RefreshTokenValidity": 30,
    "TokenValidityUnits": {},
    "AllowedOAuthFlowsUserPoolClient": False,
    "EnableTokenRevocation": True,
    "EnablePropagateAdditionalUserContextData": False,
    "AuthSessionValidity": 3,
}


def test_a_client_of_nothing_but_a_name_has_the_documented_defaults():
    """The whole object is that of spec/api/02 §5.1; what is unset is left out, empty lists included."""
    assert shown(create()) == DEFAULTS
    assert shown(create(CallbackURLs=[], ReadAttributes=[], ExplicitAuthFlows=[])) == DEFAULTS


FULL = {
    "RefreshTokenValidity": 2,
    "AccessTokenValidity": 10,
    "IdTokenValidity": 20,
    "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "hours"},
    "ReadAttributes": ["email", "custom:colour"],
    "WriteAttributes": ["email", "name", "custom:colour"],
    "ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    "SupportedIdentityProviders": ["COGNITO", "Okta"],
    "CallbackURLs": ["https://app.example/cb"],
    "LogoutURLs": ["https://app.example/out"],
    "DefaultRedirectURI": "https://app.example/cb",
    "AllowedOAuthFlows": ["code", "implicit"],
    "AllowedOAuthScopes": ["openid", "https://rs/read"],
    "AllowedOAuthFlowsUserPoolClient": True,
    "AnalyticsConfiguration": {"ApplicationId": "abc123"},
    "PreventUserExistenceErrors": "ENABLED",
    "EnableTokenRevocation": False,
    "AuthSessionValidity": 15,
    "RefreshTokenRotation": {"Feature": "DISABLED"},
}


def test_every_setting_given_is_shown():
    """What a request sets, an answer has."""
    assert FULL.items() <= shown(create(around(Schema=SCHEMA), **FULL)).items()


def test_n11_an_update_takes_omitted_members_back_to_their_defaults():
    """Id, name and creation date are kept."""
    where = around(Schema=SCHEMA)
    after = shown(update(create(where, **FULL), where))
    assert after == DEFAULTS | {"LastModifiedDate": 1_770_000_000.0}


def test_an_update_keeps_the_secret():
    """A confidential client stays one, with all that needs a secret."""
    secret = ClientSecret(id="x", sealed=b"", created_at=0)
    client = msgspec.structs.replace(create(**SECRET), secrets=(secret,))
    after = update(client, EnablePropagateAdditionalUserContextData=True, ClientName="new")
    assert after.secrets == (secret,)
    assert after.settings.client_name == "new"


def test_a_secret_is_generated_or_given():
    """Not both."""
    assert refusal(GenerateSecret=True, ClientSecret="x" * 24).startswith("ClientSecret cannot")
    create(GenerateSecret=False, ClientSecret="x" * 24)


@pytest.mark.parametrize(
    "url", ["http://example.com/cb", "http://localhost.example/cb", "http://localhost@evil.example/"]
)
def test_n1_plain_http_is_for_the_loopback(url):
    """Anything else over plain HTTP is refused, as a callback and as a sign-out URL."""
    for member in ("CallbackURLs", "LogoutURLs"):
        assert refusal(**{member: [url]}) == f"{url} cannot use the HTTP protocol."


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:3000",
        "http://127.0.0.1:8/x",
        "http://[::1]/",
        "myapp://cb",
        "com.x.y://cb",
        "myapp:cb",
        "https://app.example/cb?x=1",
    ],
)
def test_n2_loopback_and_custom_schemes_are_accepted(url):
    """They are stored as given."""
    assert shown(create(CallbackURLs=[url], LogoutURLs=[url]))["CallbackURLs"] == [url]


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example/cb#frag",
        "https://app.example/cb#",
        "/cb",
        "app.example/cb",
        "//app.example/cb",
        "https://",
        "https:///cb",
        "https://[::1",
        "https://app.example:99999/",
        "javascript:alert(1)",
        "data:text/html,x",
    ],
)
def test_n3_fragments_and_relative_urls_are_refused(url):
    """So is everything that a browser would run."""
    assert refusal(CallbackURLs=[url]).startswith(url)


def test_the_default_redirect_is_one_of_the_callbacks():
    """It may not stand alone."""
    text = refusal(CallbackURLs=["https://a.example/"], DefaultRedirectURI="https://b.example/")
    assert text == "DefaultRedirectURI must be in the list of CallbackURLs"


def test_n4_client_credentials_stand_alone():
    """They go with no other flow."""
    text = refusal(
        error=InvalidOAuthFlowException, **SECRET, **OAUTH | {"AllowedOAuthFlows": ["client_credentials", "code"]}
    )
    assert text == "client_credentials flow can not be selected along with code flow or implicit flow."


def test_n5_client_credentials_need_a_secret():
    """A generated or a given one."""
    flows = OAUTH | {"AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthScopes": ["https://rs/read"]}
    text = refusal(error=InvalidOAuthFlowException, **flows)
    assert text == "client_credentials flow can not be selected if client does not have a client secret."
    create(**SECRET, **flows)


def test_n6_a_scope_must_exist():
    """Standard ones do, and those of the pool's resource servers."""
    text = refusal(error=ScopeDoesNotExistException, **OAUTH | {"AllowedOAuthScopes": ["openid", "https://rs/write"]})
    assert text == "Scope https://rs/write does not exist"
    create(**OAUTH | {"AllowedOAuthScopes": ["https://rs/read", "aws.cognito.signin.user.admin", "phone", "profile"]})
    registration = OAUTH | {"AllowedOAuthScopes": ["aws.cognito/dcr/register"]}
    refusal(error=ScopeDoesNotExistException, **registration)
    create(around(DcrConfiguration={}), **registration)


@pytest.mark.parametrize("left_out", ["AllowedOAuthFlows", "AllowedOAuthScopes"])
def test_oauth_needs_flows_and_scopes(left_out):
    """Where OAuth is not allowed they are stored as they come."""
    text = refusal(error=InvalidOAuthFlowException, **OAUTH | {left_out: []})
    assert text == (
        "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows."
    )
    create(**OAUTH | {left_out: [], "AllowedOAuthFlowsUserPoolClient": False})


def test_a_provider_must_exist():
    """COGNITO always does."""
    text = refusal(SupportedIdentityProviders=["COGNITO", "Google"])
    assert text == f"The provider Google does not exist for User Pool {POOL_ID}."


def test_n12_rotation_excludes_the_refresh_flow():
    """Where the list names it; a defaulted list is accepted."""
    rotation = {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 60}}
    refusal(ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"], **rotation)
    create(ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH"], **rotation)
    create(EnableTokenRevocation=False, **rotation)


def test_n13_legacy_and_new_flows_do_not_mix():
    """Either list alone is fine."""
    text = refusal(ExplicitAuthFlows=["USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    assert text == "Cannot use legacy and new ALLOW_ ExplicitAuthFlows together"
    create(ExplicitAuthFlows=["USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"])


def test_a_list_of_new_flows_names_the_refresh_flow():
    """Unless tokens rotate, or the client never signs users in."""
    assert (
        refusal(ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH"]) == "ExplicitAuthFlows must include ALLOW_REFRESH_TOKEN_AUTH."
    )
    create(ExplicitAuthFlows=["ALLOW_TOKEN_EXCHANGE_DELEGATION"])
    create(ExplicitAuthFlows=["ALLOW_CLIENT_TOKEN_AUTH"], **SECRET)


def test_the_client_token_flow_stands_alone_and_needs_a_secret():
    """Both faults are refused."""
    refusal(ExplicitAuthFlows=["ALLOW_CLIENT_TOKEN_AUTH"])
    refusal(ExplicitAuthFlows=["ALLOW_CLIENT_TOKEN_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"], **SECRET)


def test_choice_based_sign_in_needs_essentials():
    """LITE pools have the other flows."""
    flows = {"ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}
    refusal(around(UserPoolTier="LITE"), error=FeatureUnavailableInTierException, **flows)
    create(**flows)


@pytest.mark.parametrize(
    "validities",
    [
        {"AccessTokenValidity": 299, "TokenValidityUnits": {"AccessToken": "seconds"}},
        {"IdTokenValidity": 4, "TokenValidityUnits": {"IdToken": "minutes"}},
        {"AccessTokenValidity": 25},
        {"AccessTokenValidity": 2, "TokenValidityUnits": {"AccessToken": "days"}},
        {"RefreshTokenValidity": 59, "TokenValidityUnits": {"RefreshToken": "minutes"}},
        {"RefreshTokenValidity": 3651},
        {"AccessTokenValidity": 2, "RefreshTokenValidity": 1, "TokenValidityUnits": {"RefreshToken": "hours"}},
        {"IdTokenValidity": 2, "RefreshTokenValidity": 1, "TokenValidityUnits": {"RefreshToken": "hours"}},
        {"TokenValidityUnits": {"AccessToken": "minutes"}},
        {"TokenValidityUnits": {"RefreshToken": "minutes"}},
    ],
)
def test_k19_validities_outside_their_range_are_refused(validities):
    """A unit without a value applies to the default number, and fails with the same text."""
    assert refusal(**validities) == RANGE


@pytest.mark.parametrize(
    "validities",
    [
        {"AccessTokenValidity": 300, "TokenValidityUnits": {"AccessToken": "seconds"}},
        {"AccessTokenValidity": 24, "IdTokenValidity": 24},
        {"RefreshTokenValidity": 3650},
        {"RefreshTokenValidity": 1, "TokenValidityUnits": {"RefreshToken": "hours"}},
    ],
)
def test_validities_at_the_ends_of_their_range_are_accepted(validities):
    """Five minutes to a day, an hour to ten years."""
    assert validities.items() <= shown(create(**validities)).items()


def test_a_refresh_validity_of_0_means_30_days():
    """Whatever the unit."""
    client = create(RefreshTokenValidity=0, TokenValidityUnits={"RefreshToken": "minutes"})
    assert client.refresh_token_seconds == 30 * 86400
    assert shown(client)["RefreshTokenValidity"] == 30


def test_user_context_needs_a_secret():
    """EnablePropagateAdditionalUserContextData is for confidential clients."""
    refusal(EnablePropagateAdditionalUserContextData=True)
    create(EnablePropagateAdditionalUserContextData=True, **SECRET)


@pytest.mark.parametrize(
    "names",
    [
        ["email", "name", "nothing"],
        ["email", "name", "email_verified"],
        ["email", "name", "phone_number_verified"],
        ["email", "name", "sub"],
        ["email", "name", "zoneinfo"],
        ["email", "name", "dev:custom:inner"],
        ["email"],
        ["name", "custom:colour"],
    ],
)
def test_writable_are_the_mutable_and_all_required_attributes(names):
    """Unknown, guarded and immutable ones are refused, and so is leaving a required one out."""
    assert refusal(around(Schema=SCHEMA), WriteAttributes=names) == WRITE


def test_the_profile_as_a_whole_is_writable():
    """Its name stands for the attributes that it has, also for the required ones."""
    create(around(Schema=SCHEMA), WriteAttributes=["oidc:profile", "email"])
    assert refusal(around(Schema=SCHEMA), WriteAttributes=["oidc:profile"]) == WRITE


def test_readable_is_what_the_schema_has():
    """The verified flags and sub included, developer-only attributes not; the profile has a name for all of it."""
    where = around(Schema=SCHEMA)
    assert create(where, ReadAttributes=["oidc:profile"]).settings.read_attributes == ["oidc:profile"]
    create(where, ReadAttributes=["sub", "email_verified", "custom:colour"])
    assert refusal(where, ReadAttributes=["custom:nothing"]) == READ
    assert refusal(where, ReadAttributes=["dev:custom:inner"]) == READ
