"""MFA_SETUP: a second factor for a user who has none, where the pool requires one (spec/api/04 §4).

The secret of the authenticator app travels under the seal of the ``Session``, through AssociateSoftwareToken and
VerifySoftwareToken (``flows.enrolment``), and is stored with the answer to the challenge.
"""

import json
from collections.abc import Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.factors import TOTP, due_factors, is_offered, with_token
from poolhouse.core.pool import Pool
from poolhouse.core.sign_in import Proof
from poolhouse.flows.challenges.talk import Proved, Question, Talk, identified
from poolhouse.flows.sign_in_state import INVALID_SESSION
from poolhouse.flows.software_tokens import seal_token
from poolhouse.flows.users import get_user_again, save_user
from poolhouse.model import ChallengeNameType, InvalidParameterException, NotAuthorizedException
from poolhouse.storage import Tx


class Enrolment(Struct, frozen=True, array_like=True):
    """A secret on its way: ``verified`` once its first code was right. ``created_at`` is in milliseconds."""

    secret: bytes
    created_at: int
    name: str = ""
    verified: bool = False


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Enrolment)


def choices(pool: Pool) -> list[ChallengeNameType]:
    """Return the factors that a user can set up."""
    return [TOTP] if is_offered(pool, TOTP) else []


def write_enrolment(enrolment: Enrolment) -> bytes:
    """Return an enrolment as it is kept under the seal."""
    return _ENCODER.encode(enrolment)


def find_enrolment(secret: bytes) -> Enrolment | None:
    """Return the enrolment under a seal, None where none has begun."""
    return _DECODER.decode(secret) if secret else None


async def ask(talk: Talk, _: Mapping[str, str]) -> Question:
    """Name the factors to choose from."""
    return Question({"MFAS_CAN_SETUP": json.dumps(choices(talk.pool), separators=(",", ":"))} | identified(talk))


async def check(talk: Talk, _: Mapping[str, str]) -> Proved:
    """Check that a factor was set up, and have sign-ins ask for it from now on.

    Raises InvalidParameterException, NotAuthorizedException.
    """
    user, enrolment = talk.user, find_enrolment(talk.secret)
    if user is None or enrolment is None or not enrolment.verified:
        raise InvalidParameterException("User has not set up software token mfa")
    if due_factors(talk.pool, user):
        # Somebody has set a factor up meanwhile: from then on that is what is to be shown, not another one.
        raise NotAuthorizedException(INVALID_SESSION)
    token = seal_token(talk.call, user, enrolment.secret, enrolment.created_at, enrolment.name)
    factors = with_token(user.factors, token, active=True)

    def keep(tx: Tx) -> None:
        stored = get_user_again(tx, user)
        if stored.factors != user.factors:
            raise NotAuthorizedException(INVALID_SESSION)
        save_user(tx, talk.pool, replace(stored, factors=factors, modified_at=talk.call.now))

    changed = replace(user, factors=factors, modified_at=talk.call.now)
    return Proved(changed, talk.progress.having(Proof.SECOND_FACTOR), (keep,))
