"""Asking a pool's triggers, at no cost for pools without any."""

from collections.abc import Callable
from typing import Any

from poolhouse.core.pool import Pool
from poolhouse.flows.calls import Call


async def consult(
    call: Call, pool: Pool, source: str, make_event: Callable[[], dict[str, Any]]
) -> dict[str, Any] | None:
    """Return what the trigger of a source answers, None where the pool has none.

    Raises UserLambdaValidationException, UnexpectedLambdaException or InvalidLambdaResponseException
    (spec/api/06 §1.2).
    """
    configured = pool.settings.lambda_config
    if configured is None or not any(getattr(configured, name) for name in configured.__struct_fields__):
        return None
    return await call.deps.triggers.consult(pool, source, make_event())
