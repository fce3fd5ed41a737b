"""Modular power: both native ways agree with Python's own."""

import asyncio
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolhouse.core import srp
from poolhouse.core.srp import GENERATOR, PRIME
from poolhouse.crypto import modpow
from poolhouse.crypto.modpow import OpenSSLPower, OpenSSLUnavailable, choose_power, gmp_power, srp_thread

try:
    WAYS = [gmp_power, OpenSSLPower()]
except OpenSSLUnavailable:
    WAYS = [gmp_power]
each_way = pytest.mark.parametrize("power", WAYS, ids=lambda way: type(way).__name__)


@each_way
@settings(max_examples=30, deadline=None)
@given(base=st.integers(0, 2**3072 - 1), exponent=st.integers(0, 2**256 - 1))
def test_powers_are_right(power, base: int, exponent: int):
    """Any base and any 256-bit exponent give what Python gives."""
    assert power(base, exponent) == pow(base, exponent, PRIME)


@each_way
@pytest.mark.parametrize("base", [0, 1, 2, PRIME - 1, PRIME, PRIME + 1, PRIME**2 + 5])
@pytest.mark.parametrize("exponent", [0, 1, 2, 2**64, 2**256, 2**1024 - 3, PRIME - 1])
def test_edges(power, base: int, exponent: int):
    """Zero, one, the prime and its neighbours, and exponents beyond 256 bits are no exceptions."""
    assert power(base, exponent) == pow(base, exponent, PRIME)


@each_way
def test_threads_do_not_disturb_each_other(power):
    """Powers worked out at the same time come out as those worked out alone."""
    expected = {number: pow(GENERATOR, 2**255 + number, PRIME) for number in range(16)}
    found: dict[int, int] = {}

    def work(first: int) -> None:
        for number in range(first, 16, 4):
            found[number] = power(GENERATOR, 2**255 + number)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == expected


def test_without_openssl_gmp_takes_over(monkeypatch: pytest.MonkeyPatch):
    """Where Python's OpenSSL cannot be reached the other library is used."""
    monkeypatch.setitem(modpow._SIGNATURES, "BN_no_such_function", (None, ()))

    assert choose_power() is gmp_power


def test_a_whole_exchange_on_threads():
    """The server's two steps run on their threads, and a client's key agrees."""

    async def server() -> tuple[int, bytes]:
        verifier = await srp_thread(srp.make_verifier, "ab", "group", "alice", "password", modpow.pow_mod)
        offer = await srp_thread(srp.make_offer, verifier, 2**255 + 7, modpow.pow_mod)
        return offer.public, await srp_thread(srp.session_key, pow(2, 99, PRIME), offer, verifier, modpow.pow_mod)

    public, key = asyncio.run(server())
    x, u = srp.private_key("ab", "group", "alice", "password"), srp.scrambler(pow(2, 99, PRIME), public)
    secret = pow(public - srp.MULTIPLIER * pow(2, x, PRIME), 99 + u * x, PRIME)
    assert srp.derive_key(secret, u) == key
