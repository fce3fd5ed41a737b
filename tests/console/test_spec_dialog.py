"""What "Create user pool" makes, as the API describes it afterwards (spec/http/08 §8.2, §8.3, §8.5)."""

import html
import re
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
import pytest

from tests.conftest import PASSWORD
from tests.console.conftest import create_pool
from tests.login.pages import Page

RETURN_URL = "https://app.example/cb"
TILES = ["web", "spa", "mobile", "machine"]
HEADINGS = {
    "web": "Set up your traditional web application",
    "spa": "Set up your single-page application",
    "mobile": "Set up your mobile app",
    "machine": "Set up your machine-to-machine application",
}


class Made:
    """What the dialog made: the page it led to, and the descriptions of everything."""

    def __init__(self, browser: httpx.Client, call, **fields) -> None:
        self.page = create_pool(browser, **fields)
        found = re.search(r"/pools/([^/]+)/clients/([^/]+)/setup", str(self.page.url))
        assert found, self.page.text
        self.pool_id, self.client_id = found.groups()
        self.pool = call("DescribeUserPool", UserPoolId=self.pool_id)["UserPool"]
        ids = {"UserPoolId": self.pool_id, "ClientId": self.client_id}
        self.client = call("DescribeUserPoolClient", **ids)["UserPoolClient"]

    @property
    def required(self) -> set[str]:
        return {entry["Name"] for entry in self.pool["SchemaAttributes"] if entry["Required"]}

    @property
    def login_page(self) -> str:
        """The address behind "View login page"."""
        return html.unescape(re.search(r'href="([^"]+)"[^>]*>View login page', self.page.text)[1])


