"""The CSS of the classic pages: which classes and properties an operator may set (spec/http/07 §7.5).

It is read and written anew, so that nothing reaches a page but the listed properties with plain values.
"""

import re
from collections.abc import Iterator

from poolhouse.model import InvalidParameterException

_DESCRIPTION = frozenset({"padding-top", "padding-bottom", "display", "font-size", "color"})
_HOVER = frozenset({"color", "background-color"})
PROPERTIES = {
    ".label-customizable": frozenset({"font-weight", "color"}),
    ".inputField-customizable": frozenset({"width", "height", "color", "background-color", "border"}),
    ".inputField-customizable:focus": frozenset({"border-color", "outline"}),
    ".textDescription-customizable": _DESCRIPTION,
    ".idpDescription-customizable": _DESCRIPTION,
    ".submitButton-customizable": frozenset(
        {"font-size", "font-weight", "margin", "width", "height", "color", "background-color"}
    ),
    ".submitButton-customizable:hover": _HOVER,
    ".banner-customizable": frozenset({"padding", "background-color"}),
    ".idpButton-customizable": frozenset(
        {"height", "width", "text-align", "margin-bottom", "color", "background-color", "border-color"}
    ),
    ".idpButton-customizable:hover": _HOVER,
    ".socialButton-customizable": frozenset({"height", "text-align", "width", "margin-bottom"}),
    ".logo-customizable": frozenset({"max-width", "max-height", "background-color"}),
    ".legalText-customizable": frozenset({"color", "font-size"}),
    ".errorMessage-customizable": frozenset(
        {"margin", "padding", "font-size", "width", "background", "border", "color", "box-sizing"}
    ),
    ".passwordCheck-valid-customizable": frozenset({"color"}),
    ".passwordCheck-notValid-customizable": frozenset({"color"}),
    ".background-customizable": frozenset({"background-color"}),
    ".redirect-customizable": frozenset({"color", "text-align"}),
}
_CLASSES = {selector.partition(":")[0] for selector in PROPERTIES}
_FUNCTIONS = frozenset({"calc", "clamp", "hsl", "hsla", "hwb", "max", "min", "rgb", "rgba"})

_SELECTOR = re.compile(r"(\.[A-Za-z-]+)(?::[a-z-]+)?")
_PROPERTY = re.compile(r"-{0,2}[a-z][a-z0-9-]*")
_VALUE = re.compile(r"[\w\s#%.,()+*/!-]+", re.ASCII)
_FUNCTION = re.compile(r"([\w-]*)\(")
_SCRIPT = re.compile(r"expression\s*\(|javascript:|</", re.IGNORECASE)

Rule = tuple[list[str], dict[str, str]]


def check_css(css: str) -> None:
    """Check that CSS sets nothing but the known classes; raises InvalidParameterException.

    Other properties than the listed ones are fine, but have no effect.
    """
    for _ in _rules(css):
        pass


def effective_css(css: str) -> str:
    """Return what of checked CSS reaches the pages; it wins over their own stylesheet, which says it of one class."""
    lines = []
    for selectors, declarations in _rules(css):
        for selector in selectors:
            allowed = PROPERTIES.get(selector, frozenset())
            kept = [f"{name}: {value};" for name, value in declarations.items() if name in allowed and _is_plain(value)]
            if kept:
                lines.append(f"html {selector} {{ {' '.join(kept)} }}\n")
    return "".join(lines)


def _rules(css: str) -> Iterator[Rule]:
    """Yield the rules of a stylesheet: selectors, and declarations by property. Raises InvalidParameterException."""
    text = _without_comments(css)
    if "@" in text:
        raise InvalidParameterException("At-rules such as @import and @media are not allowed in the CSS.")
    if _SCRIPT.search(text):
        raise InvalidParameterException("JavaScript is not allowed in the CSS.")
    *blocks, rest = text.split("}")
    if rest.strip():
        raise _invalid(rest)
    for block in blocks:
        head, brace, body = block.partition("{")
        if not brace or "{" in body:
            raise _invalid(block)
        yield _selectors(head), _declarations(body)


def _without_comments(css: str) -> str:
    kept, rest = [], css
    while True:
        before, begin, after = rest.partition("/*")
        kept.append(before)
        if not begin:
            return " ".join(kept)
        _, end, rest = after.partition("*/")
        if not end:
            raise InvalidParameterException("A comment in the CSS does not end.")


def _selectors(head: str) -> list[str]:
    selectors = [each.strip() for each in head.split(",")]
    for selector in selectors:
        match = _SELECTOR.fullmatch(selector)
        if match is None or match[1] not in _CLASSES:
            raise InvalidParameterException(f"Unexpected CSS class: {selector[:100]}")
    return selectors


def _declarations(body: str) -> dict[str, str]:
    found = {}
    for declaration in filter(None, map(str.strip, body.split(";"))):
        name, colon, value = (part.strip() for part in declaration.partition(":"))
        if not colon or not value or not _PROPERTY.fullmatch(name.lower()):
            raise _invalid(declaration)
        found[name.lower()] = value
    return found


def _is_plain(value: str) -> bool:
    """Tell whether a value is made of words, numbers, colours and functions that compute them, and ends by itself."""
    if not _VALUE.fullmatch(value) or not set(map(str.lower, _FUNCTION.findall(value))) <= {*_FUNCTIONS, ""}:
        return False
    depth = 0
    for character in value:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def _invalid(part: str) -> InvalidParameterException:
    return InvalidParameterException(f"The CSS cannot be read: {part.strip()[:100]}")
