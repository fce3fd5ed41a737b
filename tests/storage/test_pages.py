"""Terms documents and the styles of classic pages."""

import pytest

from poolhouse.core.classic_style import ALL
from poolhouse.storage import Tx
from poolhouse.storage.backup import backup, restore
from poolhouse.storage.errors import AlreadyExists
from tests.storage.builders import NOW, POOL, classic_style, client, terms, with_pool
from tests.storage.test_backup import url_of

OTHER = "us-east-1_other"


def generation(store) -> int:
    return store.read(lambda tx: tx.catalogue.generation(POOL))


def test_terms_life(store):
    """Documents are found by id and by client, unique by name, paged by id, changed and deleted."""
    with_pool(store, client("app"), client("b"))
    before = generation(store)
    store.write(lambda tx: [tx.terms.insert(terms(3)), tx.terms.insert(terms(2, name="privacy-policy"))])
    store.write(lambda tx: tx.terms.insert(terms(1, "b")))
    assert generation(store) > before
    with pytest.raises(AlreadyExists) as caught:
        store.write(lambda tx: tx.terms.insert(terms(4)))
    assert caught.value.what == "terms"
    assert store.read(lambda tx: tx.terms.of_client("app")) == {
        "terms-of-use": terms(3),
        "privacy-policy": terms(2, name="privacy-policy"),
    }
    page = store.read(lambda tx: tx.terms.page(POOL, after=None, limit=2))
    assert page == [terms(1, "b"), terms(2, name="privacy-policy")]
    assert store.read(lambda tx: tx.terms.page(POOL, after=page[-1].terms_id, limit=2)) == [terms(3)]
    changed = terms(1, "b", name="privacy-policy", german="https://example.org/de")
    assert store.write(lambda tx: tx.terms.save(changed)) is True
    assert store.read(lambda tx: tx.terms.find(POOL, changed.terms_id)) == changed
    assert store.read(lambda tx: tx.terms.of_client("b")) == {"privacy-policy": changed}
    assert store.read(lambda tx: tx.terms.find(OTHER, changed.terms_id)) is None
    assert store.write(lambda tx: tx.terms.delete(OTHER, changed.terms_id)) is False
    assert store.write(lambda tx: tx.terms.delete(POOL, changed.terms_id)) is True
    assert store.write(lambda tx: tx.terms.delete(POOL, changed.terms_id)) is False
    assert store.write(lambda tx: tx.terms.save(changed)) is False


def test_classic_style_life(store):
    """A client's style replaces the pool's entirely, and is gone when it is deleted; others keep the pool's."""
    with_pool(store, client("app"))
    assert store.read(lambda tx: tx.classic_styles.find_for(POOL, "app")) is None
    store.write(lambda tx: tx.classic_styles.put(classic_style()))
    before = generation(store)
    own = classic_style("app", css=None, at=NOW + 1)
    store.write(lambda tx: tx.classic_styles.put(own))
    assert generation(store) > before
    assert store.read(lambda tx: tx.classic_styles.find_for(POOL, "app")) == own
    assert store.read(lambda tx: tx.classic_styles.find_for(POOL, "b")) == classic_style()
    assert store.read(lambda tx: tx.classic_styles.find(POOL, "b")) is None
    bare = classic_style("app", logo=None, at=NOW + 2)
    store.write(lambda tx: tx.classic_styles.put(bare))
    assert store.read(lambda tx: tx.classic_styles.find(POOL, "app")) == bare
    assert store.write(lambda tx: tx.classic_styles.delete(POOL, "app")) is True
    assert store.write(lambda tx: tx.classic_styles.delete(POOL, "app")) is False
    assert store.read(lambda tx: tx.classic_styles.find_for(POOL, "app")) == classic_style()


def fill(tx: Tx) -> None:
    """Give two clients of the pool, and the pool, what they can have."""
    for number, client_id in enumerate(("app", "b")):
        tx.terms.insert(terms(number, client_id))
        tx.classic_styles.put(classic_style(client_id))
    tx.classic_styles.put(classic_style())


def found(tx: Tx) -> tuple[list[str], list[str]]:
    """The clients that have terms, and those that have a style."""
    with_terms = [each.client_id for each in tx.terms.page(POOL, after=None, limit=9)]
    return with_terms, [each for each in ("app", "b", ALL) if tx.classic_styles.find(POOL, each)]


def test_deleted_client_takes_its_pages_along(store):
    """Terms and style of a deleted client are gone, those of others stay."""
    with_pool(store, client("app"), client("b"))
    store.write(fill)
    store.write(lambda tx: tx.clients.delete(POOL, "app"))
    assert store.read(found) == (["b"], ["b", ALL])


def test_deleted_pool_takes_its_pages_along(store):
    """A pool made again under the same id has none of them."""
    with_pool(store, client("app"), client("b"))
    with_pool(store, client("c", OTHER), id=OTHER)
    store.write(fill)
    store.write(lambda tx: tx.terms.insert(terms(7, "c", OTHER)))
    store.write(lambda tx: tx.classic_styles.put(classic_style(pool_id=OTHER)))
    store.write(lambda tx: tx.pools.delete(POOL))
    with_pool(store)
    assert store.read(found) == ([], [])
    assert store.read(lambda tx: tx.terms.of_client("c")) == {"terms-of-use": terms(7, "c", OTHER)}
    assert store.read(lambda tx: tx.classic_styles.find(OTHER, ALL)) is not None


def test_backup_covers_them(store, tmp_path, open_sync):
    """Both come back from a backup, the picture byte by byte."""
    with_pool(store, client("app"), client("b"))
    store.write(fill)
    backup(url_of(store), tmp_path / "file.backup")
    target = f"sqlite:///{tmp_path}/restored.db"
    restore(target, tmp_path / "file.backup")
    restored = open_sync(target)
    assert restored.read(found) == (["app", "b"], ["app", "b", ALL])
    assert restored.read(lambda tx: tx.classic_styles.find(POOL, "app")) == classic_style("app")
    assert restored.read(lambda tx: tx.terms.of_client("b")) == {"terms-of-use": terms(1, "b")}
