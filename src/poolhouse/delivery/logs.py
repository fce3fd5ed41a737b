"""Where records of pools' logs go: standard output, a file, or an HTTP collector; a line of JSON each."""

import asyncio
import fcntl
import os
import pathlib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

from poolhouse.delivery.failure import BadSetting

NAME = "POOLHOUSE_LOG_DELIVERY"
_FILE, _STDOUT, _NONE = "file:", "stdout", "none"


class Collector(Protocol):
    """An HTTP collector as the settings describe it."""

    @property
    def url(self) -> str:
        """Where it is; a name and password become HTTP basic authentication."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """What each request brings along, for authentication say."""
        ...


class Undelivered(Exception):
    """Records did not arrive; the text is for the operator and quotes none of them."""


class Sink(Protocol):
    """Takes records."""

    async def send(self, lines: Sequence[str]) -> None:
        """Return once all records have arrived; raises Undelivered."""
        ...


class LogRoutes:
    """Which sink an ARN stands for: that of the first pattern that fits; standard output where none does."""

    def __init__(self, settings: Mapping[str, str | Collector]) -> None:
        """Take POOLHOUSE_LOG_DELIVERY; raises BadSetting."""
        sinks: dict[object, Sink] = {}
        self._routes: list[tuple[re.Pattern[str], Sink]] = []
        for pattern, meaning in settings.items():
            key = meaning if isinstance(meaning, str) else (meaning.url, *sorted(meaning.headers.items()))
            sink = sinks.setdefault(key, _sink(meaning))
            fitting = ".*".join(map(re.escape, pattern.split("*")))
            self._routes.append((re.compile(fitting, re.DOTALL), sink))
        self._default: Sink = sinks.get(_STDOUT) or StandardOutput()

    def find(self, arn: str) -> Sink:
        """Return the sink of an ARN; the same object for all ARNs that go to one place."""
        return next((sink for pattern, sink in self._routes if pattern.fullmatch(arn)), self._default)


class StandardOutput:
    """The server's standard output; its log goes to standard error."""

    def __str__(self) -> str:
        return "standard output"

    async def send(self, lines: Sequence[str]) -> None:
        """Print records."""
        try:
            await asyncio.to_thread(_print, block(lines))
        except (OSError, ValueError) as error:  # the latter where it is closed
            raise Undelivered(f"standard output: {type(error).__name__}") from None


class Nowhere:
    """Drops records."""

    def __str__(self) -> str:
        return "nowhere"

    async def send(self, lines: Sequence[str]) -> None:
        """Do nothing."""


class LogFile:
    """A file that grows. It is opened for each batch, so it may be moved away and compressed at any time."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return f"file {self._path}"

    async def send(self, lines: Sequence[str]) -> None:
        """Append records, on the disk when this returns."""
        try:
            await asyncio.to_thread(self._append, block(lines).encode())
        except OSError as error:
            raise Undelivered(f"{self._path}: {error.strerror}") from None

    def _append(self, block: bytes) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            # Several workers may append; and half a block, on a full disk, must not stay.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            before = os.fstat(descriptor).st_size
            if os.write(descriptor, block) < len(block):
                os.ftruncate(descriptor, before)
                raise OSError(28, "no room for the records")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sink(meaning: str | Collector) -> Sink:
    if not isinstance(meaning, str):
        return _collector(meaning.url, meaning.headers)
    if meaning == _STDOUT:
        return StandardOutput()
    if meaning == _NONE:
        return Nowhere()
    if meaning.startswith(_FILE) and len(meaning) > len(_FILE):
        return LogFile(pathlib.Path(meaning.removeprefix(_FILE)))
    if meaning.startswith(("http://", "https://")):
        return _collector(meaning, {})
    raise BadSetting(f"{NAME} maps ARNs to stdout, none, file:/path, an http(s) URL or an object with url and headers.")


def _collector(url: str, headers: Mapping[str, str]) -> Sink:
    from poolhouse.delivery.log_collector import HttpCollector  # its client is heavy

    return HttpCollector(url, headers)


def block(lines: Sequence[str]) -> str:
    """Return records as they are sent: each on a line of its own."""
    return "".join(f"{line}\n" for line in lines)


def _print(block: str) -> None:
    sys.stdout.write(block)
    sys.stdout.flush()
