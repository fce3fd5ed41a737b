"""Reading the development outbox."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from poolhouse.cli.opened import HERE, Where, print_json, run, settings_of

if TYPE_CHECKING:
    from poolhouse.core.message import Message
    from poolhouse.flows.calls import Deps


def outbox(
    *,
    to: Annotated[str | None, Parameter(help="Only messages to this address or number.")] = None,
    last: Annotated[bool, Parameter(negative="", help="Only the newest.")] = False,
    json: Annotated[
        bool,
        Parameter(
            negative="",
            help="An array of objects: id, at (milliseconds since 1970), channel (EMAIL or SMS), to, subject, body,"
            " code (the bare code or temporary password, or null), template, user_pool_id, username; text, where a"
            " mail has one besides its body.",
        ),
    ] = False,
    where: Where = HERE,
) -> None:
    """Show the messages (codes, invitations) that the development outbox keeps, newest last.

    Example: poolhouse outbox --to ann@example.org --last
    """

    async def work(deps: "Deps") -> "list[Message]":
        return await deps.store.read(lambda tx: tx.outbox.list(to=to, last=last))

    messages = run(settings_of(where), work)
    if json:
        from msgspec import to_builtins

        print_json(to_builtins(messages))
        return
    for message in messages:
        at = datetime.fromtimestamp(message.at / 1000, UTC).isoformat(" ", "seconds")
        subject = f"  {message.subject}" if message.subject else ""
        print(f"{at}  {message.channel}  {message.to}{subject}\n    {message.body}")
