"""The login pages in a real Chromium: with and without JavaScript, by keyboard, small and large, light and dark."""

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from poolhouse.login.texts import LANGUAGES
from tests.browser.conftest import Application, times_sent
from tests.conftest import PASSWORD
from tests.login.conftest import Front, address

pytestmark = [pytest.mark.browser, pytest.mark.any_database]

BY_EMAIL = {"UsernameAttributes": ["email"], "AutoVerifiedAttributes": ["email"]}
NEW = "Another-Horse-2"
PAYLOADS = (
    '"><script>document.title="taken"</script>',
    "'><img src=x onerror=document.title='taken'>",
    "javascript:document.title='taken'",
    "</title><svg onload=document.title='taken'>",
)


@pytest.fixture
def site(front, application) -> Front:
    """A pool whose users sign in with their address, and an application in front of it."""
    return front(client={"CallbackURLs": [application.callback]}, **BY_EMAIL)


def start(site: Front, application: Application, path: str = "/oauth2/authorize", **more: str) -> str:
    """The address that the application sends its users to."""
    return site.base + path + site.query(redirect_uri=application.callback, **more)


def test_sign_in_by_keyboard(site, application, browse, user):
    """Typing, Tab and Enter are enough; the way ends in the application, beyond its own redirect."""
    name = address()
    user(site.pool_id, name, email=name, email_verified="true")
    page = browse()
    page.goto(start(site, application))
    expect(page.locator("#signInFormUsername")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    expect(page.locator("#signInFormPassword")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(application.home)
    assert application.code()


def test_errors_are_announced(site, application, browse):
    """A refusal is an alert, in the title too, and the password has the focus."""
    page = browse()
    page.goto(start(site, application))
    page.get_by_label("Email").fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("Wrong-Horse-1")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.title().startswith("Error: ")
    expect(page.locator("#signInFormPassword")).to_be_focused()
    expect(page.get_by_label("Email")).to_have_value("nobody@example.com")


def test_password_can_be_shown(site, application, browse):
    """The button shows what was typed and hides it again; it is there in the colours of the system as well."""
    page = browse()
    page.goto(start(site, application))
    field = page.locator("#signInFormPassword")
    field.fill(PASSWORD)
    page.get_by_role("button", name="Show password").click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password").click()
    expect(field).to_have_attribute("type", "password")
    page.emulate_media(forced_colors="active")
    eye, ground = page.locator(".secret").evaluate(
        "box => [[box.lastElementChild, '::before'], [box.firstElementChild]]"
        ".map((part) => getComputedStyle(...part).backgroundColor)"
    )
    assert eye != ground


def test_a_form_is_sent_once(site, application, browse):
    """A second click neither makes an account twice nor uses up a code; on a page that comes back the form counts anew."""
    page = browse()
    page.goto(start(site, application, "/signup"))
    assert times_sent(page) == 1
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert times_sent(page) == 1


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_sign_up(site, application, browse, inbox, scripts):
    """From nothing to the application: sign-up, code, signed in."""
    name = address()
    page = browse(java_script_enabled=scripts)
    page.goto(start(site, application))
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Email").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_label("Confirmation code").fill(inbox(name)[-1].code)
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url(application.home)
    assert site.user(name)["UserStatus"] == "CONFIRMED"


def test_forgotten_password_without_javascript(site, application, browse, inbox, user):
    """The recovery works on plain HTML, and its new password too."""
    name = address()
    user(site.pool_id, name, email=name, email_verified="true")
    page = browse(java_script_enabled=False)
    page.goto(start(site, application))
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email").fill(name)
    page.get_by_role("button", name="Reset my password").click()
    page.get_by_label("Confirmation code").fill(inbox(name)[-1].code)
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("Enter new password again").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("status")).to_contain_text("Your password has been changed")
    page.get_by_label("Email").fill(name)
    page.get_by_label("Password", exact=True).fill(NEW)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(application.home)


def test_temporary_password(site, application, browse, call):
    """An invited user chooses a password and arrives."""
    name = address()
    call(
        "AdminCreateUser", UserPoolId=site.pool_id, Username=name, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
    )
    page = browse()
    page.goto(start(site, application))
    page.get_by_label("Email").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("Enter new password again").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    page.wait_for_url(application.home)


def test_form_from_another_site(site, application, browse, user):
    """A form that another site sends does not sign in, whatever it knows (login CSRF)."""
    name = address()
    user(site.pool_id, name, email=name, email_verified="true")
    page = browse()
    page.goto(start(site, application, "/login"))
    token = page.locator("input[name=_csrf]").first.get_attribute("value")
    action = start(site, application, "/login").replace("&", "&amp;")
    page.goto(application.home)
    page.set_content(
        f'<form method="post" action="{action}"><input name="_csrf" value="{token}">'
        f'<input name="username" value="{name}"><input name="password" value="{PASSWORD}"><button>Go</button></form>'
    )
    page.get_by_role("button").click()
    page.wait_for_load_state()
    cookies = {cookie["name"] for cookie in page.context.cookies()}
    assert "cognito" not in cookies
    assert not [path for path in application.seen if path.startswith("/cb")]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_reflected_runs(site, application, browse, payload):
    """Whatever a link carries is shown as text (design/SECURITY §4, row 6)."""
    page = browse()
    for address_ in (
        start(site, application, "/login", login_hint=payload, state=payload, nonce=payload, lang=payload),
        start(site, application, "/login", identity_provider=payload),
        f"{site.base}/error?error={quote(payload)}&client_id={quote(payload)}",
        f"{site.base}/error?error_description={quote(payload)}",
        f"{site.base}/confirmUser?client_id={quote(payload)}&user_name={quote(payload)}&confirmation_code=1",
    ):
        page.goto(address_)
        assert "taken" not in page.title()
        assert page.locator("script:not([src]), [onerror], [onload]").count() == 0
    page.goto(start(site, application, "/login", login_hint=payload))
    page.get_by_label("Email").fill(payload)
    page.get_by_label("Password", exact=True).fill("x")
    page.get_by_role("button", name="Sign in").click()
    assert "taken" not in page.title()
    expect(page.get_by_label("Email")).to_have_value(payload)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_fit_a_phone(site, application, browse, language):
    """At 360 pixels nothing is wider than the screen, in no language."""
    page = browse(viewport={"width": 360, "height": 740})
    for path in ("/login", "/signup", "/forgotPassword", "/error"):
        page.goto(start(site, application, path, lang=language))
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.evaluate("document.documentElement.lang") == language
        small = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), .button, .reveal')]"
            ".filter(e => e.getBoundingClientRect().height < 44 || e.getBoundingClientRect().width < 44).length"
        )
        assert small == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(site, application, browse, scheme):
    """All text stands out from what is behind it by 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    page = browse(color_scheme=scheme)
    page.goto(start(site, application, "/login"))
    page.get_by_label("Email").fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("Wrong-Horse-1")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate(FAINT) == []
    page.goto(start(site, application, "/signup"))
    page.get_by_role("button", name="Sign up").evaluate("button => button.form.noValidate = true")
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator(".wrong").first).to_be_visible()
    assert page.evaluate(FAINT) == []


FAINT = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const behind = (element) => {
    for (let node = element; node; node = node.parentElement) {
      const colour = channels(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const shown = [...document.querySelectorAll("h1, p, label, a, li, input.button, .optional, .link")];
  return shown.filter((e) => e.textContent.trim() || e.value).map((e) => {
    const [a, b] = [luminance(channels(getComputedStyle(e).color)), luminance(behind(e))].sort((x, y) => y - x);
    return [e.textContent.trim() || e.value, Math.round((a + 0.05) / (b + 0.05) * 100) / 100];
  }).filter(([, ratio]) => ratio < 4.5);
}"""


