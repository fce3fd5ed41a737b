"""Devices that are tracked: which one a sign-in comes from, what it confirms, and its secret (spec/api/04 §8)."""

from poolhouse.core.devices import MAX_DEVICES, Device, Secret, new_device_key, read_key
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.flows.calls import Call
from poolhouse.flows.users import get_user_again
from poolhouse.model import (
    DeviceKeyExistsException,
    InvalidUserPoolConfigurationException,
    NewDeviceMetadataType,
    ResourceNotFoundException,
)
from poolhouse.storage import Tx
from poolhouse.storage.errors import AlreadyExists

NOT_FOUND = "Device does not exist."
_PURPOSE = "device-verifier"


def check_tracking(pool: Pool) -> None:
    """Check that a pool tracks devices; raises InvalidUserPoolConfigurationException."""
    if not pool.tracks_devices:
        raise InvalidUserPoolConfigurationException("Device tracking is not enabled for the user pool.")


def find_named_key(pool: Pool, given: str | None) -> str | None:
    """Return the key that a request names where the pool tracks devices; raises InvalidParameterException."""
    return read_key(given) if pool.tracks_devices else None


def offer(call: Call, pool: Pool) -> NewDeviceMetadataType | None:
    """Return what a device needs to be confirmed after a sign-in; None where the pool tracks none."""
    if not pool.tracks_devices:
        return None
    key = new_device_key(pool, call.deps.random.uuid())
    return NewDeviceMetadataType(device_key=key, device_group_key=pool.device_group_key)


def note_sign_in(tx: Tx, call: Call, device: Device) -> None:
    """Note that a device was signed in from; raises ResourceNotFoundException where it was forgotten meanwhile."""
    if not tx.devices.note_sign_in(device.user_id, device.key, address=call.origin.address, now=call.now):
        raise ResourceNotFoundException(NOT_FOUND)


def find_device(tx: Tx, pool: Pool, user: User | None, key: str | None) -> Device | None:
    """Return the user's device of a key; None too where the pool tracks none."""
    if key is None or not pool.tracks_devices:
        return None
    # Nobody has no devices; looking all the same takes as long as for somebody.
    return tx.devices.find(user.id if user else 0, key)


def get_device(tx: Tx, user: User, key: str) -> Device:
    """Return the user's device of a key; raises ResourceNotFoundException."""
    device = tx.devices.find(user.id, key)
    if device is None:
        raise ResourceNotFoundException(NOT_FOUND)
    return device


def seal_verifier(call: Call, user: User, key: str, secret: Secret) -> bytes:
    """Return the verifier of a device's secret as it is stored."""
    plain = secret.verifier.to_bytes((secret.verifier.bit_length() + 7) // 8, "big")
    return call.deps.sealer.seal(_PURPOSE, plain, _context(user, key))


def open_verifier(call: Call, user: User, device: Device) -> int:
    """Return the verifier of the secret that a device has. Raises SealBroken."""
    assert device.verifier is not None
    return int.from_bytes(call.deps.sealer.open(_PURPOSE, device.verifier, _context(user, device.key)), "big")


async def confirm(call: Call, user: User, device: Device) -> None:
    """Store a new device; raises DeviceKeyExistsException, UserNotFoundException."""

    def commit(tx: Tx) -> None:
        get_user_again(tx, user)
        if tx.devices.find(user.id, device.key) is not None:
            raise AlreadyExists("device")
        tx.devices.insert(device, MAX_DEVICES)

    try:
        await call.store.write(commit)
    except AlreadyExists:
        raise DeviceKeyExistsException("A device with the key already exists.") from None


def _context(user: User, key: str) -> bytes:
    return f"{user.pool_id}/{user.sub}/{key}".encode()
