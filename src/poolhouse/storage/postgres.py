"""PostgreSQL: a bounded number of threads, each with a synchronous connection of its own.

A read of a single statement runs without BEGIN and ROLLBACK around it: a statement is a snapshot by itself, and each
of the two is a round trip. How many statements a read will run, nobody knows; it is taken to be as many as the same
function ran last time. Where one turns out to need a second statement, it runs again in a transaction.

Every transaction runs at REPEATABLE READ. What a work function read is then still true when it writes, as on
SQLite: whoever changes a row that somebody else changed since is told so (40001) and runs again. READ COMMITTED
would let two requests count the same attempt once; SERIALIZABLE would track every read to no further use here.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from poolhouse.model import ConcurrentModificationException
from poolhouse.storage import migrations
from poolhouse.storage.catalogue import Cache
from poolhouse.storage.engine import RETRIES, Dialect, SecondStatement, StatementCounts
from poolhouse.storage.errors import Busy, StorageError
from poolhouse.storage.postgres_connection import CONNECT_SECONDS, Conflict, Lost, PostgresConnection
from poolhouse.storage.transaction import Tx

T = TypeVar("T")

# Requests that may wait for each connection.
WAITING = 256
_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ"
# Saves a round trip where one read follows another.
_NEXT_READ = b"ROLLBACK AND CHAIN"
_WRITE = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"
# Any number that nobody else takes for an advisory lock of this database: "poolhous".
_MIGRATION_LOCK = int.from_bytes(b"poolhous")


class Request:
    """A work function that waits for a thread, and where its answer goes."""

    def __init__(self, work: Callable[[Tx], Any], *, writing: bool) -> None:
        self.work, self.writing = work, writing
        self._loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Any] = self._loop.create_future()
        self._begun = threading.Lock()

    def begin(self) -> bool:
        """Say if this is the first to take the request on, and somebody still waits for it."""
        return self._begun.acquire(blocking=False) and not self.answer.cancelled()

    def expire(self) -> None:
        """Tell who waits that it takes too long, unless the work has begun."""
        if not self.answer.done() and self.begin():
            self.answer.set_exception(Busy("No database connection became free in time."))

    def settle(self, result: object, error: BaseException | None) -> None:
        """Hand the answer over to the loop."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._set, result, error)

    def _set(self, result: object, error: BaseException | None) -> None:
        if self.answer.done():
            return
        if error is None:
            self.answer.set_result(result)
        elif isinstance(error, StopIteration):  # a future does not take it
            self.answer.set_exception(RuntimeError("work raised StopIteration"))
        else:
            self.answer.set_exception(error)


