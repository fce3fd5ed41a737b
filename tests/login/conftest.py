"""A pool with a domain and one client, and browsers in front of it."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from tests.conftest import Server
from tests.login.pages import Visitor

CALLBACK = "https://app.example/cb"
CLIENT: dict[str, Any] = {
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid", "email"],
    "CallbackURLs": [CALLBACK],
    "SupportedIdentityProviders": ["COGNITO"],
}
_numbers = itertools.count(1)


@dataclass
class Front:
    """The pages of one client."""

    server: Server
    call: Callable[..., dict[str, Any]]
    pool_id: str
    prefix: str
    client_id: str

    @property
    def base(self) -> str:
        return f"{self.server.url}/auth/{self.prefix}"

    def query(self, **changes: str | None) -> str:
        """The parameters of an authorization request; one of None is left out."""
        parameters = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid email",
            "state": "s1",
        } | changes
        return "?" + urlencode({name: value for name, value in parameters.items() if value is not None})

    def redeem(self, location: str, callback: str = CALLBACK) -> dict[str, Any]:
        """Exchange the code of a callback for tokens."""
        assert location.startswith(f"{callback}?code="), location
        code = dict(parse_qsl(urlsplit(location).query))["code"]
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": callback,
            "code": code,
        }
        answer = httpx.post(f"{self.base}/oauth2/token", data=form, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def user(self, username: str) -> dict[str, Any]:
        """The user as an administrator sees it."""
        return self.call("AdminGetUser", UserPoolId=self.pool_id, Username=username)


@pytest.fixture
def front(server: Server, call, pool, app) -> Callable[..., Front]:
    """Make a pool with a domain and a client. ``version`` is the generation of the pages, ``client`` its settings."""

    def make(*, version: int = 2, branded: bool = True, client: dict[str, Any] | None = None, **settings: Any) -> Front:
        pool_id = pool(**settings)
        prefix = f"front-{next(_numbers)}"
        call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=prefix, ManagedLoginVersion=version)
        client_id = app(pool_id, **(CLIENT | (client or {})))["ClientId"]
        if version == 2 and branded:
            call("CreateManagedLoginBranding", UserPoolId=pool_id, ClientId=client_id, UseCognitoProvidedValues=True)
        return Front(server, call, pool_id, prefix, client_id)

    return make


@pytest.fixture
def visitor() -> Iterator[Callable[[Front], Visitor]]:
    """Start a browser at a domain."""
    started: list[Visitor] = []

    def start(front: Front) -> Visitor:
        started.append(Visitor(front.base))
        return started[-1]

    yield start
    for browser in started:
        browser.close()


def address() -> str:
    """An e-mail address that nobody has yet."""
    return f"ann{next(_numbers)}@example.com"
