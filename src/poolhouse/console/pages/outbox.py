"""The outbox: messages that stay in the house, with their codes."""

import re

from msgspec import Struct
from starlette.responses import Response

from poolhouse.console.pages.pools import PAGE
from poolhouse.console.visit import Visit
from poolhouse.core.message import Message
from poolhouse.delivery.mail import to_text
from poolhouse.flows.outbox import read_page

LONGEST_ADDRESS = 320


class Row(Struct, frozen=True):
    """A message as the list shows it. ``at`` is in seconds; of ``pieces`` of its text, each second one is a link.

    Links lead to pages of this server only.
    """

    heading: str
    channel: str
    to: str
    at: float
    code: str | None
    pieces: list[str]
    pool_id: str


async def show_outbox(visit: Visit) -> Response:
    """List the messages, newest first, all of them or those to one address."""
    to, page = visit.query("to").strip()[:LONGEST_ADDRESS], visit.query("page")
    before = int(page) if page.isascii() and page.isdigit() and len(page) < 19 else None
    found = await read_page(visit.deps, to=to or None, before=before, limit=PAGE)
    return visit.page(
        "outbox.html",
        section="Outbox",
        messages=[_row(message, visit.deps.identity.public_url) for message in found.messages],
        next_token=found.before,
        to=to,
        sends={channel: visit.deps.courier.sends(channel) for channel in ("EMAIL", "SMS")},
    )


def _row(message: Message, public_url: str) -> Row:
    """HTML of others is shown as the text that it stands for: on a page of ours nothing of it may act."""
    text = (to_text(message.body) if message.channel == "EMAIL" else message.body).strip()
    pieces = re.split(rf"({re.escape(public_url)}/[^\s()]*[^\s().,])", text)
    return Row(
        heading=message.subject or "Text message",
        channel="Mail" if message.channel == "EMAIL" else "Text message",
        to=message.to,
        at=message.at / 1000,
        code=message.code,
        pieces=pieces,
        pool_id=message.user_pool_id,
    )
