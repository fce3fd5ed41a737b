"""Identities at providers, and what is left of them when a user, a provider or a pool goes."""

import json

import pytest
from msgspec.structs import replace

from poolhouse.core.identities import with_identities
from poolhouse.core.provider_links import SUBJECT, show
from poolhouse.model import ConcurrentModificationException
from poolhouse.storage.errors import AlreadyExists
from tests.storage.builders import NOW, POOL, identity, names, provider, user, with_pool
from tests.storage.test_concurrency import gather

OTHER = "us-east-1_BBBBBBBBB"


@pytest.fixture
def ann(store):
    with_pool(store)
    store.write(lambda tx: tx.identity_providers.insert(provider("Partner")))
    return add_user(store, "ann")


def add_user(store, name):
    return store.write(lambda tx: tx.users.insert(user(name), names()))


def link(store, who, *identities):
    """Add identities and show them, as linking does."""

    def work(tx):
        for each in identities:
            tx.identities.insert(each)
        shown = [show(each, provider(each.provider)) for each in tx.identities.of_user(who.id)]
        found = tx.users.find_by_id(who.id)
        tx.users.save_attributes(replace(found, attributes=with_identities(found.attributes, shown)))

    store.write(work)


def shown_of(store, who):
    attributes = store.read(lambda tx: tx.users.find_by_id(who.id)).attributes
    return [each["userId"] for each in json.loads(attributes.get("identities", "[]"))]


def rows(store):
    return store.read(lambda tx: tx.identities._sql.row("SELECT COUNT(*) FROM identities"))[0]


def sweep(store):
    while store.write(lambda tx: tx.sweep(NOW, 2)):
        pass


def test_life(store, ann):
    """An identity comes back as it was given, is told apart in every part of its key, and goes once."""
    given = identity(ann.id, "Ünï 🙂", primary=True)
    later = identity(ann.id, "b", attribute="email", created_at=NOW + 1)
    for each in (later, given):
        store.write(lambda tx, each=each: tx.identities.insert(each))
    assert store.read(lambda tx: tx.identities.find(POOL, "Partner", SUBJECT, "Ünï 🙂")) == given
    for wrong in ((OTHER, "Partner", SUBJECT), (POOL, "partner", SUBJECT), (POOL, "Partner", "email")):
        assert store.read(lambda tx, wrong=wrong: tx.identities.find(*wrong, "Ünï 🙂")) is None
    assert store.read(lambda tx: tx.identities.find(POOL, "Partner", SUBJECT, "ünï 🙂")) is None
    assert store.read(lambda tx: tx.identities.of_user(ann.id)) == [given, later]
    for wanted in (True, False):
        assert store.write(lambda tx: tx.identities.delete(given)) is wanted
    assert store.read(lambda tx: tx.identities.of_user(ann.id)) == [later]


def test_an_identity_belongs_to_one_user(store, ann):
    """Of two who ask for it at once, one gets it; who is gone gets none."""
    bob = add_user(store, "bob")
    asked = [lambda tx, who=who: tx.identities.insert(identity(who.id)) for who in (ann, bob)]
    answers = gather(store, asked)
    assert [type(answer) for answer in answers if answer is not None] == [AlreadyExists]
    with pytest.raises(ConcurrentModificationException):
        store.write(lambda tx: tx.identities.insert(identity(bob.id + 99, "y")))


def test_attributes_in_use(store, ann):
    """Each once, by name, no more than asked for, and none of another provider."""
    for number, attribute in enumerate(("email", "email", "custom:b", SUBJECT)):
        each = identity(ann.id, str(number), attribute=attribute)
        store.write(lambda tx, each=each: tx.identities.insert(each))
    store.write(lambda tx: tx.identities.insert(identity(ann.id, provider="Q", attribute="name")))
    assert store.read(lambda tx: tx.identities.attributes(POOL, "Partner", 9)) == [SUBJECT, "custom:b", "email"]
    assert store.read(lambda tx: tx.identities.attributes(POOL, "Partner", 2)) == [SUBJECT, "custom:b"]
    assert store.read(lambda tx: tx.identities.attributes(POOL, "none", 2)) == []


def test_identities_go_with_their_provider(store, ann):
    """With later sweeps, from what users show as well; those at other providers stay."""
    store.write(lambda tx: tx.identity_providers.insert(provider("Q")))
    others = [add_user(store, None) for _ in range(4)]
    for each in others:
        link(store, each, identity(each.id, each.username))
    link(store, ann, identity(ann.id, "a"), identity(ann.id, "q", provider="Q"))
    store.write(lambda tx: tx.identity_providers.delete(POOL, "Partner"))
    sweep(store)
    assert rows(store) == 1
    assert shown_of(store, ann) == ["q"]
    for each in others:
        assert "identities" not in store.read(lambda tx, each=each: tx.users.find_by_id(each.id)).attributes


def test_a_provider_of_the_same_name_begins_without_identities(store, ann):
    """What the former one said is gone before there is a new one, swept or not."""
    link(store, ann, identity(ann.id))
    store.write(lambda tx: tx.identity_providers.delete(POOL, "Partner"))
    store.write(lambda tx: tx.identity_providers.insert(provider("Partner")))
    assert store.read(lambda tx: tx.identities.find(POOL, "Partner", SUBJECT, "x")) is None
    assert shown_of(store, ann) == []
    link(store, ann, identity(ann.id, "new"))
    sweep(store)
    assert shown_of(store, ann) == ["new"]


def test_a_provider_is_held(store, ann):
    """While it is there."""
    assert store.write(lambda tx: tx.identity_providers.hold(POOL, "Partner"))
    assert not store.write(lambda tx: tx.identity_providers.hold(OTHER, "Partner"))


def test_identities_go_with_their_user_and_their_pool(store, ann):
    """A deleted user leaves none behind, a deleted pool none once it is swept."""
    bob = add_user(store, "bob")
    for who in (ann, bob):
        store.write(lambda tx, who=who: tx.identities.insert(identity(who.id, who.username)))
    store.write(lambda tx: tx.users.delete(ann))
    assert rows(store) == 1
    store.write(lambda tx: tx.pools.delete(POOL))
    sweep(store)
    assert rows(store) == 0
