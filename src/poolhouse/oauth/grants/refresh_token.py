"""New tokens for a refresh token (RFC 6749 §6)."""

from collections.abc import Callable

from poolhouse.core.grants import is_refreshing
from poolhouse.core.parameters import Parameters
from poolhouse.core.rates import Category
from poolhouse.flows.calls import PublicCall
from poolhouse.flows.tokens import Holder, Tokens, find_holder, find_refreshing, renew
from poolhouse.oauth.grants.grant import Asked, Grant
from poolhouse.storage import Tx


def load(call: PublicCall, form: Parameters) -> Callable[[Tx], Holder | None]:
    """Open the token, and read whom it belongs to."""
    held = find_refreshing(call, form.get("refresh_token") or "")
    return lambda tx: find_holder(tx, held)


async def authorise(asked: Asked[Holder | None]) -> Tokens:
    """Return new tokens; raises the model's errors."""
    return await renew(asked.call, asked.pool, asked.client, asked.found)


GRANT = Grant(
    required=("refresh_token",),
    category=Category.USER_TOKEN,
    is_open_to=is_refreshing,
    load=load,
    authorise=authorise,
)
