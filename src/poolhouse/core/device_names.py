"""The name of a device, as far as its user agent tells: ``Chrome 126, Windows 10`` (spec/api/07 §5)."""

import re

UNKNOWN = "Other"
# Looked through in this order: most browsers claim to be several others as well.
_BROWSERS = tuple(
    (name, re.compile(pattern, re.ASCII))
    for name, pattern in (
        ("Edge", r"\bEdg(?:e|A|iOS)?/(\d{1,5})"),
        ("Opera", r"\b(?:OPR|Opera)/(\d{1,5})"),
        ("Samsung Internet", r"\bSamsungBrowser/(\d{1,5})"),
        ("Firefox", r"\b(?:Firefox|FxiOS)/(\d{1,5})"),
        ("Chrome", r"\b(?:Chrome|CriOS)/(\d{1,5})"),
        ("Safari", r"\bVersion/(\d{1,5})(?=[^/]{0,40} (?:Mobile/\w{1,20} )?Safari/)"),
    )
)
_SYSTEMS = tuple(
    (name, re.compile(pattern, re.ASCII))
    for name, pattern in (
        ("Windows 10", r"\bWindows NT 10\b"),
        ("Windows 8.1", r"\bWindows NT 6\.3\b"),
        ("Windows 8", r"\bWindows NT 6\.2\b"),
        ("Windows 7", r"\bWindows NT 6\.1\b"),
        ("Windows", r"\bWindows\b"),
        ("iOS", r"\b(?:iPhone|CPU) OS (\d{1,3})"),
        ("Android", r"\bAndroid (\d{1,3})"),
        ("Android", r"\bAndroid\b"),
        ("Mac OS X", r"\b(?:Mac OS X|macOS|Darwin)\b"),
        ("Chrome OS", r"\bCrOS\b"),
        ("Linux", r"\bLinux\b"),
    )
)
# Programs that are no browsers begin with their own name.
_PROGRAM = re.compile(r"([A-Za-z][\w.-]{0,39})/v?(\d{1,5})", re.ASCII)
_LONGEST = 512


def device_name(user_agent: str) -> str:
    """Return program and operating system; either is ``Other`` where the user agent does not tell."""
    text = user_agent[:_LONGEST]
    return f"{_find(_BROWSERS, text) or _program(text)}, {_find(_SYSTEMS, text) or UNKNOWN}"


def _find(known: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str | None:
    for name, pattern in known:
        found = pattern.search(text)
        if found is not None:
            return " ".join((name, *found.groups()))
    return None


def _program(text: str) -> str:
    found = _PROGRAM.match(text)
    return UNKNOWN if found is None or found[1] == "Mozilla" else f"{found[1]} {found[2]}"
