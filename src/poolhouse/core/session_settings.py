"""Pools that track sessions, and clients with a limit of their own (spec/api/10 §1.1, §1.2)."""

from msgspec.structs import replace

from poolhouse.core.client import Client
from poolhouse.core.pool import Pool
from poolhouse.core.tiers import check_feature, tier_of
from poolhouse.model import (
    ClientSSOSessionConfigType,
    GetUserPoolSessionConfigurationResponse,
    SetUserPoolSessionConfigurationRequest,
)

FEATURE = "Session Tracking"


def pool_with_tracking(pool: Pool, request: SetUserPoolSessionConfigurationRequest) -> Pool:
    """Return the pool with its configuration replaced; raises FeatureUnavailableInTierException."""
    check_feature(tier_of(pool.settings), FEATURE)
    configuration = GetUserPoolSessionConfigurationResponse(
        user_pool_id=pool.id,
        user_session_tracking=request.user_session_tracking,
        token_session=request.token_session,
    )
    return replace(pool, tracking=configuration)


def client_with_limit(client: Client, pool: Pool, limit: ClientSSOSessionConfigType) -> Client:
    """Return the client with its configuration replaced; raises FeatureUnavailableInTierException.

    It has no effect while the pool does not track sessions.
    """
    check_feature(tier_of(pool.settings), FEATURE)
    return replace(client, sso_minutes=limit.max_validity_minutes)
