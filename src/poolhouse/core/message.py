"""A message to a user, as sent and as kept in the outbox."""

from typing import Literal

from msgspec import Struct


class Message(Struct, frozen=True, kw_only=True):
    """A message to a user. ``at`` is in milliseconds.

    ``code`` is the bare code or temporary password in ``body``. ``template`` is the MessageKind.
    The body of a mail is HTML; a text message has no subject.
    """

    id: str
    at: int
    channel: Literal["EMAIL", "SMS"]
    to: str
    subject: str | None = None
    body: str
    code: str | None = None
    template: str
    user_pool_id: str
    username: str
