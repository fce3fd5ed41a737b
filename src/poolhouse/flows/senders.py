"""Handing codes and notices to the functions that send a pool's messages in our place (spec/api/06 §10)."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from poolhouse.core.client import Client
from poolhouse.core.messages import MessageKind
from poolhouse.core.pool import Pool
from poolhouse.core.sender_events import SENDERS, TAKEOVER, Takeover, code_text, sender_request, takeover_attributes
from poolhouse.core.trigger_events import find_function, make_event
from poolhouse.crypto.sender_keys import NotEncrypted
from poolhouse.delivery import UNSEEN_SECONDS
from poolhouse.flows.calls import Call, Deps
from poolhouse.model import DeliveryMediumType, ServiceError

log = logging.getLogger("poolhouse")
# How long an event is tried to be handed over, in milliseconds, and the pauses in between, in seconds: the longest life
# of a code, and first and longest pause.
KEPT = 86_400_000
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0


class SenderEvent(Struct, frozen=True, kw_only=True):
    """An event for a sender. ``secret`` is what it may only be told encrypted, under the key ``key_id`` stands for."""

    id: str
    pool_id: str
    trigger: str
    arn: str
    event: dict[str, Any]
    key_id: str
    secret: str | None = None


def find_sender_event(
    call: Call,
    pool: Pool,
    kind: MessageKind,
    medium: DeliveryMediumType,
    attributes: Mapping[str, str],
    *,
    username: str,
    code: str | None,
    client: Client | None,
    client_metadata: dict[str, str] | None,
) -> SenderEvent | None:
    """Return what the pool's own sender of a medium is to be told; None where the pool has none."""
    request = sender_request(medium, attributes, client_metadata)
    source = f"{SENDERS[medium]}_{kind}"
    secret = None if code is None else code_text(code, kind)
    return _event(call, pool, source, request, username=username, client=client, secret=secret)


def notify_takeover(call: Call, pool: Pool, client: Client | None, takeover: Takeover) -> bool:
    """Tell the pool's sender of mail of a sign-in that may not have been the user's.

    Returns whether there is one: where there is not, the mail is ours to send.
    """
    request = sender_request(DeliveryMediumType.EMAIL, takeover_attributes(takeover))
    event = _event(call, pool, TAKEOVER, request, username=takeover.username, client=client, secret=None)
    if event is None:
        return False
    hand_over_later(call.deps, event)
    return True


def hand_over_later(deps: Deps, event: SenderEvent, *, unseen: bool = False) -> None:
    """Hand an event over behind the answer. ``unseen`` keeps its work out of the time of this answer and the next."""
    deps.later.begin(_keep_handing_over(deps, event, UNSEEN_SECONDS if unseen else 0))


async def hand_over(deps: Deps, event: SenderEvent) -> None:
    """Encrypt what is secret and hand the event to the function; raises NotEncrypted, ServiceError."""
    told = event.event
    if event.secret is not None:
        code = await deps.sender_keys.encrypt(event.secret, key_id=event.key_id, pool_id=event.pool_id)
        told = told | {"request": told["request"] | {"code": code}}
    await deps.triggers.notify(event.trigger, event.arn, told)


async def _keep_handing_over(deps: Deps, event: SenderEvent, delay: float) -> None:
    await asyncio.sleep(delay)
    ends_at = deps.clock.now() + KEPT
    pause = FIRST_PAUSE
    while True:
        try:
            await hand_over(deps, event)
        except (NotEncrypted, ServiceError) as error:
            log.warning("event %s for %s was not handed over: %s", event.id, event.arn, error)
        else:
            return
        if deps.clock.now() >= ends_at:
            log.error("event %s for %s is given up", event.id, event.arn)
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def _event(
    call: Call,
    pool: Pool,
    source: str,
    request: dict[str, Any],
    *,
    username: str,
    client: Client | None,
    secret: str | None,
) -> SenderEvent | None:
    configured = pool.settings.lambda_config
    trigger = source.partition("_")[0]
    arn = find_function(configured, trigger)
    if configured is None or arn is None:
        return None
    event = make_event(
        pool,
        source,
        request,
        username=username,
        client_id=client.id if client else None,
        user_agent=call.origin.user_agent,
    )
    return SenderEvent(
        id=call.deps.random.uuid(),
        pool_id=pool.id,
        trigger=trigger,
        arn=arn,
        event=event,
        key_id=configured.kms_key_id or "",
        secret=secret,
    )
