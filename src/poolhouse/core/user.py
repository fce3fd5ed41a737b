"""A user, as stored."""

from msgspec import Struct

from poolhouse.model import ChallengeNameType, UserStatusType


class Credentials(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
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


class SoftwareToken(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The secret that an authenticator app makes codes from, sealed with the master key.

    ``created_at`` is in milliseconds; ``name`` is the user's own for the device.
    """

    sealed: bytes
    created_at: int
    name: str = ""


class Factors(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a user can show besides the password, and wants to be asked for.

    ``active`` are the second factors that sign-ins ask for, ``preferred`` is one of them; both name challenges.
    ``pending_token`` waits for its first code, while ``software_token`` stays in use.
    ``passkey_mfa`` lets a passkey with user verification stand for both factors.
    """

    active: tuple[ChallengeNameType, ...] = ()
    preferred: ChallengeNameType | None = None
    software_token: SoftwareToken | None = None
    pending_token: SoftwareToken | None = None
    passkey_mfa: bool = False


NO_FACTORS = Factors()


class User(Struct, frozen=True, kw_only=True, gc=False):
    """A user of a pool.

    ``id`` is the storage's own number, 0 before the first insert. ``sub`` is the wire identity.
    ``attributes`` holds wire names and values without ``sub``.
    ``pending`` holds new values that wait for their verification
    (AttributesRequireVerificationBeforeUpdate). Times are milliseconds;
    tokens issued before ``signed_out_at`` are void, browsers' SSO sessions from before ``disabled_at`` as well.
    ``memberships`` is kept by the storage: the user is in so many groups, or in fewer since a group was deleted;
    so is ``passkeys``, the number of passkeys.
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
    factors: Factors = NO_FACTORS
    created_at: int
    modified_at: int
    signed_out_at: int = 0
    disabled_at: int = 0
    revision: int = 0
    memberships: int = 0
    passkeys: int = 0


class Names(Struct, frozen=True, kw_only=True, gc=False):
    """The index entries of a user, worked out by ``core.aliases.names_of``.

    ``aliases`` are keys (``"email:ann@x.org"``) of which each belongs to one user of the pool;
    ``search`` holds a folded value for each attribute that ListUsers can search by,
    ``username`` and ``sub`` excepted: those have columns of their own.
    """

    aliases: frozenset[str]
    search: dict[str, str]
