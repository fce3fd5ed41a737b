"""What is wrong with a body that the decoder refused, in the service's own sentences (spec/api/01 §3.4 and §4).

Runs only after a refusal: it walks the untyped document along the request's types a second time.
"""

import base64
import binascii
import functools
import itertools
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct
from msgspec import inspect as mi

from poolhouse.api.errors import SerializationException
from poolhouse.model import InvalidParameterException, ServiceError, UserContextDataType

# More failures than this are not told: a body of a megabyte could hold a hundred thousand.
MAX_FAILURES = 100
# A pattern is not tried on text that is too long by this factor; its length is told anyway.
_ABSURD = 16

NOT_NULL = "Member must not be null"
_LIST = "Start of list found where not expected"
_MAP = "Start of structure or map found where not expected"

# Numbers outside of these do not fit the service's types, which is no constraint of the member.
_CAPACITIES = frozenset({-(2**31), 2**31 - 1, -(2**63), 2**63 - 1})
# Sensitive as a whole: a structure has no place for the mark in the generated types.
_SENSITIVE = frozenset({UserContextDataType})

_type_info = functools.cache(mi.type_info)


def explain(request: type[Struct], body: bytes) -> ServiceError:
    """Return the error that tells why ``body`` is no ``request``."""
    try:
        document = msgspec.json.decode(body)
        info = _type_info(request)
        failures = list(itertools.islice(_failures(info, document, "", hidden=False), MAX_FAILURES))
    except SerializationException as error:
        return error
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return SerializationException()
    if not failures:
        # The decoder saw what no longer shows, say the first of two members of one name.
        return SerializationException()
    return validation_error(failures)


def validation_error(failures: list[str]) -> InvalidParameterException:
    """Return the error that lists ``failures``."""
    count = "1 validation error" if len(failures) == 1 else f"{len(failures)} validation errors"
    return InvalidParameterException(f"{count} detected: {'; '.join(failures)}")


def missing(path: str) -> str:
    """Return the sentence about a member that must be given."""
    return f"Value at '{path}' failed to satisfy constraint: {NOT_NULL}"


def _failures(info: mi.Type, value: Any, path: str, *, hidden: bool) -> Iterator[str]:
    """Give a sentence for each constraint that ``value`` fails; raises SerializationException for a wrong type."""
    info, extra = _bare(info)
    hidden = hidden or bool(extra.get("sensitive"))
    _check_type(info, value)
    if isinstance(info, mi.StructType):
        yield from _members(info, value, path, hidden=hidden or info.cls in _SENSITIVE)
        return
    for constraint in _broken(info, extra, value):
        shown = "" if hidden else _shown(value)
        yield f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}"
    if isinstance(info, mi.ListType):
        yield from _items(info, value, path, hidden=hidden)
    elif isinstance(info, mi.DictType):
        yield from _entries(info, value, path, hidden=hidden)


def _members(info: mi.StructType, value: dict[str, Any], path: str, *, hidden: bool) -> Iterator[str]:
    for field in info.fields:
        member = value.get(field.encode_name)
        at = f"{path}.{_camel(field.encode_name)}" if path else _camel(field.encode_name)
        if member is not None:
            yield from _failures(field.type, member, at, hidden=hidden)
        elif field.required:
            yield missing(at)


def _items(info: mi.ListType, value: list[Any], path: str, *, hidden: bool) -> Iterator[str]:
    item, extra = _bare(info.item_type)
    if isinstance(item, mi.StructType):
        for number, member in enumerate(value, 1):
            at = f"{path}.{number}.member"
            yield from [missing(at)] if member is None else _failures(item, member, at, hidden=hidden)
        return
    for member in value:
        if member is not None:
            _check_type(item, member)
    if any(member is None or any(_broken(item, extra, member)) for member in value):
        shown = "" if hidden or extra.get("sensitive") else _shown(value)
        inner = ", ".join(_constraints(item, extra)) or NOT_NULL
        yield f"Value{shown} at '{path}' failed to satisfy constraint: Member must satisfy constraint: [{inner}]"


def _entries(info: mi.DictType, value: dict[str, Any], path: str, *, hidden: bool) -> Iterator[str]:
    for key, member in value.items():
        at = f"{path}.{key}"
        yield from _failures(info.key_type, key, f"{at}.key", hidden=hidden)
        if member is None:
            yield missing(f"{at}.value")
        else:
            yield from _failures(info.value_type, member, f"{at}.value", hidden=hidden)


def _bare(info: mi.Type) -> tuple[mi.Type, dict[str, Any]]:
    """Return a type without its wrappings, and the generator's notes on it."""
    if isinstance(info, mi.UnionType):
        info = next(member for member in info.types if not isinstance(member, mi.NoneType))
    if isinstance(info, mi.Metadata):
        return info.type, info.extra or {}
    return info, {}


def _camel(name: str) -> str:
    return name[0].lower() + name[1:]


