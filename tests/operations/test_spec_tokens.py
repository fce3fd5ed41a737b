"""Settings of app clients that tokens and sign-ins follow (spec/api/02 §5, 04 §1–6, §11)."""

import base64
import json

import pytest
from botocore.exceptions import ClientError
from pycognito.aws_srp import AWSSRP

from tests.operations.talk import (
    DISABLED,
    NO_USER,
    OTHER_PASSWORD,
    PASSWORD,
    confirm,
    listed,
    named,
    refusal,
    sign_in,
    sign_up,
)

FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
HOUR, DAY = 3600, 86_400
REVOKED = ("NotAuthorizedException", "Refresh Token has been revoked")
SESSION_OVER = ("NotAuthorizedException", "Invalid session for the user, session is expired.")


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def life(token):
    read = claims(token)
    return read["exp"] - read["iat"]


def refresh(client, token, flow="REFRESH_TOKEN_AUTH"):
    return {"ClientId": client["ClientId"], "AuthFlow": flow, "AuthParameters": {"REFRESH_TOKEN": token}}


def start(client, username, password=PASSWORD):
    parameters = {"USERNAME": username, "PASSWORD": password}
    return {"ClientId": client["ClientId"], "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}


@pytest.mark.parametrize(
    ("settings", "lives"),
    [
        ({}, (HOUR, HOUR)),
        ({"AccessTokenValidity": 2}, (2 * HOUR, HOUR)),
        ({"AccessTokenValidity": 300, "TokenValidityUnits": {"AccessToken": "seconds"}}, (300, HOUR)),
        ({"IdTokenValidity": 7, "TokenValidityUnits": {"IdToken": "minutes"}}, (HOUR, 420)),
        ({"AccessTokenValidity": 1, "TokenValidityUnits": {"AccessToken": "days", "IdToken": "days"}}, (DAY, DAY)),
    ],
)
def test_lives_of_access_and_id_tokens(call, pool, app, user, settings, lives):
    """spec/api/02 §5.2, 04 §1: number and unit make the life; ExpiresIn is the access token's, in seconds."""
    pool_id = pool()
    client = app(pool_id, **settings)
    user(pool_id, "ann")
    result = sign_in(call, client, "ann")
    assert (life(result["AccessToken"]), life(result["IdToken"])) == lives
    assert result["ExpiresIn"] == lives[0]
    refreshed = call("InitiateAuth", **refresh(client, result["RefreshToken"]))["AuthenticationResult"]
    assert (life(refreshed["AccessToken"]), life(refreshed["IdToken"]), refreshed["ExpiresIn"]) == (*lives, lives[0])


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ({}, 30 * DAY),
        ({"RefreshTokenValidity": 0}, 30 * DAY),
        ({"RefreshTokenValidity": 2}, 2 * DAY),
        ({"RefreshTokenValidity": 61, "TokenValidityUnits": {"RefreshToken": "minutes"}}, 3660),
    ],
)
def test_lives_of_refresh_tokens(call, pool, app, user, server, settings, seconds):
    """spec/api/02 §5.2, 04 §11: the life counts from the sign-in, however often tokens are refreshed."""
    pool_id = pool()
    client = app(pool_id, **settings)
    user(pool_id, "ann")
    token = sign_in(call, client, "ann")["RefreshToken"]
    server.clock.advance(seconds - 30)
    assert call("InitiateAuth", **refresh(client, token))["AuthenticationResult"]
    server.clock.advance(60)
    told = ("NotAuthorizedException", "Refresh Token has expired")
    assert refusal(call, "InitiateAuth", **refresh(client, token)) == told


@pytest.mark.parametrize("minutes", [None, 3, 15])
@pytest.mark.usefixtures("still_clock")
def test_how_long_a_challenge_waits(call, pool, app, server, minutes):
    """spec/api/04 §6: AuthSessionValidity is the life of a session; it can be used once."""
    pool_id = pool()
    client = app(pool_id, **({} if minutes is None else {"AuthSessionValidity": minutes}))
    members = {"UserPoolId": pool_id, "Username": "ann", "MessageAction": "SUPPRESS"}
    call("AdminCreateUser", **members, TemporaryPassword=PASSWORD)
    answers = {"USERNAME": "ann", "NEW_PASSWORD": OTHER_PASSWORD}
    members = {"ClientId": client["ClientId"], "ChallengeName": "NEW_PASSWORD_REQUIRED", "ChallengeResponses": answers}

    session = call("InitiateAuth", **start(client, "ann"))["Session"]
    server.clock.advance((minutes or 3) * 60 + 1)
    assert refusal(call, "RespondToAuthChallenge", **members, Session=session) == SESSION_OVER
    session = call("InitiateAuth", **start(client, "ann"))["Session"]
    server.clock.advance((minutes or 3) * 60 - 5)
    weak = members | {"ChallengeResponses": answers | {"NEW_PASSWORD": "weak"}}
    told = ("InvalidPasswordException", "Password does not conform to policy: Password not long enough")
    assert refusal(call, "RespondToAuthChallenge", **weak, Session=session) == told
    assert call("RespondToAuthChallenge", **members, Session=session)["AuthenticationResult"]
    code, text = refusal(call, "RespondToAuthChallenge", **members, Session=session)
    assert (code, text[:28]) == ("NotAuthorizedException", "Invalid session for the user")


