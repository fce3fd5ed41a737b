"""Mail as the internet wants it: headers, and a text part beside the HTML (RFC 5322, RFC 2046 §5.1.4)."""

from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from html.parser import HTMLParser

from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope

_BLOCKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "ul", "ol", "table", "blockquote"})
_UNSEEN = frozenset({"style", "script", "title"})


class BadAddress(ValueError):
    """A text is not the one mail address that it should be."""


def compose(message: Message, envelope: Envelope, sender: str) -> EmailMessage:
    """Return a mail; ``sender`` is used where the pool names none. Raises BadAddress.

    Every header is made of checked parts on one line, so no value can add another header or recipient.
    """
    origin = read_address(envelope.sender or sender)
    mail = EmailMessage()
    mail["From"] = origin
    mail["To"] = read_address(message.to, named=False)
    if envelope.reply_to:
        mail["Reply-To"] = read_address(envelope.reply_to)
    mail["Subject"] = " ".join((message.subject or "").split())
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.at // 1000, UTC))
    mail["Message-ID"] = f"<{message.id}@{origin.domain}>"
    # RFC 3834: no holiday notices, please.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text or to_text(message.body))
    mail.add_alternative(message.body, subtype="html")
    return mail


def read_address(text: str, *, named: bool = True) -> Address:
    """Read exactly one address, with or without a name before it; raises BadAddress."""
    if not text.isprintable():
        raise BadAddress("a control character in an address")
    name, spec = parseaddr(text) if named else ("", text)
    local, _, domain = spec.rpartition("@")
    # The class checks ASCII alone; a letter of another script (RFC 6531) may stand where any letter may.
    stand_in = "".join(letter if letter.isascii() else "x" for letter in local)
    try:
        checked = Address(addr_spec=f"{stand_in}@{domain.encode('idna').decode('ascii')}")
    except (HeaderParseError, ValueError, IndexError):
        raise BadAddress("not a mail address") from None
    if stand_in == local:
        return Address(name, checked.username, checked.domain)
    if '"' in local:
        raise BadAddress("quotes around letters beyond ASCII")
    return Address(name, local, checked.domain)


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
