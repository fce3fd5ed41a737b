"""A real Chromium, an application to come back to, and an eye for what a page looks like."""

import os
import pathlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, sync_playwright

from tests.login.conftest import front  # noqa: F401 - a fixture of the tests here too

ROOT = pathlib.Path(__file__).parents[2]
CHROMIUM = pathlib.Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Cookies without SameSite are Lax at once, not only after two minutes.
    "--enable-features=SameSiteDefaultChecksMethodRigorously",
]
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for all tests here. No longer than that: Playwright keeps an event loop in this thread."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    source = ROOT / "tests/clients/node/node_modules/axe-core/axe.min.js"
    if not source.exists():
        pytest.skip("axe-core is not installed: sh tools/install_test_tools.sh")
    return source.read_text()


@pytest.fixture
def browse(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Open a window. Complaints of the browser, such as a broken policy, fail the test."""
    axe = request.getfixturevalue("axe") if "examine" in request.fixturenames else None
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(**options) -> Page:
        context = chromium.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce"} | options)
        contexts.append(context)
        context.set_default_timeout(10_000)
        if axe is not None:
            context.add_init_script(axe)
        context.on("console", lambda message: complaints.append(message.text) if _is_complaint(message) else None)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        return context.new_page()

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(message: ConsoleMessage) -> bool:
    # A status that is not 2xx is logged as an error of the network; those are asserted where they matter.
    return message.type in {"error", "warning"} and "Failed to load resource" not in message.text


class Application:
    """An application whose callback sends the browser on to another origin, as real ones do."""

    def __init__(self) -> None:
        application = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                application.seen.append(self.path)
                away = self.path.startswith("/cb")
                self.send_response(302 if away else 200)
                if away:
                    self.send_header("location", application.home)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.seen: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.callback = f"http://localhost:{self.port}/cb"
        self.home = f"http://127.0.0.1:{self.port}/home"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def code(self) -> str:
        """The code that the last callback brought."""
        callback = next(path for path in reversed(self.seen) if path.startswith("/cb"))
        return parse_qs(urlsplit(callback).query)["code"][0]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def application() -> Iterator[Application]:
    """An application on a port of its own."""
    running = Application()
    yield running
    running.close()


@pytest.fixture
def photograph(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Save what a page looks like, large and small, light and dark, where ``--screenshots`` says so."""
    folder = request.config.getoption("--screenshots")

    def save(page: Page, name: str) -> None:
        if folder is None:
            return
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                path = pathlib.Path(folder) / f"{name}-{size['width']}-{scheme}.png"
                page.screenshot(path=path, full_page=True, animations="disabled")
        page.set_viewport_size(DESKTOP)
        page.emulate_media(color_scheme="light")

    return save


def find_violations(page: Page, rules: dict[str, Any]) -> list[Any]:
    """What axe finds. The page that a click leads to may take the place of the one that it looks at first."""
    page.wait_for_load_state()
    try:
        return page.evaluate(FIND_VIOLATIONS, rules)
    except Error:
        page.wait_for_load_state()
        return page.evaluate(FIND_VIOLATIONS, rules)


@pytest.fixture
def examine(photograph) -> Callable[[Page, str], None]:
    """Let axe look for what keeps people out (WCAG 2.1 AA), in both colour schemes, and save the page's looks."""

    def look(page: Page, name: str) -> None:
        photograph(page, name)
        for scheme, size, rules in (("light", DESKTOP, ALL), ("dark", PHONE, CONTRAST)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            assert find_violations(page, rules) == [], f"{name}, {scheme}"
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], name
        page.set_viewport_size(DESKTOP)
        page.emulate_media(color_scheme="light")

    return look


ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
# All that another colour scheme can change.
CONTRAST = {"type": "rule", "values": ["color-contrast"]}
FIND_VIOLATIONS = """async (rules) => {
  const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
  return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map((n) => [n.html, n.failureSummary]) }));
}"""


def times_sent(page: Page) -> int:
    """How often a form is sent that somebody sends twice in a row."""
    return page.evaluate("""() => {
      let sent = 0;
      const count = (event) => {
        sent += event.defaultPrevented ? 0 : 1;
        event.preventDefault();
      };
      addEventListener("submit", count);
      const form = document.querySelector("main form");
      form.noValidate = true;
      form.requestSubmit();
      form.requestSubmit();
      removeEventListener("submit", count);
      return sent;
    }""")
