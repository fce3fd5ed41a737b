"""Session tracking over the API: settings, lists, limits and revocation (spec/api/10 §1)."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from tests.conftest import PASSWORD
from tests.operations.talk import NO_USER, refusal
from tests.operations.test_tokens import ROTATING, claims

REVOKED = ("NotAuthorizedException", "Access Token has been revoked")
NO_REFRESH = ("NotAuthorizedException", "Refresh Token has been revoked")
NO_SESSION = ("ResourceNotFoundException", "Session not found.")
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"


def track(call, pool_id: str, most: int = 20, tracking: str = "ENABLED") -> dict[str, Any]:
    """Set whether a pool tracks sessions, and how many."""
    return call(
        "SetUserPoolSessionConfiguration",
        UserPoolId=pool_id,
        UserSessionTracking=tracking,
        TokenSession={"MaxPerUser": most},
    )


def sign_in(call, client: dict[str, Any], name: str) -> dict[str, Any]:
    """Sign in by password; give the tokens."""
    parameters = {"USERNAME": name, "PASSWORD": PASSWORD}
    answer = call("InitiateAuth", ClientId=client["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    return answer["AuthenticationResult"]


def listed(call, pool_id: str, name: str) -> list[dict[str, Any]]:
    """A user's sessions as an administrator sees them."""
    return call("AdminListUserSessions", UserPoolId=pool_id, Username=name)["Sessions"]


def session_of(tokens: dict[str, Any]) -> str:
    """The SessionId that tokens belong to."""
    number, digits = uuid.UUID(claims(tokens["AccessToken"])["origin_jti"]).int, ""
    while len(digits) < 25:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return f"tkn{digits}"


def write_uses(server) -> None:
    """Have written at once what is written every few seconds."""
    server.run(server.deps.recent_uses.write(server.store))


@pytest.fixture
def tracked(call, pool, app, user):
    """A pool that tracks sessions, with a client and a user."""
    pool_id = pool()
    track(call, pool_id)
    return pool_id, app(pool_id), user(pool_id)


@pytest.fixture
def unchecked(server):
    """Call an operation without botocore's own look at the parameters."""
    client = server.boto(config={"parameter_validation": False})
    return lambda operation, **members: client._make_api_call(operation, members)


def test_pools_do_not_track_by_default(call, pool):
    """A pool for which nothing was set has tracking off and room for 20 sessions; what is set is echoed and kept."""
    pool_id = pool()
    default = {"UserPoolId": pool_id, "UserSessionTracking": "DISABLED", "TokenSession": {"MaxPerUser": 20}}
    assert call("GetUserPoolSessionConfiguration", UserPoolId=pool_id) == default
    changed = {"UserPoolId": pool_id, "UserSessionTracking": "ENABLED", "TokenSession": {"MaxPerUser": 3}}
    assert track(call, pool_id, 3) == changed
    call("UpdateUserPool", UserPoolId=pool_id)
    assert call("GetUserPoolSessionConfiguration", UserPoolId=pool_id) == changed


def test_client_settings_need_tracking_and_outlast_it(call, pool, app):
    """A client's limit is 60 minutes by default, can be set while the pool tracks, and waits while it does not."""
    pool_id = pool()
    ids = {"UserPoolId": pool_id, "ClientId": app(pool_id)["ClientId"]}
    limit = lambda minutes: {**ids, "SSOSession": {"MaxValidityMinutes": minutes}}
    assert call("GetUserPoolClientSessionConfiguration", **ids) == limit(60)
    code, _ = refusal(call, "SetUserPoolClientSessionConfiguration", **limit(0))
    assert code == "InvalidParameterException"
    track(call, pool_id)
    for minutes in (129600, 0):
        assert call("SetUserPoolClientSessionConfiguration", **limit(minutes)) == limit(minutes)
    track(call, pool_id, tracking="DISABLED")
    call("UpdateUserPoolClient", **ids)
    assert call("GetUserPoolClientSessionConfiguration", **ids) == limit(0)


