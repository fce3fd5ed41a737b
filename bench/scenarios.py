"""What is measured: each scenario is prepared once and then driven round after round."""

import base64
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx

from bench.conversation import srp_sign_ins
from bench.load import Result
from bench.machine import Machine, http, signed, unsigned

PASSWORD = "Correct-Horse-1"
CALLBACK = "http://localhost:3000/callback"
ALL_FLOWS = [
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
]


@dataclass(slots=True)
class Stage:
    """A pool with clients and one user who is signed in."""

    machine: Machine
    pool_id: str = ""
    passwordless_pool_id: str = ""
    domain: str = ""
    machine_client: dict[str, str] = field(default_factory=dict)
    client_id: str = ""
    access_token: str = ""
    oauth_access_token: str = ""
    refresh_token: str = ""
    cookie: str = ""
    counter: int = 0

    @property
    def host(self) -> dict[str, str]:
        """The Host header."""
        return {"Host": self.machine.url.removeprefix("http://")}

    def number(self) -> int:
        """A number not given before, for names."""
        self.counter += 1
        return self.counter


def prepare(machine: Machine) -> Stage:
    """Make the pool, the clients and the user."""
    stage, cognito = Stage(machine), machine.boto()
    stage.pool_id = cognito.create_user_pool(PoolName="bench")["UserPool"]["Id"]
    stage.passwordless_pool_id = cognito.create_user_pool(
        PoolName="passwordless",
        Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}},
    )["UserPool"]["Id"]
    stage.domain = stage.pool_id.lower().replace("_", "")
    cognito.create_user_pool_domain(UserPoolId=stage.pool_id, Domain=stage.domain)
    cognito.create_resource_server(
        UserPoolId=stage.pool_id,
        Identifier="rs",
        Name="rs",
        Scopes=[{"ScopeName": "read", "ScopeDescription": "Read"}],
    )
    stage.machine_client = cognito.create_user_pool_client(
        UserPoolId=stage.pool_id,
        ClientName="machine",
        GenerateSecret=True,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=["rs/read"],
    )["UserPoolClient"]
    stage.client_id = cognito.create_user_pool_client(
        UserPoolId=stage.pool_id,
        ClientName="people",
        ExplicitAuthFlows=ALL_FLOWS,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "email"],
        CallbackURLs=[CALLBACK],
        SupportedIdentityProviders=["COGNITO"],
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(
        UserPoolId=stage.pool_id,
        Username="ann",
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": "ann@example.org"}, {"Name": "email_verified", "Value": "true"}],
    )
    cognito.admin_set_user_password(UserPoolId=stage.pool_id, Username="ann", Password=PASSWORD, Permanent=True)
    tokens = cognito.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=stage.client_id,
        AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    stage.access_token, stage.refresh_token = tokens["AccessToken"], tokens["RefreshToken"]
    _sign_in_browser(stage)
    return stage


def _sign_in_browser(stage: Stage) -> None:
    base = f"{stage.machine.url}/auth/{stage.domain}"
    query = urlencode(
        {"client_id": stage.client_id, "response_type": "code", "scope": "openid email", "redirect_uri": CALLBACK}
    )
    with httpx.Client() as browser:
        page = browser.get(f"{base}/login?{query}")
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        form = fields | {"username": "ann", "password": PASSWORD}
        answer = browser.post(f"{base}/login?{query}", data=form)
        code = re.search(r"[?&]code=([^&]+)", answer.headers["location"])[1]
        tokens = browser.post(
            f"{base}/oauth2/token",
            data={
                "grant_type": "authorization_code",
                "code": code,
                "client_id": stage.client_id,
                "redirect_uri": CALLBACK,
            },
        ).json()
        stage.oauth_access_token = tokens["access_token"]
        stage.cookie = f"cognito={browser.cookies['cognito']}"


Drive = Callable[[Stage], Awaitable[Result]]


def _token_request(stage: Stage, form: dict[str, str], basic: tuple[str, str] | None = None) -> bytes:
    headers = stage.host | {"Content-Type": "application/x-www-form-urlencoded"}
    if basic is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(basic).encode()).decode()
    return http("POST", f"/auth/{stage.domain}/oauth2/token", urlencode(form).encode(), headers)


