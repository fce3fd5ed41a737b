"""A new token for one that a client holds: for another service, with fewer scopes, or on behalf of its user (RFC 8693).

Differs from Cognito (token exchange): tokens of other identity providers, SAML assertions among them, are refused.
The subject must be a user. A new token belongs to the session of the subject's token: it is revoked with it and ends
with it at the latest; without such a session it ends with the subject's token. The scopes of an ID token are those
of its session. Actors stay named in ``act`` through later exchanges, eight of them at most. Audiences and Resources
are for access tokens. The pre token generation trigger sees the source ``TokenGeneration_Authentication``.
"""

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.claims import Minting, access_claims, id_claims
from poolhouse.core.client import Client
from poolhouse.core.events_auth import TokenSource
from poolhouse.core.pool import Pool
from poolhouse.core.session import Session
from poolhouse.core.token_exchange import (
    Exchange,
    check_exchange,
    check_identity_scopes,
    end_of,
    granted_scopes,
    next_act,
)
from poolhouse.core.token_overrides import TokenOverrides, change_access_claims, change_id_claims
from poolhouse.core.user import User
from poolhouse.flows.calls import Call
from poolhouse.flows.evidence import Evidence, read_evidence
from poolhouse.flows.token_trigger import ask_about_tokens
from poolhouse.flows.tokens import prepare
from poolhouse.model import (
    InvalidParameterException,
    IssuedTokenTypeIdentifierType,
    NotAuthorizedException,
    ResourceNotFoundException,
    ResourceServerType,
)
from poolhouse.model import TokenTypeIdentifierType as TokenType

_JSON = msgspec.json.Encoder()
SUBJECT, ACTOR = "Subject Token", "Actor Token"


class Derived(Struct, frozen=True, kw_only=True):
    """The new token. ``expires_in`` is in seconds."""

    token: str
    type: IssuedTokenTypeIdentifierType
    expires_in: int
    scopes: tuple[str, ...]


async def derive(call: Call, pool: Pool, client: Client, exchange: Exchange) -> Derived:
    """Return the new token that a client asks for; the caller has made sure of the client.

    Raises InvalidParameterException, NotAuthorizedException, UserNotFoundException, ResourceNotFoundException and the
    errors of triggers.
    """
    check_exchange(exchange)
    servers = await call.store.read(lambda tx: tx.catalogue.resource_servers(pool.id))
    if exchange.resource is not None and exchange.resource not in {server.identifier for server in servers}:
        raise ResourceNotFoundException(f"Resource server {exchange.resource} does not exist.")
    await _check_provider(call, pool, exchange.subject_type, exchange.subject_provider)
    subject = await read_evidence(call, pool, exchange.subject_token, exchange.subject_type, name=SUBJECT)
    if subject.user is None:
        raise NotAuthorizedException(f"{SUBJECT} is not a user's")
    actor = await _read_actor(call, pool, exchange)
    act = next_act(subject.claims, None if actor is None else actor.claims)
    minting = _prepared(call, pool, client, exchange, subject, subject.user, servers)
    overrides = await ask_about_tokens(call, minting, TokenSource.SIGN_IN)
    return await _signed(call, exchange, subject, minting, overrides, act)


async def _check_provider(call: Call, pool: Pool, type: TokenType, provider: str | None) -> None:
    """Refuse what is not a token of the pool itself."""
    if provider is not None:
        if await call.store.read(lambda tx: tx.identity_providers.find(pool.id, provider)) is None:
            raise ResourceNotFoundException(f"Identity provider {provider} does not exist.")
        raise InvalidParameterException("Tokens of identity providers cannot be exchanged in this version.")
    if type is TokenType.SAML2:
        raise InvalidParameterException("A SAML assertion needs the name of the provider that issued it.")


async def _read_actor(call: Call, pool: Pool, exchange: Exchange) -> Evidence | None:
    if exchange.actor_token is None or exchange.actor_type is None:
        return None
    await _check_provider(call, pool, exchange.actor_type, exchange.actor_provider)
    return await read_evidence(call, pool, exchange.actor_token, exchange.actor_type, name=ACTOR)


def _prepared(
    call: Call,
    pool: Pool,
    client: Client,
    exchange: Exchange,
    subject: Evidence,
    user: User,
    servers: tuple[ResourceServerType, ...],
) -> Minting:
    """Return what the new token is made from: the session of the subject's token, narrowed."""
    claims, is_access = subject.claims, exchange.subject_type is TokenType.ACCESS_TOKEN
    session = subject.session or Session(
        id="",
        pool_id=pool.id,
        user_id=user.id,
        client_id=claims.app,
        created_at=claims.iat * 1000,
        expires_at=claims.exp * 1000,
        auth_time=claims.auth_time,
        scopes=(),
        oauth=claims.version is not None,
        event_id=claims.event_id,
    )
    scopes = tuple(claims.scope.split()) if is_access else session.scopes
    # A token whose ``aud`` is the client itself, as a trigger may have it, is bound to no resource.
    bound = (claims.aud if claims.aud != claims.client_id else None) if is_access else session.resource
    session = replace(
        session,
        scopes=granted_scopes(client, servers, exchange.scopes, scopes),
        resource=exchange.audience or exchange.resource or bound,
    )
    if exchange.wanted is IssuedTokenTypeIdentifierType.ID_TOKEN:
        check_identity_scopes(session.scopes)
    return prepare(call, pool, client, user, session, subject.groups)


async def _signed(
    call: Call,
    exchange: Exchange,
    subject: Evidence,
    minting: Minting,
    overrides: TokenOverrides | None,
    act: dict[str, Any] | None,
) -> Derived:
    keys = await call.store.read(lambda tx: tx.catalogue.signing_keys(minting.pool.id))
    jti, is_id = call.deps.random.uuid(), exchange.wanted is IssuedTokenTypeIdentifierType.ID_TOKEN
    claims = id_claims(minting, jti=jti) if is_id else access_claims(minting, jti=jti)
    if overrides is not None:
        (change_id_claims if is_id else change_access_claims)(overrides, claims)
    session_end = subject.session.expires_at // 1000 if subject.session else None
    lifetime = minting.client.id_token_seconds if is_id else minting.client.access_token_seconds
    end = claims["exp"] = end_of(subject.claims, session_end, minting.now + lifetime)
    if end <= minting.now:
        raise NotAuthorizedException(f"{SUBJECT} has expired")
    # Whether a token can be revoked is a matter of the session it belongs to, not of the client that asks.
    claims.pop("origin_jti", None)
    if subject.session is not None:
        claims["origin_jti"] = subject.session.id
    if act is not None:
        claims["act"] = act
    return Derived(
        token=await call.deps.keyring.sign(keys.id if is_id else keys.access, _JSON.encode(claims)),
        type=exchange.wanted,
        expires_in=end - minting.now,
        scopes=minting.session.scopes if is_id else tuple(str(claims["scope"]).split()),
    )
