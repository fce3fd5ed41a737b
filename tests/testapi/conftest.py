"""A server with the test API, and with a seed."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import Server, make_settings, own_database
from tests.seeds.conftest import DOCUMENT


@pytest.fixture(scope="module")
def module_suite(rsa_keys, database_kind: str, tmp_path_factory) -> Iterator[Server]:
    """A server with a database of its own: reset deletes all pools."""
    place = tmp_path_factory.mktemp("suite")
    seed = place / "seed.json"
    seed.write_text(json.dumps(DOCUMENT))
    with own_database(database_kind, place) as database:
        server = Server(make_settings(database, place, seed=str(seed), test_api=True))
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """A client of HTTP, made once."""
    with httpx.Client(timeout=30) as client:
        yield client


@pytest.fixture
def suite(module_suite: Server, http: httpx.Client) -> Iterator[Server]:
    """The server, as the seed left it."""
    yield module_suite
    http.post(f"{module_suite.url}/test/reset").raise_for_status()


@pytest.fixture
def ask(module_suite: Server, http: httpx.Client) -> Callable[..., Any]:
    """Ask the test API; give the document of the answer, which must have the status that is wanted."""

    def send(method: str, path: str, document: Any = None, *, wanted: int = 200, **options: Any) -> Any:
        body = {} if document is None else {"json": document}
        answer = http.request(method, f"{module_suite.url}/test/{path}", **body, **options)
        assert answer.status_code == wanted, answer.text
        return answer.json()

    return send
