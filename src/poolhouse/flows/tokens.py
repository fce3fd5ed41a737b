"""The life of tokens: issued, refreshed, rotated, revoked (spec/http/04)."""

from collections.abc import Collection

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.claims import OPENID, Minting, access_claims, at_hash, id_claims, machine_claims
from poolhouse.core.client import Client
from poolhouse.core.events_auth import TokenSource
from poolhouse.core.groups import Group
from poolhouse.core.pool import Pool
from poolhouse.core.rotation import Presented, decide_refresh
from poolhouse.core.session import Session, is_over
from poolhouse.core.signing_key import PoolKeys
from poolhouse.core.token_overrides import TokenOverrides, change_access_claims, change_id_claims
from poolhouse.core.user import User
from poolhouse.crypto.refresh import open_refresh, seal_refresh
from poolhouse.flows.bearer import Bearer, read_access_token
from poolhouse.flows.calls import Call
from poolhouse.flows.issuer import issuer_of
from poolhouse.flows.session_tracking import note_refresh
from poolhouse.flows.token_trigger import ask_about_machine_token, ask_about_tokens
from poolhouse.model import (
    NewDeviceMetadataType,
    NotAuthorizedException,
    RefreshTokenReuseException,
    UnauthorizedException,
    UnsupportedOperationException,
    UnsupportedTokenTypeException,
    UserNotFoundException,
)
from poolhouse.storage import Tx

__all__ = [
    "Bearer",
    "Tokens",
    "client_credentials",
    "find_holder",
    "find_refreshing",
    "is_from_device",
    "issue",
    "issuer_of",
    "mint",
    "open_session",
    "prepare",
    "read_access_token",
    "renew",
    "revoke",
]

INVALID_REFRESH_TOKEN = "Invalid Refresh Token"
_JSON = msgspec.json.Encoder()
_PACK = msgspec.msgpack.Encoder()


class Tokens(Struct, frozen=True, kw_only=True):
    """The tokens of one answer. ``expires_in`` is the life of the access token in seconds.

    ``new_device`` is what a device needs that the pool does not know yet, to be confirmed.
    """

    access_token: str
    id_token: str | None = None
    refresh_token: str | None = None
    expires_in: int
    new_device: NewDeviceMetadataType | None = None


class Refreshing(Struct, frozen=True, array_like=True):
    """What a refresh token holds under its seal. ``expires_at`` is in milliseconds."""

    session_id: str
    pool_id: str
    client_id: str
    user_id: int
    generation: int
    expires_at: int


_UNPACK = msgspec.msgpack.Decoder(Refreshing)


class Holder(Struct, frozen=True):
    """Whom a refresh token belongs to, as stored now: the session is None when it was revoked.

    ``bound_to`` is the device whose key must come along, an empty one where that device is not known any more.
    """

    held: Refreshing
    session: Session | None
    user: User | None
    groups: tuple[Group, ...]
    keys: PoolKeys
    bound_to: str | None = None


def open_session(
    call: Call,
    pool: Pool,
    client: Client,
    user: User,
    *,
    auth_time: int,
    event_id: str | None,
    scopes: Collection[str],
    oauth: bool,
    resource: str | None = None,
    device_key: str | None = None,
) -> Session:
    """Return the token session of a sign-in, for the caller to store. ``auth_time`` is in seconds."""
    return Session(
        id=call.deps.random.uuid(),
        pool_id=pool.id,
        user_id=user.id,
        client_id=client.id,
        created_at=call.now,
        expires_at=call.now + client.refresh_token_seconds * 1000,
        auth_time=auth_time,
        scopes=tuple(scopes),
        oauth=oauth,
        event_id=event_id,
        resource=resource,
        device_key=device_key,
        signed_out_at=user.signed_out_at,
    )


async def mint(
    call: Call,
    pool: Pool,
    client: Client,
    user: User,
    session: Session,
    *,
    source: TokenSource,
    nonce: str | None = None,
    with_refresh: bool = True,
    with_id: bool = True,
    client_metadata: dict[str, str] | None = None,
) -> Tokens:
    """Return the tokens of a session, after the pre token generation trigger. Nothing is stored.

    ``source`` is the trigger's source. OAuth sessions get an ID token for the scope ``openid`` only; whether the trigger
    adds or suppresses that one does not count.
    Raises the errors of triggers (spec/api/06 §1.2).
    """
    keys, groups = await call.store.read(lambda tx: (tx.catalogue.signing_keys(pool.id), tx.groups.of_user(user)))
    minting = prepare(call, pool, client, user, session, groups)
    return await issue(
        call,
        keys,
        minting,
        source=source,
        nonce=nonce,
        with_refresh=with_refresh,
        with_id=with_id,
        client_metadata=client_metadata,
    )


