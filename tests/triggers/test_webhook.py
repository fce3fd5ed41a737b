"""Webhooks on loopback, verified by the library of Standard Webhooks."""

import base64
import json
import pathlib
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from poolhouse import triggers as module
from poolhouse.settings import FunctionEndpoint
from poolhouse.triggers.failure import BadMapping
from tests.triggers.running import EVENT, arn_of, refusal, routes, run

OLD, NEW = ("whsec_" + base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))
ARN = arn_of("hook")
FAILED = "UnexpectedLambdaException: PreSignUp invocation failed due to error"


@dataclass
class Receiver:
    """An application that takes events: what it was sent, and what it answers, the last answer again and again."""

    url: str = ""
    answers: list[tuple[int, bytes | None]] = field(default_factory=lambda: [(200, None)])
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    cookie: str = ""

    def answer(self) -> tuple[int, bytes | None]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real HTTP server in a thread; an answer without a body is the event."""
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append((dict(self.headers.items()), body))
            status, reply = state.answer()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", state.url)
            if state.cookie:
                self.send_header("Set-Cookie", state.cookie)
            self.end_headers()
            self.wfile.write(body if reply is None else reply)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/hook?key=in-the-address"
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    yield state
    server.shutdown()
    server.server_close()


def mapped(receiver, secret=NEW):
    return {"*:hook": FunctionEndpoint(url=receiver.url, secret=secret)}


def invoke(triggers):
    return triggers.invoke("PreSignUp", ARN, EVENT)


def test_requests_are_signed(receiver):
    """Each of the secrets verifies the request, and no other does; the answer is the event."""
    assert run(invoke, mapped(receiver, f"{NEW} {OLD}")) == EVENT
    ((headers, body),) = receiver.requests
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(body, headers) == EVENT
    with pytest.raises(WebhookVerificationError):
        Webhook(base64.b64encode(b"x" * 32).decode()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body + b" ", headers)


def test_tries_of_one_invocation_have_one_id(receiver, monkeypatch):
    """A receiver can tell a second try from a second invocation, and the last one counts."""
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    receiver.answers, receiver.cookie = (
        [(503, b""), (429, b'{"errorMessage": "later"}'), (200, None)],
        "user=ann; Path=/",
    )

    async def twice(triggers):
        return [await invoke(triggers), await invoke(triggers)]

    assert run(twice, mapped(receiver)) == [EVENT, EVENT]
    ids = [headers["webhook-id"] for headers, _ in receiver.requests]
    assert ids[0] == ids[1] == ids[2] != ids[3]
    # What was set with one event does not come along with another user's.
    assert not any("cookie" in map(str.lower, headers) for headers, _ in receiver.requests)


@pytest.mark.parametrize(
    ("status", "body", "told", "tries"),
    [
        (400, b'{"errorMessage": "no thanks"}', "UserLambdaValidationException: PreSignUp failed with error no thanks.", 1),
        (400, b"what?", f"{FAILED} ServiceException.", 1),
        (401, b'{"errorMessage": 1}', f"{FAILED} ServiceException.", 1),
        (403, b"", f"{FAILED} AccessDeniedException.", 1),
        (404, b"", f"{FAILED} ResourceNotFoundException.", 1),
        (302, b"", f"{FAILED} ServiceException.", 1),
        (500, b'{"errorMessage": "not of the function"}', f"{FAILED} ServiceException.", 3),
        (200, b"ok", "InvalidLambdaResponseException: Unrecognizable lambda output", 1),
        (200, b'"' + b"x" * 6 * 1024 * 1024 + b'"', f"{FAILED} RequestTooLargeException.", 1),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_other_answers(receiver, monkeypatch, status, body, told, tries):
    """Errors are told as those of functions are; redirects are not followed; only what may pass is tried again."""
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    receiver.answers = [(status, body)]
    assert refusal(invoke, mapped(receiver)) == told
    assert len(receiver.requests) == tries


def test_a_notice_needs_no_answer(receiver):
    """Any 2xx takes a notice."""
    receiver.answers = [(204, b"")]
    run(lambda triggers: triggers.notify("CustomEmailSender", ARN, EVENT), mapped(receiver))
    assert json.loads(receiver.requests[0][1]) == EVENT


@pytest.mark.parametrize(
    ("url", "secret", "told"),
    [
        ("http://hooks.example.org/", NEW, "a webhook needs https://, unless it is on the loopback"),
        ("https://user:password@hooks.example.org/", NEW, "must look like https://host/path"),
        ("https:///x", NEW, "must look like https://host/path"),
        ("https://h/ x", NEW, "must look like https://host/path"),
        ("ftp://h/", NEW, "must look like https://host/path"),
        ("https://h/", "", "needs a secret"),
        ("https://h/", "whsec_c2hvcnQ=", "24 to 64 bytes in Base64"),
        ("https://h/", NEW.removeprefix("whsec_"), "24 to 64 bytes in Base64"),
        ("https://h/", f"{NEW} whsec_not-base64!", "24 to 64 bytes in Base64"),
    ],
)
def test_webhooks_that_cannot_be(url, secret, told):
    """What cannot be used is refused at the start, without a word of the secret."""
    with pytest.raises(BadMapping) as refused:
        routes({"*": FunctionEndpoint(url=url, secret=secret)})
    assert told in str(refused.value)
    assert "whsec_c2" not in str(refused.value)


def test_what_the_how_to_shows_verifies(receiver, tmp_path):
    """The receivers of the how-to, in Python and Node.js, take a request of ours and refuse another."""
    run(invoke, mapped(receiver))
    ((headers, body),) = receiver.requests
    headers = {name.lower(): value for name, value in headers.items()}
    page = (pathlib.Path(__file__).parents[2] / "docs" / "how-to" / "triggers.md").read_text()
    in_python, in_node = (re.search(rf"```{word}\n(.*?)```", page, re.DOTALL)[1] for word in ("python", "js"))

    namespace = {"__name__": "snippet"}
    exec(in_python.replace("whsec_…", NEW), namespace)
    client = namespace["app"].test_client()
    answer = client.post("/cognito", data=body, headers=headers)
    assert (answer.status_code, answer.json) == (400, {"errorMessage": "This service is for Example only"})
    forged = headers | {"webhook-id": "other"}
    with pytest.raises(WebhookVerificationError):
        namespace["webhook"].verify(body, forged)

    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    (tmp_path / "verify.mjs").write_text(in_node)
    (tmp_path / "try.mjs").write_text(
        'import { verify } from "./verify.mjs";\n'
        "const [body, secret, ...all] = process.argv.slice(2);\n"
        "for (const headers of all) {\n"
        "  try { console.log(verify(JSON.parse(headers), body, secret).userName); }"
        "  catch (error) { console.log(error.message); }\n}\n"
    )
    old = headers | {"webhook-timestamp": "1700000000"}
    given = [body.decode(), NEW.removeprefix("whsec_"), *(json.dumps(one) for one in (headers, forged, old))]
    said = subprocess.run(["node", tmp_path / "try.mjs", *given], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [EVENT["userName"], "not from Poolhouse", "not from Poolhouse"]
