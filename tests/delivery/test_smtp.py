"""Mail through a real SMTP server on loopback: with and without TLS and log-in, refused, silent, and hostile input."""

import asyncio
import contextlib
import email
import email.policy
import logging
import pathlib
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import getaddresses, quote

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from msgspec.structs import replace

from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope as Addresses
from poolhouse.delivery import Courier
from poolhouse.delivery.failure import BadSetting, NotDelivered
from poolhouse.delivery.mail import compose, to_text
from poolhouse.delivery.smtp import SmtpSender, SmtpSettings, StartTls, read_smtp_url
from poolhouse.model import CodeDeliveryFailureException
from tests.certificates import self_signed

MESSAGE = Message(
    id="5f2c1d1e-0000-4000-8000-000000000001",
    at=1_770_000_000_123,
    channel="EMAIL",
    to="ann@example.org",
    subject="Your verification code",
    body="Your verification code is 123456. ",
    code="123456",
    template="SignUp",
    user_pool_id="us-east-1_AbCdEfGhI",
    username="ann",
)
NOWHERE = Addresses()


@dataclass
class Inbox:
    """What the server took in, and how each client came."""

    mails: list[Envelope] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)
    users: list[str | None] = field(default_factory=list)
    answer: str = "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.mails.append(envelope)
        self.secure.append(session.ssl is not None)
        self.users.append(session.auth_data)
        return self.answer

    def parsed(self) -> email.message.EmailMessage:
        return email.message_from_bytes(self.mails[-1].original_content, policy=email.policy.default)


def check_login(server, session, envelope, mechanism, data) -> AuthResult:
    good = isinstance(data, LoginPassword) and data.login == b"post@example.org" and data.password == b"p:ss@w/rd"
    return AuthResult(success=good, handled=good, auth_data=data.login.decode() if good else None)


@contextlib.contextmanager
def serving(port: int | None = None, **options) -> Iterator[tuple[Inbox, int]]:
    """A real SMTP server in a thread."""
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=port or free_port(), **options)
    controller.start()
    try:
        yield inbox, controller.port
    finally:
        controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[pathlib.Path, ssl.SSLContext]:
    """A certificate for the loopback address that only those who are told to trust."""
    folder = tmp_path_factory.mktemp("tls")
    return folder / "cert.pem", self_signed(folder)


def settings(port: int, **changes) -> SmtpSettings:
    return SmtpSettings(**{"host": "127.0.0.1", "port": port, "sender": "Poolhouse <post@example.org>"} | changes)


def send(settings: SmtpSettings, message: Message = MESSAGE, addresses: Addresses = NOWHERE) -> None:
    async def work() -> None:
        sender = SmtpSender(settings)
        try:
            await sender.send(message, addresses)
        finally:
            await sender.close()

    asyncio.run(work())


async def unkept(message: Message) -> None:
    raise AssertionError("kept instead of sent")


def test_a_mail_arrives_whole():
    """Headers, text and HTML arrive, for the one recipient, from the installation's address."""
    with serving() as (inbox, port):
        send(settings(port))

    mail = inbox.parsed()
    assert (inbox.mails[0].mail_from, inbox.mails[0].rcpt_tos) == ("post@example.org", ["ann@example.org"])
    assert (mail["From"], mail["To"]) == ("Poolhouse <post@example.org>", "ann@example.org")
    assert mail["Subject"] == "Your verification code"
    assert mail["Date"].datetime == datetime(2026, 2, 2, 2, 40, tzinfo=UTC)
    assert mail["Message-ID"] == f"<{MESSAGE.id}@example.org>"
    assert mail["Reply-To"] is None
    assert mail.get_body(("html",)).get_content().rstrip("\r\n") == MESSAGE.body
    assert mail.get_body(("plain",)).get_content().strip() == MESSAGE.body.strip()
    assert (inbox.secure, inbox.users) == ([False], [None])


def test_the_pools_addresses_come_first():
    """A pool's From and ReplyToEmailAddress take the place of the installation's."""
    with serving() as (inbox, port):
        send(settings(port), addresses=Addresses(sender="Ärzte <pool@example.com>", reply_to="help@example.com"))

    assert inbox.parsed()["From"].addresses[0].display_name == "Ärzte"
    assert inbox.mails[0].mail_from == "pool@example.com"
    assert inbox.parsed()["Reply-To"] == "help@example.com"


