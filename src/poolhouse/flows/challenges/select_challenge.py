"""SELECT_CHALLENGE: the user chooses how to show who they are (spec/api/04 §5)."""

from collections.abc import Mapping

from msgspec.structs import replace

from poolhouse.flows.challenges.choice import find_choices
from poolhouse.flows.challenges.talk import Proved, Question, Talk, required
from poolhouse.model import ChallengeNameType, InvalidParameterException


async def ask(_talk: Talk, _given: Mapping[str, str]) -> Question:
    """Show nothing: what there is to choose from is told beside the challenge."""
    return Question({})


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Take a choice, which proves nothing; raises InvalidParameterException."""
    choices = find_choices(talk) or []
    chosen = choose(choices, required(answer, "ANSWER"))
    if chosen is None:
        raise InvalidParameterException(f"ANSWER must be one of {', '.join(choices)}.")
    return Proved(talk.user, replace(talk.progress, method=chosen))


def choose(choices: list[ChallengeNameType], wanted: str | None) -> ChallengeNameType | None:
    """Return the challenge of a name, None where it is not to be chosen."""
    return next((choice for choice in choices if choice == wanted), None)
