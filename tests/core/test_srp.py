"""SRP against the vectors of spec/api/04 §7.1 and against pycognito's independent client."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycognito.aws_srp import (
    calculate_u,
    compute_hkdf,
    get_random,
    hash_sha256,
    hex_hash,
    hex_to_long,
    long_to_hex,
    pad_hex,
)

from poolhouse.core import srp
from poolhouse.core.srp import PRIME, Offer
from poolhouse.model import InvalidParameterException


def power(base: int, exponent: int) -> int:
    return pow(base, exponent, PRIME)


def stretched(seed: str) -> int:
    """The vectors' 128-byte secrets, made from a word."""
    blocks = (hashlib.sha256(f"{seed}|{number}".encode()).digest() for number in range(4))
    return int.from_bytes(b"".join(blocks), "big")


def fingerprint(number: int) -> str:
    return hashlib.sha256(f"{number:x}".encode()).hexdigest()


BLOCK = b"".join(hashlib.sha256(b"block|%d" % number).digest() for number in range(8))


@dataclass(frozen=True)
class Vector:
    group: str
    user: str
    password: str
    salt: str
    seeds: tuple[str, str]
    x: str
    verifier: str
    public: tuple[str, str]
    digits: tuple[int, int]
    u: str
    secret: str
    key: str
    timestamp: str
    signature: str


V1 = Vector(
    group="AbCdEfGhI",
    user="3f1c2b8e-9d1a-4c55-8f2e-0a1b2c3d4e5f",
    password="Passw0rd!é",
    salt="dc90cf07de907ccc64636ceddb38e552",
    seeds=("a1", "b1"),
    x="37527cefa127e6f9ba5b6fe0c645007ad5cd264abf41b03f3baa17274ba0b63a",
    verifier="a4072816cc5f04ba5443410a7348f6d9c12fdae1a0c2a8df24db952a15f7542a",
    public=(
        "2583235dd937c0ed9f21f7e5bf86050eb364a1acc9ef36a6ef6ced6280a65490",
        "a32c4f73cd49d47abcd25b83272fbb965420abd133a4402c206ff8e8b2f40c6e",
    ),
    digits=(768, 768),
    u="97fe0e2091632867509c2687007b2bbe0b23f038de71de1479469166750f79ac",
    secret="86fe0cbb5f02d0dfa4e67c44aecdfef6011caf04de9bc1927a721628ae489dc7",
    key="0afb5e7ed5e5ae7e10e34bf22fc07884",
    timestamp="Tue Feb 3 04:05:06 UTC 2026",
    signature="q9y+/QK8kbEFO29jiXKjR95B/sA50sbxIKli685lKIM=",
)
V2_HIGH_BIT_IN_SALT = Vector(
    group="AbCdEfGhI",
    user="alice",
    password="correct horse",
    salt="f0e1d2c3b4a5968778695a4b3c2d1e0f",
    seeds=("a2", "b2"),
    x="4de35c7acfef8c75e62e3259279e78c552f82865e689a7ed8222e90151037345",
    verifier="be2ce188bbee33eef320bf035501be7552eb4389f48717d86945f0c37afd8237",
    public=(
        "82e12dea28267713f7a9339d3f611ab283d8691b8e9e6617be696f3d5cb767ee",
        "92bf9c0b5f2db87aeedd0ed668c1a307825196372f1edfcce18368fd7a225d2b",
    ),
    digits=(768, 768),
    u="a6e139a75083ef65ed0e2a887b1f1ba0421c50dbba2e4fae2a1dec32fd5a309c",
    secret="6205f877bed6d99cba1392988445818688f41866bef0b2ff59c0168a6a3ad617",
    key="2749c1fda04de0b661ec83d1b620c1ca",
    timestamp="Sun Dec 21 23:59:59 UTC 2025",
    signature="HSN9ikZZDpP0PvQMap8Ik4VMfhKuoMHR0426jQSKc04=",
)
V3_ODD_LENGTHS = Vector(
    group="AbCdEfGhI",
    user="alice",
    password="correct horse",
    salt="e1d2c3b4a5968778695a4b3c2d1e0f1",
    seeds=("a3", "b3"),
    x="078a6571af88fbc5f54aa95d9ff9581fbacc1d5d8eb615ccdeffd150c732db8e",
    verifier="44baedef8e0456536cdeef8405121208afa2ec64afe6ab486fa585609c5f1d70",
    public=(
        "15ff350b6a3c914b34f8d8d5ff567740c38e7364fed79d15c21dd193f495ce69",
        "9fa45da2cdddbb74a134e5c2fad51bdb97153b821bd39edbe09c209b335a2cd1",
    ),
    digits=(767, 767),
    u="1eac0582e421daa7efb0bd43cd0d76fae6162a9541608d29b4e2103291cc3dfc",
    secret="86025f9c77bf443ecede5ba42b7481fbf22fecdcef4b3e069892e9b26291d5ba",
    key="3860a5af3b4bdad75d7f2f2098c96eac",
    timestamp="Sun Dec 21 23:59:59 UTC 2025",
    signature="jDQhNL4viW84IZHOVAwSat8zl3bE+hPGtm4hrWuvr8E=",
)
V4_DEVICE = Vector(
    group="-v7w9UcY6",
    user="us-east-1_a1b2c3d4-5678-90ab-cdef-111122223333",
    password="pG8xS0Q0Jx2h1h1n6f7sJ2m1vZ6o2w9y7m0b3c5d8e1f2a3b4c5d6e==",
    salt="fbd8f8a124adabf7c228e0ee301b92a8",
    seeds=("a4", "b4"),
    x="096cc6a66f7586b4b8c44f90c0484498060e2e93232c53503edd58bce2fab608",
    verifier="8626444384a9adc2841d5e6550afebbf1d29abcfed18ec98c7b0a66c1304f903",
    public=(
        "a666b6e2b7de78ce99bd64514a57b33b30cd32df79b4b354417421908275a22b",
        "5a52dcbb4542cec56669c4d5ad89878cfcd981899a91909c9b5ee117dfac22b1",
    ),
    digits=(768, 768),
    u="3a0289b770babb799014c7757e5ceffc3da13fdf48298fd2642b68516b8e909c",
    secret="706402201ae972c3f5a7c07355f20971c8700ccf22ca4274a1bf752efeb78ab7",
    key="aff69c35b23d6d735fa50ce8f8f102c7",
    timestamp="Thu Jan 1 00:00:00 UTC 2026",
    signature="SDDqnCFpNf5WujRpWGHGoJdBRqr42YSt8cvMvHt1cvk=",
)
VECTORS = pytest.mark.parametrize(
    "vector", [V1, V2_HIGH_BIT_IN_SALT, V3_ODD_LENGTHS, V4_DEVICE], ids=["V1", "V2", "V3", "V4"]
)


