"""Every test of storage runs on both engines."""

import asyncio
import pathlib
from collections.abc import Callable, Iterator

import psycopg
import pytest

from poolhouse.storage import Store, migrate, open_store
from tests.postgres import postgres_url


class Postgres:
    """A PostgreSQL database that belongs to these tests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._is_made = False

    def empty(self) -> str:
        """Leave nothing; return the URL."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SET client_min_messages = warning")
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        self._is_made = False
        return self.url

    def clear(self) -> str:
        """Leave the tables and no row in them, since making them takes longer than a test; return the URL."""
        if not self._is_made:
            migrate(self.empty())
            self._is_made = True
        with psycopg.connect(self.url) as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_history'"
            ).fetchall()
            connection.execute("; ".join(f"DELETE FROM {name}" for (name,) in tables))
            connection.execute("SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence")
        return self.url


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with postgres_url() as url:
        yield Postgres(url)


def sqlite_url(tmp_path: pathlib.Path) -> str:
    return f"sqlite:///{tmp_path}/poolhouse.db"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """The URL of a database without a row."""
    return sqlite_url(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres").clear()


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """The URL of a database without a table."""
    return sqlite_url(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres").empty()


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
    """A store without a row."""
    return open_sync(url)
