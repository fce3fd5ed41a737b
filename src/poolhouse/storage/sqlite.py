"""SQLite: readers on the caller's own thread, one writer thread that commits for many at once."""

import asyncio
import contextlib
import fcntl
import itertools
import os
import pathlib
import queue
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from poolhouse.storage import migrations
from poolhouse.storage.catalogue import Cache
from poolhouse.storage.engine import Dialect, Row, SecondStatement, Single, StatementCounts, translate
from poolhouse.storage.errors import Busy, StorageError
from poolhouse.storage.transaction import Tx

T = TypeVar("T")

OLDEST = (3, 39, 0)
# How long another process may hold the database before we give up.
BUSY_SECONDS = 10
# Writes that one commit makes durable at most, and writes that may wait.
GROUP = 128
WAITING = 10_000
CLOSED = "The store is closed."

_PRAGMAS = (
    # There are no foreign keys in the schema: what belongs to a pool is deleted in bounded steps, see doomed.py.
    "PRAGMA foreign_keys = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16000",
)


class SqliteConnection:
    """One connection; implements ``Connection``."""

    def __init__(self, path: str, *, durable: bool = True) -> None:
        self.refused: StorageError | None = None
        # Statements run so far, and how many there may be before a read has to begin a transaction.
        self.count = 0
        self.most: int | None = None
        self.single = Single(self)
        try:
            self.raw = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=512
            )
            for pragma in (*_PRAGMAS, f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}"):
                self.raw.execute(pragma)
        except sqlite3.Error as error:
            raise self._told(error) from None

    def row(self, sql: str, **values: object) -> Row | None:
        """Return the first row, if there is one."""
        cursor = self._execute(sql, values)
        try:
            row: Row | None = cursor.fetchone()
        except (sqlite3.Error, UnicodeError) as error:
            raise self._told(error) from None
        return row

    def rows(self, sql: str, **values: object) -> list[Row]:
        """Return all rows."""
        cursor = self._execute(sql, values)
        try:
            return cursor.fetchall()
        except (sqlite3.Error, UnicodeError) as error:
            raise self._told(error) from None

    def run(self, sql: str, **values: object) -> int:
        """Run a statement; return how many rows it touched."""
        return self._execute(sql, values).rowcount

    def run_many(self, sql: str, values: list[dict[str, object]]) -> None:
        """Run a statement once for each set of values."""
        try:
            self.raw.executemany(translate("sqlite", sql), values)
        except (sqlite3.Error, UnicodeError) as error:
            raise self._told(error) from None

    def insert_many(self, table: str, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
        """Insert many rows; all of them must be new."""
        try:
            self.raw.executemany(_insertion(table, columns), rows)
        except (sqlite3.Error, UnicodeError) as error:
            raise self._told(error) from None

    def insert_numbered(self, table: str, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> list[int]:
        """Insert many rows; return their numbers."""
        sql, cursor = _insertion(table, columns), self.raw.cursor()
        try:
            return [cursor.execute(sql, row).lastrowid or 0 for row in rows]
        except (sqlite3.Error, UnicodeError) as error:
            raise self._told(error) from None

    def control(self, sql: str) -> None:
        """Run a statement about transactions."""
        try:
            self.raw.execute(sql)
        except sqlite3.Error as error:
            raise self._told(error) from None

    def version(self) -> int:
        """Return a number that is another one after every commit of another connection."""
        try:
            return int(self.raw.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error as error:
            raise self._told(error) from None

    def roll_back(self) -> None:
        """Give up what is open."""
        try:
            if self.raw.in_transaction:
                self.raw.execute("ROLLBACK")
        except sqlite3.Error:
            pass

    def _execute(self, sql: str, values: dict[str, object]) -> sqlite3.Cursor:
        self.count += 1
        if self.most is not None and self.count > self.most:
            raise SecondStatement
        try:
            return self.raw.execute(translate("sqlite", sql), values)
        except (sqlite3.Error, UnicodeError) as error:
            raise self._told(error) from None

    def _told(self, error: Exception) -> StorageError:
        """Return our error for one of the driver's, which names tables and columns but no values."""
        code = getattr(error, "sqlite_errorname", type(error).__name__)
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            self.refused = Busy("The database is in use by another process.")
        else:
            self.refused = StorageError(f"SQLite: {code}: {error}")
        return self.refused


def _insertion(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608


class FairLock:
    """Takes turns with the other processes that write: SQLite's own waiting lets one starve another for seconds.

    Its own file, since SQLite keeps record locks of its own on the database's files. ``flock`` belongs to the
    open file, so that two stores of one process take turns, too.
    """

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the turn and keep it."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class Request(NamedTuple):
    """A write that waits for the writer, and where its answer goes."""

    work: Callable[[Tx], Any]
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[Any]"


class Outcome(NamedTuple):
    """What became of a request."""

    result: Any
    error: BaseException | None


class Writer:
    """The thread that writes: drain the queue, take the turn, run each work in a savepoint, commit, answer."""

    def __init__(self, connection: SqliteConnection, tx: Tx, lock: FairLock) -> None:
        self._connection, self._tx, self._lock = connection, tx, lock
        self._queue: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._closed = False
        self._door = threading.Lock()  # nothing may be queued behind the end
        self._thread = threading.Thread(target=self._loop, name="poolhouse-writer", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> None:
        """Queue a write; raises Busy where too many wait, StorageError after ``close``."""
        if self._queue.qsize() >= WAITING:
            raise Busy("Too many writes are waiting.")
        with self._door:
            if self._closed:
                raise StorageError(CLOSED)
            self._queue.put(request)

    def close(self) -> None:
        """Finish what was queued and end the thread."""
        with self._door:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _loop(self) -> None:
        ended = False
        while not ended:
            group, ended = self._next_group()
            if group:
                _answer(group, self._commit(group))
                del group  # results must not live until the next write comes

    def _next_group(self) -> tuple[list[Request], bool]:
        group: list[Request] = []
        request = self._queue.get()
        while request is not None:
            group.append(request)
            if len(group) == GROUP:
                return group, False
            try:
                request = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, group: list[Request]) -> list[Outcome]:
        try:
            with self._lock.held():
                self._connection.control("BEGIN IMMEDIATE")
                outcomes = [self._run(request.work) for request in group]
                self._connection.control("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must be told
            self._connection.roll_back()
            return [Outcome(None, error)] * len(group)
        return outcomes

    def _run(self, work: Callable[[Tx], Any]) -> Outcome:
        control = self._connection.control
        control("SAVEPOINT work")
        try:
            outcome = Outcome(self._tx.run(work), None)
        except BaseException as error:  # noqa: BLE001 - it belongs to the one who asked
            outcome = Outcome(None, error)
            control("ROLLBACK TO work")  # fails where SQLite has given the whole transaction up: so must the group
        control("RELEASE work")
        return outcome


def _answer(group: list[Request], outcomes: list[Outcome]) -> None:
    pairs = sorted(zip(group, outcomes, strict=True), key=lambda pair: id(pair[0].loop))
    for _, of_loop in itertools.groupby(pairs, key=lambda pair: id(pair[0].loop)):
        batch = list(of_loop)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            batch[0][0].loop.call_soon_threadsafe(_settle, batch)


def _settle(batch: list[tuple[Request, Outcome]]) -> None:
    for request, outcome in batch:
        if request.answer.done():  # cancelled
            continue
        if outcome.error is None:
            request.answer.set_result(outcome.result)
        elif isinstance(outcome.error, StopIteration):  # a future does not take it
            request.answer.set_exception(RuntimeError("work raised StopIteration"))
        else:
            request.answer.set_exception(outcome.error)


class SqliteEngine:
    """A SQLite file in WAL mode; implements ``Engine``."""

    dialect: Dialect = "sqlite"

    def __init__(self, path: str, cache: Cache, *, migrate: bool = True) -> None:
        if sqlite3.sqlite_version_info < OLDEST:
            raise StorageError(f"SQLite {sqlite3.sqlite_version} is too old; 3.39 is needed.")
        self._temporary = tempfile.TemporaryDirectory(prefix="poolhouse-") if path == ":memory:" else None
        # A database that vanishes with the process need not survive a power cut.
        self._durable = self._temporary is None
        self._path = path if self._temporary is None else str(pathlib.Path(self._temporary.name, "memory.db"))
        self._cache = cache
        self._closed = False
        self._local = threading.local()
        self._counts = StatementCounts()
        self._readers: list[SqliteConnection] = []
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite would let everybody read it
            self._lock = FairLock(self._path + ".lock")
        except OSError as error:
            raise StorageError(f"Cannot open {self._path}: {error.strerror}") from None
        self._writing = SqliteConnection(self._path, durable=self._durable)
        self._prepare(migrate=migrate)
        self._writer = Writer(self._writing, Tx(self._writing, cache, writing=True), self._lock)

    def _prepare(self, *, migrate: bool) -> None:
        try:
            with self._lock.held():
                self._writing.control("PRAGMA journal_mode = WAL")
                self._writing.control("BEGIN IMMEDIATE")
                migrations.bring_up(self._writing, self.dialect, migrate=migrate)
                self._writing.control("COMMIT")
        except Exception:
            self._writing.raw.close()
            self._lock.close()
            raise

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` here and now, on this thread's own connection: quicker than reaching a thread."""
        connection, tx = self._reader()
        if self._counts.is_single(work):
            with contextlib.suppress(SecondStatement), connection.single:
                return tx.run(work)
        ran = connection.count
        connection.control("BEGIN")
        try:
            return tx.run(work)
        finally:
            connection.roll_back()
            self._counts.note(work, connection.count - ran)

    def version(self) -> int | None:
        """Return a number that is another one after every commit of any other connection, our writer's included."""
        return self._reader()[0].version()

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` on the writer; returns once its commit is durable."""
        if self._closed:
            raise StorageError(CLOSED)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._gather(Request(work, loop, answer))
        return await answer

    def _gather(self, request: Request) -> None:
        """Hand a write over together with all others of the same turn of the loop, so that they share a commit.

        The writer needs the interpreter, too: woken by each write by itself it would take turns with the loop.
        """
        gathered = self._local.__dict__.setdefault("gathered", [])
        if not gathered:
            request.loop.call_soon(self._hand_over, gathered)
        gathered.append(request)

    def _hand_over(self, gathered: list[Request]) -> None:
        for request in gathered:
            try:
                self._writer.submit(request)
            except StorageError as error:
                if not request.answer.done():  # its caller may have gone
                    request.answer.set_exception(error)
        gathered.clear()

    def close(self) -> None:
        """Finish queued writes and close every connection."""
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        for connection in (*self._readers, self._writing):
            connection.raw.close()
        self._lock.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _reader(self) -> tuple[SqliteConnection, Tx]:
        try:
            pair: tuple[SqliteConnection, Tx] = self._local.reader
        except AttributeError:
            connection = SqliteConnection(self._path, durable=self._durable)
            connection.control("PRAGMA query_only = ON")
            pair = self._local.reader = (connection, Tx(connection, self._cache, writing=False))
            self._readers.append(connection)
        return pair
