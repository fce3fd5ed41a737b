"""Forgotten and temporary passwords (spec/http/09, rows F1 to F3 and L18)."""

import pytest

from tests.conftest import PASSWORD
from tests.login.conftest import CALLBACK, address

BY_EMAIL = {"UsernameAttributes": ["email"], "AutoVerifiedAttributes": ["email"]}
NEW = "Another-Horse-2"


@pytest.fixture
def known(front, user):
    """A pool, and the address of a user who can recover."""
    site, name = front(**BY_EMAIL, client={"PreventUserExistenceErrors": "ENABLED"}), address()
    user(site.pool_id, name, email=name, email_verified="true")
    return site, name


def ask(site, browser, name):
    return browser.send(browser.open("/forgotPassword" + site.query()), username=name)


def test_forgotten_password(known, visitor, inbox):
    """F3: the code sets a new password, which works; the old one does not."""
    site, name = known
    browser = visitor(site)
    moved = ask(site, browser, name)
    assert moved.location == f"{site.base}/confirmforgotPassword{site.query()}"
    page = browser.follow(moved)
    assert "a***@e***" in page.html
    code = inbox(name)[-1].code
    done = browser.send(page, code=code, password=NEW, confirm_password=NEW)
    assert done.location == f"{site.base}/login{site.query()}"
    back = browser.follow(done)
    assert back.notice == "Your password has been changed. You can now sign in with it."
    assert browser.send(back, username=name, password=PASSWORD).error == "Incorrect username or password."
    assert browser.send(back, username=name, password=NEW).location.startswith(CALLBACK)


def test_unknown_user_is_concealed(known, visitor):
    """F1: an unknown user leads to the same page, where no code works."""
    site, _ = known
    browser = visitor(site)
    moved = ask(site, browser, "amy@elsewhere.example")
    assert moved.location == f"{site.base}/confirmforgotPassword{site.query()}"
    page = browser.follow(moved)
    assert "a***@e***" in page.html
    refused = browser.send(page, code="123456", password=NEW, confirm_password=NEW)
    assert refused.wrong("confirmationCode") == "Invalid verification code provided, please try again."


def test_no_way_to_recover(front, visitor, user):
    """F2: a user without a verified address cannot recover."""
    site = front(client={"PreventUserExistenceErrors": "LEGACY"})
    name = user(site.pool_id)
    page = ask(site, visitor(site), name)
    assert page.error == "Could not reset password for the account, please contact support or try again"


def test_mistakes(known, visitor, inbox):
    """Each mistake is told beside its field, and does not use up the code."""
    site, name = known
    browser = visitor(site)
    page = browser.follow(ask(site, browser, name))
    code = inbox(name)[-1].code
    empty = browser.send(page, code="", password="", confirm_password="")
    assert empty.wrong("confirmationCode") == empty.wrong("newPassword") == "Please fill in this field."
    differ = browser.send(page, code=code, password=NEW, confirm_password=NEW + "x")
    assert differ.wrong("confirmPassword") == "The passwords do not match."
    weak = browser.send(page, code=code, password="short", confirm_password="short")
    assert weak.wrong("newPassword") == "Password does not conform to policy: Password not long enough"
    assert browser.send(page, code=code, password=NEW, confirm_password=NEW).status == 302


def test_recovery_needs_its_first_step(known, visitor, inbox):
    """A form sent without the page before it sets no password (design/SECURITY §4, row 10)."""
    site, name = known
    browser, other = visitor(site), visitor(site)
    ask(site, browser, name)
    code = inbox(name)[-1].code
    page = other.open("/login" + site.query())
    data = {"_csrf": page.input("_csrf")["value"], "username": name, "code": code, "password": NEW}
    answer = other.http.post(f"{site.base}/confirmforgotPassword{site.query()}", data=data | {"confirm_password": NEW})
    assert answer.status_code == 302
    assert answer.headers["location"] == f"{site.base}/login{site.query()}"
    assert other.send(page, username=name, password=PASSWORD).location.startswith(CALLBACK)


def test_temporary_password(front, visitor, user):
    """L18: a temporary password leads to the page for a new one, then to the application."""
    site = front(Schema=[{"Name": "given_name", "AttributeDataType": "String", "Required": True, "Mutable": True}])
    site.call(
        "AdminCreateUser",
        UserPoolId=site.pool_id,
        Username="tom",
        TemporaryPassword=PASSWORD,
        MessageAction="SUPPRESS",
    )
    browser = visitor(site)
    moved = browser.send(browser.open("/login" + site.query()), username="tom", password=PASSWORD)
    assert moved.location == f"{site.base}/changePassword{site.query()}"
    # Browsers drop cookies of more than 4,096 bytes.
    assert all(len(cookie) < 3500 for cookie in moved.response.headers.get_list("set-cookie"))
    page = browser.follow(moved)
    assert page.input("password")["autocomplete"] == "new-password"
    missing = browser.send(page, password=NEW, confirm_password=NEW)
    assert missing.wrong("attribute-given_name") == "Please fill in this field."
    given = {"requiredAttributes[given_name]": "Tom"}
    weak = browser.send(missing, password="short", confirm_password="short", **given)
    assert weak.wrong("newPassword") == "Password does not conform to policy: Password not long enough"
    done = browser.send(weak, password=NEW, confirm_password=NEW, **given)
    site.redeem(done.location)
    found = site.user("tom")
    assert found["UserStatus"] == "CONFIRMED"
    assert {"Name": "given_name", "Value": "Tom"} in found["UserAttributes"]


def test_temporary_password_changed_elsewhere(front, visitor, call):
    """A password set elsewhere meanwhile ends the sign-in: back to its first page."""
    site = front()
    call(
        "AdminCreateUser",
        UserPoolId=site.pool_id,
        Username="tim",
        TemporaryPassword=PASSWORD,
        MessageAction="SUPPRESS",
    )
    browser = visitor(site)
    page = browser.follow(browser.send(browser.open("/login" + site.query()), username="tim", password=PASSWORD))
    site.server.clock.advance(2)
    call("AdminSetUserPassword", UserPoolId=site.pool_id, Username="tim", Password=NEW, Permanent=True)
    refused = browser.send(page, password="Third-Horse-3", confirm_password="Third-Horse-3")
    assert refused.error == "Something went wrong"
    assert refused.has("signInSubmitButton")
