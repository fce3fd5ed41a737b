"""Pools and their configuration."""

import pytest
from msgspec.structs import replace

from poolhouse.model import ConcurrentModificationException
from poolhouse.storage import doomed
from poolhouse.storage.errors import AlreadyExists, CorruptRow, StorageError
from tests.storage.builders import (
    NOW,
    POOL,
    client,
    domain,
    names,
    pool,
    secret,
    server,
    session,
    signing_key,
    style,
    user,
    with_pool,
)


def test_pool_comes_back_as_it_was(store):
    """A stored pool equals the one that was given."""
    store.write(lambda tx: tx.pools.insert(pool(), NOW))
    assert store.read(lambda tx: tx.pools.find(POOL)) == pool()
    assert store.read(lambda tx: tx.catalogue.find_pool(POOL)) == pool()
    assert store.read(lambda tx: tx.catalogue.find_pool("us-east-1_nobody")) is None


def test_pool_ids_are_unique(store):
    """A second pool with the same id is refused, and the first stays."""
    store.write(lambda tx: tx.pools.insert(pool(), NOW))
    with pytest.raises(AlreadyExists) as caught:
        store.write(lambda tx: tx.pools.insert(pool(name="other"), NOW))
    assert caught.value.what == "pool"
    assert store.read(lambda tx: tx.pools.find(POOL)).settings.name == "people"
    assert store.read(lambda tx: tx.pools.count("us-east-1")) == 1


def test_pool_save_guards_its_revision(store):
    """Saving what was read before somebody else's save is refused."""
    store.write(lambda tx: tx.pools.insert(pool(), NOW))
    first = store.read(lambda tx: tx.pools.find(POOL))
    saved = store.write(lambda tx: tx.pools.save(replace(first, device_group_key="-new")))
    assert saved == store.read(lambda tx: tx.pools.find(POOL))
    assert saved.revision == 1
    with pytest.raises(ConcurrentModificationException):
        store.write(lambda tx: tx.pools.save(replace(first, device_group_key="-stale")))
    with pytest.raises(ConcurrentModificationException):
        store.write(lambda tx: tx.pools.save(pool("us-east-1_gone")))


def test_pools_page_by_region_and_id(store):
    """Pages walk a Region's pools by id and leave the built-in pool and other Regions out."""

    def work(tx):
        for letter in "dbZac":
            tx.pools.insert(pool(f"us-east-1_{letter}"), NOW)
        tx.pools.insert(pool("eu-west-1_a"), NOW)
        tx.pools.insert(pool("us-east-1_bb", builtin=True), NOW)

    store.write(work)
    page_after = lambda after: store.read(lambda tx: tx.pools.page(region="us-east-1", after=after, limit=2))
    seen, after = [], None
    while page := page_after(after):
        seen += [each.id[-1] for each in page]
        after = page[-1].id
    assert seen == ["Z", "a", "b", "c", "d"]
    assert store.read(lambda tx: (tx.pools.count("us-east-1"), tx.pools.count("eu-west-1"))) == (5, 1)
    store.write(lambda tx: tx.pools.delete("us-east-1_b"))
    store.write(lambda tx: tx.pools.delete("us-east-1_bb"))
    assert store.read(lambda tx: tx.pools.count("us-east-1")) == 4


