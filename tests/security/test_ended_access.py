"""Row 9: what ends somebody's access ends all of it, with the very next request."""

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from botocore.exceptions import ClientError

from poolhouse.flows.browser import COOKIE
from tests.oauth.conftest import CALLBACK, OAUTH_CLIENT, Site

TEMPORARY = "Temporary-Pass-1"
ALL_FLOWS = [
    "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH",
]  # fmt: skip


@dataclass
class Holdings:
    """All that a user got before access ended: each is a way to try to use it once more."""

    site: Site
    call: Callable[..., dict[str, Any]]
    client: str
    username: str
    api: dict[str, Any]
    oauth: dict[str, Any]
    code: str
    cookie: str
    proof: dict[str, str]

    def ways(self) -> dict[str, Callable[[], object]]:
        """Each way returns what it was given; a refusal raises."""
        return {
            "GetUser with the API's access token": lambda: self._get_user(self.api["AccessToken"]),
            "GetUser with OAuth's access token": lambda: self._get_user(self.oauth["access_token"]),
            "ChangePassword": lambda: self.call(
                "ChangePassword",
                AccessToken=self.api["AccessToken"],
                PreviousPassword="Correct-Horse-1",
                ProposedPassword="Battery-Staple-2",
            ),
            "userInfo": lambda: self._ok(self.site.userinfo(self.oauth["access_token"])),
            "REFRESH_TOKEN_AUTH": lambda: self.call(
                "InitiateAuth",
                ClientId=self.client,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": self.api["RefreshToken"]},
            ),
            "GetTokensFromRefreshToken": lambda: self.call(
                "GetTokensFromRefreshToken", ClientId=self.client, RefreshToken=self.api["RefreshToken"]
            ),
            "refresh grant": lambda: self._ok(self.site.refresh(self.oauth["refresh_token"], self.client)),
            "authorization code": lambda: self._ok(self.site.redeem(self.code, self.client)),
            "SECRET_BLOCK": lambda: self.call(
                "RespondToAuthChallenge",
                ClientId=self.client,
                ChallengeName="PASSWORD_VERIFIER",
                ChallengeResponses=self.proof,
            ),
        }

    def sso(self) -> bool:
        """Whether the browser's cookie still gives a code."""
        location = self._authorize().headers.get("location", "")
        return location.startswith(f"{CALLBACK}?code=")

    def _authorize(self) -> httpx.Response:
        query = {"response_type": "code", "client_id": self.client, "redirect_uri": CALLBACK, "scope": "openid"}
        headers = {"cookie": f'{COOKIE}="{self.cookie}"'}
        return self.site.http.get(f"{self.site.base}/oauth2/authorize?{urlencode(query)}", headers=headers)

    def _get_user(self, token: str) -> object:
        return self.call("GetUser", AccessToken=token)

    @staticmethod
    def _ok(answer: httpx.Response) -> object:
        if answer.status_code != 200:
            raise PermissionError(answer.text)
        return answer.json()


@pytest.fixture
def holdings(site: Site, call, srp_start) -> Holdings:
    """A user who is signed in everywhere, and just about to sign in once more."""
    client = site.app(ExplicitAuthFlows=ALL_FLOWS, **OAUTH_CLIENT)["ClientId"]
    api = call(
        "InitiateAuth",
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": site.email, "PASSWORD": "Correct-Horse-1"},
    )["AuthenticationResult"]
    oauth = site.tokens(client, scope="openid aws.cognito.signin.user.admin")
    code = site.code(client, scope="openid")
    side, parameters = srp_start(site.pool_id, client, site.username)
    proof = side.process_challenge(parameters, {"USERNAME": site.username})
    return Holdings(site, call, client, site.username, api, oauth, code, site.cookie or "", proof)


ENDINGS: dict[str, Callable[[Holdings], object]] = {
    "AdminDisableUser": lambda h: h.call("AdminDisableUser", UserPoolId=h.site.pool_id, Username=h.username),
    "AdminDeleteUser": lambda h: h.call("AdminDeleteUser", UserPoolId=h.site.pool_id, Username=h.username),
    "DeleteUser": lambda h: h.call("DeleteUser", AccessToken=h.api["AccessToken"]),
    "AdminUserGlobalSignOut": lambda h: h.call(
        "AdminUserGlobalSignOut", UserPoolId=h.site.pool_id, Username=h.username
    ),
    "GlobalSignOut": lambda h: h.call("GlobalSignOut", AccessToken=h.api["AccessToken"]),
    "DeleteUserPoolClient": lambda h: h.call("DeleteUserPoolClient", UserPoolId=h.site.pool_id, ClientId=h.client),
    "DeleteUserPool": lambda h: (
        h.call("DeleteUserPoolDomain", UserPoolId=h.site.pool_id, Domain=h.site.prefix),
        h.call("DeleteUserPool", UserPoolId=h.site.pool_id),
    ),
}
# Cognito: signing out everywhere leaves the browser's SSO session (spec/http/03 §3.11).
KEEP_SSO = {"AdminUserGlobalSignOut", "GlobalSignOut"}
REFUSALS = (PermissionError, ClientError)


