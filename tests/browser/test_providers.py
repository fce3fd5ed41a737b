"""Signing in by identity providers on the login pages, in a real Chromium (spec/http/06)."""

import threading
from collections.abc import Iterator
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Application
from tests.federation.saml_provider import SamlProvider
from tests.login.conftest import Front
from tests.login.test_looks import set_style
from tests.login.test_providers import add_provider, let_choose
from tests.login.test_saml import add_saml

pytestmark = [pytest.mark.browser, pytest.mark.any_database]


@pytest.fixture
def make_site(front, application: Application, provider):
    """A pool whose users can come from the provider of the tests or from Google, and an application in front of it."""

    def make(version: int) -> Front:
        site = front(version=version)
        add_provider(site, details=provider.details(), IdpIdentifiers=["partner.example"])
        add_provider(site, "Google")
        let_choose(site, "COGNITO", "Google", "Partner", CallbackURLs=[application.callback])
        return site

    return make


def start(page: Page, site: Front, application: Application, **more: str) -> None:
    page.goto(f"{site.base}/oauth2/authorize{site.query(redirect_uri=application.callback, **more)}")


def test_by_a_button(make_site, application, browse, examine):
    """From the page to the provider, back, and to the application; the second time without a page."""
    site = make_site(2)
    page = browse()
    start(page, site, application)
    examine(page, "managed-providers")
    page.get_by_role("link", name="Continue with Partner").click()
    page.wait_for_url(application.home)
    assert site.redeem(f"{application.callback}?code={application.code()}", application.callback)
    start(page, site, application)
    page.wait_for_url(application.home)


def test_by_an_address(make_site, application, browse, examine):
    """The policy of the page lets its form lead to the provider; a wrong address is told beside the input."""
    site = make_site(2)
    set_style(site, Settings={"categories": {"auth": {"federation": {"interfaceStyle": "DOMAIN_SEARCH"}}}})
    page = browse()
    start(page, site, application)
    page.get_by_label("Email").fill("ann@other.example")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    examine(page, "managed-provider-search")
    page.get_by_label("Email").fill("ann@partner.example")
    page.get_by_role("button", name="Next").click()
    page.wait_for_url(application.home)


def test_classic_pages(make_site, application, browse, examine):
    """The same on classic pages."""
    site = make_site(1)
    page = browse()
    start(page, site, application)
    examine(page, "classic-providers")
    page.get_by_role("link", name="Partner").click()
    page.wait_for_url(application.home)


@pytest.fixture
def far_provider(tmp_path) -> Iterator[SamlProvider]:
    """A SAML provider at another site than the pool: its pages are at 127.0.0.1, and post by themselves."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            location = f"http://127.0.0.1:{self.server.server_port}{self.path}"
            posted = (far.approve if self.path.startswith("/sso") else far.end)(location)
            inputs = "".join(f'<input name="{name}" value="{escape(value)}">' for name, value in posted.form.items())
            page = (
                f'<form method="post" action="{posted.url}">{inputs}</form><script>document.forms[0].submit()</script>'
            )
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    home = f"http://127.0.0.1:{server.server_port}"
    far = SamlProvider(tmp_path, f"{home}/sso?tenant=1", f"{home}/slo")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield far
    server.shutdown()
    server.server_close()


def test_by_a_form_of_another_site(front, far_provider, application, browse):
    """SAML: the provider's page posts, and that is still this browser; so it is when signing out at both."""
    site = front()
    add_saml(site, far_provider, IDPSignout="true", RequestSigningAlgorithm="rsa-sha256")
    let_choose(site, "COGNITO", "Saml", CallbackURLs=[application.callback], LogoutURLs=[application.home])
    page = browse()
    start(page, site, application)
    page.get_by_role("link", name="Continue with Saml").click()
    page.wait_for_url(application.home)
    assert site.redeem(f"{application.callback}?code={application.code()}", application.callback)
    start(page, site, application)
    page.wait_for_url(application.home)
    leaving = urlencode({"client_id": site.client_id, "logout_uri": application.home})
    with page.expect_request(f"{far_provider.sign_out}?*"):
        page.goto(f"{site.base}/logout?{leaving}")
    page.wait_for_url(application.home)
    start(page, site, application)
    expect(page.get_by_role("link", name="Continue with Saml")).to_be_visible()
