"""Hypothesis strategies made from the model: documents that satisfy every constraint, and documents that do not."""

import base64
import functools
import re

from hypothesis import strategies as st
from msgspec import inspect as mi

from poolhouse.model import shapes

# The visible characters: as the generator writes them out, and a few of them that are quick to draw from.
VISIBLE = mi.type_info(shapes.GroupNameType).type.pattern.removeprefix("(?a)\\A(?:[").removesuffix("]+)\\Z")
SOME_VISIBLE = r"!-~À-ɏ\U0001f600-\U0001f64f"
# Long enough for every least length, short enough to be quick.
LONGEST = 40


def bare(info):
    """A type without its wrappings."""
    if isinstance(info, mi.UnionType):
        info = next(member for member in info.types if not isinstance(member, mi.NoneType))
    return info.type if isinstance(info, mi.Metadata) else info


@functools.cache
def type_info(struct):
    return mi.type_info(struct)


def documents(struct, *, full: bool = False):
    """JSON documents that the decoder of ``struct`` must accept; ``full`` gives every optional member."""
    return _document(type_info(struct), full)


def _document(info, full: bool):
    required = {field.encode_name: value(field.type, full) for field in info.fields if field.required}
    optional = {field.encode_name: value(field.type, full) for field in info.fields if not field.required}
    return st.fixed_dictionaries(required | optional) if full else st.fixed_dictionaries(required, optional=optional)


def value(info, full: bool = False):
    """Values of a type, within its constraints."""
    info = bare(info)
    if isinstance(info, mi.StructType):
        return st.deferred(lambda: _document(info, full))
    if isinstance(info, mi.EnumType):
        return st.sampled_from([member.value for member in info.cls])
    if isinstance(info, mi.IntType):
        return st.integers(info.ge, info.le)
    if isinstance(info, mi.BoolType):
        return st.booleans()
    if isinstance(info, mi.FloatType):
        return st.integers(0, 2**41).map(lambda milliseconds: milliseconds / 1000)
    if isinstance(info, mi.StrType):
        return text(info.pattern, info.min_length or 0, info.max_length)
    if isinstance(info, mi.BytesType):
        return st.binary(max_size=30).map(lambda data: base64.b64encode(data).decode())
    if isinstance(info, mi.ListType):
        least = info.min_length or 0
        return st.lists(value(info.item_type, full), min_size=least, max_size=min(info.max_length or 3, least + 2))
    if isinstance(info, mi.DictType):
        least = info.min_length or 0
        return st.dictionaries(
            value(info.key_type),
            value(info.value_type, full),
            min_size=least,
            max_size=min(info.max_length or 3, least + 2),
        )
    assert isinstance(info, mi.AnyType), info
    return st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.none(), max_size=3)


@functools.cache
def text(pattern: str | None, least: int, most: int | None):
    """Texts of a pattern and length. Most patterns are one class of characters repeated, which is quick to draw."""
    longest = min(most or least + LONGEST, least + LONGEST)
    if pattern is None:
        return st.text(st.characters(codec="utf-8"), min_size=least, max_size=longest)
    inside = pattern.removeprefix("(?a)\\A(?:").removesuffix(")\\Z")
    repeated = re.fullmatch(r"(\[(?:\\.|[^\]\\])+\])([+*])", inside)
    if repeated is None:
        return st.from_regex(pattern.replace(VISIBLE, SOME_VISIBLE)).filter(
            lambda drawn: least <= len(drawn) <= (most or LONGEST * 10)
        )
    one = _characters(repeated[1])
    return st.text(one, min_size=max(least, 1 if repeated[2] == "+" else 0), max_size=longest)


@functools.cache
def _characters(body: str):
    if body == f"[{VISIBLE}]":
        return st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cf", "Co"])
    accepted = re.compile(f"(?a){body}")
    return st.sampled_from([chr(code) for code in range(0x300) if accepted.fullmatch(chr(code))])