def test_deleted_pool_takes_everything_with_it(store, monkeypatch):
    """Deleting a pool leaves no row of it anywhere, at once or after sweeping, and other pools untouched."""
    monkeypatch.setattr(doomed, "CHUNK", 2)
    app = client("app")

    def fill(tx, pool_id, prefix):
        tx.pools.insert(pool(pool_id), NOW)
        tx.clients.insert(client(prefix + "app", pool_id))
        tx.domains.insert(domain(prefix + "shop", pool_id))
        tx.resource_servers.insert(server(pool_id=pool_id))
        tx.branding.insert(style(pool_id=pool_id), prefix + "app")
        tx.signing_keys.insert(signing_key(state="active", pool_id=pool_id))
        for number in range(5):
            alias = f"email:{number}@x"
            stored = tx.users.insert(user(pool_id=pool_id), names(alias, email=f"{number}@x", name="same"))
            tx.sessions.insert(session(f"{prefix}{number}", stored.id, prefix + "app"))
        return stored

    assert app.pool_id == POOL
    last = store.write(lambda tx: fill(tx, POOL, "a"))
    other = store.write(lambda tx: fill(tx, "us-east-1_other", "b"))
    assert store.write(lambda tx: tx.pools.delete(POOL)) is True
    assert store.read(lambda tx: tx.catalogue.find_pool(POOL)) is None
    assert store.read(lambda tx: tx.catalogue.find_app("aapp")) is None
    assert store.read(lambda tx: tx.catalogue.find_domain("ashop")) is None
    assert store.read(lambda tx: tx.users.find_by_id(last.id)) is not None, "only a first chunk went"
    while store.write(lambda tx: tx.sweep(NOW, 2)):
        pass
    assert store.read(lambda tx: tx.users.find_by_id(last.id)) is None
    assert store.read(lambda tx: tx.users.find_by_alias(POOL, "email:4@x")) is None
    assert store.read(lambda tx: tx.users.page(POOL, after=None, limit=60)) == []
    assert store.read(lambda tx: tx.sessions.find("a4")) is None
    assert store.read(lambda tx: tx.pools.user_count(POOL)) == 0
    assert (
        store.read(lambda tx: tx.user_lists.search(POOL, "name", "same", print, prefix=False, after=None, limit=9))[0]
        == []
    )
    assert store.write(lambda tx: tx.pools.delete(POOL)) is False
    assert store.read(lambda tx: tx.users.find_by_alias("us-east-1_other", "email:4@x")).id == other.id
    assert store.read(lambda tx: tx.sessions.find("b4")) is not None


def test_pool_id_can_be_used_again_at_once(store, monkeypatch):
    """A pool made under the id of one whose users still wait for the sweeper has none of them."""
    monkeypatch.setattr(doomed, "CHUNK", 2)
    with_pool(store)
    store.write(lambda tx: [tx.users.insert(user(), names()) for _ in range(7)])
    store.write(lambda tx: tx.pools.delete(POOL))
    with_pool(store)
    assert store.read(lambda tx: tx.users.page(POOL, after=None, limit=60)) == []
    kept = store.write(lambda tx: tx.users.insert(user(), names()))
    store.write(lambda tx: tx.sweep(NOW, 100))
    assert store.read(lambda tx: tx.users.find_by_id(kept.id)) == kept


def test_client_life(store):
    """Clients are stored with their secrets, guarded, paged by id, counted and deleted with their sessions."""
    with_pool(store, client("b", secrets=(secret(),)), client("a"))
    assert store.read(lambda tx: tx.clients.find("b")).secrets == (secret(),)
    assert [each.id for each in store.read(lambda tx: tx.clients.page(POOL, after=None, limit=9))] == ["a", "b"]
    assert [each.id for each in store.read(lambda tx: tx.clients.page(POOL, after="a", limit=9))] == ["b"]
    assert store.read(lambda tx: tx.clients.count(POOL)) == 2
    found = store.read(lambda tx: tx.clients.find("a"))
    store.write(lambda tx: tx.clients.save(replace(found, secrets=(secret("s2"),))))
    with pytest.raises(ConcurrentModificationException):
        store.write(lambda tx: tx.clients.save(found))
    store.write(lambda tx: tx.sessions.insert(session("s", 1, "a")))
    assert store.write(lambda tx: tx.clients.delete("us-east-1_other", "a")) is False
    assert store.write(lambda tx: tx.clients.delete(POOL, "a")) is True
    assert store.read(lambda tx: tx.sessions.find("s")) is None
    assert store.read(lambda tx: tx.clients.count(POOL)) == 1


