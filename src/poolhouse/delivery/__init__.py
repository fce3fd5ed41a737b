"""Mail and text messages: how they leave the house. Words and recipients are decided in ``core.messages`` and ``flows.messages``."""

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope
from poolhouse.delivery.failure import NotDelivered
from poolhouse.delivery.outbox import Keep
from poolhouse.model import CodeDeliveryFailureException

log = logging.getLogger(__name__)
# Takes notice of a message that did not arrive; `app` passes it in, since this layer knows no storage.
Report = Callable[[Message], Awaitable[None]]


class Sender(Protocol):
    """Hands one message to a service that delivers it."""

    async def send(self, message: Message, envelope: Envelope) -> None:
        """Send it, or raise NotDelivered within the sender's time limit."""
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...


class Courier:
    """Chooses how a message leaves: by the service of its channel, or into the outbox where there is none."""

    def __init__(
        self,
        keep: Keep,
        *,
        now: Callable[[], int],
        smtp_url: str | None = None,
        mail_from: str = "no-reply@localhost",
        sms_url: str | None = None,
        report: Report | None = None,
    ) -> None:
        """Take the settings of INTERFACE by their names; raises delivery.failure.BadSetting.

        ``now`` returns the milliseconds that others have on their clocks.
        """
        self._keep, self._report = keep, report
        self._senders: dict[str, Sender | None] = {
            "EMAIL": _mail_sender(smtp_url, mail_from) if smtp_url else None,
            "SMS": _text_sender(sms_url, now) if sms_url else None,
        }

    def sends(self, channel: str) -> bool:
        """Whether messages of a channel (``EMAIL``, ``SMS``) leave the house."""
        return self._senders[channel] is not None

    async def deliver(self, message: Message, envelope: Envelope | None = None) -> None:
        """Deliver one message; raises CodeDeliveryFailureException. One try: the caller's user can ask again."""
        try:
            await self.attempt(message, envelope)
        except NotDelivered as failure:
            log.warning("message %s did not arrive: %s", message.id, failure)
            await self.report(message)
            raise undelivered() from None

    async def attempt(self, message: Message, envelope: Envelope | None = None) -> None:
        """Deliver one message; raises NotDelivered."""
        sender = self._senders[message.channel]
        if sender is None:
            await self._keep(message)
        else:
            await sender.send(message, envelope or Envelope())

    async def report(self, message: Message) -> None:
        """Have it noticed that a message did not arrive, and will not."""
        if self._report is not None:
            await self._report(message)

    async def close(self) -> None:
        """Let the services go."""
        for sender in self._senders.values():
            if sender is not None:
                await sender.close()


def undelivered() -> CodeDeliveryFailureException:
    """Return the refusal that the caller sees; the reason is in the log."""
    return CodeDeliveryFailureException("The code could not be delivered.")


# The clients of these services are imported by those who use them only: they are heavy.


def _mail_sender(url: str, sender: str) -> Sender:
    from poolhouse.delivery.smtp import SmtpSender, read_smtp_url

    return SmtpSender(read_smtp_url(url, sender))


def _text_sender(url: str, now: Callable[[], int]) -> Sender:
    from poolhouse.delivery.sms import SmsSender, read_sms_url

    return SmsSender(read_sms_url(url, now))
