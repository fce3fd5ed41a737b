"""What is delivered in the background: left in the database with the change that it is about, and made at least once.

Each worker process leases what is due by moving its time on, makes it, and deletes it. So a process that is killed
loses nothing: another one, or the same one after its next start, makes what it had leased.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec

from poolhouse.core.deliveries import (
    LONGEST_WAIT,
    Content,
    Delivery,
    Draft,
    Letter,
    Recipient,
    finish,
    is_wanted,
    pause,
)
from poolhouse.core.pool import Pool
from poolhouse.core.sender_events import SenderEvent
from poolhouse.core.trigger_events import response_of
from poolhouse.crypto.seal import SealBroken
from poolhouse.crypto.sender_keys import NotEncrypted
from poolhouse.delivery.failure import NotDelivered
from poolhouse.flows.calls import Call, Deps
from poolhouse.flows.message_limits import count
from poolhouse.model import ConcurrentModificationException, ServiceError, UnexpectedLambdaException
from poolhouse.storage import Tx
from poolhouse.storage.deliveries import Lease
from poolhouse.storage.errors import Busy, StorageError

log = logging.getLogger("poolhouse")
T = TypeVar("T")

# A delivery takes less long than this, in milliseconds, or somebody else makes it again.
LEASE = 60_000
# Deliveries that one process makes at a time: many more than go to one service, so that one that hangs, for ten seconds
# each, holds up no other.
PLACES = 64
# How often each process looks for what others left, or let fall.
POLL_SECONDS = 5.0
# How long a delivery waits that nobody may notice, in milliseconds: its work shows neither in the time of the answer
# nor of the next one.
UNSEEN = 250
# How long a process stands back that others were faster than.
BUSY_SECONDS = 0.1
# How long a stop waits for what is under way.
GRACE_SECONDS = 2.0
_SEAL = "delivery"
_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(Delivery).decode


async def write_and_deliver(call: Call, commit: Callable[[Tx], T], delivery: Delivery | None) -> T:
    """Commit a change together with the delivery that it makes due, so that neither is there without the other."""
    if delivery is None:
        return await call.store.write(commit)

    def work(tx: Tx) -> T:
        result = commit(tx)
        leave(tx, call, delivery)
        return result

    result = await call.store.write(work)
    call.deps.deliveries_left.set()
    return result


def leave(tx: Tx, call: Call, delivery: Delivery) -> None:
    """Leave a delivery in a transaction; set ``deps.deliveries_left`` once it is committed.

    One that is too many is dropped.

    A message of a channel that has no service is in the outbox at once: that is for development.
    """
    deps, content = call.deps, delivery.content
    if count(tx, call, delivery) is not None:
        return
    if isinstance(content, Letter) and not deps.courier.sends(content.message.channel):
        tx.outbox.add(content.message)
        return
    due_at = call.now + (UNSEEN if delivery.unseen else 0)
    tx.deliveries.add(deps.sealer.seal(_SEAL, _encode(delivery)), due_at)


def make_decoy(call: Call, pool: Pool) -> Delivery:
    """Return what takes the place of a delivery to a user who does not exist: it costs the same, and is never made."""
    nobody = Recipient(sub=call.deps.random.uuid(), attribute="", destination="")
    nothing = SenderEvent(pool_id=pool.id, trigger="", arn="", event={}, key_id="")
    return Delivery(
        id=call.deps.random.uuid(),
        pool_id=pool.id,
        content=nothing,
        expires_at=call.now + LONGEST_WAIT,
        recipient=nobody,
        unseen=True,
    )


async def finish_letter(deps: Deps, draft: Draft) -> Letter | None:
    """Ask the pool's function for its words, if there is one; None where there is nothing to send.

    Raises the errors of the CustomMessage trigger (spec/api/06 §1.2).
    """
    question = draft.question
    if question is None:
        return finish(draft, None)
    return finish(draft, response_of(await deps.triggers.invoke(question.trigger, question.arn, question.event)))


class DeliveryRounds:
    """Makes deliveries. One of a process."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._under_way: set[asyncio.Task[None]] = set()

    async def go(self) -> None:
        """Begin what is due; where there is nothing to begin, wait until there may be. Raises StorageError."""
        deps, now = self._deps, self._deps.clock.now()
        deps.deliveries_left.clear()
        free = PLACES - len(self._under_way)
        next_due = await deps.store.read(lambda tx: tx.deliveries.next_due()) if free else None
        if next_due is not None and next_due <= now:
            for lease in await self._lease(now, free):
                task = asyncio.create_task(self._make(lease))
                self._under_way.add(task)
                task.add_done_callback(self._end)
            return
        seconds = POLL_SECONDS if next_due is None else min(POLL_SECONDS, (next_due - now) / 1000)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(deps.deliveries_left.wait(), seconds)

    async def close(self) -> None:
        """Wait a moment for what is under way. What has not ended then is made again when its lease has."""
        if self._under_way:
            _, left = await asyncio.wait(self._under_way, timeout=GRACE_SECONDS)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._deps.deliveries_left.set()  # there is a place free

    async def _lease(self, now: int, limit: int) -> list[Lease]:
        try:
            return await self._deps.store.write(lambda tx: tx.deliveries.lease(now=now, until=now + LEASE, limit=limit))
        except (ConcurrentModificationException, Busy):
            await asyncio.sleep(BUSY_SECONDS)  # another process takes them
            return []

    async def _make(self, lease: Lease) -> None:
        """Make one delivery. Whatever goes wrong on our side, it is due again when the lease ends."""
        try:
            await self._try(lease, _decode(self._deps.sealer.open(_SEAL, lease.sealed)))
        except (SealBroken, msgspec.MsgspecError):
            log.error("delivery %d cannot be read: was the master key changed?", lease.id)  # noqa: TRY400
            await self._forget(lease)
        except (StorageError, ConcurrentModificationException) as error:
            log.warning("delivery %d: %s", lease.id, error)
        except Exception:
            log.exception("delivery %d failed", lease.id)

    async def _try(self, lease: Lease, delivery: Delivery) -> None:
        deps, store = self._deps, self._deps.store
        if not await store.read(partial(_is_wanted, delivery=delivery)):
            log.info("delivery %s is not wanted any more", delivery.id)
            await self._forget(lease)
        elif deps.clock.now() >= delivery.expires_at:
            await self._give_up(lease, delivery)
        else:
            try:
                await self._hand_over(delivery.content)
            except NotDelivered as failure:
                log.warning("delivery %s: attempt %d failed: %s", delivery.id, lease.attempts, failure)
                if failure.for_good:
                    await self._give_up(lease, delivery)
                    return
                due_at = min(deps.clock.now() + pause(lease.attempts), delivery.expires_at)
                await store.write(lambda tx: tx.deliveries.put_off(lease, due_at))
            else:
                await self._forget(lease)

    async def _hand_over(self, content: Content) -> None:
        try:
            letter = await finish_letter(self._deps, content) if isinstance(content, Draft) else content
            if isinstance(letter, SenderEvent):
                await self._notify(letter)
            elif letter is not None:
                await self._deps.courier.attempt(letter.message, letter.envelope)
        except NotEncrypted as error:
            raise NotDelivered(str(error)) from None
        except ServiceError as error:
            # A function that answers, and answers this, will not answer anything else the next time. What it says is not told.
            raise NotDelivered(error.code, for_good=not isinstance(error, UnexpectedLambdaException)) from None

    async def _notify(self, sender: SenderEvent) -> None:
        """Encrypt what is secret and hand the event to the function; raises NotEncrypted, ServiceError."""
        event = sender.event
        if sender.secret is not None:
            code = await self._deps.sender_keys.encrypt(sender.secret, key_id=sender.key_id, pool_id=sender.pool_id)
            event = event | {"request": event["request"] | {"code": code}}
        await self._deps.triggers.notify(sender.trigger, sender.arn, event)

    async def _give_up(self, lease: Lease, delivery: Delivery) -> None:
        log.warning("delivery %s is given up", delivery.id)
        if isinstance(delivery.content, Letter):
            await self._deps.courier.report(delivery.content.message)
        elif isinstance(delivery.content, Draft):
            await self._deps.courier.report(delivery.content.blank)
        await self._forget(lease)

    async def _forget(self, lease: Lease) -> None:
        await self._deps.store.write(lambda tx: tx.deliveries.delete(lease))


def _is_wanted(tx: Tx, *, delivery: Delivery) -> bool:
    if tx.catalogue.find_pool(delivery.pool_id) is None:
        return False
    recipient = delivery.recipient
    if recipient is None:
        return True
    user = tx.users.find_by_sub(delivery.pool_id, recipient.sub)
    code = tx.confirmation_codes.find(user.id, recipient.purpose) if user and recipient.purpose else None
    return is_wanted(recipient, user, code)