def test_labels_and_order(site, application, browse):
    """Every input has a label, and Tab goes through the page from top to bottom."""
    page = browse()
    page.goto(start(site, application, "/signup"))
    for field in page.locator("input:not([type=hidden]):not([type=submit])").all():
        assert page.locator(f"label[for='{field.get_attribute('id')}']").count() == 1
    tops = []
    for _ in range(5):
        tops.append(page.evaluate("document.activeElement.getBoundingClientRect().bottom"))
        page.keyboard.press("Tab")
    assert tops == sorted(tops)


def test_back_and_forth(site, application, browse, user):
    """The back button after a sign-in leads nowhere dangerous: a fresh request goes straight on."""
    name = address()
    user(site.pool_id, name, email=name, email_verified="true")
    page = browse()
    page.goto(start(site, application))
    page.get_by_label("Email").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(application.home)
    page.goto(start(site, application))
    page.wait_for_url(application.home)
    assert len({path for path in application.seen if path.startswith("/cb")}) == 2


def test_domain_with_its_own_host(site, application, browse, user):
    """``<prefix>.auth.localhost`` works in a browser without any set-up."""
    name = address()
    user(site.pool_id, name, email=name, email_verified="true")
    page = browse()
    base = site.server.url.replace("://localhost", f"://{site.prefix}.auth.localhost")
    page.goto(start(site, application).replace(site.base, base))
    page.get_by_label("Email").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(application.home)
