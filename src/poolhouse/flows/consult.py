"""Asking a pool's triggers, at no cost for pools without any."""

from collections.abc import Callable
from typing import Any

from poolhouse.core.client import Client
from poolhouse.core.deliveries import Question
from poolhouse.core.pool import Pool
from poolhouse.core.trigger_events import find_function, make_event, response_of, trigger_of
from poolhouse.flows.calls import Call
from poolhouse.model import InvalidLambdaResponseException, UnexpectedLambdaException, UserLambdaValidationException

# What goes wrong with a function (spec/api/06 §1.2).
TRIGGER_FAILURES = (UserLambdaValidationException, UnexpectedLambdaException, InvalidLambdaResponseException)


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
    question = find_question(call, pool, source, make_request, username=username, client=client)
    if question is None:
        return None
    return response_of(await call.deps.triggers.invoke(question.trigger, question.arn, question.event))


def find_question(
    call: Call,
    pool: Pool,
    source: str,
    make_request: Callable[[], dict[str, Any]],
    *,
    username: str | None,
    client: Client | None = None,
) -> Question | None:
    """Return the pool's function for a trigger source and the event for it, None where the pool has none."""
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
    return Question(trigger=trigger, arn=arn, event=event)
