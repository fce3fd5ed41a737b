"""The fixtures: nouns, each a small builder over one real server on loopback."""

import asyncio
import base64
import contextlib
import functools
import gc
import itertools
import pathlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import httpx._transports.default
import pytest
import uvicorn
from botocore.config import Config
from botocore.validate import ParamValidator

from poolhouse.app import GARBAGE
from poolhouse.settings import Settings
from tests.federation.provider import Provider, Roads
from tests.functions import Functions

ACCESS_KEY, SECRET_KEY = "AKPHTESTTESTTESTTEST", "test-secret-of-the-root-access-key-00000"
PASSWORD = "Correct-Horse-1"
SENDER_KEY_ARN, SENDER_KEY = "arn:aws:kms:us-east-1:000000000000:key/senders", b"s" * 32
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", default="sqlite", choices=["sqlite", "postgres", "both"])
    parser.addoption("--screenshots", metavar="DIR", help="save every page that tests/browser looks at")


def pytest_configure() -> None:
    """Let the HTTP clients of a process that trust the same certificates read them once: it takes longer than a test."""
    transports = httpx._transports.default
    make = transports.create_ssl_context
    trusted = functools.cache(make)

    def create(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
        return trusted(trust_env=trust_env) if verify is True and cert is None else make(verify, cert, trust_env)

    transports.create_ssl_context = create


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database")
        kinds = ["sqlite", "postgres"] if chosen == "both" else [chosen]
        if metafunc.definition.get_closest_marker("any_database"):
            kinds = kinds[:1]
        metafunc.parametrize("database_kind", kinds, scope="session", indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[Any]:
    """Spare eleven thousand tests the collector: looking through them took a twentieth of the time of those that run."""
    gc.disable()
    collected = yield
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    gc.enable()
    return collected


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together what shares things, where ``--dist loadfile`` asks for that."""
    from tests.scheduling import Scheduling

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database the server of this test runs on."""
    return request.param


@contextlib.contextmanager
def own_database(kind: str, directory: pathlib.Path, name: str = "poolhouse.db") -> Iterator[str]:
    """The URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{directory}/{name}"
    else:
        from tests.postgres import postgres_url

        with postgres_url() as url:
            yield url


@pytest.fixture(scope="session")
def database_url(database_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh database."""
    with own_database(database_kind, tmp_path_factory.mktemp("database")) as url:
        yield url


class MovableClock:
    """The machine's clock, and how far a test has moved it on."""

    def __init__(self) -> None:
        self.offset = 0
        self._stopped: int | None = None

    def now(self) -> int:
        return (self._stopped or time.time_ns() // 1_000_000) + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += int(seconds * 1000)

    def stop(self) -> None:
        """Stand still; from here on the clock moves by ``advance`` only."""
        self._stopped = time.time_ns() // 1_000_000

    def back_to_now(self) -> None:
        self.offset, self._stopped = 0, None


class Server:
    """Poolhouse, really listening, in a thread of this process."""

    access_key, secret_key = ACCESS_KEY, SECRET_KEY

    def __init__(self, settings: Settings) -> None:
        from poolhouse.app import App, Outside, SystemRandom
        from poolhouse.cli.listening import KEEP_ALIVE_SECONDS

        self.clock = MovableClock()
        self.settings = settings
        self.app = App(settings, Outside(clock=self.clock, random=SystemRandom(), road_to_providers=Roads))
        config = uvicorn.Config(
            self.app,
            host="127.0.0.1",
            port=settings.port,
            lifespan="on",
            log_config=None,
            loop="uvloop",
            http="httptools",
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.loop: asyncio.AbstractEventLoop

    def _run(self) -> None:
        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            await self._server.serve()

        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            runner.run(serve())

    def start(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)

    @property
    def deps(self):
        return self.app.deps

    @property
    def store(self):
        return self.app.deps.store

    @property
    def url(self) -> str:
        return self.settings.base_url

    def run(self, coroutine):
        """Run a coroutine on the server's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def read(self, work):
        return self.run(self.store.read(work))

    def write(self, work):
        return self.run(self.store.write(work))

    def boto(self, **options: Any):
        """A boto3 client for this server."""
        config = Config(retries={"total_max_attempts": 1}, **options.pop("config", {}))
        return boto3.client(
            "cognito-idp",
            **{
                "endpoint_url": self.url,
                "region_name": "us-east-1",
                "aws_access_key_id": ACCESS_KEY,
                "aws_secret_access_key": SECRET_KEY,
                "config": config,
            }
            | options,
        )


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_settings(database: str, directory: pathlib.Path, **changes: Any) -> Settings:
    """Settings of a test server: real in everything but the cost of a password hash."""
    return Settings(
        **{
            "port": free_port(),
            "database": database,
            "master_key": "11" * 32,
            "root_access_key_id": ACCESS_KEY,
            "root_secret_access_key": SECRET_KEY,
            "argon2_memory_kib": 8,
            "argon2_time": 1,
        }
        | changes,
    )


@pytest.fixture(scope="session")
def rsa_keys() -> Iterator[None]:
    """One pair of RSA keys for the whole run: making them is slow and not what most tests are about."""
    from tests.keys import reuse_rsa_keys

    with reuse_rsa_keys():
        yield


@pytest.fixture(scope="session")
def functions() -> Iterator[Functions]:
    """Functions for triggers, behind a real Lambda Invoke endpoint that the server knows."""
    functions = Functions()
    yield functions
    functions.close()


@pytest.fixture(scope="session")
def session_provider() -> Iterator[Provider]:
    """One identity provider for the whole run."""
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture
def provider(session_provider: Provider) -> Iterator[Provider]:
    """An identity provider that behaves until a test asks it not to; the social ones' addresses lead to it as well."""
    session_provider.reset()
    with Roads.leading_to(session_provider):
        yield session_provider
    session_provider.reset()


@pytest.fixture(scope="session")
def session_server(
    rsa_keys, functions: Functions, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One server for the whole run."""
    directory = tmp_path_factory.mktemp("server")
    keys = {SENDER_KEY_ARN: base64.b64encode(SENDER_KEY).decode()}
    server = Server(make_settings(database_url, directory, lambda_url=functions.url, sender_keys=keys))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(session_server: Server) -> Iterator[Server]:
    """The server, its clock at the present when a test begins."""
    session_server.clock.back_to_now()
    yield session_server
    session_server.clock.back_to_now()


@pytest.fixture
def still_clock(server: Server) -> None:
    """Time passes by ``advance`` only, for tests of seconds: a machine may be slow."""
    server.clock.stop()


@pytest.fixture(scope="session")
def aws_issuer_server(rsa_keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose issuer is Cognito's own, for verifiers that hard-code it."""
    directory = tmp_path_factory.mktemp("aws-issuer")
    server = Server(make_settings(f"sqlite:///{directory}/poolhouse.db", directory, issuer="aws"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_server(rsa_keys, tmp_path: pathlib.Path) -> Iterator[Server]:
    """A server of its own, whose database a command line may open as well."""
    server = Server(make_settings(f"sqlite:///{tmp_path}/poolhouse.db", tmp_path))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def session_cognito(session_server: Server):
    return session_server.boto()


@pytest.fixture
def cognito(server: Server, session_cognito):
    """A boto3 client of the server."""
    return session_cognito


@pytest.fixture
def call(cognito) -> Callable[..., dict[str, Any]]:
    """Call an operation by name; the answer is checked against botocore's output shape."""

    def invoke(operation: str, /, **members: Any) -> dict[str, Any]:
        answer = cognito._make_api_call(operation, members)
        answer.pop("ResponseMetadata")
        shape = cognito.meta.service_model.operation_model(operation).output_shape
        if shape is not None:
            report = ParamValidator().validate(answer, shape)
            assert not report.has_errors(), report.generate_report()
        return answer

    return invoke


@pytest.fixture
def pool(call) -> Callable[..., str]:
    """Make a user pool; give its id."""

    def make(**settings: Any) -> str:
        return call("CreateUserPool", **{"PoolName": f"pool-{next(_numbers)}"} | settings)["UserPool"]["Id"]

    return make


@pytest.fixture
def app(call) -> Callable[..., dict[str, Any]]:
    """Make an app client of a pool; give its description."""

    def make(pool_id: str, **settings: Any) -> dict[str, Any]:
        members = {
            "UserPoolId": pool_id,
            "ClientName": f"client-{next(_numbers)}",
            "ExplicitAuthFlows": [
                "ALLOW_USER_PASSWORD_AUTH",
                "ALLOW_USER_SRP_AUTH",
                "ALLOW_ADMIN_USER_PASSWORD_AUTH",
                "ALLOW_REFRESH_TOKEN_AUTH",
            ],
        } | settings
        return call("CreateUserPoolClient", **members)["UserPoolClient"]

    return make


@pytest.fixture
def user(call) -> Callable[..., str]:
    """Make a confirmed user with a password; give the user name."""

    def make(pool_id: str, username: str | None = None, *, password: str | None = PASSWORD, **attributes: str) -> str:
        username = username or f"user-{next(_numbers)}"
        listed = [{"Name": name.replace("custom_", "custom:"), "Value": value} for name, value in attributes.items()]
        made = call(
            "AdminCreateUser", UserPoolId=pool_id, Username=username, MessageAction="SUPPRESS", UserAttributes=listed
        )
        if password is not None:
            call("AdminSetUserPassword", UserPoolId=pool_id, Username=username, Password=password, Permanent=True)
        return made["User"]["Username"]

    return make


@pytest.fixture
def inbox(server: Server) -> Callable[[str], list[Any]]:
    """The messages that the outbox keeps for an address, oldest first."""
    return lambda to: server.read(lambda tx: tx.outbox.list(to=to))


@pytest.fixture
def limited(server: Server) -> Iterator[Callable[..., None]]:
    """Limit messages as POOLHOUSE_MESSAGE_LIMITS does, for this test."""
    from poolhouse.core.message_limits import read_limit

    def limit(*texts: str) -> None:
        object.__setattr__(server.deps, "message_limits", tuple(map(read_limit, texts)))

    yield limit
    limit()
