"""What presenting a refresh token means where refresh tokens rotate (spec/http/04 §4.6)."""

from enum import Enum, auto

from poolhouse.core.client import Client
from poolhouse.core.session import Session


class Presented(Enum):
    """What becomes of a refresh token that was presented."""

    KEPT = auto()
    """It stays valid: the client's tokens do not rotate."""
    ROTATED = auto()
    """It is spent, and a new one takes its place."""
    RETRIED = auto()
    """It was spent within the grace period: its owner gets the new one again."""
    REUSED = auto()
    """It was spent before: it may be stolen, so the family goes (RFC 9700 §4.14)."""


def decide_refresh(client: Client, session: Session, generation: int, now: int) -> Presented:
    """Return what presenting the token of a generation means. ``now`` is in milliseconds.

    Differs from Cognito (refresh token rotation): what becomes of the family of a refresh token that is used after its
    grace period is not documented for Cognito; here it is revoked (RFC 9700 §4.14).
    """
    if generation == session.generation:
        return Presented.ROTATED if client.rotation_enabled else Presented.KEPT
    grace = grace_seconds(client) * 1000
    # A request that began before the rotation and lost the race has the earlier time: no grace is no grace to it, too.
    if grace and generation == session.generation - 1 and now < session.rotated_at + grace:
        return Presented.RETRIED
    return Presented.REUSED


def grace_seconds(client: Client) -> int:
    """Return how long a rotated refresh token may be presented again."""
    rotation = client.settings.refresh_token_rotation
    return (rotation and rotation.retry_grace_period_seconds) or 0
