"""SQL lives here and nowhere else: a store, its transactions, and two engines behind one text of SQL.

Start with ``transaction.py`` (what a work function gets) and ``engine.py`` (what the two databases share).
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from poolhouse.storage.catalogue import Cache
from poolhouse.storage.engine import Engine
from poolhouse.storage.errors import StorageError
from poolhouse.storage.sqlite import SqliteEngine
from poolhouse.storage.transaction import Tx

__all__ = ["Store", "Tx", "migrate", "open_store"]

T = TypeVar("T")

# Entries of the catalogue's cache; the settings of a pool or client take a few kilobytes.
CACHED = 4096


class Store:
    """A database. Work functions are plain and synchronous, may run more than once, and touch nothing but ``tx``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` on one consistent snapshot. Raises what it raises, Busy and StorageError."""
        return await self._engine.read(work)

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` and return its result once that is committed durably; an error undoes all of it.

        Run again up to three times where others changed the same rows.
        Raises what ``work`` raises, ConcurrentModificationException, Busy and StorageError.
        """
        return await self._engine.write(work)

    def version(self) -> int | None:
        """Return a number that is another one after every commit, as this thread sees it.

        None where asking for it would cost no less than reading.
        """
        return self._engine.version()

    async def close(self) -> None:
        """Finish accepted writes and close the database."""
        await asyncio.sleep(0)  # writes of this turn of the loop are handed over with the next
        await asyncio.to_thread(self._engine.close)

    def close_now(self) -> None:
        """Do the same outside an event loop."""
        self._engine.close()


def open_store(
    url: str, *, migrate: bool = True, connections: int = 8, timeout: float = 5.0, cached: int = CACHED
) -> Store:
    """Open ``sqlite:///path``, ``sqlite:///:memory:`` or ``postgresql://…``.

    ``migrate`` brings an older schema up to date; without it, one is refused. PostgreSQL gets at most
    ``connections`` connections, for which a request waits ``timeout`` seconds at most.
    Raises SchemaMismatch and StorageError.
    """
    cache = Cache(cached)
    if url.startswith("sqlite:///"):
        return Store(SqliteEngine(url.removeprefix("sqlite:///"), cache, migrate=migrate))
    if url.startswith(("postgresql://", "postgres://")):
        from poolhouse.storage.postgres import PostgresEngine

        return Store(PostgresEngine(url, cache, migrate=migrate, connections=connections, timeout=timeout))
    raise StorageError("A database URL begins with sqlite:/// or postgresql://.")


def migrate(url: str) -> None:
    """Bring a database's schema up to date; raises SchemaMismatch and StorageError."""
    open_store(url, connections=1).close_now()
