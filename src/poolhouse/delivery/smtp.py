"""Mail through an SMTP server (RFC 5321): one try, within a time limit, over connections that are kept for a while."""

import asyncio
import contextlib
import ssl
from email.message import EmailMessage
from enum import StrEnum
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib
from msgspec import Struct

from poolhouse.core.mailboxes import BadMailbox, read_mailbox
from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope
from poolhouse.delivery.failure import BadSetting, NotDelivered
from poolhouse.delivery.mail import compose

PORTS = {"smtp": 587, "smtps": 465}
OPTIONS = frozenset({"starttls", "ca_file"})
# How long a server may take to say good-bye.
QUIT_SECONDS = 1.0


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
    idle_seconds: float = 30.0
    """How long a connection is kept for the next mail."""


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
        read_mailbox(sender)
    except BadMailbox:
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
    """Sends mail. Connections are kept for the next mail for a while."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._places = asyncio.Semaphore(settings.connections)
        self._idle: list[tuple[aiosmtplib.SMTP, asyncio.TimerHandle]] = []
        try:
            self._tls = ssl.create_default_context(cafile=settings.ca_file)
        except OSError as error:
            raise BadSetting(f"Cannot read the authorities in {settings.ca_file}: {error.strerror}.") from None

    async def send(self, message: Message, envelope: Envelope) -> None:
        """Hand a message to the server; raises NotDelivered."""
        settings = self._settings
        try:
            mail = compose(message, envelope, settings.sender)
            async with asyncio.timeout(settings.timeout_seconds), self._places:
                await self._submit(mail)
        # Neither the words nor the server's answer are told: the one holds the code, the other the address.
        except (aiosmtplib.SMTPException, BadMailbox, OSError, TimeoutError, UnicodeError) as error:
            raise NotDelivered(f"{settings.host}: {_reason(error)}", for_good=_is_final(error)) from None

    async def close(self) -> None:
        """Take leave of the server on every connection that is kept."""
        while self._idle:
            server, timer = self._idle.pop()
            timer.cancel()
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await server.quit(timeout=QUIT_SECONDS)
            server.close()

    async def _submit(self, mail: EmailMessage) -> None:
        server = await self._find_connection() or await self._connect()
        kept = False
        try:
            await server.send_message(mail)
            kept = True
        finally:
            self._keep(server) if kept else server.close()

    async def _find_connection(self) -> aiosmtplib.SMTP | None:
        """Return a connection that is kept, if the server still is at its other end.

        It is asked before the mail goes out: a mail on its way when a connection breaks may have arrived, so that
        nobody could tell whether to send it again.
        """
        while self._idle:
            server, timer = self._idle.pop()
            timer.cancel()
            try:
                await server.rset()
            except (aiosmtplib.SMTPException, OSError):
                server.close()
            except BaseException:
                server.close()
                raise
            else:
                return server
        return None

    async def _connect(self) -> aiosmtplib.SMTP:
        settings = self._settings
        server = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.tls,
            start_tls=False if settings.tls else _START_TLS[settings.starttls],
            tls_context=self._tls,
            timeout=settings.timeout_seconds,
        )
        try:
            await server.connect()
            await self._log_in(server)
        except BaseException:
            server.close()
            raise
        return server

    def _keep(self, server: aiosmtplib.SMTP) -> None:
        timer = asyncio.get_running_loop().call_later(self._settings.idle_seconds, self._let_go, server)
        self._idle.append((server, timer))

    def _let_go(self, server: aiosmtplib.SMTP) -> None:
        self._idle = [kept for kept in self._idle if kept[0] is not server]
        server.close()

    async def _log_in(self, server: aiosmtplib.SMTP) -> None:
        settings = self._settings
        if settings.username is None:
            return
        secure = server.get_transport_info("ssl_object") is not None
        if not secure and settings.starttls != StartTls.NEVER:
            raise aiosmtplib.SMTPException("the server offers no TLS to send the password over")
        await server.login(settings.username, settings.password or "")


def _reason(error: Exception) -> str:
    codes = [refusal.code for refusal in _refusals(error)]
    return " ".join((type(error).__name__, *map(str, codes)))


def _is_final(error: Exception) -> bool:
    """Whether another try would be in vain: an address that is none, or a mail that the server refuses for good.

    What it says of the sender and of the log-in is for the operator to mend, so the mail may wait for that.
    """
    if isinstance(error, BadMailbox | UnicodeError):
        return True
    final = [refusal.code // 100 == 5 for refusal in _refusals(error)]  # RFC 5321 §4.2.1
    return isinstance(error, aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPDataError) and all(final)


def _refusals(error: Exception) -> list[aiosmtplib.SMTPResponseException]:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return list(error.recipients)
    return [error] if isinstance(error, aiosmtplib.SMTPResponseException) else []
