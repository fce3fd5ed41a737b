"""What ID and access tokens say. Orders, types and presence are those of spec/http/04 §4.2 and §4.3."""

from collections.abc import Collection, Iterable
from hashlib import sha256

from msgspec import Struct

from poolhouse.core.acr import amr_of, name_of
from poolhouse.core.attributes import readable
from poolhouse.core.client import PROFILE_ATTRIBUTES, Client
from poolhouse.core.groups import Group, find_preferred_role, roles_of
from poolhouse.core.identities import ATTRIBUTE as IDENTITIES
from poolhouse.core.identities import identities_claim
from poolhouse.core.jws import b64url
from poolhouse.core.pool import Pool
from poolhouse.core.session import Session
from poolhouse.core.user import User

API_SCOPE = "aws.cognito.signin.user.admin"
OPENID = "openid"
OAUTH_VERSION = 2
PROFILE_CLAIMS = PROFILE_ATTRIBUTES | {"updated_at"}
SCOPE_CLAIMS = {
    "profile": PROFILE_CLAIMS,
    "email": frozenset({"email", "email_verified"}),
    "phone": frozenset({"phone_number", "phone_number_verified"}),
}
FLAGS = frozenset({"email_verified", "phone_number_verified"})
# Attributes with a place of their own in Cognito's order.
PLACED = frozenset({"email", "phone_number", IDENTITIES}) | FLAGS


class Minting(Struct, frozen=True, kw_only=True):
    """What the tokens of one answer share. ``now`` is in seconds, ``issuer`` becomes ``iss``.

    ``groups`` are the user's, in their order.
    """

    pool: Pool
    client: Client
    user: User
    session: Session
    groups: tuple[Group, ...] = ()
    issuer: str
    now: int

    @property
    def shows_session(self) -> bool:
        """Whether tokens name their session in ``origin_jti``, so that they can be revoked (spec/http/04 §4.2)."""
        return self.client.revocation_enabled or self.client.rotation_enabled


def visible(pool: Pool, client: Client, user: User, scopes: Iterable[str] | None) -> dict[str, str]:
    """Return the attributes that a client may see, less ``sub`` (spec/http/04 §4.2.1).

    ``scopes`` are those of OAuth; None stands for a sign-in over the API, which they do not limit.
    """
    allowed = readable(pool, client)
    named = None if scopes is None else _claims_of(frozenset(scopes))
    return {
        name: value
        for name, value in user.attributes.items()
        if name in allowed and (named is None or name in named or (name.startswith("custom:") and "name" in named))
    }


def _claims_of(scopes: frozenset[str]) -> frozenset[str] | None:
    """Return the claims that OpenID scopes name, None for all: ``openid`` by itself gives everything readable.

    Custom attributes go with ``profile``.
    """
    chosen = [SCOPE_CLAIMS[scope] for scope in SCOPE_CLAIMS if scope in scopes]
    if not chosen:
        return None if OPENID in scopes else frozenset()
    return frozenset().union(*chosen)


def userinfo_claims(pool: Pool, client: Client, user: User, scopes: Iterable[str]) -> dict[str, str]:
    """Return the answer of /oauth2/userInfo: flat, every value a string (spec/http/02 §2.3)."""
    return {"sub": user.sub} | visible(pool, client, user, scopes) | {"username": user.username}