@pytest.mark.parametrize("ending", ENDINGS)
def test_9_every_token_ends(holdings: Holdings, ending: str):
    """Row 9: after each way to end access, no token, code, proof or cookie from before opens anything."""
    assert holdings.sso()
    assert holdings.site.userinfo(holdings.oauth["access_token"]).status_code == 200
    ENDINGS[ending](holdings)
    opened = []
    for name, way in holdings.ways().items():
        try:
            way()
        except REFUSALS as refusal:
            assert "500" not in str(refusal), name
            assert "InternalError" not in str(refusal), name
        else:
            opened.append(name)
    assert not opened
    assert holdings.sso() == (ending in KEEP_SSO)


def test_9_nothing_revives_with_the_user(holdings: Holdings, call):
    """Row 9: enabling a user again brings back no token, code, proof or browser session from before."""
    user = {"UserPoolId": holdings.site.pool_id, "Username": holdings.username}
    call("AdminDisableUser", **user)
    call("AdminEnableUser", **user)
    for name, way in holdings.ways().items():
        try:
            way()
        except REFUSALS:
            continue
        pytest.fail(f"{name} opened the door")
    assert not holdings.sso()


@pytest.mark.parametrize("ending", ["AdminDisableUser", "AdminDeleteUser", "AdminUserGlobalSignOut", "again"])
def test_9_a_sign_in_under_way_ends(call, pool, app, ending: str):
    """Row 9: a ``Session`` that waits for a new password is void once the user was barred, deleted or signed out."""
    pool_id = pool()
    client_id = app(pool_id)["ClientId"]
    user = {"UserPoolId": pool_id, "Username": "ann"}
    call("AdminCreateUser", **user, MessageAction="SUPPRESS", TemporaryPassword=TEMPORARY)
    asked = call(
        "InitiateAuth",
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": TEMPORARY},
    )
    call("AdminDisableUser" if ending == "again" else ending, **user)
    if ending == "again":
        call("AdminEnableUser", **user)
    with pytest.raises(ClientError) as refused:
        call(
            "RespondToAuthChallenge",
            ClientId=client_id,
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": "ann", "NEW_PASSWORD": "Battery-Staple-2"},
        )
    assert refused.value.response["Error"]["Code"] in {"NotAuthorizedException", "UserNotFoundException"}
    if ending != "AdminDeleteUser":
        assert call("AdminGetUser", **user)["UserStatus"] == "FORCE_CHANGE_PASSWORD"


def test_9_recovery_code_of_a_disabled_user(call, front, inbox):
    """Row 9: a code that was sent before sets no password while the user is barred."""
    pages = front(AutoVerifiedAttributes=["email"])
    user = {"UserPoolId": pages.pool_id, "Username": "ann"}
    attributes = [{"Name": "email", "Value": "barred@example.com"}, {"Name": "email_verified", "Value": "true"}]
    call("AdminCreateUser", **user, MessageAction="SUPPRESS", UserAttributes=attributes)
    call("AdminSetUserPassword", **user, Password="Correct-Horse-1", Permanent=True)
    call("ForgotPassword", ClientId=pages.client_id, Username="ann")
    code = inbox("barred@example.com")[-1].code
    call("AdminDisableUser", **user)
    with pytest.raises(ClientError):
        call(
            "ConfirmForgotPassword",
            ClientId=pages.client_id,
            Username="ann",
            ConfirmationCode=code,
            Password="Battery-Staple-2",
        )


def test_9_access_key_ends(server, call):
    """Row 9: requests signed with a deleted access key are refused at once."""
    from poolhouse.flows.installation import make_access_key

    key_id, secret = server.run(make_access_key(server.deps, "leaver"))
    leaver = server.boto(aws_access_key_id=key_id, aws_secret_access_key=secret)
    leaver.list_user_pools(MaxResults=1)
    server.write(lambda tx: tx.access_keys.delete(key_id))
    with pytest.raises(ClientError, match="security token included in the request is invalid"):
        leaver.list_user_pools(MaxResults=1)


OPERATOR, OPERATOR_PASSWORD = "leaver9@example.org", "a-long-operator-password"


def operator_browser(server) -> httpx.Client:
    """A browser of an operator who came in through managed login."""
    from poolhouse.flows import operators

    server.run(operators.ensure_operator(server.deps, OPERATOR, OPERATOR_PASSWORD))
    browser = httpx.Client(base_url=server.url, follow_redirects=True, trust_env=False)
    page = browser.get("/console/")
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    browser.post(str(page.url), data=fields | {"username": OPERATOR, "password": OPERATOR_PASSWORD})
    return browser


def test_9_console_session_ends_with_signing_out(server):
    """Row 9: a copy of the console's cookie is worth nothing once its operator has signed out."""
    with contextlib.closing(operator_browser(server)) as browser:
        page = browser.get("/console/")
        assert page.status_code == 200
        stolen = browser.cookies["poolhouse-console"]
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
        browser.post("/console/sign-out", data={"csrf": csrf})
    again = httpx.get(f"{server.url}/console/", headers={"cookie": f"poolhouse-console={stolen}"}, trust_env=False)
    assert again.status_code == 302
