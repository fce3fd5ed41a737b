"""Calls on behalf of users, of whose devices the application tells (spec/api/07 §4)."""

from typing import TypeVar

from msgspec.structs import replace

from poolhouse.core.auth_events import is_kept
from poolhouse.core.client import Client
from poolhouse.core.pool import Pool
from poolhouse.core.user_context import read_context, read_user_context
from poolhouse.flows.calls import AdminCall, Call
from poolhouse.model import ContextDataType, UserContextDataType

C = TypeVar("C", bound=Call)


def on_behalf(call: C, pool: Pool, client: Client, given: ContextDataType | UserContextDataType | None) -> C:
    """Return the call with what is told of the user's device, which pools without threat protection do not look at.

    Who signs requests, or has a client secret, is an application's server. Raises InvalidParameterException.
    """
    if isinstance(call, AdminCall) or client.secrets:
        call = replace(call, origin=replace(call.origin, by_server=True))
    if given is None or not is_kept(pool):
        return call
    told = read_context(client, given) if isinstance(given, ContextDataType) else read_user_context(client, given)
    return replace(call, origin=replace(call.origin, user=told))
