"""Mail addresses, with or without a name before them (RFC 5322 §3.4)."""

from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.utils import parseaddr


class BadMailbox(ValueError):
    """A text is not the one mail address that it should be."""


def read_mailbox(text: str, *, named: bool = True) -> Address:
    """Read exactly one address, with or without a name before it; raises BadMailbox."""
    if not text.isprintable():
        raise BadMailbox("a control character in an address")
    name, spec = parseaddr(text) if named else ("", text)
    name = _decoded(name)
    local, _, domain = spec.rpartition("@")
    # The class checks ASCII alone; a letter of another script (RFC 6531) may stand where any letter may.
    stand_in = "".join(letter if letter.isascii() else "x" for letter in local)
    try:
        checked = Address(addr_spec=f"{stand_in}@{domain.encode('idna').decode('ascii')}")
    except (HeaderParseError, ValueError, IndexError):
        raise BadMailbox("not a mail address") from None
    if stand_in == local:
        return Address(name, checked.username, checked.domain)
    if '"' in local:
        raise BadMailbox("quotes around letters beyond ASCII")
    return Address(name, local, checked.domain)


def _decoded(name: str) -> str:
    """Return a name that may be given as encoded words, as SES wants it; raises BadMailbox."""
    try:
        text = str(make_header(decode_header(name)))
    except (HeaderParseError, LookupError, UnicodeError):
        raise BadMailbox("a name in an encoding that is none") from None
    if not text.isprintable():
        raise BadMailbox("a control character in a name")
    return text
