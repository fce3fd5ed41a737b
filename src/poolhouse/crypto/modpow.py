"""Modular power in the SRP group, native and in constant time (docs/decisions/0004-srp-arithmetic.md)."""

import ctypes
import importlib
from collections.abc import Callable
from ctypes import c_char_p, c_int, c_void_p
from typing import ParamSpec, TypeVar

import gmpy2

from poolhouse.core.srp import PRIME, PowMod
from poolhouse.crypto.threads import Threads

P = ParamSpec("P")
T = TypeVar("T")
LENGTH = (PRIME.bit_length() + 7) // 8
SHORTEST_EXPONENT = 32
_BN_FLG_CONSTTIME = 4
# Powers take a millisecond or two; more than this many waiting would be answered too late anyway.
_THREADS = Threads("srp", threads=2, queue=256)
_SIGNATURES = {
    "BN_new": (c_void_p, ()),
    "BN_clear_free": (None, (c_void_p,)),
    "BN_bin2bn": (c_void_p, (c_char_p, c_int, c_void_p)),
    "BN_bn2binpad": (c_int, (c_void_p, c_char_p, c_int)),
    "BN_set_flags": (None, (c_void_p, c_int)),
    "BN_CTX_new": (c_void_p, ()),
    "BN_CTX_free": (None, (c_void_p,)),
    "BN_MONT_CTX_new": (c_void_p, ()),
    "BN_MONT_CTX_set": (c_int, (c_void_p, c_void_p, c_void_p)),
    "BN_mod_exp_mont_consttime": (c_int, (c_void_p,) * 6),
}


class OpenSSLUnavailable(Exception):
    """Python's own OpenSSL cannot be reached, as where it is linked statically."""


class OpenSSLPower:
    """Powers by OpenSSL's BN_mod_exp_mont_consttime, which runs without Python's lock."""

    def __init__(self) -> None:
        """Raise OpenSSLUnavailable where the library or one of its functions is missing."""
        self._bn = _open_library()
        self._modulus = self._number(PRIME.to_bytes(LENGTH, "big"))
        self._montgomery = self._bn.BN_MONT_CTX_new()
        scratch = self._bn.BN_CTX_new()
        try:
            if not self._bn.BN_MONT_CTX_set(self._montgomery, self._modulus, scratch):
                raise OpenSSLUnavailable("BN_MONT_CTX_set failed")
        finally:
            self._bn.BN_CTX_free(scratch)

    def __call__(self, base: int, exponent: int) -> int:
        """Return base^exponent mod PRIME for a non-negative exponent."""
        bn, length = self._bn, max(SHORTEST_EXPONENT, (exponent.bit_length() + 7) // 8)
        scratch, result = bn.BN_CTX_new(), bn.BN_new()
        numbers = [
            self._number((base % PRIME).to_bytes(LENGTH, "big")),
            self._number(exponent.to_bytes(length, "big")),
        ]
        bn.BN_set_flags(numbers[1], _BN_FLG_CONSTTIME)
        try:
            if not bn.BN_mod_exp_mont_consttime(result, *numbers, self._modulus, scratch, self._montgomery):
                raise ArithmeticError("BN_mod_exp_mont_consttime failed")
            return self._read(result)
        finally:
            for number in (result, *numbers):
                bn.BN_clear_free(number)
            bn.BN_CTX_free(scratch)

    def _number(self, data: bytes) -> int:
        number: int | None = self._bn.BN_bin2bn(data, len(data), None)
        if not number:
            raise MemoryError("BN_bin2bn")
        return number

    def _read(self, number: int) -> int:
        buffer = ctypes.create_string_buffer(LENGTH)
        if self._bn.BN_bn2binpad(number, buffer, LENGTH) != LENGTH:
            raise ArithmeticError("BN_bn2binpad failed")
        return int.from_bytes(buffer.raw, "big")


def gmp_power(base: int, exponent: int) -> int:
    """Return base^exponent mod PRIME by GMP's mpz_powm_sec, where OpenSSL cannot be reached."""
    if exponent == 0:
        return 1
    return int(gmpy2.powmod_sec(base % PRIME, exponent, PRIME))


def choose_power() -> PowMod:
    """Return the fastest constant-time power that this Python offers."""
    try:
        return OpenSSLPower()
    except OpenSSLUnavailable:
        return gmp_power


def _open_library() -> ctypes.CDLL:
    """Open the libcrypto that Python itself is linked with: asked through _hashlib, nothing is guessed."""
    try:
        library = ctypes.CDLL(importlib.import_module("_hashlib").__file__)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (ImportError, AttributeError, OSError) as error:
        raise OpenSSLUnavailable(str(error)) from None
    return library


pow_mod: PowMod = choose_power()


async def srp_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function of ``core.srp`` on a thread; raises TooManyRequestsException when too many wait."""
    return await _THREADS.run(work, *args, **kwargs)
