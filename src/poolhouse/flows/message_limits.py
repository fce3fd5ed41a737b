"""Counting messages against the limits on them, for all processes together."""

from poolhouse.core.deliveries import Delivery
from poolhouse.core.limits import count_in_window
from poolhouse.core.message_limits import ALWAYS, MessageLimit, Scope
from poolhouse.core.messages import MEDIUM_OF
from poolhouse.core.session import Attempts
from poolhouse.flows.calls import Call
from poolhouse.storage import Tx


def limits_on(call: Call, delivery: Delivery) -> list[MessageLimit]:
    """Return the limits that a delivery counts against."""
    recipient = delivery.recipient
    if recipient is None or recipient.kind is None:
        return []
    kind, channel = recipient.kind, MEDIUM_OF[recipient.attribute]
    return [limit for limit in (*ALWAYS, *call.deps.message_limits) if limit.is_about(kind, channel)]


def count(tx: Tx, call: Call, delivery: Delivery) -> bool:
    """Count a delivery; False, and nothing is counted, where it is one too many."""
    after: list[tuple[str, Attempts, int]] = []
    for limit in limits_on(call, delivery):
        key = _key(call, delivery, limit)
        attempts = count_in_window(tx.attempts.find(key), call.now, most=limit.most, window=limit.window)
        if attempts is None:
            return False
        after.append((key, attempts, attempts.since + limit.window))
    for key, attempts, expires_at in after:
        tx.attempts.put(key, attempts, expires_at)
    return True


def _key(call: Call, delivery: Delivery, limit: MessageLimit) -> str:
    recipient = delivery.recipient
    about = ""
    if recipient is not None and limit.scope is Scope.USER:
        about = recipient.sub
    elif recipient is not None and limit.scope is Scope.DESTINATION:
        # A counter need not tell whose it is.
        about = call.deps.sealer.digest("message limit", recipient.destination.casefold()).hex()
    return f"messages:{limit.name}:{delivery.pool_id}:{about}"
