"""Calling the API's operations from inside the process."""

from typing import Protocol

from msgspec import Struct

from poolhouse.flows.calls import Origin


class Dispatcher(Protocol):
    """Runs an operation as the API would, for a caller that the program itself vouches for."""

    async def call(self, operation: str, request: Struct, *, region: str, origin: Origin) -> Struct | None:
        """Return the operation's response, None where it has none; raises its ServiceError."""
        ...
