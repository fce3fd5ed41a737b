"""One invocation of a function, and what can run it."""

from typing import Any, Protocol

import msgspec
from msgspec import Struct

from poolhouse.core.trigger_events import UNRECOGNIZABLE
from poolhouse.model import InvalidLambdaResponseException

# What Lambda allows an event and a reply to hold (its quota "Invocation payload").
MOST_BYTES = 6 * 1024 * 1024


class Invocation(Struct, frozen=True, kw_only=True):
    """A function and the event that it gets. ``id`` stays the same when it is tried again."""

    id: str
    arn: str
    event: dict[str, Any]
    notice: bool = False
    """Whether no answer is waited for: the ``Event`` of the Lambda API, against ``RequestResponse``."""


class Runner(Protocol):
    """Where functions run. As a text it says so to the operator."""

    async def run(self, invocation: Invocation, deadline: float) -> Any:
        """Return what the function returns; nothing for a notice. Once ``deadline`` has passed it is cancelled.

        ``deadline`` is in seconds of the monotonic clock. Raises FunctionFailed, NotInvoked, and
        InvalidLambdaResponseException for a reply that is no JSON.
        """
        ...

    async def check(self) -> None:
        """Raise BadMapping where it can be seen, without running a function, that none can run."""
        ...


def read_json(body: bytes) -> Any:
    """Return what a reply holds; raises InvalidLambdaResponseException where it is no JSON."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE) from None


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body holds; an empty one for anything else."""
    try:
        document = read_json(body)
    except InvalidLambdaResponseException:
        return {}
    return document if isinstance(document, dict) else {}
