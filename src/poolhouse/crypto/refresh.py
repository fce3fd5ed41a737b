"""Refresh tokens: sealed content in the look of Cognito's JWE (spec/http/04 §4.4, docs/decisions/0005).

Differs from Cognito (refresh tokens): header and parts look alike, but the second part is random and no RSA key opens
it; to clients the token is opaque in both.
"""

import os

from cryptography.exceptions import InvalidTag

from poolhouse.core.jws import b64url, find_b64url
from poolhouse.crypto.seal import NONCE_LENGTH, TAG_LENGTH, Sealer

# {"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}
HEADER = b"eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIiwiYWxnIjoiUlNBLU9BRVAifQ"
PURPOSE = "refresh token"
# As long as a key encrypted by RSA-2048. Random; the key of the message follows from it and the master key.
FILLER_LENGTH = 256
MAX_LENGTH = 16_384


def seal_refresh(sealer: Sealer, content: bytes) -> str:
    """Return a refresh token that carries ``content``, readable by this installation only."""
    filler, nonce = os.urandom(FILLER_LENGTH), os.urandom(NONCE_LENGTH)
    sealed = sealer.cipher(PURPOSE, filler).encrypt(nonce, content, HEADER)
    parts = (filler, nonce, sealed[:-TAG_LENGTH], sealed[-TAG_LENGTH:])
    return b".".join((HEADER, *map(b64url, parts))).decode()


def open_refresh(sealer: Sealer, token: str) -> bytes | None:
    """Return what a refresh token carries; None unless this installation made it."""
    if len(token) > MAX_LENGTH or not token.isascii():
        return None
    header, *rest = token.encode().split(b".")
    parts = [find_b64url(part) for part in rest]
    if header != HEADER or len(parts) != 4 or None in parts:
        return None
    filler, nonce, content, tag = (part or b"" for part in parts)
    if (len(filler), len(nonce), len(tag)) != (FILLER_LENGTH, NONCE_LENGTH, TAG_LENGTH):
        return None
    try:
        return sealer.cipher(PURPOSE, filler).decrypt(nonce, content + tag, HEADER)
    except InvalidTag:
        return None
