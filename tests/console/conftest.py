"""An operator at the console."""

import contextlib
import re

import httpx
import pytest

OPERATOR, OPERATOR_PASSWORD = "operator@example.org", "a-long-operator-password"


@pytest.fixture(scope="session")
def operator(session_server):
    """An operator, made once."""
    from poolhouse.flows import operators

    session_server.run(operators.ensure_operator(session_server.deps, OPERATOR, OPERATOR_PASSWORD))
    return OPERATOR


def sign_in(server, username: str, password: str) -> httpx.Client:
    """A browser whose operator came in through managed login; not signed in where that failed."""
    browser = httpx.Client(base_url=server.url, follow_redirects=True)
    page = browser.get("/console/")
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    browser.post(str(page.url), data=fields | {"username": username, "password": password})
    return browser


@pytest.fixture
def browser(server, operator):
    """A signed-in operator's browser."""
    with contextlib.closing(sign_in(server, OPERATOR, OPERATOR_PASSWORD)) as browser:
        yield browser


def csrf_of(page: httpx.Response) -> str:
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


def create_pool(browser: httpx.Client, **fields):
    form = {
        "csrf": csrf_of(browser.get("/console/pools/new")),
        "application_type": "web",
        "client_name": "Shop",
        "identifiers": ["email"],
        "required_attributes": ["email", "name"],
        "self_registration": "on",
        "return_url": "https://app.example/cb",
        "region": "us-east-1",
    } | fields
    return browser.post("/console/pools/new", data=form)
