"""The catalogue: never older than the transaction that asks."""

import asyncio

import pytest

from poolhouse.model import ExplicitAuthFlowsType
from poolhouse.storage.catalogue import Cache, Entry
from poolhouse.storage.errors import StorageError
from tests.storage.builders import NOW, POOL, client, domain, pool, provider, server, signing_key, style, with_pool


@pytest.fixture
def two(url, open_sync):
    """Two stores on one database, each with a cache of its own, like two worker processes."""
    return open_sync(url), open_sync(url)


def test_another_process_sees_every_change_at_once(two):
    """What one store has cached gives way as soon as another store has changed it."""
    ours, theirs = two
    with_pool(ours, client("app"))
    ours.write(
        lambda tx: [tx.signing_keys.insert(signing_key(use=u, state="active", pool_id=POOL)) for u in ("id", "access")]
    )
    ours.write(lambda tx: tx.domains.insert(domain()))

    def look(tx):
        tail = tx.catalogue
        found = tail.find_app("app")
        return (
            found and found[0].settings.name,
            found and found[1].revision,
            (tail.find_domain("shop") or (None, None))[1],
            [each.name for each in tail.resource_servers(POOL)],
            [each.settings for each in tail.identity_providers(POOL)],
            tail.branded("app"),
            tail.srp_allowed(POOL),
            len(tail.signing_keys(POOL).retired) if found else 0,
        )

    def change(tx, name):
        match name:
            case "pool":
                tx.pools.save(pool(name="renamed"))
            case "client":
                tx.clients.save(tx.clients.find("app"))
            case "domain":
                tx.domains.save(domain(managed_login_version=2))
            case "server":
                tx.resource_servers.insert(server())
            case "server changed":
                tx.resource_servers.save(server(name="new"))
            case "server gone":
                tx.resource_servers.delete(POOL, server().identifier)
            case "provider":
                tx.identity_providers.insert(provider())
            case "provider changed":
                tx.identity_providers.save(provider("Partner", "partner.example"))
            case "provider gone":
                tx.identity_providers.delete(POOL, provider().name)
            case "style":
                tx.branding.insert(style(), "app")
            case "style gone":
                tx.branding.delete(POOL, style().managed_login_branding_id)
            case "srp":
                tx.clients.insert(client("srp", flows=[ExplicitAuthFlowsType.ALLOW_USER_SRP_AUTH]))
            case "key":
                tx.signing_keys.insert(signing_key(state="retired", pool_id=POOL))
            case "domain gone":
                tx.domains.delete("shop")
            case "client gone":
                tx.clients.delete(POOL, "app")

    steps = (
        "pool",
        "client",
        "domain",
        "server",
        "server changed",
        "server gone",
        "provider",
        "provider changed",
        "provider gone",
        "style",
        "style gone",
        "srp",
        "key",
        "domain gone",
        "client gone",
    )
    for step in steps:
        before = theirs.read(look)
        assert theirs.read(look) == before, "from the cache"
        ours.write(lambda tx, step=step: change(tx, step))
        assert theirs.read(look) == ours.read(look)
        assert theirs.read(look) != before, step


def test_hits_cost_one_point_read(store):
    """Everything about one pool is taken from the cache for the price of one look at its generation."""
    with_pool(store, client("app"))
    look = lambda tx: (tx.catalogue.find_app("app"), tx.catalogue.srp_allowed(POOL), tx.catalogue.branded("app"))
    first = store.read(look)
    ran = []

    def watched(tx):
        row = tx._connection.row
        tx._connection.row = lambda sql, **values: ran.append(sql) or row(sql, **values)
        try:
            return look(tx)
        finally:
            del tx._connection.row

    again = store.read(watched)
    assert again == first
    assert again[0][0] is first[0][0]
    assert len(ran) == 1, ran


