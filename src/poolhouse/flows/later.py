"""Work that no answer waits for, in this process."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger("poolhouse")
# How long a stop waits for what is under way.
GRACE_SECONDS = 2


class Later:
    """Runs coroutines behind the answers. What has not ended when the process stops is given up."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a piece of work; what it raises is logged as our fault."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    async def close(self) -> None:
        """Wait for a moment, then end what is left."""
        if not self._tasks:
            return
        _, left = await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
        for task in left:
            task.cancel()
        if left:
            log.warning("gave up %d deliveries that were under way", len(left))
            await asyncio.wait(left)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("work behind the answers failed", exc_info=task.exception())
