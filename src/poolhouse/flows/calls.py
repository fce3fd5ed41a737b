"""What every use case gets: the process-wide dependencies, and one of three calls that say who is calling."""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import Struct

from poolhouse.core.client import Client
from poolhouse.core.message_limits import MessageLimit
from poolhouse.core.pool import Pool
from poolhouse.core.replica import Reach
from poolhouse.core.session import Session
from poolhouse.core.user import User
from poolhouse.core.user_context import UserContext
from poolhouse.crypto.keyring import Keyring
from poolhouse.crypto.passwords import PasswordHasher
from poolhouse.crypto.seal import Sealer
from poolhouse.crypto.sender_keys import SenderKeys
from poolhouse.datafiles.breached import BreachedPasswords
from poolhouse.datafiles.places import Places
from poolhouse.delivery import Courier
from poolhouse.flows.rates import RateLimiter
from poolhouse.flows.recent_uses import RecentUses
from poolhouse.model import ResourceNotFoundException
from poolhouse.providers import Providers
from poolhouse.storage import Store, Tx
from poolhouse.triggers import Triggers


class Clock(Protocol):
    """The time of day."""

    def now(self) -> int:
        """Return milliseconds since the epoch."""
        ...


class Random(Protocol):
    """Unpredictable values."""

    def bytes(self, count: int) -> bytes:
        """Return ``count`` random bytes."""
        ...

    def uuid(self) -> str:
        """Return a random UUID, version 4, lower case."""
        ...

    def text(self, length: int, alphabet: str) -> str:
        """Return ``length`` characters drawn evenly from ``alphabet``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this installation is: what ends up in identifiers, ARNs and URLs.

    ``issuer`` is a template with ``{public_url}``, ``{region}`` and ``{pool_id}``, or ``aws``.
    ``auth_domain`` is the parent host of prefix domains, if there is one. ``public_url`` has no final slash.
    """

    region: str
    account_id: str
    public_url: str
    issuer: str = "{public_url}/{pool_id}"
    auth_domain: str | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What lives as long as the process. ``deliveries_left`` is set when something was left to ``flows.deliveries``.

    ``failures_per_address`` is how many failed sign-ins an hour has room for from one address; 0 sets no limit.
    """

    identity: Identity
    store: Store
    keyring: Keyring
    sealer: Sealer
    passwords: PasswordHasher
    courier: Courier
    triggers: Triggers
    sender_keys: SenderKeys
    providers: Providers
    rates: RateLimiter
    clock: Clock
    random: Random
    recent_uses: RecentUses = field(default_factory=RecentUses)
    breached: BreachedPasswords = field(default_factory=BreachedPasswords)
    places: Places = field(default_factory=Places)
    failures_per_address: int = 0
    message_limits: tuple[MessageLimit, ...] = ()
    deliveries_left: asyncio.Event = field(default_factory=asyncio.Event)


class Origin(Struct, frozen=True, kw_only=True):
    """Where a request came from.

    ``user`` is the device of the user on whose behalf an application calls, where it tells. ``by_server`` says that the
    address is that of an application's server, not of its user.
    """

    request_id: str
    address: str = ""
    user_agent: str = ""
    user: UserContext | None = None
    by_server: bool = False


class Call(Struct, frozen=True, kw_only=True):
    """One request. ``now`` is milliseconds since the epoch, read once, so that one answer has one time.

    ``reach`` says where a pool with replicas can be asked for this.
    """

    deps: Deps
    now: int
    origin: Origin
    reach: Reach = Reach.PRIMARY

    @property
    def store(self) -> Store:
        """The store, since nearly every handler needs it."""
        return self.deps.store

    def here(self, pool: Pool) -> Pool:
        """Return a pool as the node's Region has it: through the replica there, if it has one.

        Requests without a signature name no Region, so those of any other pool are answered as in its own.
        Raises OperationNotEnabledException (spec/api/10 §3).
        """
        seen = pool.seen_in(self.deps.identity.region) if pool.replicas else None
        if seen is None:
            return pool
        seen.check_reach(self.reach)
        return seen


class PublicCall(Call, frozen=True, kw_only=True):
    """A call by an app client, or by anyone: nothing is known of the caller yet.

    ``signed_in`` is the Region of a verified signature; None where there is none, or nobody looked for one.
    """

    signed_in: str | None = None


class AdminCall(Call, frozen=True, kw_only=True):
    """A call whose signature was verified. ``region`` is the one of the credential scope.

    ``builtin`` is true for the program's own console, which alone sees the built-in pool of operators.
    """

    region: str
    principal: str
    builtin: bool = False

    def pool(self, tx: Tx, pool_id: str) -> Pool:
        """Return a pool of the caller's Region, or as it stands there through a replica.

        Raises ResourceNotFoundException, also for pools of other Regions (spec/api/02 §3), and
        OperationNotEnabledException for what replicas do not offer (spec/api/10 §3).
        """
        pool = tx.catalogue.find_pool(pool_id)
        seen = None if pool is None or (pool.builtin and not self.builtin) else pool.seen_in(self.region)
        if seen is None:
            raise ResourceNotFoundException(f"User pool {pool_id} does not exist.")
        seen.check_reach(self.reach)
        return seen

    def client(self, tx: Tx, pool_id: str, client_id: str) -> Client:
        """Return a client of that pool; raises ResourceNotFoundException."""
        self.pool(tx, pool_id)
        found = tx.catalogue.find_app(client_id)
        if found is None or found[0].id != pool_id:
            raise ResourceNotFoundException(f"User pool client {client_id} does not exist.")
        return found[1]


class UserCall(Call, frozen=True, kw_only=True):
    """A call with a valid access token: verified, unexpired, not revoked, of an enabled user, with the API's scope.

    ``user`` is as read when the token was checked; a write reads it again inside its transaction.
    ``session`` is None where the client issues tokens without ``origin_jti``, ``device_key`` where the sign-in was not
    tracked.
    """

    pool: Pool
    client: Client
    user: User
    session: Session | None
    scopes: frozenset[str]
    device_key: str | None
