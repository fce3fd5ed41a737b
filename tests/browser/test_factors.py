"""Second factors, codes and passkeys on the login pages, in a real Chromium (spec/http/03 §3.7, §3.8)."""

import pytest
from playwright.sync_api import Page, expect

from tests.authenticator import one_time_code
from tests.browser.conftest import Application
from tests.conftest import PASSWORD
from tests.login.conftest import Front, address
from tests.operations.chooser import CHOICE, first_factors
from tests.operations.owner import EVERYTHING, SENDER, SMS

pytestmark = [pytest.mark.browser, pytest.mark.any_database]

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def make_site(front, application: Application):
    """A pool whose users have addresses, and an application in front of it."""

    def make(flows, **settings) -> Front:
        client = {"CallbackURLs": [application.callback], "ExplicitAuthFlows": flows}
        return front(client=client, UsernameAttributes=["email"], EmailConfiguration=SENDER, **SMS, **settings)

    return make


def start(page: Page, site: Front, application: Application, **more: str) -> None:
    page.goto(f"{site.base}/oauth2/authorize{site.query(redirect_uri=application.callback, **more)}")


def test_an_app_by_its_secret(make_site, application, browse, examine, user):
    """Set up from the picture's secret without a script, then asked for; the pages fit and everybody can use them."""
    site, name = make_site(["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]), address()
    site.call("SetUserPoolMfaConfig", UserPoolId=site.pool_id, MfaConfiguration="ON", **EVERYTHING)
    user(site.pool_id, name, email=name, email_verified="true")
    page = browse()
    start(page, site, application)
    page.get_by_label("Email").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    examine(page, "managed-factor-choice")
    assert page.locator("h1 .whole").evaluate("word => word.getClientRects().length") == 1, "multi-factor"
    page.get_by_role("button", name="Code by text message").click()
    expect(page.get_by_label("Phone number")).to_be_focused()
    examine(page, "managed-set-up-address")
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Authenticator app").click()
    expect(page.get_by_label("Confirmation code")).to_be_focused()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    assert page.get_by_role("img", name="QR code").evaluate("image => image.naturalWidth") > 100
    page.get_by_text("Show secret key").click()
    secret = page.locator("#secretKey").inner_text()
    examine(page, "managed-set-up-app")
    page.get_by_label("Confirmation code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Confirmation code")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Confirmation code").fill(one_time_code(secret, site.server.clock.now() / 1000))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(application.home)
    site.server.clock.advance(60)
    start(page, site, application, prompt="login")
    page.get_by_label("Email").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    examine(page, "managed-app-code")
    page.get_by_label("Confirmation code").fill(one_time_code(secret, site.server.clock.now() / 1000))
    page.keyboard.press("Enter")
    page.wait_for_url(application.home)


def test_a_code_by_mail_without_javascript(make_site, application, browse, photograph, user, inbox):
    """Chosen among others on plain HTML, a wrong code told, the right one taken."""
    site, name = make_site(CHOICE, **first_factors("EMAIL_OTP", "SMS_OTP")), address()
    user(site.pool_id, name, email=name, email_verified="true", phone_number="+14325550188")
    page = browse(java_script_enabled=False)
    start(page, site, application)
    page.get_by_label("Email").fill(name)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("button", name="Password")).to_be_visible()
    photograph(page, "managed-choice")
    page.get_by_role("button", name="Code by email").click()
    photograph(page, "managed-mail-code")
    code = inbox(name)[-1].code
    page.get_by_label("Confirmation code").fill(code[::-1] + "0")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#authenticationCodeError")).to_be_visible()
    photograph(page, "managed-mail-code-error")
    page.get_by_label("Confirmation code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(application.home)


def test_a_passkey(make_site, application, browse, examine, user):
    """Added on the way to the application, refused twice on one device, and enough for the next sign-in."""
    site, name = make_site(CHOICE, **first_factors("WEB_AUTHN")), address()
    user(site.pool_id, name, email=name, email_verified="true")
    page = browse()
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    made = device.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    add = f"{site.base}/passkeys/add{site.query(redirect_uri=application.callback)}"
    page.goto(add)
    expect(page.get_by_role("status")).to_contain_text("Sign in to add a passkey.")
    page.get_by_label("Email").fill(name)
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    examine(page, "managed-passkey-add")
    page.get_by_role("button", name="Add passkey").click()
    page.wait_for_url(application.home)
    page.goto(add)
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("has a passkey for your account already")
    page.get_by_role("button", name="Not now").click()
    page.wait_for_url(application.home)

    start(page, site, application, prompt="login")
    page.get_by_label("Email").fill(name)
    page.get_by_role("button", name="Next").click()
    device.send("WebAuthn.setAutomaticPresenceSimulation", made | {"enabled": False})
    page.get_by_role("button", name="Passkey").click()
    expect(page.get_by_role("heading", name="Sign in with your passkey")).to_be_visible()
    examine(page, "managed-passkey")
    page.get_by_role("button", name="Other options").click()
    device.send("WebAuthn.setAutomaticPresenceSimulation", made | {"enabled": True})
    page.get_by_role("button", name="Passkey").click()
    page.wait_for_url(application.home)
    assert len({path for path in application.seen if path.startswith("/cb")}) == 3
