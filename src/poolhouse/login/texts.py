"""The words of the pages in the visitor's language (spec/http/07 §7.6)."""

from importlib import import_module
from string import Formatter

from poolhouse.core.message_limits import MAIL_EXCEEDED
from poolhouse.login.locales.en import CLASSIC_TEXTS
from poolhouse.web.languages import LANGUAGES

DEFAULT = "en"


def _catalogue(language: str) -> dict[str, str]:
    name = language.replace("-", "_").lower()
    texts: dict[str, str] = import_module(f"poolhouse.login.locales.{name}").TEXTS
    return texts


_CATALOGUES = {language: _catalogue(language) for language in LANGUAGES}
_ENGLISH = _CATALOGUES[DEFAULT] | CLASSIC_TEXTS
_KEYS = {text: key for key, text in _ENGLISH.items()}
# What is said to the operator of the pool is none of its visitors' business.
_KEYS[MAIL_EXCEEDED] = "attempt_limit"
# SignUp words the same refusals differently from every other operation (spec/api/03 §5.3); the pages do not.
_SIGN_UP_WORDS = ("Password did not conform with policy", "Password does not conform to policy")


class Texts:
    """The catalogue of one language, English where it lacks a text."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = _ENGLISH | _CATALOGUES[language]

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of a key, its placeholders filled in."""
        return self._texts[key].format(**values)

    def pieces(self, key: str) -> list[tuple[str, str | None]]:
        """Return the text of a key in pieces: words, and the name of the placeholder that follows them, if any."""
        return [(words, name) for words, name, _, _ in Formatter().parse(self._texts[key])]

    def say(self, message: str) -> str:
        """Return a sentence of the API in this language; one that is not in the catalogue stays as it is.

        Sentences of triggers are the developer's own and are never translated (spec/http/07 §7.6).
        """
        key = _KEYS.get(message.replace(*_SIGN_UP_WORDS))
        return self._texts[key] if key is not None else message.strip()


_TEXTS = {language: Texts(language) for language in LANGUAGES}


def texts_of(language: str | None) -> Texts:
    """Return the texts of a language; an unknown code means English."""
    return _TEXTS.get(language or DEFAULT, _TEXTS[DEFAULT])
