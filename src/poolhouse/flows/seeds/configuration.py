"""The items of a seed that are a pool and its configuration."""

from msgspec.structs import replace

from poolhouse.core import seed_parts
from poolhouse.core.branding_rules import MAX_STYLES
from poolhouse.core.classic_style import ALL
from poolhouse.core.client import Client
from poolhouse.core.client_secrets import with_secret
from poolhouse.core.client_settings import MAX_CLIENTS, Surroundings
from poolhouse.core.domain_rules import pool_with_domain
from poolhouse.core.identity_providers import MAX_PROVIDERS, KeyPair
from poolhouse.core.names import SECRET_BYTES, new_device_group_key, new_distribution, secret_text
from poolhouse.core.resource_servers import MAX_SERVERS
from poolhouse.core.seed import SeedClient, SeedDomain, SeedError, SeedStyle, SeedTerms
from poolhouse.core.signing_key import SigningKey
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.clients import seal_secret
from poolhouse.flows.identity_providers import complete, make_key_pair, seal_provider
from poolhouse.flows.pools import MAX_POOLS, USES, StockEmpty
from poolhouse.flows.seeds.item import Home, Item, check_room
from poolhouse.model import (
    IdentityProviderType,
    InvalidParameterException,
    LimitExceededException,
    ManagedLoginBrandingType,
    ResourceServerType,
)
from poolhouse.storage import Tx


class PoolItem(Item):
    """A pool without what is in it, and its signing keys: ``keys`` to have, ``spare`` ones where none are in stock."""

    def __init__(self, place: str, home: Home) -> None:
        super().__init__(place, home.id, home)
        self.keys: dict[str, SigningKey] = {}
        self.spare: dict[str, SigningKey] = {}
        self._rehearsal = False

    @property
    def wanted(self) -> int:
        """How many signing keys it takes from the stock."""
        return len(USES) - len(self.keys)

    def is_there(self, tx: Tx) -> bool:
        """Whether there is a pool of that id."""
        pool = self.home.find(tx)
        if pool is not None and pool.builtin:
            raise InvalidParameterException("The pool of the console's operators is not for a seed.")
        return pool is not None

    async def prepare(self, call: AdminCall, *, rehearsal: bool) -> None:
        """Try the settings, and read the pinned keys."""
        self._rehearsal = rehearsal
        self.home.future(call)
        for number, key in enumerate(self.home.seed.signing_keys):
            if key.use in self.keys:
                continue
            try:
                read = call.deps.keyring.read_key(key.private_key, key.use, self.home.id, key.kid, call.now)
            except ValueError as error:
                raise SeedError(f"{self.place}.SigningKeys[{number}].PrivateKey: {error}.") from None
            self.keys[key.use] = read

    def put(self, tx: Tx, call: AdminCall) -> None:
        """Make the pool with its two signing keys; raises StockEmpty."""
        pool = seed_parts.pool_of(
            self.home.seed,
            account_id=call.deps.identity.account_id,
            device_group_key=new_device_group_key(call.deps.random.text),
            now=call.now,
        )
        if tx.pools.count(pool.region) >= MAX_POOLS:
            raise LimitExceededException(f"A Region can have at most {MAX_POOLS} user pools.")
        tx.pools.insert(pool, call.now)
        for use in USES:
            if use in self.keys:
                tx.signing_keys.insert(self.keys[use])
            elif use in self.spare:
                tx.signing_keys.insert(replace(self.spare[use], pool_id=pool.id, state="active"))
            elif not self._rehearsal and tx.signing_keys.claim(pool.id, use) is None:
                raise StockEmpty


class ServerItem(Item):
    """A resource server."""

    def __init__(self, place: str, seed: ResourceServerType, home: Home) -> None:
        super().__init__(place, seed.identifier or "", home)
        self._seed = seed

    def is_there(self, tx: Tx) -> bool:
        """Whether the pool has one of that identifier."""
        return tx.resource_servers.find(self.home.id, self.name) is not None

    def put(self, tx: Tx, call: AdminCall) -> None:  # noqa: ARG002 - as every item
        """Make it."""
        server = seed_parts.server_of(self.home.get(tx), self._seed)
        check_room(tx.resource_servers.count(self.home.id), MAX_SERVERS, "resource servers")
        tx.resource_servers.insert(server)


class ProviderItem(Item):
    """An identity provider."""

    def __init__(self, place: str, seed: IdentityProviderType, home: Home) -> None:
        super().__init__(place, seed.provider_name or "", home)
        self._seed = seed
        self._pair: KeyPair | None = None

    def is_there(self, tx: Tx) -> bool:
        """Whether the pool has one of that name."""
        return tx.identity_providers.find(self.home.id, self.name) is not None

    async def prepare(self, call: AdminCall, *, rehearsal: bool) -> None:
        """Make what it encrypts with."""
        if not rehearsal:
            self._pair = await make_key_pair(call, self.home.id, self._seed.provider_details)

    def put(self, tx: Tx, call: AdminCall) -> None:
        """Make it."""
        settings = complete(seed_parts.provider_of(self.home.get(tx), self._seed, call.now), self._pair)
        check_room(tx.identity_providers.count(self.home.id), MAX_PROVIDERS, "identity providers")
        tx.identity_providers.insert(seal_provider(call.deps, settings))


