"""Clients from PyPI, unmodified."""

import json
import os
import pathlib
import subprocess
import sys

import httpx
import jwt
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from pycognito import Cognito
from pycognito.aws_srp import AWSSRP, generate_hash_device
from pycognito.exceptions import SMSMFAChallengeException, SoftwareTokenMFAChallengeException

from tests.authenticator import one_time_code
from tests.clients.conftest import CALLBACK, ROTATING, code_of, sign_in_by_form
from tests.conftest import ACCESS_KEY, PASSWORD, SECRET_KEY
from tests.operations.owner import SMS, TOTP
from tests.operations.talk import refusal

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


@pytest.fixture
def account(server, monkeypatch):
    """Make an account of pycognito, for which an endpoint is the only setting beside the pool and the client."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)

    def make(pool_id, client, username):
        return Cognito(
            pool_id,
            client["ClientId"],
            client_secret=client.get("ClientSecret"),
            username=username,
            user_pool_region="us-east-1",
            boto3_client_kwargs={"endpoint_url": server.url},
        )

    return make


def test_pycognito_signs_in_by_srp_and_verifies(account, pool, app, user, call):
    """pycognito proves the password by SRP or sends it, checks the tokens, refreshes and signs out everywhere.

    It knows no GetTokensFromRefreshToken, so that it cannot refresh where tokens rotate, as with Cognito, and nothing of
    custom authentication.
    """
    pool_id = pool()
    client = app(pool_id, GenerateSecret=True)
    eve = account(pool_id, client, user(pool_id, email="eve@example.org"))

    eve.authenticate(password=PASSWORD)
    eve.verify_token(eve.id_token, "id_token", "id")
    first = eve.access_token
    eve.renew_access_token()
    eve.update_profile({"name": "Eve"})

    assert eve.access_token != first
    assert eve.get_user().name == "Eve"
    eve.admin_authenticate(PASSWORD)
    second, refresh_token = eve.access_token, eve.refresh_token
    eve.logout()
    for token in (first, second):
        assert refusal(call, "GetUser", AccessToken=token) == (
            "NotAuthorizedException",
            "Access Token has been revoked",
        )
    eve.refresh_token = refresh_token
    with pytest.raises(eve.client.exceptions.NotAuthorizedException):
        eve.renew_access_token()

    rotating = account(pool_id, app(pool_id, **ROTATING), eve.username)
    rotating.authenticate(password=PASSWORD)
    with pytest.raises(rotating.client.exceptions.UnsupportedOperationException):
        rotating.renew_access_token()


def test_pycognito_signs_in_with_an_authenticator_app(server, account, pool, app, user, call):
    """pycognito sets an authenticator app up, is asked for its code, and gets tokens for it."""
    pool_id = pool()
    call("SetUserPoolMfaConfig", UserPoolId=pool_id, MfaConfiguration="OPTIONAL", **TOTP)
    eve = account(pool_id, app(pool_id), user(pool_id))

    eve.authenticate(password=PASSWORD)
    secret = eve.associate_software_token()
    assert eve.verify_software_token(one_time_code(secret, server.clock.now() / 1000), "phone")
    eve.set_user_mfa_preference(sms_mfa=False, software_token_mfa=True, preferred="SOFTWARE_TOKEN")
    with pytest.raises(SoftwareTokenMFAChallengeException) as asked:
        eve.authenticate(password=PASSWORD)
    eve.access_token = None
    # The code of the present half minute was used to set the app up.
    code = one_time_code(secret, server.clock.now() / 1000 + 30)
    eve.respond_to_software_token_mfa_challenge(code, asked.value.get_tokens())

    assert call("GetUser", AccessToken=eve.access_token)["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"


def test_pycognito_signs_in_with_a_text_message(account, pool, app, user, call, inbox):
    """pycognito is asked for the code of a text message after SRP, and gets tokens for it."""
    pool_id = pool()
    call("SetUserPoolMfaConfig", UserPoolId=pool_id, MfaConfiguration="ON", SmsMfaConfiguration=SMS)
    eve = account(pool_id, app(pool_id), user(pool_id, phone_number="+15550171"))

    with pytest.raises(SMSMFAChallengeException) as asked:
        eve.authenticate(password=PASSWORD)
    eve.respond_to_sms_mfa_challenge(inbox("+15550171")[-1].code, asked.value.get_tokens())

    assert call("GetUser", AccessToken=eve.access_token)["Username"] == eve.username


def test_pycognito_uses_a_device(account, pool, app, user, call):
    """pycognito signs in by the secret of a device that it made, where boto3 adds what it leaves out.

    Its ``confirm_device`` posts to Amazon's own address, whatever the endpoint; and it answers DEVICE_SRP_AUTH without
    the Session, which shows that the password was right.
    """
    pool_id = pool(DeviceConfiguration={"ChallengeRequiredOnNewDevice": True})
    client = app(pool_id)
    eve = account(pool_id, client, user(pool_id))
    bring_session_along(eve.client)
    ids = {"pool_id": pool_id, "client_id": client["ClientId"], "client": eve.client}
    tokens = AWSSRP(eve.username, PASSWORD, **ids).authenticate_user()["AuthenticationResult"]
    keys = tokens["NewDeviceMetadata"]
    secret, verifier = generate_hash_device(keys["DeviceGroupKey"], keys["DeviceKey"])
    members = {"AccessToken": tokens["AccessToken"], "DeviceKey": keys["DeviceKey"]}
    call("ConfirmDevice", **members, DeviceSecretVerifierConfig=verifier)
    device = {"device_key": keys["DeviceKey"], "device_group_key": keys["DeviceGroupKey"], "device_password": secret}

    known = AWSSRP(eve.username, PASSWORD, **ids, **device).authenticate_user()["AuthenticationResult"]

    assert "NewDeviceMetadata" not in known
    claims = jwt.decode(known["AccessToken"], options={"verify_signature": False})
    assert claims["device_key"] == keys["DeviceKey"]


def bring_session_along(client):
    """Let a boto3 client answer each challenge with the Session that it came with."""
    last = {}

    def keep(parsed, **_):
        last["Session"] = parsed.get("Session")

    def add(params, **_):
        return {name: value for name, value in last.items() if value} | params

    client.meta.events.register("after-call.cognito-idp.RespondToAuthChallenge", keep)
    client.meta.events.register("provide-client-params.cognito-idp.RespondToAuthChallenge", add)


def test_authlib_goes_through_the_code_flow(server, hosted_pool, user):
    """Authlib gets tokens by code and PKCE and refreshes them; PyJWT verifies them against the JWKS."""
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
        refreshed = session.refresh_token(metadata["token_endpoint"])
        assert refreshed["access_token"] != token["access_token"]
