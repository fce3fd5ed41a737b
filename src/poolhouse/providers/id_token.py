"""ID tokens of identity providers: whether they are what they seem (OpenID Connect Core 1.0 §3.1.3.7, spec/http/06 §6.4).

Differs from Cognito (ID tokens of identity providers): keys of less than 2048 bits for RSA and secrets of less than 14
bytes verify nothing, and neither do keys that their set gives to another use or algorithm. ``nonce`` goes to the
provider at each sign-in; Google and Apple have to return it, and what another provider returns has to be the same.
``azp``, where a token has it, has to be the client, and ``nbf`` not more than five minutes away.
"""

import hmac
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from poolhouse.core.jws import find_b64url, split
from poolhouse.providers.failure import ProviderRefused, quoted

# The kind of key of each algorithm. Those of HMAC verify with the client's secret alone, never with a published key.
SECRET = "oct"
KINDS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    **dict.fromkeys(("HS256", "HS384", "HS512"), SECRET),
}
# What is needed of a published key (RFC 7518 §6).
MEMBERS = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}
Jwk = dict[str, str | list[str]]
LONGEST_MEMBER = 2800
# What NIST SP 800-131A asks of RSA, in bits, and of secrets, in bytes.
FEWEST_BITS, FEWEST_BYTES = 2048, 14
# How far the provider's clock may be ahead.
LEEWAY = 300_000
MOST_SECONDS = 1 << 53


class Header(Struct, frozen=True):
    """What is used of a token's header. Keys that it brings or points to are not: ``jwk``, ``jku``, ``x5c``, ``x5u``."""

    alg: str
    kid: str | None = None

    @property
    def by_secret(self) -> bool:
        """Whether the token is signed with the client's secret."""
        return KINDS[self.alg] == SECRET


def read_header(token: object) -> Header:
    """Return the header of a signed token; raises ProviderRefused for what is none, or asks what is unknown here."""
    parts = split(token) if isinstance(token, str) else None
    raw = find_b64url(parts.header) if parts else None
    try:
        members = msgspec.json.decode(raw or b"", type=dict[str, msgspec.Raw])
        header = msgspec.json.decode(raw or b"", type=Header)
    except (ValueError, RecursionError):
        raise ProviderRefused("Bad id_token") from None
    if header.alg not in KINDS or "crit" in members:
        raise ProviderRefused("Bad id_token algorithm")
    return header


def find_key(header: Header, key_set: Mapping[str, Any]) -> Jwk:
    """Return the key of a set that a token names, without what is not needed of it; raises ProviderRefused."""
    kind, listed = KINDS[header.alg], key_set.get("keys")
    for key in listed if isinstance(listed, list) else ():
        if not isinstance(key, dict) or header.kid is None or key.get("kid") != header.kid:
            continue
        if key.get("kty") != kind or key.get("use", "sig") != "sig":
            continue
        needed = {name: str(key.get(name)) for name in MEMBERS[kind]}
        if key.get("alg", header.alg) == header.alg and max(map(len, needed.values())) <= LONGEST_MEMBER:
            return {**needed}
    raise ProviderRefused("Bad id_token key")


def verify(token: str, header: Header, key: Jwk | str) -> Mapping[str, Any]:
    """Return the claims of a token; ``key`` is a public key as a JWK, or the client's secret. Raises ProviderRefused."""
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OctKey, RSAKey

    class Registry(jws.JWSRegistry):
        # The whole token is limited already; some providers have their certificate in the header.
        max_header_length = 16_384

    if _is_weak(key):
        raise ProviderRefused("Bad id_token key")
    try:
        if isinstance(key, str):
            opened: OctKey | RSAKey | ECKey = OctKey.import_key(key)
        else:
            opened = RSAKey.import_key(key) if key["kty"] == "RSA" else ECKey.import_key(key)
        registry = Registry(algorithms=[header.alg], strict_check_header=False)
        payload = jws.deserialize_compact(token, opened, registry=registry).payload
        claims = msgspec.json.decode(payload or b"")
    except (JoseError, ValueError, TypeError, LookupError, RecursionError):
        raise ProviderRefused("Bad id_token signature") from None
    if not isinstance(claims, dict):
        raise ProviderRefused("Bad id_token")
    return claims


def check_claims(
    claims: Mapping[str, Any], *, issuers: Collection[str], client_id: str, nonce: str | None, now: int
) -> None:
    """Check that a token is by one of ``issuers``, for this client and sign-in, and of now, in milliseconds.

    Raises ProviderRefused.
    """
    issuer, audience = claims.get("iss"), claims.get("aud")
    if not isinstance(issuer, str) or issuer not in issuers:
        raise ProviderRefused(f"Bad id_token issuer {quoted(issuer)}", detail="the ID token is by another issuer")
    if client_id not in (audience if isinstance(audience, list) else [audience]):
        raise ProviderRefused("Bad id_token audience")
    if claims.get("azp", client_id) != client_id:
        raise ProviderRefused("Bad id_token authorized party")
    if _time(claims, "exp", 0) <= now:
        raise ProviderRefused("Bad id_token expiration")
    if _time(claims, "nbf", now) > now + LEEWAY:
        raise ProviderRefused("Bad id_token start")
    told = claims.get("nonce")
    if nonce is not None and not (isinstance(told, str) and hmac.compare_digest(told.encode(), nonce.encode())):
        raise ProviderRefused("Bad id_token nonce")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise ProviderRefused("Bad id_token subject")


def _is_weak(key: Jwk | str) -> bool:
    """Whether somebody might find the private key, or the secret."""
    if isinstance(key, str):
        return len(key.encode()) < FEWEST_BYTES
    modulus = find_b64url(str(key.get("n", "")).encode("ascii", "replace")) or b""
    return key["kty"] == "RSA" and int.from_bytes(modulus).bit_length() < FEWEST_BITS


def _time(claims: Mapping[str, Any], name: str, default: int) -> int:
    """Return a time of a token in milliseconds; raises ProviderRefused where it is none."""
    value = claims.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_SECONDS:
        raise ProviderRefused("Bad id_token time")
    return int(value * 1000)
