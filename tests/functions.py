"""A real Lambda Invoke endpoint on loopback, whose functions are Python handlers of the tests.

    arn = functions.add(handler)            # handler(event, context), as written for AWS
    pool(LambdaConfig={"PreSignUp": arn})
    functions.events(arn)                   # what it was invoked with, oldest first

A handler returns the event; what it raises is its FunctionError, ``Refusal`` is the service's own error, and
``hang`` never answers.
"""

import base64
import contextlib
import itertools
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import standardwebhooks

Handler = Callable[[dict[str, Any], Any], Any]
_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
_CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256 Credential=\w+/[0-9]{8}/([a-z0-9-]+)/lambda/aws4_request, SignedHeaders=")
ACCOUNT = "000000000000"


class Refusal(Exception):
    """An error of the Lambda service, such as ``Refusal(429, "TooManyRequestsException")``."""

    def __init__(self, status: int, type: str) -> None:
        super().__init__(type)
        self.status, self.type = status, type


@dataclass(frozen=True)
class Invoked:
    """One request for a function."""

    event: dict[str, Any]
    kind: str
    headers: dict[str, str]


@dataclass
class Function:
    """A handler, and what it was invoked with."""

    handler: Handler
    calls: list[Invoked] = field(default_factory=list)


def echo(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """A function that changes nothing."""
    return event


@dataclass
class Webhook:
    """A webhook, and what it was sent."""

    url: str
    secret: str = "whsec_" + base64.b64encode(b"a key of the tests, 32 bytes long").decode()
    events: list[dict[str, Any]] = field(default_factory=list)

    def take(self, headers: dict[str, str], body: bytes) -> bytes:
        """Take an event and give it back."""
        self.events.append(standardwebhooks.Webhook(self.secret).verify(body, headers))
        return body


class Functions:
    """The endpoint; it listens from the start until ``close``."""

    def __init__(self) -> None:
        self._functions: dict[str, Function] = {}
        self._webhooks: dict[str, Webhook] = {}
        self._numbers = itertools.count(1)
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._request_handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    @property
    def url(self) -> str:
        """What POOLHOUSE_LAMBDA_URL is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, handler: Handler = echo, *, region: str = "us-east-1") -> str:
        """Make a function; give its ARN."""
        arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:test-{next(self._numbers)}"
        self._functions[arn] = Function(handler)
        return arn

    def change(self, arn: str, handler: Handler) -> None:
        """Give a function another handler."""
        self._functions[arn].handler = handler

    def calls(self, arn: str) -> list[Invoked]:
        """The requests for a function, oldest first."""
        return self._functions[arn].calls

    def events(self, arn: str) -> list[dict[str, Any]]:
        """The events that a function got, oldest first, as they were when it got them."""
        return [call.event for call in self.calls(arn)]

    def webhook(self) -> "Webhook":
        """Make a webhook that takes every event as it is, and verifies its signature."""
        webhook = Webhook(f"{self.url}/webhook/{next(self._numbers)}")
        self._webhooks[webhook.url.removeprefix(self.url)] = webhook
        return webhook

    def hang(self, event: dict[str, Any], _: Any) -> dict[str, Any]:
        """A handler that does not answer as long as anybody waits."""
        self._closing.wait(60)
        return event

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Answer one request as Lambda does, or as a webhook."""
        if path in self._webhooks:
            return 200, {}, self._webhooks[path].take(headers, body)
        try:
            return self._invoke(path, headers, body)
        except Refusal as refusal:
            document = {"Type": "User", "Message": "refused"}
            return refusal.status, {"x-amzn-ErrorType": f"{refusal.type}:http://x/"}, json.dumps(document).encode()

    def _invoke(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        named = _PATH.fullmatch(path)
        arn = unquote(named[1]) if named else ""
        if arn not in self._functions:
            raise Refusal(404, "ResourceNotFoundException")
        signed = _CREDENTIAL.match(headers.get("authorization", ""))
        if not signed or signed[1] != arn.split(":")[3] or "x-amz-date" not in headers:
            raise Refusal(403, "InvalidSignatureException")
        kind = headers["x-amz-invocation-type"]
        function = self._functions[arn]
        function.calls.append(Invoked(json.loads(body), kind, headers))
        context = SimpleNamespace(function_name=arn.rpartition(":")[2], invoked_function_arn=arn)
        if kind == "Event":
            return self._run_later(function, json.loads(body), context)
        try:
            returned = function.handler(json.loads(body), context)
        except Refusal:
            raise
        except Exception as error:
            thrown = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
            return 200, {"X-Amz-Function-Error": "Unhandled"}, json.dumps(thrown).encode()
        return 200, {}, returned if isinstance(returned, bytes) else json.dumps(returned).encode()

    @staticmethod
    def _run_later(function: Function, event: dict[str, Any], context: Any) -> tuple[int, dict[str, str], bytes]:
        """Take the event, as the service does before the function runs; only the service itself may refuse it."""
        try:
            function.handler(event, context)
        except Exception as error:
            if isinstance(error, Refusal):
                raise
        return 202, {}, b""

    def _request_handler(functions) -> type[BaseHTTPRequestHandler]:
        class RequestHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body are two packets; the second must not wait for the first one's receipt, 40 ms later.
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, extra, reply = functions.answer(self.path, headers, body)
                self.send_response(status)
                for name, value in {**extra, "Content-Length": str(len(reply))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply)

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # nobody waits any more
                    super().handle()

            def log_message(self, *args: Any) -> None:
                pass

        return RequestHandler
