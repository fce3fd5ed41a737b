"""The languages of managed login, and the cookie that remembers a visitor's choice (spec/http/07 §7.6)."""

from poolhouse.web.domains import DomainContext
from poolhouse.web.responses import Header, set_cookie

LANGUAGES = ("en", "de", "es", "fr", "id", "it", "ja", "ko", "nl", "pt-BR", "zh-CN", "zh-TW")
COOKIE = "lang"
_SECONDS = 365 * 86400
# Scripts and Regions of Chinese in traditional characters.
_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})


def language_cookies(domain: DomainContext, asked: str | None, now: int) -> list[Header]:
    """Return the ``Set-Cookie`` that keeps the language of a request's ``lang``, if it is one of ours.

    ``now`` is in milliseconds. The classic pages have one language and set no cookie.
    """
    if not domain.managed or asked is None or asked not in LANGUAGES:
        return []
    return [set_cookie(domain.cookie_scope, COOKIE, asked, max_age=_SECONDS, now=now)]


def preferred_language(accepted: str) -> str | None:
    """Return which of our languages an ``Accept-Language`` likes best, None where it names none (RFC 9110 §12.5.4).

    Pages of a domain do not ask it (spec/http/07 §7.6); it is for those that belong to none.
    """
    chosen, most = None, 0.0
    for entry in accepted.split(","):
        tag, _, parameter = entry.partition(";")
        language, weight = _find_language(tag.strip()), _weight(parameter.strip())
        if language is not None and weight > most:
            chosen, most = language, weight
    return chosen


def _find_language(tag: str) -> str | None:
    """Return the language that is nearest to a tag: whoever reads one kind of Portuguese reads the other."""
    first, *rest = tag.lower().split("-")
    if first == "zh":
        return "zh-TW" if _TRADITIONAL.intersection(rest) else "zh-CN"
    return next((language for language in LANGUAGES if language.partition("-")[0] == first), None)


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    try:
        return float(parameter.removeprefix("q="))
    except ValueError:
        return 0.0
