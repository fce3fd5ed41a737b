"""The filter of ListUsers (spec/api/05 §1.1): one condition, read in one pass."""

from msgspec import Struct

from poolhouse.core.aliases import INDEXED_LENGTH, SEARCHABLE, fold, index_form
from poolhouse.model import InvalidParameterException

SPACE = " \t\r\n"
# Compared as they are; everything else without regard to case (spec/api/05 §1.2).
EXACT = frozenset({"username", "sub", "status"})
KNOWN = EXACT | {*SEARCHABLE, "cognito:user_status"}


class Condition(Struct, frozen=True):
    """One condition. ``value`` is in the form that the index holds; ``prefix`` tells ``^=`` from ``=``."""

    attribute: str
    value: str
    prefix: bool


def parse_filter(text: str | None) -> Condition | None:
    """Return the condition of a filter, None for a filter that lets every user pass.

    Raises InvalidParameterException.
    """
    rest = (text or "").strip(SPACE)
    if not rest:
        return None
    name_end = next((at for at, character in enumerate(rest) if character in '=^"!' + SPACE), len(rest))
    name, rest = rest[:name_end], rest[name_end:].lstrip(SPACE)
    prefix = rest.startswith("^=")
    if not name or not (prefix or rest.startswith("=")):
        raise _unreadable()
    value = _read_quoted(rest[2 if prefix else 1 :].lstrip(SPACE))
    if name not in KNOWN:
        raise InvalidParameterException("Input fails to satisfy the constraints.")
    compared = index_form(value if name in EXACT else fold(value))
    # A prefix has no digest at its end.
    return Condition(name, compared[:INDEXED_LENGTH] if prefix else compared, prefix)


def _read_quoted(text: str) -> str:
    """Return the content of a quoted text that fills all of ``text``."""
    if not text.startswith('"'):
        raise _unreadable()
    value, escaped = [], False
    for at, character in enumerate(text[1:], 1):
        if escaped:
            if character not in '"\\':
                raise _unreadable()
            value.append(character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            if at + 1 != len(text):
                raise _unreadable()
            return "".join(value)
        else:
            value.append(character)
    raise _unreadable()


def _unreadable() -> InvalidParameterException:
    return InvalidParameterException("Error while parsing filter")