def test_client_ids_are_unique_in_the_installation(store):
    """A client id is taken even in another pool."""
    with_pool(store, client("a"))
    with_pool(store, id="us-east-1_other")
    with pytest.raises(AlreadyExists) as caught:
        store.write(lambda tx: tx.clients.insert(client("a", "us-east-1_other")))
    assert caught.value.what == "client"


def test_domain_life(store):
    """A domain name belongs to one pool; its description can change; it can be deleted."""
    with_pool(store)
    store.write(lambda tx: tx.domains.insert(domain()))
    assert store.read(lambda tx: tx.domains.find("shop")) == domain()
    with pytest.raises(AlreadyExists) as caught:
        store.write(lambda tx: tx.domains.insert(domain()))
    assert caught.value.what == "domain"
    changed = domain(managed_login_version=2)
    assert store.write(lambda tx: tx.domains.save(changed)) is True
    assert store.read(lambda tx: tx.catalogue.find_domain("shop")) == (pool(), changed)
    assert store.write(lambda tx: tx.domains.delete("shop")) is True
    assert store.write(lambda tx: tx.domains.delete("shop")) is False
    assert store.write(lambda tx: tx.domains.save(changed)) is False


def test_resource_server_life(store):
    """Resource servers are unique in a pool, paged by identifier, counted, changed and deleted."""
    with_pool(store)
    store.write(lambda tx: [tx.resource_servers.insert(server(each)) for each in ("c", "a", "b")])
    with pytest.raises(AlreadyExists) as caught:
        store.write(lambda tx: tx.resource_servers.insert(server("a")))
    assert caught.value.what == "resource_server"
    assert store.write(lambda tx: tx.resource_servers.save(server("a", name="new"))) is True
    assert store.read(lambda tx: tx.resource_servers.find(POOL, "a")).name == "new"
    assert store.read(lambda tx: tx.resource_servers.find(POOL, "x")) is None
    page = store.read(lambda tx: tx.resource_servers.page(POOL, "a", 2))
    assert [each.identifier for each in page] == ["b", "c"]
    assert store.read(lambda tx: tx.resource_servers.count(POOL)) == 3
    assert store.write(lambda tx: tx.resource_servers.delete(POOL, "a")) is True
    assert store.write(lambda tx: tx.resource_servers.delete(POOL, "a")) is False
    assert store.read(lambda tx: tx.resource_servers.count(POOL)) == 2


def test_branding_life(store):
    """A client has one style at most, found by its id and by the client."""
    with_pool(store, client("app"))
    store.write(lambda tx: tx.branding.insert(style(colour={"dark": [1, None]}), "app"))
    assert store.read(lambda tx: tx.branding.find_by_client("app")) == style(colour={"dark": [1, None]})
    with pytest.raises(AlreadyExists) as caught:
        store.write(lambda tx: tx.branding.insert(style("00000000-0000-4000-8000-00000000000b"), "app"))
    assert caught.value.what == "branding"
    store.write(lambda tx: tx.branding.save(style(colour="red")))
    assert store.read(lambda tx: tx.branding.find(POOL, style().managed_login_branding_id)).settings == {
        "colour": "red"
    }
    assert store.write(lambda tx: tx.branding.delete(POOL, style().managed_login_branding_id)) is True
    assert store.read(lambda tx: tx.branding.find_by_client("app")) is None


def test_document_that_could_not_be_read_back_is_refused(store):
    """A document that breaks a constraint of the model fails when it is stored, not ever after."""
    with pytest.raises(StorageError, match="could not be read back"):
        store.write(lambda tx: tx.pools.insert(pool(name="x" * 1000), NOW))


def test_unreadable_document_is_reported_by_its_place(store):
    """A row that does not parse names its table, column and key, and not its content."""
    with_pool(store)
    store.write(lambda tx: tx.pools._sql.run("UPDATE pools SET settings = :bad", bad='{"Name": 5, "secret": 1}'))
    with pytest.raises(CorruptRow) as caught:
        store.read(lambda tx: tx.pools.find(POOL))
    assert (caught.value.table, caught.value.column, caught.value.key) == ("pools", "settings", POOL)
    assert "secret" not in str(caught.value)
