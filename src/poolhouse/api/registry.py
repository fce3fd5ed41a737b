"""Which function serves which operation: ``@operation`` checks at import and does nothing at run time."""

import inspect
import re
import typing
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from poolhouse.flows.calls import AdminCall, Call, PublicCall, UserCall
from poolhouse.model import OPERATIONS, Access, Operation

Handler = Callable[[Any, Any], Awaitable[Any]]
F = TypeVar("F", bound=Handler)

CALLS: dict[Access, type[Call]] = {Access.ADMIN: AdminCall, Access.USER: UserCall, Access.PUBLIC: PublicCall}
HANDLERS: dict[str, Handler] = {}

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class RegistryError(TypeError):
    """A function and its row in the model disagree."""


def function_name(operation: str) -> str:
    """Return the name of the function that serves an operation: ``GetCSVHeader`` → ``get_csv_header``."""
    return _WORD_START.sub("_", operation).lower()


_ROWS: dict[str, Operation] = {function_name(name): row for name, row in OPERATIONS.items()}


def operation(function: F) -> F:
    """Make ``function`` the handler of the operation that it is named after.

    Raises RegistryError where name, call, request or response is not what the model says.
    """
    row = _ROWS.get(function.__name__)
    if row is None:
        raise RegistryError(f"{function.__name__}: the model has no such operation")
    if row.name in HANDLERS:
        raise RegistryError(f"{function.__name__}: {row.name} has a handler already")
    is_async: bool = inspect.iscoroutinefunction(function)
    if not is_async:
        raise RegistryError(f"{function.__name__}: must be async")
    _check_annotations(function, row)
    HANDLERS[row.name] = function
    return function


def _check_annotations(function: Handler, row: Operation) -> None:
    hints = typing.get_type_hints(function)
    given = {name: hints.get(name) for name in [*inspect.signature(function).parameters, "return"]}
    wanted = (CALLS[row.access], row.request, row.response or type(None))
    if len(given) != len(wanted):
        raise RegistryError(f"{function.__name__}: takes a call and a request, nothing else")
    for (name, found), expected in zip(given.items(), wanted, strict=True):
        if found is not expected:
            told = getattr(found, "__name__", "nothing")
            raise RegistryError(f"{function.__name__}: the model says {expected.__name__}, {name} says {told}")


def check_complete() -> None:
    """Check that each operation of the model has a handler; raises RegistryError."""
    missing = OPERATIONS.keys() - HANDLERS.keys()
    if missing:
        raise RegistryError(f"no handler for {', '.join(sorted(missing))}")
