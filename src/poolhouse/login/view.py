"""How a page is put on paper: compiled templates, the static files, and what a field is."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from poolhouse.login.texts import Texts

TEMPLATES = ("sign_in.html", "form.html", "choices.html", "set_up.html", "passkey.html", "message.html")
TYPES = {".css": "text/css;charset=UTF-8", ".js": "text/javascript;charset=UTF-8"}
# The longest word, in characters, that is kept from breaking at its hyphens: it fits beside others on a phone.
_SHORT_WORD = 16
# What a template may leave out.
_NOTHING: dict[str, Any] = {
    "error": None,
    "notice": None,
    "lead": None,
    "detail": None,
    "form": None,
    "section": None,
    "resend": None,
    "linked": False,
    "sign_in": None,
    "have_account": False,
    "agreement": (),
    "others": (),
    "another": None,
    "others_action": None,
    "qr": None,
    "secret": None,
    "exists": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An input of a form. ``id`` is that of the element; ``rules`` are the hints in a list."""

    id: str
    name: str
    label: str
    type: str = "text"
    value: str = ""
    placeholder: str = ""
    autocomplete: str = ""
    inputmode: str = ""
    maxlength: int = 0
    required: bool = True
    readonly: bool = False
    focus: bool = False
    hint: str = ""
    rules: tuple[str, ...] = ()
    error: str = ""

    @property
    def described(self) -> str:
        """The ids of what explains the input, the error first."""
        ids = [f"{self.id}Error"] if self.error else []
        if self.hint or self.rules:
            ids.append(f"{self.id}Hint")
        return " ".join(ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form: where it is sent, what it asks, and the caption of its button.

    The sign-in page has links besides: ``forgot`` and ``sign_up``, and ``back`` to the page that asks for the name;
    ``lead`` is the key of the classic sentence above it.
    """

    name: str
    action: str
    fields: Sequence[Field]
    button: str
    caption: str
    lead: str = ""
    forgot: str | None = None
    sign_up: str | None = None
    back: str | None = None

    @property
    def wrong(self) -> bool:
        """Whether a field was filled in wrongly."""
        return any(field.error for field in self.fields)

    @property
    def focus(self) -> str | None:
        """The id of the input that gets the focus: the first wrong one, so that what is wrong with it is read out."""
        chosen = [field.id for field in self.fields if field.error] or [f.id for f in self.fields if f.focus]
        return chosen[0] if chosen else None


@dataclass(frozen=True, slots=True)
class Button:
    """A button that sends a form: what it is called there and to people, and what it says."""

    name: str
    caption: str
    value: str = "1"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file that never changes under its address."""

    type: str
    body: bytes


class View:
    """The templates, compiled once, and the static files under an address that names their content."""

    def __init__(self) -> None:
        environment = Environment(
            loader=PackageLoader("poolhouse.login"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["unbroken"] = _unbroken
        self._templates = {name: environment.get_template(name) for name in TEMPLATES}
        self.static_files = _static_files()
        digest = hashlib.sha256()
        for name, file in self.static_files.items():
            digest.update(name.encode() + file.body)
        self.static_path = f"/static/login/{digest.hexdigest()[:16]}"

    def render(self, template: str, texts: Texts, **context: Any) -> str:
        """Return the HTML of a page; ``context`` needs ``heading``, ``theme``, ``static``, ``csrf`` and ``classic``."""
        values = {**_NOTHING, **context}
        return self._templates[template].render(text=texts, lang=texts.language, **values)


def _unbroken(text: str) -> Markup:
    """Return a text in HTML whose short words stay on one line: browsers break them at hyphens to balance a heading."""
    whole = Markup('<span class="whole">{}</span>')
    return Markup(" ").join(
        whole.format(word) if "-" in word and len(word) <= _SHORT_WORD else word for word in text.split(" ")
    )


def _static_files() -> dict[str, StaticFile]:
    found = {}
    for entry in sorted(files("poolhouse.login").joinpath("static").iterdir(), key=lambda entry: entry.name):
        suffix = entry.name[entry.name.rfind(".") :]
        if suffix in TYPES:
            found[entry.name] = StaticFile(TYPES[suffix], entry.read_bytes())
    return found
