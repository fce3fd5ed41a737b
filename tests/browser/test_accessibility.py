"""Every login page is open to everybody: axe finds nothing (WCAG 2.1 AA), in both colour schemes and sizes."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Application
from tests.conftest import PASSWORD
from tests.login.conftest import Front, address

pytestmark = [pytest.mark.browser, pytest.mark.any_database]

GENERATIONS = pytest.mark.parametrize("version", [2, 1], ids=["managed", "classic"])


@pytest.fixture
def site(front, application: Application, version: int) -> Front:
    """A pool that asks for a name at sign-up, and an application in front of it."""
    return front(
        version=version,
        client={"CallbackURLs": [application.callback]},
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        Schema=[{"Name": "name", "Required": True}],
    )


@pytest.fixture
def open_page(site: Front, application: Application, browse, version: int, examine):
    """Open a login page; the page and what examines it under the generation's name."""

    def start(path: str = "/login", **more: str):
        page = browse()
        page.goto(site.base + path + site.query(redirect_uri=application.callback, **more))
        kind = "managed" if version == 2 else "classic"
        return page, lambda name: examine(page, f"{kind}-{name}")

    return start


def fill_sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.locator("#signInFormUsername").fill(name)
    page.locator("#signInFormPassword").fill(password)
    page.get_by_role("button", name="Sign in").click()


@GENERATIONS
def test_sign_in_pages(open_page):
    """The sign-in page, and the same with a refusal."""
    page, look = open_page()
    look("sign-in")
    fill_sign_in(page, "nobody@example.com", "Wrong-Horse-1")
    expect(page.get_by_role("alert")).to_be_visible()
    look("sign-in-error")


@GENERATIONS
def test_sign_up_pages(open_page, inbox):
    """Sign-up, with bad values, and the page for the code, with a wrong one."""
    name = address()
    page, look = open_page("/signup")
    look("sign-up")
    page.get_by_label("Email").fill(name)
    page.get_by_label("Name", exact=True).fill("Ann")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    look("sign-up-error")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_label("Confirmation code")).to_be_visible()
    look("confirm")
    page.get_by_label("Confirmation code").fill("000000" if inbox(name)[-1].code != "000000" else "000001")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert").or_(page.locator(".wrong"))).to_be_visible()
    look("confirm-error")


@GENERATIONS
def test_recovery_pages(open_page, site, user):
    """The forgotten password, and the page for its code."""
    name = address()
    user(site.pool_id, name, email=name, email_verified="true", name="Ann")
    page, look = open_page("/forgotPassword")
    look("forgot-password")
    page.get_by_label("Email").fill(name)
    page.get_by_role("button", name="Reset my password").click()
    expect(page.get_by_label("Confirmation code")).to_be_visible()
    look("reset-password")


@GENERATIONS
def test_temporary_password_pages(open_page, site, call):
    """The new password of an invited user, who has to give a name."""
    name = address()
    call("AdminCreateUser", UserPoolId=site.pool_id, Username=name, TemporaryPassword=PASSWORD)
    page, look = open_page()
    fill_sign_in(page, name)
    expect(page.get_by_label("New password", exact=True)).to_be_visible()
    look("new-password")


@GENERATIONS
def test_error_page(open_page):
    """What a broken link shows."""
    _, look = open_page(client_id="unknown")
    look("error")


def test_choice_pages(front, application: Application, browse, examine):
    """Where users choose how to sign in, the name comes first and the password on a page of its own."""
    site = front(
        client={
            "CallbackURLs": [application.callback],
            "ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            "PreventUserExistenceErrors": "ENABLED",
        },
        UsernameAttributes=["email"],
    )
    page = browse()
    page.goto(f"{site.base}/login{site.query(redirect_uri=application.callback)}")
    examine(page, "managed-name-first")
    page.get_by_label("Email").fill("ann@example.org")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    examine(page, "managed-password-second")
