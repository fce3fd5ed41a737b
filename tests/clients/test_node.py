"""Clients from npm, unmodified."""

import asyncio
import base64
import json

import httpx
import pytest

from poolhouse.crypto.sender_keys import SenderKeys
from tests.clients.colour import COLOUR, lambda_config
from tests.clients.conftest import CALLBACK, ROTATING, sign_in_by_form
from tests.conftest import PASSWORD
from tests.kms import KEY_ARN, KeyService
from tests.operations.owner import TOTP

pytestmark = pytest.mark.clients


def test_openid_client_goes_through_code_with_pkce(node, server, hosted_pool, user):
    """openid-client discovers the pool, gets tokens by code and PKCE, reads userinfo, refreshes and revokes."""
    pool_id, client = hosted_pool
    user(pool_id, "ann@example.org", email="ann@example.org", email_verified="true")

    found = node(
        "openid_client.mjs",
        f"{server.url}/{pool_id}",
        client["ClientId"],
        CALLBACK,
        dialogue=lambda url: sign_in_by_form(url, "ann@example.org", PASSWORD),
    )

    assert found["claims"]["email"] == "ann@example.org"
    assert found["user"]["email_verified"] == "true"
    assert found["refreshed"]
    assert found["afterwards"] == "invalid_grant"


def test_identity_js_signs_in(node, server, call, pool, app, user, answers):
    """amazon-cognito-identity-js signs in by SRP and by password, with its own code, refreshes and signs out everywhere.

    It knows no GetTokensFromRefreshToken, so that it cannot refresh where tokens rotate; it is told so as by Cognito.
    """
    pool_id = pool()
    call("SetUserPoolMfaConfig", UserPoolId=pool_id, MfaConfiguration="OPTIONAL", **TOTP)
    client, rotating = app(pool_id), app(pool_id, **ROTATING)
    name = user(pool_id, email="bob@example.org")

    ids = (pool_id, client["ClientId"], rotating["ClientId"])
    found = node("identity_js.mjs", f"{server.url}/", *ids, name, PASSWORD, dialogue=answers)

    assert found["claims"]["cognito:username"] == name
    assert found["attributes"]["email"] == "bob@example.org"
    assert found["refreshed"]
    assert found["passed"] == name
    assert found["afterwards"] == ["NotAuthorizedException"] * 2
    assert found["rotating"] == "UnsupportedOperationException"


def test_identity_js_remembers_its_device(node, server, pool, app, user):
    """amazon-cognito-identity-js confirms its device, signs in by its secret, and begins anew once it is forgotten."""
    pool_id = pool(DeviceConfiguration={"ChallengeRequiredOnNewDevice": True})
    client = app(pool_id)
    name = user(pool_id)

    found = node("identity_js_device.mjs", f"{server.url}/", pool_id, client["ClientId"], name, PASSWORD)

    first, second, third = found["asked"]
    assert first == ["InitiateAuth", "PASSWORD_VERIFIER", "ConfirmDevice"]
    assert second == ["InitiateAuth", "PASSWORD_VERIFIER", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"]
    assert third[-3:] == ["PASSWORD_VERIFIER", "PASSWORD_VERIFIER", "ConfirmDevice"]
    assert found["keys"][0] == found["keys"][1] != found["keys"][2]
    assert found["devices"] == [found["keys"][0]]
    assert (found["refreshed"], found["afterwards"]) == ("refreshed", "Invalid Refresh Token")


def test_identity_js_goes_through_custom_authentication(node, server, pool, app, user, functions):
    """amazon-cognito-identity-js answers a function's challenge, without the password and after proving it by SRP."""
    lambdas = lambda_config(functions)
    pool_id = pool(LambdaConfig=lambdas)
    client = app(pool_id, ExplicitAuthFlows=["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    name = user(pool_id)

    ids = (pool_id, client["ClientId"], name, PASSWORD)
    found = node("identity_js_custom.mjs", f"{server.url}/", *ids, COLOUR)

    assert found["users"] == [name, name]
    assert [asked["question"] for asked in found["asked"]] == ["Which colour?"] * 2
    told = [len(event["request"]["session"]) for event in functions.events(lambdas["DefineAuthChallenge"])]
    assert told == [0, 1, 1, 2, 3]


def test_the_encryption_sdk_decrypts_codes_for_custom_senders(node, monkeypatch):
    """@aws-crypto/client-node, as the guide's handler uses it, reads codes under a raw key and under a KMS."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    kms = KeyService()
    try:
        for kind, key in (("raw", base64.b64encode(b"k" * 32).decode()), ("kms", kms.url)):
            keys = SenderKeys({"*": kind if kind == "kms" else key}, kms.url)
            code = asyncio.run(keys.encrypt("123456", key_id=KEY_ARN, pool_id="us-east-1_AbCdEfGhI"))
            keys.close()
            event = json.dumps({"request": {"type": "customEmailSenderRequestV1", "code": code}})
            decrypted = node("custom_sender.mjs", kind, KEY_ARN, key, event)
            assert decrypted == {"code": "123456", "pool": "us-east-1_AbCdEfGhI"}
    finally:
        kms.close()


@pytest.mark.parametrize("use", ["id", "access"])
def test_aws_jwt_verify_accepts_tokens(node, aws_issuer_server, use):
    """aws-jwt-verify's CognitoJwtVerifier accepts both tokens where the issuer is Cognito's own."""
    cognito = aws_issuer_server.boto()
    pool_id = cognito.create_user_pool(PoolName="verified")["UserPool"]["Id"]
    client_id = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="c",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool_id, Username="carol", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool_id, Username="carol", Password=PASSWORD, Permanent=True)
    tokens = cognito.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=client_id,
        AuthParameters={"USERNAME": "carol", "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    jwks = httpx.get(f"{aws_issuer_server.url}/{pool_id}/.well-known/jwks.json").json()

    claims = node("jwt_verify.mjs", pool_id, client_id, use, tokens[f"{use.capitalize()}Token"], json.dumps(jwks))

    assert claims["iss"] == f"https://cognito-idp.us-east-1.amazonaws.com/{pool_id}"
    assert claims["token_use"] == use
