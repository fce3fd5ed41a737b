"""A load generator: keep-alive connections that send prepared requests one after the other and count answers.

It runs on the core that the server does not use and does as little as it can per answer.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MakeRequest = Callable[[int], bytes]


@dataclass(slots=True)
class Result:
    """Answers counted: how many, in how many seconds, and how long each took (seconds, in order of arrival).

    ``cpu`` is the processor time that the server took for them: on a busy machine it tells more than the clock.
    """

    count: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.count / self.seconds if self.seconds else 0.0

    @property
    def cpu_each(self) -> float:
        """The server's processor seconds for one answer."""
        return self.cpu / self.count if self.count else 0.0

    def percentile(self, share: float) -> float:
        """The latency in seconds that this share of answers stayed under."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class BadAnswer(Exception):
    """The server did not answer as it should; the benchmark would be worthless."""


class _Connection(asyncio.Protocol):
    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._buffer = bytearray()
        self._expected = -1
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._expected < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._buffer[:end]).lower()
            start = head.find(b"content-length: ")
            stop = head.find(b"\r", start)
            length = int(head[start + 16 : stop if stop > 0 else None]) if start >= 0 else 0
            self._expected = end + 4 + length
        if len(self._buffer) < self._expected:
            return
        if not self._buffer.startswith(self._run.expected_status):
            self._run.fail(bytes(self._buffer[:2000]))
            return
        self._run.answered(time.perf_counter() - self._sent_at, self._buffer)
        self._buffer.clear()
        self._expected = -1
        self._send()

    def _send(self) -> None:
        request = self._run.next_request()
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self._run.closed()


class _Run:
    def __init__(self, make: MakeRequest, connections: int, seconds: float, status: bytes, limit: int | None) -> None:
        self._make, self._open, self._limit = make, connections, limit
        self.kept: list[bytes] | None = None
        self._ends_at = time.perf_counter() + seconds
        self.expected_status = b"HTTP/1.1 " + status
        self.result = Result()
        self._started = time.perf_counter()
        self._sent = 0
        self.done = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes | None:
        if time.perf_counter() >= self._ends_at or (self._limit is not None and self._sent >= self._limit):
            return None
        self._sent += 1
        return self._make(self._sent - 1)

    def answered(self, latency: float, answer: bytearray) -> None:
        self.result.count += 1
        if self.kept is not None:
            self.kept.append(bytes(answer))
        self.result.latencies.append(latency)
        self.result.seconds = time.perf_counter() - self._started

    def fail(self, answer: bytes) -> None:
        if not self.done.done():
            self.done.set_exception(BadAnswer(answer.decode("latin-1")))

    def closed(self) -> None:
        self._open -= 1
        if self._open == 0 and not self.done.done():
            self.done.set_result(None)


async def drive(
    port: int,
    make: MakeRequest,
    *,
    connections: int = 16,
    seconds: float = 2.0,
    status: bytes = b"200",
    limit: int | None = None,
    keep: list[bytes] | None = None,
) -> Result:
    """Send ``make(0)``, ``make(1)``, … for some seconds, or ``limit`` of them; raises BadAnswer.

    Whole answers are appended to ``keep`` where it is given.
    """
    run = _Run(make, connections, seconds, status, limit)
    run.kept = keep
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port)
    await run.done
    return run.result
