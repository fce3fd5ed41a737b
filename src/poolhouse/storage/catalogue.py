"""Pools, clients, keys and domains: read by every request, changed rarely, so kept decoded in memory.

Each pool has a generation, a number that every change of its configuration raises. A cached value is used
where its generation is the one that this transaction sees; so processes need not tell each other anything.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from poolhouse.core.client import Client
from poolhouse.core.domain import Domain
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.log_delivery import find_destination
from poolhouse.core.pool import Pool
from poolhouse.core.signing_key import PoolKeys, SigningKey
from poolhouse.model import EventSourceName, ResourceServerType, RiskConfigurationType
from poolhouse.storage.branding import Branding
from poolhouse.storage.clients import Clients
from poolhouse.storage.counts import Generations
from poolhouse.storage.domains import Domains
from poolhouse.storage.engine import Connection
from poolhouse.storage.errors import StorageError
from poolhouse.storage.identity_providers import IdentityProviders
from poolhouse.storage.keys import SigningKeys
from poolhouse.storage.logs import LogDeliveries
from poolhouse.storage.pools import Pools
from poolhouse.storage.resource_servers import ResourceServers
from poolhouse.storage.risk_configurations import RiskConfigurations
from poolhouse.storage.user_imports import UserImports

T = TypeVar("T")
Child = TypeVar("Child", Client, Domain)

# A pool allows 100 resource servers (spec/api/09); more than that is another limit's work.
_ALL = 2**31


class Entry(NamedTuple):
    """A cached value, and which generation of which pool it was true for."""

    pool_id: str
    generation: int
    value: Any


class Cache:
    """The most recently used entries of one process, shared by all its connections."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[tuple[str, str], Entry] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: tuple[str, str]) -> Entry | None:
        """Return an entry, true or outdated."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def put(self, key: tuple[str, str], entry: Entry) -> None:
        """Keep an entry, dropping the one that was not used for longest."""
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)


class Catalogue:
    """The configuration of pools as one transaction sees it.

    A writing transaction uses cached values as well, its own changes having raised the generation,
    but puts nothing into the cache: what it reads may never be committed.
    """

    def __init__(self, connection: Connection, cache: Cache, generations: Generations, *, writing: bool) -> None:
        self._cache, self._generations, self._writing = cache, generations, writing
        self._pools, self._clients = Pools(connection), Clients(connection)
        self._domains, self._branding = Domains(connection), Branding(connection)
        self._servers, self._keys = ResourceServers(connection), SigningKeys(connection)
        self._imports, self._providers = UserImports(connection), IdentityProviders(connection)
        self._risk, self._logs = RiskConfigurations(connection), LogDeliveries(connection)

    def find_pool(self, pool_id: str) -> Pool | None:
        """Return a pool."""
        return self._cached("pool", pool_id, pool_id, lambda: self._pools.find(pool_id))

    def find_app(self, client_id: str) -> tuple[Pool, Client] | None:
        """Return a client and its pool."""
        return self._with_pool("client", client_id, self._clients.find)

    def find_domain(self, name: str) -> tuple[Pool, Domain] | None:
        """Return a domain and its pool."""
        return self._with_pool("domain", name, self._domains.find)

    def signing_keys(self, pool_id: str) -> PoolKeys:
        """Return the keys of a pool; raises StorageError where it has none."""
        keys = self._cached("keys", pool_id, pool_id, lambda: _pool_keys(self._keys.of_pool(pool_id)))
        if keys is None:
            raise StorageError(f"pool {pool_id} has no signing keys")
        return keys

    def resource_servers(self, pool_id: str) -> tuple[ResourceServerType, ...]:
        """Return the resource servers of a pool by identifier."""
        found = self._cached("servers", pool_id, pool_id, lambda: tuple(self._servers.page(pool_id, None, _ALL)))
        return found or ()

    def identity_providers(self, pool_id: str) -> tuple[IdentityProvider, ...]:
        """Return the identity providers of a pool by name, their secrets sealed."""
        load = lambda: tuple(self._providers.page(pool_id, after=None, limit=_ALL))  # noqa: E731
        return self._cached("providers", pool_id, pool_id, load) or ()

    def branded(self, client_id: str) -> bool:
        """Say if a client has a branding style."""
        app = self.find_app(client_id)
        if app is None:
            return False
        load = lambda: self._branding.find_by_client(client_id) is not None  # noqa: E731
        return bool(self._cached("branded", client_id, app[0].id, load))

    def risk_configuration(self, client: Client) -> RiskConfigurationType | None:
        """Return the risk configuration that holds for a client."""
        load = lambda: self._risk.find_for(client.pool_id, client.id)  # noqa: E731
        return self._cached("risk", client.id, client.pool_id, load)

    def log_destination(self, pool_id: str, source: EventSourceName) -> str | None:
        """Return the ARN that a pool's records of a source go to, None where they go nowhere."""
        return find_destination(self._cached("logs", pool_id, pool_id, lambda: self._logs.find(pool_id)), source)

    def generation(self, pool_id: str) -> int | None:
        """Return the number that every change of a pool's configuration raises; None where there is no such pool.

        Whoever keeps something made from the configuration keeps this number with it.
        """
        return self._generations.find(pool_id)

    def srp_allowed(self, pool_id: str) -> bool:
        """Say if some client of a pool takes SRP."""
        return bool(self._cached("srp", pool_id, pool_id, lambda: self._clients.is_srp_allowed(pool_id)))

    def hashes_imported(self, pool_id: str) -> bool:
        """Say if a user import job of a pool takes over password hashes, or did."""
        return bool(self._cached("hashes", pool_id, pool_id, lambda: self._imports.have_hashes(pool_id)))

    def longest_sso_minutes(self, pool_id: str) -> int:
        """Return for how long after a sign-in some client of a pool is content with it."""
        return self._cached("sso", pool_id, pool_id, lambda: self._clients.longest_sso_minutes(pool_id)) or 0

    def _cached(self, kind: str, key: str, pool_id: str, load: Callable[[], T]) -> T | None:
        generation = self._generations.find(pool_id)
        if generation is None:
            return None
        entry = self._cache.find((kind, key))
        if entry is not None and entry.generation == generation and entry.pool_id == pool_id:
            value: T = entry.value
            return value
        value = load()
        if not self._writing:
            self._cache.put((kind, key), Entry(pool_id, generation, value))
        return value

    def _with_pool(self, kind: str, key: str, find: Callable[[str], Child | None]) -> tuple[Pool, Child] | None:
        """Return something with the pool it belongs to, from the cache if it is still true for that pool."""
        entry = self._cache.find((kind, key))
        if entry is not None and entry.generation == self._generations.find(entry.pool_id):
            known: tuple[Pool, Child] = entry.value
            return known
        child = find(key)
        pool = None if child is None else self.find_pool(child.pool_id)
        if child is None or pool is None:
            return None
        generation = None if self._writing else self._generations.find(pool.id)
        if generation is not None:
            self._cache.put((kind, key), Entry(pool.id, generation, (pool, child)))
        return pool, child


def _pool_keys(keys: list[SigningKey]) -> PoolKeys | None:
    active = {key.use: key for key in keys if key.state == "active"}
    if len(active) < 2:
        return None
    retired = tuple(key for key in keys if key.state == "retired")
    return PoolKeys(id=active["id"], access=active["access"], retired=retired)
