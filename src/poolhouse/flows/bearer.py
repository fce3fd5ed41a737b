"""Reading access tokens: who calls with one, and whether it still counts (spec/api/04 §11)."""

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from poolhouse.core.client import Client
from poolhouse.core.jws import find_kid, split
from poolhouse.core.pool import Pool
from poolhouse.core.session import Session
from poolhouse.core.signing_key import PoolKeys, SigningKey
from poolhouse.core.user import User
from poolhouse.crypto.keyring import Keyring
from poolhouse.flows.calls import Call
from poolhouse.flows.issuer import issuer_of
from poolhouse.model import NotAuthorizedException, UserNotFoundException
from poolhouse.storage import Tx

INVALID = "Invalid Access Token"
REVOKED = "Access Token has been revoked"


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


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who calls with an access token. ``session`` is None where the token names none."""

    pool: Pool
    client: Client
    user: User
    session: Session | None
    scopes: frozenset[str]
    claims: Claims


@dataclass(frozen=True, slots=True)
class _Found:
    pool: Pool
    client: Client
    keys: PoolKeys
    user: User | None
    session: Session | None


class _Verified(OrderedDict[bytes, str]):
    """Digests of tokens whose signature was found good, with the id of the key; the ones used last.

    This spares the signature check only: whether the key still counts, expiry and revocation are looked at each time.
    """

    capacity = 16_384

    def remember(self, digest: bytes, kid: str) -> None:
        self[digest] = kid
        if len(self) > self.capacity:
            self.popitem(last=False)

    def find(self, digest: bytes) -> str | None:
        kid = self.get(digest)
        if kid is not None:
            self.move_to_end(digest)
        return kid


_CLAIMS = Decoder(Claims)
_verified = _Verified()


async def read_access_token(call: Call, token: str) -> Bearer:
    """Return who calls with an access token, at the price of one read.

    Raises NotAuthorizedException where it is not ours, expired or revoked, or its user disabled;
    UserNotFoundException where the user is gone.
    """
    claims, kid = _unverified(token)
    found = await call.store.read(lambda tx: _find(tx, claims))
    if found is None:
        raise NotAuthorizedException(INVALID)
    _check_genuine(call, token, claims, kid, found)
    if claims.exp * 1000 <= call.now:
        raise NotAuthorizedException("Access Token has expired")
    user = _checked_user(claims, found)
    return Bearer(found.pool, found.client, user, found.session, frozenset(claims.scope.split()), claims)


def _unverified(token: str) -> tuple[Claims, str]:
    parts, kid = split(token), find_kid(token)
    if parts is None or kid is None:
        raise NotAuthorizedException(INVALID)
    try:
        return _CLAIMS.decode(parts.payload), kid
    except (DecodeError, UnicodeError, RecursionError):
        raise NotAuthorizedException(INVALID) from None


def _find(tx: Tx, claims: Claims) -> _Found | None:
    app = tx.catalogue.find_app(claims.client_id)
    if app is None:
        return None
    pool, client = app
    keys = tx.catalogue.signing_keys(pool.id)
    held = tx.sessions.find_with_user(claims.origin_jti) if claims.origin_jti else None
    if held is not None:
        return _Found(pool, client, keys, held[1], held[0])
    return _Found(pool, client, keys, tx.users.find_by_sub(pool.id, claims.sub), None)


def _check_genuine(call: Call, token: str, claims: Claims, kid: str, found: _Found) -> None:
    key = _find_key(found.keys, kid)
    genuine = key is not None and _is_signed(call.deps.keyring, token, key)
    if not genuine or claims.token_use != "access" or claims.iss != issuer_of(call.deps.identity, found.pool):
        raise NotAuthorizedException(INVALID)


def _find_key(keys: PoolKeys, kid: str) -> SigningKey | None:
    candidates = (keys.access, *keys.retired)
    return next((key for key in candidates if key.kid == kid and key.use == "access"), None)


def _is_signed(keyring: Keyring, token: str, key: SigningKey) -> bool:
    digest = sha256(token.encode("ascii")).digest()
    if _verified.find(digest) == key.kid:
        return True
    if keyring.verify(token, key) is None:
        return False
    _verified.remember(digest, key.kid)
    return True


def _checked_user(claims: Claims, found: _Found) -> User:
    user, session = found.user, found.session
    if claims.username is None:
        # A client's own token opens nothing that belongs to a user.
        raise NotAuthorizedException("Access Token does not have required scopes")
    if user is None:
        raise UserNotFoundException("User does not exist.")
    if not user.enabled:
        raise NotAuthorizedException("User is disabled.")
    since = session.created_at if session else claims.iat * 1000
    if since < user.signed_out_at or (claims.origin_jti is not None and session is None):
        raise NotAuthorizedException(REVOKED)
    return user
