"""Single sign-on where the pool tracks sessions: records, limits, and what ends them (spec/http/03 §3.11.1)."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.conftest import PASSWORD
from tests.login.conftest import CALLBACK, CLIENT, Front
from tests.login.pages import Page, Visitor
from tests.operations.talk import refusal
from tests.operations.test_sessions import REVOKED, session_of, track, write_uses

API_SCOPE = "aws.cognito.signin.user.admin"
OPEN = {"AllowedOAuthScopes": ["openid", "email", API_SCOPE]}


class House:
    """A pool that tracks sessions, two clients of it and a user."""

    def __init__(self, front, app, call, user) -> None:
        self.call = call
        self.front: Front = front(version=1, client=OPEN)
        self.pool_id = self.front.pool_id
        self.other = replace(self.front, client_id=app(self.pool_id, **CLIENT | OPEN)["ClientId"])
        self.name = user(self.pool_id)
        track(call, self.pool_id)

    def sign_in(self, visitor: Visitor, front: Front | None = None, **changes: str) -> Page:
        """Sign in on the page."""
        front = front or self.front
        page = visitor.open("/login" + front.query(**changes))
        done = visitor.send(page, username=self.name, password=PASSWORD)
        assert done.location.startswith(f"{CALLBACK}?code="), done.html
        return done

    def reuse(self, visitor: Visitor, front: Front | None = None, **changes: str) -> Page | None:
        """Ask for a code without signing in; None where a sign-in is asked for."""
        answer = visitor.open("/oauth2/authorize" + (front or self.front).query(**changes))
        shown = visitor.open("/login" + (front or self.front).query(**changes))
        silent = answer.location.startswith(CALLBACK)
        assert silent is shown.location.startswith(CALLBACK)
        return answer if silent else None

    def limit(self, front: Front, minutes: int) -> None:
        self.call(
            "SetUserPoolClientSessionConfiguration",
            UserPoolId=self.pool_id,
            ClientId=front.client_id,
            SSOSession={"MaxValidityMinutes": minutes},
        )

    def sessions(self, kind: str) -> list[dict[str, Any]]:
        found = self.call("AdminListUserSessions", UserPoolId=self.pool_id, Username=self.name)["Sessions"]
        return [each for each in found if each["SessionType"] == kind]

    def revoke(self, session_id: str, **more: str) -> None:
        named = {"UserPoolId": self.pool_id, "Username": self.name, "SessionId": session_id}
        assert self.call("AdminRevokeUserSession", **named, **more) == {}


@pytest.fixture
def house(front, app, call, user) -> House:
    return House(front, app, call, user)


def test_a_sign_in_is_on_record_with_what_comes_of_it(house: House, visitor):
    """A sign-in on the pages is an SSO session, and the tokens that come through it name it as their origin."""
    browser = visitor(house.front)
    first = house.front.redeem(house.sign_in(browser).location)
    (sso,) = house.sessions("SSO")
    assert (sso["ClientId"], sso["IsCurrentSession"]) == (house.front.client_id, False)
    assert "OriginSessionId" not in sso
    second = house.other.redeem(house.reuse(browser, house.other).location)
    tokens = {each["SessionId"]: each for each in house.sessions("TOKEN")}
    assert tokens.keys() == {session_of({"AccessToken": each["access_token"]}) for each in (first, second)}
    assert {each["OriginSessionId"] for each in tokens.values()} == {sso["SessionId"]}
    assert len(house.sessions("SSO")) == 1


def test_grants_and_rotations_are_uses_of_the_sign_in(house: House, visitor, app, server):
    """LastActiveDate of an SSO session moves at each grant and rotation, not at a plain refresh (spec/api/10 §1.3)."""
    rotation = {
        "RefreshTokenRotation": {"Feature": "ENABLED"},
        "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
    }
    rotating = replace(house.front, client_id=app(house.pool_id, **CLIENT | rotation)["ClientId"])
    browser = visitor(house.front)
    tokens: dict[str, Any] = {"plain": house.front.redeem(house.sign_in(browser).location)}
    last = lambda: house.sessions("SSO")[0]["LastActiveDate"]

    def moves(step) -> bool:
        before = last()
        server.clock.advance(5)
        step()
        write_uses(server)
        return last() > before

    refresh = lambda front, token: house.call("GetTokensFromRefreshToken", ClientId=front.client_id, RefreshToken=token)
    assert moves(lambda: tokens.update(silent=house.reuse(browser, rotating)))
    assert moves(lambda: tokens.update(rotating=rotating.redeem(tokens["silent"].location)))
    assert moves(lambda: refresh(rotating, tokens["rotating"]["refresh_token"]))
    assert not moves(lambda: refresh(house.front, tokens["plain"]["refresh_token"]))


def test_n15_a_client_that_never_reuses(house: House, visitor):
    """With 0 minutes this client always asks for a sign-in, which others reuse (spec/http/09 N15)."""
    house.limit(house.front, 0)
    browser = visitor(house.front)
    house.sign_in(browser)
    assert house.reuse(browser) is None
    assert house.reuse(browser, house.other) is not None


def test_each_client_has_its_limit(house: House, visitor, server):
    """The limit counts from the last fresh sign-in, may be longer than an hour, and is not moved by reuse."""
    house.limit(house.front, 120)
    house.limit(house.other, 2)
    browser = visitor(house.front)
    done = house.sign_in(browser)
    (cookie,) = [each for each in done.response.headers.get_list("set-cookie") if each.startswith("cognito=")]
    assert "Max-Age=7200" in cookie
    server.clock.advance(100)
    assert house.reuse(browser, house.other) is not None
    server.clock.advance(30)
    assert house.reuse(browser, house.other) is None
    server.clock.advance(7000)
    assert house.reuse(browser) is not None
    server.clock.advance(100)
    assert house.reuse(browser) is None


def test_signing_in_again_goes_on_with_the_record(house: House, visitor, server):
    """The same user in the same browser keeps the SSO session, now fresh; another browser has one of its own."""
    house.limit(house.front, 5)
    browser = visitor(house.front)
    house.sign_in(browser)
    (before,) = house.sessions("SSO")
    server.clock.advance(400)
    house.sign_in(browser)
    server.clock.back_to_now()
    (after,) = house.sessions("SSO")
    assert after["SessionId"] == before["SessionId"]
    assert after["LastActiveDate"] > before["LastActiveDate"]
    house.sign_in(visitor(house.front))
    assert len(house.sessions("SSO")) == 2


def test_another_user_in_the_same_browser(house: House, visitor, user):
    """Where somebody else signs in with a browser, the SSO session that was in it is over."""
    house.limit(house.front, 0)  # else the page would not ask
    browser = visitor(house.front)
    house.sign_in(browser)
    assert len(house.sessions("SSO")) == 1
    first, house.name = house.name, user(house.pool_id)
    house.sign_in(browser)
    assert len(house.sessions("SSO")) == 1
    house.name = first
    assert house.sessions("SSO") == []


def test_revoking_the_record_ends_single_sign_on(house: House, visitor):
    """The cookie is worth nothing once its record is revoked; its tokens stay where only that was asked for."""
    browser = visitor(house.front)
    tokens = house.front.redeem(house.sign_in(browser, scope=f"openid {API_SCOPE}").location)
    pending = house.reuse(browser, house.other)
    house.revoke(house.sessions("SSO")[0]["SessionId"])
    assert house.reuse(browser) is None
    assert house.sessions("SSO") == []
    house.call("GetUser", AccessToken=tokens["access_token"])
    form = {"grant_type": "authorization_code", "client_id": house.other.client_id, "redirect_uri": CALLBACK}
    code = dict(parse_qsl(urlsplit(pending.location).query))["code"]
    late = httpx.post(f"{house.front.base}/oauth2/token", data=form | {"code": code}, trust_env=False)
    assert late.json() == {"error": "invalid_grant"}


def test_revoking_what_is_linked(house: House, visitor):
    """LINKED takes all tokens with their sign-in, and with one token its sign-in but no sibling (spec/api/10 §1.4)."""
    browser, scope = visitor(house.front), f"openid {API_SCOPE}"
    first = house.front.redeem(house.sign_in(browser, scope=scope).location)
    second = house.other.redeem(house.reuse(browser, house.other, scope=scope).location)
    house.revoke(session_of({"AccessToken": second["access_token"]}), RevokeAssociatedSessions="LINKED")
    assert refusal(house.call, "GetUser", AccessToken=second["access_token"]) == REVOKED
    house.call("GetUser", AccessToken=first["access_token"])
    assert house.reuse(browser) is None
    third = house.front.redeem(house.sign_in(browser, scope=scope).location)
    house.revoke(house.sessions("SSO")[0]["SessionId"], RevokeAssociatedSessions="LINKED")
    assert refusal(house.call, "GetUser", AccessToken=third["access_token"]) == REVOKED
    assert house.reuse(browser) is None
    house.call("GetUser", AccessToken=first["access_token"])


@pytest.mark.parametrize(("linked", "silent"), [("NONE", True), ("LINKED", False)])
def test_revoking_a_token_may_end_single_sign_on(house: House, visitor, linked, silent):
    """RevokeToken ends the sign-in behind the token where that is asked for, and no sibling."""
    browser = visitor(house.front)
    tokens = house.front.redeem(house.sign_in(browser).location)
    house.other.redeem(house.reuse(browser, house.other).location)
    house.call(
        "RevokeToken",
        Token=tokens["refresh_token"],
        ClientId=house.front.client_id,
        RevokeAssociatedSessions=linked,
    )
    assert (house.reuse(browser) is not None) is silent
    assert [each["ClientId"] for each in house.sessions("TOKEN")] == [house.other.client_id]


@pytest.mark.parametrize("ending", ["AdminUserGlobalSignOut", "AdminDisableUser", "/logout"])
def test_signing_out_ends_single_sign_on(house: House, visitor, ending):
    """The record goes by global sign-out, by disabling and by /logout, and a copy of the cookie with it."""
    browser, thief = visitor(house.front), visitor(house.front)
    house.sign_in(browser)
    thief.http.cookies.update(browser.http.cookies)
    assert house.reuse(thief) is not None
    if ending == "/logout":
        callback = {"redirect_uri": CALLBACK, "response_type": "code", "client_id": house.front.client_id}
        assert browser.open("/logout?" + "&".join(f"{name}={value}" for name, value in callback.items())).status == 302
    else:
        house.call(ending, UserPoolId=house.pool_id, Username=house.name)
    assert house.sessions("SSO") == []
    assert house.reuse(thief) is None


def test_cookies_from_before_do_not_count(front, call, user, app, visitor):
    """A sign-in without a record cannot be revoked, so it ends where tracking begins; one with a record needs it on."""
    house = House(front, app, call, user)
    track(call, house.pool_id, tracking="DISABLED")
    browser = visitor(house.front)
    house.sign_in(browser)
    assert house.reuse(browser) is not None
    track(call, house.pool_id)
    assert house.reuse(browser) is None
    house.sign_in(browser)
    (record,) = house.sessions("SSO")
    house.limit(house.front, 0)
    track(call, house.pool_id, tracking="DISABLED")
    assert house.reuse(browser) is not None
    track(call, house.pool_id)
    house.revoke(record["SessionId"])
    track(call, house.pool_id, tracking="DISABLED")
    assert house.reuse(browser) is None


def test_lists_hold_the_latest_25_browsers(house: House, visitor):
    """One more browser than a list has room for ends the sign-in that was not used for longest."""
    first = visitor(house.front)
    house.sign_in(first)
    for _ in range(24):
        other = visitor(house.front)
        house.sign_in(other)
    assert house.reuse(first) is not None
    house.sign_in(visitor(house.front))
    assert len(house.sessions("SSO")) == 25
    assert house.reuse(first) is not None


def test_implicit_tokens_are_sessions(house: House, visitor, app):
    """Tokens of the implicit flow are a session as well, which ends with them, and come through the sign-in."""
    implicit = replace(
        house.front, client_id=app(house.pool_id, **CLIENT | OPEN | {"AllowedOAuthFlows": ["implicit"]})["ClientId"]
    )
    browser = visitor(house.front)
    page = browser.open("/login" + implicit.query(response_type="token"))
    done = browser.send(page, username=house.name, password=PASSWORD)
    token = dict(parse_qsl(urlsplit(done.location).fragment))["access_token"]
    (session,) = house.sessions("TOKEN")
    assert session["SessionId"] == session_of({"AccessToken": token})
    assert session["OriginSessionId"] == house.sessions("SSO")[0]["SessionId"]
