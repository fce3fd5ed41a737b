"""SELECT_MFA_TYPE: which one of several second factors the user wants to show (spec/api/04 §4)."""

import json
from collections.abc import Mapping

from msgspec.structs import replace

from poolhouse.core.factors import EMAIL, FACTORS
from poolhouse.core.sign_in import factors_due
from poolhouse.flows.challenges.choice import find_facts
from poolhouse.flows.challenges.talk import Proved, Question, Talk, identified, required
from poolhouse.model import ChallengeNameType, InvalidParameterException, MFAMethodNotFoundException

# spec/api/04 §1: the documentation's second name.
_NAMES = {factor.value: factor for factor in FACTORS} | {"EMAIL_MFA": EMAIL}


async def ask(talk: Talk, _: Mapping[str, str]) -> Question:
    """Name the factors to choose from."""
    return Question({"MFAS_CAN_CHOOSE": json.dumps(_choices(talk), separators=(",", ":"))} | identified(talk))


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Note the choice, which shows nothing yet.

    Raises InvalidParameterException for what is no factor, MFAMethodNotFoundException for one that the user has not.
    """
    assert talk.user is not None
    chosen = _NAMES.get(required(answer, "ANSWER"))
    if chosen is None:
        raise InvalidParameterException(f"ANSWER must be one of {', '.join(_choices(talk))}.")
    if chosen not in _choices(talk):
        raise MFAMethodNotFoundException(f"The user has no MFA method {chosen}.")
    return Proved(talk.user, replace(talk.progress, factor=chosen))


def _choices(talk: Talk) -> tuple[ChallengeNameType, ...]:
    return factors_due(find_facts(talk), talk.progress)
