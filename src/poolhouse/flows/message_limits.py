"""Counting messages against the limits on them, for all processes together."""

import logging

from poolhouse.core.deliveries import Delivery, Recipient
from poolhouse.core.limits import count_in_window
from poolhouse.core.message_limits import ALWAYS, MessageLimit, Scope
from poolhouse.core.messages import MEDIUM_OF
from poolhouse.core.session import Attempts
from poolhouse.flows.calls import Call
from poolhouse.flows.limits import exceeded
from poolhouse.storage import Tx

log = logging.getLogger("poolhouse")


def limits_on(call: Call, recipient: Recipient | None) -> list[MessageLimit]:
    """Return the limits that a delivery to somebody counts against."""
    if recipient is None or recipient.kind is None:
        return []
    kind, channel = recipient.kind, MEDIUM_OF[recipient.attribute]
    return [limit for limit in (*ALWAYS, *call.deps.message_limits) if limit.is_about(kind, channel)]


def check_room(tx: Tx, call: Call, pool_id: str, recipient: Recipient) -> None:
    """Check that one more delivery may leave now, and count nothing; raises LimitExceededException."""
    if _find_counts(tx, call, pool_id, recipient) is None:
        log.warning("a message for pool %s would be one too many", pool_id)
        raise exceeded()


def count(tx: Tx, call: Call, delivery: Delivery) -> bool:
    """Count a delivery; False, and nothing is counted, where it is one too many."""
    counts = _find_counts(tx, call, delivery.pool_id, delivery.recipient)
    for key, attempts, expires_at in counts or ():
        tx.attempts.put(key, attempts, expires_at)
    return counts is not None


def _find_counts(
    tx: Tx, call: Call, pool_id: str, recipient: Recipient | None
) -> list[tuple[str, Attempts, int]] | None:
    """Return the counters after one more delivery, each with its key and end; None where it is one too many."""
    after: list[tuple[str, Attempts, int]] = []
    for limit in limits_on(call, recipient):
        key = _key(call, pool_id, recipient, limit)
        attempts = count_in_window(tx.attempts.find(key), call.now, most=limit.most, window=limit.window)
        if attempts is None:
            return None
        after.append((key, attempts, attempts.since + limit.window))
    return after


def _key(call: Call, pool_id: str, recipient: Recipient | None, limit: MessageLimit) -> str:
    about = ""
    if recipient is not None and limit.scope is Scope.USER:
        about = recipient.sub
    elif recipient is not None and limit.scope is Scope.DESTINATION:
        # A counter need not tell whose it is.
        about = call.deps.sealer.digest("message limit", recipient.destination.casefold()).hex()
    return f"messages:{limit.name}:{pool_id}:{about}"
