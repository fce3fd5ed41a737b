"""Confirmation codes: what for, how long, where to, and whether one is right (spec/api/03 §12)."""

import hmac
from collections.abc import Callable
from enum import StrEnum

from poolhouse.core.pool import Pool
from poolhouse.core.session import ConfirmationCode
from poolhouse.model import (
    ChallengeNameType,
    CodeMismatchException,
    ExpiredCodeException,
)

HOUR = 3_600_000
DIGITS = "0123456789"
LENGTH = 6
# Where a code alone says who somebody is, more digits (spec/api/03 §12).
FIRST_FACTOR_LENGTH = 8


class CodePurpose(StrEnum):
    """What a code proves. A user has one code of each at most: a new one voids the old (spec/api/03 §6)."""

    SIGN_UP = "sign-up"
    RECOVER = "recover"
    VERIFY_EMAIL = "verify-email"
    VERIFY_PHONE_NUMBER = "verify-phone-number"


LIFETIMES = {
    CodePurpose.SIGN_UP: 24 * HOUR,
    CodePurpose.RECOVER: HOUR,
    CodePurpose.VERIFY_EMAIL: 24 * HOUR,
    CodePurpose.VERIFY_PHONE_NUMBER: 24 * HOUR,
}
VERIFY = {"email": CodePurpose.VERIFY_EMAIL, "phone_number": CodePurpose.VERIFY_PHONE_NUMBER}
# Where the codes of factors go.
MESSAGED = {
    ChallengeNameType.SMS_MFA: "phone_number",
    ChallengeNameType.SMS_OTP: "phone_number",
    ChallengeNameType.EMAIL_OTP: "email",
}


def draw_code(draw: Callable[[int, str], str], length: int = LENGTH) -> str:
    """Return a new code of digits; ``draw(length, alphabet)`` is the chance."""
    return draw(length, DIGITS)


def is_open(stored: ConfirmationCode | None, now: int) -> bool:
    """Whether a code was sent that has not run out."""
    return stored is not None and now < stored.expires_at


def find_refusal(
    stored: ConfirmationCode | None, digest: bytes, now: int
) -> CodeMismatchException | ExpiredCodeException | None:
    """Return why a given code, as its digest, is refused; None where it is right.

    Returned, not raised, so that the attempt stays counted.
    """
    if stored is None or now >= stored.expires_at:
        return expired()
    if not hmac.compare_digest(stored.digest, digest):
        return mismatch()
    return None


def mismatch() -> CodeMismatchException:
    """Return the refusal of a wrong code."""
    return CodeMismatchException("Invalid verification code provided, please try again.")


def expired() -> ExpiredCodeException:
    """Return the refusal where no code is open: too old, used already, or never sent."""
    return ExpiredCodeException("Invalid code provided, please request a code again.")


def find_auto_verified(pool: Pool, attributes: dict[str, str]) -> str | None:
    """Return the attribute that a sign-up code goes to: the telephone first (spec/api/03 §5.8)."""
    for contact in ("phone_number", "email"):
        if (
            contact in pool.auto_verified
            and attributes.get(contact)
            and attributes.get(f"{contact}_verified") != "true"
        ):
            return contact
    return None
