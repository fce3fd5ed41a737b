"""A message to a user, as sent and as kept in the outbox."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class Message(Struct, frozen=True, kw_only=True):
    """A message to a user. ``at`` is in milliseconds.

    ``code`` is the bare code or temporary password in ``body``. ``template`` is the MessageKind.
    The body of a mail is HTML, beside which ``text`` is for readers that show none, made of it where it is not set; a text
    message has no subject.
    """

    id: str
    at: int
    channel: Literal["EMAIL", "SMS"]
    to: str
    subject: str | None = None
    body: str
    text: str | UnsetType = UNSET
    code: str | None = None
    template: str
    user_pool_id: str
    username: str
