"""Bringing a seed into the database: everything that it names and that is absent, in one transaction, nothing else."""

import asyncio
import contextlib
import pathlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from poolhouse.core.seed import Seed, SeedClient, SeedDomain, SeedError, read_seed
from poolhouse.flows.calls import AdminCall, Deps, Origin
from poolhouse.flows.pools import StockEmpty, make_keys
from poolhouse.flows.seeds.configuration import (
    BrandingItem,
    ClientItem,
    DomainItem,
    PoolItem,
    ProviderItem,
    ServerItem,
    StyleItem,
    TermsItem,
)
from poolhouse.flows.seeds.item import Home, Item, NotPrepared, at
from poolhouse.flows.seeds.people import GroupItem, IdentityItem, MemberItem, PasskeyItem, UserItem
from poolhouse.storage import Tx

# Whoever applies a seed writes this row first, so that processes that start at once take turns.
TURN = "seed-turn"
# How often to begin anew where something went while passwords were being hashed.
ATTEMPTS = 5
# Items prepared at a time: the hasher of passwords refuses when too many wait.
TOGETHER = 16


class _Rehearsed(Exception):
    """Ends a rehearsal, so that nothing of it stays."""

    def __init__(self, added: list[str]) -> None:
        super().__init__()
        self.added = added


@contextlib.contextmanager
def of_file(path: str) -> Iterator[None]:
    """Let a SeedError name the file, too."""
    try:
        yield
    except SeedError as error:
        raise SeedError(f"The seed {path}: {error}") from None


def read_plan(path: str | None) -> "Plan":
    """Return the plan of a file in JSON or TOML, an empty one for None. Raises SeedError."""
    if path is None:
        return Plan(Seed(user_pools=()))
    with of_file(path):
        try:
            text = pathlib.Path(path).read_text("utf-8")
        except OSError as error:
            raise SeedError(f"it cannot be read: {error.strerror}.") from None
        except UnicodeError:
            raise SeedError("it is not a text file.") from None
        return Plan(read_seed(text), path)


class Plan:
    """The items of a seed in the order in which they are made. Raises SeedError where two have one name.

    An item keeps the hash that was made of its password, so that applying again costs little. ``path`` is the file.
    """

    def __init__(self, seed: Seed, path: str = "") -> None:
        _check_distinct(seed)
        self.path = path
        self.items = [
            item for number, pool in enumerate(seed.user_pools) for item in _items(Home(pool), f"UserPools[{number}]")
        ]

    def only(self, pool_id: str) -> "Plan":
        """Return the part of the plan that is about one pool, with the same items."""
        part = Plan(Seed(user_pools=()), self.path)
        part.items = [item for item in self.items if item.home.id == pool_id]
        return part

    @property
    def pools(self) -> list[PoolItem]:
        """The items that are pools."""
        return [item for item in self.items if isinstance(item, PoolItem)]

    def absent(self, tx: Tx) -> list[Item]:
        """Return the items that are not there."""
        return [item for item in self.items if not _is_there(item, tx)]


async def apply(deps: Deps, plan: Plan) -> list[str]:
    """Make what is absent, and return it by its places in the file.

    Raises SeedError, after which nothing of it is there, TooManyRequestsException and StorageError.
    """
    return await _carry_out(deps, plan, rehearsal=False)


async def rehearse(deps: Deps, plan: Plan) -> list[str]:
    """Return what ``apply`` would make, having tried it but for the hashing of passwords. Raises as ``apply`` does."""
    try:
        return await _carry_out(deps, plan, rehearsal=True)
    except _Rehearsed as end:
        return end.added


async def _carry_out(deps: Deps, plan: Plan, *, rehearsal: bool) -> list[str]:
    call = _call(deps)

    def commit(tx: Tx) -> list[str]:
        added = _put(tx, call, plan)
        if rehearsal:
            raise _Rehearsed(added)
        return added

    with of_file(plan.path):
        for _ in range(ATTEMPTS):
            absent = await deps.store.read(plan.absent)
            if not absent:
                return []
            await _prepare(call, absent, rehearsal=rehearsal)
            if not rehearsal:
                await _make_spares(call, absent)
            try:
                return await deps.store.write(commit)
            except (StockEmpty, NotPrepared):
                continue
        raise SeedError("UserPools: somebody else keeps changing what is in them.")


def _call(deps: Deps) -> AdminCall:
    origin = Origin(request_id=deps.random.uuid())
    return AdminCall(deps=deps, now=deps.clock.now(), origin=origin, region=deps.identity.region, principal="seed")


async def _prepare(call: AdminCall, items: Sequence[Item], *, rehearsal: bool) -> None:
    async def prepare(item: Item) -> None:
        with at(item):
            await item.prepare(call, rehearsal=rehearsal)

    for start in range(0, len(items), TOGETHER):
        together = [prepare(item) for item in items[start : start + TOGETHER]]
        # Nobody may still be at work when the first of them fails, and the first in the file is the one to tell.
        for outcome in await asyncio.gather(*together, return_exceptions=True):
            if outcome is not None:
                raise outcome


