"""Authenticators in software: an app that makes one-time codes, and one that makes passkeys, each by the book only."""

import base64
import hashlib
import hmac
import json
import secrets
import struct
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ES256, RS256 = -7, -257
USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ORIGIN = "http://localhost:3000"


def one_time_code(secret: str, seconds: float) -> str:
    """The code that an app shows for a base32 secret at a time (RFC 6238, RFC 4226 §5.3)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, struct.pack(">Q", int(seconds) // 30), "sha1")
    offset = mac[-1] & 0xF
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Authenticator:
    """Makes passkeys as WebAuthn Level 2 §6.3.2 says, for whatever page asks."""

    def __init__(self, *, algorithm: int = ES256, flags: int = USER_PRESENT | USER_VERIFIED, aaguid: bytes = bytes(16)):
        self.algorithm, self.flags, self.aaguid = algorithm, flags, aaguid
        self.id = secrets.token_bytes(32)
        self.key: Any = None
        self.user_handle = ""
        # What it counts at its next use; None is for one that does not count.
        self.count: int | None = None

    def create(self, options: dict[str, Any], *, origin: str = ORIGIN, **changes: Any) -> dict[str, Any]:
        """The RegistrationResponseJSON for creation options; ``changes`` are its members beside ``response``."""
        rp_id = changes.pop("rp_id", options["rp"]["id"])
        self.user_handle = options["user"]["id"]
        kind, transports = changes.pop("kind", "webauthn.create"), changes.pop("transports", ["internal", "hybrid"])
        client_data = {
            "type": kind,
            "challenge": changes.pop("challenge", options["challenge"]),
            "origin": origin,
            "crossOrigin": False,
        }
        response = {
            "clientDataJSON": b64url(json.dumps(client_data).encode()),
            "attestationObject": b64url(self.attestation(rp_id, **changes.pop("attestation", {}))),
            "transports": transports,
        }
        return {
            "id": b64url(self.id),
            "rawId": b64url(self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        } | changes

    def get(self, options: dict[str, Any], *, origin: str = ORIGIN, **changes: Any) -> str:
        """The AuthenticationResponseJSON for request options, as text (WebAuthn Level 2 §6.3.3)."""
        rp_id, challenge = changes.pop("rp_id", options["rpId"]), changes.pop("challenge", options["challenge"])
        kind = changes.pop("kind", "webauthn.get")
        client_data = json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()
        count = self.count or 0
        self.count = None if self.count is None else self.count + 1
        data = hashlib.sha256(rp_id.encode()).digest() + bytes([self.flags]) + struct.pack(">I", count)
        response = {
            "clientDataJSON": b64url(client_data),
            "authenticatorData": b64url(data),
            "signature": b64url(self.sign(data + hashlib.sha256(client_data).digest())),
            "userHandle": self.user_handle,
        }
        credential = {
            "id": b64url(self.id),
            "rawId": b64url(self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response | changes.pop("response", {}),
        }
        return json.dumps(credential | changes)

    def sign(self, data: bytes) -> bytes:
        if self.algorithm == ES256:
            return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def attestation(self, rp_id: str, *, format: str = "none", key: Any = None) -> bytes:
        data = hashlib.sha256(rp_id.encode()).digest() + bytes([self.flags | ATTESTED]) + struct.pack(">I", 0)
        data += self.aaguid + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(key or self.public_key())
        return cbor2.dumps({"fmt": format, "attStmt": {}, "authData": data})

    def public_key(self) -> dict[int, Any]:
        """The COSE key (RFC 9053 §7.1, RFC 8230 §4)."""
        if self.algorithm == ES256:
            self.key = ec.generate_private_key(ec.SECP256R1())
        else:
            self.key = rsa.generate_private_key(65537, 2048)
        return cose_of(self.key)


def cose_of(key: EllipticCurvePrivateKey | RSAPrivateKey) -> dict[int, Any]:
    public = key.public_key().public_numbers()
    if isinstance(public, rsa.RSAPublicNumbers):
        return {1: 3, 3: RS256, -1: public.n.to_bytes((public.n.bit_length() + 7) // 8, "big"), -2: b"\x01\x00\x01"}
    return {1: 2, 3: ES256, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")}
