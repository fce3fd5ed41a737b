"""Mail through an SMTP server (RFC 5321): one try, within a time limit."""

import asyncio
import logging
import ssl
from email.message import EmailMessage
from enum import StrEnum
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib
from msgspec import Struct

from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope
from poolhouse.delivery.failure import BadSetting, undelivered
from poolhouse.delivery.mail import BadAddress, compose, read_address

log = logging.getLogger(__name__)
PORTS = {"smtp": 587, "smtps": 465}
OPTIONS = frozenset({"starttls", "ca_file"})


class StartTls(StrEnum):
    """Whether a plain connection turns to TLS: where the server offers it, always, or never."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


# What aiosmtplib calls them.
_START_TLS = {StartTls.AUTO: None, StartTls.ALWAYS: True, StartTls.NEVER: False}


class SmtpSettings(Struct, frozen=True, kw_only=True):
    """Where mail goes. ``POOLHOUSE_SMTP_URL`` is all of it in one line, see ``read_smtp_url``."""

    host: str
    """Name or address of the server."""
    port: int
    """Its port: 587 for ``smtp://``, 465 for ``smtps://`` unless given."""
    tls: bool = False
    """Whether TLS begins with the connection (``smtps://``)."""
    starttls: StartTls = StartTls.AUTO
    """When to use STARTTLS (RFC 3207) on a plain connection."""
    username: str | None = None
    """The name to log in with; without one there is no log-in."""
    password: str | None = None
    """Its password; goes over TLS only, unless ``starttls`` is ``never``."""
    ca_file: str | None = None
    """A PEM file of authorities to trust in place of the system's."""
    sender: str = "no-reply@localhost"
    """Whom mail comes from where a pool does not say."""
    timeout_seconds: float = 10.0
    """How long one mail may take, waiting for a connection included."""
    connections: int = 8
    """How many mails are on their way at a time, per process."""


def read_smtp_url(url: str, sender: str) -> SmtpSettings:
    """Read ``smtp://user:password@host:587`` or ``smtps://…``; raises BadSetting.

    Options follow a question mark: ``starttls=always`` or ``never``, ``ca_file=/path``.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadSetting("POOLHOUSE_SMTP_URL is not a URL.") from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme not in PORTS or not parts.hostname:
        raise BadSetting("POOLHOUSE_SMTP_URL must look like smtp://user:password@host:587 or smtps://…")
    if not options.keys() <= OPTIONS:
        raise BadSetting(f"POOLHOUSE_SMTP_URL knows the options {', '.join(sorted(OPTIONS))} only.")
    try:
        starttls = StartTls(options.get("starttls", StartTls.AUTO))
    except ValueError:
        raise BadSetting("POOLHOUSE_SMTP_URL: starttls is auto, always or never.") from None
    try:
        read_address(sender)
    except BadAddress:
        raise BadSetting("POOLHOUSE_MAIL_FROM is not a mail address.") from None
    return SmtpSettings(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        tls=parts.scheme == "smtps",
        starttls=starttls,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        ca_file=options.get("ca_file"),
        sender=sender,
    )


class SmtpSender:
    """Sends mail over a connection of its own for each message."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._places = asyncio.Semaphore(settings.connections)
        try:
            self._tls = ssl.create_default_context(cafile=settings.ca_file)
        except OSError as error:
            raise BadSetting(f"Cannot read the authorities in {settings.ca_file}: {error.strerror}.") from None

    async def send(self, message: Message, envelope: Envelope) -> None:
        """Hand a message to the server; raises CodeDeliveryFailureException."""
        settings = self._settings
        try:
            mail = compose(message, envelope, settings.sender)
            async with asyncio.timeout(settings.timeout_seconds), self._places:
                await self._submit(mail)
        # Neither the words nor the server's answer are logged: the one holds the code, the other the address.
        except (aiosmtplib.SMTPException, BadAddress, OSError, TimeoutError, UnicodeError) as error:
            log.warning("mail %s through %s failed: %s", message.id, settings.host, _reason(error))
            raise undelivered() from None

    async def _submit(self, mail: EmailMessage) -> None:
        settings = self._settings
        server = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.tls,
            start_tls=False if settings.tls else _START_TLS[settings.starttls],
            tls_context=self._tls,
            timeout=settings.timeout_seconds,
        )
        async with server:
            await self._log_in(server)
            await server.send_message(mail)

    async def _log_in(self, server: aiosmtplib.SMTP) -> None:
        settings = self._settings
        if settings.username is None:
            return
        secure = server.get_transport_info("ssl_object") is not None
        if not secure and settings.starttls != StartTls.NEVER:
            raise aiosmtplib.SMTPException("the server offers no TLS to send the password over")
        await server.login(settings.username, settings.password or "")


def _reason(error: Exception) -> str:
    code = getattr(error, "code", None)
    return f"{type(error).__name__} {code}" if isinstance(code, int) else type(error).__name__
