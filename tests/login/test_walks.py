"""Random walks through the pages: without a proof nothing changes (design/SECURITY §4, rows 10 and 11)."""

import random

import pytest

from tests.conftest import PASSWORD
from tests.login.conftest import address
from tests.login.pages import Page

BY_EMAIL = {"UsernameAttributes": ["email"], "AutoVerifiedAttributes": ["email"]}
PATHS = (
    "/login", "/signup", "/confirm", "/resendcode", "/forgotPassword", "/confirmforgotPassword", "/changePassword",
    "/challenge", "/mfa", "/passkeys/add",
)  # fmt: skip
STEPS = 60


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_gained_without_proof(front, visitor, user, seed):
    """However the forms are mixed, no password is set and nobody is signed in without code or password."""
    site, known, waiting = front(**BY_EMAIL), address(), address()
    user(site.pool_id, known, email=known, email_verified="true")
    chance = random.Random(seed)
    browser = visitor(site)
    browser.send(browser.open("/signup" + site.query()), username=waiting, password=PASSWORD)
    token = browser.http.cookies["XSRF-TOKEN"]
    words = {
        "username": [known, waiting, "nobody@example.com", "", known + "\x00"],
        "password": ["Wrong-Horse-9", "", "short"],
        "confirm_password": ["Wrong-Horse-9", ""],
        "code": ["000000", "", "x" * 3000],
        "user_name": [known, waiting],
        "authentication_code": ["000000", "x" * 3000],
        "answer": ["PASSWORD", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA"],
        "address": ["eve@example.com", "+15550100"],
        "credential": ["{}", "[" * 3000],
        "stepUpButton": ["1"],
        "resendCodeButton": ["1"],
        "otherOptionsButton": ["1"],
        "backButton": ["1"],
        "skipButton": ["1"],
        "state": ["", "x"],
    }
    for _ in range(STEPS):
        path = chance.choice(PATHS)
        if chance.random() < 0.3:
            page = browser.open(path + site.query())
        else:
            names = chance.sample(sorted(words), chance.randint(0, len(words)))
            data = {name: chance.choice(words[name]) for name in names} | {"_csrf": token}
            page = Page(browser.http.post(f"{site.base}{path}{site.query()}", data=data))
        assert page.status in {200, 302, 400, 403, 404}, page.html
        assert not page.location.startswith("https://app.example")
        assert "cognito" not in browser.http.cookies
    assert site.user(waiting)["UserStatus"] == "UNCONFIRMED"
    # Locks of the wrong passwords are over by then.
    site.server.clock.advance(3600)
    fresh = visitor(site)
    assert fresh.send(fresh.open("/login" + site.query()), username=known, password=PASSWORD).status == 302
