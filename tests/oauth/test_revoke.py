"""``/oauth2/revoke``: rows R of spec/http/09."""

import pytest

from tests.oauth.conftest import CALLBACK, Site


def test_r1_revoke(site: Site):
    """A refresh token can be revoked; the answer is empty."""
    answer = site.revoke(site.tokens()["refresh_token"])
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["access-control-allow-origin"] == "*"


def test_r2_again(site: Site):
    """What is revoked already, or was never a token, is no error."""
    token = site.tokens()["refresh_token"]
    for text in (token, token, "garbage", "a.b.c.d.e", token[:-2]):
        assert site.revoke(text).status_code == 200


def test_r3_what_is_revoked(site: Site):
    """With the refresh token go the tokens of its session."""
    tokens = site.tokens()
    renewed = site.refresh(tokens["refresh_token"]).json()
    assert site.userinfo(renewed["access_token"]).status_code == 200
    site.revoke(tokens["refresh_token"])
    answer = site.refresh(tokens["refresh_token"])
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})
    for token in (tokens["access_token"], renewed["access_token"]):
        assert site.userinfo(token).status_code == 401


def test_r4_other_sessions(site: Site):
    """Other refresh tokens of the user live on."""
    first, second = site.tokens(), site.tokens()
    site.revoke(first["refresh_token"])
    assert site.refresh(second["refresh_token"]).status_code == 200
    assert site.userinfo(second["access_token"]).status_code == 200


@pytest.mark.parametrize("name", ["access_token", "id_token"])
def test_r5_other_tokens(site: Site, name: str):
    """Only refresh tokens can be revoked."""
    answer = site.revoke(site.tokens()[name])
    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_token_type"})


def test_r6_no_token(site: Site):
    """The token is required."""
    answer = site.revoke("")
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})


def test_r7_wrong_secret(site: Site):
    """A confidential client has to prove itself; here the status is 401."""
    token = site.tokens(site.b, client_secret=None, auth=(site.b, site.b_secret))["refresh_token"]
    for options in ({"auth": (site.b, "wrong")}, {}):
        answer = site.revoke(token, site.b, **options)
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert site.refresh(token, site.b, auth=(site.b, site.b_secret)).status_code == 200
    assert site.revoke(token, site.b, auth=(site.b, site.b_secret)).status_code == 200
    assert site.refresh(token, site.b, auth=(site.b, site.b_secret)).status_code == 400


def test_r8_revocation_not_enabled(site: Site):
    """A client without revocation cannot revoke."""
    client = site.app(EnableTokenRevocation=False)["ClientId"]
    token = site.tokens(client)["refresh_token"]
    answer = site.revoke(token, client)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
    assert site.refresh(token, client).status_code == 200


def test_r9_session_cookie(site: Site):
    """The SSO session outlives the revocation."""
    site.revoke(site.tokens()["refresh_token"])
    assert site.authorize(prompt="none").headers["location"].startswith(f"{CALLBACK}?code=")


def test_token_of_another_client(site: Site):
    """A client cannot revoke what is not its own."""
    token = site.tokens()["refresh_token"]
    answer = site.revoke(token, site.app()["ClientId"])
    assert (answer.status_code, answer.json()) == (400, {"error": "unauthorized_client"})
    assert site.refresh(token).status_code == 200


def test_get(site: Site):
    """The endpoint is for POST."""
    assert site.get("/oauth2/revoke").status_code == 405
