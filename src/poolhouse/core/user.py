"""A user, as stored."""

from msgspec import Struct

from poolhouse.model import UserStatusType


class Credentials(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What proves a user's identity. Times are milliseconds.

    ``password_hash`` is a PHC string; ``srp_salt`` is in the wire's hexadecimal form;
    ``srp_verifier`` is sealed with the master key and kept only where a client of the pool allows SRP.
    ``history`` holds earlier password hashes, newest first.
    """

    password_hash: str | None = None
    password_set_at: int = 0
    srp_salt: str | None = None
    srp_verifier: bytes | None = None
    history: tuple[str, ...] = ()


class User(Struct, frozen=True, kw_only=True):
    """A user of a pool.

    ``id`` is the storage's own number, 0 before the first insert. ``sub`` is the wire identity.
    ``attributes`` holds wire names and values without ``sub``.
    ``pending`` holds new values that wait for their verification
    (AttributesRequireVerificationBeforeUpdate). Times are milliseconds;
    tokens issued before ``signed_out_at`` are void.
    ``memberships`` is kept by the storage: the user is in so many groups, or in fewer since a group was deleted.
    """

    id: int = 0
    pool_id: str
    sub: str
    username: str
    status: UserStatusType
    enabled: bool = True
    attributes: dict[str, str]
    pending: dict[str, str] = {}
    credentials: Credentials = Credentials()
    created_at: int
    modified_at: int
    signed_out_at: int = 0
    revision: int = 0
    memberships: int = 0


class Names(Struct, frozen=True, kw_only=True):
    """The index entries of a user, worked out by ``core.aliases.names_of``.

    ``aliases`` are keys (``"email:ann@x.org"``) of which each belongs to one user of the pool;
    ``search`` holds a folded value for each attribute that ListUsers can search by,
    ``username`` and ``sub`` excepted: those have columns of their own.
    """

    aliases: frozenset[str]
    search: dict[str, str]