def test_writer_sees_its_own_changes_and_caches_none(two):
    """Inside a write the catalogue shows uncommitted changes; after a failure nobody ever sees them."""
    ours, _ = two
    with_pool(ours, client("app"))
    assert ours.read(lambda tx: tx.catalogue.find_pool(POOL)).settings.name == "people"

    def work(tx):
        tx.pools.save(pool(name="draft"))
        tx.clients.insert(client("draft"))
        assert tx.catalogue.find_pool(POOL).settings.name == "draft"
        assert tx.catalogue.find_app("draft")[0].settings.name == "draft"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ours.write(work)
    for store in two:
        assert store.read(lambda tx: tx.catalogue.find_pool(POOL)).settings.name == "people"
        assert store.read(lambda tx: tx.catalogue.find_app("draft")) is None
    # The next committed generation has the number that the failed one had.
    ours.write(lambda tx: tx.pools.save(pool(name="final")))
    for store in two:
        assert store.read(lambda tx: tx.catalogue.find_pool(POOL)).settings.name == "final"


def test_failed_neighbour_in_a_group_is_never_cached(store):
    """Of two writes in one commit, what the failing one had read or written is not served later."""
    with_pool(store)

    async def both(store):
        def failing(tx):
            tx.pools.save(pool(name="draft"))
            tx.catalogue.find_pool(POOL)
            raise ZeroDivisionError

        def looking(tx):
            return tx.catalogue.find_pool(POOL).settings.name

        return await asyncio.gather(store.write(failing), store.write(looking), return_exceptions=True)

    failed, seen = store.run(both)
    assert isinstance(failed, ZeroDivisionError)
    assert seen == "people"
    store.write(lambda tx: tx.pools.save(pool(name="final")))
    assert store.read(lambda tx: tx.catalogue.find_pool(POOL)).settings.name == "final"


def test_pool_made_again_under_its_id_is_not_taken_for_the_old_one(two):
    """A cache that knows a deleted pool does not serve it for its successor of the same id and time."""
    ours, theirs = two
    with_pool(ours, client("app"))
    assert theirs.read(lambda tx: tx.catalogue.find_app("app")) is not None
    ours.write(lambda tx: tx.pools.delete(POOL))
    assert theirs.read(lambda tx: tx.catalogue.find_pool(POOL)) is None
    ours.write(lambda tx: tx.pools.insert(pool(name="successor"), NOW))
    assert theirs.read(lambda tx: tx.catalogue.find_pool(POOL)).settings.name == "successor"
    assert theirs.read(lambda tx: tx.catalogue.find_app("app")) is None


def test_keys_of_a_pool_without_keys(store):
    """A pool whose keys are missing is an error, not an empty answer."""
    with_pool(store)
    with pytest.raises(StorageError, match="no signing keys"):
        store.read(lambda tx: tx.catalogue.signing_keys(POOL))


def test_cache_keeps_what_was_used_last():
    """A full cache drops the entry that was not used for longest."""
    cache = Cache(2)
    for name in "ab":
        cache.put(("pool", name), Entry(name, 1, name))
    cache.find(("pool", "a"))
    cache.put(("pool", "c"), Entry("c", 1, "c"))
    assert [cache.find(("pool", name)) is not None for name in "abc"] == [True, False, True]


def test_more_pools_than_the_cache_holds(url, open_sync):
    """A store works the same with a cache of one entry."""
    store = open_sync(url, cached=1)
    for number in range(3):
        with_pool(store, client(f"app{number}", f"us-east-1_{number}"), id=f"us-east-1_{number}")
    for _ in range(2):
        for number in range(3):
            found = store.read(lambda tx, number=number: tx.catalogue.find_app(f"app{number}"))
            assert found[0].id == found[1].pool_id == f"us-east-1_{number}"


def test_version_of_the_database(two):
    """On SQLite a number tells of every commit, whoever made it, and of nothing else; on PostgreSQL there is none."""
    ours, theirs = two
    with_pool(ours)
    version = ours.store.version()
    if version is None:
        assert theirs.store.version() is None
        return
    ours.read(lambda tx: tx.catalogue.find_pool(POOL))
    assert ours.store.version() == version
    for store in two:
        store.write(lambda tx, version=version: tx.pools.insert(pool(id=f"us-east-1_{version}"), NOW))
        assert ours.store.version() != version
        version = ours.store.version()
