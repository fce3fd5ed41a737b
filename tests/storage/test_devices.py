"""The devices of users, and what is left of them when a user or a pool goes."""

import pytest
from msgspec.structs import replace

from poolhouse.model import ConcurrentModificationException
from poolhouse.storage.errors import AlreadyExists
from tests.storage.builders import KEY, NOW, POOL, device, names, user, with_pool
from tests.storage.test_concurrency import gather

LIMIT = 3


@pytest.fixture
def ann(store):
    with_pool(store)
    return add_user(store, "ann")


def add_user(store, name):
    return store.write(lambda tx: tx.users.insert(user(name), names()))


def key(number):
    return f"us-east-1_00000000-0000-4000-8000-{number:012}"


def add(store, who, number, at=NOW):
    store.write(lambda tx: tx.devices.insert(device(who.id, key(number), authenticated_at=at), LIMIT))


def keys(store, who):
    return [each.key for each in store.read(lambda tx: tx.devices.page(who.id, after=None, limit=99))]


def rows(store):
    return store.read(lambda tx: tx.devices._sql.row("SELECT COUNT(*) FROM devices"))[0]


def test_life(store, ann):
    """A device comes back as it was given, changes as told, belongs to its user alone, and is forgotten once."""
    bare = device(ann.id)
    full = device(ann.id, key(1), name="Ünï 🙂", remembered=False, salt="ab", verifier=b"\x00\xff", address="::1")
    for each in (bare, full):
        store.write(lambda tx, each=each: tx.devices.insert(each, LIMIT))
        assert store.read(lambda tx, each=each: tx.devices.find(ann.id, each.key)) == each
    assert store.read(lambda tx: tx.devices.find(ann.id + 1, KEY)) is None
    assert store.write(lambda tx: tx.devices.remember(ann.id, key(1), remembered=True, now=NOW + 5))
    assert store.write(lambda tx: tx.devices.note_sign_in(ann.id, key(1), address="::2", now=NOW + 9))
    changed = replace(full, remembered=True, modified_at=NOW + 5, authenticated_at=NOW + 9, address="::2")
    assert store.read(lambda tx: tx.devices.find(ann.id, key(1))) == changed
    assert store.read(lambda tx: tx.devices.find(ann.id, KEY)) == bare
    for wanted in (True, False):
        assert store.write(lambda tx: tx.devices.delete(ann.id, KEY)) is wanted
    assert not store.write(lambda tx: tx.devices.remember(ann.id, KEY, remembered=True, now=NOW))
    assert not store.write(lambda tx: tx.devices.note_sign_in(ann.id, KEY, address="", now=NOW))


def test_a_key_is_taken_once(store, ann):
    """By each user; who is gone can have no device."""
    add(store, ann, 1)
    with pytest.raises(AlreadyExists) as caught:
        add(store, ann, 1)
    assert caught.value.what == "device"
    add(store, add_user(store, "bob"), 1)
    with pytest.raises(ConcurrentModificationException):
        add(store, replace(ann, id=ann.id + 99), 1)


def test_a_further_device_takes_the_place_of_the_one_used_longest_ago(store, ann):
    """The new one stays, even where it was used before all others; other users lose nothing."""
    bob = add_user(store, "bob")
    add(store, bob, 9, at=1)
    for number, at in ((1, 30), (2, 10), (3, 20)):
        add(store, ann, number, at)
    add(store, ann, 4, at=5)
    assert keys(store, ann) == [key(1), key(3), key(4)]
    store.write(lambda tx: tx.devices.note_sign_in(ann.id, key(4), address="", now=99))
    add(store, ann, 5, at=40)
    assert keys(store, ann) == [key(1), key(4), key(5)]
    assert keys(store, bob) == [key(9)]


def test_devices_added_at_once_keep_to_the_limit(store, ann):
    """However many come at the same time."""
    gather(store, [lambda tx, n=n: tx.devices.insert(device(ann.id, key(n)), LIMIT) for n in range(6)])
    assert len(keys(store, ann)) == LIMIT


def test_devices_are_paged_by_key(store, ann):
    """None twice, none of another user."""
    for number in (2, 1, 3):
        add(store, ann, number)
    add(store, add_user(store, "bob"), 4)
    seen, after = [], None
    while page := store.read(lambda tx, after=after: tx.devices.page(ann.id, after=after, limit=2)):
        seen += [each.key for each in page]
        after = seen[-1]
    assert seen == [key(1), key(2), key(3)]


def test_devices_go_with_their_user_and_their_pool(store, ann):
    """A deleted user leaves none behind, a deleted pool none once it is swept."""
    bob = add_user(store, "bob")
    add(store, ann, 1)
    add(store, bob, 2)
    store.write(lambda tx: tx.users.delete(ann))
    assert (rows(store), keys(store, bob)) == (1, [key(2)])
    store.write(lambda tx: tx.pools.delete(POOL))
    while store.write(lambda tx: tx.sweep(NOW, 2)):
        pass
    assert rows(store) == 0
