"""pytest fixtures of a Poolhouse server. The server starts when a test first asks for it, and ends with the run."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from poolhouse.testing.server import Outbox, Refused, Server

_SERVER = pytest.StashKey[Server]()
_FLOWS = (
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the file of the seed to the settings of pytest."""
    parser.addini("poolhouse_seed", "file of pools, clients and users for poolhouse_server", type="paths", default=[])


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Put right what a test did to clock and answers of the server, which other tests share."""
    server = item.config.stash.get(_SERVER, None)
    if server is not None:
        server.put_right()


@pytest.fixture(scope="session")
def poolhouse_settings() -> dict[str, str]:
    """Settings of the server, without ``POOLHOUSE_``: override this fixture to give some."""
    return {}


@pytest.fixture(scope="session")
def poolhouse_server(
    pytestconfig: pytest.Config, poolhouse_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A Poolhouse server in a process of its own, for the whole run."""
    seeds = pytestconfig.getini("poolhouse_seed")
    settings = ({"SEED": str(seeds[0])} if seeds else {}) | poolhouse_settings
    with Server(tmp_path_factory.mktemp("poolhouse"), settings) as server:
        pytestconfig.stash[_SERVER] = server
        yield server
        del pytestconfig.stash[_SERVER]


@pytest.fixture(scope="session")
def cognito_idp(poolhouse_server: Server) -> Any:
    """A boto3 client of the server, with all rights."""
    return poolhouse_server.client()


@pytest.fixture
def user_pool(poolhouse_server: Server, cognito_idp: Any) -> Iterator[dict[str, Any]]:
    """A user pool of this test, as DescribeUserPool shows it; e-mail addresses are verified in it."""
    pool = cognito_idp.create_user_pool(PoolName="test", AutoVerifiedAttributes=["email"])["UserPool"]
    yield pool
    with contextlib.suppress(Refused):  # the test deleted it
        poolhouse_server.reset(pool["Id"])


@pytest.fixture
def app_client(cognito_idp: Any, user_pool: dict[str, Any]) -> dict[str, Any]:
    """An app client of ``user_pool`` without a secret, as DescribeUserPoolClient shows it."""
    client: dict[str, Any] = cognito_idp.create_user_pool_client(
        UserPoolId=user_pool["Id"], ClientName="test", ExplicitAuthFlows=list(_FLOWS)
    )["UserPoolClient"]
    return client


@pytest.fixture
def outbox(poolhouse_server: Server) -> Outbox:
    """The messages that the server keeps, none when the test begins."""
    outbox = Outbox(poolhouse_server)
    outbox.clear()
    return outbox
