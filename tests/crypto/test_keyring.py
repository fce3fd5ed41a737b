"""Signing keys: signatures that others verify, and forgeries that we do not."""

import base64
import hashlib
import hmac
import json
import os
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from msgspec.structs import replace

from poolhouse.core import jws
from poolhouse.core.signing_key import SigningKey
from poolhouse.crypto import keyring as module
from poolhouse.crypto.keyring import Keyring
from poolhouse.crypto.seal import SealBroken, Sealer

NOW = 1_770_000_000_123
CLAIMS = b'{"sub":"a","n":1}'
SEALER = Sealer(b"\x11" * 32)


class SystemRandom:
    def bytes(self, count: int) -> bytes:
        return os.urandom(count)


@pytest.fixture(scope="module")
def keyring() -> Keyring:
    return Keyring(SEALER)


@pytest.fixture(scope="module")
def key(keyring: Keyring) -> SigningKey:
    return keyring.make_key("id", NOW, SystemRandom())


@pytest.fixture(scope="module")
def other(keyring: Keyring) -> SigningKey:
    return keyring.make_key("access", NOW, SystemRandom())


def signed(keyring: Keyring, key: SigningKey, claims: bytes = CLAIMS) -> str:
    # Signing is asynchronous by contract only: it never waits, so one step finishes it.
    step = keyring.sign(key, claims)
    with pytest.raises(StopIteration) as stop:
        step.send(None)
    return stop.value.value


def test_a_new_key_is_for_the_stock(key: SigningKey):
    """A made key says what it is, shows its public half, and hides its private one."""
    assert (key.use, key.state, key.pool_id, key.created_at) == ("id", "stock", None, NOW)
    assert len(key.kid) == 44
    assert len(base64.b64decode(key.kid, validate=True)) == 32
    assert list(key.public) == ["alg", "e", "kid", "kty", "n", "use"]
    assert (key.public["alg"], key.public["kty"], key.public["use"]) == ("RS256", "RSA", "sig")
    assert (key.public["kid"], key.public["e"]) == (key.kid, "AQAB")
    assert len(base64.urlsafe_b64decode(key.public["n"] + "==")) == 256


def test_another_implementation_verifies(keyring: Keyring, key: SigningKey):
    """PyJWT accepts our tokens by our JWK, and their header is Cognito's."""
    token = signed(keyring, key)
    public = jwt.PyJWK(key.public)

    assert jwt.decode(token, public, algorithms=["RS256"], options={"verify_sub": False}) == {"sub": "a", "n": 1}
    assert base64.urlsafe_b64decode(token.split(".")[0] + "==") == b'{"kid":"%b","alg":"RS256"}' % key.kid.encode()


def test_verify_returns_the_payload(keyring: Keyring, key: SigningKey):
    """A token of the key gives its payload, in this process and in one that starts anew."""
    token = signed(keyring, key)

    assert keyring.verify(token, key) == CLAIMS
    assert Keyring(SEALER).verify(token, key) == CLAIMS
    assert keyring.verify(signed(Keyring(SEALER), key), key) == CLAIMS


def test_another_key_does_not_verify(keyring: Keyring, key: SigningKey, other: SigningKey):
    """A token counts for its own key only, even under the other's name."""
    claims = jws.signing_input(jws.header_of(key.kid), CLAIMS)
    misnamed = signed(keyring, replace(other, kid=other.kid)).encode().rpartition(b".")[2]

    assert keyring.verify(signed(keyring, other), key) is None
    assert keyring.verify((claims + b"." + misnamed).decode(), key) is None


def forgeries(key: SigningKey, token: str) -> dict[str, str]:
    """Tokens that careless verifiers accept (design/SECURITY §4.20)."""
    header, payload, signature = token.split(".")

    def encode(value: object) -> str:
        return jws.b64url(json.dumps(value, separators=(",", ":")).encode()).decode()

    hs256 = f"{encode({'kid': key.kid, 'alg': 'HS256'})}.{payload}"
    mac = hmac.digest(json.dumps(key.public).encode(), hs256.encode(), hashlib.sha256)
    wide = encode({"kid": key.kid, "alg": "RS256", "jwk": key.public})
    return {
        "none": f"{encode({'kid': key.kid, 'alg': 'none'})}.{payload}.",
        "no signature": f"{header}.{payload}.",
        "hs256": f"{hs256}.{jws.b64url(mac).decode()}",
        "own jwk": f"{wide}.{payload}.{signature}",
        "other claims": f"{header}.{encode({'sub': 'b'})}.{signature}",
        "short signature": f"{header}.{payload}.{signature[:-4]}",
        "long signature": f"{header}.{payload}.{signature}AAAA",
        "swapped": f"{header}.{signature}.{payload}",
        "garbage": "garbage",
    }


@pytest.mark.parametrize(
    "name",
    [
        "none",
        "no signature",
        "hs256",
        "own jwk",
        "other claims",
        "short signature",
        "long signature",
        "swapped",
        "garbage",
    ],
)
def test_forgeries_are_refused(keyring: Keyring, key: SigningKey, name: str):
    """No known trick makes a token of ours."""
    assert keyring.verify(forgeries(key, signed(keyring, key))[name], key) is None


def test_a_sealed_key_belongs_to_its_kid_and_installation(key: SigningKey, other: SigningKey):
    """A private key moved to another row, or another installation, cannot be used."""
    with pytest.raises(SealBroken):
        signed(Keyring(SEALER), replace(key, sealed=other.sealed))
    with pytest.raises(SealBroken):
        signed(Keyring(Sealer(b"\x12" * 32)), key)


def test_few_keys_are_kept_and_all_can_be_used(key: SigningKey, other: SigningKey):
    """The keys used last stay in memory, no more of them than allowed; the rest are opened again when needed."""
    small = Keyring(SEALER, capacity=1)
    tokens = [signed(small, each) for each in (key, other, key)]

    assert list(small._signers) == [key.kid]
    assert tokens[0] == tokens[2]
    assert [small.verify(token, each) for token, each in zip(tokens, (key, other, key), strict=True)] == [CLAIMS] * 3


def test_certificate(keyring: Keyring, key: SigningKey):
    """The certificate names the pool, holds the key, lasts ten years and is signed by itself."""
    der = keyring.certificate(key, "us-east-1_AbCdEfGhI", NOW)
    certificate = x509.load_der_x509_certificate(der)
    numbers = certificate.public_key().public_numbers()

    assert certificate.subject.rfc4514_string() == certificate.issuer.rfc4514_string() == "CN=us-east-1_AbCdEfGhI"
    assert numbers.n == int.from_bytes(base64.urlsafe_b64decode(key.public["n"] + "=="), "big")
    assert certificate.not_valid_before_utc == datetime.fromtimestamp(NOW // 1000, UTC)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=3650)
    certificate.public_key().verify(
        certificate.signature, certificate.tbs_certificate_bytes, PKCS1v15(), certificate.signature_hash_algorithm
    )
    assert keyring.certificate(key, "us-east-1_AbCdEfGhI", NOW) == der


def test_keys_have_2048_bits():
    """A new key has the size that Cognito's have."""
    assert module.generate_rsa_key().key_size == 2048
