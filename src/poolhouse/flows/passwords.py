"""Making credentials: the one way in which passwords are set, and the check against earlier ones."""

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from poolhouse.core import passwords, srp
from poolhouse.core.codes import CodePurpose
from poolhouse.core.pool import Pool
from poolhouse.core.user import Credentials, User
from poolhouse.crypto.modpow import pow_mod, srp_thread
from poolhouse.flows.calls import Call
from poolhouse.flows.users import get_user_again, save_user
from poolhouse.model import NotAuthorizedException, PasswordHistoryPolicyViolationException, UserStatusType
from poolhouse.storage import Tx

VERIFIER_PURPOSE = "srp-verifier"


async def make_credentials(
    call: Call, pool: Pool, username: str, password: str, old: Credentials | None = None
) -> Credentials:
    """Return the credentials of a user with a new password; ``old`` goes into the history.

    Slow, on a thread: never inside a transaction. Raises TooManyRequestsException.
    """
    made = Credentials(
        password_hash=await call.deps.passwords.hash(password),
        password_set_at=call.now,
        history=passwords.extend_history(pool, old) if old else (),
    )
    if await call.store.read(lambda tx: _may_use_srp(tx, pool)):
        return await add_verifier(call, pool, username, password, made)
    return made


async def add_verifier(call: Call, pool: Pool, username: str, password: str, credentials: Credentials) -> Credentials:
    """Return credentials with what SRP needs of the password: a salt and the sealed verifier."""
    salt = srp.make_salt(call.deps.random.bytes(srp.SALT_BYTES))
    make = partial(srp.make_verifier, salt, pool.srp_name, username, password, pow_mod)
    return seal_verifier(call, pool, username, salt, await srp_thread(make), credentials)


def seal_verifier(
    call: Call, pool: Pool, username: str, salt: str, verifier: int, credentials: Credentials
) -> Credentials:
    """Return credentials with a salt and its verifier, sealed."""
    plain = verifier.to_bytes((verifier.bit_length() + 7) // 8, "big")
    sealed = call.deps.sealer.seal(VERIFIER_PURPOSE, plain, _context(pool, username))
    return replace(credentials, srp_salt=salt, srp_verifier=sealed)


def _may_use_srp(tx: Tx, pool: Pool) -> bool:
    """Whether a client of the pool takes SRP, or the first one is still to come and may: users are often made before."""
    return tx.catalogue.srp_allowed(pool.id) or tx.clients.count(pool.id) == 0


def open_verifier(call: Call, pool: Pool, username: str, credentials: Credentials) -> int | None:
    """Return the SRP verifier of a user's password; None where there is none. Raises SealBroken."""
    if credentials.srp_verifier is None:
        return None
    plain = call.deps.sealer.open(VERIFIER_PURPOSE, credentials.srp_verifier, _context(pool, username))
    return int.from_bytes(plain, "big")


async def check_history(call: Call, pool: Pool, credentials: Credentials, password: str) -> None:
    """Check that a password is none of those the pool's PasswordHistorySize bars (spec/api/03 §7.7).

    Raises PasswordHistoryPolicyViolationException.
    """
    for hashed in passwords.barred_hashes(pool, credentials):
        if await call.deps.passwords.verify(hashed, password):
            raise PasswordHistoryPolicyViolationException("Password has previously been used")


async def set_password(
    call: Call,
    pool: Pool,
    user: User,
    password: str,
    status: UserStatusType,
    *,
    known: bool = False,
    note: Callable[[Tx], None] | None = None,
) -> User:
    """Store a new password that meets the policy, and the status that comes with it; a recovery under way ends.

    ``known`` says that ``user.credentials`` were just proved, so they must still be the stored ones. ``note`` is what
    else the same write does.
    Raises PasswordHistoryPolicyViolationException; NotAuthorizedException where proved credentials were replaced
    meanwhile; UserNotFoundException.
    """
    await check_history(call, pool, user.credentials, password)
    credentials = await make_credentials(call, pool, user.username, password, user.credentials)

    def commit(tx: Tx) -> User:
        present = get_user_again(tx, user)
        if known and present.credentials != user.credentials:
            raise NotAuthorizedException("Incorrect username or password.")
        if note is not None:
            note(tx)
        # Whoever asked for the code perhaps is who the new password is to keep out.
        tx.confirmation_codes.delete(present.id, CodePurpose.RECOVER)
        return save_user(tx, pool, replace(present, credentials=credentials, status=status, modified_at=call.now))

    return await call.store.write(commit)


def without_password(pool: Pool, old: Credentials) -> Credentials:
    """Return credentials that no password meets, remembering the present one for the history."""
    return Credentials(history=passwords.extend_history(pool, old))


def _context(pool: Pool, username: str) -> bytes:
    return f"{pool.id}/{username}".encode()