async def issue(
    call: Call,
    keys: PoolKeys,
    minting: Minting,
    *,
    source: TokenSource,
    nonce: str | None = None,
    with_refresh: bool = True,
    with_id: bool = True,
    client_metadata: dict[str, str] | None = None,
) -> Tokens:
    """Return the tokens that ``mint`` returns, where the caller has read keys and groups together with other things."""
    session = minting.session
    overrides = await ask_about_tokens(call, minting, source, client_metadata)
    with_id = with_id and (not session.oauth or OPENID in session.scopes)
    return await _sign(call, keys, minting, overrides, nonce=nonce, with_refresh=with_refresh, with_id=with_id)


def prepare(call: Call, pool: Pool, client: Client, user: User, session: Session, groups: tuple[Group, ...]) -> Minting:
    """Return what the tokens of one answer are made from."""
    return Minting(
        pool=pool,
        client=client,
        user=user,
        session=session,
        groups=groups,
        issuer=issuer_of(call.deps.identity, pool),
        now=call.now // 1000,
    )


async def _sign(
    call: Call,
    keys: PoolKeys,
    minting: Minting,
    overrides: TokenOverrides | None,
    *,
    nonce: str | None,
    with_refresh: bool,
    with_id: bool,
) -> Tokens:
    random, keyring, session = call.deps.random, call.deps.keyring, minting.session
    claims = access_claims(minting, jti=random.uuid())
    if overrides is not None:
        change_access_claims(overrides, claims)
    access = await keyring.sign(keys.access, _JSON.encode(claims))
    identity = None
    if with_id:
        digest = at_hash(access) if session.oauth else None
        claims = id_claims(minting, jti=random.uuid(), at_hash=digest, nonce=nonce)
        if overrides is not None:
            change_id_claims(overrides, claims)
        identity = await keyring.sign(keys.id, _JSON.encode(claims))
    return Tokens(
        access_token=access,
        id_token=identity,
        refresh_token=_seal(call, session) if with_refresh else None,
        expires_in=minting.client.access_token_seconds,
    )


