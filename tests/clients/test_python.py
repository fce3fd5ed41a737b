"""Clients from PyPI, unmodified."""

import json
import os
import pathlib
import subprocess
import sys
import time

import httpx
import jwt
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from pycognito import Cognito
from pycognito.exceptions import SMSMFAChallengeException, SoftwareTokenMFAChallengeException

from tests.authenticator import one_time_code
from tests.clients.conftest import CALLBACK, code_of, sign_in_by_form
from tests.conftest import ACCESS_KEY, PASSWORD, SECRET_KEY

pytestmark = pytest.mark.clients
AWS = pathlib.Path(sys.executable).parent / "aws"


@pytest.fixture
def aws(server):
    """The AWS CLI, with what ``poolhouse env`` prints in its environment."""
    environment = os.environ | {
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": server.url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_PAGER": "",
    }

    def run(*arguments: str, check: bool = True):
        command = [AWS, "cognito-idp", *arguments, "--output", "json"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)
        if not check:
            return done
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


def test_aws_cli_makes_a_pool_and_signs_in(aws):
    """The AWS CLI makes a pool, a client and a user, and gets tokens."""
    pool_id = aws("create-user-pool", "--pool-name", "cli")["UserPool"]["Id"]
    client_id = aws(
        "create-user-pool-client",
        "--user-pool-id",
        pool_id,
        "--client-name",
        "cli",
        "--explicit-auth-flows",
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    )["UserPoolClient"]["ClientId"]
    aws("sign-up", "--client-id", client_id, "--username", "dora", "--password", PASSWORD)
    aws("admin-confirm-sign-up", "--user-pool-id", pool_id, "--username", "dora")
    tokens = aws(
        "initiate-auth",
        "--auth-flow",
        "USER_PASSWORD_AUTH",
        "--client-id",
        client_id,
        "--auth-parameters",
        f"USERNAME=dora,PASSWORD={PASSWORD}",
    )["AuthenticationResult"]

    assert aws("get-user", "--access-token", tokens["AccessToken"])["Username"] == "dora"
    assert [user["Username"] for user in aws("list-users", "--user-pool-id", pool_id)["Users"]] == ["dora"]


def test_aws_cli_shows_errors_as_from_cognito(aws):
    """An error reaches the user of the AWS CLI with its type and text."""
    done = aws("describe-user-pool", "--user-pool-id", "us-east-1_AAAAAAAAA", check=False)

    assert "(ResourceNotFoundException)" in done.stderr
    assert "User pool us-east-1_AAAAAAAAA does not exist." in done.stderr


def test_pycognito_signs_in_by_srp_and_verifies(server, pool, app, user, monkeypatch):
    """pycognito proves the password by SRP, checks the tokens against the JWKS, refreshes and changes an attribute."""
    pool_id = pool()
    client = app(pool_id, GenerateSecret=True)
    name = user(pool_id, email="eve@example.org")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    account = Cognito(
        pool_id,
        client["ClientId"],
        client_secret=client["ClientSecret"],
        username=name,
        user_pool_region="us-east-1",
        boto3_client_kwargs={"endpoint_url": server.url},
    )

    account.authenticate(password=PASSWORD)
    account.verify_token(account.id_token, "id_token", "id")
    first = account.access_token
    account.renew_access_token()
    account.update_profile({"name": "Eve"})

    assert account.access_token != first
    assert account.get_user().name == "Eve"


def test_pycognito_signs_in_with_an_authenticator_app(server, pool, app, user, call, monkeypatch):
    """pycognito sets an authenticator app up, is asked for its code, and gets tokens for it."""
    pool_id = pool()
    offered = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
    call("SetUserPoolMfaConfig", UserPoolId=pool_id, MfaConfiguration="OPTIONAL", **offered)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    account = Cognito(
        pool_id,
        app(pool_id)["ClientId"],
        username=user(pool_id),
        user_pool_region="us-east-1",
        boto3_client_kwargs={"endpoint_url": server.url},
    )

    account.authenticate(password=PASSWORD)
    secret = account.associate_software_token()
    assert account.verify_software_token(one_time_code(secret, time.time()), "phone")
    account.set_user_mfa_preference(sms_mfa=False, software_token_mfa=True, preferred="SOFTWARE_TOKEN")
    with pytest.raises(SoftwareTokenMFAChallengeException) as asked:
        account.authenticate(password=PASSWORD)
    account.access_token = None
    # The code of the present half minute was used to set the app up.
    account.respond_to_software_token_mfa_challenge(one_time_code(secret, time.time() + 30), asked.value.get_tokens())

    assert call("GetUser", AccessToken=account.access_token)["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"


def test_pycognito_signs_in_with_a_text_message(server, pool, app, user, call, inbox, monkeypatch):
    """pycognito is asked for the code of a text message after SRP, and gets tokens for it."""
    pool_id = pool()
    by_phone = {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms", "ExternalId": "x"}
    offered = {"SmsMfaConfiguration": {"SmsConfiguration": by_phone}}
    call("SetUserPoolMfaConfig", UserPoolId=pool_id, MfaConfiguration="ON", **offered)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    account = Cognito(
        pool_id,
        app(pool_id)["ClientId"],
        username=user(pool_id, phone_number="+15550171"),
        user_pool_region="us-east-1",
        boto3_client_kwargs={"endpoint_url": server.url},
    )

    with pytest.raises(SMSMFAChallengeException) as asked:
        account.authenticate(password=PASSWORD)
    account.respond_to_sms_mfa_challenge(inbox("+15550171")[-1].code, asked.value.get_tokens())

    assert call("GetUser", AccessToken=account.access_token)["Username"] == account.username


def test_authlib_goes_through_the_code_flow(server, hosted_pool, user):
    """Authlib gets tokens by code and PKCE from the discovered endpoints, and PyJWT verifies them against the JWKS."""
    pool_id, client = hosted_pool
    user(pool_id, "fred@example.org", email="fred@example.org", email_verified="true")
    issuer = f"{server.url}/{pool_id}"
    with OAuth2Client(
        client["ClientId"],
        scope="openid email",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
    ) as session:
        metadata = httpx.get(f"{issuer}/.well-known/openid-configuration").json()
        url, state = session.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier="v" * 43, nonce="n-1"
        )
        callback = sign_in_by_form(url, "fred@example.org", PASSWORD)
        assert f"state={state}" in callback
        token = session.fetch_token(metadata["token_endpoint"], code=code_of(callback), code_verifier="v" * 43)
        keys = jwt.PyJWKClient(metadata["jwks_uri"])
        claims = jwt.decode(
            token["id_token"],
            keys.get_signing_key_from_jwt(token["id_token"]),
            ["RS256"],
            audience=client["ClientId"],
            issuer=metadata["issuer"],
        )
        access = jwt.decode(
            token["access_token"],
            keys.get_signing_key_from_jwt(token["access_token"]),
            ["RS256"],
            issuer=metadata["issuer"],
        )

        assert claims["nonce"] == "n-1"
        assert access["client_id"] == client["ClientId"]
        assert session.get(metadata["userinfo_endpoint"]).json()["email"] == "fred@example.org"
