"""Asking a pool's triggers, at no cost for pools without any."""

from collections.abc import Callable
from typing import Any

from poolhouse.core.client import Client
from poolhouse.core.pool import Pool
from poolhouse.core.trigger_events import find_function, make_event, response_of, trigger_of
from poolhouse.flows.calls import Call


async def consult(
    call: Call,
    pool: Pool,
    source: str,
    make_request: Callable[[], dict[str, Any]],
    *,
    username: str | None,
    client: Client | None = None,
) -> dict[str, Any] | None:
    """Return the ``response`` of the pool's function for a trigger source, None where the pool has none.

    ``username`` is the stored user name, or the one given where there is no user; ``client`` is None where an
    administrator asks. Raises UserLambdaValidationException, UnexpectedLambdaException or
    InvalidLambdaResponseException (spec/api/06 §1.2).
    """
    configured = pool.settings.lambda_config
    if configured is None:
        return None
    trigger = trigger_of(source)
    arn = find_function(configured, trigger)
    if arn is None:
        return None
    event = make_event(
        pool,
        source,
        make_request(),
        username=username,
        client_id=client.id if client else None,
        user_agent=call.origin.user_agent,
    )
    return response_of(await call.deps.triggers.invoke(trigger, arn, event))
