"""The server under test, as a process of its own on one core, and a client to prepare it with."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from bench.load import MakeRequest, Result, drive

SERVER_CORE, LOAD_CORE = 0, 1
ACCESS_KEY, SECRET_KEY = "AKPHBENCHBENCHBENCH1", "secret-of-the-benchmark-0000000000000000"
POOLHOUSE = pathlib.Path(sys.executable).parent / "poolhouse"


@dataclass(frozen=True, slots=True)
class Machine:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    database: str
    started_in: float

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://localhost:{self.port}"

    def boto(self):
        """A boto3 client of it."""
        return boto3.client(
            "cognito-idp",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=600),
        )

    async def drive(self, make: MakeRequest, **options: Any) -> Result:
        """Drive the server with requests, and count its processor time."""
        return await self.measure(drive(self.port, make, **options))

    async def measure(self, load: Awaitable[Result]) -> Result:
        """Count the server's processor time while ``load`` runs."""
        before = self.cpu_seconds()
        result = await load
        result.cpu = self.cpu_seconds() - before
        return result

    def cpu_seconds(self) -> float:
        """Processor time that the server has taken so far, in all its threads."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settle(self) -> None:
        """Wait until the server has done what it does by itself after a start, such as making signing keys."""
        before = -1.0
        while (now := self.cpu_seconds()) != before:
            before = now
            time.sleep(0.3)

    def memory_mb(self) -> float:
        """Resident memory now."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0


def pin(core: int) -> None:
    """Keep this process to one core, where there are two."""
    if core in os.sched_getaffinity(0) and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {core})


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def environment_for(database: str, port: int) -> dict[str, str]:
    """The settings of the server under test."""
    return {
        "POOLHOUSE_PORT": str(port),
        "POOLHOUSE_DATABASE": database,
        "POOLHOUSE_MASTER_KEY": "22" * 32,
        "POOLHOUSE_ROOT_ACCESS_KEY_ID": ACCESS_KEY,
        "POOLHOUSE_ROOT_SECRET_ACCESS_KEY": SECRET_KEY,
        "POOLHOUSE_OPERATOR_EMAIL": "bench@example.org",
        "POOLHOUSE_OPERATOR_PASSWORD": "bench-bench-bench",
        "POOLHOUSE_LOG_LEVEL": "error",
    }


@contextlib.contextmanager
def running(database: str, port: int | None = None) -> Iterator[Machine]:
    """Start a server on a database, wait for its first answer, stop it afterwards.

    The same ``port`` gives the same issuer as before, so that tokens stay good.
    """
    port = port or free_port()
    environment = os.environ | environment_for(database, port)
    began = time.perf_counter()
    process = subprocess.Popen(
        [POOLHOUSE, "serve"], env=environment, preexec_fn=lambda: pin(SERVER_CORE), stderr=subprocess.DEVNULL
    )
    try:
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5).read()
                break
            if process.poll() is not None or time.perf_counter() - began > 60:
                raise RuntimeError("the server did not start")
            time.sleep(0.005)
        yield Machine(process, port, database, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@contextlib.contextmanager
def sqlite_database() -> Iterator[str]:
    """A fresh SQLite database on disk."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/poolhouse.db"


def signed(url: str, operation: str, body: bytes) -> bytes:
    """The bytes of a signed API request; they stay good for five minutes."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
    }
    request = AWSRequest("POST", url + "/", headers=headers, data=body)
    SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "cognito-idp", "us-east-1").add_auth(request)
    return http("POST", "/", body, {**dict(request.headers.items()), "Host": url.removeprefix("http://")})


def unsigned(url: str, operation: str, body: bytes) -> bytes:
    """The bytes of an unsigned API request."""
    headers = {
        "Host": url.removeprefix("http://"),
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
    }
    return http("POST", "/", body, headers)


def http(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() != "content-length"]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body
