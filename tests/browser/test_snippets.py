"""The console's code for single-page applications, run as it stands in Chromium: it signs a user in."""

import html
import pathlib
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import PASSWORD
from tests.console.conftest import browser, create_pool, operator  # noqa: F401 - fixtures

MODULES = pathlib.Path(__file__).parents[1] / "clients/node/node_modules"
USER = "ida@example.org"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.clients,
    pytest.mark.any_database,
    pytest.mark.skipif(
        not (MODULES / ".made").exists(), reason="Node's packages are not installed: sh tools/install_test_tools.sh"
    ),
]


class Site:
    """A web server for the files of an application: whatever the path, its page."""

    def __init__(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = site.files.get(self.path, site.files["index"])
                self.send_response(200)
                script = self.path.endswith(".js")
                self.send_header("content-type", "text/javascript" if script else "text/html; charset=utf-8")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.files: dict[str, bytes] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    """The application's web server."""
    running = Site()
    yield running
    running.close()


@pytest.fixture
def snippet(browser, call, site: Site) -> Callable[[str], str]:  # noqa: F811
    """Make a single-page application in the console, and a user of it; give a snippet by its title."""

    def find(title: str) -> str:
        page = create_pool(browser, application_type="spa", required_attributes=["email"], return_url=site.url)
        pool_id = re.search(r"/pools/([^/]+)/", str(page.url))[1]
        call("AdminCreateUser", UserPoolId=pool_id, Username=USER, MessageAction="SUPPRESS")
        call("AdminSetUserPassword", UserPoolId=pool_id, Username=USER, Password=PASSWORD, Permanent=True)
        pattern = rf"<summary>{re.escape(title)}</summary>.*?<code[^>]*>(.*?)</code>"
        return html.unescape(re.search(pattern, page.text, re.DOTALL)[1])

    return find


def bundle(entry: pathlib.Path, *options: str) -> bytes:
    """What the browser gets of a module and all that it imports."""
    link = entry.parent / "node_modules"
    link.symlink_to(MODULES)
    command = [MODULES / ".bin/esbuild", entry, "--bundle", "--format=esm", "--log-level=error", *options]
    return subprocess.run(command, cwd=entry.parent, capture_output=True, check=True).stdout


def sign_in_and_out(page: Page, site: Site) -> None:
    """Use the application's own buttons."""
    page.goto(site.url)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Email").fill(USER)
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"Hello, {USER}")).to_be_visible()
    assert page.url == site.url
    page.reload()
    expect(page.get_by_text(f"Hello, {USER}")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text(f"Hello, {USER}")).to_be_hidden()


def test_plain_page(snippet, site, browse, tmp_path):
    """The page without a build step signs a user in and out; its library comes from npm instead of esm.sh."""
    site.files["index"] = snippet("JavaScript: oidc-client-ts").encode()
    (entry := tmp_path / "library.js").write_text('export * from "oidc-client-ts";')
    library = bundle(entry)
    page = browse()
    page.route(
        "https://esm.sh/oidc-client-ts@3",
        lambda route: route.fulfill(
            body=library, content_type="text/javascript", headers={"access-control-allow-origin": "*"}
        ),
    )

    sign_in_and_out(page, site)


def test_react(snippet, site, browse, tmp_path):
    """The React application, bundled, signs a user in and out."""
    (entry := tmp_path / "main.jsx").write_text(snippet("React: react-oidc-context"))
    site.files["/main.js"] = bundle(entry, '--define:process.env.NODE_ENV="production"')
    site.files["index"] = (
        b'<!doctype html><title>App</title><div id="root"></div><script type="module" src="/main.js"></script>'
    )

    sign_in_and_out(browse(), site)
