"""A server as a process, and its test API as methods."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode

if TYPE_CHECKING:
    from types import TracebackType

# Longer than a first start takes on a busy machine: it makes RSA keys.
PATIENCE = 60.0
ACCESS_KEY_ID, SECRET_ACCESS_KEY = "AKPHTEST", "secret-of-the-tests"
DEFAULTS = {
    "HOST": "127.0.0.1",
    "PORT": "0",
    "TEST_API": "true",
    "ROOT_ACCESS_KEY_ID": ACCESS_KEY_ID,
    "ROOT_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
    # Passwords of tests are not worth guarding.
    "ARGON2_MEMORY_KIB": "8",
    "ARGON2_TIME": "1",
    "LOG_LEVEL": "warning",
}
_URL = re.compile(r"API and issuer +(\S+)")
# A proxy of the environment does not lead to the loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """The test API refused a request, or the server did not start; the text says why."""


class Server:
    """Poolhouse in a process of its own, with a database in ``directory`` and a port that was free.

    ``settings`` are those of the environment, without ``POOLHOUSE_``. A context manager, or ``start`` and ``stop``.
    """

    def __init__(self, directory: pathlib.Path, settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        own = {"DATABASE": f"sqlite:///{directory}/poolhouse.db"}
        self.settings = DEFAULTS | own | dict(settings or {})
        self.url = ""
        self.log = directory / "poolhouse.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._is_changed = False

    def start(self) -> "Server":
        """Start the server and wait until it answers; raises Refused."""
        with self.log.open("wb") as log:
            self._process = self._begin(log)
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            if self._process.poll() is not None:
                raise Refused(f"Poolhouse did not start: {self.log.read_text().strip()}")
            if time.monotonic() > deadline:
                self.stop()
                raise Refused(f"Poolhouse did not answer within {PATIENCE:.0f} seconds; see {self.log}")
            time.sleep(0.02)
        return self

    def _begin(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("POOLHOUSE_")}
        given = {f"POOLHOUSE_{name}": value for name, value in self.settings.items()}
        return subprocess.Popen([sys.executable, "-m", "poolhouse", "serve"], env=clean | given, stderr=log)

    def stop(self) -> None:
        """End the server."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: "TracebackType | None"
    ) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What makes every AWS SDK and the AWS CLI talk to this server."""
        return {
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": self.url,
            "AWS_ACCESS_KEY_ID": self.settings["ROOT_ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": self.settings["ROOT_SECRET_ACCESS_KEY"],
            "AWS_DEFAULT_REGION": self.settings.get("REGION", "us-east-1"),
        }

    def client(self, **options: Any) -> Any:
        """Return a boto3 client of this server; ``options`` are those of ``boto3.client``."""
        import boto3

        names = {
            "endpoint_url": "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER",
            "aws_access_key_id": "AWS_ACCESS_KEY_ID",
            "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
            "region_name": "AWS_DEFAULT_REGION",
        }
        own = {name: self.environment[variable] for name, variable in names.items()}
        return boto3.client("cognito-idp", **(own | options))

    def reset(self, user_pool_id: str | None = None) -> None:
        """Go back to the seed: delete one pool, or everything, and make anew what the seed names."""
        self._ask("POST", "/test/reset", {} if user_pool_id is None else {"UserPoolId": user_pool_id})

    def advance(self, seconds: float) -> None:
        """Move the server's clock on."""
        self._is_changed = True
        self._ask("POST", "/test/clock", {"advance": seconds})

    def set_time(self, time: str) -> None:
        """Put the server's clock to a time such as ``2030-01-31T12:00:00Z``, from which it goes on."""
        self._is_changed = True
        self._ask("POST", "/test/clock", {"set": time})

    def fail(
        self,
        operation: str,
        error: str | None = None,
        *,
        times: int = 1,
        status: int | None = None,
        message: str = "",
        delay: float = 0,
    ) -> None:
        """Let the next calls of an operation, or of a path such as ``/oauth2/token``, fail or be late."""
        self._is_changed = True
        order = {"operation": operation, "error": error, "times": times, "status": status}
        self._ask("POST", "/test/failures", {**order, "message": message, "delay": delay})

    def put_right(self) -> None:
        """Put the clock back, and cancel failures that were ordered and have not happened."""
        if self._is_changed:
            self._is_changed = False
            self._ask("DELETE", "/test/clock")
            self._ask("DELETE", "/test/failures")

    def messages(self, to: str | None = None, *, wait: float = 0) -> list[dict[str, Any]]:
        """Return the messages to an address or to everybody, oldest first; wait some seconds for the first one."""
        query = {"wait": str(wait)} | ({} if to is None else {"to": to})
        found: list[dict[str, Any]] = self._ask("GET", f"/test/messages?{urlencode(query)}")
        return found

    def drop_messages(self) -> None:
        """Empty the outbox."""
        self._ask("DELETE", "/test/messages")

    def _ask(self, method: str, path: str, document: Any = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"}, method=method)
        try:
            with _opener.open(request, timeout=PATIENCE * 2) as response:
                return json.load(response)
        except HTTPError as error:
            with error:
                raise Refused(json.load(error)["message"]) from None

    def _is_ready(self) -> bool:
        told = _URL.search(self.log.read_text(errors="replace"))
        if told is None:
            return False
        self.url = told[1]
        try:
            with _opener.open(f"{self.url}/health/ready", timeout=PATIENCE):
                return True
        except OSError:
            return False


class Outbox:
    """The messages (codes, invitations) that a server kept in the place of sending them."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def messages(self, to: str | None = None) -> list[dict[str, Any]]:
        """Return messages, oldest first, as ``poolhouse outbox --json`` shows them."""
        return self._server.messages(to)

    def wait(self, to: str, timeout: float = 10) -> dict[str, Any]:
        """Return the newest message to an address, waiting for the first one; raises Refused where none comes."""
        found = self._server.messages(to, wait=timeout)
        if not found:
            raise Refused(f"no message to {to} within {timeout:g} seconds")
        return found[-1]

    def code(self, to: str, timeout: float = 10) -> str:
        """Return the code, or the temporary password, of the newest message to an address; raises Refused."""
        code: str | None = self.wait(to, timeout)["code"]
        if code is None:
            raise Refused(f"the newest message to {to} has no code")
        return code

    def clear(self) -> None:
        """Forget all messages."""
        self._server.drop_messages()
