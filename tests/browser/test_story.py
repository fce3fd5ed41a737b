"""The newcomer's story: from the link that the first start prints to tokens that verify, all of it clicked."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from queue import Queue
from urllib.parse import urlencode

import httpx
import jwt
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Application
from tests.conftest import PASSWORD, free_port

pytestmark = pytest.mark.browser

POOLHOUSE = pathlib.Path(sys.executable).parent / "poolhouse"
OPERATOR, OPERATOR_PASSWORD = "operator@example.org", "a-long-operator-password"
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])


class Installation:
    """``poolhouse serve`` as a newcomer starts it; the other commands share its settings."""

    def __init__(self, directory: pathlib.Path, database: str) -> None:
        self.url = f"http://localhost:{(port := free_port())}"
        self._directory = directory
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("POOLHOUSE_")}
        self._environment |= {"POOLHOUSE_PORT": str(port), "POOLHOUSE_DATABASE": database}
        self._environment |= {"POOLHOUSE_ARGON2_MEMORY_KIB": "8", "POOLHOUSE_ARGON2_TIME": "1"}
        if database.startswith("postgresql:"):
            self._environment |= {"POOLHOUSE_MASTER_KEY": "11" * 32}
        self._server = subprocess.Popen(
            [POOLHOUSE, "serve"], cwd=directory, env=self._environment, stderr=subprocess.PIPE, text=True
        )
        self._printed: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.invitation = self._wait_for_invitation()
        with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as client:
            assert client.get(f"{self.url}/health/ready").status_code == 200

    def _read(self) -> None:
        for line in self._server.stderr:
            self._printed.put(line)
        self._printed.put("")

    def _wait_for_invitation(self) -> str:
        printed = ""
        while line := self._printed.get(timeout=30):
            printed += line
            found = re.search(r"First operator\s+(\S+)", line)
            if found:
                return found[1]
        raise RuntimeError(f"poolhouse serve ended: {printed}")

    def run(self, *command: str) -> str:
        """What another command of ``poolhouse`` prints."""
        return subprocess.run(
            [POOLHOUSE, *command],
            cwd=self._directory,
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout

    def code_for(self, address: str) -> str:
        """The code in the last message to an address."""
        (message,) = json.loads(self.run("outbox", "--to", address, "--last", "--json"))
        return message["code"]

    def stop(self) -> None:
        self._server.send_signal(signal.SIGTERM)
        assert self._server.wait(20) == 0


@pytest.fixture(scope="module")
def installation(database_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that has no operator."""
    with contextlib.ExitStack() as stack:
        directory = tmp_path_factory.mktemp("installation")
        database = f"sqlite:///{directory}/poolhouse.db"
        if database_kind == "postgres":
            from tests.postgres import postgres_url

            database = stack.enter_context(postgres_url())
        running = Installation(directory, database)
        stack.callback(running.stop)
        yield running


def enter_console(page: Page, installation: Installation) -> None:
    """Become an operator by a one-time link, and sign in through managed login."""
    link, installation.invitation = installation.invitation, ""
    # The link that the start printed works once; later operators are invited.
    page.goto(link or installation.run("operators", "invite").strip())
    email = OPERATOR if link else f"second-{OPERATOR}"
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(OPERATOR_PASSWORD)
    page.get_by_role("button", name="Create operator").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(OPERATOR_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="User pools", exact=True)).to_be_visible()


def create_pool(page: Page, return_url: str) -> None:
    """Fill in the dialog: a web application whose users sign in by e-mail and must give a name."""
    page.get_by_role("link", name="Create user pool").first.click()
    page.get_by_label("Traditional web application").check()
    page.get_by_label("Name your application").fill("Shop")
    page.get_by_role("group", name="Options for sign-in identifiers").get_by_label("Email").check()
    page.get_by_role("group", name="Required attributes").get_by_label("name", exact=True).check()
    page.get_by_label("Return URL").fill(return_url)
    page.get_by_role("button", name="Create user directory").click()
    expect(page.get_by_role("heading", name="Set up your traditional web application")).to_be_visible()


