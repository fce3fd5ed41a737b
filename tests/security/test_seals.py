"""Row 13: what is sealed for one use opens nothing else, for nobody else, and not with a single bit changed."""

import base64
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.oauth.conftest import OAUTH_CLIENT, Site
from tests.wire.client import RawClient

TEMPORARY = "Temporary-Pass-1"
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


@dataclass
class Sealed:
    """One value of every kind that this server hands out, all of one pool, client and user."""

    site: Site
    client: str
    values: dict[str, str]
    pages: dict[str, str]


@pytest.fixture
def sealed(site: Site, call, srp_start, server, user) -> Sealed:
    """Values as their owners got them."""
    from poolhouse.flows import operators

    client = site.app(ExplicitAuthFlows=FLOWS, **OAUTH_CLIENT)["ClientId"]
    style = {"UserPoolId": site.pool_id, "ClientId": client, "UseCognitoProvidedValues": True}
    call("CreateManagedLoginBranding", **style)
    fresh = "fresh13@example.com"
    call(
        "AdminCreateUser",
        UserPoolId=site.pool_id,
        Username=fresh,
        TemporaryPassword=TEMPORARY,
        MessageAction="SUPPRESS",
    )
    asked = call(
        "InitiateAuth",
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": fresh, "PASSWORD": TEMPORARY},
    )
    _, srp = srp_start(site.pool_id, client, site.username)
    tokens = site.tokens(client, scope="openid aws.cognito.signin.user.admin")
    form = httpx.get(f"{site.base}/login?{_query(client)}", trust_env=False)
    page = call("ListUsers", UserPoolId=site.pool_id, Limit=1)
    invitation = server.run(operators.invite(server.deps)).partition("token=")[2]
    server.run(operators.ensure_operator(server.deps, "op@example.org", "an-operators-password"))
    console = httpx.get(f"{server.url}/console/", trust_env=False)
    values = {
        "session": asked["Session"],
        "block": srp["SECRET_BLOCK"],
        "refresh token": tokens["refresh_token"],
        "access token": tokens["access_token"],
        "id token": tokens["id_token"],
        "code": site.code(client),
        "sso": site.cookie or "",
        "state": form.cookies["page-data"].strip('"'),
        "page": page["PaginationToken"],
        "invitation": invitation,
        "console flow": console.cookies["poolhouse-console-flow"],
    }
    return Sealed(site, client, values, {"fresh": fresh, "token": form.cookies["XSRF-TOKEN"]})


def _query(client: str) -> str:
    return f"client_id={client}&response_type=code&redirect_uri=https://app.example/cb&scope=openid"


