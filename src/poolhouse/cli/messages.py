"""Reading the development outbox, and trying out what sends messages."""

from datetime import UTC, datetime
from textwrap import indent
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from poolhouse.cli.opened import HERE, CommandError, Where, print_json, run, settings_of

if TYPE_CHECKING:
    from poolhouse.core.message import Message
    from poolhouse.flows.calls import Deps

messages = App(name="messages", help="Mail and text messages. Example: poolhouse messages test ann@example.org")


@messages.command(name="test")
def send_test(
    to: Annotated[str, Parameter(help="A mail address, or a telephone number such as +15551239934.")],
    *,
    where: Where = HERE,
) -> None:
    """Send a test message as the settings say, and tell what went wrong if it did not leave.

    Example: poolhouse messages test ann@example.org
    """
    from poolhouse.core.message import Message
    from poolhouse.delivery.failure import NotDelivered

    by_mail = "@" in to

    async def work(deps: "Deps") -> bool:
        message = Message(
            id=deps.random.uuid(),
            at=deps.clock.now(),
            channel="EMAIL" if by_mail else "SMS",
            to=to,
            subject="Test message" if by_mail else None,
            body=f"This is a test message of Poolhouse at {deps.identity.public_url}.",
            template="Test",
            user_pool_id="",
            username="",
        )
        try:
            await deps.courier.attempt(message)
        except NotDelivered as failure:
            raise CommandError(f"the message did not leave: {failure}") from None
        return deps.courier.sends(message.channel)

    if run(settings_of(where), work):
        print(f"{'Mail' if by_mail else 'Text message'} to {to} was taken.")
    else:
        setting = "POOLHOUSE_SMTP_URL" if by_mail else "POOLHOUSE_SMS_URL"
        print(f"{setting} is not set: the message is in the outbox.")


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
    from poolhouse.delivery.mail import to_text

    for message in messages:
        # The address of a link is to be copied, so it must not be that of HTML.
        body = message.text or (to_text(message.body) if message.channel == "EMAIL" else message.body)
        at = datetime.fromtimestamp(message.at / 1000, UTC).isoformat(" ", "seconds")
        subject = f"  {message.subject}" if message.subject else ""
        print(f"{at}  {message.channel}  {message.to}{subject}\n{indent(body.strip(), '    ')}")
