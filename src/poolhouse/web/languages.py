"""The languages of managed login, and the cookie that remembers a visitor's choice (spec/http/07 §7.6)."""

from poolhouse.web.domains import DomainContext
from poolhouse.web.responses import Header, set_cookie

LANGUAGES = ("en", "de", "es", "fr", "id", "it", "ja", "ko", "nl", "pt-BR", "zh-CN", "zh-TW")
COOKIE = "lang"
_SECONDS = 365 * 86400


def language_cookies(domain: DomainContext, asked: str | None, now: int) -> list[Header]:
    """Return the ``Set-Cookie`` that keeps the language of a request's ``lang``, if it is one of ours.

    ``now`` is in milliseconds. The classic pages have one language and set no cookie.
    """
    if not domain.managed or asked is None or asked not in LANGUAGES:
        return []
    return [set_cookie(domain.cookie_scope, COOKIE, asked, max_age=_SECONDS, now=now)]
