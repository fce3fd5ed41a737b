"""The parameters of a request in ``application/x-www-form-urlencoded``: a query string or a form body."""

from collections.abc import Container
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

MAX_PARAMETERS = 200


class MalformedParameters(ValueError):
    """The text is no list of parameters in UTF-8, or has too many of them."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters by name. One that came without a value counts as left out (RFC 6749 §3.1).

    ``repeated`` names those that came more than once, which no OAuth parameter may;
    of such a one the first value is kept.
    """

    values: dict[str, str]
    repeated: frozenset[str] = frozenset()

    def get(self, name: str) -> str | None:
        """Return the value of a parameter, or None where it was left out or empty."""
        return self.values.get(name)


def parse_parameters(text: bytes | str) -> Parameters:
    """Read a query string or a form body.

    Raises MalformedParameters on broken UTF-8 and on more than ``MAX_PARAMETERS`` parameters.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode("ascii")
        pairs = parse_qsl(decoded, max_num_fields=MAX_PARAMETERS, errors="strict")
    except ValueError as error:
        raise MalformedParameters(str(error)) from error
    values: dict[str, str] = {}
    repeated: set[str] = set()
    for name, value in pairs:
        if name in values:
            repeated.add(name)
        else:
            values[name] = value
    return Parameters(values, frozenset(repeated))


def drop_parameters(text: str, names: Container[str]) -> str:
    """Return a query string without some parameters; the others stay as they were written."""
    return "&".join(part for part in text.split("&") if unquote_plus(part.partition("=")[0]) not in names)
