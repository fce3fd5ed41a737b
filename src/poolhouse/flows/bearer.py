"""Reading access tokens: who calls with one, and whether it still counts (spec/api/04 §11)."""

from collections import OrderedDict
from hashlib import sha256

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from poolhouse.core.client import Client
from poolhouse.core.jws import MAX_TOKEN_LENGTH, find_kid, split
from poolhouse.core.pool import Pool
from poolhouse.core.session import Session, is_over
from poolhouse.core.signing_key import PoolKeys, SigningKey
from poolhouse.core.user import User
from poolhouse.crypto.keyring import Keyring
from poolhouse.flows.calls import Call
from poolhouse.flows.issuer import issuer_of
from poolhouse.model import NotAuthorizedException, UserNotFoundException
from poolhouse.storage import Tx

INVALID = "Invalid Access Token"


class Claims(Struct, frozen=True, kw_only=True):
    """The claims of an access token that this server looks at."""

    sub: str
    iss: str
    client_id: str
    token_use: str
    scope: str
    exp: int
    iat: int
    username: str | None = None
    origin_jti: str | None = None
    device_key: str | None = None


class Bearer(Struct, frozen=True):
    """Who calls with an access token. ``session`` is None where the token names none."""

    pool: Pool
    client: Client
    user: User
    session: Session | None
    scopes: frozenset[str]
    claims: Claims


class Opened(Struct, frozen=True):
    """A token taken apart. Its signature is good once the digest is among those remembered."""

    token: str
    digest: bytes
    kid: str
    claims: Claims


class Found(Struct, frozen=True):
    """What is stored about a token: its user and session where there still are any."""

    pool: Pool
    client: Client
    keys: PoolKeys
    user: User | None
    session: Session | None


class _Verified(OrderedDict[bytes, tuple[str, Claims]]):
    """What tokens say whose signature was found good, with the id of the key, by digest; the ones used last.

    This spares taking apart and the signature check: whether the key still counts, expiry and revocation are
    looked at each time.
    """

    capacity = 8192

    def remember(self, opened: Opened) -> None:
        self[opened.digest] = opened.kid, opened.claims
        if len(self) > self.capacity:
            self.popitem(last=False)

    def find(self, digest: bytes) -> tuple[str, Claims] | None:
        known = self.get(digest)
        if known is not None:
            self.move_to_end(digest)
        return known


_CLAIMS = Decoder(Claims)
_verified = _Verified()


async def read_access_token(call: Call, token: str) -> Bearer:
    """Return who calls with an access token, at the price of one read.

    Raises NotAuthorizedException where it is not ours, expired or revoked, or its user disabled;
    UserNotFoundException where the user is gone.
    """
    opened = open_access_token(token)
    found = await call.store.read(lambda tx: find_bearer(tx, opened))
    return check_bearer(call, opened, found)


def open_access_token(token: str) -> Opened:
    """Take a token apart, believing nothing of it yet; raises NotAuthorizedException where that cannot be done."""
    if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        raise NotAuthorizedException(INVALID)
    digest = sha256(token.encode("ascii")).digest()
    known = _verified.find(digest)
    return Opened(token, digest, *(known or _unverified(token)))


def find_bearer(tx: Tx, opened: Opened) -> Found | None:
    """Read what is stored about a token; None where its client is not ours."""
    claims = opened.claims
    # First of all, since this tells the generation of the pool as well: it makes the rest free of statements.
    held = tx.sessions.find_with_user(claims.origin_jti) if claims.origin_jti else None
    app = tx.catalogue.find_app(claims.client_id)
    if app is None:
        return None
    pool, client = app
    keys = tx.catalogue.signing_keys(pool.id)
    if held is not None:
        return Found(pool, client, keys, held[1], held[0])
    return Found(pool, client, keys, tx.users.find_by_sub(pool.id, claims.sub), None)


def check_bearer(call: Call, opened: Opened, found: Found | None) -> Bearer:
    """Return who calls, from a token and what is stored about it; errors as for ``read_access_token``.

    Raises OperationNotEnabledException besides, for what replicas do not offer.
    """
    if found is None:
        raise NotAuthorizedException(INVALID)
    claims = opened.claims
    _check_genuine(call, opened, found)
    if claims.exp * 1000 <= call.now:
        raise NotAuthorizedException("Access Token has expired")
    if claims.username is None:
        # A client's own token opens nothing that belongs to a user.
        raise NotAuthorizedException("Access Token does not have required scopes")
    user = check_user(found.user, found.session, iat=claims.iat, origin_jti=claims.origin_jti)
    return Bearer(call.here(found.pool), found.client, user, found.session, frozenset(claims.scope.split()), claims)


def _unverified(token: str) -> tuple[str, Claims]:
    parts, kid = split(token), find_kid(token)
    if parts is None or kid is None:
        raise NotAuthorizedException(INVALID)
    try:
        return kid, _CLAIMS.decode(parts.payload)
    except (DecodeError, UnicodeError, RecursionError):
        raise NotAuthorizedException(INVALID) from None


def _check_genuine(call: Call, opened: Opened, found: Found) -> None:
    key, claims = find_key(found.keys, opened.kid, "access"), opened.claims
    genuine = key is not None and _is_signed(call.deps.keyring, opened, key)
    if not genuine or claims.token_use != "access" or claims.iss != issuer_of(call.deps.identity, found.pool):
        raise NotAuthorizedException(INVALID)


def find_key(keys: PoolKeys, kid: str, use: str) -> SigningKey | None:
    """Return the key of a pool that signs, or has signed, tokens of a use: ``access`` or ``id``."""
    candidates = (keys.access, keys.id, *keys.retired)
    return next((key for key in candidates if key.kid == kid and key.use == use), None)


def _is_signed(keyring: Keyring, opened: Opened, key: SigningKey) -> bool:
    if opened.digest in _verified:
        return True
    if keyring.verify(opened.token, key) is None:
        return False
    _verified.remember(opened)
    return True


def check_user(
    user: User | None, session: Session | None, *, iat: int, origin_jti: str | None, name: str = "Access Token"
) -> User:
    """Return the user of a token, from what it says and what is stored about it. ``iat`` is in seconds.

    Raises UserNotFoundException; NotAuthorizedException where the user is disabled or the token revoked.
    """
    if user is None:
        raise UserNotFoundException("User does not exist.")
    if not user.enabled:
        raise NotAuthorizedException("User is disabled.")
    over = iat * 1000 < user.signed_out_at if session is None else is_over(session, user)
    if over or (origin_jti is not None and session is None):
        raise NotAuthorizedException(f"{name} has been revoked")
    return user
