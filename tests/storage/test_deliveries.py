"""The queue of deliveries: leased by one process at a time, gone when made."""

import asyncio

from poolhouse.model import ConcurrentModificationException
from poolhouse.storage import installation
from poolhouse.storage.errors import Busy
from tests.storage.builders import NOW, message


def test_leases(store):
    """Longest due first, and nobody else gets them before the lease ends; what is deleted or put off stays so."""
    assert store.read(lambda tx: tx.deliveries.next_due()) is None
    for number in range(4):
        store.write(lambda tx, number=number: tx.deliveries.add(b"\x00sealed %d" % number, NOW + (number + 1) % 3))
    assert store.read(lambda tx: tx.deliveries.next_due()) == NOW

    def lease(now, limit=9):
        return store.write(lambda tx: tx.deliveries.lease(now=now, until=now + 100, limit=limit))

    assert lease(NOW - 1) == []
    first, second = lease(NOW + 1, 2)
    assert {(first.sealed, first.attempts), (second.sealed, second.attempts)} == {
        (b"\x00sealed 2", 1),
        (b"\x00sealed 0", 1),
    }
    assert [each.sealed for each in lease(NOW + 1)] == [b"\x00sealed 3"]
    store.write(lambda tx: tx.deliveries.delete(first))
    store.write(lambda tx: tx.deliveries.put_off(second, NOW + 50))
    assert {(each.sealed, each.attempts) for each in lease(NOW + 50)} == {(second.sealed, 2), (b"\x00sealed 1", 1)}
    assert store.read(lambda tx: tx.deliveries.next_due()) == NOW + 101


def test_a_lease_that_ran_out_puts_nothing_off(store):
    """Whoever comes back after another process took over must not end the other's lease."""
    store.write(lambda tx: tx.deliveries.add(b"x", NOW))
    old, new = (
        store.write(lambda tx, now=now: tx.deliveries.lease(now=now, until=now + 100, limit=1))[0]
        for now in (NOW, NOW + 100)
    )
    assert (old.attempts, new.attempts) == (1, 2)
    store.write(lambda tx: tx.deliveries.put_off(old, NOW))
    assert store.read(lambda tx: tx.deliveries.next_due()) == NOW + 200
    store.write(lambda tx: tx.deliveries.delete(old))  # it was made after all
    assert store.read(lambda tx: tx.deliveries.next_due()) is None


def test_two_nodes_never_lease_the_same(url, open_sync, store):
    """However they race; who is too late is refused or finds nothing."""
    other = open_sync(url)
    store.write(lambda tx: [tx.deliveries.add(b"%d" % number, NOW) for number in range(40)])

    async def race():
        async def lease(node):
            try:
                return await node.write(lambda tx: tx.deliveries.lease(now=NOW, until=NOW + 100, limit=3))
            except (ConcurrentModificationException, Busy):
                return []

        rounds = [lease(node.store) for _ in range(10) for node in (store, other)]
        return [each.id for leases in await asyncio.gather(*rounds) for each in leases]

    taken = store.run(lambda _: race())
    assert len(taken) == len(set(taken)) >= 3


def test_the_outbox_does_not_grow_for_ever(store, monkeypatch):
    """A sweep leaves the newest messages, as many as are kept."""
    monkeypatch.setattr(installation, "OUTBOX_MESSAGES", 3)
    store.write(lambda tx: [tx.outbox.add(message(str(number), at=NOW)) for number in range(5)])
    store.write(lambda tx: tx.sweep(NOW, 100))
    assert [each.id for each in store.read(lambda tx: tx.outbox.list())] == ["2", "3", "4"]
    assert [each.id for _, each in store.read(lambda tx: tx.outbox.page(to=None, before=None, limit=2))] == ["4", "3"]
