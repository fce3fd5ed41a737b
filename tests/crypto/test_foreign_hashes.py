"""Hashes that other systems made match their passwords, and nothing else."""

import asyncio
import base64
import hashlib

import argon2
import bcrypt
import pytest
from werkzeug.security import generate_password_hash

from poolhouse.core.password_hashes import read_hash
from poolhouse.crypto.passwords import PasswordHasher

# From passlib's documentation: "password".
PASSLIB = (
    "$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m",
    "$2a$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m",
    "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
    "$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44",
)


def django(password: str) -> str:
    """A hash as Django's default hasher encodes it."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", 1000)
    return f"pbkdf2_sha256$1000$salt${base64.b64encode(digest).decode()}"


def made_of(password: str) -> list[str]:
    """Hashes of a password by the libraries that make them, at low costs."""
    return [
        bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode(),
        argon2.PasswordHasher(time_cost=1, memory_cost=64).hash(password),
        generate_password_hash(password, "scrypt:1024:8:1"),
        generate_password_hash(password, "pbkdf2:sha256:10"),
        django(password),
    ]


@pytest.fixture
def verify():
    """Say if a password is the one of a hash, as a sign-in asks."""
    hasher = PasswordHasher(memory_kib=8, time_cost=1)
    yield lambda text, password: asyncio.run(hasher.verify(text, password))
    hasher.close()


@pytest.mark.parametrize("hash", PASSLIB)
def test_documented_hashes(verify, hash: str):
    """What passlib's documentation shows is understood."""
    assert verify(hash, "password")
    assert not verify(hash, "Password")


@pytest.mark.parametrize("password", ["Correct-Horse-1", "pä ß 密码 🔑", "a\0b", "x" * 256])
def test_hashes_of_the_libraries(verify, password: str):
    """Whatever the library hashed is matched by that password, and not by another one of the same beginning."""
    for hash in made_of(password):
        read_hash(hash)
        assert verify(hash, password), hash
        assert not verify(hash, "!" + password), hash
        assert not verify(hash, ""), hash


def test_bcrypt_leaves_out_what_is_too_long(verify):
    """Only the first 72 bytes count, as they did where the hash was made."""
    hash = bcrypt.hashpw(b"y" * 72, bcrypt.gensalt(4)).decode()

    assert verify(hash, "y" * 100)
    assert not verify(hash, "y" * 71)


def test_an_impossible_salt_matches_nothing(verify):
    """A bcrypt hash of the right form whose bits are not possible is just never matched."""
    assert not verify("$2b$04$" + "/" * 53, "x")


def test_foreign_hashes_ask_to_be_made_again():
    """Every one of them is to be replaced at the next sign-in."""
    hasher = PasswordHasher(memory_kib=8, time_cost=1)

    assert all(hasher.needs_rehash(hash) for hash in made_of("x"))
    hasher.close()
