"""``poolhouse serve`` as a process of its own, and the other commands beside it."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore.config import Config

from tests.conftest import ACCESS_KEY, SECRET_KEY, free_port

POOLHOUSE = pathlib.Path(sys.executable).parent / "poolhouse"
CHEAP = {"POOLHOUSE_ARGON2_MEMORY_KIB": "8", "POOLHOUSE_ARGON2_TIME": "1"}
ROOT = {"POOLHOUSE_ROOT_ACCESS_KEY_ID": ACCESS_KEY, "POOLHOUSE_ROOT_SECRET_ACCESS_KEY": SECRET_KEY}
# Longer than a first start takes on a busy machine: it makes RSA keys.
PATIENCE = 60


class Program:
    """An installation in a directory; ``settings`` are those of the environment, without the prefix."""

    def __init__(self, directory: pathlib.Path, database: str, **settings: str) -> None:
        self.directory, self.database = directory, database
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        own = {"PORT": str(self.port), "DATABASE": database} | settings
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("POOLHOUSE_", "AWS_"))}
        self.environment = clean | CHEAP | ROOT | {f"POOLHOUSE_{name}": value for name, value in own.items()}
        self.log = directory / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._begun = 0

    @property
    def told(self) -> str:
        """What the server has printed since it began."""
        return self.log.read_bytes()[self._begun :].decode()

    def start(self, *flags: str) -> "Program":
        """Start the server and wait until it answers."""
        self.begin(*flags)
        self.wait_until_ready()
        return self

    def begin(self, *flags: str) -> None:
        """Start the server."""
        self._begun = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [POOLHOUSE, "serve", *flags], cwd=self.directory, env=self.environment, stderr=log
            )

    def wait_until_ready(self) -> None:
        """Wait for the first answer."""
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            assert self.process is not None
            assert self.process.poll() is None, self.told
            assert time.monotonic() < deadline, self.told
            time.sleep(0.01)

    def _is_ready(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """End the server as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def stop(self) -> int:
        """Ask the server to end; give its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.process = None
        return code

    def clean_up(self) -> None:
        """End what a failed test left running."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run another command on the same installation."""
        return subprocess.run(
            [POOLHOUSE, *command],
            cwd=self.directory,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def out(self, *command: str, **environment: str) -> str:
        """What a command that succeeds prints."""
        done = self.run(*command, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, *command: str, **environment: str) -> str:
        """The one sentence with which a command fails."""
        done = self.run(*command, **environment)
        assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
        (sentence,) = done.stderr.splitlines()
        return sentence

    def boto(self, **options: Any):
        """A boto3 client of the server, which tries once."""
        return boto3.client(
            "cognito-idp",
            **{
                "endpoint_url": self.url,
                "region_name": "us-east-1",
                "aws_access_key_id": ACCESS_KEY,
                "aws_secret_access_key": SECRET_KEY,
                "config": Config(retries={"total_max_attempts": 1}),
            }
            | options,
        )


class Refused(Exception):
    """The service answered with an error; ``code`` is its type."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Caller:
    """One kept connection for unsigned operations and forms; anything but an answer is OSError or HTTPException."""

    def __init__(self, program: Program) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=30)

    def __call__(self, operation: str, /, **members: Any) -> dict[str, Any]:
        """Call an unsigned operation; raises Refused."""
        headers = {
            "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        }
        status, document = self._ask("/", json.dumps(members).encode(), headers)
        if status != 200:
            raise Refused(document["__type"], document.get("message", ""))
        return document

    def form(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        """POST a form; raises Refused."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, document = self._ask(path, urlencode(form).encode(), headers)
        if status != 200:
            raise Refused(document["error"], "")
        return document

    def close(self) -> None:
        self._connection.close()

    def _ask(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self._connection.request("POST", path, body, headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())
