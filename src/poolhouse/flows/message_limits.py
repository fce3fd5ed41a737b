"""Counting messages against the limits on them, for all processes together."""

import logging
from dataclasses import dataclass

from poolhouse.core.deliveries import Delivery, Recipient
from poolhouse.core.limits import count_in_window
from poolhouse.core.message_limits import ALWAYS, MAIL_EXCEEDED, MessageLimit, Scope
from poolhouse.core.messages import MEDIUM_OF
from poolhouse.core.session import Attempts
from poolhouse.flows.calls import Call
from poolhouse.flows.limits import exceeded
from poolhouse.model import LimitExceededException
from poolhouse.storage import Tx

log = logging.getLogger("poolhouse")


@dataclass(frozen=True, slots=True)
class _Count:
    """A counter after one more delivery; ``attempts`` is None where that is one too many."""

    limit: MessageLimit
    key: str
    attempts: Attempts | None


def limits_on(call: Call, recipient: Recipient | None) -> list[MessageLimit]:
    """Return the limits that a delivery to somebody counts against."""
    channel = MEDIUM_OF.get(recipient.attribute) if recipient is not None else None
    if recipient is None or channel is None:
        return []
    return [limit for limit in (*ALWAYS, *call.deps.message_limits) if limit.is_about(recipient.kind, channel)]


def check_room(tx: Tx, call: Call, pool_id: str, recipient: Recipient) -> None:
    """Check that one more delivery may leave now, and count nothing; raises LimitExceededException."""
    reached = _find_reached(_counts(tx, call, pool_id, recipient))
    if reached is not None:
        log.warning("a message for pool %s would be one too many", pool_id)
        raise refusal_of(reached)


def count(tx: Tx, call: Call, delivery: Delivery) -> MessageLimit | None:
    """Count a delivery; where it is one too many nothing is counted, and the limit returned that it exceeds."""
    counts = _counts(tx, call, delivery.pool_id, delivery.recipient)
    reached = _find_reached(counts)
    if reached is not None:
        log.warning("delivery %s for pool %s is one too many", delivery.id, delivery.pool_id)
        return reached
    for each in counts:
        if each.attempts is not None:
            tx.attempts.put(each.key, each.attempts, each.attempts.since + each.limit.window)
    return None


def refusal_of(limit: MessageLimit) -> LimitExceededException:
    """Return what the caller is told of a limit that is reached."""
    return LimitExceededException(MAIL_EXCEEDED) if limit.is_mail_of_pool else exceeded()


def _find_reached(counts: list[_Count]) -> MessageLimit | None:
    return next((each.limit for each in counts if each.attempts is None), None)


def _counts(tx: Tx, call: Call, pool_id: str, recipient: Recipient | None) -> list[_Count]:
    counts: list[_Count] = []
    for limit in limits_on(call, recipient):
        key = _key(call, pool_id, recipient, limit)
        attempts = count_in_window(tx.attempts.find(key), call.now, most=limit.most, window=limit.window)
        counts.append(_Count(limit, key, attempts))
    return counts


def _key(call: Call, pool_id: str, recipient: Recipient | None, limit: MessageLimit) -> str:
    about = ""
    if recipient is not None and limit.scope is Scope.USER:
        # Strangers must not use up what is for those who know the password.
        about = f"{recipient.sub}:strangers" if recipient.by_stranger else recipient.sub
    elif recipient is not None and limit.scope is Scope.DESTINATION:
        # A counter need not tell whose it is.
        about = call.deps.sealer.digest("message limit", recipient.destination.casefold()).hex()
    return f"messages:{limit.name}:{pool_id}:{about}"
