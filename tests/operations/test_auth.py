"""Signing in over the wire: boto3, pycognito, and the exact words of refusals."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from pycognito.aws_srp import AWSSRP
from pycognito.exceptions import ForceChangePasswordException

from tests.conftest import PASSWORD

OTHER = "Battery-Staple-2"


@pytest.fixture
def public(server):
    """A boto3 client without credentials, as an app has."""
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    return boto3.client("cognito-idp", endpoint_url=server.url, region_name="us-east-1", config=config)


def refused(code: str, message: str | None = None):
    """Expect an error by its code, and by its exact text where one is given."""
    text = "" if message is None else f": {re.escape(message)}$"
    return pytest.raises(ClientError, match=rf"\((?:{code})\).*{text}")


def sign_in(cognito, client: dict[str, Any], username: str, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    return cognito.initiate_auth(
        ClientId=client["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": username, "PASSWORD": password, **more},
    )


def secret_hash(client: dict[str, Any], username: str) -> str:
    message = (username + client["ClientId"]).encode()
    return base64.b64encode(hmac.digest(client["ClientSecret"].encode(), message, hashlib.sha256)).decode()


def test_an_app_signs_in_without_credentials(public, pool, app, user):
    """InitiateAuth needs no signature; its last answer has tokens and empty parameters."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    answer = sign_in(public, client, name)
    assert answer["ChallengeParameters"] == {}
    assert set(answer["AuthenticationResult"]) == {
        "AccessToken",
        "ExpiresIn",
        "IdToken",
        "RefreshToken",
        "TokenType",
    }
    assert (answer["AuthenticationResult"]["ExpiresIn"], answer["AuthenticationResult"]["TokenType"]) == (
        3600,
        "Bearer",
    )
    assert "Session" not in answer
    assert "ChallengeName" not in answer


def test_the_token_opens_the_users_own_operations(public, pool, app, user):
    """The access token of a sign-in is good for GetUser."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id, email="ann@example.com")
    token = sign_in(public, client, name)["AuthenticationResult"]["AccessToken"]
    assert public.get_user(AccessToken=token)["Username"] == name


def test_pycognito_signs_in_by_srp(public, pool, app, user):
    """An unmodified SRP client gets tokens for the right password only, and is told of a temporary one."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)

    def srp(password: str) -> AWSSRP:
        return AWSSRP(username=name, password=password, pool_id=pool_id, client_id=client["ClientId"], client=public)

    assert srp(PASSWORD).authenticate_user()["AuthenticationResult"]["IdToken"]
    with refused("NotAuthorizedException", "Incorrect username or password."):
        srp(OTHER).authenticate_user()


