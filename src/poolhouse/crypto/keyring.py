"""Signing keys: making, sealing, signing with and verifying against them."""

from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)
from msgspec.structs import replace

from poolhouse.core.jws import assemble, b64url, find_b64url, header_of, signing_input, split
from poolhouse.core.signing_key import SigningKey
from poolhouse.crypto.multi_buffer import MultiBuffer
from poolhouse.crypto.seal import Sealer
from poolhouse.crypto.signing import Signer, Signing

PURPOSE = "signing key"
CERTIFICATE_LIFE = timedelta(days=3650)
# RFC 7518 §3.3.
LEAST_BITS = 2048
_PADDING = PKCS1v15()
_SHA256 = SHA256()
T = TypeVar("T")


class RandomBytes(Protocol):
    """What ``make_key`` needs of a source of randomness."""

    def bytes(self, count: int) -> bytes:
        """Return ``count`` random bytes."""
        ...


class Keyring:
    """Signs and verifies tokens. Keeps the key objects of the ``capacity`` signing keys used last."""

    def __init__(self, sealer: Sealer, *, multi_buffer: MultiBuffer | None = None, capacity: int = 4096) -> None:
        self._sealer, self._signing = sealer, Signing(multi_buffer)
        self._signers: _Recent[tuple[Signer, bytes]] = _Recent(capacity)
        self._verifiers: _Recent[tuple[RSAPublicKey, bytes]] = _Recent(capacity)

    async def sign(self, key: SigningKey, claims: bytes) -> str:
        """Return a compact JWS over the encoded claims (spec/http/04 §4.1)."""
        signer, header = self._signer(key)
        signed = signing_input(header, claims)
        return assemble(signed, await self._signing.sign(signer, signed))

    async def sign_query(self, key: SigningKey, query: str) -> bytes:
        """Return the signature of a query of the SAML binding HTTP-Redirect, RSA with SHA-256.

        What a token is signed over has no ``=``, so that neither signature can stand for the other.
        """
        assert "=" in query
        return await self._signing.sign(self._signer(key)[0], query.encode("ascii"))

    def _signer(self, key: SigningKey) -> tuple[Signer, bytes]:
        return self._signers.get(key.kid, lambda: (self._signing.prepare(self._unseal(key)), header_of(key.kid)))

    def verify(self, token: str, key: SigningKey) -> bytes | None:
        """Return the payload of a token that ``key`` signed, else None.

        The header must be the one that ``sign`` writes, byte for byte; so no other algorithm is ever considered.
        """
        public, header = self._verifiers.get(key.kid, lambda: (_public_key(key), header_of(key.kid)))
        parts = split(token)
        if parts is None or parts.header != header:
            return None
        try:
            public.verify(parts.signature, parts.signed, _PADDING, _SHA256)
        except InvalidSignature:
            return None
        return parts.payload

    def make_key(self, use: Literal["id", "access"], now: int, random: RandomBytes) -> SigningKey:
        """Make an RSA-2048 key for the stock. Takes 50–300 ms: call it on a thread."""
        return self._sealed(generate_rsa_key(), b64encode(random.bytes(32)).decode(), use, now)

    def read_key(self, pem: str, use: Literal["id", "access"], pool_id: str, kid: str | None, now: int) -> SigningKey:
        """Return the key that a PEM text holds, for a pool to sign with; its id, where none is given, follows from it.

        Raises ValueError for anything but an RSA private key of 2,048 bits or more, without a password.
        """
        try:
            private = load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValueError("it is no private key in PEM without a password") from None
        if not isinstance(private, RSAPrivateKey) or private.key_size < LEAST_BITS:
            raise ValueError(f"it is no RSA key of {LEAST_BITS} bits or more")
        if kid is None:
            public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            # One key may stand for several uses and pools, an id may not.
            kid = b64encode(sha256(f"{pool_id}/{use}/".encode() + public).digest()).decode()
        return replace(self._sealed(private, kid, use, now), pool_id=pool_id, state="active")

    def write_key(self, key: SigningKey) -> str:
        """Return the private key in PEM, unsealed."""
        return self._unseal(key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def _sealed(self, private: RSAPrivateKey, kid: str, use: Literal["id", "access"], now: int) -> SigningKey:
        plain = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return SigningKey(
            kid=kid,
            use=use,
            state="stock",
            sealed=self._sealer.seal(PURPOSE, plain, kid.encode()),
            public=_jwk(kid, private.public_key()),
            created_at=now,
        )

    def certificate(self, key: SigningKey, pool_id: str, now: int) -> bytes:
        """Return a self-signed X.509 certificate of the key in DER, valid for ten years from ``now``.

        The serial number follows from the key, so the same arguments give the same certificate.
        """
        serial = int.from_bytes(sha256(key.kid.encode()).digest()[:16], "big") or 1
        return _self_signed(self._unseal(key), pool_id, serial, now)

    def make_encryption_pair(self, subject: str, now: int, random: RandomBytes) -> tuple[str, bytes]:
        """Make an RSA-2048 key in PEM, and a certificate of it in DER, for others to encrypt with for ten years.

        Takes 50–300 ms: call it on a thread.
        """
        private = generate_rsa_key()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return pem, _self_signed(private, subject, int.from_bytes(random.bytes(16), "big") or 1, now)

    def _unseal(self, key: SigningKey) -> RSAPrivateKey:
        plain = self._sealer.open(PURPOSE, key.sealed, key.kid.encode())
        # The seal vouches for the key; OpenSSL's own check would cost a hundred signatures.
        private = load_der_private_key(plain, None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(private, RSAPrivateKey)
        return private


class _Recent(OrderedDict[str, T]):
    """The entries used last, ``capacity`` of them."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self._capacity = capacity

    def get(self, kid: str, make: Callable[[], T]) -> T:  # type: ignore[override]
        """Return the entry, made now if it is not kept."""
        found = super().get(kid)
        if found is not None:
            self.move_to_end(kid)
            return found
        made = self[kid] = make()
        if len(self) > self._capacity:
            self.popitem(last=False)
        return made


def _self_signed(private: RSAPrivateKey, subject: str, serial: int, now: int) -> bytes:
    """Return a certificate in DER, valid for ten years from ``now``."""
    # Heavy, and hardly anybody asks for a certificate.
    from cryptography import x509

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    begin = datetime.fromtimestamp(now // 1000, UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(begin + CERTIFICATE_LIFE)
        .sign(private, _SHA256)
    )
    return built.public_bytes(Encoding.DER)


def generate_rsa_key() -> RSAPrivateKey:
    """Return a new RSA-2048 key."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def _jwk(kid: str, public: RSAPublicKey) -> dict[str, str]:
    """Return the JWK with the members that Cognito publishes, in its order (spec/http/01)."""
    numbers = public.public_numbers()
    modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
    exponent = numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")
    return {
        "alg": "RS256",
        "e": b64url(exponent).decode(),
        "kid": kid,
        "kty": "RSA",
        "n": b64url(modulus).decode(),
        "use": "sig",
    }


def _public_key(key: SigningKey) -> RSAPublicKey:
    modulus, exponent = (find_b64url(key.public[name].encode()) or b"" for name in ("n", "e"))
    return RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).public_key()
