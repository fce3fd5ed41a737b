"""``/oauth2/userInfo``: rows U of spec/http/09."""

import httpx
import pytest

from tests.conftest import PASSWORD
from tests.oauth.conftest import Site, claims

BAD_TOKEN = "Access token is expired, disabled, or deleted, or the user has globally signed out."


def is_invalid(answer: httpx.Response) -> bool:
    return answer.status_code == 401 and answer.json()["error"] == "invalid_token"


def test_u1_email(site: Site):
    """``openid email`` shows the address, and that it is verified, as text."""
    token = site.tokens()["access_token"]
    answer = site.userinfo(token)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json() == {
        "sub": claims(token)["sub"],
        "email_verified": "true",
        "email": site.email,
        "username": site.username,
    }


def test_u2_openid_alone(site: Site):
    """``openid`` by itself shows everything that the client may read."""
    body = site.userinfo(site.tokens(scope="openid")["access_token"]).json()
    assert set(body) == {"sub", "email", "email_verified", "name", "custom:x", "username"}
    assert all(isinstance(value, str) for value in body.values())


def test_u3_phone_without_a_phone(site: Site):
    """A scope whose attributes the user lacks shows nothing more."""
    body = site.userinfo(site.tokens(scope="openid phone")["access_token"]).json()
    assert set(body) == {"sub", "username"}


def test_u4_token_of_the_api(site: Site):
    """A token of the API lacks ``openid``."""
    answer = site.call(
        "InitiateAuth",
        ClientId=site.a,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": site.email, "PASSWORD": PASSWORD},
    )
    refusal = site.userinfo(answer["AuthenticationResult"]["AccessToken"])
    assert refusal.status_code == 401
    assert refusal.json() == {
        "error": "invalid_token",
        "error_description": "Access token does not contain openid scope",
    }


def test_u5_id_token(site: Site):
    """An ID token opens nothing."""
    assert is_invalid(site.userinfo(site.tokens()["id_token"]))


@pytest.mark.parametrize("header", [None, "", "Bearer", "Token x", "Basic YTpi"])
def test_u6_no_token(site: Site, header: str | None):
    """Without a token the request is a bad one."""
    answer = site.get("/oauth2/userInfo", **({} if header is None else {"authorization": header}))
    text = 'error="invalid_request", error_description="Bad OAuth2 request at UserInfo Endpoint"'
    assert answer.status_code == 400
    assert answer.headers["www-authenticate"] == text
    assert answer.json()["error"] == "invalid_request"


def test_u7_after_global_sign_out(site: Site, call):
    """After a global sign-out the token opens nothing."""
    token = site.tokens()["access_token"]
    call("AdminUserGlobalSignOut", UserPoolId=site.pool_id, Username=site.username)
    answer = site.userinfo(token)
    assert is_invalid(answer)
    assert answer.headers["www-authenticate"] == f'error="invalid_token", error_description="{BAD_TOKEN}"'


@pytest.mark.parametrize("operation", ["AdminDisableUser", "AdminDeleteUser"])
def test_u7_after_disabling_and_deleting(site: Site, call, operation: str):
    """Tokens of a disabled or deleted user open nothing."""
    token = site.tokens()["access_token"]
    call(operation, UserPoolId=site.pool_id, Username=site.username)
    assert is_invalid(site.userinfo(token))


def test_u7_expired(site: Site):
    """An expired token opens nothing."""
    token = site.tokens()["access_token"]
    site.server.clock.advance(3601)
    assert is_invalid(site.userinfo(token))


def test_u8_read_permissions(site: Site):
    """What the client may not read is not shown."""
    app = site.app(ReadAttributes=["email", "email_verified"])
    body = site.userinfo(site.tokens(app["ClientId"], scope="openid")["access_token"]).json()
    assert set(body) == {"sub", "email", "email_verified", "username"}


def test_spelling_and_methods(site: Site):
    """Every spelling of the path and POST serve as well; other methods do not."""
    token = site.tokens()["access_token"]
    bearer = {"authorization": f"Bearer {token}"}
    expected = site.userinfo(token).json()
    assert site.get("/oauth2/userinfo", **bearer).json() == expected
    assert site.http.post(f"{site.base}/oauth2/userInfo", headers=bearer).json() == expected
    assert site.post("/oauth2/userInfo", {"access_token": token}).json() == expected
    assert site.http.put(f"{site.base}/oauth2/userInfo", headers=bearer).status_code == 405


def test_token_of_another_pool(site: Site, pool, call):
    """A domain answers for its own pool only."""
    token = site.tokens()["access_token"]
    call("CreateUserPoolDomain", UserPoolId=pool(), Domain=f"x{site.prefix}", ManagedLoginVersion=2)
    site.prefix = f"x{site.prefix}"
    assert is_invalid(site.userinfo(token))