def test_pycognito_replaces_a_temporary_password(public, call, pool, app):
    """pycognito is told of a temporary password and sets another by SRP."""
    pool_id = pool()
    client = app(pool_id)
    call("AdminCreateUser", UserPoolId=pool_id, Username="ann", TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    srp = AWSSRP(username="ann", password=PASSWORD, pool_id=pool_id, client_id=client["ClientId"], client=public)
    with pytest.raises(ForceChangePasswordException):
        srp.authenticate_user()
    assert srp.set_new_password_challenge(OTHER)["AuthenticationResult"]["AccessToken"]
    assert call("AdminGetUser", UserPoolId=pool_id, Username="ann")["UserStatus"] == "CONFIRMED"


def test_the_srp_challenge_has_no_session(public, pool, app, user):
    """PASSWORD_VERIFIER comes with its five parameters and without a Session."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    answer = public.initiate_auth(
        ClientId=client["ClientId"], AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": name, "SRP_A": "abcdef"}
    )
    assert answer["ChallengeName"] == "PASSWORD_VERIFIER"
    assert "Session" not in answer
    assert set(answer["ChallengeParameters"]) == {"SALT", "SECRET_BLOCK", "SRP_B", "USERNAME", "USER_ID_FOR_SRP"}


def test_a_confidential_client_signs_in_by_srp(public, pool, app, user):
    """A client with a secret sends SECRET_HASH with every step."""
    pool_id = pool()
    client, name = app(pool_id, GenerateSecret=True), user(pool_id)
    srp = AWSSRP(
        username=name,
        password=PASSWORD,
        pool_id=pool_id,
        client_id=client["ClientId"],
        client=public,
        client_secret=client["ClientSecret"],
    )
    assert srp.authenticate_user()["AuthenticationResult"]["AccessToken"]


def test_secret_hashes(public, pool, app, user):
    """A missing or wrong hash is refused, and so is one for a client that has no secret."""
    pool_id = pool()
    open_client, client, name = app(pool_id), app(pool_id, GenerateSecret=True), user(pool_id)
    id_ = client["ClientId"]
    with refused("NotAuthorizedException", f"Client {id_} is configured with secret but SECRET_HASH was not received"):
        sign_in(public, client, name)
    with refused("NotAuthorizedException", f"Unable to verify secret hash for client {id_}"):
        sign_in(public, client, name, SECRET_HASH=secret_hash(client, "somebody"))
    with refused("NotAuthorizedException", f"Unable to verify secret hash for client {open_client['ClientId']}"):
        sign_in(public, open_client, name, SECRET_HASH=secret_hash(client, name))
    assert sign_in(public, client, name, SECRET_HASH=secret_hash(client, name))["AuthenticationResult"]


def test_the_secret_hash_is_checked_before_the_flow(public, pool, app, user):
    """Who does not know the secret learns nothing of the client's flows."""
    pool_id = pool()
    client = app(pool_id, GenerateSecret=True, ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"])
    with refused("NotAuthorizedException"):
        sign_in(public, client, user(pool_id))


@pytest.mark.parametrize(
    ("flow", "text"),
    [
        ("USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH flow not enabled for this client"),
        ("USER_SRP_AUTH", "USER_SRP_AUTH is not enabled for the client."),
        ("CUSTOM_AUTH", "CUSTOM_AUTH is not enabled for the client."),
        ("USER_AUTH", "USER_AUTH is not enabled for the client."),
        ("ADMIN_NO_SRP_AUTH", "Initiate Auth method not supported."),
        ("ADMIN_USER_PASSWORD_AUTH", "Initiate Auth method not supported."),
    ],
)
def test_flows_that_are_off(public, pool, app, flow: str, text: str):
    """Each flow that a client does not have is refused in its own words."""
    client = app(pool(), ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"])
    with refused("InvalidParameterException", text):
        public.initiate_auth(
            ClientId=client["ClientId"],
            AuthFlow=flow,
            AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD, "SRP_A": "1"},
        )


def test_administrators_flows(call, pool, app, user):
    """AdminInitiateAuth takes the flows of administrators, not the users' own, and only clients of its pool."""
    pool_id, other = pool(), pool()
    client, name = app(pool_id), user(pool_id)
    given = {"ClientId": client["ClientId"], "AuthParameters": {"USERNAME": name, "PASSWORD": PASSWORD}}
    answer = call("AdminInitiateAuth", UserPoolId=pool_id, AuthFlow="ADMIN_USER_PASSWORD_AUTH", **given)
    assert answer["AuthenticationResult"]["RefreshToken"]
    with refused("InvalidParameterException", "Initiate Auth method not supported."):
        call("AdminInitiateAuth", UserPoolId=pool_id, AuthFlow="USER_PASSWORD_AUTH", **given)
    with refused("ResourceNotFoundException", f"User pool client {client['ClientId']} does not exist."):
        call("AdminInitiateAuth", UserPoolId=other, AuthFlow="ADMIN_USER_PASSWORD_AUTH", **given)
    off = app(pool_id, ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"])
    with refused("InvalidParameterException", "Auth flow not enabled for this client"):
        call(
            "AdminInitiateAuth",
            UserPoolId=pool_id,
            AuthFlow="ADMIN_NO_SRP_AUTH",
            **given | {"ClientId": off["ClientId"]},
        )


def test_unknown_clients(public):
    """A client that does not exist is named in the refusal."""
    with refused("ResourceNotFoundException", "User pool client nobody does not exist."):
        sign_in(public, {"ClientId": "nobody"}, "ann")
    with refused("ResourceNotFoundException", "User pool client nobody does not exist."):
        public.respond_to_auth_challenge(
            ClientId="nobody", ChallengeName="SMS_MFA", ChallengeResponses={"USERNAME": "ann"}
        )


def test_an_invited_user_completes_the_profile(public, call, pool, app):
    """NEW_PASSWORD_REQUIRED lists what is missing, takes it, and hands out tokens that show it."""
    pool_id = pool(Schema=[{"Name": "given_name", "Required": True}, {"Name": "n", "AttributeDataType": "Number"}])
    client = app(pool_id)
    call(
        "AdminCreateUser",
        UserPoolId=pool_id,
        Username="ann",
        TemporaryPassword=PASSWORD,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": "ann@example.com"}, {"Name": "email_verified", "Value": "true"}],
    )
    asked = sign_in(public, client, "ann")
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    shown = asked["ChallengeParameters"]
    assert json.loads(shown["requiredAttributes"]) == ["userAttributes.given_name"]
    assert json.loads(shown["userAttributes"]) == {"email": "ann@example.com", "email_verified": "true"}
    assert shown["USER_ID_FOR_SRP"] == "ann"
    assert 20 <= len(asked["Session"]) <= 4096

    def respond(**answers: str) -> dict[str, Any]:
        return public.respond_to_auth_challenge(
            ClientId=client["ClientId"],
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": "ann", "NEW_PASSWORD": OTHER, **answers},
        )

    with refused("InvalidParameterException", "Invalid attributes given, given_name is missing"):
        respond()
    answer = respond(**{"userAttributes.given_name": "Ann", "userAttributes.custom:n": "42"})
    payload = answer["AuthenticationResult"]["IdToken"].split(".")[1]
    told = json.loads(base64.urlsafe_b64decode(payload + "==="))
    assert (told["given_name"], told["custom:n"], told["email_verified"]) == ("Ann", "42", True)
    with refused("NotAuthorizedException", "Invalid session for the user, session can only be used once."):
        respond()


@pytest.mark.usefixtures("still_clock")
def test_the_lock_over_the_wire(server, public, pool, app, user):
    """Five wrong passwords lock for a second, whichever flow is used."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    for _ in range(5):
        with refused("NotAuthorizedException", "Incorrect username or password."):
            sign_in(public, client, name, OTHER)
    srp = AWSSRP(username=name, password=PASSWORD, pool_id=pool_id, client_id=client["ClientId"], client=public)
    # Later locks are long enough for a slow machine.
    for _ in range(6):
        server.clock.advance(70)
        with refused("NotAuthorizedException"):
            sign_in(public, client, name, OTHER)
    with refused("NotAuthorizedException", "Password attempts exceeded"):
        sign_in(public, client, name)
    with refused("NotAuthorizedException", "Password attempts exceeded"):
        srp.authenticate_user()
    server.clock.advance(70)
    assert sign_in(public, client, name)["AuthenticationResult"]


@pytest.mark.parametrize("hidden", [True, False])
def test_unknown_users(public, pool, app, hidden: bool):
    """Whether an unknown user is told apart is for the client to say."""
    client = app(pool(), PreventUserExistenceErrors="ENABLED" if hidden else "LEGACY")
    expected = (
        ("NotAuthorizedException", "Incorrect username or password.")
        if hidden
        else ("UserNotFoundException", "User does not exist.")
    )
    with refused(*expected):
        sign_in(public, client, "nobody")


@pytest.fixture
def required_factor(call, pool) -> Callable[[], str]:
    """A pool that asks every user for a second factor."""

    def make() -> str:
        pool_id = pool()
        call(
            "SetUserPoolMfaConfig",
            UserPoolId=pool_id,
            MfaConfiguration="ON",
            SoftwareTokenMfaConfiguration={"Enabled": True},
        )
        return pool_id

    return make


def test_no_tokens_without_the_factor(call, public, required_factor, app, user):
    """A pool with MFA ON gives no tokens for a password alone: a factor is asked for, or to set one up."""
    pool_id = required_factor()
    asked = sign_in(public, app(pool_id), user(pool_id))
    assert asked["ChallengeName"] == "MFA_SETUP"
    assert "AuthenticationResult" not in asked
    by_phone = {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms", "ExternalId": "x"}
    call(
        "SetUserPoolMfaConfig",
        UserPoolId=pool_id,
        MfaConfiguration="ON",
        SmsMfaConfiguration={"SmsConfiguration": by_phone},
    )
    for attributes, challenge in (({}, "MFA_SETUP"), ({"phone_number": "+15550100"}, "SMS_MFA")):
        asked = sign_in(public, app(pool_id), user(pool_id, **attributes))
        assert asked["ChallengeName"] == challenge
        assert "AuthenticationResult" not in asked