def _shown(value: Any) -> str:
    """Return how a value is printed: `` 'x'``, `` '[a, b]'``; nothing for structures inside."""
    if isinstance(value, list):
        if any(isinstance(member, list | dict) for member in value):
            return ""
        return f" '[{', '.join('null' if member is None else str(member) for member in value)}]'"
    return "" if isinstance(value, dict) else f" '{value}'"


# Types

_SCALARS: dict[type[mi.Type], tuple[tuple[type, ...], str]] = {
    mi.StrType: ((str,), "a String"),
    mi.EnumType: ((str,), "a String"),
    mi.BytesType: ((str,), "a ByteBuffer"),
    mi.IntType: ((int,), "an Integer"),
    mi.FloatType: ((int, float), "a Date"),
    mi.BoolType: ((bool,), "a Boolean"),
}


def _check_type(info: mi.Type, value: Any) -> None:
    """Raise SerializationException, in the words of the service's parser, where ``value`` has another type."""
    if isinstance(info, mi.AnyType):
        return
    if isinstance(value, dict):
        if not isinstance(info, mi.StructType | mi.DictType):
            raise SerializationException(_MAP)
    elif isinstance(value, list):
        if not isinstance(info, mi.ListType):
            raise SerializationException(_LIST)
    elif isinstance(info, mi.ListType):
        raise SerializationException("Unexpected field type")
    elif isinstance(info, mi.StructType | mi.DictType):
        raise SerializationException("Unexpected value type in payload")
    else:
        _check_scalar(info, value)


def _check_scalar(info: mi.Type, value: Any) -> None:
    accepted, name = _SCALARS[type(info)]
    fits = isinstance(value, accepted) and isinstance(value, bool) == isinstance(info, mi.BoolType)
    if not fits or (isinstance(info, mi.IntType) and _is_too_wide(info, value)):
        raise SerializationException(f"{_token(value)} can not be converted to {name}")
    if isinstance(info, mi.BytesType) and _decoded(value) is None:
        raise SerializationException("Invalid Base64 encoded string")


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if isinstance(value, int):
        return "NUMBER_VALUE"
    return "DECIMAL_VALUE" if isinstance(value, float) else "STRING_VALUE" if isinstance(value, str) else "NULL_VALUE"


def _is_too_wide(info: mi.IntType, value: int) -> bool:
    return (info.le in _CAPACITIES and value > info.le) or (info.ge in _CAPACITIES and value < info.ge)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


# Constraints, in the order in which they are told: pattern, greatest, least


def _broken(info: mi.Type, extra: dict[str, Any], value: Any) -> Iterator[str]:
    """Give the constraints of one value, not of those inside it, that it fails."""
    if isinstance(info, mi.IntType):
        return _bounds(_range(info), value)
    if isinstance(info, mi.EnumType):
        return iter(() if value in info.cls._value2member_map_ else _constraints(info, extra))
    if isinstance(info, mi.BytesType):
        return _bounds(_length(info), len(_decoded(value) or b""))
    if isinstance(info, mi.StrType):
        return itertools.chain(_pattern(info, extra, value), _bounds(_length(info), len(value)))
    if isinstance(info, mi.ListType | mi.DictType):
        return _bounds(_length(info), len(value))
    return iter(())


def _pattern(info: mi.StrType, extra: dict[str, Any], value: str) -> Iterator[str]:
    absurd = info.max_length is not None and len(value) > _ABSURD * info.max_length
    if info.pattern is not None and not absurd and not re.search(info.pattern, value):
        yield _pattern_sentence(extra)


def _pattern_sentence(extra: dict[str, Any]) -> str:
    return f"Member must satisfy regular expression pattern: {extra['pattern']}"


Limits = tuple[int | None, int | None, str]


def _range(info: mi.IntType) -> Limits:
    greatest, least = (None if bound in _CAPACITIES else bound for bound in (info.le, info.ge))
    return greatest, least, "value"


def _length(info: mi.StrType | mi.BytesType | mi.ListType | mi.DictType) -> Limits:
    return info.max_length, info.min_length, "length"


def _bounds(limits: Limits, size: int | None = None) -> Iterator[str]:
    """Give the bounds that ``size`` is outside of; without a size, all that there are."""
    greatest, least, what = limits
    if greatest is not None and (size is None or size > greatest):
        yield f"Member must have {what} less than or equal to {greatest}"
    if least is not None and (size is None or size < least):
        yield f"Member must have {what} greater than or equal to {least}"


def _constraints(info: mi.Type, extra: dict[str, Any]) -> Iterator[str]:
    """Give every constraint of a list's items."""
    if isinstance(info, mi.EnumType):
        yield f"Member must satisfy enum value set: [{', '.join(member.value for member in info.cls)}]"
    if isinstance(info, mi.StrType):
        if info.pattern is not None:
            yield _pattern_sentence(extra)
        yield from _bounds(_length(info))
