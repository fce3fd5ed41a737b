"""GetClientToken and GetDerivedToken (spec/api/10 §6)."""

from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from tests.conftest import PASSWORD
from tests.operations.talk import DISABLED, NO_USER, refusal
from tests.operations.test_tokens import claims

SCOPE = "aws.cognito.signin.user.admin"
IMPERSONATION, DELEGATION = "ALLOW_TOKEN_EXCHANGE_IMPERSONATION", "ALLOW_TOKEN_EXCHANGE_DELEGATION"
EXCHANGING = {"ExplicitAuthFlows": [IMPERSONATION, DELEGATION], "GenerateSecret": True}
MACHINE = {"ExplicitAuthFlows": ["ALLOW_CLIENT_TOKEN_AUTH"], "GenerateSecret": True}
NO_LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:nothing"


class World:
    """A pool with a resource server, a user who is signed in, and a client that exchanges tokens."""

    def __init__(self, call, pool, app, user) -> None:
        self.call, self.app = call, app
        self.pool_id = pool()
        scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write")]
        call("CreateResourceServer", UserPoolId=self.pool_id, Identifier="rs", Name="rs", Scopes=scopes)
        self.front = app(self.pool_id)
        self.back = app(self.pool_id, **EXCHANGING, AllowedOAuthScopes=[SCOPE, "openid", "rs/read"])
        self.machine = app(self.pool_id, **MACHINE, AllowedOAuthScopes=["rs/read", "rs/write"])
        self.name = user(self.pool_id, email="ann@example.com")
        self.tokens = self.sign_in(self.front)

    def sign_in(self, client: dict[str, Any]) -> dict[str, Any]:
        parameters = {"USERNAME": self.name, "PASSWORD": PASSWORD}
        answer = self.call(
            "InitiateAuth", ClientId=client["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
        )
        return answer["AuthenticationResult"]

    def members(self, **changes: Any) -> dict[str, Any]:
        """A request to exchange the user's access token; None leaves a member out."""
        members = {
            "ClientId": self.back["ClientId"],
            "ClientSecret": self.back["ClientSecret"],
            "SubjectToken": self.tokens["AccessToken"],
            "SubjectTokenType": "ACCESS_TOKEN",
        } | changes
        return {name: value for name, value in members.items() if value is not None}

    def derive(self, **changes: Any) -> dict[str, Any]:
        return self.call("GetDerivedToken", **self.members(**changes))

    def refuse(self, **changes: Any) -> tuple[str, str]:
        return refusal(self.call, "GetDerivedToken", **self.members(**changes))

    def machine_token(self) -> str:
        client = {"ClientId": self.machine["ClientId"], "Secret": self.machine["ClientSecret"]}
        return self.call("GetClientToken", **client)["ClientAuthenticationResult"]["AccessToken"]


@pytest.fixture
def world(call, pool, app, user) -> World:
    return World(call, pool, app, user)


@pytest.fixture
def unsigned(server):
    """A boto3 client that signs nothing."""
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    client = boto3.client("cognito-idp", endpoint_url=server.url, region_name="us-east-1", config=config)
    return lambda operation, **members: client._make_api_call(operation, members)


def test_clients_get_tokens_of_their_own(world: World, unsigned):
    """A client gets what client credentials give: the custom scopes asked for, or all of its own (§6.1)."""
    client = {"ClientId": world.machine["ClientId"], "Secret": world.machine["ClientSecret"]}
    for call, scopes, granted in (
        (world.call, None, {"rs/read", "rs/write"}),
        (unsigned, ["rs/write"], {"rs/write"}),
        (world.call, [], {"rs/read", "rs/write"}),
    ):
        more = {} if scopes is None else {"Scopes": scopes}
        result = call("GetClientToken", **client, **more, ClientMetadata={"a": "b"})["ClientAuthenticationResult"]
        assert (result["ExpiresIn"], result["TokenType"]) == (3600, "Bearer")
        made = claims(result["AccessToken"])
        assert set(made["scope"].split()) == granted
        assert made["sub"] == made["client_id"] == client["ClientId"]
        assert made["token_use"] == "access"
        assert "username" not in made


def test_other_clients_get_none(world: World, app):
    """The client must exist, prove itself, and have the flow; scopes must be its own custom ones."""
    own = {"ClientId": world.machine["ClientId"], "Secret": world.machine["ClientSecret"]}
    wrong = lambda **changes: refusal(world.call, "GetClientToken", **own | changes)
    assert wrong(ClientId="nobody") == ("ResourceNotFoundException", "User pool client nobody does not exist.")
    assert wrong(Secret="x" * 30)[0] == "NotAuthorizedException"
    assert wrong(ClientId=world.front["ClientId"])[0] == "NotAuthorizedException"
    back = {"ClientId": world.back["ClientId"], "Secret": world.back["ClientSecret"]}
    assert wrong(**back)[0] == "NotAuthorizedException"
    for scope in ("openid", "rs/none", "other/read", SCOPE):
        assert wrong(Scopes=[scope])[0] == "InvalidParameterException"


def test_clients_are_told_of_their_trigger(world: World):
    """A trigger that fails refuses the token with an error that the operation declares."""
    config = {"PreTokenGenerationConfig": {"LambdaArn": NO_LAMBDA, "LambdaVersion": "V3_0"}}
    world.call("UpdateUserPool", UserPoolId=world.pool_id, LambdaConfig=config)
    client = {"ClientId": world.machine["ClientId"], "Secret": world.machine["ClientSecret"]}
    code, message = refusal(world.call, "GetClientToken", **client)
    assert (code, "PreTokenGeneration" in message) == ("NotAuthorizedException", True)


def test_flows_of_exchange_are_shown_again(world: World):
    """The new flows are accepted where a client is made or changed, and shown again."""
    ids = {"UserPoolId": world.pool_id, "ClientId": world.front["ClientId"]}
    shown = lambda ids: world.call("DescribeUserPoolClient", **ids)["UserPoolClient"]["ExplicitAuthFlows"]
    assert set(shown(ids | {"ClientId": world.back["ClientId"]})) == {IMPERSONATION, DELEGATION}
    assert shown(ids | {"ClientId": world.machine["ClientId"]}) == ["ALLOW_CLIENT_TOKEN_AUTH"]
    world.call("UpdateUserPoolClient", **ids, ExplicitAuthFlows=[DELEGATION])
    assert shown(ids) == [DELEGATION]


def test_access_tokens_are_exchanged(server, world: World):
    """Without an actor the new token is the user's own, for the client that asks, with the subject's scopes (§6.2)."""
    server.clock.advance(5)
    answer = world.derive()
    made, subject = claims(answer["IssuedToken"]), claims(world.tokens["AccessToken"])
    assert (answer["IssuedTokenType"], answer["TokenType"]) == ("ACCESS_TOKEN", "Bearer")
    assert (answer["ExpiresIn"], answer["Scopes"]) == (3600, [SCOPE])
    assert made["client_id"] == world.back["ClientId"]
    for name in ("sub", "username", "auth_time", "origin_jti", "iss", "scope", "event_id"):
        assert made[name] == subject[name], name
    assert made["jti"] != subject["jti"]
    assert made["exp"] - made["iat"] == 3600
    assert not {"act", "aud"} & made.keys()
    assert world.call("GetUser", AccessToken=answer["IssuedToken"])["Username"] == world.name


def test_scopes_are_narrowed(world: World):
    """Scopes asked for are granted as far as subject and client have them."""
    answer = world.derive(Scopes=["rs/read", SCOPE])
    assert (answer["Scopes"], claims(answer["IssuedToken"])["scope"]) == ([SCOPE], SCOPE)
    narrow = world.derive(Scopes=["rs/read"])
    assert (narrow["Scopes"], claims(narrow["IssuedToken"])["scope"]) == ([], "")
    assert refusal(world.call, "GetUser", AccessToken=narrow["IssuedToken"])[0] == "NotAuthorizedException"


def test_tokens_are_bound_to_who_shall_take_them(world: World):
    """An audience, or a resource server of the pool, becomes ``aud``, and stays in later exchanges; not both at once."""
    bound = world.derive(Audiences=["mail"])["IssuedToken"]
    assert claims(bound)["aud"] == "mail"
    assert claims(world.derive(Resources=["rs"])["IssuedToken"])["aud"] == "rs"
    assert claims(world.derive(SubjectToken=bound)["IssuedToken"])["aud"] == "mail"
    assert world.refuse(Resources=["rs"], Audiences=["mail"])[0] == "InvalidParameterException"
    assert world.refuse(Resources=["none"]) == (
        "ResourceNotFoundException",
        "Resource server none does not exist.",
    )


def test_id_tokens_are_taken_and_given(world: World):
    """An ID token can be exchanged, and be had; it is none to bear, and for the client that asks only."""
    answer = world.derive(
        SubjectToken=world.tokens["IdToken"], SubjectTokenType="ID_TOKEN", RequestedTokenType="ID_TOKEN"
    )
    made = claims(answer["IssuedToken"])
    assert (answer["IssuedTokenType"], answer["TokenType"], answer["ExpiresIn"]) == ("ID_TOKEN", "N_A", 3600)
    assert (made["aud"], made["token_use"]) == (world.back["ClientId"], "id")
    assert (made["cognito:username"], made["email"]) == (world.name, "ann@example.com")
    assert made["origin_jti"] == claims(world.tokens["IdToken"])["origin_jti"]
    access = world.derive(SubjectToken=answer["IssuedToken"], SubjectTokenType="ID_TOKEN")
    assert (access["IssuedTokenType"], access["Scopes"]) == ("ACCESS_TOKEN", [SCOPE])
    for more in ({"Audiences": ["mail"]}, {"Scopes": ["rs/read"]}):
        assert world.refuse(RequestedTokenType="ID_TOKEN", **more)[0] == "InvalidParameterException"


def test_actors_are_named(world: World):
    """With an actor, be it a service or a user, the new token says who acts, and who acted before (RFC 8693 §4.1)."""
    service = {"ActorToken": world.machine_token(), "ActorTokenType": "ACCESS_TOKEN"}
    delegated = world.derive(**service)["IssuedToken"]
    first = {"sub": world.machine["ClientId"]}
    assert claims(delegated)["act"] == first
    assert claims(delegated)["username"] == world.name
    person = {"ActorToken": world.tokens["IdToken"], "ActorTokenType": "ID_TOKEN"}
    again = world.derive(**person, SubjectToken=delegated, RequestedTokenType="ID_TOKEN")["IssuedToken"]
    assert claims(again)["act"] == {"sub": claims(world.tokens["IdToken"])["sub"], "act": first}
    assert claims(world.derive(SubjectToken=delegated)["IssuedToken"])["act"] == first


def test_the_flow_must_fit(world: World):
    """Impersonation and delegation are allowed each for itself."""
    actor = {"ActorToken": world.machine_token(), "ActorTokenType": "ACCESS_TOKEN"}
    for allowed, more, other in ((IMPERSONATION, {}, actor), (DELEGATION, actor, {})):
        client = world.app(world.pool_id, ExplicitAuthFlows=[allowed])
        own = {"ClientId": client["ClientId"], "ClientSecret": None}
        assert world.derive(**own, **more)["TokenType"] == "Bearer"
        assert world.refuse(**own, **other)[0] == "NotAuthorizedException"
    assert world.refuse(ClientId=world.front["ClientId"], ClientSecret=None)[0] == "NotAuthorizedException"


def test_clients_prove_themselves_or_are_vouched_for(server, world: World, unsigned):
    """A client gives its secret, or the request is signed by an access key; a wrong secret never counts (§6.2)."""
    assert unsigned("GetDerivedToken", **world.members())["TokenType"] == "Bearer"
    assert world.derive(ClientSecret=None)["TokenType"] == "Bearer"
    for call, secret in ((unsigned, None), (unsigned, "x" * 30), (world.call, "x" * 30)):
        code, message = refusal(call, "GetDerivedToken", **world.members(ClientSecret=secret))
        assert code == "NotAuthorizedException"
        assert message == f"Unable to verify client secret for client {world.back['ClientId']}"
    stranger = server.boto(aws_secret_access_key="x" * 40)
    wrong = lambda operation, **members: stranger._make_api_call(operation, members)
    assert wrong("GetDerivedToken", **world.members())["TokenType"] == "Bearer"
    assert refusal(wrong, "GetDerivedToken", **world.members(ClientSecret=None))[0] == "NotAuthorizedException"
    elsewhere = server.boto(region_name="eu-west-1")
    far = lambda operation, **members: elsewhere._make_api_call(operation, members)
    assert refusal(far, "GetDerivedToken", **world.members(ClientSecret=None))[0] == "NotAuthorizedException"
    assert world.refuse(ClientId="nobody")[0] == "ResourceNotFoundException"


def test_revoked_tokens_are_worth_nothing(world: World):
    """A subject's token that was revoked is refused, and what it was exchanged for is revoked with it."""
    derived = world.derive()["IssuedToken"]
    world.call("RevokeToken", Token=world.tokens["RefreshToken"], ClientId=world.front["ClientId"])
    assert world.refuse() == ("NotAuthorizedException", "Subject Token has been revoked")
    identity = {"SubjectToken": world.tokens["IdToken"], "SubjectTokenType": "ID_TOKEN"}
    assert world.refuse(**identity) == ("NotAuthorizedException", "Subject Token has been revoked")
    assert world.refuse(SubjectToken=derived)[0] == "NotAuthorizedException"
    assert refusal(world.call, "GetUser", AccessToken=derived) == (
        "NotAuthorizedException",
        "Access Token has been revoked",
    )


def test_expired_tokens_are_worth_nothing(server, world: World):
    """Neither a subject's nor an actor's token counts past its time."""
    actor = {"ActorToken": world.machine_token(), "ActorTokenType": "ACCESS_TOKEN"}
    server.clock.advance(3601)
    assert world.refuse() == ("NotAuthorizedException", "Subject Token has expired")
    world.tokens = world.sign_in(world.front)
    assert world.refuse(**actor) == ("NotAuthorizedException", "Actor Token has expired")


@pytest.mark.parametrize("revocable", [True, False])
def test_exchanges_do_not_go_on_for_ever(server, world: World, revocable):
    """A new token ends with its session; where the subject's token has none, with that token."""
    units = {"RefreshToken": "hours", "AccessToken": "minutes", "IdToken": "minutes"}
    short = {"RefreshTokenValidity": 1, "AccessTokenValidity": 50, "IdTokenValidity": 50, "TokenValidityUnits": units}
    front = world.app(world.pool_id, **short, EnableTokenRevocation=revocable)
    tokens = world.sign_in(front)
    server.clock.advance(2400)
    derived = world.derive(SubjectToken=tokens["AccessToken"])
    made, subject = claims(derived["IssuedToken"]), claims(tokens["AccessToken"])
    assert ("origin_jti" in made) is revocable
    assert abs(made["exp"] - (subject["iat"] + (3600 if revocable else 3000))) <= 1
    assert derived["ExpiresIn"] == made["exp"] - made["iat"]
    server.clock.advance(1300)
    assert world.refuse(SubjectToken=derived["IssuedToken"]) == (
        "NotAuthorizedException",
        "Subject Token has expired",
    )


def test_forged_and_foreign_tokens_are_refused(world: World, call, pool, app, user):
    """Only the pool's own tokens count, each as what it is."""
    other = World(call, pool, app, user)
    access, identity = world.tokens["AccessToken"], world.tokens["IdToken"]
    invalid = ("NotAuthorizedException", "Invalid Subject Token")
    for token, type in (
        (other.tokens["AccessToken"], "ACCESS_TOKEN"),
        (identity, "ACCESS_TOKEN"),
        (access, "ID_TOKEN"),
        (world.tokens["RefreshToken"], "ACCESS_TOKEN"),
        (access[:-4] + "AAAA", "ACCESS_TOKEN"),
        (access.rpartition(".")[0] + "." + identity.rpartition(".")[2], "ACCESS_TOKEN"),
        ("x", "ACCESS_TOKEN"),
        ("e30.e30.e30", "ID_TOKEN"),
        ("A" * 131_072, "ID_TOKEN"),
    ):
        assert world.refuse(SubjectToken=token, SubjectTokenType=type) == invalid
    actor = {"ActorToken": other.machine_token(), "ActorTokenType": "ACCESS_TOKEN"}
    assert world.refuse(**actor) == ("NotAuthorizedException", "Invalid Actor Token")
    assert world.refuse(SubjectToken=world.machine_token())[0] == "NotAuthorizedException"


def test_users_must_be_there(world: World):
    """Disabled users, and those who are gone, are not represented by anybody."""
    named = {"UserPoolId": world.pool_id, "Username": world.name}
    world.call("AdminDisableUser", **named)
    assert world.refuse() == DISABLED
    world.call("AdminDeleteUser", **named)
    assert world.refuse() == NO_USER


def test_tokens_of_providers_are_refused(world: World):
    """External tokens are refused by a declared error: not found, or not in this version."""
    details = {
        "client_id": "c",
        "client_secret": "s",
        "attributes_request_method": "GET",
        "oidc_issuer": "https://idp.example",
        "authorize_scopes": "openid",
        "authorize_url": "https://idp.example/a",
        "token_url": "https://idp.example/t",
        "attributes_url": "https://idp.example/u",
        "jwks_uri": "https://idp.example/k",
    }
    provider = {"UserPoolId": world.pool_id, "ProviderName": "Partner", "ProviderType": "OIDC"}
    world.call("CreateIdentityProvider", **provider, ProviderDetails=details)
    assert world.refuse(SubjectTokenProviderName="Partner")[0] == "InvalidParameterException"
    assert world.refuse(SubjectTokenProviderName="Nobody")[0] == "ResourceNotFoundException"
    assert world.refuse(SubjectTokenType="SAML2")[0] == "InvalidParameterException"
    actor = {"ActorToken": "x", "ActorTokenType": "SAML2"}
    assert world.refuse(**actor)[0] == "InvalidParameterException"
    assert world.refuse(**actor, ActorTokenProviderName="Nobody")[0] == "ResourceNotFoundException"
    assert world.refuse(ActorTokenType="ACCESS_TOKEN")[0] == "InvalidParameterException"
    assert world.refuse(ActorToken="x")[0] == "InvalidParameterException"


def test_exchanges_are_told_to_the_trigger(world: World):
    """The pre token generation trigger is asked, and may refuse (§6.2)."""
    world.call("UpdateUserPool", UserPoolId=world.pool_id, LambdaConfig={"PreTokenGeneration": NO_LAMBDA})
    assert world.refuse()[0] == "UnexpectedLambdaException"