def id_claims(minting: Minting, *, jti: str, at_hash: str | None = None, nonce: str | None = None) -> dict[str, object]:
    """Return the claims of an ID token, in the order of captured ones (spec/http/04 §4.2)."""
    user, session = minting.user, minting.session
    shown = visible(minting.pool, minting.client, user, session.scopes if session.oauth else None)
    claims: dict[str, object] = {"at_hash": at_hash} if at_hash else {}
    claims["sub"] = user.sub
    _place_groups(claims, minting.groups)
    _place(claims, shown, "email_verified")
    preferred = find_preferred_role(minting.groups)
    if preferred is not None:
        claims["cognito:preferred_role"] = preferred
    claims["iss"] = minting.issuer
    _place(claims, shown, "phone_number_verified")
    claims["cognito:username"] = user.username
    for name in shown:
        if name not in PLACED:
            _place(claims, shown, name)
    if nonce is not None:
        claims["nonce"] = nonce
    if minting.shows_session:
        claims["origin_jti"] = session.id
    roles = roles_of(minting.groups)
    if roles:
        claims["cognito:roles"] = roles
    claims["aud"] = minting.client.id
    # Neither a scope nor the attributes that a client may read limit it.
    identities = user.attributes.get(IDENTITIES)
    if identities is not None:
        claims[IDENTITIES] = identities_claim(identities)
    if session.event_id:
        claims["event_id"] = session.event_id
    claims["token_use"] = "id"
    claims["auth_time"] = session.auth_time
    _place_level(claims, minting)
    _place(claims, shown, "phone_number")
    claims["exp"] = minting.now + minting.client.id_token_seconds
    claims["iat"] = minting.now
    if minting.shows_session:
        claims["jti"] = jti
    _place(claims, shown, "email")
    return claims


def access_claims(minting: Minting, *, jti: str) -> dict[str, object]:
    """Return the claims of a user's access token, in the order of captured ones (spec/http/04 §4.3)."""
    user, session = minting.user, minting.session
    claims: dict[str, object] = {"sub": user.sub}
    if session.device_key:
        claims["device_key"] = session.device_key
    _place_groups(claims, minting.groups)
    claims["iss"] = minting.issuer
    if session.oauth:
        claims["version"] = OAUTH_VERSION
    claims["client_id"] = minting.client.id
    if session.resource:
        claims["aud"] = session.resource
    if minting.shows_session:
        claims["origin_jti"] = session.id
    if session.event_id:
        claims["event_id"] = session.event_id
    claims["token_use"] = "access"
    claims["scope"] = " ".join(session.scopes)
    claims["auth_time"] = session.auth_time
    _place_level(claims, minting)
    claims["exp"] = minting.now + minting.client.access_token_seconds
    claims["iat"] = minting.now
    claims["jti"] = jti
    claims["username"] = user.username
    return claims


def machine_claims(client: Client, scopes: Collection[str], *, issuer: str, now: int, jti: str) -> dict[str, object]:
    """Return the claims of a client-credentials token (spec/http/04 §4.3.1). ``now`` is in seconds."""
    return {
        "sub": client.id,
        "token_use": "access",
        "scope": " ".join(scopes),
        "auth_time": now,
        "iss": issuer,
        "exp": now + client.access_token_seconds,
        "iat": now,
        "version": OAUTH_VERSION,
        "jti": jti,
        "client_id": client.id,
    }


def at_hash(access_token: str) -> str:
    """Return the ``at_hash`` of an access token signed with RS256 (OpenID Connect Core §3.1.3.6)."""
    return b64url(sha256(access_token.encode("ascii")).digest()[:16]).decode()


def _place_groups(claims: dict[str, object], groups: tuple[Group, ...]) -> None:
    if groups:
        claims["cognito:groups"] = [group.name for group in groups]


def _place_level(claims: dict[str, object], minting: Minting) -> None:
    """Say how strongly the user signed in, where the sign-in asked for a level (spec/http/04 §4.11)."""
    if minting.session.level:
        claims["acr"] = name_of(minting.pool, minting.session.level)
        claims["amr"] = amr_of(minting.session.methods)


def _place(claims: dict[str, object], shown: dict[str, str], name: str) -> None:
    value = shown.get(name)
    if value is None:
        return
    if name in FLAGS:
        claims[name] = value == "true"
    elif name == "address":
        claims[name] = {"formatted": value}
    elif name == "updated_at" and value.isdecimal():
        claims[name] = int(value)
    else:
        claims[name] = value