def test_the_group_is_the_one_of_the_specification():
    """The prime and the multiplier are the published ones."""
    assert PRIME.bit_length() == 3072
    assert (
        hashlib.sha256(PRIME.to_bytes(384, "big")).hexdigest()
        == "48cf8b092fbce4359d9871abf74f98e25b6163379eaa15cd9087e800c6d1c55c"
    )
    assert f"{srp.MULTIPLIER:x}" == "538282c4354742d7cbbde2359fcf67f9f5b3a6b08791e5011b43b8a5b66d9ee6"


@VECTORS
def test_vector(vector: Vector):
    """Every intermediate value of a vector comes out, from the salt to the signature."""
    a, b = map(stretched, vector.seeds)
    verifier = srp.make_verifier(vector.salt, vector.group, vector.user, vector.password, power)
    client_public = power(srp.GENERATOR, a)
    offer = srp.make_offer(verifier, b, power)
    u = srp.scrambler(client_public, offer.public)
    secret = srp.shared_secret(client_public, offer, verifier, power)
    key = srp.session_key(client_public, offer, verifier, power)
    signature = srp.sign(key, vector.group, vector.user, BLOCK, vector.timestamp)

    assert f"{srp.private_key(vector.salt, vector.group, vector.user, vector.password):064x}" == vector.x
    assert fingerprint(verifier) == vector.verifier
    assert (fingerprint(client_public), fingerprint(offer.public)) == vector.public
    assert (len(srp.to_hex(client_public)), len(srp.to_hex(offer.public))) == vector.digits
    assert srp.read_public(srp.to_hex(client_public)) == client_public
    assert f"{u:064x}" == vector.u
    assert fingerprint(secret) == vector.secret
    assert key.hex() == vector.key
    assert base64.b64encode(signature).decode() == vector.signature
    assert srp.is_signature(vector.signature, signature)