def test_without_revocation(call, pool, app, user):
    """spec/api/02 §5.1, 04 §11: without EnableTokenRevocation tokens name no session and cannot be revoked singly."""
    pool_id = pool()
    client = app(pool_id, EnableTokenRevocation=False)
    user(pool_id, "ann")
    result = sign_in(call, client, "ann")
    for token in (result["AccessToken"], result["IdToken"]):
        assert "origin_jti" not in claims(token)
    members = {"Token": result["RefreshToken"], "ClientId": client["ClientId"]}
    assert refusal(call, "RevokeToken", **members)[0] == "UnsupportedOperationException"
    call("GlobalSignOut", AccessToken=result["AccessToken"])
    told = ("NotAuthorizedException", "Access Token has been revoked")
    assert refusal(call, "GetUser", AccessToken=result["AccessToken"]) == told
    assert refusal(call, "InitiateAuth", **refresh(client, result["RefreshToken"])) == REVOKED


@pytest.mark.usefixtures("still_clock")
def test_grace_of_rotation(call, pool, app, user, server):
    """spec/api/04 §11: a spent token is good for RetryGracePeriodSeconds; the new one keeps the original end."""
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 30}
    pool_id = pool()
    client = app(pool_id, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"], RefreshTokenRotation=rotation)
    user(pool_id, "ann")
    first = sign_in(call, client, "ann")["RefreshToken"]

    def renew(token):
        members = {"ClientId": client["ClientId"], "RefreshToken": token}
        return call("GetTokensFromRefreshToken", **members)["AuthenticationResult"]["RefreshToken"]

    second = renew(first)
    server.clock.advance(29)
    again = renew(first)
    assert first not in {second, again}
    server.clock.advance(30 * DAY - 60)
    third = renew(second)
    server.clock.advance(60)
    members = {"ClientId": client["ClientId"], "RefreshToken": third}
    assert refusal(call, "GetTokensFromRefreshToken", **members) == (
        "NotAuthorizedException", "Refresh Token has expired",
    )  # fmt: skip


def test_the_flow_of_refreshing_while_tokens_rotate(call, pool, app, user):
    """spec/api/04 §11: InitiateAuth does not refresh where tokens rotate."""
    pool_id = pool()
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}
    client = app(pool_id, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"], RefreshTokenRotation=rotation)
    user(pool_id, "ann")
    token = sign_in(call, client, "ann")["RefreshToken"]
    for flow in ("REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"):
        assert refusal(call, "InitiateAuth", **refresh(client, token, flow))[0] == "UnsupportedOperationException"


def test_what_a_client_may_read(call, pool, app, user):
    """spec/api/02 §5.3: GetUser, ID tokens and NEW_PASSWORD_REQUIRED show readable attributes, sub always."""
    pool_id = pool(Schema=[{"Name": "role", "AttributeDataType": "String"}])
    everything, some = app(pool_id), app(pool_id, ReadAttributes=["email", "custom:role"])
    profile = app(pool_id, ReadAttributes=["oidc:profile", "email"])
    user(pool_id, "ann", email="a@x.org", email_verified="true", name="Ann", custom_role="r")
    for client, expected in (
        (everything, {"sub", "email", "email_verified", "name", "custom:role"}),
        (some, {"sub", "email", "custom:role"}),
        (profile, {"sub", "email", "name"}),
    ):
        result = sign_in(call, client, "ann")
        seen = named(call("GetUser", AccessToken=result["AccessToken"])["UserAttributes"])
        assert seen.keys() == expected
        assert claims(result["IdToken"]).keys() & {"email", "email_verified", "name", "custom:role"} == expected - {
            "sub"
        }
    call("AdminSetUserPassword", UserPoolId=pool_id, Username="ann", Password=PASSWORD, Permanent=False)
    parameters = call("InitiateAuth", **start(some, "ann"))["ChallengeParameters"]
    assert json.loads(parameters["userAttributes"]) == {"email": "a@x.org", "custom:role": "r"}
    assert json.loads(parameters["requiredAttributes"]) == []
    assert parameters.keys() == {"USER_ID_FOR_SRP", "requiredAttributes", "userAttributes"}


UNAUTHORIZED = ("NotAuthorizedException", "A client attempted to write unauthorized attribute")


def test_what_a_client_may_write(call, pool, app, user):
    """spec/api/02 §5.3: the list holds for SignUp, updates, deletions and new-password answers, not for administrators."""
    schema = [{"Name": "role", "AttributeDataType": "String"}, {"Name": "given_name", "Required": True}]
    pool_id = pool(Schema=schema)
    client = app(pool_id, WriteAttributes=["email", "given_name"])
    forbidden = listed(custom_role="admin", given_name="Ann")
    members = {"ClientId": client["ClientId"], "Username": "new", "Password": PASSWORD}
    assert refusal(call, "SignUp", **members, UserAttributes=forbidden) == UNAUTHORIZED
    call("SignUp", **members, UserAttributes=listed(given_name="Ann", email="n@x.org"))

    user(pool_id, "ann", custom_role="user", given_name="Ann")
    token = sign_in(call, client, "ann")["AccessToken"]
    role = listed(custom_role="admin")
    assert refusal(call, "UpdateUserAttributes", AccessToken=token, UserAttributes=role) == UNAUTHORIZED
    gone = {"AccessToken": token, "UserAttributeNames": ["custom:role"]}
    assert refusal(call, "DeleteUserAttributes", **gone) == UNAUTHORIZED
    call("UpdateUserAttributes", AccessToken=token, UserAttributes=listed(given_name="Anne"))
    call("AdminUpdateUserAttributes", UserPoolId=pool_id, Username="ann", UserAttributes=role)
    profile = sign_in(call, app(pool_id, WriteAttributes=["oidc:profile"]), "ann")["AccessToken"]
    assert refusal(call, "UpdateUserAttributes", AccessToken=profile, UserAttributes=role) == UNAUTHORIZED
    call("UpdateUserAttributes", AccessToken=profile, UserAttributes=listed(given_name="Anna", locale="en"))

    members = {"UserPoolId": pool_id, "Username": "bob", "MessageAction": "SUPPRESS"}
    call("AdminCreateUser", **members, TemporaryPassword=PASSWORD)
    asked = call("InitiateAuth", **start(client, "bob"))
    assert json.loads(asked["ChallengeParameters"]["requiredAttributes"]) == ["userAttributes.given_name"]

    def answer(**answers):
        responses = {"USERNAME": "bob", "NEW_PASSWORD": OTHER_PASSWORD} | answers
        return {
            "ClientId": client["ClientId"],
            "ChallengeName": "NEW_PASSWORD_REQUIRED",
            "Session": asked["Session"],
            "ChallengeResponses": responses,
        }

    missing = ("InvalidParameterException", "Invalid attributes given, given_name is missing")
    assert refusal(call, "RespondToAuthChallenge", **answer()) == missing
    given = {"userAttributes.given_name": "Bob"}
    members = answer(**given, **{"userAttributes.custom:role": "admin"})
    assert refusal(call, "RespondToAuthChallenge", **members) == UNAUTHORIZED
    assert call("RespondToAuthChallenge", **answer(**given))["AuthenticationResult"]


def test_attributes_given_already(call, pool, app):
    """spec/api/04 §4: an attribute that has a value is not taken again with the new password."""
    pool_id = pool()
    client = app(pool_id)
    members = {"UserPoolId": pool_id, "Username": "ann", "MessageAction": "SUPPRESS"}
    call("AdminCreateUser", **members, TemporaryPassword=PASSWORD, UserAttributes=listed(email="a@x.org"))
    session = call("InitiateAuth", **start(client, "ann"))["Session"]
    responses = {"USERNAME": "ann", "NEW_PASSWORD": OTHER_PASSWORD, "userAttributes.email": "a@x.org"}
    members = {"ClientId": client["ClientId"], "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session}
    told = ("NotAuthorizedException", "Cannot modify an already provided email")
    assert refusal(call, "RespondToAuthChallenge", **members, ChallengeResponses=responses) == told


def test_tokens_of_users_who_are_gone(call, pool, app, user):
    """spec/api/03 §10, 04 §11: refreshing for a deleted or disabled user; a new user of the name changes nothing."""
    pool_id = pool()
    client = app(pool_id)
    tokens = {}
    for name in ("deleted", "disabled"):
        user(pool_id, name)
        tokens[name] = sign_in(call, client, name)
    call("AdminDeleteUser", UserPoolId=pool_id, Username="deleted")
    call("AdminDisableUser", UserPoolId=pool_id, Username="disabled")
    user(pool_id, "deleted")
    for name, told in (("deleted", NO_USER), ("disabled", DISABLED)):
        assert refusal(call, "InitiateAuth", **refresh(client, tokens[name]["RefreshToken"])) == told
        assert refusal(call, "GetUser", AccessToken=tokens[name]["AccessToken"]) == told
    call("AdminEnableUser", UserPoolId=pool_id, Username="disabled")
    assert refusal(call, "InitiateAuth", **refresh(client, tokens["disabled"]["RefreshToken"])) == REVOKED


@pytest.mark.usefixtures("still_clock")
def test_the_order_of_checks_at_sign_in(call, pool, app, user, server):
    """spec/api/03 §2, 04 §3: parameter, client, secret, flow, user, lock, state, password."""
    pool_id = pool()
    client = app(pool_id, ExplicitAuthFlows=FLOWS)
    secretive = app(pool_id, GenerateSecret=True)
    user(pool_id, "ann")

    def told(chosen, flow="USER_PASSWORD_AUTH", **parameters):
        return refusal(call, "InitiateAuth", ClientId=chosen, AuthFlow=flow, AuthParameters=parameters)

    unknown = "1" * 26
    gone = ("ResourceNotFoundException", f"User pool client {unknown} does not exist.")
    assert told(unknown, USERNAME="nobody", PASSWORD="x") == gone
    assert told(client["ClientId"]) == ("InvalidParameterException", "Missing required parameter USERNAME")
    assert told(secretive["ClientId"], "CUSTOM_AUTH", USERNAME="nobody")[1].endswith("SECRET_HASH was not received")
    flow_off = ("InvalidParameterException", "USER_SRP_AUTH is not enabled for the client.")
    assert told(client["ClientId"], "USER_SRP_AUTH", USERNAME="nobody", SRP_A="00") == flow_off
    wrong_door = ("InvalidParameterException", "Initiate Auth method not supported.")
    assert told(client["ClientId"], "ADMIN_USER_PASSWORD_AUTH", USERNAME="nobody", PASSWORD="x") == wrong_door
    missing = ("InvalidParameterException", "Missing required parameter PASSWORD")
    assert told(client["ClientId"], USERNAME="nobody") == missing
    assert told(client["ClientId"], USERNAME="nobody", PASSWORD="x") == NO_USER
    for _ in range(5):
        assert told(client["ClientId"], USERNAME="ann", PASSWORD="x")[1] == "Incorrect username or password."
    call("AdminDisableUser", UserPoolId=pool_id, Username="ann")
    assert told(client["ClientId"], USERNAME="ann", PASSWORD="x")[1] == "Password attempts exceeded"
    server.clock.advance(2)
    assert told(client["ClientId"], USERNAME="ann", PASSWORD=PASSWORD) == DISABLED


def test_a_user_made_before_the_first_client(call, cognito, pool, user):
    """spec/api/04 §7: whoever set up the pool first and the client last signs in by SRP, the default flow."""
    pool_id = pool()
    user(pool_id, "ann")
    client = call("CreateUserPoolClient", UserPoolId=pool_id, ClientName="c")["UserPoolClient"]
    names = {"username": "ann", "pool_id": pool_id, "client_id": client["ClientId"], "client": cognito}
    assert AWSSRP(password=PASSWORD, **names).authenticate_user()["AuthenticationResult"]["IdToken"]
    with pytest.raises(ClientError, match="Incorrect username or password"):
        AWSSRP(password=OTHER_PASSWORD, **names).authenticate_user()


def test_signing_in_by_every_name(call, pool, app, inbox):
    """spec/api/03 §11, 04 §4: an alias works once it is verified; tokens have the user name and the sub."""
    pool_id = pool(AliasAttributes=["email", "phone_number"], AutoVerifiedAttributes=["email"])
    client = app(pool_id)
    made = sign_up(call, client, "ann", email="names@x.org", phone_number="+12025550151")
    confirm(call, client, "ann", inbox("names@x.org")[-1].code)
    for name in ("ann", "names@x.org", made["UserSub"]):
        token = claims(sign_in(call, client, name)["AccessToken"])
        assert (token["username"], token["sub"]) == ("ann", made["UserSub"])
    assert refusal(call, "InitiateAuth", **start(client, "+12025550151")) == NO_USER
    # Case matters unless the pool says otherwise.
    assert refusal(call, "InitiateAuth", **start(client, "Names@x.org")) == NO_USER
