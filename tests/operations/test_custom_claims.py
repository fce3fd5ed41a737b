"""What a function makes of the tokens of the API: PreTokenGeneration in its versions (spec/api/06 §8)."""

from typing import Any

import httpx
import jwt
import pytest

from tests.conftest import PASSWORD
from tests.functions import Functions
from tests.operations.talk import refusal, sign_in
from tests.operations.test_tokens import claims

SCOPE = "aws.cognito.signin.user.admin"
ROLE = "arn:aws:iam::000000000000:role/"


class World:
    """A pool with a function for its tokens, a client, and a user in a group."""

    def __init__(self, functions: Functions, call, pool, app, user) -> None:
        self.functions, self.call = functions, call
        self.arn, self.pool_id = functions.add(), pool()
        self.client, self.email = app(self.pool_id), "ann@example.com"
        self.name = user(self.pool_id, email=self.email, email_verified="true")
        group = {"UserPoolId": self.pool_id, "GroupName": "staff"}
        call("CreateGroup", **group, RoleArn=f"{ROLE}staff")
        call("AdminAddUserToGroup", **group, Username=self.name)

    def listen(self, version: str | None = None) -> None:
        """Have the function asked, as the older member of the configuration says it where there is no version."""
        config: dict[str, Any] = {"PreTokenGeneration": self.arn}
        if version is not None:
            config = {"PreTokenGenerationConfig": {"LambdaArn": self.arn, "LambdaVersion": version}}
        self.call("UpdateUserPool", UserPoolId=self.pool_id, LambdaConfig=config)

    def reply(self, **response: Any) -> None:
        """Have the function fill this in."""
        self.functions.change(self.arn, lambda event, _: event | {"response": response})

    @property
    def event(self) -> dict[str, Any]:
        """The last event."""
        return self.functions.events(self.arn)[-1]

    def sign_in(self) -> dict[str, Any]:
        return sign_in(self.call, self.client, self.name)

    def refuse(self) -> tuple[str, str]:
        members = {"USERNAME": self.name, "PASSWORD": PASSWORD}
        known = {"ClientId": self.client["ClientId"], "AuthFlow": "USER_PASSWORD_AUTH"}
        return refusal(self.call, "InitiateAuth", **known, AuthParameters=members, ClientMetadata={"k": "v"})


@pytest.fixture
def world(functions, call, pool, app, user) -> World:
    return World(functions, call, pool, app, user)


def test_the_first_version(world: World):
    """The event of V1_0, and the example of the developer guide: claims of the ID token, groups of both."""
    world.listen()
    world.reply(
        claimsOverrideDetails={
            "claimsToAddOrOverride": {"my_first_attribute": "first_value", "my_second_attribute": "second_value"},
            "claimsToSuppress": ["email"],
            "groupOverrideDetails": {
                "groupsToOverride": ["new-group-A", "new-group-B"],
                "iamRolesToOverride": [f"{ROLE}a", f"{ROLE}b"],
                "preferredRole": f"{ROLE}a",
            },
        }
    )
    made = world.sign_in()
    identity, access = claims(made["IdToken"]), claims(made["AccessToken"])
    assert (identity["my_first_attribute"], identity["my_second_attribute"]) == ("first_value", "second_value")
    assert "email" not in identity
    assert identity["email_verified"] is True
    assert identity["cognito:groups"] == access["cognito:groups"] == ["new-group-A", "new-group-B"]
    assert (identity["cognito:roles"], identity["cognito:preferred_role"]) == ([f"{ROLE}a", f"{ROLE}b"], f"{ROLE}a")
    assert not {"my_first_attribute", "cognito:roles", "cognito:preferred_role"} & access.keys()
    event = world.event
    attributes = event["request"].pop("userAttributes")
    assert attributes.items() >= {"sub": identity["sub"], "email": world.email, "email_verified": "true"}.items()
    assert event.pop("callerContext")["clientId"] == world.client["ClientId"]
    assert event == {
        "version": "1",
        "triggerSource": "TokenGeneration_Authentication",
        "region": "us-east-1",
        "userPoolId": world.pool_id,
        "userName": world.name,
        "request": {
            "groupConfiguration": {
                "groupsToOverride": ["staff"],
                "iamRolesToOverride": [f"{ROLE}staff"],
                "preferredRole": f"{ROLE}staff",
            }
        },
        "response": {"claimsOverrideDetails": None},
    }