class Turns:
    """Lets first runs of writes go side by side, and reruns alone: what met others once must not meet them again."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._alone = 0

    @contextlib.contextmanager
    def taken(self, *, alone: bool) -> Iterator[None]:
        """Wait for a turn and keep it."""
        with self._changed:
            if alone:
                self._alone += 1
                self._changed.wait_for(lambda: not self._running)
            else:
                self._changed.wait_for(lambda: not self._alone)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._alone -= alone
                self._changed.notify_all()


class PostgresEngine:
    """A PostgreSQL database; implements ``Engine``."""

    dialect: Dialect = "postgres"

    def __init__(
        self, url: str, cache: Cache, *, migrate: bool = True, connections: int = 8, timeout: float = 5.0
    ) -> None:
        self._url, self._cache, self._timeout = url, cache, timeout
        self._queue: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._most = connections * WAITING
        self._turns = Turns()
        self._counts = StatementCounts()
        self._closed = False
        self._prepare(migrate=migrate)
        self._threads = [
            threading.Thread(target=self._serve, name=f"poolhouse-postgres-{number}", daemon=True)
            for number in range(connections)
        ]
        for thread in self._threads:
            thread.start()

    def _prepare(self, *, migrate: bool) -> None:
        connection = PostgresConnection(self._url, CONNECT_SECONDS)
        try:
            connection.control(b"SET client_min_messages = warning")
            connection.control(b"SET lock_timeout = 0")  # another starter may be migrating
            connection.control(b"BEGIN")
            connection.raw.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
            migrations.bring_up(connection, self.dialect, migrate=migrate)
            connection.commit()
        finally:
            connection.raw.close()

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` on a thread, on one snapshot."""
        return await self._ask(work, writing=False)

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` on a thread; returns once its commit is durable."""
        return await self._ask(work, writing=True)

    async def _ask(self, work: Callable[[Tx], T], *, writing: bool) -> T:
        if self._closed:
            raise StorageError("The store is closed.")
        if self._queue.qsize() >= self._most:
            raise Busy("Too many requests are waiting for the database.")
        request = Request(work, writing=writing)
        timer = asyncio.get_running_loop().call_later(self._timeout, request.expire)
        self._queue.put(request)
        try:
            result: T = await request.answer
        finally:
            timer.cancel()
        return result

    def version(self) -> None:
        """Return None: this would be a round trip, like a read."""

    def close(self) -> None:
        """Finish what was accepted and close every connection."""
        if self._closed:
            return
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        worker = Worker(self._url, self._cache, self._timeout, self._turns, self._counts)
        while True:
            try:
                request = self._queue.get_nowait()
            except queue.Empty:
                worker.rest()
                request = self._queue.get()
            if request is None:
                break
            if request.begin():
                worker.serve(request)
            del request  # its result must not live until the next request comes
        worker.close()


class Worker:
    """What one thread does with its connection, which it makes when first needed and again after it broke."""

    def __init__(self, url: str, cache: Cache, timeout: float, turns: Turns, counts: StatementCounts) -> None:
        self._url, self._cache, self._timeout, self._turns, self._counts = url, cache, timeout, turns, counts
        self._connection: PostgresConnection | None = None
        self._reading: Tx
        self._writing: Tx

    def serve(self, request: Request) -> None:
        """Run a request and answer it."""
        try:
            result = self._repeat(request)
        except BaseException as error:  # noqa: BLE001 - it belongs to the one who asked
            request.settle(None, error)
        else:
            request.settle(result, None)

    def rest(self) -> None:
        """End the read that is still open: who asked for it need not wait for that. Forget a broken connection."""
        if self._connection is None:
            return
        self._connection.roll_back()
        if self._connection.raw.closed:
            self._connection = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.raw.close()

    def _repeat(self, request: Request) -> Any:
        for again in range(RETRIES):
            try:
                return self._once(request, alone=again > 0)
            except (Conflict, Lost, ConcurrentModificationException):
                self.rest()
        return self._once(request, alone=True)

    def _once(self, request: Request, *, alone: bool) -> Any:
        connection = self._connected()
        if not request.writing:
            return self._read(connection, request.work)
        connection.roll_back()
        with self._turns.taken(alone=alone):
            try:
                connection.control(_WRITE)
                result = self._writing.run(request.work)
                connection.commit()
            except BaseException:
                connection.roll_back()  # before others have their turn, who may wait for our rows
                raise
        return result

    def _read(self, connection: PostgresConnection, work: Callable[[Tx], Any]) -> Any:
        if self._counts.is_single(work):
            connection.roll_back()
            with contextlib.suppress(SecondStatement), connection.single:
                return self._reading.run(work)
        connection.control(_NEXT_READ if connection.is_open() else _READ)
        ran = connection.count
        result = self._reading.run(work)
        self._counts.note(work, connection.count - ran)
        return result

    def _connected(self) -> PostgresConnection:
        if self._connection is None or self._connection.raw.closed:
            self._connection = PostgresConnection(self._url, self._timeout)
            self._connection.control(b"SET default_transaction_read_only = on")
            self._reading = Tx(self._connection, self._cache, writing=False)
            self._writing = Tx(self._connection, self._cache, writing=True)
        return self._connection