@pytest.mark.parametrize("eight_bit", [True, False])
def test_utf8_arrives(eight_bit: bool):
    """Any script arrives in subject and body, whether or not the server takes eight bits."""
    words = replace(
        MESSAGE, subject="Ваш код 密码 🔑 – für Ännchen", body="Grüße, <b>密码</b>: 123456 🔑 " + "long line " * 200
    )
    with serving() as (inbox, port):
        if not eight_bit:
            SMTP_without_8bit(inbox)
        send(settings(port), words)

    assert inbox.parsed()["Subject"] == words.subject
    assert inbox.parsed().get_body(("html",)).get_content().rstrip("\r\n") == words.body
    assert "Grüße, 密码: 123456 🔑" in inbox.parsed().get_body(("plain",)).get_content()


def SMTP_without_8bit(inbox: Inbox) -> None:
    async def handle_EHLO(server, session, envelope, hostname, responses):
        session.host_name = hostname
        return [line for line in responses if "8BITMIME" not in line]

    inbox.handle_EHLO = handle_EHLO


def test_starttls_and_login(certificate):
    """Over STARTTLS the password is sent, and the mail goes out encrypted."""
    ca, context = certificate
    with serving(tls_context=context, require_starttls=True, authenticator=check_login, auth_required=True) as (
        inbox,
        port,
    ):
        url = f"smtp://post%40example.org:p%3Ass%40w%2Frd@127.0.0.1:{port}?ca_file={ca}"
        send(read_smtp_url(url, "post@example.org"))

    assert (inbox.secure, inbox.users) == ([True], ["post@example.org"])


def test_tls_from_the_start(certificate):
    """smtps:// begins with TLS."""
    ca, context = certificate
    # aiosmtpd counts a connection that began with TLS as unencrypted for AUTH, so none is asked for here.
    with serving(ssl_context=context) as (inbox, port):
        send(read_smtp_url(f"smtps://127.0.0.1:{port}?ca_file={ca}", "post@example.org"))

    assert len(inbox.mails) == 1


def test_an_unknown_certificate_is_refused(certificate):
    """Without trust in the server's certificate nothing is sent."""
    _, context = certificate
    with serving(tls_context=context) as (inbox, port), pytest.raises(NotDelivered):
        send(settings(port))

    assert inbox.mails == []


def test_no_password_without_tls():
    """Where the server offers no TLS the password stays here, unless the operator says never to use TLS."""
    options = {"authenticator": check_login, "auth_require_tls": False}
    login = {"username": "post@example.org", "password": "p:ss@w/rd"}
    with serving(**options) as (inbox, port):
        with pytest.raises(NotDelivered):
            send(settings(port, **login))
        with pytest.raises(NotDelivered):
            send(settings(port, **login, starttls=StartTls.ALWAYS))
        assert inbox.mails == []
        send(settings(port, **login, starttls=StartTls.NEVER))

    assert inbox.users == ["post@example.org"]


def test_a_wrong_password_is_a_failure():
    """A refused log-in is a delivery failure."""
    refused = pytest.raises(NotDelivered)
    with serving(authenticator=check_login, auth_require_tls=False) as (inbox, port), refused:
        send(settings(port, username="post@example.org", password="no", starttls=StartTls.NEVER))

    assert inbox.mails == []


@pytest.mark.parametrize("answer", ["550 no such user", "451 try later", "nonsense"])
def test_a_refused_mail_is_a_failure(answer: str, caplog: pytest.LogCaptureFixture):
    """What the server says is not passed on: neither to the caller nor, with the words, to the log."""
    with serving() as (inbox, port), caplog.at_level(logging.DEBUG, "poolhouse"):
        inbox.answer = f"{answer} ann@example.org 123456"

        async def work() -> None:
            courier = Courier(unkept, now=int, smtp_url=f"smtp://127.0.0.1:{port}")
            with pytest.raises(CodeDeliveryFailureException, match=r"^The code could not be delivered\.$"):
                await courier.deliver(MESSAGE)

        asyncio.run(work())

    assert MESSAGE.id in caplog.text
    assert "123456" not in caplog.text
    assert "ann@" not in caplog.text


def test_nobody_listening_is_a_failure():
    """A refused connection is a delivery failure, at once."""
    begin = time.monotonic()
    with pytest.raises(NotDelivered):
        send(settings(free_port()))

    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("greeting", [b"", b"220 hello\r\n"], ids=["silent", "silent after the greeting"])
