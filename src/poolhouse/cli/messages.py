"""Reading the development outbox."""

import sys

import msgspec

from poolhouse.cli.opened import run, settings_of
from poolhouse.core.message import Message
from poolhouse.flows.calls import Deps


def outbox(*, to: str | None = None, last: bool = False, json: bool = False, config: str | None = None) -> None:
    """Show the messages (codes, invitations) that the development outbox keeps, newest last.

    Example: poolhouse outbox --to ann@example.org --last

    Parameters
    ----------
    to
        Only messages to this address or number.
    last
        Only the newest.
    json
        An array of objects: id, at, channel, to, subject, body, code, template, user_pool_id, username.
    config
        The TOML file of settings.

    """

    async def work(deps: Deps) -> list[Message]:
        return await deps.store.read(lambda tx: tx.outbox.list(to=to, last=last))

    messages = run(settings_of(config), work)
    if json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(messages)) + b"\n")
        return
    for message in messages:
        subject = f"  {message.subject}" if message.subject else ""
        print(f"{message.at}  {message.channel}  {message.to}{subject}\n    {message.body}")
