"""A browser without a screen: it keeps cookies, reads forms and sends them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx


@dataclass
class FormElement:
    """A form of a page: where it goes, its inputs in order, and the attributes of each."""

    name: str
    action: str
    inputs: dict[str, dict[str, str | None]] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, str]:
        return {name: given.get("value") or "" for name, given in self.inputs.items()}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[FormElement] = []
        self.links: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.append((tag, given))
        if tag == "form":
            self.forms.append(FormElement(given.get("name") or "", given.get("action") or ""))
        if tag in {"input", "button"} and given.get("name"):
            self.forms[-1].inputs[given["name"]] = given
        self._open.append(given.get("id") or given.get("href") or tag)

    def handle_data(self, data: str) -> None:
        if data.strip() and self._open:
            key = self._open[-1]
            self.texts[key] = self.texts.get(key, "") + data.strip()

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag in {"p", "a", "h1", "label", "title", "button"}:
            self._open.pop()


class Page:
    """What came back, read."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.html = response.text
        self.location = response.headers.get("location", "")
        reader = _Reader()
        reader.feed(self.html)
        self.forms = reader.forms
        self.elements = reader.elements
        self.texts = reader.texts

    @property
    def form(self) -> FormElement:
        return self.forms[0]

    @property
    def error(self) -> str | None:
        """The sentence in the page's alert."""
        return self.texts.get("loginErrorMessage")

    @property
    def notice(self) -> str | None:
        return self.texts.get("loginInfoMessage")

    def wrong(self, id: str) -> str | None:
        """The sentence beside a field."""
        return self.texts.get(f"{id}Error")

    def input(self, name: str) -> dict[str, str | None]:
        return next(form.inputs[name] for form in self.forms if name in form.inputs)

    def has(self, name: str) -> bool:
        return any(name in form.inputs for form in self.forms)

    def links_to(self, path: str) -> list[str]:
        return [
            given["href"]
            for tag, given in self.elements
            if tag == "a" and given.get("href") and given["href"].partition("?")[0].endswith(path)
        ]


class Visitor:
    """A browser at one domain."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.http = httpx.Client(trust_env=False)

    def open(self, path: str, **headers: str) -> Page:
        """GET a path below the domain, or a whole URL; nothing is followed."""
        url = path if path.startswith("http") else self.base + path
        return Page(self.http.get(url, headers=headers))

    def follow(self, page: Page) -> Page:
        """Go where a redirect points."""
        assert page.status == 302, page.html
        return self.open(urljoin(str(page.response.url), page.location))

    def send(self, page: Page, number: int = 0, *, headers: dict[str, str] | None = None, **values: str | None) -> Page:
        """Fill in a form and send it; a value of None leaves the input out."""
        form = page.forms[number]
        data = {name: value for name, value in (form.values | values).items() if value is not None}
        return Page(self.http.post(urljoin(str(page.response.url), form.action), data=data, headers=headers))

    def close(self) -> None:
        self.http.close()