async def client_credentials(
    call: Call,
    pool: Pool,
    client: Client,
    scopes: Collection[str],
    *,
    keys: PoolKeys | None = None,
    client_metadata: dict[str, str] | None = None,
) -> Tokens:
    """Return an access token for a client itself (RFC 6749 §4.4). The caller has checked the scopes.

    ``keys`` spares a read where the caller has made it already. The trigger runs in its version V3_0 only
    (spec/http/04 §4.8); raises its errors.
    """
    overrides = await ask_about_machine_token(call, pool, client, scopes, client_metadata)
    if keys is None:
        keys = await call.store.read(lambda tx: tx.catalogue.signing_keys(pool.id))
    issuer = issuer_of(call.deps.identity, pool)
    claims = machine_claims(client, scopes, issuer=issuer, now=call.now // 1000, jti=call.deps.random.uuid())
    if overrides is not None:
        change_access_claims(overrides, claims)
    token = await call.deps.keyring.sign(keys.access, _JSON.encode(claims))
    return Tokens(access_token=token, expires_in=client.access_token_seconds)


def find_refreshing(call: Call, token: str) -> Refreshing | None:
    """Open a refresh token; None where it is not one of ours."""
    plain = open_refresh(call.deps.sealer, token)
    return None if plain is None else _UNPACK.decode(plain)


def find_holder(tx: Tx, held: Refreshing | None) -> Holder | None:
    """Read whom a refresh token belongs to; None where it is none of ours, or its pool is gone."""
    if held is None:
        return None
    # First of all, since this tells the generation of the pool as well: it makes the rest free of statements.
    found = tx.sessions.find_with_user(held.session_id)
    pool = tx.catalogue.find_pool(held.pool_id)
    if pool is None:
        return None
    keys = tx.catalogue.signing_keys(held.pool_id)
    if found is None:
        return Holder(held, None, tx.users.find_by_id(held.user_id), (), keys)
    session, user = found
    return Holder(held, session, user, tx.groups.of_user(user), keys, _find_bond(tx, pool, session))


def _find_bond(tx: Tx, pool: Pool, session: Session) -> str | None:
    """Return the key that a session's refresh token needs: of a confirmed device, since others are not known.

    Where the pool tracked no device at the sign-in, or tracks none now, no key is asked for.
    """
    if session.device_key is None or not pool.tracks_devices:
        return None
    known = tx.devices.find(session.user_id, session.device_key)
    return "" if known is None else known.key


def is_from_device(holder: Holder, device_key: str | None) -> bool:
    """Whether a refresh token comes with the key of the device that it is bound to, if it is (spec/api/04 §8)."""
    return holder.bound_to is None or (holder.bound_to != "" and holder.bound_to == device_key)


async def renew(
    call: Call,
    pool: Pool,
    client: Client,
    holder: Holder | None,
    *,
    device_key: str | None = None,
    client_metadata: dict[str, str] | None = None,
) -> Tokens:
    """Return new tokens for a refresh token's holder, with a new refresh token where the client's rotate.

    The trigger is asked anew, about the scopes of the sign-in.
    Raises NotAuthorizedException, UserNotFoundException or RefreshTokenReuseException (spec/api/04 §11), and the errors
    of triggers, which leave the refresh token as it is.
    """
    if holder is None:
        raise NotAuthorizedException(INVALID_REFRESH_TOKEN)
    session, user = _checked_holder(call, pool, client, holder)
    if not is_from_device(holder, device_key):
        raise NotAuthorizedException(INVALID_REFRESH_TOKEN)
    held = holder.held
    minting = prepare(call, pool, client, user, session, holder.groups)
    overrides = await ask_about_tokens(call, minting, TokenSource.REFRESH, client_metadata)
    presented = decide_refresh(client, session, held.generation, call.now)
    if presented in {Presented.ROTATED, Presented.REUSED}:
        session = await _rotate(call, client, held)
        minting = replace(minting, session=session)
    with_id = not session.oauth or OPENID in session.scopes
    with_refresh = presented is not Presented.KEPT
    note_refresh(call, pool, session, rotated=with_refresh)
    return await _sign(call, holder.keys, minting, overrides, nonce=None, with_refresh=with_refresh, with_id=with_id)


def _checked_holder(call: Call, pool: Pool, client: Client, holder: Holder) -> tuple[Session, User]:
    held = holder.held
    if held.client_id != client.id or held.pool_id != pool.id:
        raise NotAuthorizedException(INVALID_REFRESH_TOKEN)
    if held.expires_at <= call.now:
        raise NotAuthorizedException("Refresh Token has expired")
    if holder.user is None:
        raise UserNotFoundException("User does not exist.")
    if not holder.user.enabled:
        raise NotAuthorizedException("User is disabled.")
    if holder.session is None or is_over(holder.session, holder.user):
        raise NotAuthorizedException("Refresh Token has been revoked")
    return holder.session, holder.user


async def _rotate(call: Call, client: Client, held: Refreshing) -> Session:
    """Spend the presented token, or end its family; of many that present it at once, one gets here first."""

    def commit(tx: Tx) -> tuple[Presented, Session] | None:
        session = tx.sessions.find(held.session_id)
        if session is None:
            return None
        presented = decide_refresh(client, session, held.generation, call.now)
        if presented is Presented.ROTATED:
            session = replace(session, generation=session.generation + 1, rotated_at=call.now)
            tx.sessions.save(session)
        elif presented is Presented.REUSED:
            tx.sessions.delete(session.id)
        return presented, session

    outcome = await call.store.write(commit)
    if outcome is None:
        raise NotAuthorizedException("Refresh Token has been revoked")
    presented, session = outcome
    if presented is Presented.REUSED:
        raise RefreshTokenReuseException("Refresh Token has been used already")
    return session


async def revoke(call: Call, pool: Pool, client: Client, token: str, *, linked: bool = False) -> None:
    """Revoke a refresh token and all tokens of its session (RFC 7009). Unknown tokens are no error.

    ``linked`` ends the SSO session that they came through as well, where the pool tracks sessions.
    Raises UnsupportedOperationException, UnsupportedTokenTypeException or UnauthorizedException (spec/api/04 §11).
    """
    if not client.revocation_enabled:
        raise UnsupportedOperationException("Token revocation is not enabled for this client")
    if token.count(".") == 2:
        raise UnsupportedTokenTypeException("Only refresh tokens can be revoked")
    held = find_refreshing(call, token)
    if held is None:
        return
    if held.client_id != client.id or held.pool_id != pool.id:
        raise UnauthorizedException("The token was not issued to this client")

    def commit(tx: Tx) -> None:
        session = tx.sessions.find(held.session_id) if linked and pool.tracks_sessions else None
        tx.sessions.delete(held.session_id)
        if session is not None and session.origin is not None:
            tx.sso_sessions.delete(session.origin)

    await call.store.write(commit)


def _seal(call: Call, session: Session) -> str:
    content = Refreshing(
        session.id, session.pool_id, session.client_id, session.user_id, session.generation, session.expires_at
    )
    return seal_refresh(call.deps.sealer, _PACK.encode(content))
