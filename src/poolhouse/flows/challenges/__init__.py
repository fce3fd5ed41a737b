"""The challenges of a sign-in: one module each, with ``ask`` and ``check``.

``flows.sign_in`` is the loop around them, ``core.sign_in`` decides which one comes next.
A challenge that this table lacks is one that this version cannot ask.
"""

from poolhouse.flows.challenges import (
    custom,
    device,
    device_verifier,
    mfa_setup,
    new_password,
    one_time_code,
    passkey,
    password,
    password_srp,
    select_challenge,
    select_mfa_type,
    software_token,
    srp,
)
from poolhouse.flows.challenges.talk import Challenge
from poolhouse.model import ChallengeNameType

CHALLENGES: dict[ChallengeNameType, Challenge] = {
    ChallengeNameType.SELECT_CHALLENGE: select_challenge,
    ChallengeNameType.PASSWORD: password,
    ChallengeNameType.PASSWORD_SRP: password_srp,
    ChallengeNameType.PASSWORD_VERIFIER: srp,
    ChallengeNameType.WEB_AUTHN: passkey,
    ChallengeNameType.NEW_PASSWORD_REQUIRED: new_password,
    ChallengeNameType.DEVICE_SRP_AUTH: device,
    ChallengeNameType.DEVICE_PASSWORD_VERIFIER: device_verifier,
    ChallengeNameType.CUSTOM_CHALLENGE: custom,
    ChallengeNameType.SOFTWARE_TOKEN_MFA: software_token,
    ChallengeNameType.SMS_MFA: one_time_code.sms_mfa,
    ChallengeNameType.SMS_OTP: one_time_code.sms_otp,
    ChallengeNameType.EMAIL_OTP: one_time_code.email_otp,
    ChallengeNameType.SELECT_MFA_TYPE: select_mfa_type,
    ChallengeNameType.MFA_SETUP: mfa_setup,
}
