"""Checking passwords against hashes that other systems made; slow, so always on a thread."""

import hashlib
import hmac

import bcrypt

from poolhouse.core.password_hashes import Bcrypt, Pbkdf2, Scrypt

# What bcrypt takes of a password; every implementation left out the rest, and its library now refuses to.
BCRYPT_BYTES = 72


def matches(hash: Bcrypt | Scrypt | Pbkdf2, password: str) -> bool:
    """Say whether a password is the one hashed; in constant time once it is hashed."""
    given = password.encode("utf-8", "surrogatepass")
    if isinstance(hash, Bcrypt):
        return _matches_bcrypt(hash, given)
    made = _scrypt(hash, given) if isinstance(hash, Scrypt) else _pbkdf2(hash, given)
    return hmac.compare_digest(made, hash.digest)


def _matches_bcrypt(hash: Bcrypt, password: bytes) -> bool:
    try:
        return bcrypt.checkpw(password[:BCRYPT_BYTES], hash.text.encode())
    except ValueError:  # of the right form, but no salt
        return False


def _scrypt(hash: Scrypt, password: bytes) -> bytes:
    # What the algorithm needs, and a little more for the library's own.
    memory = 128 * hash.r * (hash.n + hash.p + 2) + 65_536
    return hashlib.scrypt(password, salt=hash.salt, n=hash.n, r=hash.r, p=hash.p, maxmem=memory, dklen=len(hash.digest))


def _pbkdf2(hash: Pbkdf2, password: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password, hash.salt, hash.rounds, dklen=len(hash.digest))
