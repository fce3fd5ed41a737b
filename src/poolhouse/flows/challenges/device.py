"""DEVICE_SRP_AUTH: a remembered device begins to prove its secret, in place of a second factor (spec/api/04 §8)."""

from collections.abc import Mapping

from poolhouse.core import srp
from poolhouse.core.sign_in import Proof
from poolhouse.flows.challenges.talk import Proved, Question, Talk, required


async def ask(_talk: Talk, _given: Mapping[str, str]) -> Question:
    """Show nothing: the device knows who it is."""
    return Question({})


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Check that the answer has what the next challenge is asked with; it proves nothing yet."""
    assert talk.user is not None
    srp.read_public(required(answer, "SRP_A"))
    required(answer, "DEVICE_KEY")
    return Proved(talk.user, talk.progress.having(Proof.DEVICE_NAMED))
