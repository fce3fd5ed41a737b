"""SRP-6a in Cognito's dialect (spec/api/04 §7), the server's side. Modular power is an argument."""

import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable
from hashlib import sha256

from msgspec import Struct

from poolhouse.model import InvalidParameterException

# base, exponent -> base^exponent mod PRIME, in time that does not depend on the exponent.
PowMod = Callable[[int, int], int]

# The 3072-bit group of RFC 5054 appendix A.
PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
GENERATOR = 2
PRIME_HEX_DIGITS = 768
PRIME_BYTES = PRIME_HEX_DIGITS // 2
SALT_BYTES = 16
LONGEST_SALT = 64
SECRET_BYTES = 32
INFO = b"Caldera Derived Key"
KEY_LENGTH = 16
_HEX = re.compile(rf"[0-9a-fA-F]{{1,{PRIME_HEX_DIGITS}}}", re.ASCII)


class Offer(Struct, frozen=True):
    """The server's secret ``b`` and its public value ``B``, made for one sign-in."""

    secret: int
    public: int


def pad(number: int) -> bytes:
    """Return the shortest two's-complement form of a positive integer, as Java's BigInteger.toByteArray."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def to_hex(number: int) -> str:
    """Return the wire's form of a number: lower case, no leading zeros."""
    return f"{number:x}"


def hash_number(*parts: bytes) -> int:
    """Return SHA-256 over the joined parts as a number."""
    return int.from_bytes(sha256(b"".join(parts)).digest(), "big")


MULTIPLIER = hash_number(pad(PRIME), pad(GENERATOR))


def read_public(text: str) -> int:
    """Read SRP_A; raises InvalidParameterException when it is not hexadecimal, or zero modulo the prime."""
    value = int(text, 16) if _HEX.fullmatch(text) else 0
    if value % PRIME == 0:
        raise InvalidParameterException("Invalid SRP_A value")
    return value


def make_salt(random: bytes) -> str:
    """Return a salt in the wire's form from SALT_BYTES random bytes."""
    # A first byte of zero would make clients disagree: some keep the string, some go through an integer.
    return to_hex(int.from_bytes(bytes([random[0] or 1]) + random[1:SALT_BYTES], "big"))


def private_key(salt: str, group: str, user_id: str, password: str) -> int:
    """Return x: what the password stands for. ``group`` is the part of the pool's id after the underscore."""
    identity = sha256(f"{group}{user_id}:{password}".encode()).digest()
    return hash_number(pad(int(salt, 16)), identity)


def make_verifier(salt: str, group: str, user_id: str, password: str, pow_mod: PowMod) -> int:
    """Return v = g^x, the value kept in place of the password."""
    return pow_mod(GENERATOR, private_key(salt, group, user_id, password))


def make_offer(verifier: int, secret: int, pow_mod: PowMod) -> Offer:
    """Return B = k·v + g^b for a verifier and SECRET_BYTES of randomness as ``secret``."""
    return Offer(secret, (MULTIPLIER * verifier + pow_mod(GENERATOR, secret)) % PRIME)


def scrambler(client_public: int, server_public: int) -> int:
    """Return u = H(A, B)."""
    return hash_number(pad(client_public), pad(server_public))


def shared_secret(client_public: int, offer: Offer, verifier: int, pow_mod: PowMod) -> int:
    """Return the server's S = (A·v^u)^b."""
    u = scrambler(client_public, offer.public)
    return pow_mod(client_public * pow_mod(verifier, u) % PRIME, offer.secret)


def derive_key(secret: int, u: int) -> bytes:
    """Return the session key: HKDF-SHA256 (RFC 5869), one block cut to 16 bytes."""
    extracted = hmac.digest(pad(u), pad(secret), "sha256")
    return hmac.digest(extracted, INFO + b"\x01", "sha256")[:KEY_LENGTH]


def session_key(client_public: int, offer: Offer, verifier: int, pow_mod: PowMod) -> bytes:
    """Return the key that client and server share if both know the password."""
    secret = shared_secret(client_public, offer, verifier, pow_mod)
    return derive_key(secret, scrambler(client_public, offer.public))


def sign(key: bytes, group: str, user_id: str, secret_block: bytes, timestamp: str) -> bytes:
    """Return the proof of the key: HMAC-SHA256 over group, user, decoded SECRET_BLOCK and the timestamp as sent."""
    return hmac.digest(key, group.encode() + user_id.encode() + secret_block + timestamp.encode(), "sha256")


def is_signature(given: str, expected: bytes) -> bool:
    """Whether PASSWORD_CLAIM_SIGNATURE, base64, is the expected proof; in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), b64encode(expected))


def find_secret_block(text: str) -> bytes | None:
    """Decode a SECRET_BLOCK's base64; None when it is none."""
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except (Error, UnicodeEncodeError):
        return None


def find_number(text: str, longest: int) -> int | None:
    """Decode the base64 of a padded number of at most ``longest`` bytes; None when it is none."""
    data = find_secret_block(text) if len(text) <= 2 * longest else None
    # One byte more than the number has: the sign of Java's BigInteger.
    return int.from_bytes(data, "big") if data and len(data.lstrip(b"\0")) <= longest else None
