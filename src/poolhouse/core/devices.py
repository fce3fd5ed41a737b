"""Devices that users sign in from, and how the API shows them (spec/api/04 §8). Times are milliseconds."""

import msgspec
from msgspec import Struct

from poolhouse.core import srp
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.model import (
    AttributeType,
    DeviceRememberedStatusType,
    DeviceSecretVerifierConfigType,
    DeviceType,
    InvalidParameterException,
)
from poolhouse.model.shapes import DeviceKeyType

MAX_DEVICES = 100
INVALID_KEY = "Invalid device key given."


class Device(Struct, frozen=True, kw_only=True):
    """A device that a user confirmed.

    ``salt`` is in the wire's hexadecimal form and ``verifier`` sealed; both are None where the device has no secret
    to sign in with. ``address`` is where it last signed in from, ``authenticated_at`` when.
    """

    user_id: int
    key: str
    name: str | None = None
    remembered: bool
    salt: str | None = None
    verifier: bytes | None = None
    created_at: int
    modified_at: int
    authenticated_at: int
    address: str = ""


class Secret(Struct, frozen=True):
    """What SRP needs of a device's password: the salt in the wire's hexadecimal form, and the verifier."""

    salt: str
    verifier: int


def new_device_key(pool: Pool, uuid: str) -> str:
    """Return the key of a new device (spec/api/01 §6)."""
    return f"{pool.region}_{uuid}"


def read_key(given: str | None) -> str | None:
    """Return the device key that a sign-in names, None where it names none; raises InvalidParameterException."""
    if not given:
        return None
    try:
        return msgspec.convert(given, DeviceKeyType)
    except msgspec.ValidationError:
        raise InvalidParameterException(INVALID_KEY) from None


def read_secret(given: DeviceSecretVerifierConfigType | None) -> Secret | None:
    """Return the secret that a device is confirmed with, None without one; raises InvalidParameterException."""
    if given is None:
        return None
    verifier = srp.find_number(given.password_verifier or "", longest=srp.PRIME_BYTES)
    # Powers of the generator that anybody could name the exponent of.
    if verifier is None or not 1 < verifier < srp.PRIME - 1:
        raise InvalidParameterException("Invalid PasswordVerifier given.")
    salt = srp.find_number(given.salt or "", longest=srp.LONGEST_SALT)
    if not salt:
        raise InvalidParameterException("Invalid Salt given.")
    return Secret(srp.to_hex(salt), verifier)


def asks_user(pool: Pool) -> bool:
    """Whether a confirmed device is remembered only after its user said so."""
    configuration = pool.settings.device_configuration
    return configuration is not None and bool(configuration.device_only_remembered_on_user_prompt)


def is_second_factor(pool: Pool, device: Device | None) -> bool:
    """Whether a device answers for its user in place of a second factor."""
    configuration = pool.settings.device_configuration
    accepted = configuration is not None and bool(configuration.challenge_required_on_new_device)
    return accepted and device is not None and device.remembered and device.verifier is not None


def describe(device: Device, pool: Pool, user: User, account_id: str) -> DeviceType:
    """Return a device as the API shows it."""
    owner = f"{user.username}.{pool.id}"
    status = DeviceRememberedStatusType.remembered if device.remembered else DeviceRememberedStatusType.not_remembered
    attributes = {
        "device_status": "valid",
        "device_name": device.name,
        "dev:device_arn": f"arn:aws:cognito-idp:{pool.region}:{account_id}:owner/{owner}/device/{device.key}",
        "dev:device_owner": owner,
        "last_ip_used": device.address or None,
        "dev:device_remembered_status": status,
        "dev:device_sdk": "aws-sdk",
    }
    return DeviceType(
        device_key=device.key,
        device_attributes=[AttributeType(name=name, value=value) for name, value in attributes.items() if value],
        device_create_date=device.created_at / 1000,
        device_last_modified_date=device.modified_at / 1000,
        # Cognito: whole seconds (spec/api/01 §2.5).
        device_last_authenticated_date=float(device.authenticated_at // 1000),
    )
