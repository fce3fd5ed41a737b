"""What a process runs that functions in Python have to themselves. Knows nothing of Poolhouse, and imports none of it.

Started as ``python -P python_child.py package.module:function directory``. Each line of its input is a request,
answered by a line of its output; whatever the function prints goes to standard error.
"""

import importlib
import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TextIO

Handler = Callable[[Any, "Context"], Any]


class Context:
    """The second argument of a handler, as the runtime of Lambda gives it."""

    def __init__(self, request: dict[str, Any], stream: str) -> None:
        name, _, version = request["arn"].partition(":function:")[2].partition(":")
        self.aws_request_id: str = request["id"]
        self.function_name: str = name or request["arn"]
        self.function_version: str = version or "$LATEST"
        self.invoked_function_arn: str = request["arn"]
        self.memory_limit_in_mb = "128"
        self.log_group_name = f"/aws/lambda/{self.function_name}"
        self.log_stream_name = stream
        self.client_context = None
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline: float = request["deadline"]

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the process is killed."""
        # On Linux all processes share the monotonic clock.
        return max(0, round((self._deadline - time.monotonic()) * 1000))


def main() -> None:
    """Answer requests until the input ends."""
    name, directory = sys.argv[1:3]
    sys.argv = [name]
    if directory:
        sys.path.insert(0, directory)
        # A function's package, as Lambda gets it, has its modules beside each other. Last: none hides a library's.
        sys.path.append("/".join([directory, *name.partition(":")[0].split(".")[:-1]]))
    requests, answers = _take_streams()
    # The runtime of Lambda has such a handler on its root logger, so that functions need not set logging up.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="[%(levelname)s] %(message)s")
    stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[$LATEST]{os.urandom(16).hex()}"
    handler: Handler | None = None
    while True:
        request = requests.get()
        try:
            handler = handler or _find(name)
            answer = _run(handler, request, stream) if "event" in request else {}
        except Exception as error:  # noqa: BLE001 - whatever the function threw is its answer
            answer = _told(error)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _take_streams() -> "tuple[queue.SimpleQueue[dict[str, Any]], TextIO]":
    """Keep our ends of the pipes from the function, and what it prints from our answers."""
    given, taken = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        for line in given:
            requests.put(json.loads(line))
        # The server is gone; so is whoever waits, even if the function is at work.
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return requests, taken


def _find(name: str) -> Handler:
    module, _, attribute = name.partition(":")
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"Unable to import module '{module}': {error}") from error
    try:
        handler: Handler = getattr(found, attribute)
    except AttributeError:
        raise AttributeError(f"Handler '{attribute}' missing on module '{module}'") from None
    return handler


def _run(handler: Handler, request: dict[str, Any], stream: str) -> dict[str, Any]:
    returned = handler(request["event"], Context(request, stream))
    try:
        return {"returned": json.dumps(returned, ensure_ascii=False)}
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"Unable to marshal response: {error}") from error


def _told(error: Exception) -> dict[str, Any]:
    """Return what the caller is told of an error; the rest is for the log."""
    logging.getLogger("function").error("%s", type(error).__name__, exc_info=error)
    # A text may hold half a surrogate pair, which no UTF-8 can.
    return {"errorMessage": (str(error) or type(error).__name__).encode(errors="replace").decode()}


if __name__ == "__main__":
    main()
