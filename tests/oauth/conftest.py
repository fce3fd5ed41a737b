"""The cast of the test matrix: a pool with a domain, its user, and three clients (spec/http/09)."""

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from poolhouse.flows.browser import begin_browser_session, seal_browser_session
from poolhouse.flows.calls import Origin, PublicCall
from tests.conftest import PASSWORD, Server

CALLBACK = "https://app.example/cb"
LOGOUT = "https://app.example/out"
SCOPES = ["openid", "email", "phone", "profile", "aws.cognito.signin.user.admin", "rs/read"]
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
_numbers = itertools.count(1)


def claims(token: str) -> dict[str, Any]:
    """The payload of a JWT, unverified."""
    return json.loads(decoded(token.split(".")[1]))


def header(token: str) -> dict[str, Any]:
    """The header of a JWT."""
    return json.loads(decoded(token.split(".", maxsplit=1)[0]))


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def query(location: str) -> dict[str, str]:
    """The parameters in the query of a URL."""
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True, strict_parsing=True))


def fragment(location: str) -> dict[str, str]:
    """The parameters in the fragment of a URL."""
    return dict(parse_qsl(urlsplit(location).fragment, keep_blank_values=True, strict_parsing=True))


@dataclass
class Site:
    """A pool with its domain and clients, and a browser in front of it."""

    server: Server
    http: httpx.Client
    pool_id: str
    prefix: str
    username: str
    email: str
    a: str
    b: str
    b_secret: str
    m: str
    m_secret: str
    make_app: Callable[..., dict[str, Any]]
    call: Callable[..., dict[str, Any]]
    cookie: str | None = field(default=None)

    @property
    def base(self) -> str:
        return f"{self.server.url}/auth/{self.prefix}"

    @property
    def issuer(self) -> str:
        return f"{self.server.url}/{self.pool_id}"

    def sign_in(self, username: str | None = None) -> None:
        """Leave the SSO cookie in the browser that an interactive sign-in would leave there."""
        deps = self.server.deps
        call = PublicCall(deps=deps, now=deps.clock.now(), origin=Origin(request_id="test"))
        name = username or self.username
        user = self.server.read(lambda tx: tx.users.find_by_username(self.pool_id, name))
        session = begin_browser_session(user, auth_time=call.now // 1000, event_id=deps.random.uuid())
        self.cookie = seal_browser_session(call, session)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET below the domain, with the browser's cookie."""
        if self.cookie is not None:
            headers["cookie"] = f'cognito="{self.cookie}"'
        return self.http.get(self.base + path, headers=headers)

    def authorize(self, client: str | None = None, **changes: str | None) -> httpx.Response:
        """Ask for authorization; a parameter of None is left out."""
        parameters = {
            "response_type": "code",
            "client_id": client or self.a,
            "redirect_uri": CALLBACK,
            "scope": "openid email",
        } | changes
        return self.get("/oauth2/authorize?" + urlencode({k: v for k, v in parameters.items() if v is not None}))

    def code(self, client: str | None = None, **changes: str | None) -> str:
        """Sign in and get a code."""
        if self.cookie is None:
            self.sign_in()
        return query(self.authorize(client, **changes).headers["location"])["code"]

    def post(self, path: str, form: dict[str, str | None], **options: Any) -> httpx.Response:
        """POST a form below the domain; a parameter of None is left out."""
        return self.http.post(self.base + path, data={k: v for k, v in form.items() if v is not None}, **options)

    def redeem(self, code: str, client: str | None = None, auth=None, **changes: str | None) -> httpx.Response:
        """Exchange a code."""
        form = {
            "grant_type": "authorization_code",
            "client_id": client or self.a,
            "redirect_uri": CALLBACK,
            "code": code,
        }
        return self.post("/oauth2/token", form | changes, auth=auth)

    def tokens(self, client: str | None = None, auth=None, **changes: str | None) -> dict[str, Any]:
        """Sign in and get tokens."""
        answer = self.redeem(self.code(client, **changes), client, auth)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refresh(self, token: str, client: str | None = None, **options: Any) -> httpx.Response:
        """Refresh tokens."""
        form = {"grant_type": "refresh_token", "client_id": client or self.a, "refresh_token": token}
        return self.post("/oauth2/token", form, **options)

    def machine(self, **changes: str | None) -> httpx.Response:
        """Ask for client credentials as client M."""
        form = {"grant_type": "client_credentials", "client_id": self.m, "client_secret": self.m_secret}
        return self.post("/oauth2/token", form | changes)

    def revoke(self, token: str, client: str | None = None, **options: Any) -> httpx.Response:
        """Revoke a token."""
        return self.post("/oauth2/revoke", {"token": token, "client_id": client or self.a}, **options)

    def userinfo(self, token: str) -> httpx.Response:
        """Ask who the bearer is."""
        return self.get("/oauth2/userInfo", authorization=f"Bearer {token}")

    def app(self, **settings: Any) -> dict[str, Any]:
        """Make one more client like A."""
        return self.make_app(self.pool_id, **(OAUTH_CLIENT | settings))


OAUTH_CLIENT: dict[str, Any] = {
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code", "implicit"],
    "AllowedOAuthScopes": SCOPES,
    "CallbackURLs": [CALLBACK],
    "LogoutURLs": [LOGOUT],
    "SupportedIdentityProviders": ["COGNITO"],
}
MACHINE: dict[str, Any] = OAUTH_CLIENT | {
    "GenerateSecret": True,
    "AllowedOAuthFlows": ["client_credentials"],
    "AllowedOAuthScopes": ["rs/read", "rs/write"],
    "CallbackURLs": [],
    "LogoutURLs": [],
}


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """An HTTP client that follows nothing and keeps no cookies."""
    with httpx.Client(trust_env=False) as client:
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield client


@pytest.fixture
def site(server: Server, http: httpx.Client, call, pool, app, user) -> Site:
    """The pool P, its user U and its clients A, B and M."""
    pool_id = pool(
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        Schema=[{"Name": "x", "AttributeDataType": "String", "Mutable": True}],
    )
    prefix = f"site-{next(_numbers)}"
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=prefix, ManagedLoginVersion=2)
    described = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write", "hidden")]
    call("CreateResourceServer", UserPoolId=pool_id, Identifier="rs", Name="rs", Scopes=described)
    a = app(pool_id, **OAUTH_CLIENT)
    b = app(pool_id, **(OAUTH_CLIENT | {"GenerateSecret": True, "AllowedOAuthFlows": ["code"]}))
    m = app(pool_id, **MACHINE)
    for client in (a, b):
        call(
            "CreateManagedLoginBranding",
            UserPoolId=pool_id,
            ClientId=client["ClientId"],
            UseCognitoProvidedValues=True,
        )
    email = f"ann{next(_numbers)}@example.com"
    username = user(pool_id, email, password=PASSWORD, email=email, email_verified="true", name="Ann", custom_x="y")
    return Site(
        server,
        http,
        pool_id,
        prefix,
        username,
        email,
        a["ClientId"],
        b["ClientId"],
        b["ClientSecret"],
        m["ClientId"],
        m["ClientSecret"],
        app,
        call,
    )
