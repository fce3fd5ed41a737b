"""Password hashes that other systems made: which texts are understood, and how much work each may ask for.

The specifications name four algorithms and no encodings (spec/api/08 §4), so these are the usual ones:

=================  ====================================================================================
``BCRYPT``         ``$2a$``, ``$2b$`` and ``$2y$``
``ARGON2ID``       ``$argon2id$v=19$m=…,t=…,p=…$salt$hash`` (RFC 9106, PHC)
``SCRYPT``         ``$scrypt$ln=…,r=…,p=…$salt$hash`` (PHC, passlib), ``scrypt:N:r:p$salt$hex`` (Werkzeug)
``PBKDF2_SHA256``  ``$pbkdf2-sha256$i=…$salt$hash`` (PHC), ``$pbkdf2-sha256$rounds$salt$hash`` (passlib),
                   ``pbkdf2_sha256$rounds$salt$hash`` (Django), ``pbkdf2:sha256:rounds$salt$hex`` (Werkzeug)
=================  ====================================================================================

Whoever made the file chose the costs, and every sign-in of its users would pay them: those that take more than
about a second, or more than 128 MiB, are refused.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable

from msgspec import Struct

from poolhouse.model import PasswordHashingAlgorithmType

MAX_BCRYPT_COST = 14
MAX_ARGON2_KIB = 131_072
MAX_ARGON2_WORK = 4 * MAX_ARGON2_KIB
MAX_ARGON2_LANES = 16
# N·r, in units of 128 bytes, and N·r·p.
MAX_SCRYPT_SIZE = 2**20
MAX_SCRYPT_WORK = 2**21
MAX_PBKDF2_ROUNDS = 3_000_000
MIN_DIGEST, MAX_BYTES = 16, 128
# Argon2 takes no shorter salt (RFC 9106 §3.1).
MIN_ARGON2_SALT = 8

Algorithm = PasswordHashingAlgorithmType


class HashRefused(ValueError):
    """A password hash cannot be taken over; the text names no part of it."""


class Bcrypt(Struct, frozen=True):
    """A hash by bcrypt, which only its own library reads."""

    text: str


class Argon2(Struct, frozen=True):
    """A hash by Argon2id, which only its own library reads."""

    text: str


class Scrypt(Struct, frozen=True):
    """A hash by scrypt (RFC 7914)."""

    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes


class Pbkdf2(Struct, frozen=True):
    """A hash by PBKDF2 with HMAC-SHA-256 (RFC 8018)."""

    rounds: int
    salt: bytes
    digest: bytes


PasswordHash = Bcrypt | Argon2 | Scrypt | Pbkdf2

_NUMBER = "([1-9][0-9]{0,9})"
_B64 = "([A-Za-z0-9+/.]+=*)"
_BARE = "([A-Za-z0-9+/]+)"
_OPAQUE = r"([^$]*)\$"


def read_hash(text: str) -> PasswordHash:
    """Return a password hash in any of the formats; raises HashRefused."""
    for pattern, read in _READERS:
        found = pattern.fullmatch(text)
        if found is not None:
            return read(found)
    raise HashRefused("The password hash has none of the formats that are understood.")


def check_hash(algorithm: Algorithm, text: str) -> None:
    """Check that a hash is one by this algorithm, and not too costly; raises HashRefused."""
    if not isinstance(read_hash(text), _TYPES[algorithm]):
        raise HashRefused(f"The password hash is not one by {algorithm}.")


def _read_bcrypt(found: re.Match[str]) -> Bcrypt:
    _check_cost(4 <= int(found[1]) <= MAX_BCRYPT_COST)
    return Bcrypt(found[0])


def _read_argon2(found: re.Match[str]) -> Argon2:
    memory, passes, lanes = int(found[1]), int(found[2]), int(found[3])
    _check_cost(
        memory <= MAX_ARGON2_KIB
        and memory * passes <= MAX_ARGON2_WORK
        and lanes <= MAX_ARGON2_LANES
        and memory >= 8 * lanes
    )
    if len(_decode(found[4])) < MIN_ARGON2_SALT:
        raise HashRefused("The salt of the password hash is too short.")
    _check_digest(_decode(found[5]))
    return Argon2(found[0])


def _read_scrypt(found: re.Match[str]) -> Scrypt:
    exponent = int(found[1])
    _check_cost(exponent <= 20)
    return _scrypt(2**exponent, found, _decode(found[4]), _decode(found[5]))


def _read_werkzeug_scrypt(found: re.Match[str]) -> Scrypt:
    n = int(found[1])
    if n < 2 or n & (n - 1):
        raise HashRefused("The cost of the password hash is no power of two.")
    return _scrypt(n, found, found[4].encode(), bytes.fromhex(found[5]))


def _scrypt(n: int, found: re.Match[str], salt: bytes, digest: bytes) -> Scrypt:
    r, p = int(found[2]), int(found[3])
    _check_cost(n * r <= MAX_SCRYPT_SIZE and n * r * p <= MAX_SCRYPT_WORK)
    _check_digest(digest)
    return Scrypt(n, r, p, salt, digest)


def _read_pbkdf2(found: re.Match[str]) -> Pbkdf2:
    return _pbkdf2(found[1], _decode(found[2]), _decode(found[3]))


def _read_django(found: re.Match[str]) -> Pbkdf2:
    return _pbkdf2(found[1], found[2].encode(), _decode(found[3]))


def _read_werkzeug_pbkdf2(found: re.Match[str]) -> Pbkdf2:
    return _pbkdf2(found[1], found[2].encode(), bytes.fromhex(found[3]))


def _pbkdf2(rounds: str, salt: bytes, digest: bytes) -> Pbkdf2:
    _check_cost(int(rounds) <= MAX_PBKDF2_ROUNDS)
    _check_digest(digest)
    return Pbkdf2(int(rounds), salt, digest)


def _check_cost(bearable: bool) -> None:
    if not bearable:
        raise HashRefused("The cost of the password hash is out of bounds.")


def _check_digest(digest: bytes) -> None:
    if not MIN_DIGEST <= len(digest) <= MAX_BYTES:
        raise HashRefused("The password hash is too short or too long.")


def _decode(text: str) -> bytes:
    """Return the bytes of base64, also without padding and with passlib's dot for the plus sign."""
    bare = text.rstrip("=").replace(".", "+")
    try:
        data = b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except NotBase64:
        data = b""
    # Argon2's library takes no other spelling of the same bytes.
    if b64encode(data).decode().rstrip("=") != bare:
        raise HashRefused("A part of the password hash is not base64.")
    return data


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], PasswordHash]], ...] = tuple(
    (re.compile(pattern, re.ASCII), read)
    for pattern, read in (
        (r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}", _read_bcrypt),
        (rf"\$argon2id\$v=19\$m={_NUMBER},t={_NUMBER},p={_NUMBER}\${_BARE}\${_BARE}", _read_argon2),
        (rf"\$scrypt\$ln={_NUMBER},r={_NUMBER},p={_NUMBER}\${_B64}\${_B64}", _read_scrypt),
        (rf"scrypt:{_NUMBER}:{_NUMBER}:{_NUMBER}\${_OPAQUE}((?:[0-9a-f]{{2}})+)", _read_werkzeug_scrypt),
        (rf"\$pbkdf2-sha256\$(?:i=)?{_NUMBER}(?:,l=[0-9]+)?\${_B64}\${_B64}", _read_pbkdf2),
        (rf"pbkdf2_sha256\${_NUMBER}\${_OPAQUE}{_B64}", _read_django),
        (rf"pbkdf2:sha256:{_NUMBER}\${_OPAQUE}((?:[0-9a-f]{{2}})+)", _read_werkzeug_pbkdf2),
    )
)
_TYPES: dict[Algorithm, type] = {
    Algorithm.BCRYPT: Bcrypt,
    Algorithm.SCRYPT: Scrypt,
    Algorithm.ARGON2ID: Argon2,
    Algorithm.PBKDF2_SHA256: Pbkdf2,
}
