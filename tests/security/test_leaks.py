"""No secret is written where it does not belong: not into the log, not into error answers, not in clear into the database."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from pycognito.aws_srp import AWSSRP

from tests.authenticator import one_time_code
from tests.conftest import free_port

CALLBACK = "https://app.example/cb"
KEY_ID, KEY_SECRET = "AKPHLEAKLEAKLEAKLEAK", "leak-access-key-secret-0123456789abcdef"
MASTER_KEY = "9c41e7d2" * 8
OPERATOR, OPERATOR_PASSWORD = "op@example.org", "leak-operator-password-1"
PASSWORD, WRONG, TEMPORARY, NEWER = "Leak-Password-1", "Leak-Wrong-2", "Leak-Temporary-3", "Leak-Newer-4"
FLOWS = [
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
]


@dataclass
class Process:
    """``poolhouse serve`` with the log turned up, and everything secret that was said to it or by it."""

    url: str
    directory: pathlib.Path
    database: str
    secrets: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def keep(self, **secrets: str) -> None:
        for name, value in secrets.items():
            self.secrets[f"{name} {len(self.secrets)}"] = value

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()


@contextlib.contextmanager
def running(directory: pathlib.Path, database: str) -> Iterator[Process]:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POOLHOUSE_")} | {
        "POOLHOUSE_LOG_LEVEL": "debug",
        "POOLHOUSE_ROOT_ACCESS_KEY_ID": KEY_ID,
        "POOLHOUSE_ROOT_SECRET_ACCESS_KEY": KEY_SECRET,
        "POOLHOUSE_MASTER_KEY": MASTER_KEY,
        "POOLHOUSE_OPERATOR_EMAIL": OPERATOR,
        "POOLHOUSE_OPERATOR_PASSWORD": OPERATOR_PASSWORD,
        "POOLHOUSE_ARGON2_MEMORY_KIB": "8",
        "POOLHOUSE_ARGON2_TIME": "1",
        "PYTHONASYNCIODEBUG": "1",
    }
    command = [sys.executable, "-m", "poolhouse", "serve", "--port", str(port), "--database", database]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=log)
    found = Process(f"http://localhost:{port}", directory, database)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{found.url}/health/ready", trust_env=False).status_code == 200:
                    break
            assert process.poll() is None, found.log
            time.sleep(0.1)
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@pytest.fixture(scope="module")
def process(database_kind: str, tmp_path_factory) -> Iterator[Process]:
    """A server that has been told, and has told, every secret there is."""
    directory = tmp_path_factory.mktemp("leaks")
    with contextlib.ExitStack() as stack:
        if database_kind == "sqlite":
            database = f"sqlite:///{directory}/poolhouse.db"
        else:
            from tests.postgres import postgres_url

            database = stack.enter_context(postgres_url())
        found = stack.enter_context(running(directory, database))
        found.keep(access_key=KEY_SECRET, master_key=MASTER_KEY, operator=OPERATOR_PASSWORD)
        found.keep(password=PASSWORD, wrong=WRONG, temporary=TEMPORARY, newer=NEWER)
        Story(found).tell()
        yield found


class Story:
    """The life of two users, with everything that can go wrong."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.cognito = boto3.client(
            "cognito-idp",
            endpoint_url=process.url,
            region_name="us-east-1",
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=KEY_SECRET,
            config=Config(retries={"total_max_attempts": 1}),
        )
        self.http = httpx.Client(trust_env=False)

    def call(self, operation: str, **members: Any) -> dict[str, Any]:
        return self.cognito._make_api_call(operation, members)

    def refused(self, operation: str, **members: Any) -> None:
        """A call that fails; what it said is kept for a look."""
        with pytest.raises(ClientError) as raised:
            self.call(operation, **members)
        self.process.failures.append(json.dumps(raised.value.response["Error"]))

    def codes(self, to: str) -> list[str]:
        command = [sys.executable, "-m", "poolhouse", "outbox", "--json", "--to", to]
        environment = os.environ | {"POOLHOUSE_DATABASE": self.process.database, "POOLHOUSE_MASTER_KEY": MASTER_KEY}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, cwd=self.process.directory
        )
        return [message["code"] for message in json.loads(done.stdout)]

    def tell(self) -> None:
        self._set_up()
        self._sign_up()
        self._tokens()
        self._factors()
        self._srp()
        self._recover()
        self._pages()
        self._console()
        self._strangers()

    def _set_up(self) -> None:
        self.pool = self.call("CreateUserPool", PoolName="leaks", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
        settings: dict[str, Any] = {
            "UserPoolId": self.pool,
            "ExplicitAuthFlows": FLOWS,
            "AllowedOAuthFlowsUserPoolClient": True,
            "AllowedOAuthFlows": ["code"],
            "AllowedOAuthScopes": ["openid", "aws.cognito.signin.user.admin"],
            "CallbackURLs": [CALLBACK],
            "SupportedIdentityProviders": ["COGNITO"],
        }
        made = self.call("CreateUserPoolClient", ClientName="a", GenerateSecret=True, **settings)["UserPoolClient"]
        self.client, self.secret = made["ClientId"], made["ClientSecret"]
        self.public = self.call("CreateUserPoolClient", ClientName="b", **settings)["UserPoolClient"]["ClientId"]
        self.call("CreateUserPoolDomain", UserPoolId=self.pool, Domain="leaks", ManagedLoginVersion=2)
        style = {"UserPoolId": self.pool, "UseCognitoProvidedValues": True}
        self.call("CreateManagedLoginBranding", ClientId=self.client, **style)
        self.call("CreateManagedLoginBranding", ClientId=self.public, **style)
        self.process.keep(client_secret=self.secret)
        self.base = f"{self.process.url}/auth/leaks"

    def hash(self, username: str) -> str:
        message = (username + self.client).encode()
        made = base64.b64encode(hmac.digest(self.secret.encode(), message, hashlib.sha256)).decode()
        self.process.keep(secret_hash=made)
        return made

    def _sign_up(self) -> None:
        attributes = [{"Name": "email", "Value": "ann@leaks.example"}]
        user = {"ClientId": self.client, "Username": "ann", "SecretHash": self.hash("ann")}
        self.call("SignUp", **user, Password=PASSWORD, UserAttributes=attributes)
        self.refused("SignUp", **user, Password=PASSWORD, UserAttributes=attributes)
        self.refused("ConfirmSignUp", **user, ConfirmationCode="no-such-code-000")
        code = self.codes("ann@leaks.example")[-1]
        self.process.keep(sign_up_code=code)
        self.call("ConfirmSignUp", **user, ConfirmationCode=code)
        self.refused("ConfirmSignUp", **user, ConfirmationCode=code)
        invited = [{"Name": "email", "Value": "bob@leaks.example"}]
        self.call("AdminCreateUser", UserPoolId=self.pool, Username="bob", UserAttributes=invited)
        self.process.keep(invitation=self.codes("bob@leaks.example")[-1])
        self.call("AdminSetUserPassword", UserPoolId=self.pool, Username="bob", Password=TEMPORARY)

    def _start(self, password: str, username: str = "ann", **more: str) -> dict[str, Any]:
        parameters = {"USERNAME": username, "PASSWORD": password, "SECRET_HASH": self.hash(username)} | more
        return {"ClientId": self.client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}

    def _tokens(self) -> None:
        self.refused("InitiateAuth", **self._start(WRONG))
        self.refused("InitiateAuth", **self._start(PASSWORD, SECRET_HASH="AAAA"))
        made = self.call("InitiateAuth", **self._start(PASSWORD))["AuthenticationResult"]
        access, refresh = made["AccessToken"], made["RefreshToken"]
        self.process.keep(access_token=access, id_token=made["IdToken"], refresh_token=refresh)
        asked = self.call("InitiateAuth", **self._start(TEMPORARY, "bob"))
        self.process.keep(session=asked["Session"])
        answer = {"ClientId": self.client, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": asked["Session"]}
        responses = {"USERNAME": "bob", "SECRET_HASH": self.hash("bob"), "NEW_PASSWORD": NEWER}
        self.refused("RespondToAuthChallenge", **answer, ChallengeResponses=responses | {"NEW_PASSWORD": "short"})
        self.call("RespondToAuthChallenge", **answer, ChallengeResponses=responses)
        self.refused("RespondToAuthChallenge", **answer, ChallengeResponses=responses)
        owner = {"ClientId": self.client, "RefreshToken": refresh}
        self.call("GetTokensFromRefreshToken", **owner, ClientSecret=self.secret)
        self.refused("GetTokensFromRefreshToken", **owner, ClientSecret=self.secret[::-1])
        self.refused(
            "GetTokensFromRefreshToken", ClientId=self.client, RefreshToken=refresh[:-1], ClientSecret=self.secret
        )
        self.call("GetUser", AccessToken=access)
        self.refused("GetUser", AccessToken=access[:-2])
        self.refused("ChangePassword", AccessToken=access, PreviousPassword=WRONG, ProposedPassword=NEWER)
        self.call("GetUserAttributeVerificationCode", AccessToken=access, AttributeName="email")
        code = self.codes("ann@leaks.example")[-1]
        self.process.keep(attribute_code=code)
        self.refused("VerifyUserAttribute", AccessToken=access, AttributeName="email", Code=code + "0")
        self.call("VerifyUserAttribute", AccessToken=access, AttributeName="email", Code=code)

    def _factors(self) -> None:
        app = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
        self.call("SetUserPoolMfaConfig", UserPoolId=self.pool, MfaConfiguration="OPTIONAL", **app)
        access = self.call("InitiateAuth", **self._start(PASSWORD))["AuthenticationResult"]["AccessToken"]
        for keep in ("waiting", "used", "waiting"):
            secret = self.call("AssociateSoftwareToken", AccessToken=access)["SecretCode"]
            plain = base64.b32decode(secret + "====")
            code = one_time_code(secret, time.time())
            self.process.keep(app_secret=secret, app_secret_bytes=plain.hex(), app_code=code)
            self.refused("VerifySoftwareToken", AccessToken=access, UserCode=f"{(int(code) + 1) % 1_000_000:06}")
            if keep == "used":
                self.call("VerifySoftwareToken", AccessToken=access, UserCode=code)

    def _srp(self) -> None:
        for password in (PASSWORD, WRONG):
            side = AWSSRP(
                username="ann",
                password=password,
                pool_id=self.pool,
                client_id=self.client,
                client=object(),
                client_secret=self.secret,
            )
            start = {"ClientId": self.client, "AuthFlow": "USER_SRP_AUTH", "AuthParameters": side.get_auth_params()}
            parameters = self.call("InitiateAuth", **start)["ChallengeParameters"]
            responses = side.process_challenge(parameters, {"USERNAME": "ann"})
            self.process.keep(
                block=parameters["SECRET_BLOCK"], salt=parameters["SALT"], proof=responses["PASSWORD_CLAIM_SIGNATURE"]
            )
            answer = {"ClientId": self.client, "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": responses}
            if password == PASSWORD:
                self.call("RespondToAuthChallenge", **answer)
            else:
                self.refused("RespondToAuthChallenge", **answer)

    def _recover(self) -> None:
        user = {"ClientId": self.client, "Username": "ann", "SecretHash": self.hash("ann")}
        self.call("ForgotPassword", **user)
        code = self.codes("ann@leaks.example")[-1]
        self.process.keep(recovery_code=code)
        self.refused("ConfirmForgotPassword", **user, ConfirmationCode="no-such-code-000", Password=NEWER)
        self.call("ConfirmForgotPassword", **user, ConfirmationCode=code, Password=PASSWORD)

    def _pages(self) -> None:
        query = {"client_id": self.public, "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid"}
        authorize = f"{self.base}/oauth2/authorize?{urlencode(query)}"
        page = self.http.get(self.http.get(authorize).headers["location"])
        token = re.search(r'name="_csrf" value="([^"]+)"', page.text)[1]
        login = f"{self.base}/login?{urlencode(query)}"
        self.http.post(login, data={"_csrf": token, "username": "ann", "password": WRONG})
        done = self.http.post(login, data={"_csrf": token, "username": "ann", "password": PASSWORD})
        code = parse_qs(urlsplit(done.headers["location"]).query)["code"][0]
        self.process.keep(code=code, csrf=token)
        self.process.keep(
            **{name.replace("-", "_"): value.strip('"') for name, value in self.http.cookies.items() if value}
        )
        form = {"grant_type": "authorization_code", "client_id": self.public, "redirect_uri": CALLBACK, "code": code}
        made = self.http.post(f"{self.base}/oauth2/token", data=form).json()
        again = self.http.post(f"{self.base}/oauth2/token", data=form)
        basic = (self.client, self.secret + "x")
        wrong = self.http.post(f"{self.base}/oauth2/token", data={"grant_type": "client_credentials"}, auth=basic)
        self.process.keep(oauth_access=made["access_token"], oauth_refresh=made["refresh_token"])
        info = self.http.get(
            f"{self.base}/oauth2/userInfo", headers={"authorization": f"Bearer {made['access_token']}x"}
        )
        self.process.failures += [again.text, wrong.text, info.text]

    def _console(self) -> None:
        browser = httpx.Client(base_url=self.process.url, follow_redirects=True, trust_env=False)
        page = browser.get("/console/")
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        home = browser.post(str(page.url), data=fields | {"username": OPERATOR, "password": OPERATOR_PASSWORD})
        assert "User pools" in home.text
        self.process.keep(
            **{name.replace("-", "_"): value.strip('"') for name, value in browser.cookies.items() if value}
        )
        browser.get(f"/console/pools/{self.pool}/clients/{self.client}")
        browser.post("/console/welcome", data={"token": "Leak-Forged-Token", "email": "x", "password": WRONG})
        self.process.keep(forged="Leak-Forged-Token")

    def _strangers(self) -> None:
        """Requests that go wrong before anybody looks at what they say."""
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
        }
        for body in (
            {"ClientId": self.client, "AuthFlow": PASSWORD, "AuthParameters": {"PASSWORD": PASSWORD}},
            {"ClientId": self.client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": [PASSWORD]},
            {
                "ClientId": PASSWORD,
                "AuthFlow": "USER_PASSWORD_AUTH",
                "AuthParameters": {"PASSWORD": PASSWORD, "USERNAME": ""},
            },
        ):
            answer = self.http.post(self.process.url, json=body, headers=headers)
            assert answer.status_code == 400
        broken = f'{{"AuthParameters":{{"PASSWORD":"{PASSWORD}"'.encode()
        assert self.http.post(self.process.url, content=broken, headers=headers).status_code == 400
        signature = f"AWS4-HMAC-SHA256 Credential={KEY_ID}/x, SignedHeaders=host, Signature={KEY_SECRET}"
        headers["x-amz-target"] = "AWSCognitoIdentityProviderService.ListUserPools"
        answer = self.http.post(self.process.url, json={}, headers=headers | {"authorization": signature})
        self.process.failures.append(answer.text)


def forms(secret: str) -> list[bytes]:
    """The spellings in which a secret might be written somewhere."""
    raw = secret.encode()
    found = {raw, quote(secret, safe="").encode(), base64.b64encode(raw).rstrip(b"="), raw.hex().encode()}
    found.add(json.dumps(secret)[1:-1].encode())
    # Keys and values that look like base64 or hexadecimal, as bytes.
    if re.fullmatch(r"[0-9a-f]{32,}", secret) and len(secret) % 2 == 0:
        found.add(bytes.fromhex(secret))
    return [form for form in found if len(form) >= 6]


def leaks(secrets: dict[str, str], text: bytes, *, allowed: tuple[str, ...] = ()) -> list[str]:
    """The names of the secrets in a text; codes of six digits count where they stand alone."""
    found = []
    for name, secret in secrets.items():
        if name.startswith(allowed):
            continue
        for form in forms(secret):
            pattern = re.escape(form)
            if form.isdigit():
                pattern = rb"(?<![0-9a-fA-F.-])" + pattern + rb"(?![0-9a-fA-F-])"
            if re.search(pattern, text):
                found.append(name)
                break
    return found


def test_the_log_holds_no_secret(process: Process):
    """With everything logged that can be, no secret of any request or answer is in the log."""
    assert len(process.secrets) > 30
    assert len(process.log) > 100
    assert leaks(process.secrets, process.log.encode()) == []


def test_refusals_quote_no_secret(process: Process):
    """An error answer repeats no password, code, token or secret that it was given."""
    assert len(process.failures) > 15
    assert leaks(process.secrets, "\n".join(process.failures).encode(), allowed=("csrf",)) == []


def tables(process: Process) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    if process.database.startswith("sqlite"):
        connection: Any = sqlite3.connect(process.directory / "poolhouse.db")
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    else:
        import psycopg

        connection = psycopg.connect(process.database)
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    with contextlib.closing(connection):
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names}


def _flat(rows: list[tuple[Any, ...]]) -> bytes:
    parts = []
    for row in rows:
        parts += [bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in row]
    return b"\0".join(parts)


def test_the_database_holds_no_secret(process: Process):
    """At rest there is no password, code, token, client secret or access key in clear; the outbox is what it is."""
    found = {name: leaks(process.secrets, _flat(rows), allowed=("salt",)) for name, rows in tables(process).items()}
    assert {name: leaked for name, leaked in found.items() if leaked and name != "outbox"} == {}
    assert found["outbox"]


def test_the_database_file_holds_no_secret(process: Process, database_kind: str):
    """Nor do the database's files, with what deleted rows leave in them; and they are for their owner only."""
    if database_kind != "sqlite":
        pytest.skip("the files of PostgreSQL are its own")
    files = sorted(process.directory.glob("poolhouse.db*"))
    # Codes stand in the outbox, which is in the same file.
    outbox = ("salt", "sign_up_code", "attribute_code", "recovery_code", "invitation")
    for file in files:
        assert leaks(process.secrets, file.read_bytes(), allowed=outbox) == [], file.name
        assert file.stat().st_mode & 0o077 == 0, file.name


def test_keys_are_sealed_at_rest(process: Process):
    """No part of a private key, and no SRP verifier, can be read from the database."""
    from pycognito.aws_srp import hex_to_long, pad_hex

    from poolhouse.core import srp
    from poolhouse.crypto.modpow import pow_mod
    from poolhouse.crypto.seal import Sealer

    found = tables(process)
    everything = _flat([row for rows in found.values() for row in rows])
    assert b"PRIVATE KEY" not in everything
    sealer = Sealer(bytes.fromhex(MASTER_KEY))
    for row in found["signing_keys"]:
        kid = next(value for value in row if isinstance(value, str) and value.endswith("="))
        blobs = [bytes(value) for value in row if isinstance(value, bytes | memoryview)]
        plain = sealer.open("signing key", blobs[0], kid.encode())
        assert plain[:1] == b"\x30"
        for start in range(0, len(plain) - 64, 32):
            assert plain[start + 40 : start + 72] not in everything or _public(plain, start)
    salt = next(value for name, value in process.secrets.items() if name.startswith("salt"))
    pool_id = next(row[0] for row in found["pools"] if "Operators" not in row[0])
    verifier = srp.make_verifier(salt, pool_id.partition("_")[2], "ann", PASSWORD, pow_mod)
    raw = verifier.to_bytes((verifier.bit_length() + 7) // 8, "big")
    for form in (raw, raw.hex().encode(), str(verifier).encode(), base64.b64encode(raw)[:64], raw[:64]):
        assert form not in everything
    assert hex_to_long(pad_hex(salt)) > 0


def _public(plain: bytes, start: int) -> bool:
    """Whether these bytes of a private key are its public modulus, which is published anyway."""
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    numbers = load_der_private_key(plain, None).private_numbers().public_numbers
    return plain[start + 40 : start + 72] in numbers.n.to_bytes(256, "big")


def test_accidents_tell_nothing(process: Process, database_kind: str):
    """A row that cannot be read ends in a bare 500, in JSON and on pages, and its content is not logged."""
    if database_kind != "sqlite":
        pytest.skip("one engine shows it")
    marker = "Leak-Corrupt-Row"
    with contextlib.closing(sqlite3.connect(process.directory / "poolhouse.db", timeout=20)) as connection:
        connection.execute("UPDATE users SET details = ? WHERE username = 'bob'", (f'{{"credentials": "{marker}"',))
        connection.commit()
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
    }
    client = next(row[0] for row in tables(process)["clients"] if '"ClientName":"b"' in str(row))
    body = {
        "ClientId": client,
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "bob", "PASSWORD": PASSWORD},
    }
    answer = httpx.post(process.url, json=body, headers=headers, trust_env=False)
    assert answer.status_code == 500
    assert answer.json() == {"__type": "InternalErrorException", "message": "Something went wrong"}
    query = urlencode({"client_id": client, "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid"})
    with httpx.Client(trust_env=False) as browser:
        page = browser.get(f"{process.url}/auth/leaks/login?{query}")
        token = re.search(r'name="_csrf" value="([^"]+)"', page.text)[1]
        form = {"_csrf": token, "username": "bob", "password": PASSWORD}
        shown = browser.post(f"{process.url}/auth/leaks/login?{query}", data=form)
    assert shown.status_code == 500
    for text in (answer.text, shown.text, process.log):
        assert marker not in text
        assert leaks(process.secrets, text.encode()) == []
