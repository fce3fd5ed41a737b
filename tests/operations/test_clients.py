"""App clients over the wire (spec/api/02 §5, spec/http/09 §9.7)."""

import re

import pytest
from botocore.exceptions import ClientError

from poolhouse.flows.clients import check_secret_hash, is_secret, seal_secret, secret_hash, secret_of
from poolhouse.model import NotAuthorizedException, UserPoolClientType
from tests.operations.refusals import refused, unchecked

# Spec: api/04 §7.1.
SECRET, CLIENT_ID = "1example2secret3value4for5hmac6testing7only8abcdefgh", "38fjsnc484p94kpqsnet7mpld0"
HASH = "9enT0a5eRFwjFIbm0y8E8OIRFsJziqBKPmvusJC5m4o="
OAUTH = {"AllowedOAuthFlowsUserPoolClient": True, "AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["openid"]}


def create(call, pool_id, **members):
    return call("CreateUserPoolClient", UserPoolId=pool_id, ClientName="c", **members)["UserPoolClient"]


def describe(call, client):
    ids = {"UserPoolId": client["UserPoolId"], "ClientId": client["ClientId"]}
    return call("DescribeUserPoolClient", **ids)["UserPoolClient"]


def client_refused(call, pool_id, code="InvalidParameterException", **members):
    return refused(call, code, "CreateUserPoolClient", UserPoolId=pool_id, ClientName="c", **members)


def stored(server, *secrets):
    """A client with these secrets, in this order of age, as storage would give it."""
    from poolhouse.core.client import Client

    sealed = tuple(seal_secret(server.deps, CLIENT_ID, secret, 1000 * n) for n, secret in enumerate(secrets, 1))
    return Client(id=CLIENT_ID, pool_id="us-east-1_x", settings=UserPoolClientType(), secrets=sealed[::-1])


def test_a_client_answers_what_it_has(call, pool):
    """The default answer of spec/api/02 §5.1; Describe and Update answer the same."""
    client = create(call, pool())
    assert re.fullmatch(r"[1-7][0-9a-v]{25}", client["ClientId"])
    assert client.pop("CreationDate") == client.pop("LastModifiedDate")
    described = describe(call, client)
    assert {"CreationDate", "LastModifiedDate"} == described.keys() - client.keys()
    assert client == {
        "UserPoolId": client["UserPoolId"],
        "ClientName": "c",
        "ClientId": client["ClientId"],
        "RefreshTokenValidity": 30,
        "TokenValidityUnits": {},
        "AllowedOAuthFlowsUserPoolClient": False,
        "EnableTokenRevocation": True,
        "EnablePropagateAdditionalUserContextData": False,
        "AuthSessionValidity": 3,
    }


def test_a_generated_secret_is_shown_again(call, pool, server):
    """Describe and Update keep answering it; the database does not have it in the clear."""
    client = create(call, pool(), GenerateSecret=True)
    assert re.fullmatch(r"[0-9a-v]{51,52}", client["ClientSecret"])
    assert describe(call, client)["ClientSecret"] == client["ClientSecret"]
    ids = {"UserPoolId": client["UserPoolId"], "ClientId": client["ClientId"]}
    assert call("UpdateUserPoolClient", **ids)["UserPoolClient"]["ClientSecret"] == client["ClientSecret"]
    kept = server.read(lambda tx: tx.clients.find(client["ClientId"]))
    assert client["ClientSecret"].encode() not in kept.secrets[0].sealed
    assert kept.settings.client_secret is None
    assert re.fullmatch(rf"{client['ClientId']}--\d{{10}}", kept.secrets[0].id)


def test_a_given_secret_is_taken(call, pool):
    """Not together with GenerateSecret."""
    secret = "My+own_secret+1234567890"
    assert create(call, pool(), ClientSecret=secret)["ClientSecret"] == secret
    client_refused(call, pool(), ClientSecret=secret, GenerateSecret=True)


@pytest.mark.parametrize("length", [23, 65])
def test_n9_a_given_secret_has_24_to_64_characters(server, pool, length):
    """Shorter and longer ones are refused."""
    client_refused(unchecked(server), pool(), ClientSecret="x" * length)


@pytest.mark.parametrize("url", ["http://example.com/cb", "https://app.example/cb#frag"])
def test_n1_n3_callbacks_over_plain_http_or_with_fragments_are_refused(call, pool, url):
    """With the words of the service."""
    assert url in client_refused(call, pool(), CallbackURLs=[url])


def test_n2_loopback_and_custom_schemes_are_accepted(call, pool):
    """They come back as given."""
    urls = ["http://localhost:3000", "http://127.0.0.1:8/x", "http://[::1]/", "myapp://cb"]
    assert sorted(create(call, pool(), CallbackURLs=urls)["CallbackURLs"]) == sorted(urls)


def test_n4_n5_client_credentials_stand_alone_and_need_a_secret(call, pool):
    """Both faults have the same type."""
    flows = OAUTH | {"AllowedOAuthFlows": ["client_credentials"]}
    both = OAUTH | {"AllowedOAuthFlows": ["client_credentials", "code"]}
    client_refused(call, pool(), "InvalidOAuthFlowException", **both, GenerateSecret=True)
    client_refused(call, pool(), "InvalidOAuthFlowException", **flows)


def test_n6_a_custom_scope_must_exist(call, pool):
    """It does once its resource server has it, and may go again."""
    pool_id = pool()
    scopes = OAUTH | {"AllowedOAuthScopes": ["rs/read"]}
    assert client_refused(call, pool_id, "ScopeDoesNotExistException", **scopes) == "Scope rs/read does not exist"
    server = {"UserPoolId": pool_id, "Identifier": "rs", "Name": "rs"}
    call("CreateResourceServer", **server, Scopes=[{"ScopeName": "read", "ScopeDescription": "d"}])
    client = create(call, pool_id, **scopes)
    call("UpdateResourceServer", **server)
    assert describe(call, client)["AllowedOAuthScopes"] == ["rs/read"]


@pytest.mark.parametrize("minutes", [2, 16])
def test_n10_challenges_wait_3_to_15_minutes(server, pool, minutes):
    """Anything else is refused."""
    client_refused(unchecked(server), pool(), AuthSessionValidity=minutes)


def test_n11_an_update_replaces_everything(call, pool, server):
    """A minimal one takes all settings back to their defaults, the name excepted."""
    pool_id = pool()
    given = {
        **OAUTH,
        "CallbackURLs": ["https://a.example/"],
        "ReadAttributes": ["email"],
        "PreventUserExistenceErrors": "ENABLED",
        "RefreshTokenValidity": 1,
    }
    client = create(call, pool_id, **given)
    assert given.items() <= client.items()
    server.clock.advance(60)
    updated = call("UpdateUserPoolClient", UserPoolId=pool_id, ClientId=client["ClientId"])["UserPoolClient"]
    assert updated == describe(call, client)
    assert not updated.keys() & (given.keys() - {"AllowedOAuthFlowsUserPoolClient", "RefreshTokenValidity"})
    assert (updated["ClientName"], updated["RefreshTokenValidity"]) == ("c", 30)
    assert updated["AllowedOAuthFlowsUserPoolClient"] is False
    assert updated["LastModifiedDate"] > updated["CreationDate"]


def test_a_refused_update_changes_nothing(call, pool):
    """It is checked as a creation is."""
    client = create(call, pool())
    ids = {"UserPoolId": client["UserPoolId"], "ClientId": client["ClientId"]}
    refused(call, "InvalidParameterException", "UpdateUserPoolClient", **ids, CallbackURLs=["http://a.example/"])
    assert describe(call, client) == client


def test_n12_n13_flows_that_do_not_go_together(call, pool):
    """Rotation with the refresh flow; old names with new ones."""
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10}
    client_refused(call, pool(), ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"], RefreshTokenRotation=rotation)
    client_refused(call, pool(), ExplicitAuthFlows=["USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    assert create(call, pool(), RefreshTokenRotation=rotation)["RefreshTokenRotation"] == rotation


def test_k19_token_validities_have_a_range(call, pool):
    """299 seconds and 86,401 seconds are outside."""
    for seconds in (299, 86_401):
        client_refused(call, pool(), AccessTokenValidity=seconds, TokenValidityUnits={"AccessToken": "seconds"})


def test_choice_based_sign_in_is_not_for_lite(call, pool):
    """The plan is the pool's."""
    flows = ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    client_refused(call, pool(UserPoolTier="LITE"), "FeatureUnavailableInTierException", ExplicitAuthFlows=flows)


def test_a_client_is_found_in_its_own_pool_only(call, pool):
    """Elsewhere, and once it is deleted, it does not exist."""
    client, other = create(call, pool()), pool()
    text = f"User pool client {client['ClientId']} does not exist."
    for operation in ("DescribeUserPoolClient", "UpdateUserPoolClient", "DeleteUserPoolClient"):
        ids = {"UserPoolId": other, "ClientId": client["ClientId"]}
        assert refused(call, "ResourceNotFoundException", operation, **ids) == text
    ids = {"UserPoolId": client["UserPoolId"], "ClientId": client["ClientId"]}
    call("DeleteUserPoolClient", **ids)
    assert refused(call, "ResourceNotFoundException", "DescribeUserPoolClient", **ids) == text


def test_clients_are_listed_page_by_page(call, pool):
    """With their names only; a filter may leave a page short."""
    pool_id = pool()
    assert call("ListUserPoolClients", UserPoolId=pool_id) == {"UserPoolClients": []}
    made = {create(call, pool_id)["ClientId"] for _ in range(5)}
    listed, token = [], {}
    while True:
        page = call("ListUserPoolClients", UserPoolId=pool_id, MaxResults=2, **token)
        listed += page["UserPoolClients"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert {it["ClientId"] for it in listed} == made
    assert len(listed) == 5
    assert all(it.keys() == {"ClientId", "UserPoolId", "ClientName"} for it in listed)
    assert len(call("ListUserPoolClients", UserPoolId=pool_id, ClientType="REGULAR")["UserPoolClients"]) == 5
    thinned = call("ListUserPoolClients", UserPoolId=pool_id, ClientType="DCR", MaxResults=2)
    assert thinned["UserPoolClients"] == []
    assert thinned["NextToken"]


def test_deleting_a_client_ends_its_sessions(call, pool, app, user):
    """Its refresh tokens are void, for the client is gone."""
    pool_id = pool()
    client = app(pool_id)["ClientId"]
    sign_in = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client}
    parameters = {"USERNAME": user(pool_id), "PASSWORD": "Correct-Horse-1"}
    tokens = call("InitiateAuth", **sign_in, AuthParameters=parameters)["AuthenticationResult"]
    call("DeleteUserPoolClient", UserPoolId=pool_id, ClientId=client)
    with pytest.raises(ClientError):
        call("GetUser", AccessToken=tokens["AccessToken"])


def test_the_secret_hash_is_the_documented_one():
    """The vector of spec/api/04 §7.1."""
    assert secret_hash(SECRET, "alice", CLIENT_ID) == HASH


def test_any_active_secret_proves_the_client(server):
    """As a value and as a key of the hash; the oldest is the one shown."""
    client = stored(server, SECRET, "second-secret-0123456789abcdef")
    for secret in (SECRET, "second-secret-0123456789abcdef"):
        assert is_secret(server.deps, client, secret)
        check_secret_hash(server.deps, client, "alice", secret_hash(secret, "alice", CLIENT_ID))
    assert secret_of(server.deps, client) == SECRET
    for wrong in ("", SECRET[:-1], SECRET + "x", "\u00e9"):
        assert not is_secret(server.deps, client, wrong)


def test_a_missing_or_wrong_hash_is_refused(server):
    """With the words of spec/api/03 §3, which name the client."""
    confidential, public = stored(server, SECRET), stored(server)
    check_secret_hash(server.deps, public, "alice", None)
    missing = f"Client {CLIENT_ID} is configured with secret but SECRET_HASH was not received"
    wrong = f"Unable to verify secret hash for client {CLIENT_ID}"
    for client, username, given, text in (
        (confidential, "alice", None, missing),
        (confidential, "bob", HASH, wrong),
        (confidential, "alice", "", wrong),
        (confidential, "alice", "\u00e9", wrong),
        (public, "alice", HASH, wrong),
    ):
        with pytest.raises(NotAuthorizedException) as caught:
            check_secret_hash(server.deps, client, username, given)
        assert caught.value.message == text
    assert secret_of(server.deps, public) is None
    assert not is_secret(server.deps, public, "")