async def _make_spares(call: AdminCall, absent: Iterable[Item]) -> None:
    """Make signing keys for the pools that would find none in stock."""
    waiting = await call.store.read(lambda tx: tx.signing_keys.stock_count())
    for item in absent:
        if isinstance(item, PoolItem) and not item.spare:
            waiting -= item.wanted
            if waiting < 0:
                item.spare = await make_keys(call.deps, call.now)


def _put(tx: Tx, call: AdminCall, plan: Plan) -> list[str]:
    tx.settings.put(TURN, b"")
    added = []
    for item in plan.items:
        if not _is_there(item, tx):
            with at(item):
                item.put(tx, call)
            added.append(str(item))
    return added


def _is_there(item: Item, tx: Tx) -> bool:
    with at(item):
        return item.is_there(tx)


def _items(home: Home, place: str) -> Iterator[Item]:
    """Give the items of a pool in the order in which one may refer to another."""
    seed = home.seed
    yield PoolItem(place, home)
    for number, server in enumerate(seed.resource_servers):
        yield ServerItem(f"{place}.ResourceServers[{number}]", server, home)
    for number, provider in enumerate(seed.identity_providers):
        yield ProviderItem(f"{place}.IdentityProviders[{number}]", provider, home)
    for number, client in enumerate(seed.clients):
        yield from _client_items(f"{place}.Clients[{number}]", client, home)
    for number, domain in enumerate(_domains(home)):
        yield DomainItem(f"{place}.Domains[{number}]", domain, home)
    if seed.ui_customization is not None:
        yield StyleItem(f"{place}.UICustomization", seed.ui_customization, home)
    for number, client in enumerate(seed.clients):
        if client.ui_customization is not None:
            at_client = f"{place}.Clients[{number}].UICustomization"
            yield StyleItem(at_client, client.ui_customization, home, client.client_id)
    yield from _people_items(home, place)


def _people_items(home: Home, place: str) -> Iterator[Item]:
    seed = home.seed
    for number, group in enumerate(seed.groups):
        yield GroupItem(f"{place}.Groups[{number}]", group, home)
    for number, user in enumerate(seed.users):
        yield UserItem(f"{place}.Users[{number}]", user, home)
        for position, passkey in enumerate(user.passkeys):
            yield PasskeyItem(f"{place}.Users[{number}].Passkeys[{position}]", passkey, home, user.username)
        for position, identity in enumerate(user.identities):
            yield IdentityItem(f"{place}.Users[{number}].Identities[{position}]", identity, home, user.username)
    for number, group in enumerate(seed.groups):
        for position, member in enumerate(group.members):
            yield MemberItem(f"{place}.Groups[{number}].Members[{position}]", member, home, group.group_name)


def _client_items(place: str, client: SeedClient, home: Home) -> Iterator[Item]:
    yield ClientItem(place, client, home)
    if client.managed_login_branding is not None:
        branding = client.managed_login_branding
        yield BrandingItem(f"{place}.ManagedLoginBranding", branding, home, client.client_id)
    for number, terms in enumerate(client.terms):
        yield TermsItem(f"{place}.Terms[{number}]", terms, home, client.client_id)


def _domains(home: Home) -> list[SeedDomain]:
    """Return the domains of a pool, those included that only its description names."""
    listed = home.seed.domains
    named = [name for name in (home.seed.domain, home.seed.custom_domain) if name is not None]
    return [*listed, *(SeedDomain(domain=name) for name in named if name not in {each.domain for each in listed})]


def _check_distinct(seed: Seed) -> None:
    pools = seed.user_pools
    _check("UserPools", "Id", (pool.id for pool in pools))
    _check("Clients", "ClientId", (client.client_id for pool in pools for client in pool.clients))
    _check("Domains", "Domain", (domain.domain for pool in pools for domain in pool.domains))
    for number, pool in enumerate(pools):
        place = f"UserPools[{number}]"
        _check(f"{place}.ResourceServers", "Identifier", (each.identifier for each in pool.resource_servers))
        _check(f"{place}.IdentityProviders", "ProviderName", (each.provider_name for each in pool.identity_providers))
        _check(f"{place}.Groups", "GroupName", (each.group_name for each in pool.groups))
        _check(f"{place}.Users", "Username", (each.username for each in pool.users))
        _check(f"{place}.SigningKeys", "Use", (each.use for each in pool.signing_keys))


def _check(place: str, member: str, names: Iterable[str | None]) -> None:
    """Check that no two parts have one name: the second would pass for being there already. Raises SeedError."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise SeedError(f"{place}: the {member} {twice[0]} is there twice.")
