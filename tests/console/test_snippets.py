"""The code that the console gives to copy, run as it stands: it signs a user in.

What needs a browser (single-page applications) runs in tests/browser/test_snippets.py.
"""

import contextlib
import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.conftest import PASSWORD, free_port
from tests.console.conftest import create_pool

MODULES = pathlib.Path(__file__).parents[1] / "clients/node/node_modules"
USER = "hal@example.org"
SNIPPET = r"<summary>([^<]*)</summary>\s*<p>([^<]*)</p>.*?<code[^>]*>(.*?)</code>"
needs_node = pytest.mark.skipif(
    not (MODULES / ".made").exists(), reason="Node's packages are not installed: sh tools/install_test_tools.sh"
)


@pytest.fixture
def snippets(browser, call):
    """Make an application in the console, and a user of it; give the console's words and code by title."""

    def make(**choices: str) -> dict[str, tuple[str, str]]:
        page = create_pool(browser, required_attributes=["email"], **choices)
        pool_id = re.search(r"/pools/([^/]+)/", str(page.url))[1]
        if choices.get("application_type") != "machine":
            call("AdminCreateUser", UserPoolId=pool_id, Username=USER, MessageAction="SUPPRESS")
            call("AdminSetUserPassword", UserPoolId=pool_id, Username=USER, Password=PASSWORD, Permanent=True)
        found = re.findall(SNIPPET, page.text, re.DOTALL)
        return {html.unescape(title): (intro, html.unescape(code)) for title, intro, code in found}

    return make


def save(directory: pathlib.Path, snippet: tuple[str, str]) -> str:
    """Save the code under the name that the console says; return the name."""
    intro, code = snippet
    name = re.search(r"save as (\S+),", intro)[1]
    (directory / name).write_text(code)
    assert intro.endswith(f" {name}"), "run it by that name"
    return name


@contextlib.contextmanager
def running(*command: str | pathlib.Path, cwd: pathlib.Path, port: int) -> Iterator[None]:
    """Run an application until its port answers, and end it afterwards."""
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.monotonic() + 30
        while not answers(port):
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=10)


def answers(port: int) -> bool:
    with contextlib.suppress(httpx.TransportError):
        httpx.get(f"http://localhost:{port}/nowhere", timeout=5)
        return True
    return False


def fill_in_login(page: httpx.Response, visitor: httpx.Client) -> httpx.Response:
    """Send the login form; return what comes of it."""
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    return visitor.post(str(page.url), data=fields | {"username": USER, "password": PASSWORD})


def code_after(url: str) -> str:
    """Sign in at a URL as a person would; return the code that the return URL gets."""
    with httpx.Client(follow_redirects=True) as visitor:
        page = visitor.get(url)
        visitor.follow_redirects = False
        answer = fill_in_login(page, visitor)
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def visit(home: str) -> None:
    """Follow the application's own link to the login page, sign in, and be greeted."""
    with httpx.Client(follow_redirects=True) as visitor:
        assert "Sign in" in visitor.get(home).text
        greeted = fill_in_login(visitor.get(httpx.URL(home).join("/login")), visitor)
        assert str(greeted.url) == home
        assert f"Hello, {USER}" in greeted.text
        assert USER in visitor.get(home).text


@pytest.mark.clients
@pytest.mark.parametrize(("path", "home"), [("/callback", "/"), ("/", "/home")])
def test_flask(snippets, tmp_path, path, home):
    """The Flask application signs a user in, whatever the path of its return URL."""
    port = free_port()
    made = snippets(return_url=f"http://localhost:{port}{path}")
    name = save(tmp_path, made["Python: Flask and Authlib"])

    with running(sys.executable, name, cwd=tmp_path, port=port):
        visit(f"http://localhost:{port}{home}")


@needs_node
@pytest.mark.clients
def test_express(snippets, tmp_path):
    """The Express application signs a user in."""
    port = free_port()
    made = snippets(return_url=f"http://localhost:{port}/callback")
    name = save(tmp_path, made["Node.js: Express and openid-client"])
    (tmp_path / "node_modules").symlink_to(MODULES)

    with running("node", name, cwd=tmp_path, port=port):
        visit(f"http://localhost:{port}/")


@pytest.mark.clients
@pytest.mark.parametrize("kind", ["web", "mobile"])
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_curl(snippets, kind):
    """The shell lines print where to sign in, ask for the code, and exchange it for tokens."""
    _, code = snippets(application_type=kind, return_url="org.example.shop://back")["Any HTTP client: curl"]
    shell = subprocess.Popen(
        ["bash", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    url = shell.stdout.readline().strip()

    answer, errors = shell.communicate(code_after(url) + "\n", timeout=30)

    assert shell.returncode == 0, errors
    assert {"id_token", "access_token", "refresh_token"} < json.loads(answer).keys()


@pytest.mark.clients
def test_machine(snippets, tmp_path):
    """Both ways for a machine get an access token."""
    made = snippets(application_type="machine", return_url="")
    _, lines = made["Any HTTP client: curl"]
    name = save(tmp_path, made["Python: requests"])

    shell = subprocess.run(["bash", "-c", lines], capture_output=True, text=True, check=True)
    python = subprocess.run([sys.executable, name], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert json.loads(shell.stdout)["token_type"] == "Bearer"
    assert python.stdout.count(".") == 2


@needs_node
@pytest.mark.clients
def test_react_native(snippets, tmp_path):
    """The React Native module is a module: running it takes a phone."""
    _, code = snippets(application_type="mobile", return_url="org.example.shop://back")[
        "React Native: react-native-app-auth"
    ]
    (tmp_path / "auth.js").write_text(code)
    command = [MODULES / ".bin/esbuild", "auth.js", "--bundle", "--external:react-native-app-auth", "--format=esm"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "export {\n  renew,\n  signIn,\n  signOut\n};" in done.stdout
