"""Mail and text messages: how they leave the house. Words and recipients are decided in ``core.messages`` and ``flows.messages``."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol

from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope
from poolhouse.delivery.outbox import Keep
from poolhouse.model import CodeDeliveryFailureException

# How long a message that nobody may notice waits: its work shows neither in the time of the answer nor of the next one.
UNSEEN_SECONDS = 0.25


# Takes notice of a message that did not arrive; `app` passes it in, since this layer knows no storage.
Report = Callable[[Message], Awaitable[None]]


class Sender(Protocol):
    """Hands one message to a service that delivers it."""

    async def send(self, message: Message, envelope: Envelope) -> None:
        """Send it, or raise CodeDeliveryFailureException within the sender's time limit."""
        ...


class Courier:
    """Chooses how a message leaves: by the service of its channel, or into the outbox where there is none."""

    def __init__(
        self,
        keep: Keep,
        *,
        smtp_url: str | None = None,
        mail_from: str = "no-reply@localhost",
        sms_url: str | None = None,
        report: Report | None = None,
    ) -> None:
        """Take the settings of INTERFACE by their names; raises delivery.failure.BadSetting."""
        self._keep, self._report = keep, report
        self._senders: dict[str, Sender | None] = {
            "EMAIL": _mail_sender(smtp_url, mail_from) if smtp_url else None,
            "SMS": _text_sender(sms_url) if sms_url else None,
        }
        self._under_way: set[asyncio.Task[None]] = set()

    async def deliver(self, message: Message, envelope: Envelope | None = None) -> None:
        """Deliver one message; raises CodeDeliveryFailureException. One try: the caller's user can ask again."""
        sender = self._senders[message.channel]
        if sender is None:
            await self._keep(message)
        else:
            await self._send(sender, message, envelope or Envelope())

    async def deliver_unseen(self, message: Message, envelope: Envelope | None = None) -> None:
        """Deliver one message without a word of how that went, nor waiting for the service: both would tell strangers
        that there is somebody to deliver to. What goes wrong is in the log.

        The outbox, which is for development, is written at once.
        """
        if self._senders[message.channel] is None:
            await self._keep(message)
            return
        task = asyncio.create_task(self._deliver_quietly(message, envelope))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Wait for the messages that are under way; each has its sender's time limit."""
        await asyncio.gather(*self._under_way)

    async def _send(self, sender: Sender, message: Message, envelope: Envelope) -> None:
        try:
            await sender.send(message, envelope)
        except CodeDeliveryFailureException:
            if self._report is not None:
                await self._report(message)
            raise

    async def _deliver_quietly(self, message: Message, envelope: Envelope | None) -> None:
        await asyncio.sleep(UNSEEN_SECONDS)
        with contextlib.suppress(CodeDeliveryFailureException):
            await self.deliver(message, envelope)


# The clients of these services are imported by those who use them only: they are heavy.


def _mail_sender(url: str, sender: str) -> Sender:
    from poolhouse.delivery.smtp import SmtpSender, read_smtp_url

    return SmtpSender(read_smtp_url(url, sender))


def _text_sender(url: str) -> Sender:
    from poolhouse.delivery.sms import SmsSender, SmsSettings

    return SmsSender(SmsSettings(url=url))
