"""Identity providers and their identifiers."""

import pytest

from poolhouse.storage.backup import backup, restore
from poolhouse.storage.errors import AlreadyExists
from tests.storage.builders import POOL, provider, with_pool
from tests.storage.test_backup import url_of

OTHER = "us-east-1_BBBBBBBBB"


def generation(store):
    return store.read(lambda tx: tx.catalogue.generation(POOL))


def refused(store, work) -> str:
    with pytest.raises(AlreadyExists) as caught:
        store.write(work)
    return caught.value.what


def test_life(store):
    """Found by name and by identifier, in its own pool only; a change and an end leave nothing behind."""
    with_pool(store)
    with_pool(store, id=OTHER)
    before = generation(store)
    store.write(lambda tx: tx.identity_providers.insert(provider("Partner", "a.example", "b.example")))
    assert generation(store) > before
    assert store.read(lambda tx: tx.identity_providers.find(POOL, "Partner")) == provider(
        "Partner", "a.example", "b.example"
    )
    assert store.read(lambda tx: tx.identity_providers.find(OTHER, "Partner")) is None
    assert store.read(lambda tx: tx.identity_providers.find_by_identifier(OTHER, "a.example")) is None
    changed = provider("Partner", "b.example", "c.example", sealed=None, team_id="t")
    assert store.write(lambda tx: tx.identity_providers.save(changed)) is True
    assert store.read(lambda tx: tx.identity_providers.find_by_identifier(POOL, "a.example")) is None
    for identifier in ("b.example", "c.example"):
        found = store.read(lambda tx, known=identifier: tx.identity_providers.find_by_identifier(POOL, known))
        assert found == changed
    assert store.write(lambda tx: tx.identity_providers.delete(OTHER, "Partner")) is False
    assert store.write(lambda tx: tx.identity_providers.delete(POOL, "Partner")) is True
    assert store.write(lambda tx: tx.identity_providers.delete(POOL, "Partner")) is False
    assert store.write(lambda tx: tx.identity_providers.save(changed)) is False
    assert store.read(lambda tx: tx.identity_providers.find_by_identifier(POOL, "b.example")) is None
    assert store.read(lambda tx: tx.identity_providers.count(POOL)) == 0


def test_names_and_identifiers_are_unique(store):
    """In a pool; a refused change leaves everything as it was."""
    with_pool(store)
    store.write(lambda tx: tx.identity_providers.insert(provider("Partner", "a.example")))
    assert refused(store, lambda tx: tx.identity_providers.insert(provider("Partner"))) == "provider"
    second = provider("Second", "b.example", "a.example")
    assert refused(store, lambda tx: tx.identity_providers.insert(second)) == "identifier:a.example"
    assert store.read(lambda tx: tx.identity_providers.names(POOL)) == {"Partner"}
    store.write(lambda tx: tx.identity_providers.insert(provider("Second", "b.example")))
    assert refused(store, lambda tx: tx.identity_providers.save(second)) == "identifier:a.example"
    found = store.read(lambda tx: tx.identity_providers.find_by_identifier(POOL, "b.example"))
    assert found == provider("Second", "b.example")
    store.write(lambda tx: tx.identity_providers.insert(provider("Partner", "a.example", pool_id=OTHER)))


def test_pages(store):
    """By name, those after a name."""
    with_pool(store)
    for name in ("Cee", "Aye", "Bee"):
        store.write(lambda tx, name=name: tx.identity_providers.insert(provider(name)))
    page = store.read(lambda tx: tx.identity_providers.page(POOL, after=None, limit=2))
    assert [each.name for each in page] == ["Aye", "Bee"]
    rest = store.read(lambda tx: tx.identity_providers.page(POOL, after="Bee", limit=2))
    assert [each.name for each in rest] == ["Cee"]
    assert store.read(lambda tx: tx.identity_providers.count(POOL)) == 3


def test_deleted_pool_takes_them_along(store):
    """A pool made again under the same id has none, and its identifiers are free."""
    with_pool(store)
    with_pool(store, id=OTHER)
    store.write(lambda tx: tx.identity_providers.insert(provider("Partner", "a.example")))
    store.write(lambda tx: tx.identity_providers.insert(provider("Partner", "a.example", pool_id=OTHER)))
    store.write(lambda tx: tx.pools.delete(POOL))
    with_pool(store)
    assert store.read(lambda tx: (tx.identity_providers.names(POOL), tx.identity_providers.count(POOL))) == (set(), 0)
    store.write(lambda tx: tx.identity_providers.insert(provider("Partner", "a.example")))
    assert store.read(lambda tx: tx.identity_providers.names(OTHER)) == {"Partner"}


def test_backup_covers_them(store, tmp_path, open_sync):
    """They come back from a backup, the sealed secrets byte by byte."""
    with_pool(store)
    store.write(lambda tx: tx.identity_providers.insert(provider("Partner", "a.example")))
    backup(url_of(store), tmp_path / "file.backup")
    target = f"sqlite:///{tmp_path}/restored.db"
    restore(target, tmp_path / "file.backup")
    restored = open_sync(target)
    found = restored.read(lambda tx: tx.identity_providers.find_by_identifier(POOL, "a.example"))
    assert found == provider("Partner", "a.example")
    assert restored.read(lambda tx: tx.identity_providers.count(POOL)) == 1
