"""Handing codes and notices to the functions that send a pool's messages in our place (spec/api/06 §10)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from poolhouse.core.client import Client
from poolhouse.core.deliveries import LONGEST_WAIT, Delivery
from poolhouse.core.messages import MessageKind
from poolhouse.core.pool import Pool
from poolhouse.core.sender_events import (
    SENDERS,
    TAKEOVER,
    SenderEvent,
    Takeover,
    code_text,
    sender_request,
    takeover_attributes,
)
from poolhouse.flows.calls import Call
from poolhouse.flows.consult import find_question
from poolhouse.flows.deliveries import write_and_deliver
from poolhouse.model import DeliveryMediumType


def find_sender_event(
    call: Call,
    pool: Pool,
    kind: MessageKind,
    medium: DeliveryMediumType,
    make_attributes: Callable[[], Mapping[str, str]],
    *,
    username: str,
    code: str | None,
    client: Client | None,
    client_metadata: dict[str, str] | None,
) -> SenderEvent | None:
    """Return what the pool's own sender of a medium is to be told; None where the pool has none."""
    source = f"{SENDERS[medium]}_{kind}"
    secret = None if code is None else code_text(code, kind)
    return _event(
        call,
        pool,
        source,
        lambda: sender_request(medium, make_attributes(), client_metadata),
        username=username,
        client=client,
        secret=secret,
    )


async def notify_takeover(call: Call, pool: Pool, client: Client | None, takeover: Takeover) -> bool:
    """Tell the pool's sender of mail of a sign-in that may not have been the user's.

    Returns whether there is one: where there is not, the mail is ours to send.
    """
    request = partial(sender_request, DeliveryMediumType.EMAIL, takeover_attributes(takeover))
    event = _event(call, pool, TAKEOVER, request, username=takeover.username, client=client, secret=None)
    if event is None:
        return False
    expires_at = call.now + LONGEST_WAIT
    delivery = Delivery(id=call.deps.random.uuid(), pool_id=pool.id, content=event, expires_at=expires_at)
    await write_and_deliver(call, lambda _: None, delivery)
    return True


def _event(
    call: Call,
    pool: Pool,
    source: str,
    make_request: Callable[[], dict[str, Any]],
    *,
    username: str,
    client: Client | None,
    secret: str | None,
) -> SenderEvent | None:
    question = find_question(call, pool, source, make_request, username=username, client=client)
    configured = pool.settings.lambda_config
    if question is None or configured is None:
        return None
    return SenderEvent(
        pool_id=pool.id,
        trigger=question.trigger,
        arn=question.arn,
        event=question.event,
        key_id=configured.kms_key_id or "",
        secret=secret,
    )
