"""One connection to PostgreSQL, and what becomes of its errors."""

import contextlib
from collections.abc import Sequence

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper

from poolhouse.storage.engine import Row, SecondStatement, Single, translate
from poolhouse.storage.errors import Busy, StorageError

CONNECT_SECONDS = 10
# Serialisation failure, deadlock.
_CONFLICTS = frozenset({"40001", "40P01"})
# The lock time-out.
_LOCKED = "55P03"


class Conflict(Busy):
    """Others changed the same rows; running the work again may help."""


class Lost(StorageError):
    """The connection broke before anything was committed."""


class PostgresConnection:
    """One connection; implements ``Connection``. Making it raises StorageError where the server cannot be reached."""

    def __init__(self, url: str, lock_seconds: float) -> None:
        self.refused: StorageError | None = None
        # Statements run so far, and how many there may be before a read has to begin a transaction.
        self.count = 0
        self.most: int | None = None
        self.single = Single(self)
        try:
            self.raw = psycopg.connect(
                url,
                autocommit=True,
                prepare_threshold=0,
                connect_timeout=CONNECT_SECONDS,
                # A server that vanished without a word is given up as soon as one that cannot be reached.
                tcp_user_timeout=CONNECT_SECONDS * 1000,
            )
        except psycopg.ProgrammingError:
            # Its text quotes the part that cannot be read, which may be the password.
            raise StorageError("The URL of the PostgreSQL database cannot be read.") from None
        except psycopg.Error as error:
            reason = str(error).strip().partition("\n")[0]
            raise StorageError(f"Cannot connect to PostgreSQL: {reason}") from None
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

    def insert_many(self, table: str, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
        """Insert many rows by COPY, which takes no round trip for each; all of them must be new.

        Raises Conflict where another transaction stored one of them meanwhile.
        """
        head = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        try:
            with self._cursor.copy(head.encode()) as copy:
                for row in rows:
                    copy.write_row([_without_nul(value) for value in row])
        except psycopg.errors.UniqueViolation:
            self.refused = Conflict("Others stored the same rows.")
            raise self.refused from None
        except (psycopg.Error, UnicodeError) as error:
            raise self._told(error) from None

    def insert_numbered(self, table: str, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> list[int]:
        """Insert many rows under the next numbers of the table's sequence, and return these."""
        sql = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
        try:
            numbers = [number for (number,) in self._cursor.execute(sql, (table, len(rows))).fetchall()]
        except psycopg.Error as error:
            raise self._told(error) from None
        self.insert_many(table, ("id", *columns), [(number, *row) for number, row in zip(numbers, rows, strict=True)])
        return numbers

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

    def is_open(self) -> bool:
        """Say if a transaction is open, as far as the client knows."""
        return self.raw.pgconn.transaction_status != TransactionStatus.IDLE

    def roll_back(self) -> None:
        """Give up what is open."""
        if self.is_open():
            with contextlib.suppress(StorageError):
                self.control(b"ROLLBACK")

    def _execute(self, sql: str, values: dict[str, object]) -> None:
        self.count += 1
        if self.most is not None and self.count > self.most:
            raise SecondStatement
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
            self.refused = Conflict("Others changed the same rows.")
        elif state == _LOCKED:
            self.refused = Busy("Others keep the same rows locked.")
        elif self.raw.closed:
            self.refused = Lost("The connection to PostgreSQL broke.")
        else:
            self.refused = StorageError(f"PostgreSQL: {type(error).__name__} {state or ''}".strip())
        return self.refused


def _without_nul(value: object) -> object:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