def test_the_lite_plan_does_not_track(call, pool, app):
    """Setting either configuration needs the Essentials plan, and a pool that tracks keeps it."""
    pool_id = pool(UserPoolTier="LITE")
    client_id = app(pool_id)["ClientId"]
    settings = {"UserPoolId": pool_id, "UserSessionTracking": "DISABLED", "TokenSession": {"MaxPerUser": 1}}
    assert refusal(call, "SetUserPoolSessionConfiguration", **settings)[0] == "FeatureUnavailableInTierException"
    limit = {"UserPoolId": pool_id, "ClientId": client_id, "SSOSession": {"MaxValidityMinutes": 1}}
    assert refusal(call, "SetUserPoolClientSessionConfiguration", **limit)[0] == "FeatureUnavailableInTierException"
    call("UpdateUserPool", UserPoolId=pool_id, UserPoolTier="ESSENTIALS")
    track(call, pool_id)
    code, _ = refusal(call, "UpdateUserPool", UserPoolId=pool_id, UserPoolTier="LITE")
    assert code == "TierChangeNotAllowedException"


@pytest.mark.parametrize("operation", ["Get", "Set"])
def test_settings_of_nothing_are_not_found(call, pool, operation):
    """Unknown pools and clients are not found."""
    more = {"UserSessionTracking": "ENABLED", "TokenSession": {"MaxPerUser": 1}} if operation == "Set" else {}
    found = refusal(call, f"{operation}UserPoolSessionConfiguration", UserPoolId="us-east-1_nowhere00", **more)
    assert found == ("ResourceNotFoundException", "User pool us-east-1_nowhere00 does not exist.")
    more = {"SSOSession": {"MaxValidityMinutes": 1}} if operation == "Set" else {}
    found = refusal(
        call, f"{operation}UserPoolClientSessionConfiguration", UserPoolId=pool(), ClientId="nobody", **more
    )
    assert found == ("ResourceNotFoundException", "User pool client nobody does not exist.")


@pytest.mark.parametrize("most", [0, 101])
def test_limits_have_limits(unchecked, pool, most):
    """The number of sessions keeps to its range (spec/api/13)."""
    code, message = refusal(
        unchecked,
        "SetUserPoolSessionConfiguration",
        UserPoolId=pool(),
        UserSessionTracking="ENABLED",
        TokenSession={"MaxPerUser": most},
    )
    assert code == "InvalidParameterException"
    assert "maxPerUser" in message


