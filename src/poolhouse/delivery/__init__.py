"""Mail and text messages: how they leave the house. Words and recipients are decided in ``core.messages``."""

from typing import Protocol

from poolhouse.core.messages import Message
from poolhouse.delivery.outbox import Keep


class Sender(Protocol):
    """Hands one message to a service that delivers it."""

    async def send(self, message: Message) -> None:
        """Send it, or raise CodeDeliveryFailureException within the sender's time limit."""
        ...


class Courier:
    """Chooses how a message leaves: by the sender of its channel, or into the outbox where there is none."""

    def __init__(self, keep: Keep, *, mail: Sender | None = None, sms: Sender | None = None) -> None:
        self._keep = keep
        self._senders = {"EMAIL": mail, "SMS": sms}

    async def deliver(self, message: Message) -> None:
        """Deliver one message; raises CodeDeliveryFailureException. One try: the caller's user can ask again."""
        sender = self._senders[message.channel]
        if sender is None:
            await self._keep(message)
        else:
            await sender.send(message)
