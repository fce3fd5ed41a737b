"""Second factors and passkeys (spec/api/04 §9–10, 10 §2)."""

import base64
import hashlib
import hmac
import json
import os
import struct
import time

from cryptography.hazmat.primitives.asymmetric import ec

from tests.matrix.world import case

# Software tokens (04 §9)


def one_time_code(secret: str, now: float | None = None) -> str:
    """The code of RFC 6238 at this moment."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(now or time.time()) // 30), "sha1")
    number = int.from_bytes(digest[(at := digest[-1] & 15) : at + 4]) & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def optional_tokens(world) -> None:
    software = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
    world.call("SetUserPoolMfaConfig", **world.pool, MfaConfiguration="OPTIONAL", **software)


def verified_token(world) -> None:
    """Give the user a software token that was verified."""
    optional_tokens(world)
    secret = world.call("AssociateSoftwareToken", **world.access)["SecretCode"]
    world.call("VerifySoftwareToken", **world.access, UserCode=one_time_code(secret))


PREFERRED = {"SoftwareTokenMfaSettings": {"Enabled": True, "PreferredMfa": True}}
BY_TEXT = {"MFAOptions": [{"DeliveryMedium": "SMS", "AttributeName": "phone_number"}]}


@case
def associate_software_token(world):
    """04 §9"""
    optional_tokens(world)
    answer = yield world.access
    assert len(base64.b32decode(answer["SecretCode"] + "=" * (-len(answer["SecretCode"]) % 8))) >= 16


@case
def verify_software_token(world):
    """04 §9"""
    optional_tokens(world)
    secret = world.call("AssociateSoftwareToken", **world.access)["SecretCode"]
    answer = yield world.access | {"UserCode": one_time_code(secret)}
    assert answer["Status"] == "SUCCESS"


@case
def set_user_mfa_preference(world):
    """04 §9"""
    verified_token(world)
    yield world.access | PREFERRED
    assert world.shown()["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"


@case
def admin_set_user_mfa_preference(world):
    """04 §9"""
    verified_token(world)
    yield world.user | PREFERRED
    assert world.shown()["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]


@case
def admin_delete_software_token(world):
    """10 §2"""
    verified_token(world)
    world.call("AdminSetUserMFAPreference", **world.user, **PREFERRED)
    yield world.user
    assert "UserMFASettingList" not in world.shown()


@case
def set_user_settings(world):
    """04 §9"""
    world.call("AdminUpdateUserAttributes", **world.user, UserAttributes=PHONE)
    yield world.access | BY_TEXT
    assert world.shown()["MFAOptions"] == BY_TEXT["MFAOptions"]


PHONE = [{"Name": "phone_number", "Value": "+12025550123"}, {"Name": "phone_number_verified", "Value": "true"}]


@case
def admin_set_user_settings(world):
    """04 §9"""
    world.call("AdminUpdateUserAttributes", **world.user, UserAttributes=PHONE)
    yield world.user | BY_TEXT
    assert world.shown()["MFAOptions"] == BY_TEXT["MFAOptions"]


@case
def get_user_auth_factors(world):
    """04 §10"""
    answer = yield world.access
    assert answer["Username"] == world.username
    assert "PASSWORD" in answer["ConfiguredUserAuthFactors"]


@case
def admin_get_user_auth_factors(world):
    """10 §2"""
    answer = yield world.user
    assert answer["Username"] == world.username
    assert "PASSWORD" in answer["ConfiguredUserAuthFactors"]


# Passkeys (04 §10)

RELYING = "matrix.example"


def passkeys(world) -> None:
    """Allow passkeys as a first factor."""
    policy = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}}
    world.call("UpdateUserPool", **world.pool, Policies=policy, AutoVerifiedAttributes=["email"])
    world.call("SetUserPoolMfaConfig", **world.pool, WebAuthnConfiguration={"RelyingPartyId": RELYING})


def url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def credential(options: dict) -> dict:
    """What a software authenticator makes of creation options, with attestation "none"."""
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (number.to_bytes(32) for number in (numbers.x, numbers.y))
    # {1: 2, 3: -7, -1: 1, -2: x, -3: y} (RFC 9052 §7)
    key = bytes.fromhex("a5010203262001215820") + x + bytes.fromhex("225820") + y
    raw = os.urandom(16)
    flags = bytes([0b0100_0101])  # present, verified, with a credential
    about = hashlib.sha256(RELYING.encode()).digest() + flags + bytes(4) + bytes(16)
    data = about + len(raw).to_bytes(2) + raw + key
    # {"fmt": "none", "attStmt": {}, "authData": data}
    attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58" + bytes([len(data)]) + data
    client = {"type": "webauthn.create", "challenge": options["challenge"], "origin": f"https://{RELYING}"}
    return {
        "id": url_safe(raw),
        "rawId": url_safe(raw),
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": {
            "clientDataJSON": url_safe(json.dumps(client).encode()),
            "attestationObject": url_safe(attestation),
            "transports": ["internal"],
        },
    }


def passkey(world) -> str:
    """Register a passkey; give its id."""
    passkeys(world)
    options = world.call("StartWebAuthnRegistration", **world.access)["CredentialCreationOptions"]
    made = credential(options)
    world.call("CompleteWebAuthnRegistration", **world.access, Credential=made)
    return made["id"]


@case
def start_web_authn_registration(world):
    """04 §10"""
    passkeys(world)
    answer = yield world.access
    assert answer["CredentialCreationOptions"]["rp"]["id"] == RELYING


@case
def complete_web_authn_registration(world):
    """04 §10"""
    passkeys(world)
    options = world.call("StartWebAuthnRegistration", **world.access)["CredentialCreationOptions"]
    made = credential(options)
    yield world.access | {"Credential": made}
    assert world.names("ListWebAuthnCredentials", "Credentials", "CredentialId", **world.access) == [made["id"]]


@case
def list_web_authn_credentials(world):
    """04 §10"""
    answer = yield world.access | {"MaxResults": 20}
    assert answer["Credentials"] == []


@case
def delete_web_authn_credential(world):
    """04 §10"""
    yield world.access | {"CredentialId": passkey(world)}
    assert world.call("ListWebAuthnCredentials", **world.access)["Credentials"] == []
