"""What a user can choose to begin a sign-in with, or who is not there seems to (spec/api/04 §5)."""

from msgspec.structs import replace

from poolhouse.core.first_factors import simulated, simulated_seconds
from poolhouse.core.risk_actions import with_assessment
from poolhouse.core.sign_in import Facts, facts_of, first_factors_due
from poolhouse.flows.challenges.talk import Talk
from poolhouse.model import ChallengeNameType

DIGEST_PURPOSE = "simulated-first-factors"


def find_facts(talk: Talk) -> Facts:
    """Return what is true of a sign-in now; of a user who is not there, what seems so, always the same."""
    facts, assessment = facts_of(talk.pool, talk.user, talk.device), talk.progress.assessment
    if talk.user is not None and assessment is not None:
        return with_assessment(facts, talk.pool, talk.user, assessment, talk.progress.methods)
    if talk.user is not None or not talk.progress.choosing:
        return facts
    chance = talk.call.deps.sealer.digest(DIGEST_PURPOSE, talk.pool.id, talk.name)
    first_factors = simulated(talk.pool, talk.name, chance)
    return replace(facts, first_factors=first_factors, factors=simulated_seconds(talk.pool, chance))


def find_choices(talk: Talk) -> list[ChallengeNameType] | None:
    """Return AvailableChallenges; None where there is nothing to choose, or no more."""
    if not talk.progress.is_choice_open:
        return None
    return list(first_factors_due(find_facts(talk), talk.progress))
