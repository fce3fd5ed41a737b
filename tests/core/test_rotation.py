"""What presenting a refresh token means, generation by generation."""

import pytest
from msgspec.structs import replace

from poolhouse.core.client import Client
from poolhouse.core.rotation import Presented, decide_refresh
from poolhouse.core.session import Session
from poolhouse.model import RefreshTokenRotationType, UserPoolClientType

NOW = 1_700_000_000_000
SESSION = Session(
    id="session",
    pool_id="pool",
    user_id=1,
    client_id="client",
    created_at=0,
    expires_at=NOW * 2,
    auth_time=0,
    scopes=(),
    oauth=False,
    generation=3,
    rotated_at=NOW,
)


def client(grace: int | None, feature: str = "ENABLED") -> Client:
    rotation = RefreshTokenRotationType(feature=feature, retry_grace_period_seconds=grace)
    return Client(id="client", pool_id="pool", settings=UserPoolClientType(refresh_token_rotation=rotation))


@pytest.mark.parametrize(
    ("generation", "grace", "later", "presented"),
    [
        (3, 0, 0, Presented.ROTATED),
        (2, 0, 0, Presented.REUSED),
        (2, 0, -5, Presented.REUSED),
        (2, None, 0, Presented.REUSED),
        (2, 60, 59_999, Presented.RETRIED),
        (2, 60, 60_000, Presented.REUSED),
        (1, 60, 0, Presented.REUSED),
    ],
)
def test_rotating_tokens(generation: int, grace: int | None, later: int, presented: Presented):
    """The present token rotates; the one before counts within the grace period, an older one never."""
    assert decide_refresh(client(grace), SESSION, generation, NOW + later) is presented


def test_tokens_that_do_not_rotate():
    """Without rotation the token stays; one that was rotated out earlier does not come back to life."""
    still = client(None, "DISABLED")
    assert decide_refresh(still, SESSION, 3, NOW) is Presented.KEPT
    assert decide_refresh(still, SESSION, 2, NOW) is Presented.REUSED
    assert decide_refresh(still, replace(SESSION, generation=0), 0, NOW) is Presented.KEPT