@pytest.mark.parametrize("kind", TILES)
def test_the_client_of_each_type(browser, call, kind: str):
    """The four columns of spec/http/08 §8.3.2, value by value."""
    made = Made(browser, call, application_type=kind, return_url="" if kind == "machine" else RETURN_URL)
    client = made.client
    assert f"<h1>{HEADINGS[kind]}</h1>" in made.page.text
    assert client["ClientName"] == "Shop"
    assert ("ClientSecret" in client) is (kind in {"web", "machine"})
    assert client["AllowedOAuthFlowsUserPoolClient"] is True
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["EnableTokenRevocation"] is True
    assert client["AuthSessionValidity"] == 3
    assert (client["RefreshTokenValidity"], client["AccessTokenValidity"], client["IdTokenValidity"]) == (5, 60, 60)
    assert client["TokenValidityUnits"] == {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"}
    if kind == "machine":
        [scope] = client["AllowedOAuthScopes"]
        assert re.fullmatch(r"default-m2m-resource-server-[a-z0-9-]{6}/read", scope)
        assert client["AllowedOAuthFlows"] == ["client_credentials"]
        assert not client.get("CallbackURLs")
        assert not client.get("SupportedIdentityProviders")
        servers = call("ListResourceServers", UserPoolId=made.pool_id, MaxResults=10)["ResourceServers"]
        assert [(s["Identifier"], [x["ScopeName"] for x in s["Scopes"]]) for s in servers] == [
            (scope.removesuffix("/read"), ["read"])
        ]
        return
    assert client["AllowedOAuthFlows"] == ["code"]
    assert sorted(client["AllowedOAuthScopes"]) == ["email", "openid", "phone"]
    assert client["SupportedIdentityProviders"] == ["COGNITO"]
    assert client["CallbackURLs"] == [RETURN_URL]
    assert sorted(client["ExplicitAuthFlows"]) == [
        "ALLOW_REFRESH_TOKEN_AUTH",
        "ALLOW_USER_AUTH",
        "ALLOW_USER_SRP_AUTH",
    ]
    style = call("DescribeManagedLoginBrandingByClient", UserPoolId=made.pool_id, ClientId=made.client_id)
    assert style["ManagedLoginBranding"]["UseCognitoProvidedValues"] is True


def test_the_pool(browser, call):
    """The table of spec/http/08 §8.3.1, value by value."""
    made = Made(browser, call)
    pool = made.pool
    assert re.fullmatch(r"User pool - [a-z0-9]{6}", pool["Name"])
    assert pool["UserPoolTier"] == "ESSENTIALS"
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}
    assert pool["AutoVerifiedAttributes"] == ["email"]
    assert pool["Policies"]["PasswordPolicy"] == {
        "MinimumLength": 8,
        "RequireUppercase": True,
        "RequireLowercase": True,
        "RequireNumbers": True,
        "RequireSymbols": True,
        "TemporaryPasswordValidityDays": 7,
    }
    assert pool["Policies"]["SignInPolicy"] == {"AllowedFirstAuthFactors": ["PASSWORD"]}
    assert pool["MfaConfiguration"] == "OFF"
    assert pool["AccountRecoverySetting"]["RecoveryMechanisms"] == [
        {"Priority": 1, "Name": "verified_email"},
        {"Priority": 2, "Name": "verified_phone_number"},
    ]
    assert pool["DeletionProtection"] == "ACTIVE"
    assert pool["EmailConfiguration"] == {"EmailSendingAccount": "COGNITO_DEFAULT"}
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is False
    assert pool["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    assert pool["Domain"] == made.pool_id.lower().replace("_", "")
    domain = call("DescribeUserPoolDomain", Domain=pool["Domain"])["DomainDescription"]
    assert (domain["ManagedLoginVersion"], domain["Status"]) == (2, "ACTIVE")


@pytest.mark.parametrize(
    ("identifiers", "usernames", "aliases", "verified"),
    [
        (["email"], ["email"], None, "email"),
        (["phone_number"], ["phone_number"], None, "phone_number"),
        (["email", "phone_number"], ["email", "phone_number"], None, "email"),
        (["username"], None, None, "email"),
        (["username", "email"], None, ["email"], "email"),
        (["username", "phone_number"], None, ["phone_number"], "phone_number"),
        (["username", "email", "phone_number"], None, ["email", "phone_number"], "email"),
    ],
)
def test_identifiers(browser, call, identifiers, usernames, aliases, verified):
    """Every choice of sign-in identifiers, beside the attribute that is ticked as the dialog opens."""
    made = Made(browser, call, identifiers=identifiers, required_attributes=["email"])
    assert made.pool.get("UsernameAttributes") == usernames
    assert made.pool.get("AliasAttributes") == aliases
    assert made.required == {"sub", "email"} | (set(identifiers) - {"username"})
    assert made.pool["AutoVerifiedAttributes"] == [verified]


def test_self_registration_off(browser, call):
    """Without self-registration only administrators make users."""
    made = Made(browser, call, self_registration="")
    assert made.pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True


@pytest.mark.parametrize("identifiers", [[], ["username"]])
def test_choices_that_do_not_fit(browser, call, identifiers):
    """Somebody has to be able to sign in, and to be reached: the dialog says so and makes nothing."""
    before = call("ListUserPools", MaxResults=60)["UserPools"]
    page = create_pool(browser, identifiers=identifiers, required_attributes=["name"])
    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert len(call("ListUserPools", MaxResults=60)["UserPools"]) == len(before)


def test_view_login_page(browser, call):
    """The link has Cognito's parameters in Cognito's order, on the page of the set-up and on that of the client."""
    made = Made(browser, call, return_url="https://app.example/cb?a=b&c")
    base = f"{urljoin(str(browser.base_url), '/')}auth/{made.pool['Domain']}"
    callback = "https%3A%2F%2Fapp.example%2Fcb%3Fa%3Db%26c"
    expected = (
        f"{base}/login?client_id={made.client_id}&response_type=code&scope=email+openid+phone&redirect_uri={callback}"
    )
    assert made.login_page == expected
    client = browser.get(f"/console/pools/{made.pool_id}/clients/{made.client_id}")
    assert html.escape(expected) in client.text
    assert httpx.get(expected, trust_env=False).status_code == 200


@pytest.mark.parametrize("kind", ["web", "spa", "mobile"])
def test_landing_page(browser, call, inbox, kind: str):
    """Without a return URL, "View login page" leads through sign-up and the code to a page that shows the code."""
    made = Made(browser, call, application_type=kind, return_url="", required_attributes=["email"])
    landing = urljoin(str(browser.base_url), "/console/landing")
    assert f"<h1>{HEADINGS[kind]}</h1>" in made.page.text
    assert made.client["CallbackURLs"] == [landing]
    mail = f"landing-{kind}-{made.client_id}@example.com"
    with httpx.Client(trust_env=False, follow_redirects=True) as stranger:

        def send(page: httpx.Response, **values: str) -> httpx.Response:
            form = Page(page).form
            return stranger.post(urljoin(str(page.url), form.action), data=form.values | values)

        first = stranger.get(made.login_page)
        assert not Page(first).has("password"), "choice-based sign-in asks for the name first"
        sign_up = stranger.get(urljoin(str(first.url), Page(first).links_to("/signup")[0]))
        confirm = send(sign_up, username=mail, password=PASSWORD)
        assert urlsplit(str(confirm.url)).path.endswith("/confirm")
        landed = send(confirm, code=inbox(mail)[-1].code)

        assert str(landed.url).startswith(f"{landing}?code=")
        code = parse_qs(urlsplit(str(landed.url)).query)["code"][0]
        assert landed.status_code == 200
        assert code in landed.text
        form = {"grant_type": "authorization_code", "redirect_uri": landing, "code": code}
        auth = (made.client_id, made.client["ClientSecret"]) if kind == "web" else None
        token_url = f"{made.login_page.partition('/login?')[0]}/oauth2/token"
        answer = stranger.post(token_url, data=form | {"client_id": made.client_id}, auth=auth)
        assert list(answer.json()) == ["id_token", "access_token", "refresh_token", "expires_in", "token_type"]

        again = stranger.get(made.login_page)
        assert str(again.url).startswith(f"{landing}?code=")
        refused = stranger.get(f"{landing}?" + urlencode({"error": "invalid_scope", "error_description": "<b>no</b>"}))
        assert "invalid_scope" in refused.text
        assert "<b>no</b>" not in refused.text
