"""Signatures by the multi-buffer library against OpenSSL's, and what becomes of ones that went wrong."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from poolhouse.crypto import signing
from poolhouse.crypto.multi_buffer import LANES, Key, MultiBuffer, find_multi_buffer
from poolhouse.crypto.signing import Signing

PRIVATE = [rsa.generate_private_key(65537, 2048) for _ in range(3)]


@pytest.fixture(scope="module")
def library() -> MultiBuffer:
    found = find_multi_buffer()
    if found is None:
        pytest.skip("the extra batch is not installed, or the processor has no AVX-512 IFMA")
    return found


def by_openssl(private, message):
    return private.sign(message, PKCS1v15(), SHA256())


@settings(max_examples=60, deadline=None)
@given(messages=st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=300)), min_size=1, max_size=LANES))
def test_the_same_bytes_as_openssl(library, messages):
    """RFC 8017 §8.2.1 is deterministic: any number of lanes, any mixture of keys gives the bytes OpenSSL gives."""
    keys = [Key(private) for private in PRIVATE]
    made = library.sign([(keys[index], message) for index, message in messages])
    assert made == [by_openssl(PRIVATE[index], message) for index, message in messages]


def test_keys_that_do_not_fit():
    """Keys of another length or exponent are refused, not signed with wrongly."""
    for private in (rsa.generate_private_key(65537, 3072), rsa.generate_private_key(3, 2048)):
        with pytest.raises(ValueError, match="The key is not one of 2048 bits"):
            Key(private)


@pytest.mark.parametrize("count", [0, LANES + 1])
def test_more_or_fewer_messages_than_lanes(library, count):
    """There are eight lanes, and something must be in the first."""
    with pytest.raises(ValueError, match="messages"):
        library.sign([(Key(PRIVATE[0]), b"m")] * count)


def test_a_spoiled_signature_is_not_shown(library):
    """Boneh, DeMillo, Lipton 1997: where the arithmetic goes wrong in one half, nothing leaves the library."""
    good, spoiled = Key(PRIVATE[0]), Key(PRIVATE[1])
    # One half of the spoiled key's exponent is another key's.
    spoiled.private[2] = good.private[2]
    made = library.sign([(good, b"a"), (spoiled, b"b"), (good, b"c")])
    assert made == [by_openssl(PRIVATE[0], b"a"), None, by_openssl(PRIVATE[0], b"c")]


class Faulty:
    """A library whose first lane always fails; it counts how many signatures were asked for at once."""

    def __init__(self, library):
        self._library, self.asked = library, []

    def sign(self, work):
        self.asked.append(len(work))
        return [None, *self._library.sign(work)[1:]]


@pytest.mark.parametrize("count", [1, 4, 5, 8, 9, 20])
def test_signatures_of_one_turn(library, count):
    """What one turn of the loop asks for is signed eight at a time; a few, and faulty ones, one by one."""
    faulty = Faulty(library)
    maker = Signing(faulty)
    signers = [maker.prepare(private) for private in PRIVATE]
    messages = [f"message {number}".encode() for number in range(count)]

    async def all_at_once():
        return await asyncio.gather(*(maker.sign(signers[n % 3], message) for n, message in enumerate(messages)))

    made = asyncio.run(all_at_once())
    assert made == [by_openssl(PRIVATE[n % 3], message) for n, message in enumerate(messages)]
    assert faulty.asked == [size for size in [8] * (count // 8) + [count % 8] if size >= signing.WORTH]


def test_callers_that_go_away(library):
    """A caller that is cancelled while its signature waits does not keep the others from theirs."""
    maker = Signing(library)
    signer = maker.prepare(PRIVATE[0])

    async def with_one_cancelled():
        tasks = [asyncio.create_task(maker.sign(signer, b"%d" % number)) for number in range(8)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    made = asyncio.run(with_one_cancelled())
    assert isinstance(made[3], asyncio.CancelledError)
    assert [made[n] for n in range(8) if n != 3] == [by_openssl(PRIVATE[0], b"%d" % n) for n in range(8) if n != 3]


def test_without_the_library():
    """Without the library a signature is made at once."""
    maker = Signing(None)
    assert asyncio.run(maker.sign(maker.prepare(PRIVATE[0]), b"m")) == by_openssl(PRIVATE[0], b"m")