@settings(max_examples=5, deadline=None)
@given(
    seed=st.binary(min_size=16, max_size=16),
    password=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
)
def test_a_client_of_another_make_gets_the_same_key(seed: bytes, password: str):
    """pycognito's arithmetic, with any salt and password, agrees with the server's."""
    group, user = "AbCdEfGhI", "alice"
    salt = srp.make_salt(seed)
    a, b = get_random(128), int.from_bytes(seed + seed, "big")
    verifier = srp.make_verifier(salt, group, user, password, power)
    client_public, offer = power(2, a), srp.make_offer(verifier, b, power)

    # As AWSSRP.get_password_authentication_key does it.
    u = calculate_u(client_public, offer.public)
    x = hex_to_long(hex_hash(pad_hex(salt) + hash_sha256(f"{group}{user}:{password}".encode())))
    base = offer.public - srp.MULTIPLIER * power(2, x)
    secret = pow(base % PRIME, a + u * x, PRIME)
    theirs = compute_hkdf(bytearray.fromhex(pad_hex(secret)), bytearray.fromhex(pad_hex(long_to_hex(u))))

    assert srp.session_key(client_public, offer, verifier, power) == theirs


def test_a_wrong_password_gives_another_key():
    """Who does not know the password cannot sign."""
    verifier = srp.make_verifier("ab", "group", "alice", "right", power)
    wrong = srp.make_verifier("ab", "group", "alice", "wrong", power)
    offer = Offer(5, srp.make_offer(verifier, 5, power).public)

    assert srp.session_key(power(2, 7), offer, verifier, power) != srp.session_key(power(2, 7), offer, wrong, power)


@pytest.mark.parametrize(
    "text",
    ["", "0", "00", f"{PRIME:x}", "xyz", "-1", "0x12", " 12", "12\n", "1_2", "٣", "1" * 769],
    ids=[
        "empty",
        "zero",
        "zeros",
        "the prime",
        "no hex",
        "negative",
        "0x",
        "blank",
        "line",
        "underscore",
        "arabic",
        "long",
    ],
)
def test_bad_public_values_are_refused(text: str):
    """SRP_A that is no number, or that would make the secret zero, is refused (RFC 5054 §2.5.4)."""
    with pytest.raises(InvalidParameterException):
        srp.read_public(text)


@given(st.binary(min_size=16, max_size=16))
def test_salts_have_no_leading_zero_byte(seed: bytes):
    """A salt reads the same as text and as a number, to 128 bits."""
    salt = srp.make_salt(seed)

    assert f"{int(salt, 16):x}" == salt
    assert len(salt) in {31, 32}


@given(st.integers(min_value=0, max_value=PRIME))
def test_padding_is_the_shortest_positive_form(number: int):
    """Padding is Java's: it reads back as the same positive number and has no byte too many."""
    padded = srp.pad(number)

    assert int.from_bytes(padded, "big", signed=True) == number
    assert len(padded) == 1 or padded[0] != 0 or padded[1] >= 0x80
    assert padded == bytes.fromhex(pad_hex(number))


def test_signatures_are_compared_as_base64():
    """Only the base64 of the very proof is one; anything else, whatever its characters, is not."""
    proof = hmac.digest(b"key", b"text", "sha256")

    assert srp.is_signature(base64.b64encode(proof).decode(), proof)
    assert not srp.is_signature(base64.b64encode(proof[:-1]).decode(), proof)
    assert not srp.is_signature("é\ud800", proof)


@pytest.mark.parametrize("text", ["a", "é", "=", "A A=", "AA-_"])
def test_secret_blocks_must_be_base64(text: str):
    """What is not base64 is no SECRET_BLOCK."""
    assert srp.find_secret_block(text) is None
