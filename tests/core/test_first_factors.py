"""What users can begin a choice-based sign-in with, and what nobody seems to (spec/api/04 §5)."""

from typing import Any

import pytest
from msgspec.structs import replace

from poolhouse.core.first_factors import PASSWORDS, available_to, simulated
from poolhouse.core.pool import Pool
from poolhouse.core.user import Credentials, Factors, User
from poolhouse.model import (
    AuthFactorType,
    GetUserPoolMfaConfigResponse,
    SignInPolicyType,
    UserPoolMfaType,
    UserPoolPolicyType,
    UserPoolType,
    UserStatusType,
    VerifiedAttributeType,
    WebAuthnConfigurationType,
    WebAuthnFactorConfigurationType,
)
from poolhouse.model import ChallengeNameType as Challenge

EVERYTHING = [AuthFactorType(name) for name in ("PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN")]
MULTI = WebAuthnFactorConfigurationType.MULTI_FACTOR_WITH_USER_VERIFICATION
MAIL = {"email": "a@x.org", "email_verified": "true"}
EMAIL_OTP, SMS_OTP, WEB_AUTHN = Challenge.EMAIL_OTP, Challenge.SMS_OTP, Challenge.WEB_AUTHN


def pool_of(
    *, mfa: UserPoolMfaType = UserPoolMfaType.OFF, allowed: list[AuthFactorType] = EVERYTHING, both: bool = False
) -> Pool:
    policies = UserPoolPolicyType(sign_in_policy=SignInPolicyType(allowed_first_auth_factors=allowed))
    passkeys = WebAuthnConfigurationType(factor_configuration=MULTI if both else None)
    return Pool(
        id="us-east-1_AbCdEfGhI",
        settings=UserPoolType(policies=policies, auto_verified_attributes=[VerifiedAttributeType.email]),
        mfa=GetUserPoolMfaConfigResponse(mfa_configuration=mfa, web_authn_configuration=passkeys),
        device_group_key="-v7w9UcY6",
    )


ANN = User(
    pool_id="us-east-1_AbCdEfGhI",
    sub="sub",
    username="ann",
    status=UserStatusType.CONFIRMED,
    attributes={},
    credentials=Credentials(password_hash="x"),
    created_at=0,
    modified_at=0,
)


@pytest.mark.parametrize(
    ("pool", "changes", "expected"),
    [
        ({}, {}, PASSWORDS),
        ({}, {"attributes": MAIL}, (*PASSWORDS, EMAIL_OTP)),
        ({}, {"attributes": MAIL | {"email_verified": "false", "phone_number": "+1"}}, (*PASSWORDS, SMS_OTP)),
        ({}, {"attributes": MAIL, "credentials": Credentials()}, (EMAIL_OTP,)),
        ({}, {"credentials": Credentials()}, PASSWORDS),
        ({}, {"passkeys": 1}, (*PASSWORDS, WEB_AUTHN)),
        ({}, {"passkeys": 1, "attributes": MAIL, "status": UserStatusType.FORCE_CHANGE_PASSWORD}, PASSWORDS),
        ({"allowed": EVERYTHING[:1]}, {"passkeys": 1, "attributes": MAIL}, PASSWORDS),
        ({"mfa": UserPoolMfaType.ON, "both": True}, {"passkeys": 1, "attributes": MAIL}, PASSWORDS),
        (
            {"mfa": UserPoolMfaType.ON, "both": True},
            {"passkeys": 1, "factors": Factors(passkey_mfa=True)},
            (*PASSWORDS, WEB_AUTHN),
        ),
        ({"mfa": UserPoolMfaType.ON}, {"passkeys": 1, "factors": Factors(passkey_mfa=True)}, PASSWORDS),
    ],
)
def test_what_is_available(pool: dict[str, Any], changes: dict[str, Any], expected: tuple[Challenge, ...]):
    """It takes the pool's leave and what the user has; a required second factor rules out what is one factor only."""
    assert available_to(pool_of(**pool), replace(ANN, **changes)) == expected


def test_what_nobody_seems_to_have():
    """By chance it is whatever somebody could have: codes go where most users have an address, few have no password."""
    pool = pool_of()
    seen = {simulated(pool, "ann", bytes((0, sms, key, bare))) for sms in (0, 1) for key in (0, 1) for bare in (0, 99)}
    assert len(seen) == 8
    assert all(EMAIL_OTP in each for each in seen)
    assert {SMS_OTP in each for each in seen} == {WEB_AUTHN in each for each in seen} == {True, False}
    assert {each[:2] == PASSWORDS for each in seen} == {True, False}
    assert SMS_OTP in simulated(pool, "+15550100", bytes(4))
    required = pool_of(mfa=UserPoolMfaType.ON)
    assert simulated(required, "a@x.org", bytes((1, 1, 1, 0))) == PASSWORDS
    assert simulated(pool_of(mfa=UserPoolMfaType.ON, both=True), "ann", b"\1" * 4) == (*PASSWORDS, WEB_AUTHN)
