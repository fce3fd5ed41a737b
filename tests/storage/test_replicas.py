"""Replicas as they are stored, and the shared budgets of request rates."""

import pytest
from msgspec.structs import replace

from poolhouse.model import ConcurrentModificationException
from poolhouse.storage.errors import AlreadyExists
from tests.storage.builders import NOW, POOL, pool, replica, with_pool


@pytest.fixture
def store(store):
    with_pool(store)
    return store


def pools_in(store, region):
    return [each.id for each in store.read(lambda tx: tx.pools.page(region=region, after=None, limit=9))]


def test_a_pool_comes_with_its_replicas(store):
    """They are loaded with the pool, and a change of one is seen by whoever kept the pool."""
    assert store.read(lambda tx: tx.catalogue.find_pool(POOL)).replicas == ()
    west, south = replica(user_pool_tags={"a": "b"}), replica("ap-south-1", "ACTIVE")
    store.write(lambda tx: [tx.replicas.insert(POOL, each) for each in (west, south)])
    assert store.read(lambda tx: tx.catalogue.find_pool(POOL)).replicas == (south, west)
    with pytest.raises(AlreadyExists):
        store.write(lambda tx: tx.replicas.insert(POOL, west))
    store.write(lambda tx: tx.replicas.save(POOL, replica(status="ACTIVE")))
    assert store.read(lambda tx: tx.catalogue.find_pool(POOL)).replicas[1].is_active
    with pytest.raises(ConcurrentModificationException):
        store.write(lambda tx: tx.replicas.save(POOL, replica("us-west-2")))


def test_saving_through_a_replica_leaves_the_pool_alone(store):
    """What is saved of a pool that is looked at through a replica are the replica's settings."""
    store.write(lambda tx: tx.replicas.insert(POOL, replica()))
    before = store.read(lambda tx: tx.pools.find(POOL))
    seen = before.seen_in("eu-west-1")

    def tag(tx):
        changed = replace(seen.settings, user_pool_tags={"at": "away"}, name="not this")
        tx.pools.save(replace(seen, settings=changed))

    store.write(tag)
    after = store.read(lambda tx: tx.catalogue.find_pool(POOL))
    assert after.settings == before.settings
    assert after.seen_in("eu-west-1").settings.user_pool_tags == {"at": "away"}


def test_making_and_deleting_end(store):
    """What is being made becomes inactive, what is being deleted goes; pools of a Region are listed and counted with it."""
    store.write(lambda tx: tx.replicas.insert(POOL, replica()))
    assert store.read(lambda tx: tx.replicas.unfinished(9)) == [(POOL, "eu-west-1", "CREATING")]
    assert store.write(lambda tx: tx.replicas.finish(9)) == 1
    assert store.read(lambda tx: tx.catalogue.find_pool(POOL)).replicas == (replica(status="INACTIVE"),)
    assert store.write(lambda tx: tx.replicas.finish(9)) == 0
    assert pools_in(store, "eu-west-1") == [POOL]
    assert store.read(lambda tx: tx.pools.count("eu-west-1")) == 1
    store.write(lambda tx: tx.replicas.save(POOL, replica(status="DELETING")))
    assert store.write(lambda tx: tx.replicas.finish(9)) == 1
    assert store.read(lambda tx: tx.catalogue.find_pool(POOL)).replicas == ()
    assert pools_in(store, "eu-west-1") == []
    assert store.read(lambda tx: tx.pools.count("eu-west-1")) == 0


def test_pages_mix_pools_and_replicas(store):
    """A Region's pages hold its own pools and those with a replica there, in one order."""

    def fill(tx):
        for letter in "ac":
            tx.pools.insert(pool(f"eu-west-1_{letter}"), NOW)
            tx.pools.insert(pool(f"sa-east-1_{letter}"), NOW)
            tx.replicas.insert(f"sa-east-1_{letter}", replica())
        tx.replicas.insert(POOL, replica())

    store.write(fill)
    seen, after = [], None
    while page := store.read(lambda tx, after=after: tx.pools.page(region="eu-west-1", after=after, limit=2)):
        assert {each.seat_region for each in page} == {"eu-west-1"}
        seen += [each.id for each in page]
        after = seen[-1]
    assert seen == ["eu-west-1_a", "eu-west-1_c", "sa-east-1_a", "sa-east-1_c", POOL]


def test_limits_and_budgets_are_kept(store):
    """Each Region has limits and budgets of its own; the later value counts."""
    for value in (120, 200):
        store.write(lambda tx, value=value: tx.rates.set_limit("us-east-1", "UserToken", value))
        store.write(lambda tx, value=value: tx.rates.spend("us-east-1", "UserToken", value))
    store.write(lambda tx: tx.rates.set_limit("eu-west-1", "UserToken", 130))
    expected = {("us-east-1", "UserToken"): 200, ("eu-west-1", "UserToken"): 130}
    assert store.read(lambda tx: tx.rates.limits()) == expected
    assert store.read(lambda tx: tx.rates.spent_until("us-east-1", "UserToken")) == 200
    assert store.read(lambda tx: tx.rates.spent_until("us-east-1", "UserRead")) == 0
