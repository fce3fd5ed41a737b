"""The schema's steps."""

import sqlite3
import threading

import psycopg
import pytest

from poolhouse.storage import migrate, migrations, open_store
from poolhouse.storage.errors import SchemaMismatch, StorageError
from poolhouse.storage.migrations import STEPS, Step


@pytest.fixture
def url(empty_url):
    return empty_url


def execute(url, sql):
    """Run a statement past the store; return its rows."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            rows = connection.execute(sql).fetchall()
        connection.close()
        return rows
    with psycopg.connect(url) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def test_steps_are_numbered_without_gaps():
    """The files are 0001, 0002, … and there is one text for both engines."""
    assert [step.version for step in STEPS] == list(range(1, len(STEPS) + 1))
    assert not [step.name for step in STEPS if "postgres" in step.name or "sqlite" in step.name]


def test_migrating_twice_changes_nothing(url):
    """The history names each step once, with its checksum."""
    migrate(url)
    history = execute(url, "SELECT version, name, checksum FROM schema_history ORDER BY version")
    assert history == [(step.version, step.name, step.checksum) for step in STEPS]
    migrate(url)
    assert execute(url, "SELECT version, name, checksum FROM schema_history ORDER BY version") == history


def test_newer_database_is_refused(url):
    """A database with a step that we do not know is left alone."""
    migrate(url)
    execute(url, f"INSERT INTO schema_history VALUES ({len(STEPS) + 1}, '0099_later', 'x')")
    with pytest.raises(SchemaMismatch, match="0099_later"):
        open_store(url)


def test_altered_schema_is_refused(url):
    """A database that was made by other texts is left alone."""
    migrate(url)
    execute(url, "UPDATE schema_history SET checksum = 'x' WHERE version = 2")
    with pytest.raises(SchemaMismatch, match=r"0002_users.*altered"):
        open_store(url)


def test_older_database_is_brought_up_or_refused(url, monkeypatch):
    """A database that lacks a step gets it, unless the caller wants to be told instead."""
    migrate(url)
    later = Step(len(STEPS) + 1, "0099_later", "CREATE TABLE nowhere (id {int} PRIMARY KEY) {strict};")
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, later))
    with pytest.raises(SchemaMismatch, match="poolhouse migrate"):
        open_store(url, migrate=False)
    open_store(url).close_now()
    assert execute(url, "SELECT COUNT(*) FROM nowhere") == [(0,)]
    open_store(url, migrate=False).close_now()


def test_failing_step_leaves_the_database_as_it_was(url, monkeypatch):
    """A step that fails half-way undoes itself and those before it in the same run."""
    good = Step(len(STEPS) + 1, "0098_good", "CREATE TABLE good (id {int} PRIMARY KEY) {strict};")
    bad = Step(len(STEPS) + 2, "0099_bad", "CREATE TABLE half (id {int} PRIMARY KEY) {strict};\nCREATE TABLE half (x);")
    migrate(url)
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, good, bad))
    with pytest.raises(StorageError):
        open_store(url)
    monkeypatch.undo()
    open_store(url).close_now()
    for table in ("good", "half"):
        with pytest.raises((sqlite3.Error, psycopg.Error)):
            execute(url, f"SELECT * FROM {table}")


def test_empty_database_is_refused_where_migrating_is_not_wanted(url):
    """Without leave to migrate, an empty database stays empty."""
    with pytest.raises(SchemaMismatch):
        open_store(url, migrate=False)
    with pytest.raises((sqlite3.Error, psycopg.Error)):
        execute(url, "SELECT * FROM schema_history")


def test_concurrent_starters_take_turns(url):
    """Several workers that start on an empty database at once all come up."""
    failures = []

    def start():
        try:
            open_store(url, connections=1).close_now()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(execute(url, "SELECT * FROM schema_history")) == len(STEPS)


@pytest.mark.parametrize("url", ["mysql://x", "sqlite://x", "", "sqlite:////nowhere/at/all.db"])
def test_unusable_urls_are_refused(url):
    """A URL that names no database we know is one clear error."""
    with pytest.raises(StorageError):
        open_store(url)


def test_memory_database_is_private_and_whole(open_sync):
    """Stores in memory are apart from each other, and reads see writes."""
    first, second = open_sync("sqlite:///:memory:"), open_sync("sqlite:///:memory:")
    first.write(lambda tx: tx.settings.put("x", b"1"))
    assert first.read(lambda tx: tx.settings.find("x")) == b"1"
    assert second.read(lambda tx: tx.settings.find("x")) is None