def test_the_second_version(server, world: World):
    """V2_0 hears of scopes and changes both tokens, which verify by the published keys; a refresh asks anew."""
    world.listen("V2_0")
    section = {"claimsToAddOrOverride": {"plan": {"name": "pro", "seats": 5}, "sub": "me", "exp": 1, "cognito:x": "y"}}
    details = {
        "idTokenGeneration": section | {"claimsToSuppress": ["email", "cognito:groups", "iss"]},
        "accessTokenGeneration": section | {"scopesToAdd": ["rs/read", "openid"], "claimsToSuppress": ["username"]},
    }
    world.reply(claimsAndScopeOverrideDetails=details)
    made = world.sign_in()
    assert (world.event["version"], world.event["request"]["scopes"]) == ("2", [SCOPE])
    assert world.event["response"] == {"claimsAndScopeOverrideDetails": None}
    issuer = f"{server.url}/{world.pool_id}"
    keys = {key["kid"]: jwt.PyJWK(key) for key in httpx.get(f"{issuer}/.well-known/jwks.json").json()["keys"]}
    for name, audience in (("IdToken", world.client["ClientId"]), ("AccessToken", None)):
        key = keys[jwt.get_unverified_header(made[name])["kid"]]
        told = jwt.decode(made[name], key, algorithms=["RS256"], audience=audience, issuer=issuer)
        assert told["plan"] == {"name": "pro", "seats": 5}
        assert told["exp"] - told["iat"] == 3600
        assert told["sub"] not in {"me", None}
        assert "cognito:x" not in told
    identity, access = claims(made["IdToken"]), claims(made["AccessToken"])
    assert not {"email", "cognito:groups", "cognito:roles", "cognito:preferred_role"} & identity.keys()
    assert (access["scope"], access["cognito:groups"]) == (f"{SCOPE} rs/read openid", ["staff"])
    assert world.call("GetUser", AccessToken=made["AccessToken"])["Username"] == world.name
    # The function changes its mind: what counts is the sign-in's scope.
    world.reply(claimsAndScopeOverrideDetails={"accessTokenGeneration": {"scopesToSuppress": [SCOPE]}})
    again = refreshed(world, made)
    assert (world.event["triggerSource"], world.event["request"]["scopes"]) == (
        "TokenGeneration_RefreshTokens",
        [SCOPE],
    )
    assert claims(again["AccessToken"])["scope"] == ""
    assert not {"plan"} & (claims(again["AccessToken"]).keys() | claims(again["IdToken"]).keys())
    refused = ("NotAuthorizedException", "Access Token does not have required scopes")
    assert refusal(world.call, "GetUser", AccessToken=again["AccessToken"]) == refused


def refreshed(world: World, made: dict[str, Any], **more: Any) -> dict[str, Any]:
    known = {"ClientId": world.client["ClientId"], "AuthFlow": "REFRESH_TOKEN_AUTH"}
    token = {"REFRESH_TOKEN": made["RefreshToken"]}
    return world.call("InitiateAuth", **known, AuthParameters=token, **more)["AuthenticationResult"]


def test_which_metadata_gets_to_the_function(world: World):
    """That of RespondToAuthChallenge and GetTokensFromRefreshToken, not that of InitiateAuth (spec/api/06 §2)."""
    world.listen("V2_0")
    known = {"ClientId": world.client["ClientId"]}
    new = {"UserPoolId": world.pool_id, "Username": "bob", "TemporaryPassword": PASSWORD}
    world.call("AdminCreateUser", **new, MessageAction="SUPPRESS")
    begin = {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "bob", "PASSWORD": PASSWORD}}
    asked = world.call("InitiateAuth", **known, **begin, ClientMetadata={"from": "InitiateAuth"})
    assert world.functions.events(world.arn) == []
    answer = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": asked["Session"]}
    responses = {"USERNAME": "bob", "NEW_PASSWORD": "Battery-Staple-2"}
    heard = {"from": "RespondToAuthChallenge"}
    made = world.call("RespondToAuthChallenge", **known, **answer, ChallengeResponses=responses, ClientMetadata=heard)
    assert world.event["triggerSource"] == "TokenGeneration_NewPasswordChallenge"
    assert world.event["request"]["clientMetadata"] == heard
    refreshed(world, made["AuthenticationResult"], ClientMetadata={"from": "InitiateAuth"})
    assert "clientMetadata" not in world.event["request"]
    token = made["AuthenticationResult"]["RefreshToken"]
    heard = {"from": "GetTokensFromRefreshToken"}
    world.call("GetTokensFromRefreshToken", **known, RefreshToken=token, ClientMetadata=heard)
    assert world.event["request"]["clientMetadata"] == heard
    assert len(world.functions.events(world.arn)) == 3
    begin["AuthParameters"] = {"USERNAME": world.name, "PASSWORD": PASSWORD}
    world.call("InitiateAuth", **known, **begin, ClientMetadata={"from": "InitiateAuth"})
    assert "clientMetadata" not in world.event["request"]


