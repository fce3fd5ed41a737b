"""The challenges of a sign-in: one module each, with ``ask`` and ``check``.

``flows.sign_in`` is the loop around them, ``core.sign_in`` decides which one comes next.
A challenge that this table lacks is one that this version cannot ask.
"""

from poolhouse.flows.challenges import device, device_verifier, new_password, password, srp
from poolhouse.flows.challenges.talk import Challenge
from poolhouse.model import ChallengeNameType

CHALLENGES: dict[ChallengeNameType, Challenge] = {
    ChallengeNameType.PASSWORD: password,
    ChallengeNameType.PASSWORD_VERIFIER: srp,
    ChallengeNameType.NEW_PASSWORD_REQUIRED: new_password,
    ChallengeNameType.DEVICE_SRP_AUTH: device,
    ChallengeNameType.DEVICE_PASSWORD_VERIFIER: device_verifier,
}
