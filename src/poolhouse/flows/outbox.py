"""Reading the outbox: the messages of channels that nobody set a service for."""

from msgspec import Struct

from poolhouse.core.message import Message
from poolhouse.flows.calls import Deps


class OutboxPage(Struct, frozen=True, kw_only=True):
    """Messages, newest first; ``before`` is what the next page begins with, None where this one is the last."""

    messages: list[Message]
    before: int | None


async def read_page(deps: Deps, *, to: str | None, before: int | None, limit: int) -> OutboxPage:
    """Return a page of the messages, all of them or those to one address; ``before`` is that of the page before."""
    found = await deps.store.read(lambda tx: tx.outbox.page(to=to, before=before, limit=limit + 1))
    shown = found[:limit]
    return OutboxPage(messages=[message for _, message in shown], before=shown[-1][0] if len(found) > limit else None)
