"""What is done about a risky sign-in, and what is asked of it once (spec/api/07 §3)."""

from enum import StrEnum

from msgspec.structs import replace

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


def usable_factors(pool: Pool, user: User) -> tuple[ChallengeNameType, ...]:
    """Return the second factors that a risky sign-in can be asked for.

    Those that every sign-in asks for; of a user without any, all that the pool offers and the user can answer: an
    authenticator app that is not in use, a telephone number, a verified mail address. None where the pool has MFA off.
    """
    due = due_factors(pool, user)
    if due or pool.mfa.mfa_configuration in {None, UserPoolMfaType.OFF}:
        return due
    return tuple(factor for factor in FACTORS if can_show(user, factor) and is_offered(pool, factor))


def with_assessment(facts: Facts, pool: Pool, user: User, assessment: Assessment) -> Facts:
    """Return the facts of a sign-in of which risk asks a second factor; no remembered device stands for it."""
    if not assessment.factor_due:
        return facts
    return replace(facts, factors=usable_factors(pool, user), factor_required=True, trusted_device=False)
