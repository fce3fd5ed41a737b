"""Refusals in the words of the service's own constraint checks, for what the model's constraints cannot say."""

from poolhouse.model import InvalidParameterException


def invalid_member(path: str, constraint: str, value: str | None = None) -> InvalidParameterException:
    """Return the error for one member that breaks a constraint (spec/api/01 §4). ``path`` is in lower camel case."""
    shown = "Value" if value is None else f"Value '{value}'"
    return InvalidParameterException(
        f"1 validation error detected: {shown} at '{path}' failed to satisfy constraint: {constraint}"
    )