def uses(sealed: Sealed, raw: RawClient, server) -> dict[str, Callable[[str], bool]]:
    """Each use of a sealed value: whether it was let in."""
    site, client = sealed.site, sealed.client

    def api(operation: str, **members: Any) -> bool:
        answer = raw.post(operation, {"ClientId": client} | members)
        assert answer.status in {200, 400}, (operation, answer.status, answer.body)
        return answer.status == 200

    def respond(name: str, session: str | None, **responses: str) -> bool:
        return api(
            "RespondToAuthChallenge",
            ChallengeName=name,
            ChallengeResponses=responses,
            **({"Session": session} if session else {}),
        )

    def user_operation(token: str) -> bool:
        answer = raw.post("GetUser", {"AccessToken": token})
        assert answer.status in {200, 400}, answer.body
        return answer.status == 200

    def console(name: str, value: str) -> bool:
        answer = site.http.get(f"{server.url}/console/", headers={"cookie": f"{name}={_cookie(value)}"})
        assert answer.status_code in {200, 302}
        return answer.status_code == 200

    def callback(value: str) -> bool:
        headers = {"cookie": f"poolhouse-console-flow={_cookie(value)}"}
        answer = site.http.get(f"{server.url}/console/callback?code=x&state=x", headers=headers)
        assert answer.status_code == 400, answer.text
        return "was not started here" in answer.text

    def state(value: str) -> bool:
        cookie = f'XSRF-TOKEN={sealed.pages["token"]}; page-data="{_cookie(value)}"'
        answer = site.http.post(
            f"{site.base}/confirm?{_query(client)}",
            data={"_csrf": sealed.pages["token"], "code": "1"},
            headers={"cookie": cookie},
        )
        assert answer.status_code in {200, 302}
        return answer.status_code == 200

    def sso(value: str) -> bool:
        headers = {"cookie": f'cognito="{_cookie(value)}"'}
        answer = site.http.get(f"{site.base}/oauth2/authorize?{_query(client)}", headers=headers)
        assert answer.status_code == 302
        return answer.headers["location"].startswith("https://app.example/cb?code=")

    def refreshes(value: str) -> bool:
        answer = site.refresh(value, client)
        assert answer.status_code in {200, 400}, answer.text
        return answer.status_code == 200

    def redeems(value: str) -> bool:
        answer = site.redeem(value, client)
        assert answer.status_code in {200, 400}, answer.text
        return answer.status_code == 200

    def userinfo(value: str) -> bool:
        answer = site.http.get(f"{site.base}/oauth2/userInfo", headers={"authorization": f"Bearer {value}".strip()})
        assert answer.status_code in {200, 400, 401}
        return answer.status_code == 200

    def invited(value: str) -> bool:
        answer = site.http.get(f"{server.url}/console/welcome", params={"token": value})
        assert answer.status_code in {200, 400}
        return answer.status_code == 200

    def continues(value: str) -> bool:
        answer = raw.signed("ListUsers", {"UserPoolId": site.pool_id, "Limit": 1, "PaginationToken": value})
        assert answer.status in {200, 400}, answer.body
        return answer.status == 200

    proof = {"PASSWORD_CLAIM_SIGNATURE": "AAAA", "TIMESTAMP": "Tue Sep 25 00:09:40 UTC 2018", "USERNAME": site.username}
    return {
        "session": lambda v: respond(
            "NEW_PASSWORD_REQUIRED", v, USERNAME=sealed.pages["fresh"], NEW_PASSWORD="Battery-Staple-2"
        ),
        "block": lambda v: respond("PASSWORD_VERIFIER", None, PASSWORD_CLAIM_SECRET_BLOCK=v, **proof),
        "refresh token": refreshes,
        "REFRESH_TOKEN_AUTH": lambda v: api("InitiateAuth", AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": v}),
        "GetTokensFromRefreshToken": lambda v: api("GetTokensFromRefreshToken", RefreshToken=v),
        "access token": user_operation,
        "userInfo": userinfo,
        "code": redeems,
        "sso": sso,
        "state": state,
        "page": continues,
        "invitation": invited,
        "console flow": callback,
        "console session": lambda v: console("poolhouse-console", v),
    }  # fmt: skip


def _cookie(value: str) -> str:
    return "".join(character for character in value if character.isascii() and character not in ';" \r\n')


# What a value may open by the very name it has; the proof of the block and the state of the page are wrong here anyway.
PROPER = {
    ("refresh token", "refresh token"),
    ("refresh token", "REFRESH_TOKEN_AUTH"),
    ("refresh token", "GetTokensFromRefreshToken"),
    ("access token", "access token"),
    ("access token", "userInfo"),
    ("session", "session"),
    ("code", "code"),
    ("sso", "sso"),
    ("page", "page"),
    ("invitation", "invitation"),
    ("console flow", "console flow"),
}


def spellings(value: str) -> list[str]:
    """A value in the encodings that the various uses expect."""
    found = [value]
    for altchars in (b"-_", b"+/"):
        try:
            data = base64.b64decode(value.replace(".", "") + "=" * (-len(value) % 4), altchars=altchars, validate=True)
        except ValueError:
            continue
        # A Session has a prefix before what was sealed.
        for raw in (data, data[4:]):
            found += [raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")]
            found.append(base64.urlsafe_b64encode(b"\x01\x80\x01\x78" + raw).decode().rstrip("="))
        break
    return found


def test_13_nothing_opens_another_lock(sealed: Sealed, raw: RawClient, server):
    """Row 13: each sealed value, in every encoding, opens exactly its own lock."""
    locks = uses(sealed, raw, server)
    for (kind, value), (use, opens) in itertools.product(sealed.values.items(), locks.items()):
        if (kind, use) in PROPER:
            continue
        for spelling in spellings(value):
            assert not opens(spelling), f"{kind} as {use}"
    # The locks were real: last, since some values serve once.
    for kind, use in sorted(PROPER):
        assert locks[use](sealed.values[kind]), f"{kind} as {use}"


def flips(value: str) -> list[str]:
    """A value with one character changed, here and there, and cut and lengthened values."""
    places = sorted(
        {0, 1, 4, 5, 6, 10, len(value) // 3, len(value) // 2, len(value) - 30, len(value) - 2, len(value) - 1}
    )
    changed = [
        value[:at] + ("A" if value[at] not in "Aa" else "b") + value[at + 1 :] for at in places if 0 <= at < len(value)
    ]
    return [
        *changed,
        value[:-1],
        value[:-4],
        value[1:],
        value + "A",
        value + "AAAA",
        value * 2,
        value[: len(value) // 2],
        "",
    ]


def test_13_no_bit_may_change(sealed: Sealed, raw: RawClient, server):
    """Row 13: a changed, cut or lengthened value is refused by its own lock."""
    locks = uses(sealed, raw, server)
    for kind, use in sorted(PROPER):
        value = sealed.values[kind]
        for spoilt in flips(value):
            if kind in {"page", "invitation", "sso"} and _same(spoilt, value):
                continue
            if kind == "page" and not spoilt:
                continue
            assert not locks[use](spoilt), f"{use}: {spoilt[:40]}"


def _same(first: str, second: str) -> bool:
    """Whether two spellings of base64 mean the same bytes."""
    try:
        decoded = [base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)) for value in (first, second)]
    except ValueError:
        return False
    return decoded[0] == decoded[1]


def test_13_values_of_other_people(sealed: Sealed, raw: RawClient, server, call, pool, app):
    """Row 13: a session, proof, token, code or cookie counts for its own client, pool and user only."""
    site = sealed.site
    other_client = site.app(ExplicitAuthFlows=FLOWS, **OAUTH_CLIENT)["ClientId"]
    foreign = app(pool(UsernameAttributes=["email"]), ExplicitAuthFlows=FLOWS)["ClientId"]
    for client in (other_client, foreign):
        for operation, members in (
            (
                "RespondToAuthChallenge",
                {
                    "ChallengeName": "NEW_PASSWORD_REQUIRED",
                    "Session": sealed.values["session"],
                    "ChallengeResponses": {"USERNAME": sealed.pages["fresh"], "NEW_PASSWORD": "Battery-Staple-2"},
                },
            ),
            ("GetTokensFromRefreshToken", {"RefreshToken": sealed.values["refresh token"]}),
            (
                "InitiateAuth",
                {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": sealed.values["refresh token"]}},
            ),
            ("RevokeToken", {"Token": sealed.values["refresh token"]}),
        ):
            answer = raw.post(operation, {"ClientId": client} | members)
            assert answer.status == 400, (operation, answer.body)
            assert answer.code in {"NotAuthorizedException", "UnauthorizedException"}
    assert site.redeem(sealed.values["code"], other_client).json() == {"error": "invalid_grant"}
    assert site.refresh(sealed.values["refresh token"], other_client).json() == {"error": "invalid_grant"}
    as_another = {
        "ClientId": sealed.client,
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": sealed.values["session"],
        "ChallengeResponses": {"USERNAME": site.email, "NEW_PASSWORD": "Battery-Staple-2"},
    }
    assert raw.post("RespondToAuthChallenge", as_another).code == "NotAuthorizedException"
    # All of these attempts left the owner's values as they were.
    assert uses(sealed, raw, server)["session"](sealed.values["session"])
    assert site.refresh(sealed.values["refresh token"], sealed.client).status_code == 200


def test_13_cookie_of_another_pool(site: Site, front, user):
    """Row 13: the SSO cookie of one pool signs nobody in to another."""
    site.sign_in()
    pages = front()
    answer = httpx.get(
        pages.base + "/oauth2/authorize" + pages.query(),
        headers={"cookie": f'cognito="{site.cookie}"'},
        trust_env=False,
    )
    assert "/login?" in answer.headers["location"]


@pytest.mark.parametrize("used", ["session", "block"])
def test_13_single_use(sealed: Sealed, raw: RawClient, srp_start, call, used: str):
    """Row 13: what one sign-in has used up serves no second one."""
    site, client = sealed.site, sealed.client
    if used == "block":
        side, parameters = srp_start(site.pool_id, client, site.username)
        request = {
            "ClientId": client,
            "ChallengeName": "PASSWORD_VERIFIER",
            "ChallengeResponses": side.process_challenge(parameters, {"USERNAME": site.username}),
        }
    else:
        request = {
            "ClientId": client,
            "ChallengeName": "NEW_PASSWORD_REQUIRED",
            "Session": sealed.values["session"],
            "ChallengeResponses": {"USERNAME": sealed.pages["fresh"], "NEW_PASSWORD": "Battery-Staple-2"},
        }
    assert raw.post("RespondToAuthChallenge", request).status == 200
    again = raw.post("RespondToAuthChallenge", request)
    assert (again.status, again.code) == (400, "NotAuthorizedException")