def test_a_black_hole_is_a_failure_in_time(greeting: bytes):
    """A server that takes the connection and says nothing holds nobody up for longer than the limit."""
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen()

        async def work() -> float:
            loop = asyncio.get_running_loop()
            hole.setblocking(False)
            accepting = asyncio.create_task(loop.sock_accept(hole))
            sending = asyncio.create_task(
                SmtpSender(settings(hole.getsockname()[1], timeout_seconds=0.3)).send(MESSAGE, NOWHERE)
            )
            connection, _ = await accepting
            begin = time.monotonic()
            with connection:
                if greeting:
                    await loop.sock_sendall(connection, greeting)
                with pytest.raises(NotDelivered):
                    await sending
            return time.monotonic() - begin

        assert asyncio.run(work()) < 3


def test_a_crowd_before_a_black_hole_is_not_kept_waiting():
    """The limit covers waiting for a place too: with one place, ten mails fail together, not one after the other."""
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen()
        sender = None

        async def work() -> float:
            nonlocal sender
            sender = SmtpSender(settings(hole.getsockname()[1], timeout_seconds=0.3, connections=1))
            begin = time.monotonic()
            outcomes = await asyncio.gather(*(sender.send(MESSAGE, NOWHERE) for _ in range(10)), return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {NotDelivered}
            return time.monotonic() - begin

        assert asyncio.run(work()) < 2


LONG = [
    "Ваш код подтверждения для входа в личный кабинет интернет-магазина «Ромашка» действителен десять минут, не сообщайте его",
    "רמז " * 34,
    "رمز " * 34,
    "密" * 140,
    "🔑" * 140,
    "é" * 20 + " " + "é" * 119,
    "Smith, Jones, Miller and Sons, Attorneys at Law, of Springfield, Illinois, eve@example.org, and Others",
    "Müller, eve@example.org, <eve@example.org>, " + "Söhne; " * 12,
    'with "quotes", a \\ and (remarks): ' + "word " * 12,
    "x" * 140,
    "=?utf-8?q?x?= is no encoded word; " + "ä " * 30,
]


def read_text(inbox: Inbox, header: str) -> str:
    """A header of the last mail, by another reader than the default one, which errs where encoded words meet."""
    [raw] = email.message_from_bytes(inbox.mails[-1].original_content).get_all(header)
    assert all(len(line) <= 78 for line in raw.splitlines())
    return str(make_header(decode_header(raw)))


def read_mailboxes(inbox: Inbox, header: str) -> list[tuple[str, str]]:
    """The names and addresses in a header of the last mail."""
    read_text(inbox, header)
    [raw] = email.message_from_bytes(inbox.mails[-1].original_content).get_all(header)
    return [(str(make_header(decode_header(name))), spec) for name, spec in getaddresses([raw])]


def test_long_subjects_and_names_arrive():
    """Whole, with every blank, and one address each, however many lines they take (RFC 2047 §5)."""
    with serving() as (inbox, port):

        async def work() -> None:
            sender = SmtpSender(settings(port))
            for text in LONG:
                words = " ".join(text.split())
                name = words.replace("=?", "")
                named = f'"{quote(name)}" <pool@example.com>'
                await sender.send(replace(MESSAGE, subject=text), Addresses(sender=named, reply_to=named))
                assert read_text(inbox, "Subject") == words
                assert (
                    read_mailboxes(inbox, "From") == read_mailboxes(inbox, "Reply-To") == [(name, "pool@example.com")]
                )
            await sender.close()

        asyncio.run(work())


def test_names_that_are_encoded_already():
    """As SES wants them: they are read first, so that what they hold is one name as well."""
    hidden = "=?utf-8?q?=C3=84rzte=2C_eve=40example=2Eorg?= <pool@example.com>"
    with serving() as (inbox, port):
        send(settings(port), addresses=Addresses(sender=hidden))
        assert read_mailboxes(inbox, "From") == [("Ärzte, eve@example.org", "pool@example.com")]
        for name in ("=?utf-8?q?x=0D=0ABcc=3A_eve=40example.org?=", "=?utf-8?b?/w==?=", "=?no-such?q?x?="):
            with pytest.raises(NotDelivered):
                send(settings(port), addresses=Addresses(sender=f"{name} <pool@example.com>"))
    assert len(inbox.mails) == 1


HOSTILE = [
    "ann@example.org\r\nBcc: eve@example.org",
    "ann@example.org\nRCPT TO:<eve@example.org>",
    "ann@example.org, eve@example.org",
    "ann@example.org eve@example.org",
    "Ann <ann@example.org>",
    "<ann@example.org>",
    "ann",
    "",
    "@example.org",
    "ann@",
    "ann@example.org\0",
    "änn@example.org, eve@example.org",
    '"änn eve"@example.org',
    "ann@exa\u202emple.org",
    "ann@" + "a" * 64 + ".org",
    '"ann" <eve@example.org>, x@example.org',
]


@pytest.mark.parametrize("to", HOSTILE)
def test_nothing_but_one_address_is_written_to(to: str):
    """An address that holds more than an address is a failure, and nothing goes out."""
    with serving() as (inbox, port), pytest.raises(NotDelivered):
        send(settings(port), replace(MESSAGE, to=to))

    assert inbox.mails == []


@pytest.mark.parametrize(
    "addresses",
    [
        Addresses(sender="a@x.org\r\nBcc: eve@x.org"),
        Addresses(reply_to="a@x.org\nBcc: eve@x.org"),
        Addresses(sender="A\r\nBcc: eve@x.org <a@x.org>"),
    ],
)
def test_a_pools_addresses_add_no_header(addresses: Addresses):
    """Nor does what a pool's settings say add a header."""
    with serving() as (inbox, port), pytest.raises(NotDelivered):
        send(settings(port), addresses=addresses)

    assert inbox.mails == []


def test_a_subject_adds_no_header():
    """Line breaks in a subject, which the API allows, become blanks."""
    with serving() as (inbox, port):
        send(settings(port), replace(MESSAGE, subject="Hello\r\nBcc: eve@example.org\n\n<html>"))

    assert inbox.parsed()["Subject"] == "Hello Bcc: eve@example.org <html>"
    assert inbox.parsed()["Bcc"] is None
    assert inbox.mails[0].rcpt_tos == ["ann@example.org"]


def test_a_body_cannot_end_the_mail():
    """A line with a single dot does not end the mail early (RFC 5321 §4.5.2)."""
    body = "one\r\n.\r\nMAIL FROM:<eve@example.org>\r\n..two"
    with serving() as (inbox, port):
        send(settings(port), replace(MESSAGE, body=body))

    assert len(inbox.mails) == 1
    assert inbox.parsed().get_body(("html",)).get_content().split() == body.split()


def test_addresses_beyond_ascii():
    """A domain travels in its ASCII form; a mailbox name in UTF-8, where the server takes it."""
    with serving(enable_SMTPUTF8=True) as (inbox, port):
        send(settings(port), replace(MESSAGE, to="ann@bücher.example"))
        send(settings(port), replace(MESSAGE, to="änn@bücher.example"))
    with serving(enable_SMTPUTF8=False) as (other, port), pytest.raises(NotDelivered):
        send(settings(port), replace(MESSAGE, to="änn@example.org"))

    assert [mail.rcpt_tos for mail in inbox.mails] == [["ann@xn--bcher-kva.example"], ["änn@xn--bcher-kva.example"]]
    assert "\nTo: änn@xn--bcher-kva.example\r\n" in inbox.mails[1].original_content.decode()
    assert other.mails == []


def test_the_courier_takes_the_settings_by_their_names():
    """With an SMTP URL mail goes there; text messages, without a gateway, stay in the outbox."""
    kept: list[Message] = []
    text = replace(MESSAGE, channel="SMS", to="+15551239934", subject=None)

    async def keep(message: Message) -> None:
        kept.append(message)

    async def work(port: int) -> None:
        courier = Courier(keep, now=int, smtp_url=f"smtp://127.0.0.1:{port}", mail_from="post@example.org")
        await courier.deliver(MESSAGE)
        await courier.deliver(text)

    with serving() as (inbox, port):
        asyncio.run(work(port))

    assert inbox.parsed()["From"] == "post@example.org"
    assert kept == [text]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.org", {"port": 587, "tls": False}),
        ("smtps://mail.example.org", {"port": 465, "tls": True}),
        ("smtp://u:p%40ss@mail.example.org:25", {"port": 25, "username": "u", "password": "p@ss"}),
        ("smtp://mail.example.org?starttls=always", {"starttls": StartTls.ALWAYS}),
        ("smtp://[::1]:2525", {"host": "::1", "port": 2525}),
    ],
)
def test_urls_are_read(url: str, expected: dict[str, object]):
    """Ports, log-in and options come from the URL."""
    read = read_smtp_url(url, "post@example.org")

    assert {name: getattr(read, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("http://mail.example.org", "post@example.org"),
        ("mail.example.org:25", "post@example.org"),
        ("smtp://", "post@example.org"),
        ("smtp://mail.example.org:port", "post@example.org"),
        ("smtp://mail.example.org?starttls=maybe", "post@example.org"),
        ("smtp://mail.example.org?tls=1", "post@example.org"),
        ("smtp://user:secret@mail.example.org", "nobody"),
        ("smtp://user:secret@mail.example.org?ca_file=/no/such/file", "post@example.org"),
    ],
)
def test_bad_settings_are_told(url: str, sender: str):
    """A setting that cannot work is refused at the start, without showing the password."""
    with pytest.raises(BadSetting) as refusal:
        SmtpSender(read_smtp_url(url, sender))

    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Your code is 123456. ", "Your code is 123456.\n"),
        ("<p>One &amp; two</p><p>three<br>four</p>", "One & two\n\nthree\nfour\n"),
        ('Please <a href="https://x.org/?a=1&amp;b=2">click</a>.', "Please click (https://x.org/?a=1&b=2).\n"),
        ("<style>p {color: red}</style><b>bold</b><script>x()</script>", "bold\n"),
        ("a < b", "a < b\n"),
        ("</a></style>text", "text\n"),
    ],
)
def test_the_text_part_says_what_the_html_says(html: str, text: str):
    """Tags go, line breaks and the addresses of links stay."""
    assert to_text(html) == text


