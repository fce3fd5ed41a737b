"""What only SQLite can do wrong: a file that others hold, a disk that is full."""

import asyncio
import sqlite3

import pytest

from poolhouse.storage import open_store, sqlite
from poolhouse.storage.errors import Busy, StorageError
from tests.storage.builders import NOW


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/poolhouse.db"


def test_file_locked_by_others_is_busy(url, open_sync, monkeypatch):
    """While another program holds the file, writes give up in time and reads go on; then all is well again."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    store = open_sync(url)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy):
        store.write(lambda tx: tx.nonces.spend("n", NOW))
    assert store.read(lambda tx: tx.settings.find("x")) is None
    other.close()
    assert store.write(lambda tx: tx.nonces.spend("n", NOW)) is True


def test_full_disk_acknowledges_nothing_it_did_not_keep(url, open_sync):
    """Where the file cannot grow, each write is either kept or refused, and the store works on once it can."""
    store = open_sync(url)

    def limit_pages(pages):
        store.store._engine._writing.raw.execute(f"PRAGMA max_page_count = {pages}")

    async def fill(store):
        works = [lambda tx, i=i: tx.settings.put(f"k{i}", bytes(20_000)) for i in range(60)]
        return await asyncio.gather(*(store.write(work) for work in works), return_exceptions=True)

    limit_pages(150)
    outcomes = store.run(fill)
    limit_pages(2**30)
    assert {type(each) for each in outcomes} <= {type(None), StorageError}
    assert any(outcomes)
    for number, outcome in enumerate(outcomes):
        kept = store.read(lambda tx, number=number: tx.settings.find(f"k{number}")) is not None
        assert kept == (outcome is None), number
    assert store.run(fill) == [None] * 60


def test_too_long_a_queue_is_refused_at_once(url, open_sync, monkeypatch):
    """When too many writes wait already, the next one is told at once."""
    monkeypatch.setattr(sqlite, "WAITING", 2)
    store = open_sync(url)

    async def crowd(store):
        works = [store.write(lambda tx: tx.settings.find("x")) for _ in range(50)]
        return await asyncio.gather(*works, return_exceptions=True)

    outcomes = store.run(crowd)
    assert any(isinstance(each, Busy) for each in outcomes)
    assert any(each is None for each in outcomes)


def test_files_are_private(url, open_sync, tmp_path):
    """Nobody but the owner may read what the database consists of."""
    open_sync(url).write(lambda tx: tx.settings.put("x", b"1"))
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes == dict.fromkeys([f"poolhouse.db{end}" for end in ("", "-wal", "-shm", ".lock")], 0o600)


def test_old_sqlite_is_refused(url, monkeypatch):
    """A SQLite without what the schema needs is one clear error."""
    monkeypatch.setattr(sqlite, "OLDEST", (99, 0, 0))
    with pytest.raises(StorageError, match="too old"):
        open_store(url)


def test_what_is_no_database_is_refused(tmp_path):
    """A file that is something else is left alone."""
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but a long enough text to be looked at by the driver" * 20)
    with pytest.raises(StorageError, match="not a database"):
        open_store(f"sqlite:///{file}")
    assert file.read_text().startswith("not a database")


def test_text_that_is_not_unicode_is_refused(url, open_sync):
    """A lone surrogate cannot be stored or looked for; it is an error of storage, not of the driver."""
    store = open_sync(url)
    with pytest.raises(StorageError):
        store.read(lambda tx: tx.users.find_by_username("us-east-1_x", "\ud800"))
    with pytest.raises(StorageError):
        store.write(lambda tx: tx.nonces.spend("\ud800", NOW))


def test_stores_of_one_process_and_readers_of_many_threads(url, open_sync):
    """Two stores on one file take turns, and each thread reads through a connection of its own."""
    stores = [open_sync(url), open_sync(url)]

    async def both(_):
        works = [store.store.write(lambda tx, n=n: tx.nonces.spend(f"{n}", NOW)) for n in range(40) for store in stores]
        return await asyncio.gather(*works)

    assert sorted(stores[0].run(both)) == [False] * 40 + [True] * 40

    def read_elsewhere():
        return asyncio.run(stores[1].store.read(lambda tx: tx.nonces._sql.row("SELECT COUNT(*) FROM nonces")))

    async def threads(_):
        return await asyncio.gather(*(asyncio.to_thread(read_elsewhere) for _ in range(8)))

    assert stores[0].run(threads) == [(40,)] * 8
