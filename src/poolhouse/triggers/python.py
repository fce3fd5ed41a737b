"""Functions in Python, each in processes of its own: what it does wrong, or for too long, harms nobody else.

A process serves one invocation at a time. It starts when it is first needed, goes on for the next one, and is killed
where an invocation was given up. It shares neither memory, open files nor our settings with the server, but it is the
same user's: a function is trusted with what that user may read.
"""

import asyncio
import contextlib
import json
import logging
import os
import pathlib
import re
import signal
import sys
from asyncio import subprocess
from typing import Any

import msgspec

from poolhouse.triggers.failure import TOO_LARGE, UNAVAILABLE, BadMapping, FunctionFailed, NotInvoked
from poolhouse.triggers.invocation import MOST_BYTES, Invocation, read_json

log = logging.getLogger(__name__)

# Processes of one function, per process of the server.
PROCESSES = 4
# How long the import of a function may take when the settings are checked.
CHECK_SECONDS = 30
# How long a process that was killed may go on to be read.
LAST_WORDS_SECONDS = 0.5
CHILD = pathlib.Path(__file__).with_name("python_child.py")
# What a function has no business to know: our settings, and what the database's client reads.
_OURS = re.compile(r"(POOLHOUSE_|PG[A-Z])")
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_LONGEST_LINE = 2000
# A reply's envelope, and the escapes of JSON in a reply that is just within the limit.
_READ_BYTES = 2 * MOST_BYTES


class Process:
    """A process that runs one function. ``name`` is ``package.module:function``."""

    def __init__(self, child: subprocess.Process, name: str) -> None:
        self._child, self._name = child, name
        self._printed = asyncio.create_task(self._log())

    @classmethod
    async def start(cls, name: str, path: str | None, region: str) -> "Process":
        """Start one; ``path`` is where its modules are, besides those of the server's environment."""
        # Lambda sets both; the AWS SDK makes no client without.
        environment = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        environment |= {key: value for key, value in os.environ.items() if not _OURS.match(key)}
        child = await asyncio.create_subprocess_exec(
            # Without -P the child would find our modules beside it in the place of the standard library's.
            *(sys.executable, "-P", "-u", str(CHILD), name, path or ""),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=path,
            env=environment,
            limit=_READ_BYTES,
            start_new_session=True,
        )
        return cls(child, name)

    @property
    def is_alive(self) -> bool:
        """Whether it can take another invocation."""
        return self._child.returncode is None

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return the answer; raises FunctionFailed where the process ends instead."""
        asked, answered = self._child.stdin, self._child.stdout
        assert asked is not None
        assert answered is not None
        with contextlib.suppress(ConnectionError):
            asked.write(msgspec.json.encode(request) + b"\n")
            await asked.drain()
        try:
            line = await answered.readline()
        except ValueError:  # a longer line than may be read
            raise NotInvoked(TOO_LARGE, detail="the reply is longer than 6 MB") from None
        if not line.endswith(b"\n"):
            raise FunctionFailed(f"RequestId: {request.get('id')} Error: {await self._end()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def kill(self) -> None:
        """End it, and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        await self._child.wait()
        # What it said last is worth waiting for; but somebody whom it started may still hold the other end.
        await asyncio.wait([self._printed], timeout=LAST_WORDS_SECONDS)
        self._printed.cancel()

    async def _end(self) -> str:
        """Return how the process ended, in the words of Lambda."""
        status = await self._child.wait()
        if status == 0:
            return "Runtime exited without providing a reason"
        how = f"exit status {status}" if status > 0 else f"signal: {(signal.strsignal(-status) or '').lower()}"
        return f"Runtime exited with error: {how}"

    async def _log(self) -> None:
        """Log what the function prints, line by line."""
        stream = self._child.stderr
        assert stream is not None
        rest = ""
        while block := await stream.read(1 << 16):
            *lines, rest = (rest + block.decode(errors="replace")).split("\n")
            rest = rest[:_LONGEST_LINE]
            for line in lines:
                self._log_line(line)
        self._log_line(rest)

    def _log_line(self, line: str) -> None:
        # A control character could feign another line, or move the cursor of whoever reads.
        shown = "".join(letter if letter.isprintable() else " " for letter in line[:_LONGEST_LINE]).rstrip()
        if shown:
            log.info("%s: %s", self._name, shown)


class Python:
    """Runs ``package.module:function``, which is written as for AWS: ``handler(event, context)``.

    ``path`` is a directory of modules besides those that the server itself can import, ``region`` the one that the
    function finds itself in, where the environment says none.
    """

    def __init__(self, name: str, path: str | None, region: str) -> None:
        """Raise BadMapping for a name that cannot be one, or a directory that is not there."""
        if not _NAME.fullmatch(name):
            raise BadMapping("POOLHOUSE_FUNCTIONS: a function in Python is named as python:package.module:function.")
        if path is not None and not pathlib.Path(path).is_dir():
            raise BadMapping(f"POOLHOUSE_FUNCTIONS_PATH: {path} is no directory.")
        self._name, self._region = name, region
        # The process starts in it.
        self._path = str(pathlib.Path(path).resolve()) if path is not None else None
        self._places = asyncio.Semaphore(PROCESSES)
        self._idle: list[Process] = []
        self._closed = False

    def __str__(self) -> str:
        return f"Python function {self._name}"

    async def run(self, invocation: Invocation, deadline: float) -> Any:
        """Run the function in a process that is free; see Runner. Where this is cancelled, the process is killed."""
        request = {
            "id": invocation.id,
            "arn": invocation.arn,
            "event": invocation.event,
            "deadline": deadline,
        }
        answer = await self._ask(request)
        if "errorMessage" in answer:
            raise FunctionFailed(answer["errorMessage"])
        returned = answer["returned"].encode(errors="surrogatepass")
        if len(returned) > MOST_BYTES:
            raise NotInvoked(TOO_LARGE, detail="the reply is longer than 6 MB")
        return None if invocation.notice else read_json(returned)

    async def check(self) -> None:
        """Import the function in a process of its own; raises BadMapping where it is not there."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                answer = await self._ask({"id": "check"})
        except (FunctionFailed, NotInvoked, TimeoutError) as error:
            raise BadMapping(f"{self}: {error or 'the import takes too long'}.") from None
        if "errorMessage" in answer:
            raise BadMapping(f"{self}: {answer['errorMessage']}.")

    async def close(self) -> None:
        """End the processes."""
        self._closed = True
        while self._idle:
            await self._idle.pop().kill()

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        async with self._places:
            process = await self._take()
            try:
                answer = await process.ask(request)
            except BaseException:
                # Whatever it is in the middle of, it is not ready for another invocation.
                await asyncio.shield(process.kill())
                raise
            if self._closed:
                await process.kill()
            else:
                self._idle.append(process)
            return answer

    async def _take(self) -> Process:
        while self._idle:
            process = self._idle.pop()
            if process.is_alive:
                return process
            await process.kill()
        try:
            return await Process.start(self._name, self._path, self._region)
        except OSError as error:
            raise NotInvoked(UNAVAILABLE, detail=error.strerror or "no process", passing=True) from None