def test_a_text_of_ones_own():
    """Where a message brings its text along, that is the text part, beside the HTML as it is."""
    mail = compose(replace(MESSAGE, text="<ten>", body="<p>11</p>"), NOWHERE, "a@example.org")
    assert [part.get_content().strip() for part in mail.iter_parts()] == ["<ten>", "<p>11</p>"]


def test_a_connection_serves_many_mails():
    """Log-in and TLS happen once; a server that hung up meanwhile, or a silence that lasts, costs a new connection."""
    with serving() as (inbox, port):
        sessions = []

        async def handle_MAIL(server, session, envelope, address, options):
            sessions.append(id(session))
            envelope.mail_from = address
            return "250 OK"

        inbox.handle_MAIL = handle_MAIL

        async def work() -> None:
            sender = SmtpSender(settings(port, idle_seconds=0.2))
            for _ in range(3):
                await sender.send(MESSAGE, NOWHERE)
            assert len(set(sessions)) == 1
            await asyncio.gather(*(sender.send(MESSAGE, NOWHERE) for _ in range(3)))
            assert len(set(sessions)) == 3
            sender._idle[-1][0].transport.close()
            await sender.send(MESSAGE, NOWHERE)
            inbox.answer = "550 no"
            with pytest.raises(NotDelivered):
                await sender.send(MESSAGE, NOWHERE)
            while sender._idle:
                await asyncio.sleep(0.01)
            inbox.answer = "250 OK"
            await sender.send(MESSAGE, NOWHERE)
            await sender.close()
            assert sender._idle == []

        asyncio.run(work())
    assert len(inbox.mails) == 9


@pytest.mark.parametrize(
    ("answers", "for_good"),
    [
        ({"DATA": "550 no"}, True),
        ({"DATA": "451 later"}, False),
        ({"RCPT": "550 no such user"}, True),
        ({"RCPT": "450 busy"}, False),
        ({"MAIL": "550 not your address"}, False),
    ],
)
def test_what_is_refused_for_good(answers: dict[str, str], for_good: bool):
    """A recipient or a mail that the server refuses for good is not sent again; what an operator can mend is."""
    with serving() as (inbox, port):
        for verb, answer in answers.items():

            async def handle(*_: object, answer: str = answer) -> str:
                return answer

            setattr(inbox, f"handle_{verb}", handle)
        with pytest.raises(NotDelivered) as failure:
            send(settings(port))
    assert failure.value.for_good is for_good
    with pytest.raises(NotDelivered) as failure:
        send(settings(free_port()), replace(MESSAGE, to="nobody"))
    assert failure.value.for_good
