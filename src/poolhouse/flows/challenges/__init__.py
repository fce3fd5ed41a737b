"""The challenges of a sign-in: one module each, with ``ask`` and ``check``.

``flows.sign_in`` is the loop around them, ``core.sign_in`` decides which one comes next.
A challenge that this table lacks is one that this version cannot ask.
"""

from poolhouse.core.pool import Pool
from poolhouse.flows.challenges import (
    custom,
    device,
    device_verifier,
    mfa_setup,
    new_password,
    password,
    software_token,
    srp,
)
from poolhouse.flows.challenges.talk import Challenge
from poolhouse.model import ChallengeNameType

CHALLENGES: dict[ChallengeNameType, Challenge] = {
    ChallengeNameType.PASSWORD: password,
    ChallengeNameType.PASSWORD_VERIFIER: srp,
    ChallengeNameType.NEW_PASSWORD_REQUIRED: new_password,
    ChallengeNameType.DEVICE_SRP_AUTH: device,
    ChallengeNameType.DEVICE_PASSWORD_VERIFIER: device_verifier,
    ChallengeNameType.CUSTOM_CHALLENGE: custom,
    ChallengeNameType.SOFTWARE_TOKEN_MFA: software_token,
    ChallengeNameType.MFA_SETUP: mfa_setup,
}


def is_askable(challenge: ChallengeNameType, pool: Pool) -> bool:
    """Tell whether this version can ask a challenge; one to set a factor up needs a factor that it can."""
    if challenge == ChallengeNameType.MFA_SETUP:
        return bool(mfa_setup.choices(pool))
    return challenge in CHALLENGES
