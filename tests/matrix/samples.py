"""Values at the bounds of every constraint of a request, one at a time."""

import base64
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from tests.matrix.model import VISIBLE, bounds_of, enum_of, input_of, matches, pattern_of

ARN = "arn:aws:service:us-east-1:000000000000:thing/"
UUID = "00000000-0000-4000-8000-000000000000"
LANGUAGES = [
    *("default", "dutch", "english", "french", "spanish", "german", "bahasa-indonesia", "italian", "japanese"),
    *("korean", "portuguese-brazil", "chinese-simplified", "chinese-traditional"),
]
TEXT = r"[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*"

# A text of each pattern begins so, and goes on with the last character for as long as is asked for.
BEGINNINGS = {
    None: "x",
    r"[0-9]+": "1",
    r"Level[1-4]": "Level1",
    r"[\x21\x23-\x5B\x5D-\x7E]+": "x",
    r"[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]+": "x",
    r"arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?": ARN,
    r"(arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?)?": ARN,
    r"arn:[\w+=/,.@-]+:[\w+=/,.@-]+:::[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?": "arn:aws:s3:::bucket",
    r"[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r ]+": "x",
    r"[\p{L}\p{M}\p{S}\p{N}\p{P}\p{Z}]+": "x",
    r"[^_\p{Z}][\p{L}\p{M}\p{S}\p{N}\p{P}][^_\p{Z}]+": "xxx",
    r"[\w+]+": "x",
    r"[\w\s+=,.@-]+": "x",
    r"[\w\s+=.@-]+": "x",
    r"[\w]+": "x",
    r"[\w+-]+": "x",
    r"[\w+=/]+": "x",
    r"[\S]+": "x",
    r"^[\S]+.*[\S]+$": "xx",
    VISIBLE: "é",
    f"^{VISIBLE}$": "é",
    f"{VISIBLE}@{VISIBLE}": "x@x",
    r"[\w-]+_[0-9a-f-]+": "us-east-1_0",
    r"[\w-]+_[0-9a-zA-Z]+": "us-east-1_0",
    r"^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?$": "x",
    TEXT: "x",
    TEXT[:-1] + "+": "x",
    TEXT + r"\{####\}" + TEXT: "{####}x",
    TEXT + r"\{##" + TEXT + r"##\}" + TEXT: "{##x##}x",
    r".*\{####\}.*": "{####}x",
    r"(?s).*": "x",
    r"[\p{L}\p{M}\p{S}\p{N}\p{P}\s]+": "x",
    r"[A-Za-z0-9-_+/=.]+": "x",
    r"[A-Za-z0-9-_=.]+": "x",
    r"[A-Za-z0-9]+": "x",
    r"^[0-9a-fA-F]+$": "0",
    f"^cognito:({'|'.join(LANGUAGES[:-2])}|chinese-(simplified|traditional))$": "cognito:default",
    r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[4][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$": UUID,
    r"^[\w\- ]+$": "x",
    r"^[0-9A-Za-z\.\-_]*(?<!\.)$": "xxx",
    r"^[a-zA-Z0-9_-]+$": "x",
    r"^(tkn|sso)[a-z0-9]{25}$": "tkn" + "0" * 25,
    r"^(terms-of-use|privacy-policy)$": "terms-of-use",
    r"import-[0-9a-zA-Z-]+": "import-0",
}
# What hardly any pattern accepts; a pattern that is only searched for, or anchored with "$", accepts the first.
FOREIGN: list[Callable[[str], str]] = [
    lambda good: f"{good}\n",
    lambda good: f" {good}",
    lambda good: f"{good}\0",
    lambda good: f"\u200b{good}",
    lambda good: "",
]
# What a structure needs besides the members that its description requires.
NEEDED = {"SchemaAttributeType": {"Name": "x", "AttributeDataType": "String"}}
# Names with dots may be longer than what is printed: spec/http/01 §1.2. tests/core/test_domain_rules.py has both kinds.
LONGER_ACCEPTED = {"DomainType"}


def text(shape: Shape, length: int | None = None) -> str:
    """A text of a pattern, of this length where the pattern has such texts."""
    beginning = BEGINNINGS[pattern_of(shape)]
    least, _ = bounds_of(shape)
    wanted = max(least or 0, len(beginning)) if length is None else length
    return beginning[:wanted] if wanted < len(beginning) else beginning.ljust(wanted, beginning[-1])


def least(shape: Shape) -> Any:
    """The smallest value that satisfies every constraint."""
    if isinstance(shape, StructureShape):
        needed = NEEDED.get(shape.name, {})
        return needed | {name: least(shape.members[name]) for name in shape.required_members if name not in needed}
    if isinstance(shape, ListShape):
        return [least(shape.member)] * (bounds_of(shape)[0] or 0)
    if isinstance(shape, MapShape):
        return dict.fromkeys(keys(shape, bounds_of(shape)[0] or 0), least(shape.value))
    if isinstance(shape, StringShape):
        return enum_of(shape)[0] if enum_of(shape) else text(shape)
    return {"boolean": False, "blob": ""}.get(shape.type_name, bounds_of(shape)[0] or 0)


def keys(shape: MapShape, count: int) -> list[str]:
    """Different keys of a map; they are valid as far as there are as many."""
    pattern = pattern_of(shape.key) or ""
    if pattern.startswith("Level"):
        return [f"Level{number}" for number in range(1, count + 1)]
    if pattern.startswith("^cognito:"):
        return [f"cognito:{name}" for name in [*LANGUAGES, "klingon"][:count]]
    assert not pattern, pattern
    return [f"k{number}" for number in range(count)]


@dataclass(frozen=True)
class Probe:
    """A whole request that breaks one constraint at its bound, or meets it just so."""

    about: str
    document: dict[str, Any]


Path = tuple[str | int, ...]


def probes(operation: str, base: dict[str, Any]) -> Iterator[Probe]:
    """Give requests that differ from a valid one in one value each."""
    shape = input_of(operation)
    for path, value in _values(shape, ()):
        document = copy.deepcopy(base)
        _put(document, shape, path, value)
        yield Probe(".".join(map(str, path)), document)


def _values(shape: Shape, path: Path) -> Iterator[tuple[Path, Any]]:
    """Give paths into a structure and values to try there."""
    if isinstance(shape, StructureShape):
        for name, member in [] if shape.is_document_type else shape.members.items():
            yield from _values(member, (*path, name))
        return
    for value in _tried(shape):
        yield path, value
    if isinstance(shape, ListShape):
        yield from _values(shape.member, (*path, 0))
    elif isinstance(shape, MapShape):
        for key in _tried(shape.key):
            yield path, {key: least(shape.value)}
        yield from _values(shape.value, (*path, keys(shape, 1)[0]))


def _tried(shape: Shape) -> Iterator[Any]:
    lowest, highest = bounds_of(shape)
    sizes = [] if lowest is None else [lowest - 1, lowest]
    sizes += [] if highest is None else [highest, highest + 1]
    if shape.name in LONGER_ACCEPTED:
        sizes.pop()
    if enum_of(shape):
        yield from [*enum_of(shape), "NO_SUCH_VALUE", enum_of(shape)[0].swapcase()]
    elif isinstance(shape, StringShape):
        yield from (text(shape, size) for size in sizes if size >= 0)
        yield from [text(shape), *_foreign(shape)] if pattern_of(shape) else []
    elif shape.type_name in {"integer", "long"}:
        yield from sizes
    elif shape.type_name == "blob":
        yield from (base64.b64encode(b"\0" * size).decode() for size in sizes if size >= 0)
    elif isinstance(shape, ListShape):
        yield from ([least(shape.member)] * size for size in sizes if size >= 0)
    elif isinstance(shape, MapShape):
        yield from (dict.fromkeys(keys(shape, size), least(shape.value)) for size in sizes if size >= 0)


def _foreign(shape: Shape) -> Iterator[str]:
    changed = [change(text(shape)) for change in FOREIGN]
    return (value for value in changed if not matches(shape, value))


def _put(document: Any, shape: Shape, path: Path, value: Any) -> None:
    """Put a value where the path leads, making what is not there on the way."""
    first, *rest = path
    inner = _inside(shape, first)
    if isinstance(document, list) and not document:
        document.append(least(inner))
    if not rest:
        document[first] = value
        return
    if isinstance(document, dict) and first not in document:
        document[first] = least(inner)
    _put(document[first], inner, tuple(rest), value)


def _inside(shape: Shape, step: str | int) -> Shape:
    if isinstance(shape, StructureShape):
        return shape.members[step]
    return shape.member if isinstance(shape, ListShape) else shape.value
