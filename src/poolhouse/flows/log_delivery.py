"""Delivering the logs of pools (spec/api/07 §7): records wait in the database until they have arrived, at least once.

Each worker process looks for what is due, takes a batch by moving its time on, sends it and deletes it; what does not
arrive is due again later. A destination that fails rests, longer each time, and holds up no other.
"""

import asyncio
import logging
from itertools import groupby

from poolhouse.core.log_delivery import undelivered_record
from poolhouse.core.message import Message
from poolhouse.delivery.logs import LogRoutes, Sink, Undelivered
from poolhouse.flows.calls import Clock
from poolhouse.model import ConcurrentModificationException, EventSourceName
from poolhouse.storage import Store

log = logging.getLogger(__name__)

BATCH = 500
# Destinations looked at in one round.
DESTINATIONS = 100
# A batch takes less long than this, in milliseconds, or somebody else sends it again.
LEASE = 60_000
FIRST_REST, LONGEST_REST = 1_000, 300_000


class LogDelivery:
    """Sends records. One of a process; what it remembers is only who failed last."""

    def __init__(self, store: Store, clock: Clock, routes: LogRoutes) -> None:
        self._store, self._clock, self._routes = store, clock, routes
        self._failures: dict[Sink, int] = {}
        # Where the next round goes on, or many that rest would hide the others.
        self._after = ""
        self._rests_until: dict[Sink, int] = {}

    async def deliver_due(self) -> int:
        """Send a batch to each destination that has something due; return how many records arrived."""
        now = self._clock.now()
        destinations = await self._store.read(lambda tx: tx.log_records.due(now, DESTINATIONS, self._after))
        self._after = destinations[-1] if len(destinations) == DESTINATIONS else ""
        sinks = sorted(((self._routes.find(each), each) for each in destinations), key=lambda pair: id(pair[0]))
        awake = [
            (sink, [arn for _, arn in pairs])
            for sink, pairs in groupby(sinks, key=lambda pair: pair[0])
            if self._rests_until.get(sink, 0) <= now
        ]
        arrived: list[int] = await asyncio.gather(*(self._deliver(sink, arns) for sink, arns in awake))
        return sum(arrived)

    async def _deliver(self, sink: Sink, arns: list[str]) -> int:
        total = 0
        for arn in arns:
            arrived = await self._send(sink, arn)
            if arrived is None:
                break
            total += arrived
        return total

    async def _send(self, sink: Sink, arn: str) -> int | None:
        """Send a batch for one destination; None where it did not arrive."""
        now = self._clock.now()
        try:
            batch = await self._store.write(
                lambda tx: tx.log_records.claim(arn, now=now, until=now + LEASE, limit=BATCH)
            )
        except ConcurrentModificationException:
            return 0  # another process takes them
        if not batch:
            return 0
        ids = [id for id, _ in batch]
        try:
            await sink.send([document for _, document in batch])
        except Undelivered as error:
            until = self._rest(sink, error)
            await self._store.write(lambda tx: tx.log_records.put_off(ids, until))
            return None
        self._failures.pop(sink, None)
        await self._store.write(lambda tx: tx.log_records.delete(ids))
        return len(ids)

    def _rest(self, sink: Sink, error: Undelivered) -> int:
        """Let a sink rest, twice as long each time; return until when."""
        failures = self._failures.get(sink, 0)
        self._failures[sink] = failures + 1
        rest = min(FIRST_REST << min(failures, 20), LONGEST_REST)
        log.warning("logs of pools wait for %d seconds: %s", rest // 1000, error)
        until = self._rests_until[sink] = self._clock.now() + rest
        return until


async def report_undelivered(store: Store, clock: Clock, message: Message) -> None:
    """Record that a message did not arrive, where its pool has that delivered."""
    source, now = EventSourceName.userNotification, clock.now()
    pool_id = message.user_pool_id
    destination = await store.read(lambda tx: tx.catalogue.log_destination(pool_id, source))
    if destination is not None:
        await store.write(lambda tx: tx.log_records.add(destination, undelivered_record(message, now), now))
