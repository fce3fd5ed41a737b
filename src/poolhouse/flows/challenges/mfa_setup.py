"""MFA_SETUP: a second factor for a user who has none, where the pool requires one (spec/api/04 §4).

The secret of the authenticator app travels under the seal of the ``Session``, through AssociateSoftwareToken and
VerifySoftwareToken (``flows.enrolment``), and is stored with the answer to the challenge. So does an address for codes:
it becomes the user's with the first right code (``one_time_code``).
"""

import json
from collections.abc import Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.attributes import check_changes, check_writable
from poolhouse.core.codes import MESSAGED
from poolhouse.core.factors import EMAIL, SMS, TO_SET_UP, check_offered, is_offered, with_token
from poolhouse.core.pool import Pool
from poolhouse.core.sign_in import Proof
from poolhouse.core.user import User
from poolhouse.flows.challenges.choice import find_facts
from poolhouse.flows.challenges.talk import Proved, Question, Talk, identified
from poolhouse.flows.sign_in_state import INVALID_SESSION
from poolhouse.flows.software_tokens import seal_token
from poolhouse.flows.users import get_user_again, save_user
from poolhouse.model import ChallengeNameType, InvalidParameterException, NotAuthorizedException
from poolhouse.storage import Tx

# Under which name the address for the codes of a factor is given.
ADDRESSES = {EMAIL: "EMAIL", SMS: "PHONE_NUMBER"}
# RFC 5321 §4.5.3.1: no address that mail can be sent to is longer, and a ``Session`` has room for it.
LONGEST_ADDRESS = 320


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
    return [factor for factor in TO_SET_UP if is_offered(pool, factor)]


def write_enrolment(enrolment: Enrolment) -> bytes:
    """Return an enrolment as it is kept under the seal."""
    return _ENCODER.encode(enrolment)


def find_enrolment(secret: bytes) -> Enrolment | None:
    """Return the enrolment under a seal, None where none has begun."""
    return _DECODER.decode(secret) if secret else None


async def ask(talk: Talk, _: Mapping[str, str]) -> Question:
    """Name the factors to choose from; raises NotAuthorizedException where risk asks for one that is gone by now."""
    if talk.progress.is_risky:
        raise NotAuthorizedException(INVALID_SESSION)
    return Question({"MFAS_CAN_SETUP": json.dumps(choices(talk.pool), separators=(",", ":"))} | identified(talk))


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Take the address that codes are to go to, or else check that an app was set up.

    Raises InvalidParameterException, NotAuthorizedException.
    """
    user = talk.user
    assert user is not None
    if find_facts(talk).factors:
        # Somebody has set a factor up meanwhile: from then on that is what is to be shown, not another one.
        raise NotAuthorizedException(INVALID_SESSION)
    for factor, name in ADDRESSES.items():
        if answer.get(name):
            address = _checked_address(talk, user, factor, answer[name])
            return Proved(user, replace(talk.progress, factor=factor, address=address))
    return _prove_app(talk, user)


def _checked_address(talk: Talk, user: User, factor: ChallengeNameType, address: str) -> str:
    """Return an address in its stored form. One that is there already is replaced by clients that may write it."""
    check_offered(talk.pool, factor)
    attribute = MESSAGED[factor]
    present = user.attributes.get(attribute)
    if address == present:
        return address
    if present:
        check_writable(talk.pool, talk.client, [attribute])
    if len(address) > LONGEST_ADDRESS:
        raise InvalidParameterException(f"{ADDRESSES[factor]} can have at most {LONGEST_ADDRESS} characters.")
    return check_changes(talk.pool, {attribute: address})[attribute]


def _prove_app(talk: Talk, user: User) -> Proved:
    """Have sign-ins ask for the app from now on."""
    enrolment = find_enrolment(talk.secret)
    if enrolment is None or not enrolment.verified:
        raise InvalidParameterException("User has not set up software token mfa")
    token = seal_token(talk.call, user, enrolment.secret, enrolment.created_at, enrolment.name)
    factors = with_token(user.factors, token, active=True)

    def keep(tx: Tx) -> None:
        stored = get_user_again(tx, user)
        if stored.factors != user.factors:
            raise NotAuthorizedException(INVALID_SESSION)
        save_user(tx, talk.pool, replace(stored, factors=factors, modified_at=talk.call.now))

    changed = replace(user, factors=factors, modified_at=talk.call.now)
    return Proved(changed, talk.progress.having(Proof.SECOND_FACTOR), (keep,))
