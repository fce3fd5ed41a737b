"""Software tokens: the secrets of authenticator apps, and their first code (spec/api/04 §9)."""

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.factors import check_totp_offered, with_token
from poolhouse.core.user import SoftwareToken, User
from poolhouse.crypto import totp
from poolhouse.flows.calls import Call, UserCall
from poolhouse.flows.users import get_user_again, save_user
from poolhouse.model import (
    EnableSoftwareTokenMFAException,
    InvalidParameterException,
    SoftwareTokenMFANotFoundException,
)
from poolhouse.storage import Tx

PURPOSE = "software-token"
MISMATCH = "Code mismatch and fail enable Software Token MFA"
NO_SECRET = "No software token was associated with the user."
LONGEST_NAME = 256


class Use(Struct, frozen=True):
    """A code that was right: it counts once, for its time step. ``expires_at`` is in milliseconds."""

    nonce: str
    expires_at: int

    def spend(self, tx: Tx) -> bool:
        """Use the code up; False where that was done before."""
        return tx.nonces.spend(self.nonce, self.expires_at)


def new_secret(call: Call) -> bytes:
    """Return the secret of a new token."""
    return call.deps.random.bytes(totp.SECRET_LENGTH)


def seal_token(call: Call, user: User, secret: bytes, created_at: int, name: str = "") -> SoftwareToken:
    """Return a token as it is stored."""
    sealed = call.deps.sealer.seal(PURPOSE, secret, _context(user))
    return SoftwareToken(sealed=sealed, created_at=created_at, name=name)


def open_token(call: Call, user: User, token: SoftwareToken) -> bytes:
    """Return the secret of a token; raises SealBroken."""
    return call.deps.sealer.open(PURPOSE, token.sealed, _context(user))


def find_use(call: Call, user: User, token: SoftwareToken, code: str) -> Use | None:
    """Return the use of a token that a code is, None where the code is wrong now; raises SealBroken."""
    return find_use_of(call, user, open_token(call, user, token), token.created_at, code)


def find_use_of(call: Call, user: User, secret: bytes, created_at: int, code: str) -> Use | None:
    """Return the use of a secret that a code is, None where the code is wrong now."""
    step = totp.find_step(secret, code, call.now)
    if step is None:
        return None
    return Use(f"totp/{user.id}/{created_at}/{step}", totp.valid_until(step))


def check_name(name: str | None) -> str:
    """Return the name of a device; raises InvalidParameterException for one that is too long to be shown."""
    if name is not None and len(name) > LONGEST_NAME:
        raise InvalidParameterException(f"FriendlyDeviceName can have at most {LONGEST_NAME} characters.")
    return name or ""


async def associate(call: UserCall) -> str:
    """Return the secret of a new token, which waits for its first code; an older one stays in use until then.

    Raises SoftwareTokenMFANotFoundException where the pool offers no authenticator apps.
    """
    check_totp_offered(call.pool)
    secret = new_secret(call)
    pending = seal_token(call, call.user, secret, call.now)

    def commit(tx: Tx) -> None:
        user = get_user_again(tx, call.user)
        save_user(tx, call.pool, replace(user, factors=replace(user.factors, pending_token=pending)))

    await call.store.write(commit)
    return totp.to_text(secret)


async def verify(call: UserCall, code: str, name: str | None) -> None:
    """Put the token that waits into use by its first code. Sign-ins ask for it once the user prefers so.

    Raises EnableSoftwareTokenMFAException for a wrong code; SoftwareTokenMFANotFoundException where no token waits,
    or the pool offers none; InvalidParameterException for the name.
    """
    check_totp_offered(call.pool)
    known_as = check_name(name)

    def commit(tx: Tx) -> None:
        user = get_user_again(tx, call.user)
        token = user.factors.pending_token
        if token is None:
            raise SoftwareTokenMFANotFoundException(NO_SECRET)
        use = find_use(call, user, token, code)
        if use is None:
            raise EnableSoftwareTokenMFAException(MISMATCH)
        use.spend(tx)
        factors = with_token(user.factors, replace(token, name=known_as))
        save_user(tx, call.pool, replace(user, factors=factors, modified_at=call.now))

    await call.store.write(commit)


def _context(user: User) -> bytes:
    return f"{user.pool_id}/{user.sub}".encode()
