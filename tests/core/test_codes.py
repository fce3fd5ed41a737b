"""Confirmation codes: right, wrong, late; and where they go."""

import pytest

from poolhouse.core import codes
from poolhouse.core.codes import LIFETIMES, CodePurpose
from poolhouse.core.recovery import check_recoverable, get_recovery_attribute
from poolhouse.core.session import ConfirmationCode
from poolhouse.model import (
    AccountRecoverySettingType,
    CodeMismatchException,
    ExpiredCodeException,
    InvalidParameterException,
    NotAuthorizedException,
    RecoveryOptionType,
)
from tests.core.examples import make_pool, make_user

STORED = ConfirmationCode(
    purpose=CodePurpose.SIGN_UP, digest=b"right", attribute="email", destination="a@x.org", expires_at=1000
)
BOTH = {"email": "a@x.org", "email_verified": "true", "phone_number": "+491", "phone_number_verified": "true"}


def recovery(*names):
    options = [RecoveryOptionType(name=name, priority=priority) for priority, name in enumerate(names, 1)]
    return make_pool(account_recovery_setting=AccountRecoverySettingType(recovery_mechanisms=options))


def test_a_right_code_is_not_refused():
    """Until its last millisecond."""
    assert codes.find_refusal(STORED, b"right", 999) is None
    assert codes.is_open(STORED, 999)


@pytest.mark.parametrize(
    ("stored", "digest", "now", "error", "text"),
    [
        (STORED, b"wrong", 0, CodeMismatchException, "Invalid verification code provided, please try again."),
        (STORED, b"right", 1000, ExpiredCodeException, "Invalid code provided, please request a code again."),
        (STORED, b"wrong", 1000, ExpiredCodeException, "Invalid code provided, please request a code again."),
        (None, b"right", 0, ExpiredCodeException, "Invalid code provided, please request a code again."),
    ],
)
def test_refusals(stored, digest, now, error, text):
    """Wrong codes mismatch; late, used and never sent ones have expired."""
    refusal = codes.find_refusal(stored, digest, now)

    assert type(refusal) is error
    assert refusal.message == text


def test_lifetimes():
    """A day to confirm or verify, an hour to recover."""
    assert LIFETIMES[CodePurpose.SIGN_UP] == LIFETIMES[CodePurpose.VERIFY_EMAIL] == 24 * 3_600_000
    assert LIFETIMES[CodePurpose.RECOVER] == 3_600_000


@pytest.mark.parametrize(
    ("verified", "attributes", "contact"),
    [
        (["email", "phone_number"], {"email": "a@x.org", "phone_number": "+491"}, "phone_number"),
        (["email", "phone_number"], {"email": "a@x.org"}, "email"),
        (["email"], {"phone_number": "+491"}, None),
        ([], {"email": "a@x.org"}, None),
        (["email"], {"email": "a@x.org", "email_verified": "true"}, None),
    ],
)
def test_where_the_sign_up_code_goes(verified, attributes, contact):
    """To the telephone first, and only to what is supplied and not verified already."""
    assert codes.find_auto_verified(make_pool(auto_verified_attributes=verified), attributes) == contact


@pytest.mark.parametrize(
    ("pool", "attributes", "contact"),
    [
        (recovery("verified_email", "verified_phone_number"), BOTH, "email"),
        (recovery("verified_phone_number", "verified_email"), BOTH, "phone_number"),
        (recovery("verified_phone_number", "verified_email"), BOTH | {"phone_number_verified": "false"}, "email"),
        (make_pool(), BOTH, "phone_number"),
        (make_pool(), {"email": "a@x.org", "email_verified": "true"}, "email"),
    ],
)
def test_where_the_recovery_code_goes(pool, attributes, contact):
    """To the verified contact of the first priority; in pools without a setting to the telephone first."""
    assert get_recovery_attribute(pool, make_user(attributes=attributes)) == contact


@pytest.mark.parametrize(
    ("pool", "attributes"),
    [
        (recovery("verified_email"), {"phone_number": "+491", "phone_number_verified": "true"}),
        (recovery("verified_email"), {"email": "a@x.org", "email_verified": "false"}),
        (make_pool(), {}),
    ],
)
def test_nowhere_to_send_a_recovery_code(pool, attributes):
    """Without a verified contact there is no recovery."""
    with pytest.raises(InvalidParameterException) as refusal:
        get_recovery_attribute(pool, make_user(attributes=attributes))

    assert refusal.value.message == (
        "Cannot reset password for the user as there is no registered/verified email or phone_number"
    )


def test_recovery_by_administrators_only():
    """Where only administrators reset passwords users are told so."""
    check_recoverable(recovery("verified_email"))
    with pytest.raises(NotAuthorizedException) as refusal:
        check_recoverable(recovery("admin_only"))

    assert refusal.value.message == "Contact administrator to reset password."
