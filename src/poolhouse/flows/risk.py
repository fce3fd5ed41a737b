"""Threat protection while a user signs in (spec/api/07): once the password is proved, before anything else is asked.

Pools without it pay one comparison. Others pay a read of the user's latest events, bounded in number, in the step that
proves who is there; what was found travels sealed with the progress, and is recorded with the event of the sign-in.

Differs from Cognito (threat protection): levels of risk follow from a table of signs, not from learning: see
docs/how-to/threat-protection.md. Of a configuration that is set, what is left out takes no action. Where both lists of
a configuration hold an address, sign-in from it is blocked. City and Country are told where POOLHOUSE_GEOIP names a
file of places.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from poolhouse.core.auth_events import (
    failures_before,
    is_assessed,
    is_enforced,
    known_sightings,
    shown_by,
)
from poolhouse.core.limits import HOUR
from poolhouse.core.risk import find_action, is_password_barred, is_skipped
from poolhouse.core.risk_actions import Outcome, choose_outcome, usable_factors
from poolhouse.core.risk_levels import Assessment, Past, Sighting, find_signs, level_of
from poolhouse.core.sign_in import Facts
from poolhouse.core.user import User
from poolhouse.flows import limits, risk_mail
from poolhouse.flows.challenges.choice import find_facts
from poolhouse.flows.challenges.talk import Talk, Write
from poolhouse.flows.journal import BLOCKED
from poolhouse.flows.passwords import without_password
from poolhouse.flows.users import get_user_again, save_user
from poolhouse.model import (
    AccountTakeoverActionType,
    ChallengeNameType,
    EventFilterType,
    EventResponseType,
    NotAuthorizedException,
    PasswordResetRequiredException,
    RiskConfigurationType,
    RiskDecisionType,
    RiskLevelType,
    ServiceError,
    UserStatusType,
)
from poolhouse.storage import Tx

# Events that a sign-in is held against, and those that wrong passwords are counted in.
KNOWN, LATEST = 20, 20
COMPROMISED = "Password reset required for the user due to security reasons"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """A sign-in that is looked at: what holds for it, and what it is held against."""

    talk: Talk
    user: User
    configuration: RiskConfigurationType | None
    seen: Sighting
    past: Past

    @property
    def enforced(self) -> bool:
        """Whether anything follows."""
        return is_enforced(self.talk.pool, self.talk.progress.method)


async def weigh(talk: Talk, given: Mapping[str, str], writes: tuple[Write, ...]) -> tuple[Talk, Facts]:
    """Return a sign-in with what was found out about it, and the facts that it goes on by.

    ``given`` is what the request brought along, ``writes`` what a refusal writes besides.
    Raises NotAuthorizedException where it is blocked, PasswordResetRequiredException where the password is known to
    attackers.
    """
    user, progress = talk.user, talk.progress
    due = progress.is_identified and progress.assessment is None
    if user is not None and due and is_assessed(talk.pool, progress.method):
        talk = _with(talk, await _assess(talk, user, given, writes))
    return talk, find_facts(talk)


async def _assess(talk: Talk, user: User, given: Mapping[str, str], writes: tuple[Write, ...]) -> Assessment:
    weighing = await _look_back(talk, user)
    if is_skipped(weighing.configuration, weighing.seen.address):
        return Assessment()
    # Beside any other proof a PASSWORD would be anything.
    password = given.get("PASSWORD") if talk.progress.method is ChallengeNameType.PASSWORD else None
    compromised = await talk.call.deps.breached.knows(password) if password else None
    level = level_of(find_signs(weighing.seen, weighing.past))
    decision = RiskDecisionType.NoRisk if level is None else RiskDecisionType.AccountTakeover
    found = Assessment(level=level, decision=decision, compromised=compromised)
    if weighing.enforced and compromised:
        await _bar_password(weighing, found, writes)
    return found if level is None or not weighing.enforced else await _act(weighing, found, level, writes)


async def _look_back(talk: Talk, user: User) -> Weighing:
    """Read what a sign-in is held against."""
    call, seen = talk.call, talk.entry.sighting

    def load(tx: Tx) -> tuple[RiskConfigurationType | None, Past]:
        latest = tx.auth_events.page(user, before=None, limit=LATEST)
        past = Past(
            known=known_sightings(tx.auth_events.known(user, KNOWN), call.deps.places.find),
            failures=failures_before(latest, call.now, HOUR),
            failures_from_address=limits.failures_from(tx, call, seen.address),
            device_known=talk.device is not None and talk.device.remembered,
        )
        return tx.catalogue.risk_configuration(talk.client), past

    configuration, past = await call.store.read(load)
    return Weighing(talk=talk, user=user, configuration=configuration, seen=seen, past=past)


async def _bar_password(weighing: Weighing, found: Assessment, writes: tuple[Write, ...]) -> None:
    """Void a password that attackers know, where the configuration says so; raises PasswordResetRequiredException.

    One that an administrator chose for a first sign-in is replaced in a moment anyway.
    """
    user, talk = weighing.user, weighing.talk
    barred = is_password_barred(weighing.configuration, EventFilterType.SIGN_IN)
    if not barred or user.status is not UserStatusType.CONFIRMED:
        return

    def void(tx: Tx) -> None:
        present = get_user_again(tx, user)
        voided = msgspec.structs.replace(
            present,
            status=UserStatusType.RESET_REQUIRED,
            credentials=without_password(talk.pool, present.credentials),
            modified_at=talk.call.now,
        )
        save_user(tx, talk.pool, voided)

    await _refuse(weighing, found, (*writes, void), PasswordResetRequiredException(COMPROMISED))


async def _act(weighing: Weighing, found: Assessment, level: RiskLevelType, writes: tuple[Write, ...]) -> Assessment:
    """Do what the configuration says about a level of risk; raises NotAuthorizedException where it blocks."""
    talk, action = weighing.talk, find_action(weighing.configuration, level)
    outcome = choose_outcome(action.event_action, usable_factors(talk.pool, weighing.user, talk.progress.methods))
    if outcome is Outcome.BLOCKED:
        await _refuse(weighing, found, writes, NotAuthorizedException(BLOCKED), action)
    if action.notify:
        await risk_mail.notify(_with(talk, found).entry, weighing.configuration, outcome)
    return msgspec.structs.replace(found, factor_due=outcome is Outcome.ASKED)


async def _refuse(
    weighing: Weighing,
    found: Assessment,
    writes: tuple[Write, ...],
    refusal: ServiceError,
    action: AccountTakeoverActionType | None = None,
) -> None:
    """Record a refusal, tell the user where the action says so, and raise it."""
    blocked = msgspec.structs.replace(found, decision=RiskDecisionType.Block)
    talk = _with(weighing.talk, blocked)
    note = talk.entry.at(EventResponseType.Fail, shown_by(talk.progress))

    def commit(tx: Tx) -> None:
        for write in (*writes, note):
            write(tx)

    await talk.call.store.write(commit)
    if action is not None and action.notify:
        await risk_mail.notify(talk.entry, weighing.configuration, Outcome.BLOCKED)
    raise refusal


def _with(talk: Talk, assessment: Assessment) -> Talk:
    return replace(talk, progress=msgspec.structs.replace(talk.progress, assessment=assessment))
