"""Many at once: nothing is lost, nothing counts twice, and those who wait are told in time."""

import asyncio
import threading
import time

import pytest
from msgspec.structs import replace

from poolhouse.core.session import Attempts
from poolhouse.model import ConcurrentModificationException
from poolhouse.storage.errors import AlreadyExists, Busy, StorageError
from tests.storage.builders import NOW, POOL, names, pool, signing_key, user, with_pool


def gather(store, works):
    """Run writes at the same time; return results and errors."""

    async def all_of_them(store):
        return await asyncio.gather(*(store.write(work) for work in works), return_exceptions=True)

    return store.run(all_of_them)


def test_revision_guard_lets_one_of_many_through(store):
    """Of several who save the same user as they read it before, exactly one succeeds."""
    with_pool(store)
    ann = store.write(lambda tx: tx.users.insert(user("ann"), names()))
    works = [lambda tx, i=i: tx.users.save(replace(ann, signed_out_at=i + 1), names()) for i in range(6)]
    outcomes = gather(store, works)
    winners = [each for each in outcomes if not isinstance(each, Exception)]
    losers = [each for each in outcomes if isinstance(each, Exception)]
    assert len(winners) == 1
    assert {type(each) for each in losers} == {ConcurrentModificationException}
    assert store.read(lambda tx: tx.users.find_by_id(ann.id)) == winners[0]


def test_read_then_write_is_rerun_until_nothing_is_lost(store):
    """Requests that count in the same row each count, since a write knows what it read to be still true."""

    def count(tx):
        found = tx.attempts.find("ann") or Attempts(count=0, since=NOW)
        tx.attempts.put("ann", replace(found, count=found.count + 1), NOW)

    gather(store, [count] * 30)
    assert store.read(lambda tx: tx.attempts.find("ann")).count == 30


def test_changes_of_one_pool_are_all_kept(store):
    """Many changes of one pool's configuration at once, which all raise its generation, succeed."""
    with_pool(store)
    store.write(lambda tx: [tx.signing_keys.add_stock(signing_key()) for _ in range(20)])
    keys = gather(store, [lambda tx: tx.signing_keys.claim(POOL, "id")] * 20)
    assert len({each.kid for each in keys}) == 20


def test_users_are_counted_under_concurrent_sign_ups(store):
    """Sign-ups at the same time are all counted, and one of two with the same name is refused."""
    with_pool(store)
    works = [lambda tx, i=i: tx.users.insert(user(f"u{i // 2}"), names(f"email:{i}")) for i in range(40)]
    outcomes = gather(store, works)
    refused = [each for each in outcomes if isinstance(each, Exception)]
    assert [each.what for each in refused] == ["username"] * 20
    assert store.read(lambda tx: tx.pools.user_count(POOL)) == 20


def test_an_alias_belongs_to_one_of_many(store):
    """Of users who claim the same alias at the same time, one gets it."""
    with_pool(store)
    outcomes = gather(store, [lambda tx, i=i: tx.users.insert(user(f"u{i}"), names("email:a@x")) for i in range(8)])
    refused = [each for each in outcomes if isinstance(each, AlreadyExists)]
    assert [each.what for each in refused] == ["alias:email:a@x"] * 7
    assert len(store.read(lambda tx: tx.users.page(POOL, after=None, limit=60))) == 1


def test_a_nonce_is_spent_once_by_many(store):
    """Of those who spend a nonce at the same time one succeeds."""
    assert sorted(gather(store, [lambda tx: tx.nonces.spend("n", NOW)] * 8)) == [False] * 7 + [True]


