"""Asking the pre token generation trigger what to change about tokens, at no cost for pools without one."""

from collections.abc import Collection
from functools import partial

from poolhouse.core import events_auth
from poolhouse.core.claims import Minting
from poolhouse.core.client import Client
from poolhouse.core.events_auth import TokenSource
from poolhouse.core.pool import Pool
from poolhouse.core.token_overrides import TokenOverrides, read_overrides
from poolhouse.core.trigger_events import pre_token_version
from poolhouse.flows.calls import Call
from poolhouse.flows.consult import consult

# The user name in the event of a token that has no user.
MACHINE = "ClientCredentials"
# The version of the trigger that hears of clients' own tokens (spec/http/04 §4.8).
MACHINE_VERSION = "3"


async def ask_about_tokens(
    call: Call, minting: Minting, source: TokenSource, client_metadata: dict[str, str] | None = None
) -> TokenOverrides | None:
    """Return what the pool's function changes about a user's tokens, None for nothing.

    Raises the errors of triggers (spec/api/06 §1.2).
    """
    configured = minting.pool.settings.lambda_config
    if configured is None:
        return None
    version = pre_token_version(configured)
    scopes = None if version == "1" else minting.session.scopes
    event = partial(events_auth.pre_token, minting.pool, minting.user, minting.groups, scopes, client_metadata)
    response = await consult(call, minting.pool, source, event, username=minting.user.username, client=minting.client)
    return None if response is None else read_overrides(response, version)


async def ask_about_machine_token(
    call: Call, pool: Pool, client: Client, scopes: Collection[str], client_metadata: dict[str, str] | None
) -> TokenOverrides | None:
    """Return what the pool's function changes about a client's own token, None for nothing; errors likewise."""
    configured = pool.settings.lambda_config
    if configured is None or pre_token_version(configured) != MACHINE_VERSION:
        return None
    event = partial(events_auth.machine_token, scopes, client_metadata)
    response = await consult(call, pool, TokenSource.CLIENT_CREDENTIALS, event, username=MACHINE, client=client)
    return None if response is None else read_overrides(response, MACHINE_VERSION)
