"""One invocation of a function, and what can run it."""

from typing import Any, Protocol

from msgspec import Struct


class Invocation(Struct, frozen=True, kw_only=True):
    """A function and the event that it gets. ``id`` stays the same when it is tried again."""

    id: str
    arn: str
    event: dict[str, Any]
    notice: bool = False
    """Whether no answer is waited for: the ``Event`` of the Lambda API, against ``RequestResponse``."""


class Runner(Protocol):
    """Where functions run."""

    async def run(self, invocation: Invocation) -> Any:
        """Return what the function returns; nothing for a notice. The caller limits the time.

        Raises FunctionFailed, NotInvoked, and InvalidLambdaResponseException for a reply that is no JSON.
        """
        ...
