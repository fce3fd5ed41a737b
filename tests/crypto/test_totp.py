"""One-time passwords by the test vectors of RFC 6238, and how long they count."""

import pytest

from poolhouse.crypto import totp
from tests.authenticator import one_time_code

# RFC 6238 appendix B, its SHA-1 rows; six digits are the last six of the eight printed there.
SECRET = b"12345678901234567890"
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_vectors_of_the_rfc(seconds: int, code: str):
    """The codes printed in the RFC are right at their times, and belong to the step of that time."""
    assert totp.find_step(SECRET, code, seconds * 1000) == seconds // 30
    assert one_time_code(totp.to_text(SECRET), seconds) == code


@pytest.mark.parametrize(("late", "right"), [(-60, False), (-30, True), (0, True), (30, True), (59, True), (60, False)])
def test_the_window(late: int, right: bool):
    """The step before and the one after count too, not more (spec/api/04 §9)."""
    at = 1234567890 // 30 * 30
    code = one_time_code(totp.to_text(SECRET), at)
    assert (totp.find_step(SECRET, code, (at + late) * 1000) is not None) == right
    assert totp.valid_until(at // 30) == (at + 60) * 1000


@pytest.mark.parametrize("code", ["", "28708", "2870820", "x87082", "２８７０８２"])
def test_what_is_no_code(code: str):
    """Anything but six ASCII digits is wrong."""
    assert totp.find_step(SECRET, code, 59_000) is None


def test_the_text_of_a_secret():
    """A secret of 256 bits is 52 characters of base32 without padding."""
    assert totp.to_text(bytes(totp.SECRET_LENGTH)) == "A" * 52