def test_lists_tell_who_where_and_when(server, call, tracked, user, app):
    """Sessions of all clients are listed with their device, address and times, and the caller's own is marked."""
    pool_id, client, name = tracked
    other = app(pool_id)
    browser = boto3.client(
        "cognito-idp",
        endpoint_url=server.url,
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED, user_agent=CHROME),
    )
    first = sign_in(call, client, name)
    server.clock.advance(10)
    second = browser.initiate_auth(
        ClientId=other["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    mine = call("ListUserSessions", AccessToken=first["AccessToken"])["Sessions"]
    assert [each["SessionId"] for each in mine] == [session_of(second), session_of(first)]
    assert [each["IsCurrentSession"] for each in mine] == [False, True]
    assert [each["ClientId"] for each in mine] == [other["ClientId"], client["ClientId"]]
    assert mine[0]["DeviceType"] == "Chrome 126, Windows 10"
    assert "Boto3" in mine[1]["DeviceType"]
    for each in mine:
        assert each["SessionType"] == "TOKEN"
        assert each["LastIPAddress"] == "127.0.0.1"
        assert each["LastLocation"] == {"Country": "unknown"}
        assert each["CreateDate"] == each["LastActiveDate"]
        assert "OriginSessionId" not in each
    assert [each["IsCurrentSession"] for each in listed(call, pool_id, name)] == [False, False]
    assert listed(call, pool_id, user(pool_id)) == []


def test_a_pool_that_does_not_track_lists_nothing(call, pool, app, user):
    """Without tracking lists are empty, and a session from before tracking began is not listed later."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    before = sign_in(call, client, name)
    assert call("ListUserSessions", AccessToken=before["AccessToken"]) == {"Sessions": []}
    assert listed(call, pool_id, name) == []
    track(call, pool_id, 1)
    assert listed(call, pool_id, name) == []
    during = sign_in(call, client, name)
    assert [each["SessionId"] for each in listed(call, pool_id, name)] == [session_of(during)]
    call("GetUser", AccessToken=before["AccessToken"])
    track(call, pool_id, 1, "DISABLED")
    assert listed(call, pool_id, name) == []
    revocation = {"UserPoolId": pool_id, "Username": name, "SessionId": session_of(during)}
    assert refusal(call, "AdminRevokeUserSession", **revocation) == NO_SESSION
    call("GetUser", AccessToken=during["AccessToken"])


def test_expired_sessions_are_not_listed(server, call, pool, app, user):
    """Only active sessions are listed, and only they count."""
    pool_id = pool()
    track(call, pool_id, 1)
    units = {"RefreshToken": "hours", "AccessToken": "minutes", "IdToken": "minutes"}
    short = {"RefreshTokenValidity": 1, "AccessTokenValidity": 5, "IdTokenValidity": 5, "TokenValidityUnits": units}
    client, name = app(pool_id, **short), user(pool_id)
    server.clock.advance(-3601)
    sign_in(call, client, name)
    server.clock.back_to_now()
    assert listed(call, pool_id, name) == []


def test_one_more_sign_in_ends_the_least_recently_used_session(server, call, tracked):
    """Past MaxPerUser the next sign-in revokes the tokens that were not used for longest (spec/http/09 N16)."""
    pool_id, client, name = tracked
    track(call, pool_id, 2)
    first = sign_in(call, client, name)
    server.clock.advance(1)
    second = sign_in(call, client, name)
    server.clock.advance(1)
    refresh = {
        "ClientId": client["ClientId"],
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": first["RefreshToken"]},
    }
    call("InitiateAuth", **refresh)
    write_uses(server)
    third = sign_in(call, client, name)
    assert {each["SessionId"] for each in listed(call, pool_id, name)} == {session_of(first), session_of(third)}
    assert refusal(call, "GetUser", AccessToken=second["AccessToken"]) == REVOKED
    gone = refresh | {"AuthParameters": {"REFRESH_TOKEN": second["RefreshToken"]}}
    assert refusal(call, "InitiateAuth", **gone) == NO_REFRESH


def test_a_lower_limit_counts_from_the_next_sign_in(call, tracked):
    """Lowering the number ends nothing by itself; the next sign-in brings the user within it."""
    pool_id, client, name = tracked
    for _ in range(4):
        sign_in(call, client, name)
    track(call, pool_id, 2)
    assert len(listed(call, pool_id, name)) == 4
    last = sign_in(call, client, name)
    assert len(listed(call, pool_id, name)) == 2
    assert session_of(last) in {each["SessionId"] for each in listed(call, pool_id, name)}


def test_sign_ins_at_the_same_time_keep_to_the_limit(call, tracked):
    """However many sign in at once, no more sessions than the maximum are left."""
    pool_id, client, name = tracked
    track(call, pool_id, 1)
    with ThreadPoolExecutor(6) as threads:
        tokens = list(threads.map(lambda _: sign_in(call, client, name), range(6)))
    left = {each["SessionId"] for each in listed(call, pool_id, name)}
    assert len(left) == 1
    assert left < {session_of(each) for each in tokens}


@pytest.mark.parametrize("settings", [{}, ROTATING])
def test_a_refresh_is_the_last_use(server, call, tracked, app, settings):
    """Refreshing and rotating move LastActiveDate, within seconds and without a write of their own."""
    pool_id, _, name = tracked
    client = app(pool_id, **settings)
    tokens = sign_in(call, client, name)
    (before,) = listed(call, pool_id, name)
    server.clock.advance(100)
    call("GetTokensFromRefreshToken", ClientId=client["ClientId"], RefreshToken=tokens["RefreshToken"])
    write_uses(server)
    (after,) = listed(call, pool_id, name)
    assert after["CreateDate"] == before["CreateDate"]
    assert (after["LastActiveDate"] - before["LastActiveDate"]).total_seconds() >= 100


def test_uses_are_written_in_the_background(server, call, tracked):
    """Nobody has to ask for it: a few seconds later the last use shows."""
    pool_id, client, name = tracked
    tokens = sign_in(call, client, name)
    (before,) = listed(call, pool_id, name)
    call("GetTokensFromRefreshToken", ClientId=client["ClientId"], RefreshToken=tokens["RefreshToken"])
    assert wait_until(lambda: listed(call, pool_id, name)[0]["LastActiveDate"] > before["LastActiveDate"])


def wait_until(happened) -> bool:
    """Whether it happens within some seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.1)
    return False


def test_an_administrator_ends_a_session(call, tracked):
    """All tokens of the session are revoked and its record is gone; those of others stay."""
    pool_id, client, name = tracked
    first, second = sign_in(call, client, name), sign_in(call, client, name)
    named = {"UserPoolId": pool_id, "Username": name, "SessionId": session_of(first)}
    assert call("AdminRevokeUserSession", **named, RevokeAssociatedSessions="LINKED") == {}
    assert refusal(call, "GetUser", AccessToken=first["AccessToken"]) == REVOKED
    call("GetUser", AccessToken=second["AccessToken"])
    assert [each["SessionId"] for each in listed(call, pool_id, name)] == [session_of(second)]
    assert refusal(call, "AdminRevokeUserSession", **named) == NO_SESSION


def test_sessions_belong_to_their_user(call, tracked, user, pool):
    """The user named must own the session; who does not exist is not found (spec/api/10 §1.4)."""
    pool_id, client, name = tracked
    tokens, other = sign_in(call, client, name), user(pool_id)
    stranger = sign_in(call, client, other)
    named = {"UserPoolId": pool_id, "SessionId": session_of(tokens)}
    assert refusal(call, "AdminRevokeUserSession", **named, Username=other) == NO_SESSION
    assert refusal(call, "AdminRevokeUserSession", **named, Username="nobody") == NO_USER
    assert refusal(call, "AdminListUserSessions", UserPoolId=pool_id, Username="nobody") == NO_USER
    revocation = {"AccessToken": stranger["AccessToken"], "SessionId": session_of(tokens)}
    assert refusal(call, "RevokeUserSession", **revocation) == NO_SESSION
    for unknown in ("sso" + "0" * 25, "tkn" + "z" * 25):
        assert refusal(call, "RevokeUserSession", **revocation | {"SessionId": unknown}) == NO_SESSION
    call("GetUser", AccessToken=tokens["AccessToken"])


def test_users_end_their_other_sessions(call, tracked):
    """A user ends another session of theirs, but not the one that they call with."""
    _, client, name = tracked
    here, there = sign_in(call, client, name), sign_in(call, client, name)
    own = {"AccessToken": here["AccessToken"], "SessionId": session_of(here)}
    assert refusal(call, "RevokeUserSession", **own)[0] == "InvalidParameterException"
    assert call("RevokeUserSession", AccessToken=here["AccessToken"], SessionId=session_of(there)) == {}
    assert refusal(call, "GetUser", AccessToken=there["AccessToken"]) == REVOKED
    call("GetUser", AccessToken=here["AccessToken"])


@pytest.mark.parametrize("session_id", ["tkn", "xyz" + "a" * 25, "tkn" + "A" * 25, "tkn" + "a" * 26])
def test_session_ids_keep_to_their_form(unchecked, tracked, session_id):
    """What cannot be a SessionId is refused as such (spec/api/13)."""
    pool_id, _, name = tracked
    given = {"UserPoolId": pool_id, "Username": name, "SessionId": session_id}
    code, message = refusal(unchecked, "AdminRevokeUserSession", **given)
    assert code == "InvalidParameterException"
    assert "sessionId" in message


def test_page_tokens_are_never_given_and_never_taken(call, tracked):
    """A list is one page; a token for a further one was not given by us."""
    pool_id, client, name = tracked
    tokens = sign_in(call, client, name)
    invalid = ("InvalidParameterException", "Invalid pagination token given.")
    assert refusal(call, "ListUserSessions", AccessToken=tokens["AccessToken"], NextToken="x") == invalid
    assert refusal(call, "AdminListUserSessions", UserPoolId=pool_id, Username=name, NextToken="x") == invalid


@pytest.mark.parametrize("ending", ["GlobalSignOut", "AdminUserGlobalSignOut", "AdminDisableUser"])
def test_signing_out_everywhere_leaves_no_session(call, tracked, ending):
    """Sign-out everywhere and disabling remove all sessions (spec/api/10 §1.4)."""
    pool_id, client, name = tracked
    tokens = sign_in(call, client, name)
    sign_in(call, client, name)
    by_token = ending == "GlobalSignOut"
    call(ending, **({"AccessToken": tokens["AccessToken"]} if by_token else {"UserPoolId": pool_id, "Username": name}))
    assert listed(call, pool_id, name) == []


def test_revoking_a_token_ends_its_session(call, tracked):
    """RevokeToken removes the session of the token; LINKED has no effect where no SSO session is behind it."""
    pool_id, client, name = tracked
    first, second = sign_in(call, client, name), sign_in(call, client, name)
    call(
        "RevokeToken",
        Token=first["RefreshToken"],
        ClientId=client["ClientId"],
        RevokeAssociatedSessions="LINKED",
    )
    assert [each["SessionId"] for each in listed(call, pool_id, name)] == [session_of(second)]
    call("RevokeToken", Token=second["RefreshToken"], ClientId=client["ClientId"])
    assert listed(call, pool_id, name) == []
