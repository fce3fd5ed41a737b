"""Passwords that attackers know, where users choose them (spec/api/07 §1, §3).

What administrators set, import or seed is theirs to choose.
"""

import dataclasses

from poolhouse.core.auth_events import are_passwords_barred
from poolhouse.core.risk import is_password_barred, is_skipped
from poolhouse.core.risk_levels import Assessment
from poolhouse.flows import journal
from poolhouse.flows.journal import Entry
from poolhouse.model import EventFilterType, InvalidPasswordException, RiskDecisionType

REFUSAL = "Provided password cannot be used for security reasons."


async def look_up(entry: Entry, event: EventFilterType, password: str) -> Entry:
    """Return an entry with whether the password is known to attackers; ``decision`` says if it is refused for that.

    Pools without threat protection look nothing up, nor does anybody from a skipped address.
    """
    client = entry.client
    if not entry.kept or client is None:
        return entry
    configuration = await entry.call.store.read(lambda tx: tx.catalogue.risk_configuration(client))
    if is_skipped(configuration, entry.sighting.address):
        return entry
    known = await entry.call.deps.breached.knows(password)
    barred = known and are_passwords_barred(entry.pool) and is_password_barred(configuration, event)
    decision = RiskDecisionType.Block if barred else RiskDecisionType.NoRisk
    return dataclasses.replace(entry, assessment=Assessment(decision=decision, compromised=known))


def check(entry: Entry) -> Entry:
    """Return an entry whose password was looked up; raises InvalidPasswordException where it is refused."""
    if entry.assessment.decision is RiskDecisionType.Block:
        raise InvalidPasswordException(REFUSAL)
    return entry


async def check_change(entry: Entry) -> None:
    """Check as ``check`` does; a refusal is how the entry ends, and is recorded."""
    try:
        check(entry)
    except InvalidPasswordException:
        await journal.refuse(entry)
        raise
