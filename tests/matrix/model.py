"""What the service's own description says of requests: an oracle that knows nothing of this program's types.

Sentences, paths and their order: spec/api/01 §4.
"""

import base64
import functools
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from tools.generate_model import translate

SERVICE = botocore.session.get_session().get_service_model("cognito-idp")
VISIBLE = r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+"

# Where the service does other than its description says.
PATTERNS = {"PasswordType": r"^[\S]+.*[\S]+$"}  # spec/api/01 §4.5
ENUMS = {"ExplicitAuthFlowsType": ["ALLOW_CLIENT_TOKEN_AUTH"]}  # documented, not in the enumeration: 02 §5.2
# An empty password asks for a user without one, which a pool of passwords does not let sign up: 03 §5.11, §8.2.
EMPTY_ASKS = {"AdminCreateUserRequest.TemporaryPassword": False, "SignUpRequest.Password": True}


def input_of(operation: str) -> StructureShape:
    return SERVICE.operation_model(operation).input_shape


def pattern_of(shape: Shape) -> str | None:
    return PATTERNS.get(shape.name, shape.metadata.get("pattern"))


def enum_of(shape: Shape) -> list[str]:
    found = list(shape.metadata.get("enum", []))
    return found + ENUMS.get(shape.name, []) if found else []


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


def matches(shape: Shape, value: str) -> bool:
    pattern = pattern_of(shape)
    return pattern is None or bool(_compiled(pattern).search(value))


def bounds_of(shape: Shape) -> tuple[int | None, int | None]:
    """The least and greatest length or value."""
    return shape.metadata.get("min"), shape.metadata.get("max")


def is_sensitive(shape: Shape) -> bool:
    return bool(shape.metadata.get("sensitive"))


def failures(shape: Shape, value: Any, path: str = "", *, hidden: bool = False, member: str = "") -> Iterator[str]:
    """Give the sentences that a value of a request must be refused with."""
    hidden = hidden or is_sensitive(shape)
    if isinstance(shape, StructureShape) and not shape.is_document_type:
        yield from _members(shape, value, path, hidden=hidden)
        return
    if value == "" and member in EMPTY_ASKS:
        yield from [missing(path)] if EMPTY_ASKS[member] else []
        return
    for constraint in broken(shape, value):
        shown = "" if hidden or _is_nested(value) else f" '{_printed(value)}'"
        yield f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}"
    if isinstance(shape, ListShape):
        yield from _items(shape, value, path, hidden=hidden)
    elif isinstance(shape, MapShape):
        for key, inner in value.items():
            yield from failures(shape.key, key, f"{path}.{key}.key", hidden=hidden)
            yield from failures(shape.value, inner, f"{path}.{key}.value", hidden=hidden)


def _members(shape: StructureShape, value: dict[str, Any], path: str, *, hidden: bool) -> Iterator[str]:
    for name in sorted(shape.members):
        at = f"{path}.{camel(name)}" if path else camel(name)
        if value.get(name) is not None:
            yield from failures(shape.members[name], value[name], at, hidden=hidden, member=f"{shape.name}.{name}")
        elif name in shape.required_members:
            yield missing(at)


def _items(shape: ListShape, value: list[Any], path: str, *, hidden: bool) -> Iterator[str]:
    item = shape.member
    if isinstance(item, StructureShape):
        for number, inner in enumerate(value, 1):
            yield from failures(item, inner, f"{path}.{number}.member", hidden=hidden)
    elif any(any(broken(item, inner)) for inner in value):
        shown = "" if hidden or is_sensitive(item) else f" '{_printed(value)}'"
        every = ", ".join(constraints(item))
        yield f"Value{shown} at '{path}' failed to satisfy constraint: Member must satisfy constraint: [{every}]"


def missing(path: str) -> str:
    return f"Value at '{path}' failed to satisfy constraint: Member must not be null"


def camel(name: str) -> str:
    return name[0].lower() + name[1:]


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(it, dict | list) for it in value))


def _printed(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def broken(shape: Shape, value: Any) -> Iterator[str]:
    """Give the constraints that one value fails: pattern, greatest, least."""
    if enum_of(shape):
        yield from constraints(shape) if value not in enum_of(shape) else ()
        return
    if isinstance(shape, StringShape) and not matches(shape, value):
        yield f"Member must satisfy regular expression pattern: {pattern_of(shape)}"
    size = value if shape.type_name in {"integer", "long"} else None
    if shape.type_name == "blob":
        size = len(base64.b64decode(value))
    elif isinstance(value, str | list | dict):
        size = len(value)
    least, greatest = bounds_of(shape)
    if size is not None and greatest is not None and size > greatest:
        yield f"Member must have {_measure(shape)} less than or equal to {greatest}"
    if size is not None and least is not None and size < least:
        yield f"Member must have {_measure(shape)} greater than or equal to {least}"


def constraints(shape: Shape) -> Iterator[str]:
    """Give every constraint of a value."""
    if enum_of(shape):
        yield f"Member must satisfy enum value set: [{', '.join(enum_of(shape))}]"
        return
    if pattern_of(shape) is not None:
        yield f"Member must satisfy regular expression pattern: {pattern_of(shape)}"
    least, greatest = bounds_of(shape)
    if greatest is not None:
        yield f"Member must have {_measure(shape)} less than or equal to {greatest}"
    if least is not None:
        yield f"Member must have {_measure(shape)} greater than or equal to {least}"


def _measure(shape: Shape) -> str:
    return "value" if shape.type_name in {"integer", "long"} else "length"