def read_client(page: Page) -> tuple[str, str, str]:
    """Read issuer, client ID and secret, the last only once it is shown."""
    issuer = fact(page, "Issuer")
    page.get_by_role("link", name="Shop").click()
    expect(page.get_by_role("heading", name="Shop")).to_be_visible()
    secret = page.locator("details.secret code")
    expect(secret).to_be_hidden()
    page.get_by_text("Show client secret").click()
    expect(secret).to_be_visible()
    return issuer, fact(page, "Client ID"), secret.inner_text()


def fact(page: Page, term: str) -> str:
    """The value beside a term of the page."""
    row = page.locator("dl.facts > div", has=page.get_by_text(term, exact=True))
    return row.locator("code").inner_text()


def sign_in(page: Page, address: str) -> None:
    """Fill in the login form."""
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@SCRIPTS
def test_story(installation: Installation, application: Application, browse, scripts: bool):
    """An operator's link, a pool by the dialog, a user by the login page, tokens by the code: every step holds."""
    page = browse(java_script_enabled=scripts)
    enter_console(page, installation)
    create_pool(page, application.callback)
    issuer, client_id, secret = read_client(page)

    with page.expect_popup() as popup:
        page.get_by_role("link", name="View login page").click()
    address = f"ann-{scripts}@example.org".lower()
    sign_up(popup.value, installation, application, address)

    check_tokens(issuer, client_id, secret, application, address)


def sign_up(page: Page, installation: Installation, application: Application, address: str) -> None:
    """Make an account, confirm it with the code of the outbox, arrive at the application."""
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Email").fill(address)
    page.get_by_label("Name", exact=True).fill("Ann Example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_label("Confirmation code").fill(installation.code_for(address))
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url(application.home)


def check_tokens(issuer: str, client_id: str, secret: str, application: Application, address: str) -> None:
    """Exchange, refresh, call userInfo, and verify as an API would."""
    endpoints = httpx.get(f"{issuer}/.well-known/openid-configuration").json()
    token_endpoint, credentials = endpoints["token_endpoint"], (client_id, secret)
    form = {"grant_type": "authorization_code", "redirect_uri": application.callback, "code": application.code()}
    tokens = httpx.post(token_endpoint, data=form, auth=credentials).raise_for_status().json()
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    renewed = httpx.post(token_endpoint, data=refresh, auth=credentials).raise_for_status().json()
    bearer = {"authorization": f"Bearer {renewed['access_token']}"}
    user = httpx.get(endpoints["userinfo_endpoint"], headers=bearer).raise_for_status().json()
    identity = verify(tokens["id_token"], issuer, audience=client_id)
    access = verify(renewed["access_token"], issuer)

    assert identity["email"] == user["email"] == address
    assert access["token_use"] == "access"
    assert access["client_id"] == client_id
    assert access["sub"] == identity["sub"] == user["sub"]
    assert verify(renewed["id_token"], issuer, audience=client_id)["auth_time"] == identity["auth_time"]


def verify(token: str, issuer: str, **expected: str) -> dict:
    """The claims of a token that the issuer's published keys verify."""
    key = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json").get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["RS256"], issuer=issuer, **expected)


@SCRIPTS
def test_signing_in_again(front, application: Application, browse, user, scripts: bool):
    """A second visit needs no form; after signing out the form is there again, and lets the user in."""
    site = front(
        client={"CallbackURLs": [application.callback], "LogoutURLs": [application.home]},
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
    )
    address = f"bob-{scripts}@example.org".lower()
    user(site.pool_id, address, email=address, email_verified="true")
    start = f"{site.base}/oauth2/authorize" + site.query(redirect_uri=application.callback)
    page = browse(java_script_enabled=scripts)

    page.goto(start)
    sign_in(page, address)
    page.wait_for_url(application.home)
    first = application.code()
    page.goto(start)
    assert page.url == application.home
    assert application.code() != first

    page.goto(f"{site.base}/logout?{urlencode({'client_id': site.client_id, 'logout_uri': application.home})}")
    assert page.url == application.home
    page.goto(start)
    sign_in(page, address)
    page.wait_for_url(application.home)
