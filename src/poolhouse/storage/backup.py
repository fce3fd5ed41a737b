"""Backup and restore. A backup is a SQLite file with the schema of ``schema/``, whichever engine it came from.

It can be opened as a database, or restored into either engine.
"""

# ruff: noqa: S608 - only names that the schema gave are put into SQL

import contextlib
import os
import pathlib
import sqlite3
from collections.abc import Iterator

from poolhouse.storage import migrations
from poolhouse.storage.engine import Connection
from poolhouse.storage.errors import SchemaMismatch, StorageError
from poolhouse.storage.sqlite import SqliteConnection

# Rows copied at a time.
_CHUNK = 1000
_HISTORY = "schema_history"
# Columns that PostgreSQL numbers from a sequence; SQLite goes on after the greatest number by itself.
_NUMBERED = (("users", "id"), ("outbox", "number"), ("groups", "id"), ("log_records", "id"))
# How every SQLite file begins.
_MAGIC = b"SQLite format 3\0"
_SCHEME = "sqlite:///"


def backup(url: str, file: pathlib.Path) -> None:
    """Write a consistent copy of a database to a new file, while others use it.

    Raises StorageError, and SchemaMismatch where the schema is not this program's own.
    """
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StorageError(f"Cannot write {file}: {error.strerror}") from None
    try:
        if url.startswith(_SCHEME):
            _copy_file(url.removeprefix(_SCHEME), file)
        else:
            _dump_postgres(url, file)
    except BaseException:
        file.unlink()
        raise


def restore(url: str, file: pathlib.Path) -> None:
    """Fill an empty database from a backup, of whichever engine.

    An older backup is brought up to date. Raises StorageError where the database holds anything already or the
    file is no backup, and SchemaMismatch where a newer program wrote it.
    """
    with _opened(file) as source, _target(url) as target:
        tables = _tables(source)
        if any(target.row(f"SELECT 1 FROM {table} LIMIT 1") for table in tables):
            raise StorageError("The database is not empty; a backup is restored into an empty one only.")
        for table in tables:
            _copy_table(source, target, table)


def _copy_file(path: str, file: pathlib.Path) -> None:
    if not pathlib.Path(path).exists():
        raise StorageError(f"There is no database {path}.")
    source = SqliteConnection(path)
    try:
        with contextlib.closing(sqlite3.connect(file)) as copy:
            source.raw.backup(copy)
            # A backup is one file: no log beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise StorageError(f"The backup failed: {error}") from None
    finally:
        source.raw.close()


def _dump_postgres(url: str, file: pathlib.Path) -> None:
    from poolhouse.storage.postgres_connection import CONNECT_SECONDS, PostgresConnection

    source = PostgresConnection(url, CONNECT_SECONDS)
    target = SqliteConnection(str(file))
    try:
        source.control(b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        pending = migrations.check(source, migrations.STEPS)
        if pending:
            raise SchemaMismatch("The database's schema is older than this version of Poolhouse: migrate it first.")
        target.control("BEGIN")
        migrations.bring_up(target, "sqlite", migrate=True)
        for table in _tables(target):
            _copy_table(source, target, table)
        target.control("COMMIT")
    finally:
        source.raw.close()
        target.raw.close()


@contextlib.contextmanager
def _opened(file: pathlib.Path) -> Iterator[SqliteConnection]:
    """A backup, brought up to date in a copy in memory where an older program wrote it."""
    if not file.exists():
        raise StorageError(f"There is no backup {file}.")
    with file.open("rb") as opened:
        if opened.read(len(_MAGIC)) != _MAGIC:
            raise StorageError(f"{file} is not a backup of Poolhouse.")
    connection = SqliteConnection(str(file))
    try:
        if _HISTORY not in _all_tables(connection):
            raise StorageError(f"{file} is not a backup of Poolhouse.")
        if migrations.check(connection, migrations.STEPS):
            older, connection = connection, SqliteConnection(":memory:")
            older.raw.backup(connection.raw)
            older.raw.close()
            migrations.bring_up(connection, "sqlite", migrate=True)
        yield connection
    finally:
        connection.raw.close()


@contextlib.contextmanager
def _target(url: str) -> Iterator[Connection]:
    """A migrated database in a transaction, committed if nothing goes wrong."""
    from poolhouse.storage import migrate

    migrate(url)
    if url.startswith(_SCHEME):
        database = SqliteConnection(url.removeprefix(_SCHEME))
        try:
            database.control("BEGIN IMMEDIATE")
            yield database
            database.control("COMMIT")
        finally:
            database.raw.close()
        return
    from poolhouse.storage.postgres_connection import CONNECT_SECONDS, PostgresConnection

    server = PostgresConnection(url, CONNECT_SECONDS)
    try:
        server.control(b"BEGIN")
        yield server
        for table, column in _NUMBERED:
            server.raw.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'),"
                f" (SELECT COALESCE(MAX({column}), 0) + 1 FROM {table}), false)"
            )
        server.commit()
    finally:
        server.raw.close()


def _all_tables(connection: SqliteConnection) -> list[str]:
    rows = connection.raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in rows]


def _tables(connection: SqliteConnection) -> list[str]:
    return [name for name in _all_tables(connection) if name != _HISTORY and not name.startswith("sqlite_")]


def _columns(connection: SqliteConnection, table: str) -> tuple[list[str], list[str]]:
    """Return a table's columns and those of its primary key, in order."""
    rows = connection.raw.execute(f"PRAGMA table_info({table})").fetchall()
    key = sorted((row[5], row[1]) for row in rows if row[5])
    return [row[1] for row in rows], [name for _, name in key]


def _copy_table(source: Connection, target: Connection, table: str) -> None:
    """Copy all rows in chunks along the primary key, so that no engine holds a table in memory."""
    schema = source if isinstance(source, SqliteConnection) else target
    assert isinstance(schema, SqliteConnection)
    columns, key = _columns(schema, table)
    names, places = ", ".join(columns), ", ".join(f":{column}" for column in columns)
    insert = f"INSERT INTO {table} ({names}) VALUES ({places})"
    order, after = ", ".join(key), ", ".join(f":{column}" for column in key)
    where, last = "", dict[str, object]()
    while rows := source.rows(
        f"SELECT {names} FROM {table}{where} ORDER BY {order} LIMIT :chunk", chunk=_CHUNK, **last
    ):
        values = [dict(zip(columns, row, strict=True)) for row in rows]
        target.run_many(insert, values)
        where, last = f" WHERE ({order}) > ({after})", {column: values[-1][column] for column in key}
