"""Row 21 and what lies beside it: nobody can make the server keep, or choke on, what is too large."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import free_port
from tests.wire.client import RawClient

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def process(tmp_path_factory) -> Iterator[str]:
    """A server as ``poolhouse serve`` runs it, behind a proxy that it trusts."""
    directory, port = tmp_path_factory.mktemp("process"), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POOLHOUSE_")}
    environment["POOLHOUSE_TRUSTED_PROXIES"] = "127.0.0.1"
    # The console sends strangers to its login page only where somebody can sign in there.
    environment["POOLHOUSE_OPERATOR_EMAIL"] = "op@example.org"
    environment["POOLHOUSE_OPERATOR_PASSWORD"] = "an-operators-password"
    command = [sys.executable, "-m", "poolhouse", "serve", "--port", str(port)]
    command += ["--database", f"sqlite:///{directory}/poolhouse.db"]
    with (directory / "log").open("wb") as log:
        running = subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{url}/health/ready")
        yield url
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(20)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the server did not start")


def _pour(url: str, start: bytes, piece: bytes, times: int) -> tuple[int, bytes]:
    """Send a head that goes on and on; return how much went out, and what came back."""
    host = urlsplit(url)
    sent, answer = 0, b""
    with socket.create_connection((host.hostname, host.port), timeout=20) as connection:
        connection.sendall(start)
        with contextlib.suppress(OSError):
            for _ in range(times):
                connection.sendall(piece)
                sent += len(piece)
        with contextlib.suppress(OSError):
            answer = connection.recv(200)
    return sent, answer


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\n", b"X-Pad: " + b"a" * 1000 + b"\r\n"),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Pad: ", b"a" * 10_000),
        (b"GET /health/live?", b"a" * 10_000),
    ],
    ids=["many headers", "one header", "the target"],
)
def test_21_endless_heads(process: str, start: bytes, piece: bytes):
    """Row 21: a request whose head never ends is cut off before it fills the memory."""
    _, answer = _pour(process, start, piece, 20_000_000 // len(piece))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert httpx.get(f"{process}/health/live", trust_env=False).status_code == 200


def test_21_long_heads_within_the_limit(process: str):
    """Row 21: a bearer token of 64 KiB reaches its endpoint, which refuses it."""
    answer = httpx.get(
        f"{process}/auth/poolhouse-console/oauth2/userInfo",
        headers={"authorization": "Bearer " + "a" * 65_536},
        trust_env=False,
    )
    assert answer.status_code == 401


def test_21_requests_one_after_the_other(process: str):
    """Row 21: the limit is one of each request, not of the connection."""
    with httpx.Client(trust_env=False) as client:
        for _ in range(5):
            padding = {"x-pad": "a" * 60_000}
            assert client.post(f"{process}/", headers=padding, content=b"x" * 300_000).status_code == 404


@pytest.mark.parametrize("address", ["", ",", "nonsense", "1.2.3.4, nonsense", "::1", "x" * 5000, "1.2.3.4:99999"])
def test_11_forwarding_headers_of_a_trusted_proxy(process: str, address: str):
    """Rows 11 and 12: whatever a proxy forwards, right or malformed, no step is skipped and no link changes."""
    forwarded = {"x-forwarded-for": address, "x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}
    with httpx.Client(base_url=process, headers=forwarded, trust_env=False) as client:
        console = client.get("/console/")
        assert console.status_code == 302
        assert "/auth/poolhouse-console/oauth2/authorize?" in console.headers["location"]
        page = client.get(console.headers["location"])
        assert page.status_code == 302
        assert "evil.example" not in page.headers["location"] + console.headers["location"]
        form = client.get(page.headers["location"])
        assert form.status_code == 200
        assert "evil.example" not in form.text
        document = client.get("/us-east-1_Operators/.well-known/openid-configuration").json()
        assert document["issuer"] == process.replace("127.0.0.1", "localhost") + "/us-east-1_Operators"


def test_21_forms_of_the_set_up_page(server):
    """Row 21: the one form of the console that is open to everybody takes no more than a page could send."""
    url = f"{server.url}/console/welcome"
    for form in (b"token=" + b"x" * 1_000_000, b"&".join(b"f%d=x" % number for number in range(1000))):
        answer = httpx.post(url, content=form, headers={"content-type": FORM}, trust_env=False)
        assert answer.status_code == 400


def test_21_bodies(server, front, raw: RawClient):
    """Row 21: bodies past the limit of their endpoint are refused, with or without a declared length."""
    pages = front()
    assert raw.post("InitiateAuth", b'{"ClientId":"' + b"x" * 2_000_000 + b'"}').status == 413
    headers = {"content-type": FORM}
    for path in ("/oauth2/token", "/oauth2/revoke", "/login" + pages.query()):
        for body in (b"a=" + b"x" * 200_000, iter([b"a=" + b"x" * 200_000])):
            answer = httpx.post(pages.base + path, content=body, headers=headers, trust_env=False)
            assert answer.status_code == 413 or (path == "/oauth2/token" and answer.status_code == 400), path


@pytest.mark.parametrize("letter", ["n", "é", "\U0001f600", "\u0130"])
@pytest.mark.parametrize("length", [129, 2048, 2049, 70_000])
def test_21_long_names(raw: RawClient, pool, app, length: int, letter: str):
    """Row 21: a name of any length is refused in order, by every operation that takes one from a stranger."""
    client_id = app(pool(), PreventUserExistenceErrors="ENABLED")["ClientId"]
    rough = os.urandom(length // 2).hex()
    name = "".join(letter if digit == "0" else digit for digit in rough)
    requests: list[tuple[str, dict[str, object]]] = [
        ("InitiateAuth", {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": name, "PASSWORD": "x"}}),
        ("InitiateAuth", {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": {"USERNAME": name, "SRP_A": "ab12"}}),
        ("InitiateAuth", {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": name}}),
        ("ForgotPassword", {"Username": name}),
        ("ResendConfirmationCode", {"Username": name}),
        ("ConfirmSignUp", {"Username": name, "ConfirmationCode": "123456"}),
        ("ConfirmForgotPassword", {"Username": name, "ConfirmationCode": "123456", "Password": "Correct-Horse-1"}),
    ]
    for operation, members in requests:
        answer = raw.post(operation, {"ClientId": client_id} | members)
        assert answer.status < 500, (operation, answer.body)


def test_21_long_names_on_pages(front, visitor):
    """Row 21: nor do the pages choke on one."""
    browser = visitor(pages := front(client={"PreventUserExistenceErrors": "ENABLED"}))
    name = os.urandom(30_000).hex()
    for path in ("/login", "/forgotPassword", "/signup"):
        page = browser.send(browser.open(path + pages.query()), username=name, password="Correct-Horse-1")
        assert page.status < 500, path


@pytest.mark.parametrize("depth", [200, 100_000])
def test_21_deep_documents(raw: RawClient, pool, app, depth: int):
    """Row 21: nesting, in bodies and in tokens, ends in a refusal."""
    client_id = app(pool())["ClientId"]
    nested = "[" * depth + "]" * depth
    body = f'{{"ClientId":"{client_id}","AuthFlow":"USER_PASSWORD_AUTH","AuthParameters":{nested}}}'
    assert raw.post("InitiateAuth", body.encode()).status == 400
    from base64 import urlsafe_b64encode

    def part(text: str) -> str:
        return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    head, claims = part('{"kid":"a","alg":"RS256"}'), part(f'{{"sub":{nested}}}')
    for token in (f"{head}.{claims}.AAAA", f"{part(nested)}.{claims}.AAAA"):
        answer = raw.post("GetUser", {"AccessToken": token})
        assert answer.status == 400
        assert json.loads(answer.body)["__type"] in {"NotAuthorizedException", "InvalidParameterException"}
