"""What only PostgreSQL can do wrong: connections that break, and too few of them."""

import asyncio
import time

import psycopg
import pytest

from poolhouse.storage import open_store
from poolhouse.storage.errors import Busy, StorageError
from tests.storage.builders import NOW, POOL, names, user, with_pool


@pytest.fixture
def url(postgres):
    return postgres.clear()


def disconnect(url):
    """Break every other connection to the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def test_broken_connections_are_replaced(url, open_sync):
    """Requests after the server dropped all connections succeed as if nothing had happened."""
    store = open_sync(url, connections=2)
    with_pool(store)
    for number in range(3):
        assert store.read(lambda tx: tx.pools.find(POOL)) is not None
        disconnect(url)
        assert store.write(lambda tx, number=number: tx.nonces.spend(f"n{number}", NOW)) is True
        disconnect(url)


def test_connection_that_breaks_in_the_middle(url, open_sync):
    """A work whose connection breaks before the commit runs again, and is done once."""
    store = open_sync(url, connections=1)
    runs = []

    def work(tx):
        runs.append(tx.nonces.spend("n", NOW))
        if len(runs) == 1:
            disconnect(url)
        return tx.nonces.spend("m", NOW)

    assert store.write(work) is True
    assert runs == [True, True]
    assert store.write(lambda tx: tx.nonces.spend("n", NOW)) is False


def test_broken_commit_is_not_called_a_success(url, open_sync):
    """Where the connection breaks at the commit, the caller learns that the outcome is unknown."""
    store = open_sync(url, connections=1)

    def work(tx):
        tx.nonces.spend("n", NOW)
        disconnect(url)

    with pytest.raises(StorageError, match="unknown"):
        store.write(work)
    assert store.write(lambda tx: tx.nonces.spend("m", NOW)) is True


def test_waiting_too_long_is_busy(url, open_sync):
    """Who finds no free connection in time gets Busy at that time, and the work is not done later."""
    store = open_sync(url, connections=1, timeout=0.2)

    async def crowd(store):
        slow = asyncio.create_task(store.write(lambda tx: time.sleep(0.8)))
        await asyncio.sleep(0.05)
        start = time.monotonic()
        with pytest.raises(Busy):
            await store.write(lambda tx: tx.nonces.spend("late", NOW))
        waited = time.monotonic() - start
        await slow
        return waited

    assert store.run(crowd) < 0.7
    assert store.write(lambda tx: tx.nonces.spend("late", NOW)) is True


def test_rows_locked_by_others_are_busy(url, open_sync):
    """A write that finds its row locked by somebody outside gives up in time."""
    store = open_sync(url, timeout=0.3)
    store.write(lambda tx: tx.settings.put("x", b"1"))
    with psycopg.connect(url) as other:
        other.execute("UPDATE settings SET value = value")
        with pytest.raises(Busy):
            store.write(lambda tx: tx.settings.put("x", b"2"))
    assert store.read(lambda tx: tx.settings.find("x")) == b"1"


def test_connections_are_capped(url, open_sync):
    """Many requests at once use no more connections than were allowed."""
    store = open_sync(url, connections=3)

    async def crowd(store):
        await asyncio.gather(*(store.read(lambda tx: time.sleep(0.02)) for _ in range(20)))

    store.run(crowd)
    with psycopg.connect(url) as connection:
        sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        assert connection.execute(sql).fetchone() == (3,)


def test_too_long_a_queue_is_refused_at_once(url, open_sync, monkeypatch):
    """When too many wait already, the next one is told at once."""
    monkeypatch.setattr("poolhouse.storage.postgres.WAITING", 2)
    store = open_sync(url, connections=1)

    async def crowd(store):
        works = [store.read(lambda tx: time.sleep(0.1)) for _ in range(8)]
        return await asyncio.gather(*works, return_exceptions=True)

    outcomes = store.run(crowd)
    assert any(isinstance(each, Busy) for each in outcomes)
    assert any(each is None for each in outcomes)


def test_unreachable_server_is_one_clear_error(tmp_path):
    """A server that is not there is a StorageError that names no password."""
    with pytest.raises(StorageError, match="Cannot connect") as caught:
        open_store(f"postgresql://me:confidential@/x?host={tmp_path}")
    assert "confidential" not in str(caught.value)


def test_nul_is_replaced(url, open_sync):
    """Text with a NUL, which PostgreSQL cannot keep, is kept with a replacement character instead."""
    store = open_sync(url)
    with_pool(store)
    stored = store.write(lambda tx: tx.users.insert(user("ann"), names("email:a\0", name="a\0b")))
    assert store.read(lambda tx: tx.users.find_by_alias(POOL, "email:a\0")) == stored
    shown = store.read(
        lambda tx: tx.user_lists.search(POOL, "name", "a\0b", lambda name, *_: name, prefix=False, after=None, limit=1)
    )
    assert shown == (["ann"], None)
