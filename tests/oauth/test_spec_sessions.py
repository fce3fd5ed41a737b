"""How sessions, tokens and sign-outs bear on each other (spec/http/03 §3.11, 04 §4.7; 02 §2.1.3, §2.3, §2.4)."""

from urllib.parse import urlencode

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.conftest import PASSWORD
from tests.login.pages import Page, Visitor
from tests.oauth.conftest import CALLBACK, LOGOUT, Site, claims, query

FORGOTTEN = "Another-Horse-2"


@pytest.fixture
def visitor(site: Site):
    """A browser at the domain."""
    browser = Visitor(site.base)
    yield browser
    browser.close()


def asked(site: Site, **changes: str) -> str:
    """The query of an authorization request."""
    parameters = {"client_id": site.a, "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid email"}
    return "?" + urlencode(parameters | changes)


def signed_in(site: Site, browser: Visitor, page: Page) -> dict:
    """Send the form of a page; give the claims of the ID token that comes of it."""
    done = browser.send(page, username=site.email, password=PASSWORD)
    assert done.location.startswith(f"{CALLBACK}?code="), done.html
    assert any(c.startswith("cognito=") for c in done.response.headers.get_list("set-cookie"))
    return claims(site.redeem(query(done.location)["code"]).json()["id_token"])


def test_a25_prompt_login_to_its_end(site: Site, visitor: Visitor):
    """``prompt=login`` asks although there is a session, keeps the session, and gives a new one in the end."""
    first = signed_in(site, visitor, visitor.open("/login" + asked(site)))
    site.server.clock.advance(60)
    page = visitor.follow(visitor.open("/oauth2/authorize" + asked(site, prompt="login")))
    assert page.has("password")
    assert visitor.open("/oauth2/authorize" + asked(site)).location.startswith(CALLBACK)
    second = signed_in(site, visitor, page)
    assert second["auth_time"] - first["auth_time"] >= 60
    assert second["event_id"] != first["event_id"]


def test_a27_max_age_to_its_end(site: Site, visitor: Visitor):
    """A sign-in that is too old is made again, and its new time is told."""
    first = signed_in(site, visitor, visitor.open("/login" + asked(site)))
    site.server.clock.advance(2)
    page = visitor.follow(visitor.open("/oauth2/authorize" + asked(site, max_age="1")))
    assert signed_in(site, visitor, page)["auth_time"] >= first["auth_time"] + 2
    assert visitor.open("/oauth2/authorize" + asked(site, max_age="1")).location.startswith(CALLBACK)


@pytest.mark.parametrize("prompt", ["select_account", "consent", "select_account consent", "unheard-of"])
def test_prompts_without_local_effect(site: Site, prompt: str):
    """Other prompts change nothing for the pool's own users."""
    site.sign_in()
    assert site.authorize(prompt=prompt).headers["location"].startswith(f"{CALLBACK}?code=")


@pytest.mark.parametrize("name", ["identity_provider", "idp_identifier"])
def test_a29_providers_that_are_none(site: Site, name: str):
    """A provider that is not there, by name or identifier, gives the page of 401, session or not."""
    for _ in range(2):
        answer = site.authorize(**{name: "NoSuch"})
        page = site.get(answer.headers["location"].removeprefix(site.base))
        assert page.status_code == 401
        assert "Login option is not available. Please try another one" in page.text
        site.sign_in()


def test_o4_to_sign_in_as_somebody_else(site: Site, visitor: Visitor):
    """/logout with a callback ends the session and leads by the sign-in page back to the application."""
    signed_in(site, visitor, visitor.open("/login" + asked(site)))
    parameters = {"client_id": site.a, "redirect_uri": CALLBACK, "response_type": "code", "state": "s"}
    moved = visitor.open("/logout?" + urlencode(parameters))
    page = visitor.follow(moved)
    assert page.has("password")
    done = visitor.send(page, username=site.email, password=PASSWORD)
    assert query(done.location)["state"] == "s"
    scopes = claims(site.redeem(query(done.location)["code"]).json()["access_token"])["scope"]
    assert {"openid", "rs/read"} <= set(scopes.split(" "))


def global_sign_out(site: Site, call) -> None:
    call("AdminUserGlobalSignOut", UserPoolId=site.pool_id, Username=site.username)


def password_change(site: Site, call) -> None:
    call("AdminSetUserPassword", UserPoolId=site.pool_id, Username=site.username, Password=FORGOTTEN, Permanent=True)


def attribute_change(site: Site, call) -> None:
    name = {"Name": "name", "Value": "Bob"}
    call("AdminUpdateUserAttributes", UserPoolId=site.pool_id, Username=site.username, UserAttributes=[name])


def token_revocation(site: Site, call) -> None:
    assert site.revoke(site.tokens()["refresh_token"]).status_code == 200


def refresh(site: Site, call) -> None:
    assert site.refresh(site.tokens()["refresh_token"]).status_code == 200


@pytest.mark.parametrize("event", [global_sign_out, password_change, attribute_change, token_revocation, refresh])
def test_what_leaves_the_sso_session_alone(site: Site, call, event):
    """None of these touches the session in the cookie, nor makes it last longer (spec/http/03 §3.11)."""
    site.sign_in()
    # Further on, the signature of an administrator's call would be too old.
    site.server.clock.advance(200)
    event(site, call)
    assert site.authorize(prompt="none").headers["location"].startswith(f"{CALLBACK}?code=")
    tokens = site.tokens()
    assert site.userinfo(tokens["access_token"]).status_code == 200
    assert site.refresh(tokens["refresh_token"]).status_code == 200
    site.server.clock.advance(3401)
    assert site.authorize(prompt="none").headers["location"] == f"{CALLBACK}?error=login_required"


