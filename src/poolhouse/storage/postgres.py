"""PostgreSQL: a bounded number of threads, each with a synchronous connection of its own.

Every transaction runs at REPEATABLE READ. What a work function read is then still true when it writes, as on
SQLite: whoever changes a row that somebody else changed since is told so (40001) and runs again. READ COMMITTED
would let two requests count the same attempt once; SERIALIZABLE would track every read to no further use here.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.pq import ExecStatus
from psycopg.types.numeric import Int8BinaryDumper

from poolhouse.model import ConcurrentModificationException
from poolhouse.storage import migrations
from poolhouse.storage.catalogue import Cache
from poolhouse.storage.engine import RETRIES, Dialect, Row, translate
from poolhouse.storage.errors import AlreadyExists, Busy, StorageError
from poolhouse.storage.transaction import Tx

T = TypeVar("T")

# Requests that may wait for each connection.
WAITING = 256
CONNECT_SECONDS = 10
_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = b"BEGIN ISOLATION LEVEL REPEATABLE READ"
# Serialisation failure, deadlock.
_CONFLICTS = frozenset({"40001", "40P01"})
# The lock time-out.
_LOCKED = "55P03"
# Any number that nobody else takes for an advisory lock of this database: "poolhous".
_MIGRATION_LOCK = int.from_bytes(b"poolhous")


class Conflict(Busy):
    """Others changed the same rows; running the work again may help."""


class Lost(StorageError):
    """The connection broke before anything was committed."""


class PostgresConnection:
    """One connection; implements ``Connection``. Raises Lost where the server cannot be reached."""

    def __init__(self, url: str, lock_seconds: float) -> None:
        self.refused: AlreadyExists | None = None
        try:
            self.raw = psycopg.connect(url, autocommit=True, prepare_threshold=0, connect_timeout=CONNECT_SECONDS)
        except psycopg.Error as error:
            raise Lost(f"Cannot connect to PostgreSQL: {str(error).strip()}") from None
        self.raw.prepared_max = 500
        # One type for all integers, lest each statement be prepared once for every size of number.
        self.raw.adapters.register_dumper(int, Int8BinaryDumper)
        self._cursor = self.raw.cursor()
        self.control(f"SET lock_timeout = {int(lock_seconds * 1000)}".encode())

    def row(self, sql: str, **values: object) -> Row | None:
        """Return the first row, if there is one."""
        self._execute(sql, values)
        return self._cursor.fetchone()

    def rows(self, sql: str, **values: object) -> list[Row]:
        """Return all rows."""
        self._execute(sql, values)
        return self._cursor.fetchall()

    def run(self, sql: str, **values: object) -> int:
        """Run a statement; return how many rows it touched."""
        self._execute(sql, values)
        return self._cursor.rowcount

    def run_many(self, sql: str, values: list[dict[str, object]]) -> None:
        """Run a statement once for each set of values, sent without waiting for each answer."""
        try:
            clean = [{name: _without_nul(value) for name, value in row.items()} for row in values]
            self._cursor.executemany(translate("postgres", sql), clean)
        except (psycopg.Error, UnicodeError) as error:
            raise self._told(error) from None

    def control(self, command: bytes) -> bytes | None:
        """Run a statement about transactions, past the cursor's machinery; return what was done."""
        try:
            result = self.raw.pgconn.exec_(command)
        except psycopg.Error as error:
            raise self._told(error) from None
        if result.status != ExecStatus.COMMAND_OK:
            raise self._told(psycopg.errors.error_from_result(result))
        return result.command_status

    def commit(self) -> None:
        """Commit; raises StorageError where it was rolled back instead or the connection broke."""
        try:
            done = self.control(b"COMMIT")
        except Lost:
            raise StorageError("The connection broke during a commit, whose outcome is unknown.") from None
        if done != b"COMMIT":
            raise StorageError("A failed transaction cannot be committed.")

    def roll_back(self) -> None:
        """Give up what is open."""
        with contextlib.suppress(StorageError):
            self.control(b"ROLLBACK")

    def _execute(self, sql: str, values: dict[str, object]) -> None:
        text = translate("postgres", sql)
        try:
            self._cursor.execute(text, values)
        except psycopg.DataError as error:
            if error.sqlstate is not None:
                raise self._told(error) from None
            # Refused before it was sent: PostgreSQL keeps no NUL in text.
            self._execute(sql, {name: _without_nul(value) for name, value in values.items()})
        except (psycopg.Error, UnicodeError) as error:
            raise self._told(error) from None

    def _told(self, error: Exception) -> StorageError:
        """Return our error for one of the driver's, without its details: these quote stored values."""
        state = getattr(error, "sqlstate", None)
        if state in _CONFLICTS:
            return Conflict("Others changed the same rows.")
        if state == _LOCKED:
            return Busy("Others keep the same rows locked.")
        if self.raw.closed:
            return Lost("The connection to PostgreSQL broke.")
        return StorageError(f"PostgreSQL: {type(error).__name__} {state or ''}".strip())


def _without_nul(value: object) -> object:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


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


class PostgresEngine:
    """A PostgreSQL database; implements ``Engine``."""

    dialect: Dialect = "postgres"

    def __init__(
        self, url: str, cache: Cache, *, migrate: bool = True, connections: int = 8, timeout: float = 5.0
    ) -> None:
        self._url, self._cache, self._timeout = url, cache, timeout
        self._queue: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._most = connections * WAITING
        # Reruns take turns, so that they meet first runs only and not each other.
        self._rerunning = threading.Lock()
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
        worker = Worker(self._url, self._cache, self._timeout, self._rerunning)
        while (request := self._queue.get()) is not None:
            if request.begin():
                worker.serve(request)
            del request  # its result must not live until the next request comes
        worker.close()


class Worker:
    """What one thread does with its connection, which it makes when first needed and again after it broke."""

    def __init__(self, url: str, cache: Cache, timeout: float, rerunning: threading.Lock) -> None:
        self._url, self._cache, self._timeout, self._rerunning = url, cache, timeout, rerunning
        self._connection: PostgresConnection | None = None
        self._reading: Tx
        self._writing: Tx

    def serve(self, request: Request) -> None:
        """Run a request and answer it."""
        run = self._write if request.writing else self._read
        try:
            result = self._repeat(lambda: run(request.work))
        except BaseException as error:  # noqa: BLE001 - it belongs to the one who asked
            self._roll_back()
            request.settle(None, error)
        else:
            request.settle(result, None)
            if not request.writing:  # the reader need not wait for this
                self._roll_back()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.raw.close()

    def _repeat(self, run: Callable[[], Any]) -> Any:
        for left in range(RETRIES, -1, -1):
            try:
                with self._rerunning if left < RETRIES else contextlib.nullcontext():
                    return run()
            except (Conflict, Lost, ConcurrentModificationException):
                self._roll_back()
                if not left:
                    raise
        raise AssertionError("the last run returns or raises")

    def _read(self, work: Callable[[Tx], T]) -> T:
        self._connected().control(_READ)
        return self._reading.run(work)

    def _write(self, work: Callable[[Tx], T]) -> T:
        connection = self._connected()
        connection.control(_WRITE)
        result = self._writing.run(work)
        connection.commit()
        return result

    def _connected(self) -> PostgresConnection:
        if self._connection is None:
            self._connection = PostgresConnection(self._url, self._timeout)
            self._reading = Tx(self._connection, self._cache, writing=False)
            self._writing = Tx(self._connection, self._cache, writing=True)
        return self._connection

    def _roll_back(self) -> None:
        if self._connection is None:
            return
        self._connection.roll_back()
        if self._connection.raw.closed:
            self._connection = None
