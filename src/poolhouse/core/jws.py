"""Compact JSON Web Signatures (RFC 7515 §3.1) as Cognito writes them: RS256, two header members."""

from binascii import Error, a2b_base64, b2a_base64

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

# The longest token that is looked at; an access token with 100 groups fits (design/SECURITY §4).
MAX_TOKEN_LENGTH = 65_536
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_FROM_STANDARD = bytes.maketrans(b"+/", b"-_")


class Parts(Struct, frozen=True):
    """A compact JWS taken apart. ``signed`` is what the signature covers, ``payload`` and ``signature`` are decoded."""

    header: bytes
    signed: bytes
    payload: bytes
    signature: bytes


class _Header(Struct):
    kid: str
    alg: str


_HEADER = Decoder(_Header)


def b64url(data: bytes) -> bytes:
    """Encode as base64url without padding (RFC 7515 §2)."""
    return b2a_base64(data, newline=False).translate(_FROM_STANDARD).rstrip(b"=")


def find_b64url(text: bytes) -> bytes | None:
    """Decode base64url without padding; None unless ``text`` is the one canonical spelling.

    That is found by spelling the result again: it refuses standard base64, padding and odd last characters alike.
    """
    try:
        data = a2b_base64(text.translate(_TO_STANDARD) + b"=" * (-len(text) % 4), strict_mode=True)
    except Error:
        return None
    return data if b64url(data) == text else None


def header_of(kid: str) -> bytes:
    """Return the encoded header of tokens signed by ``kid``; exactly two members (spec/http/04 §4.1)."""
    return b64url(f'{{"kid":"{kid}","alg":"RS256"}}'.encode())


def signing_input(header: bytes, claims: bytes) -> bytes:
    """Return what is to be signed, from an encoded header and the bytes of the claims."""
    return header + b"." + b64url(claims)


def assemble(signed: bytes, signature: bytes) -> str:
    """Return the compact token of a signing input and its signature."""
    return (signed + b"." + b64url(signature)).decode("ascii")


def split(token: str) -> Parts | None:
    """Take a compact token apart; None when it is not one. Nothing is verified."""
    if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        return None
    signed, dot, signature = token.encode("ascii").rpartition(b".")
    header, middle, payload = signed.partition(b".")
    if not (dot and middle) or b"." in payload:
        return None
    decoded, bare = find_b64url(payload), find_b64url(signature)
    if decoded is None or bare is None:
        return None
    return Parts(header, signed, decoded, bare)


def find_kid(token: str) -> str | None:
    """Return the key id that an RS256 token names, to look its key up by; None when there is none."""
    if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        return None
    raw = find_b64url(token.partition(".")[0].encode("ascii"))
    if raw is None:
        return None
    try:
        header = _HEADER.decode(raw)
    except (DecodeError, UnicodeError, RecursionError):
        return None
    return header.kid if header.alg == "RS256" else None
