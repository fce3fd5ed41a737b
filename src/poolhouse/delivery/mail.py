"""Mail as the internet wants it: headers, and a text part beside the HTML (RFC 5322, RFC 2046 §5.1.4)."""

from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import Policy
from email.utils import format_datetime, quote
from html.parser import HTMLParser

from poolhouse.core.mailboxes import read_mailbox
from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope

_BLOCKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "ul", "ol", "table", "blockquote"})
_UNSEEN = frozenset({"style", "script", "title"})
# Longer names and texts take several lines, and so encoded words.
_ONE_LINE = 60


class _Header(str):
    """A header that comes with its lines.

    The standard library's own way to make them loses blanks between encoded words, and the quotes around names with
    commas, whose parts become addresses then (Python's issues 92081 and 121284).
    """

    __slots__ = ("lines", "name")
    name: str
    lines: str

    @classmethod
    def of(cls, name: str, value: str, lines: str) -> "_Header":
        """Return a header with a value, and with the lines that it takes."""
        made = cls(value)
        made.name, made.lines = name, lines
        return made

    def fold(self, *, policy: Policy) -> str:
        """Return the lines, as email.policy asks for them."""
        return f"{self.name}: {self.lines}\n".replace("\n", policy.linesep)


def compose(message: Message, envelope: Envelope, sender: str) -> EmailMessage:
    """Return a mail; ``sender`` is used where the pool names none. Raises BadMailbox.

    Every header is made of checked parts on one line, so no value can add another header or recipient.
    """
    origin = read_mailbox(envelope.sender or sender)
    mail = EmailMessage()
    mail["From"] = _mailbox("From", origin)
    mail["To"] = _mailbox("To", read_mailbox(message.to, named=False))
    if envelope.reply_to:
        mail["Reply-To"] = _mailbox("Reply-To", read_mailbox(envelope.reply_to))
    mail["Subject"] = _text("Subject", " ".join((message.subject or "").split()))
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.at // 1000, UTC))
    mail["Message-ID"] = f"<{message.id}@{origin.domain}>"
    # RFC 3834: no holiday notices, please.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text or to_text(message.body))
    mail.add_alternative(message.body, subtype="html")
    return mail


def _text(name: str, text: str) -> _Header:
    return _Header.of(name, text, text if _is_plain(text) else _encoded(name, text))


def _mailbox(name: str, address: Address) -> _Header:
    shown, spec = address.display_name, address.addr_spec
    value = f'"{quote(shown)}" <{spec}>' if shown else spec
    return _Header.of(name, value, value if _is_plain(shown) else f"{_encoded(name, shown)}\n <{spec}>")


def _is_plain(text: str) -> bool:
    """Whether a text can stand as it is, in one line."""
    return text.isascii() and text.isprintable() and len(text) <= _ONE_LINE and "=?" not in text


def _encoded(name: str, text: str) -> str:
    """Return a text as encoded words, in as many lines as that takes after the name of a header (RFC 2047)."""
    return Header(text, "utf-8", header_name=name).encode()


def to_text(html: str) -> str:
    """Return the text of an HTML body, for readers that show none; links keep their address."""
    parser = _TextParser()
    parser.feed(html)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.pieces).split("\n"))
    return "\n".join(lines).strip() + "\n"


class _TextParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0
        self._links: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._hidden += 1
        elif tag in _BLOCKS:
            self.pieces.append("\n")
        elif tag == "a":
            self._links.append(dict(attrs).get("href"))

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS - {"br"}:
            self.pieces.append("\n")
        elif tag == "a" and self._links:
            href = self._links.pop()
            self.pieces.append(f" ({href})" if href else "")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)
