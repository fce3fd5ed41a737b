"""Devices: their keys, their secrets, and what they stand for."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.core import srp
from poolhouse.core.devices import Device, is_second_factor, new_device_key, read_key, read_secret
from poolhouse.model import DeviceConfigurationType, DeviceSecretVerifierConfigType, InvalidParameterException
from tests.core.examples import make_pool

UUID = "5b1a0c4e-0000-4000-8000-000000000001"


def encoded(number: int) -> str:
    return base64.b64encode(srp.pad(number)).decode()


@given(st.integers(1, 2 ** (8 * srp.LONGEST_SALT) - 1), st.integers(2, srp.PRIME - 2))
def test_secrets_come_back_as_numbers(salt: int, verifier: int):
    """However their padding falls, salt and verifier mean the numbers that the device made them of."""
    given_ = DeviceSecretVerifierConfigType(password_verifier=encoded(verifier), salt=encoded(salt))
    secret = read_secret(given_)
    assert (int(secret.salt, 16), secret.verifier) == (salt, verifier)


@pytest.mark.parametrize("verifier", [0, 1, srp.PRIME - 1, srp.PRIME, srp.PRIME + 5])
def test_verifiers_that_anybody_could_answer_for(verifier: int):
    """Powers with a known exponent, and numbers outside the group, are refused."""
    with pytest.raises(InvalidParameterException):
        read_secret(DeviceSecretVerifierConfigType(password_verifier=encoded(verifier), salt=encoded(7)))


def test_keys():
    """A new key is one; nothing is none; anything else is refused (spec/api/13)."""
    key = new_device_key(make_pool(), UUID)
    assert key == f"eu-west-1_{UUID}"
    assert read_key(key) == key
    assert read_key(None) is read_key("") is None
    for wrong in ("x", f"eu-west-1_{UUID}\n", "é" * 9, "x" * 9999):
        with pytest.raises(InvalidParameterException, match=r"Invalid device key given\."):
            read_key(wrong)


@pytest.mark.parametrize(
    ("changes", "accepted", "stands"),
    [
        ({}, True, True),
        ({}, False, False),
        ({}, None, False),
        ({"remembered": False}, True, False),
        ({"verifier": None}, True, False),
    ],
)
def test_what_stands_for_a_second_factor(changes: dict, accepted: bool | None, stands: bool):
    """A remembered device with a secret, where the pool takes it for one (spec/api/04 §8)."""
    known = {"remembered": True, "verifier": b"sealed", "created_at": 0, "modified_at": 0, "authenticated_at": 0}
    device = Device(user_id=1, key="k", **known | changes)
    configuration = None if accepted is None else DeviceConfigurationType(challenge_required_on_new_device=accepted)
    pool = make_pool(device_configuration=configuration)
    assert is_second_factor(pool, device) is stands
    assert is_second_factor(pool, None) is False