def test_what_is_told_where_the_function_fails(world: World):
    """What it throws, and what is no answer, is told in Cognito's words, and nobody is signed in (spec/api/06 §1.2)."""

    def throw(event, _):
        raise ValueError("no tokens today")

    world.listen("V2_0")
    made = world.sign_in()
    world.functions.change(world.arn, throw)
    told = ("UserLambdaValidationException", "PreTokenGeneration failed with error no tokens today.")
    assert world.refuse() == told
    renew = {"ClientId": world.client["ClientId"], "RefreshToken": made["RefreshToken"]}
    assert refusal(world.call, "GetTokensFromRefreshToken", **renew) == told
    unrecognizable = ("InvalidLambdaResponseException", "Unrecognizable lambda output")
    for details in ({"idTokenGeneration": {"claimsToAddOrOverride": ["a"]}}, "text"):
        world.reply(claimsAndScopeOverrideDetails=details)
        assert world.refuse() == unrecognizable
    world.functions.change(world.arn, lambda event, _: None)
    assert world.refuse() == unrecognizable
    world.listen("V1_0")
    world.reply(claimsOverrideDetails={"claimsToAddOrOverride": {"roles": ["admin"]}})
    assert world.refuse() == unrecognizable
    world.reply()
    assert world.call("GetTokensFromRefreshToken", **renew)["AuthenticationResult"]["AccessToken"]


def test_a_refresh_token_survives_a_function_that_fails(world: World, app):
    """Where tokens rotate, one that gave nothing is not spent."""
    rotating = {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}}
    world.client = app(world.pool_id, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"], **rotating)
    made = world.sign_in()
    world.listen("V2_0")
    world.reply(claimsAndScopeOverrideDetails={"accessTokenGeneration": {"scopesToAdd": ["a b"]}})
    renew = {"ClientId": world.client["ClientId"], "RefreshToken": made["RefreshToken"]}
    assert refusal(world.call, "GetTokensFromRefreshToken", **renew)[0] == "InvalidLambdaResponseException"
    world.reply()
    assert world.call("GetTokensFromRefreshToken", **renew)["AuthenticationResult"]["RefreshToken"]


def test_tokens_that_no_user_signs_in_for(world: World, app):
    """V3_0 changes what GetClientToken and GetDerivedToken give; a client's own token has no user and no groups."""
    resource = {"Identifier": "rs", "Name": "rs", "Scopes": [{"ScopeName": "read", "ScopeDescription": "read"}]}
    world.call("CreateResourceServer", UserPoolId=world.pool_id, **resource)
    own = {"GenerateSecret": True, "AllowedOAuthScopes": ["rs/read"]}
    machine = app(world.pool_id, ExplicitAuthFlows=["ALLOW_CLIENT_TOKEN_AUTH"], **own)
    exchanging = app(world.pool_id, ExplicitAuthFlows=["ALLOW_TOKEN_EXCHANGE_IMPERSONATION"], **own)
    world.listen("V3_0")
    section = {"claimsToAddOrOverride": {"tier": 1, "aud": machine["ClientId"]}, "scopesToAdd": ["rs/more"]}
    groups = {"groupsToOverride": ["admins"]}
    world.reply(claimsAndScopeOverrideDetails={"accessTokenGeneration": section, "groupOverrideDetails": groups})
    asked = {"ClientId": machine["ClientId"], "Secret": machine["ClientSecret"], "ClientMetadata": {"k": "v"}}
    made = claims(world.call("GetClientToken", **asked)["ClientAuthenticationResult"]["AccessToken"])
    assert (made["tier"], made["scope"], made["aud"]) == (1, "rs/read rs/more", machine["ClientId"])
    assert not {"username", "cognito:groups"} & made.keys()
    event = world.event
    assert (event["version"], event["triggerSource"]) == ("3", "TokenGeneration_ClientCredentials")
    assert (event["userName"], event["callerContext"]["clientId"]) == ("ClientCredentials", machine["ClientId"])
    assert event["response"] == {"claimsAndScopeOverrideDetails": None}
    assert event["request"] == {
        "userAttributes": {},
        "groupConfiguration": None,
        "scopes": ["rs/read"],
        "clientMetadata": {"k": "v"},
    }
    # A user's token whose audience is its client is bound to no resource, so neither is what it is exchanged for.
    section["claimsToAddOrOverride"]["aud"] = world.client["ClientId"]
    subject = world.sign_in()["AccessToken"]
    assert claims(subject)["aud"] == world.client["ClientId"]
    section["scopesToAdd"] = ["rs/last"]
    ids = {"ClientId": exchanging["ClientId"], "ClientSecret": exchanging["ClientSecret"]}
    derived = world.call("GetDerivedToken", **ids, SubjectToken=subject, SubjectTokenType="ACCESS_TOKEN")
    assert derived["Scopes"] == [SCOPE, "rs/more", "rs/last"]
    made = claims(derived["IssuedToken"])
    assert (made["tier"], made["scope"].split(), made["cognito:groups"]) == (1, derived["Scopes"], ["admins"])
    assert "aud" not in made
    assert world.event["request"]["scopes"] == [SCOPE, "rs/more"]
