"""ID and access tokens of a pool, of users or of clients, presented to show who somebody is (RFC 8693 §2.1)."""

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from poolhouse.core.groups import Group
from poolhouse.core.jws import MAX_TOKEN_LENGTH, find_kid, split
from poolhouse.core.pool import Pool
from poolhouse.core.session import Session
from poolhouse.core.token_exchange import Claims
from poolhouse.core.user import User
from poolhouse.flows.bearer import check_user, find_key
from poolhouse.flows.calls import Call
from poolhouse.flows.issuer import issuer_of
from poolhouse.model import NotAuthorizedException
from poolhouse.model import TokenTypeIdentifierType as TokenType
from poolhouse.storage import Tx

_USES = {TokenType.ACCESS_TOKEN: "access", TokenType.ID_TOKEN: "id"}
_DECODER = Decoder(Claims)


class Evidence(Struct, frozen=True):
    """What a token shows: its claims, and the user and the session as stored. A client's own token has no user."""

    claims: Claims
    user: User | None
    session: Session | None
    groups: tuple[Group, ...]


async def read_evidence(call: Call, pool: Pool, token: str, type: TokenType, *, name: str) -> Evidence:
    """Return what a token of the pool shows. ``name`` is what refusals call it, such as ``Subject Token``.

    Raises NotAuthorizedException where it is not the pool's, expired or revoked, or its user disabled;
    UserNotFoundException where the user is gone.
    """
    claims, kid = _opened(token, name)
    # What is found first tells the generation of the pool as well: it makes the rest free of statements.
    evidence, is_known, keys = await call.store.read(
        lambda tx: (_find(tx, pool, claims), _is_issued(tx, pool, claims), tx.catalogue.signing_keys(pool.id))
    )
    use = _USES[type]
    key = find_key(keys, kid, use)
    genuine = key is not None and call.deps.keyring.verify(token, key) is not None
    if not (genuine and is_known and claims.token_use == use and claims.iss == issuer_of(call.deps.identity, pool)):
        raise NotAuthorizedException(f"Invalid {name}")
    if claims.exp * 1000 <= call.now:
        raise NotAuthorizedException(f"{name} has expired")
    if claims.names_user:
        check_user(evidence.user, evidence.session, iat=claims.iat, origin_jti=claims.origin_jti, name=name)
    return evidence


def _opened(token: str, name: str) -> tuple[Claims, str]:
    """Take a token apart, believing nothing of it yet."""
    parts, kid = (split(token), find_kid(token)) if len(token) <= MAX_TOKEN_LENGTH else (None, None)
    if parts is None or kid is None:
        raise NotAuthorizedException(f"Invalid {name}")
    try:
        return _DECODER.decode(parts.payload), kid
    except (DecodeError, UnicodeError, RecursionError):
        raise NotAuthorizedException(f"Invalid {name}") from None


def _is_issued(tx: Tx, pool: Pool, claims: Claims) -> bool:
    """Tell whether the client that the token was issued to is still one of the pool's."""
    app = tx.catalogue.find_app(claims.app)
    return app is not None and app[0].id == pool.id


def _find(tx: Tx, pool: Pool, claims: Claims) -> Evidence:
    if not claims.names_user:
        return Evidence(claims, None, None, ())
    held = tx.sessions.find_with_user(claims.origin_jti) if claims.origin_jti else None
    session, user = held or (None, tx.users.find_by_sub(pool.id, claims.sub))
    return Evidence(claims, user, session, () if user is None else tx.groups.of_user(user))
