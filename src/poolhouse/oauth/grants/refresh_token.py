"""New tokens for a refresh token (RFC 6749 §6)."""

from poolhouse.core.grants import is_refreshing
from poolhouse.flows.tokens import Tokens, refresh
from poolhouse.oauth.grants.grant import Asked, Grant

SOURCE = "TokenGeneration_RefreshTokens"


async def authorise(asked: Asked) -> Tokens:
    """Return new tokens; raises the model's errors."""
    token = asked.form.values["refresh_token"]
    return await refresh(asked.call, asked.pool, asked.client, token, source=SOURCE)


GRANT = Grant(required=("refresh_token",), is_open_to=is_refreshing, authorise=authorise)