def test_short_tokens_do_not_shorten_the_session(site: Site):
    """Tokens of five minutes come from a session of an hour."""
    client = site.app(
        AccessTokenValidity=5, IdTokenValidity=5, TokenValidityUnits={"AccessToken": "minutes", "IdToken": "minutes"}
    )["ClientId"]
    site.sign_in()
    site.server.clock.advance(3500)
    assert site.tokens(client)["expires_in"] == 300


def refused(site: Site, operation: str, **members) -> str:
    with pytest.raises(ClientError) as caught:
        site.call(operation, **members)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_r3_revoked_at_every_door(site: Site):
    """What one door revokes, the other refuses: the session is one."""
    tokens = site.tokens(scope=None)
    access = tokens["access_token"]
    assert site.call("GetUser", AccessToken=access)["Username"] == site.username
    assert site.revoke(tokens["refresh_token"]).status_code == 200
    assert refused(site, "GetUser", AccessToken=access) == "NotAuthorizedException: Access Token has been revoked"
    assert site.userinfo(access).status_code == 401
    again = site.tokens(scope=None)
    site.call("RevokeToken", ClientId=site.a, Token=again["refresh_token"])
    assert site.userinfo(again["access_token"]).status_code == 401
    assert site.refresh(again["refresh_token"]).json() == {"error": "invalid_grant"}


def test_scopes_of_the_api_and_of_userinfo(site: Site):
    """The API wants its own scope, ``userInfo`` wants ``openid``; neither does instead of the other."""
    openid = site.tokens(scope="openid")["access_token"]
    assert refused(site, "GetUser", AccessToken=openid).startswith("NotAuthorizedException: Access Token does not have")
    for scope in ("rs/read", "aws.cognito.signin.user.admin"):
        answer = site.userinfo(site.tokens(scope=scope)["access_token"])
        assert (answer.status_code, answer.json()) == (
            401,
            {"error": "invalid_token", "error_description": "Access token does not contain openid scope"},
        )
        assert "www-authenticate" not in answer.headers


def test_userinfo_refusals_to_the_letter(site: Site):
    """Both refusals have their pair in the header and, the same, in the body."""
    cases = {
        None: (400, "invalid_request", "Bad OAuth2 request at UserInfo Endpoint"),
        "Bearer x.y.z": (
            401,
            "invalid_token",
            "Access token is expired, disabled, or deleted, or the user has globally signed out.",
        ),
    }
    for header, (status, error, description) in cases.items():
        answer = site.get("/oauth2/userInfo", **({"authorization": header} if header else {}))
        assert answer.status_code == status
        assert answer.headers["www-authenticate"] == f'error="{error}", error_description="{description}"'
        assert answer.json() == {"error": error, "error_description": description}
        assert answer.headers["access-control-allow-origin"] == "*"


def test_r1_of_a_confidential_client(site: Site):
    """A confidential client revokes with its secret in the form as well; a hint about the token is ignored."""
    token = site.tokens(site.b, (site.b, site.b_secret))["refresh_token"]
    form = {"token": token, "client_id": site.b, "client_secret": site.b_secret, "token_type_hint": "access_token"}
    answer = site.post("/oauth2/revoke", form)
    assert (answer.status_code, answer.content) == (200, b"")
    assert "content-type" not in answer.headers
    assert site.refresh(token, site.b, auth=(site.b, site.b_secret)).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("changes", [{}, {"client_id": None}, {"token": None}])
def test_r7_unknown_clients(site: Site, changes: dict[str, None]):
    """Who does not say who it is revokes nothing: 401 for a wrong client, 400 for a missing parameter."""
    form = {"token": "x", "client_id": "nosuch"} | changes
    answer = site.post("/oauth2/revoke", form)
    expected = (401, {"error": "invalid_client"}) if form["client_id"] else (400, {"error": "invalid_request"})
    assert (answer.status_code, answer.json()) == expected


def test_o1_then_a_silent_request(site: Site, visitor: Visitor):
    """After signing out a silent request is refused; the tokens of before go on."""
    done = visitor.send(visitor.open("/login" + asked(site)), username=site.email, password=PASSWORD)
    tokens = site.redeem(query(done.location)["code"]).json()
    out = visitor.open("/logout?" + urlencode({"client_id": site.a, "logout_uri": LOGOUT}))
    assert out.location == LOGOUT
    assert "cognito" not in visitor.http.cookies
    silent = visitor.open("/oauth2/authorize" + asked(site, prompt="none", state="s"))
    assert silent.location == f"{CALLBACK}?error=login_required&state=s"
    assert site.userinfo(tokens["access_token"]).status_code == 200
    assert site.refresh(tokens["refresh_token"]).status_code == 200


def test_implicit_flow_to_its_end(site: Site, visitor: Visitor):
    """The implicit flow through the page: tokens in the fragment, none to refresh with, and ``userInfo`` knows them."""
    page = visitor.follow(
        visitor.open("/oauth2/authorize" + asked(site, response_type="token", state="a b", nonce="n"))
    )
    done = visitor.send(page, username=site.email, password=PASSWORD)
    uri, _, fragment = done.location.partition("#")
    answer = query(f"?{fragment}")
    assert uri == CALLBACK
    assert list(answer) == ["id_token", "access_token", "expires_in", "token_type", "state"]
    assert claims(answer["id_token"])["nonce"] == "n"
    body = httpx.get(
        f"{site.base}/oauth2/userInfo",
        headers={"authorization": f"Bearer {answer['access_token']}"},
        trust_env=False,
    ).json()
    assert body["email"] == site.email
