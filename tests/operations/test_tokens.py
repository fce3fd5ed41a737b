"""Refreshing and revoking over the wire, and tokens as other people's libraries see them."""

import base64
import hashlib
import hmac
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import httpx
import jwt
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import PASSWORD

ROTATING = {
    "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0},
    "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
}


@pytest.fixture
def public(server):
    """A boto3 client without credentials, as an app has."""
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, max_pool_connections=32)
    return boto3.client("cognito-idp", endpoint_url=server.url, region_name="us-east-1", config=config)


def refused(code: str, message: str | None = None):
    """Expect an error by its code, and by its exact text where one is given."""
    text = "" if message is None else f": {re.escape(message)}$"
    return pytest.raises(ClientError, match=rf"\((?:{code})\).*{text}")


def sign_in(public, client: dict[str, Any], name: str) -> dict[str, Any]:
    parameters = {"USERNAME": name, "PASSWORD": PASSWORD}
    if "ClientSecret" in client:
        parameters["SECRET_HASH"] = secret_hash(client, name)
    answer = public.initiate_auth(ClientId=client["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    return answer["AuthenticationResult"]


def secret_hash(client: dict[str, Any], username: str) -> str:
    message = (username + client["ClientId"]).encode()
    return base64.b64encode(hmac.digest(client["ClientSecret"].encode(), message, hashlib.sha256)).decode()


def refresh(public, client: dict[str, Any], token: str, flow: str = "REFRESH_TOKEN_AUTH", **more: str):
    answer = public.initiate_auth(
        ClientId=client["ClientId"], AuthFlow=flow, AuthParameters={"REFRESH_TOKEN": token, **more}
    )
    assert answer["ChallengeParameters"] == {}
    return answer["AuthenticationResult"]


def exchange(public, client: dict[str, Any], token: str, **more: str) -> dict[str, Any]:
    return public.get_tokens_from_refresh_token(ClientId=client["ClientId"], RefreshToken=token, **more)[
        "AuthenticationResult"
    ]


def claims(token: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))


def test_tokens_verify_by_the_published_keys(server, public, pool, app, user):
    """PyJWT accepts both tokens by the pool's JWKS, with the issuer and audience that they name."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    made = sign_in(public, client, name)
    issuer = claims(made["IdToken"])["iss"]
    keys = {key["kid"]: key for key in httpx.get(f"{server.url}/{pool_id}/.well-known/jwks.json").json()["keys"]}
    used = set()
    for token, audience in ((made["IdToken"], client["ClientId"]), (made["AccessToken"], None)):
        header = jwt.get_unverified_header(token)
        assert list(header) == ["kid", "alg"]
        used.add(header["kid"])
        key = jwt.PyJWK(keys[header["kid"]]).key
        told = jwt.decode(
            token, key, algorithms=["RS256"], audience=audience, issuer=issuer, options={"require": ["exp", "iat"]}
        )
        assert told["sub"]
    assert used == set(keys)


@pytest.mark.parametrize("flow", ["REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"])
def test_refreshing(public, pool, app, user, flow: str):
    """A refresh by InitiateAuth gives no refresh token and keeps session and sign-in time."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    made = sign_in(public, client, name)
    again = refresh(public, client, made["RefreshToken"], flow)
    assert set(again) == {"AccessToken", "ExpiresIn", "IdToken", "TokenType"}
    before, after = claims(made["IdToken"]), claims(again["IdToken"])
    assert (before["auth_time"], before["origin_jti"]) == (after["auth_time"], after["origin_jti"])
    assert before["jti"] != after["jti"]


def test_refreshing_by_an_administrator(call, public, pool, app, user):
    """AdminInitiateAuth refreshes as InitiateAuth does."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    made = sign_in(public, client, name)
    answer = call(
        "AdminInitiateAuth",
        UserPoolId=pool_id,
        ClientId=client["ClientId"],
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": made["RefreshToken"]},
    )
    assert answer["AuthenticationResult"]["IdToken"]


def test_refreshing_with_a_secret(public, pool, app, user):
    """The secret hash of a refresh is over the user's stored name, not over an alias."""
    pool_id = pool(UsernameAttributes=["email"])
    client = app(pool_id, GenerateSecret=True)
    name = user(pool_id, "ann@example.com")
    made = sign_in(public, client, "ann@example.com")
    with refused("NotAuthorizedException"):
        refresh(public, client, made["RefreshToken"])
    with refused("NotAuthorizedException", f"Unable to verify secret hash for client {client['ClientId']}"):
        refresh(public, client, made["RefreshToken"], SECRET_HASH=secret_hash(client, "ann@example.com"))
    assert refresh(public, client, made["RefreshToken"], SECRET_HASH=secret_hash(client, name))
    with refused("NotAuthorizedException", "Invalid Refresh Token"):
        refresh(public, client, "garbage", SECRET_HASH=secret_hash(client, name))


def test_refresh_tokens_that_do_not_count(server, call, public, pool, app, user):
    """Missing, garbage, foreign, expired and revoked tokens have each their own words."""
    pool_id = pool()
    client, other = app(pool_id, RefreshTokenValidity=1), app(pool_id)
    made = sign_in(public, client, user(pool_id))
    with refused("InvalidParameterException", "Missing required parameter REFRESH_TOKEN"):
        public.initiate_auth(ClientId=client["ClientId"], AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={})
    with refused("NotAuthorizedException", "Invalid Refresh Token"):
        refresh(public, client, "garbage")
    with refused("NotAuthorizedException", "Invalid Refresh Token"):
        refresh(public, other, made["RefreshToken"])
    with refused("NotAuthorizedException", "Invalid Refresh Token."):
        exchange(public, other, made["RefreshToken"])
    server.clock.advance(86400)
    with refused("NotAuthorizedException", "Refresh Token has expired"):
        refresh(public, client, made["RefreshToken"])
    server.clock.back_to_now()
    public.revoke_token(ClientId=client["ClientId"], Token=made["RefreshToken"])
    for call_ in (refresh, exchange):
        with refused("NotAuthorizedException", "Refresh Token has been revoked"):
            call_(public, client, made["RefreshToken"])


def test_refresh_without_rotation_by_the_newer_operation(public, pool, app, user):
    """GetTokensFromRefreshToken works without rotation, and then gives no refresh token."""
    pool_id = pool()
    client = app(pool_id)
    made = sign_in(public, client, user(pool_id))
    again = exchange(public, client, made["RefreshToken"])
    assert set(again) == {"AccessToken", "ExpiresIn", "IdToken", "TokenType"}


def test_rotation(public, pool, app, user):
    """With rotation the older flow is refused, the newer one gives a new token, the old one ends the family."""
    pool_id = pool()
    client = app(pool_id, **ROTATING)
    made = sign_in(public, client, user(pool_id))
    with refused("UnsupportedOperationException"):
        refresh(public, client, made["RefreshToken"])
    again = exchange(public, client, made["RefreshToken"])
    assert again["RefreshToken"] != made["RefreshToken"]
    assert claims(again["AccessToken"])["origin_jti"] == claims(made["AccessToken"])["origin_jti"]
    with refused("RefreshTokenReuseException"):
        exchange(public, client, made["RefreshToken"])
    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        exchange(public, client, again["RefreshToken"])


def test_a_hundred_refreshes_at_once(public, pool, app, user):
    """Rotation without grace: of a hundred parallel refreshes over HTTP, one wins."""
    pool_id = pool()
    client = app(pool_id, **ROTATING)
    token = sign_in(public, client, user(pool_id))["RefreshToken"]

    def once(_: int) -> str:
        try:
            exchange(public, client, token)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "tokens"

    with ThreadPoolExecutor(16) as threads:
        said = list(threads.map(once, range(100)))
    assert said.count("tokens") == 1
    assert set(said) <= {"tokens", "RefreshTokenReuseException", "NotAuthorizedException"}


def test_client_secrets_in_clear(public, pool, app, user):
    """GetTokensFromRefreshToken and RevokeToken take the secret itself, and refuse a wrong or needless one."""
    pool_id = pool()
    client, open_client, name = app(pool_id, GenerateSecret=True), app(pool_id), user(pool_id)
    token = sign_in(public, client, name)["RefreshToken"]
    good, bad = {"ClientSecret": client["ClientSecret"]}, {"ClientSecret": "x" * 51}
    assert exchange(public, client, token, **good)["IdToken"]
    for wrong in ({}, bad):
        with refused("NotAuthorizedException"):
            exchange(public, client, token, **wrong)
        with refused("UnauthorizedException"):
            public.revoke_token(ClientId=client["ClientId"], Token=token, **wrong)
    with refused("UnauthorizedException"):
        public.revoke_token(ClientId=open_client["ClientId"], Token=token, **bad)
    with refused("UnauthorizedException"):
        public.revoke_token(ClientId="nobody", Token=token)
    assert exchange(public, client, token, **good)
    public.revoke_token(ClientId=client["ClientId"], Token=token, **good)
    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        exchange(public, client, token, **good)


def test_revoking(public, pool, app, user):
    """A revoked session's access token is refused; other sessions go on; revoking twice is no error."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    made, other = sign_in(public, client, name), sign_in(public, client, name)
    assert public.get_user(AccessToken=made["AccessToken"])["Username"] == name
    for _ in range(2):
        public.revoke_token(ClientId=client["ClientId"], Token=made["RefreshToken"])
    with refused("NotAuthorizedException", "Access Token has been revoked"):
        public.get_user(AccessToken=made["AccessToken"])
    assert public.get_user(AccessToken=other["AccessToken"])
    assert refresh(public, client, other["RefreshToken"])


def test_what_cannot_be_revoked(public, pool, app, user):
    """Access and ID tokens are of an unsupported type; clients without revocation cannot revoke."""
    pool_id = pool()
    client, without, name = app(pool_id), app(pool_id, EnableTokenRevocation=False), user(pool_id)
    made = sign_in(public, client, name)
    for kind in ("AccessToken", "IdToken"):
        with refused("UnsupportedTokenTypeException"):
            public.revoke_token(ClientId=client["ClientId"], Token=made[kind])
    bare = sign_in(public, without, name)
    assert "origin_jti" not in claims(bare["AccessToken"])
    assert "jti" in claims(bare["AccessToken"])
    assert {"origin_jti", "jti"}.isdisjoint(claims(bare["IdToken"]))
    with refused("UnsupportedOperationException"):
        public.revoke_token(ClientId=without["ClientId"], Token=bare["RefreshToken"])


@pytest.mark.parametrize("ending", ["AdminUserGlobalSignOut", "AdminDisableUser", "AdminDeleteUser"])
def test_sessions_end_with_their_user(call, public, pool, app, user, ending: str):
    """Signing out everywhere, disabling and deleting end the tokens of a user at once."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    made = sign_in(public, client, name)
    call(ending, UserPoolId=pool_id, Username=name)
    with refused("NotAuthorizedException|UserNotFoundException"):
        refresh(public, client, made["RefreshToken"])
    with refused("NotAuthorizedException|UserNotFoundException"):
        public.get_user(AccessToken=made["AccessToken"])


def test_disabled_sessions_do_not_revive(call, public, pool, app, user):
    """What disabling ended stays ended when the user is enabled again."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    made = sign_in(public, client, name)
    call("AdminDisableUser", UserPoolId=pool_id, Username=name)
    call("AdminEnableUser", UserPoolId=pool_id, Username=name)
    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        refresh(public, client, made["RefreshToken"])


def test_a_token_outside_of_its_alphabet(public, pool, app):
    """A refresh token with characters that no token has is a validation error."""
    client = app(pool())
    with refused("InvalidParameterException"):
        public.revoke_token(ClientId=client["ClientId"], Token="not a token!")


@pytest.mark.parametrize("seconds", [299, 86_401])
def test_lives_of_tokens_have_limits(pool, app, seconds: int):
    """A token lives five minutes at least and a day at most."""
    with refused("InvalidParameterException"):
        app(pool(), AccessTokenValidity=seconds, TokenValidityUnits={"AccessToken": "seconds"})


def test_unreadable_attributes_stay_out(public, pool, app, user):
    """What a client may not read is in none of its ID tokens."""
    pool_id = pool(Schema=[{"Name": "n", "AttributeDataType": "Number"}])
    client = app(pool_id, ReadAttributes=["email"])
    name = user(pool_id, email="ann@example.com", given_name="Ann", custom_n="42")
    told = claims(sign_in(public, client, name)["IdToken"])
    assert told["email"] == "ann@example.com"
    assert {"given_name", "custom:n"}.isdisjoint(told)
    assert claims(sign_in(public, app(pool_id), name)["IdToken"])["custom:n"] == "42"