async def client_credentials(stage: Stage) -> Result:
    client = stage.machine_client
    request = _token_request(stage, {"grant_type": "client_credentials"}, (client["ClientId"], client["ClientSecret"]))
    return await stage.machine.drive(lambda _: request)


async def refresh(stage: Stage) -> Result:
    form = {"grant_type": "refresh_token", "client_id": stage.client_id, "refresh_token": stage.refresh_token}
    request = _token_request(stage, form)
    return await stage.machine.drive(lambda _: request)


async def code_exchange(stage: Stage) -> Result:
    codes = await _codes(stage, 2500)
    base = {"grant_type": "authorization_code", "client_id": stage.client_id, "redirect_uri": CALLBACK}
    requests = [_token_request(stage, base | {"code": code}) for code in codes]
    return await stage.machine.drive(lambda number: requests[number], limit=len(requests))


async def _codes(stage: Stage, count: int) -> list[str]:
    query = urlencode(
        {"client_id": stage.client_id, "response_type": "code", "scope": "openid email", "redirect_uri": CALLBACK}
    )
    headers = stage.host | {"Cookie": stage.cookie}
    request = http("GET", f"/auth/{stage.domain}/oauth2/authorize?{query}", b"", headers)
    kept: list[bytes] = []
    await stage.machine.drive(lambda _: request, status=b"302", seconds=60, limit=count, keep=kept)
    return [re.search(rb"[?&]code=([^&\s]+)", answer)[1].decode() for answer in kept]


async def get_user(stage: Stage) -> Result:
    body = json.dumps({"AccessToken": stage.access_token}).encode()
    request = unsigned(stage.machine.url, "GetUser", body)
    return await stage.machine.drive(lambda _: request)


async def user_info(stage: Stage) -> Result:
    headers = stage.host | {"Authorization": f"Bearer {stage.oauth_access_token}"}
    request = http("GET", f"/auth/{stage.domain}/oauth2/userInfo", b"", headers)
    return await stage.machine.drive(lambda _: request)


async def jwks(stage: Stage) -> Result:
    request = http("GET", f"/{stage.pool_id}/.well-known/jwks.json", b"", stage.host)
    return await stage.machine.drive(lambda _: request)


async def discovery(stage: Stage) -> Result:
    request = http("GET", f"/{stage.pool_id}/.well-known/openid-configuration", b"", stage.host)
    return await stage.machine.drive(lambda _: request)


def _sign_in_request(stage: Stage) -> bytes:
    body = {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": stage.client_id,
        "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD},
    }
    return unsigned(stage.machine.url, "InitiateAuth", json.dumps(body).encode())


async def password_sign_in(stage: Stage) -> Result:
    request = _sign_in_request(stage)
    return await stage.machine.drive(lambda _: request, connections=8, seconds=4)


async def srp_sign_in(stage: Stage) -> Result:
    talks = srp_sign_ins(stage.machine.port, stage.host, stage.pool_id, stage.client_id, "ann", PASSWORD)
    return await stage.machine.measure(talks)


async def sign_up(stage: Stage) -> Result:
    def make(_: int) -> bytes:
        body = {"ClientId": stage.client_id, "Username": f"new{time.time_ns()}-{stage.number()}", "Password": PASSWORD}
        return unsigned(stage.machine.url, "SignUp", json.dumps(body).encode())

    return await stage.machine.drive(make, connections=8, seconds=4)


async def admin_create_user(stage: Stage) -> Result:
    bodies = [
        {
            "UserPoolId": stage.passwordless_pool_id,
            "Username": f"made{time.time_ns()}-{stage.number()}",
            "UserAttributes": [
                {"Name": "email", "Value": f"made{time.time_ns()}@example.org"},
                {"Name": "email_verified", "Value": "true"},
            ],
            "MessageAction": "SUPPRESS",
        }
        for _ in range(4000)
    ]
    requests = [signed(stage.machine.url, "AdminCreateUser", json.dumps(body).encode()) for body in bodies]
    return await stage.machine.drive(lambda number: requests[number], limit=len(requests))


async def list_users(stage: Stage, pool_id: str) -> Result:
    body = json.dumps({"UserPoolId": pool_id, "Filter": 'email ^= "filler1"', "Limit": 60}).encode()
    request = signed(stage.machine.url, "ListUsers", body)
    return await stage.machine.drive(lambda _: request, connections=8)
