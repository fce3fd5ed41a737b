"""Every test of storage runs on both engines."""

import asyncio
from collections.abc import Callable, Iterator

import psycopg
import pytest

from poolhouse.storage import Store, open_store
from tests.postgres import postgres_url


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL database that belongs to these tests."""
    with postgres_url() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/poolhouse.db"
    return empty_postgres(request)


def empty_postgres(request: pytest.FixtureRequest) -> str:
    """Empty the PostgreSQL database and return its URL."""
    url = request.getfixturevalue("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


class Sync:
    """A store whose methods wait: most tests are one caller after the other."""

    def __init__(self, store: Store, runner: asyncio.Runner) -> None:
        self.store, self._runner = store, runner

    def read(self, work):
        return self._runner.run(self.store.read(work))

    def write(self, work):
        return self._runner.run(self.store.write(work))

    def run(self, make: Callable):
        """Run what ``make`` makes of the store: a coroutine."""
        return self._runner.run(make(self.store))


@pytest.fixture
def open_sync() -> Iterator[Callable[..., Sync]]:
    """Open stores, closed at the end."""
    with asyncio.Runner() as runner:
        opened = []

        def open_(url: str, **options) -> Sync:
            opened.append(Sync(open_store(url, **options), runner))
            return opened[-1]

        yield open_
        for sync in opened:
            runner.run(sync.store.close())


@pytest.fixture
def store(url: str, open_sync) -> Sync:
    """A store on an empty database."""
    return open_sync(url)
