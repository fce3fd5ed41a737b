"""Threads for slow arithmetic: few, bounded, and behind the event loop in the scheduler's eyes."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import ParamSpec, TypeVar

from poolhouse.model import TooManyRequestsException

P = ParamSpec("P")
T = TypeVar("T")
NICENESS = 10


class Threads:
    """Runs functions on ``threads`` threads of lower priority; at most ``queue`` calls wait or run at a time."""

    def __init__(self, name: str, *, threads: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=_step_back)
        self._queue = queue
        self._taken = 0
        self._lock = threading.Lock()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work`` returns; raises TooManyRequestsException at once when the queue is full."""
        with self._lock:
            if self._taken >= self._queue:
                raise TooManyRequestsException("Rate exceeded")
            self._taken += 1
        future = self._executor.submit(work, *args, **kwargs)
        # The place is given up when the work ends, not when its caller does: a cancelled caller's work still costs.
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Finish what runs, drop what waits."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _leave(self, _: Future[T]) -> None:
        with self._lock:
            self._taken -= 1


def _step_back() -> None:
    # Linux keeps a niceness per thread; elsewhere the number would name another process.
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