def test_one_failing_work_undoes_only_itself(store):
    """Among writes that share a commit, one that fails takes no other with it."""

    def failing(tx):
        tx.nonces.spend("failed", NOW)
        raise ZeroDivisionError

    def clashing(tx):
        tx.nonces.spend("clashed", NOW)
        tx.pools.insert(pool(), NOW)

    def broken(tx):
        tx.nonces.spend("broke", NOW)
        tx.nonces._sql.run("INSERT INTO nowhere VALUES (1)")

    def exits(tx):
        raise StopIteration

    with_pool(store)
    works = [lambda tx, i=i: tx.nonces.spend(f"n{i}", NOW) for i in range(20)]
    works[5:5] = [failing, clashing, broken, exits]
    outcomes = gather(store, works)
    kinds = [ZeroDivisionError, AlreadyExists, StorageError, RuntimeError]
    assert [type(each) for each in outcomes[5:9]] == kinds
    assert [each for each in outcomes if each is True] == [True] * 20
    for gone in ("failed", "clashed", "broke"):
        assert store.write(lambda tx, gone=gone: tx.nonces.spend(gone, NOW)) is True
    assert store.write(lambda tx: tx.nonces.spend("n19", NOW)) is False


def test_swallowed_database_error_is_not_acknowledged(store):
    """A work that carries on after a statement failed is refused, and nothing of it is kept."""

    def work(tx):
        tx.nonces.spend("before", NOW)
        try:
            tx.nonces._sql.run("INSERT INTO nowhere VALUES (1)")
        except StorageError:
            return "acknowledged"

    with pytest.raises(StorageError):
        store.write(work)
    assert store.write(lambda tx: tx.nonces.spend("before", NOW)) is True


def test_errors_of_the_driver_stay_inside(store):
    """A statement the database refuses raises StorageError, without the values it was given."""
    with pytest.raises(StorageError) as caught:
        store.read(lambda tx: tx.pools._sql.rows("SELECT nothing FROM nowhere WHERE x = :x", x="confidential"))
    assert "confidential" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_reads_refuse_to_write(store):
    """A read cannot change anything."""
    with pytest.raises(StorageError):
        store.read(lambda tx: tx.nonces.spend("n", NOW))


@pytest.mark.parametrize("known", [True, False])
def test_a_read_sees_one_snapshot(store, url, open_sync, known):
    """What others commit between two statements of a read does not show in it, or has shown from the start."""
    other = open_sync(url)
    with_pool(store)
    changes = []

    def work(tx):
        before = tx.pools.find(POOL).settings.name
        if changes:
            others = threading.Thread(target=changes.pop())
            others.start()
            others.join()
        return before, tx.pools.find(POOL).settings.name

    def rename():
        asyncio.run(other.store.write(lambda tx: tx.pools.save(pool(name="after"))))

    if known:  # then nothing makes it run a second time
        assert store.read(work) == ("people", "people")
    changes.append(rename)
    assert store.read(work) in [("people", "people"), ("after", "after")][: 1 if known else 2]
    assert store.read(lambda tx: tx.pools.find(POOL)).settings.name == "after"


def test_cancelled_caller_harms_nobody(store):
    """A caller who gives up is not answered; the others are, and the store goes on."""

    async def cancel(store):
        slow = asyncio.create_task(store.write(lambda tx: time.sleep(0.2)))
        given_up = asyncio.create_task(store.write(lambda tx: tx.nonces.spend("given up", NOW)))
        last = asyncio.create_task(store.write(lambda tx: tx.nonces.spend("last", NOW)))
        await asyncio.sleep(0)
        given_up.cancel()
        await slow
        return await asyncio.gather(given_up, last, return_exceptions=True)

    given_up, last = store.run(cancel)
    assert isinstance(given_up, asyncio.CancelledError)
    assert last is True


def test_closed_store_refuses(store):
    """After closing, a write is refused; closing twice is harmless. What was accepted before is kept."""

    async def close(store):
        accepted = [asyncio.create_task(store.write(lambda tx, i=i: tx.nonces.spend(f"n{i}", NOW))) for i in range(50)]
        await asyncio.sleep(0)
        await store.close()
        await store.close()
        with pytest.raises(StorageError, match="closed"):
            await store.write(lambda tx: None)
        return await asyncio.gather(*accepted)

    assert store.run(close) == [True] * 50


def test_busy_is_the_wires_error():
    """Busy reaches the caller as TooManyRequestsException."""
    assert Busy("x").code == "TooManyRequestsException"
    assert Busy("x").message == "x"
