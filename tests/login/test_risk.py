"""Threat protection at the login pages: what is risky there is blocked, asked for a factor, or let pass (spec/api/07 §3)."""

import pytest

from tests.conftest import PASSWORD
from tests.login.conftest import CALLBACK, address
from tests.operations.owner import SENDER
from tests.operations.test_risk_sign_in import CHROME, FIREFOX, actions, protected

BY_EMAIL = {"UsernameAttributes": ["email"], "AutoVerifiedAttributes": ["email"]}
BLOCKED = "Unable to login because of security reasons."
BARRED = "Provided password cannot be used for security reasons."


@pytest.fixture
def threatened(front, visitor, user, server):
    """A user who signs in with one browser, and somebody with another who has tried five passwords."""
    site, name = front(**BY_EMAIL, **protected(), EmailConfiguration=SENDER), address()
    mail = {"EmailMfaConfiguration": {"Message": "Code {####}", "Subject": "Code"}}
    site.call("SetUserPoolMfaConfig", UserPoolId=site.pool_id, MfaConfiguration="OPTIONAL", **mail)
    user(site.pool_id, name, email=name, email_verified="true")
    home, away = visitor(site), visitor(site)
    home.http.headers["user-agent"], away.http.headers["user-agent"] = FIREFOX, CHROME
    assert tries(site, home, name).location.startswith(CALLBACK)
    for _ in range(5):
        assert tries(site, away, name, "Wrong-Horse-1").error == "Incorrect username or password."
    server.clock.advance(2)
    return site, away, name


def tries(site, browser, name, password=PASSWORD):
    return browser.send(browser.open("/login" + site.query(prompt="login")), username=name, password=password)


def sets(site, **configuration):
    site.call("SetRiskConfiguration", UserPoolId=site.pool_id, **configuration)


def last(site, name):
    event = site.call("AdminListUserAuthEvents", UserPoolId=site.pool_id, Username=name)["AuthEvents"][0]
    return event["EventResponse"], event["EventRisk"]["RiskDecision"], event["EventRisk"]["RiskLevel"]


def test_a_risky_sign_in(threatened, inbox):
    """Blocked by default, and told by mail where that is asked for; with a factor asked for, its code signs in."""
    site, browser, name = threatened
    assert tries(site, browser, name).error == BLOCKED
    assert last(site, name) == ("Fail", "Block", "Low")
    sets(site, **actions("BLOCK", notify={}))
    assert tries(site, browser, name).error == BLOCKED
    assert [message.subject for message in inbox(name)] == ["Blocked sign-in attempt"]
    sets(site, **actions("MFA_REQUIRED"))
    page = browser.follow(tries(site, browser, name))
    assert last(site, name) == ("InProgress", "AccountTakeover", "Low")
    message = inbox(name)[-1]
    assert message.subject == "Code"
    site.redeem(browser.send(page, authentication_code=message.code).location)
    assert last(site, name) == ("Pass", "AccountTakeover", "Low")


def test_no_action(threatened):
    """It passes, and the event tells of the risk."""
    site, browser, name = threatened
    sets(site, **actions("NO_ACTION"))
    site.redeem(tries(site, browser, name).location)
    assert last(site, name) == ("Pass", "AccountTakeover", "Low")


def test_breached_passwords(front, visitor, user, inbox):
    """One that signs in is void and can be recovered from; a new one is refused beside its field."""
    site, name, known = front(**BY_EMAIL, **protected()), address(), "P@ssw0rd"
    user(site.pool_id, name, password=known, email=name, email_verified="true")
    browser = visitor(site)
    told = tries(site, browser, name, known)
    assert told.error == "Password reset required for the user"
    assert site.user(name)["UserStatus"] == "RESET_REQUIRED"
    page = browser.follow(browser.send(browser.open("/forgotPassword" + site.query()), username=name))
    code = inbox(name)[-1].code
    refused = browser.send(page, code=code, password=known, confirm_password=known)
    assert refused.wrong("newPassword") == BARRED
    done = browser.send(refused, code=code, password=PASSWORD, confirm_password=PASSWORD)
    assert browser.follow(done).notice
    assert tries(site, browser, name).location.startswith(CALLBACK)
    other = visitor(site)
    page = other.send(other.open("/signup" + site.query()), username=address(), password=known)
    assert page.wrong("signUpFormPassword") == BARRED
