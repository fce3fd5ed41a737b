"""PASSWORD_SRP: the first half of SRP, where the user chose it (spec/api/04 §5); PASSWORD_VERIFIER is the second."""

from collections.abc import Mapping

from msgspec.structs import replace

from poolhouse.core import srp
from poolhouse.flows.challenges.talk import Proved, Question, Talk, required
from poolhouse.model import ChallengeNameType


async def ask(_talk: Talk, _given: Mapping[str, str]) -> Question:
    """Show nothing: the client goes first."""
    return Question({})


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Check that the answer has what the next challenge is asked with; it proves nothing yet."""
    srp.read_public(required(answer, "SRP_A"))
    return Proved(talk.user, replace(talk.progress, method=ChallengeNameType.PASSWORD_VERIFIER))