class ClientItem(Item):
    """An app client with its secrets."""

    def __init__(self, place: str, seed: SeedClient, home: Home) -> None:
        super().__init__(place, seed.client_id, home)
        self._seed = seed

    def is_there(self, tx: Tx) -> bool:
        """Whether the pool has it; another pool must not."""
        app = tx.catalogue.find_app(self.name)
        if app is not None and app[0].id != self.home.id:
            raise InvalidParameterException(f"The client id belongs to another user pool, {app[0].id}.")
        return app is not None

    def put(self, tx: Tx, call: AdminCall) -> None:
        """Make it."""
        pool = self.home.get(tx)
        around = Surroundings(
            pool=pool,
            resource_servers=tx.catalogue.resource_servers(pool.id),
            providers=tx.identity_providers.names(pool.id),
        )
        client = seed_parts.client_of(self._seed, around, call.now)
        check_room(tx.clients.count(pool.id), MAX_CLIENTS, "app clients")
        tx.clients.insert(self._with_secrets(call, client))

    def _with_secrets(self, call: AdminCall, client: Client) -> Client:
        values = seed_parts.secrets_of(self._seed)
        if not values and self._seed.generate_secret:
            values = [secret_text(call.deps.random.bytes(SECRET_BYTES))]
        dates = {each.client_secret_value: each.client_secret_create_date for each in self._seed.client_secrets}
        for value in values:
            created = dates.get(value)
            now = call.now if created is None else round(created * 1000)
            secret = seal_secret(call.deps, client.id, value, now)
            client = with_secret(client, secret) if client.secrets else replace(client, secrets=(secret,))
        return client


class BrandingItem(Item):
    """The branding style of a client."""

    def __init__(self, place: str, seed: ManagedLoginBrandingType, home: Home, client_id: str) -> None:
        super().__init__(place, client_id, home)
        self._seed = seed

    def is_there(self, tx: Tx) -> bool:
        """Whether the client has any."""
        return tx.branding.find_by_client(self.name) is not None

    def put(self, tx: Tx, call: AdminCall) -> None:
        """Make it."""
        style = seed_parts.branding_of(
            self.home.get(tx), self.name, self._seed, fresh_id=call.deps.random.uuid(), now=call.now
        )
        check_room(tx.branding.count(self.home.id), MAX_STYLES, "branding styles")
        tx.branding.insert(style, self.name)


class TermsItem(Item):
    """A terms document of a client."""

    def __init__(self, place: str, seed: SeedTerms, home: Home, client_id: str) -> None:
        super().__init__(place, seed.terms_name, home)
        self._seed, self._client_id = seed, client_id

    def is_there(self, tx: Tx) -> bool:
        """Whether the client has one of that name."""
        return self.name in tx.terms.of_client(self._client_id)

    def put(self, tx: Tx, call: AdminCall) -> None:
        """Make it."""
        pool, fresh_id = self.home.get(tx), call.deps.random.uuid()
        tx.terms.insert(seed_parts.terms_of(pool, self._client_id, self._seed, fresh_id=fresh_id, now=call.now))


class DomainItem(Item):
    """A domain."""

    def __init__(self, place: str, seed: SeedDomain, home: Home) -> None:
        super().__init__(place, seed.domain, home)
        self._seed = seed

    def is_there(self, tx: Tx) -> bool:
        """Whether the pool has it; another pool must not."""
        domain = tx.domains.find(self.name)
        if domain is not None and domain.pool_id != self.home.id:
            raise InvalidParameterException("Domain already associated with another user pool.")
        return domain is not None

    def put(self, tx: Tx, call: AdminCall) -> None:
        """Make it."""
        pool = self.home.get(tx)
        domain = seed_parts.domain_of(
            pool,
            self._seed,
            account_id=call.deps.identity.account_id,
            distribution=new_distribution(call.deps.random.text),
            now=call.now,
        )
        tx.pools.save(pool_with_domain(pool, domain))
        tx.domains.insert(domain)


class StyleItem(Item):
    """A style of the classic pages, of a client or of all others."""

    def __init__(self, place: str, seed: SeedStyle, home: Home, client_id: str = ALL) -> None:
        super().__init__(place, client_id, home)
        self._seed = seed

    def is_there(self, tx: Tx) -> bool:
        """Whether there is one for that client, or for all others."""
        return tx.classic_styles.find(self.home.id, self.name) is not None

    def put(self, tx: Tx, call: AdminCall) -> None:
        """Make it."""
        client_id = None if self.name == ALL else self.name
        style = seed_parts.style_of(self.home.get(tx), client_id, self._seed, call.now)
        tx.classic_styles.put(style)
