"""RSA-2048 signatures eight at a time, by the vector units of the processor (docs/decisions/0010-batched-signatures.md).

The work is done by ``libcrypto_mb`` of Intel's Cryptography Primitives Library, from the wheels of the extra ``batch``.
Its arithmetic takes the same time whatever the key; it neither blinds nor checks its results, so each signature is
verified here before anybody sees it: one that a fault spoiled would give the key away (Boneh, DeMillo, Lipton 1997).
"""

import ctypes
import threading
from collections.abc import Sequence
from hashlib import sha256
from importlib import metadata

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

LANES = 8
BITS = 2048
_LENGTH = BITS // 8
_HALF = _LENGTH // 2
# The library verifies with this one alone.
_EXPONENT = 65537
# What libcrypto_mb needs and its own wheel lacks, each before those that need it.
_RUNTIME = ("libintlc.so.5", "libirng.so", "libimf.so", "libsvml.so")
_LIBRARY = "libcrypto_mb.so.13"
# RFC 8017 §9.2, note 1: the DigestInfo of SHA-256 up to the digest itself.
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_PADDING = b"\x00\x01" + b"\xff" * (_LENGTH - len(_DIGEST_INFO) - 32 - 3) + b"\x00"

_Pointers = ctypes.c_void_p * LANES
_Buffer = ctypes.c_char * _LENGTH


class Key:
    """A private key in the library's form: its numbers as little-endian words."""

    def __init__(self, private: RSAPrivateKey) -> None:
        """Take a key of 2,048 bits with the usual public exponent; raises ValueError for any other."""
        numbers = private.private_numbers()
        if private.key_size != BITS or numbers.public_numbers.e != _EXPONENT:
            raise ValueError(f"The key is not one of {BITS} bits with the exponent {_EXPONENT}.")
        self._halves = [
            number.to_bytes(_HALF, "little")
            for number in (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
        ]
        self._modulus = numbers.public_numbers.n.to_bytes(_LENGTH, "little")
        # Addresses, in the order of the library's parameters; the bytes live as long as this object.
        self.private = [_address(half) for half in self._halves]
        self.modulus = _address(self._modulus)


class MultiBuffer:
    """The library, ready to sign."""

    def __init__(self) -> None:
        """Load the library. Raises OSError, also where the processor lacks the instructions (AVX-512 IFMA)."""
        library = _load()
        if not library.mbx_is_crypto_mb_applicable(ctypes.c_uint64(0)):
            raise OSError("the processor has no AVX-512 IFMA")
        self._private = library.mbx_rsa_private_crt_mb8
        self._private.argtypes = [_Pointers] * 7 + [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        self._public = library.mbx_rsa_public_mb8
        self._public.argtypes = [_Pointers] * 3 + [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        self._private.restype = self._public.restype = ctypes.c_uint32
        self._lock = threading.Lock()
        self._encoded, self._signed, self._checked = ([_Buffer() for _ in range(LANES)] for _ in range(3))
        self._places = [
            _Pointers(*map(ctypes.addressof, lane)) for lane in (self._encoded, self._signed, self._checked)
        ]

    def sign(self, work: Sequence[tuple[Key, bytes]]) -> list[bytes | None]:
        """Return the PKCS #1 v1.5 signatures with SHA-256 of at most eight messages (RFC 8017 §8.2.1).

        None stands for one that did not turn out right; sign it otherwise. All lanes work however few are asked for.
        """
        if not 1 <= len(work) <= LANES:
            raise ValueError(f"There are {len(work)} messages; there may be 1 to {LANES}.")
        keys = [key for key, _ in work]
        keys += [keys[0]] * (LANES - len(keys))
        with self._lock:
            for lane, encoded in enumerate(self._encoded):
                encoded.raw = _encode(work[lane if lane < len(work) else 0][1])
            into, out, again = self._places
            parts = [_Pointers(*column) for column in zip(*(key.private for key in keys), strict=True)]
            moduli = _Pointers(*(key.modulus for key in keys))
            failed = self._private(into, out, *parts, BITS, None, None) | self._public(
                out, again, moduli, BITS, None, None
            )
            return [self._result(lane, failed) for lane in range(len(work))]

    def _result(self, lane: int, failed: int) -> bytes | None:
        # The status has four bits for each lane.
        good = not failed >> 4 * lane & 0xF and self._checked[lane].raw == self._encoded[lane].raw
        return self._signed[lane].raw if good else None


def find_multi_buffer() -> MultiBuffer | None:
    """Return the library; None where it is not installed or of no use on this processor."""
    try:
        return MultiBuffer()
    except (OSError, metadata.PackageNotFoundError):
        return None


def _encode(message: bytes) -> bytes:
    """Return the encoded message of PKCS #1 v1.5 (RFC 8017 §9.2)."""
    return _PADDING + _DIGEST_INFO + sha256(message).digest()


def _address(data: bytes) -> int:
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0


def _load() -> ctypes.CDLL:
    """Load the library with what it needs, found by the wheels' lists of files and by nothing else."""
    for name in _RUNTIME:
        ctypes.CDLL(_path_of("intel-cmplr-lib-rt", name))
    return ctypes.CDLL(_path_of("ipp-crypto", _LIBRARY))


def _path_of(distribution: str, name: str) -> str:
    for file in metadata.files(distribution) or ():
        if file.name == name:
            return str(file.locate())
    raise OSError(f"{distribution} has no {name}")
