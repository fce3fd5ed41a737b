"""The outbox: messages kept instead of sent, for development. ``poolhouse outbox`` reads it from another process."""

from collections.abc import Awaitable, Callable

from poolhouse.core.message import Message

# Writes a message to the database; `app` passes it in, since this layer knows no storage.
Keep = Callable[[Message], Awaitable[None]]
