"""What is done about a risky sign-in, and what is asked of it once (spec/api/07 §3)."""

from enum import StrEnum

from msgspec.structs import replace

from poolhouse.core.acr import METHOD_OF, Methods
from poolhouse.core.factors import FACTORS, can_show, due_factors, is_offered
from poolhouse.core.pool import Pool
from poolhouse.core.risk_levels import Assessment
from poolhouse.core.sign_in import Facts
from poolhouse.core.user import User
from poolhouse.model import AccountTakeoverEventActionType as Action
from poolhouse.model import ChallengeNameType, UserPoolMfaType


class Outcome(StrEnum):
    """What a risky sign-in comes to; each has a mail of its own."""

    BLOCKED = "BLOCK"
    ASKED = "MFA"
    PASSED = "NO_ACTION"


def choose_outcome(action: Action, factors: tuple[ChallengeNameType, ...]) -> Outcome:
    """Return what an action comes to for a user who can show one of these factors."""
    if action is Action.BLOCK or (action is Action.MFA_REQUIRED and not factors):
        return Outcome.BLOCKED
    return Outcome.PASSED if action is Action.NO_ACTION or not factors else Outcome.ASKED


def usable_factors(pool: Pool, user: User, shown: Methods) -> tuple[ChallengeNameType, ...]:
    """Return the second factors that a risky sign-in can be asked for: none that is ``shown`` already.

    Those that every sign-in asks for; of a user without any, all that the pool offers and the user can answer: an
    authenticator app that is not in use, a telephone number, a verified mail address. None where the pool has MFA off.
    """
    usable = due_factors(pool, user)
    if not usable and pool.mfa.mfa_configuration not in {None, UserPoolMfaType.OFF}:
        usable = tuple(factor for factor in FACTORS if can_show(user, factor) and is_offered(pool, factor))
    return tuple(factor for factor in usable if METHOD_OF[factor] not in shown)


def with_assessment(facts: Facts, pool: Pool, user: User, assessment: Assessment, shown: Methods) -> Facts:
    """Return the facts of a sign-in of which risk asks a second factor; no remembered device stands for it."""
    if not assessment.factor_due:
        return facts
    return replace(facts, factors=usable_factors(pool, user, shown), factor_required=True, trusted_device=False)
