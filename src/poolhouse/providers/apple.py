"""What Sign in with Apple has of its own: a secret that is signed anew, and a name that is told once."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from poolhouse.providers.failure import ProviderRefused

AUDIENCE = "https://appleid.apple.com"
# Apple takes up to six months; the secret is used at once.
SECONDS = 300
# Longer than any name; what a browser posts is not to be kept at any length.
LONGEST_NAME = 256


def client_secret(details: Mapping[str, str], now: int) -> str:
    """Return a client secret for Apple's token endpoint; ``now`` is in milliseconds. Raises ProviderRefused.

    https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret
    """
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey

    at = now // 1000
    claims = {
        "iss": details["team_id"],
        "iat": at,
        "exp": at + SECONDS,
        "aud": AUDIENCE,
        "sub": details["client_id"],
    }
    try:
        key = ECKey.import_key(_pem(details["private_key"]))
        return jwt.encode({"alg": "ES256", "kid": details["key_id"]}, claims, key, ["ES256"], default_type=None)
    except (JoseError, ValueError, TypeError):
        raise ProviderRefused(
            "SignInWithApple Error - the private key cannot be used", detail="the private key cannot be used"
        ) from None


def read_user(user: str | None) -> dict[str, str]:
    """Return the name in what Apple posts beside the code at a user's first sign-in, as claims.

    Apple signs none of it and the user's browser brings it, so that it can be any name: the e-mail address in it is
    left out, which the ID token has as well.
    """
    try:
        name: Any = msgspec.json.decode(user or "{}")["name"]
        parts = {claim: name[claim][:LONGEST_NAME] for claim in ("firstName", "lastName") if name.get(claim)}
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return {}
    return {**parts, "name": " ".join(parts.values())} if parts else {}


def _pem(private_key: str) -> str:
    """Return a private key as Apple's file has it, given as that or without its first and last line."""
    bare = re.sub(r"-----[A-Z ]+-----|\\n|\s", "", private_key)
    return f"-----BEGIN PRIVATE KEY-----\n{bare}\n-----END PRIVATE KEY-----\n"
