"""The CSS and the logo of the classic pages (spec/http/07 §7.5, 09 B10)."""

import pytest

from tests.login.conftest import CLIENT
from tests.login.test_looks import theme_of
from tests.operations.test_ui_customization import JPEG, PNG

CSS = ".submitButton-customizable { background-color: #aa0000; position: fixed }"
RULE = "html .submitButton-customizable { background-color: #aa0000; }"


def customize(site, client_id: str | None = None, **members) -> dict:
    """Give the classic pages of a client, or of the pool, a style."""
    level = {} if client_id is None else {"ClientId": client_id}
    return site.call("SetUICustomization", UserPoolId=site.pool_id, **level, **members)["UICustomization"]


def logo_of(page) -> str | None:
    return next((given["src"] for tag, given in page.elements if tag == "img"), None)


def test_css_and_logo_reach_every_page(front, visitor):
    """As files of the domain, which the policy of the pages allows; only listed properties are in them."""
    site = front(version=1)
    made = customize(site, CSS=CSS, ImageFile=PNG)
    browser = visitor(site)
    for path in ("/login", "/signup", "/forgotPassword"):
        page = browser.open(path + site.query())
        policy = page.response.headers["content-security-policy"]
        assert "style-src 'self'; script-src 'self'; img-src 'self' data:;" in policy
        assert "unsafe" not in policy
        theme = theme_of(browser, page)
        assert theme.headers["content-type"] == "text/css;charset=UTF-8"
        assert theme.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert theme.text.endswith(RULE + "\n")
        assert "position" not in theme.text
        logo = browser.http.get(site.server.url + logo_of(page))
        assert (logo.content, logo.headers["content-type"]) == (PNG, "image/png")
        assert 'class="banner-customizable"' in page.html
    by_url = browser.http.get(made["ImageUrl"])
    assert by_url.content == PNG
    assert by_url.headers["cache-control"] == "no-store"


def test_without_a_style_pages_are_as_ever(front, visitor):
    """No banner, no logo, and light or dark as the browser has it."""
    site = front(version=1)
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    assert logo_of(page) is None
    assert "banner-customizable" not in page.html
    assert "prefers-color-scheme" in theme_of(browser, page).text


@pytest.mark.parametrize("members", [{"CSS": CSS}, {"ImageFile": JPEG}])
def test_styled_pages_are_light(front, visitor, members):
    """Colours that were chosen for a light page are not mixed with those of a dark one."""
    site = front(version=1)
    customize(site, **members)
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    assert "prefers-color-scheme" not in theme_of(browser, page).text
    assert (logo_of(page) is None) is ("CSS" in members)


def test_b10_a_clients_style_replaces_the_pools(front, visitor, app):
    """Entirely; other clients keep the pool's, and a style that is taken away leaves the pool's."""
    site = front(version=1)
    customize(site, CSS=CSS, ImageFile=PNG)
    customize(site, site.client_id, ImageFile=JPEG)
    other = app(site.pool_id, **CLIENT)["ClientId"]
    browser = visitor(site)

    own = browser.open("/login" + site.query())
    assert RULE not in theme_of(browser, own).text
    assert browser.http.get(site.server.url + logo_of(own)).content == JPEG
    shared = browser.open("/login" + site.query(client_id=other))
    assert RULE in theme_of(browser, shared).text
    assert browser.http.get(site.server.url + logo_of(shared)).content == PNG

    customize(site, site.client_id)
    back = browser.open("/login" + site.query())
    assert RULE in theme_of(browser, back).text


def test_changes_show_at_once(front, visitor):
    """Under another address, since browsers keep the files."""
    site = front(version=1)
    browser = visitor(site)
    plain = theme_of(browser, browser.open("/login" + site.query()))
    customize(site, CSS=CSS)
    red = theme_of(browser, browser.open("/login" + site.query()))
    customize(site, CSS=CSS.replace("aa0000", "00aa00"))
    green = theme_of(browser, browser.open("/login" + site.query()))
    assert "#00aa00" in green.text
    assert len({str(each.url) for each in (plain, red, green)}) == 3
    old = browser.http.get(red.url)
    assert old.headers["cache-control"] == "no-store"
    assert "#00aa00" in old.text


def test_managed_login_takes_no_notice(front, visitor):
    """It has a branding style instead."""
    site = front(version=2)
    customize(site, CSS=CSS, ImageFile=PNG)
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    assert RULE not in theme_of(browser, page).text
    assert logo_of(page) is None


def test_styles_of_others_are_not_found(front, visitor):
    """A style is served at its own pool's domain only, and only for clients that are there."""
    site, other = front(version=1), front(version=1)
    customize(site, CSS=CSS)
    customize(site, site.client_id, CSS=CSS)
    browser = visitor(other)
    assert visitor(site).open("/static/classic/ALL/1/theme.css").status == 200
    for path in (
        "/static/classic/ALL/1/theme.css",
        f"/static/classic/{site.client_id}/1/theme.css",
        "/static/classic/nobody/1/theme.css",
        "/static/classic/default/1/theme.css",
        "/static/theme/ALL/1/theme.css",
        "/static/classic/ALL/theme.css",
        "/static/classic//1/theme.css",
    ):
        assert browser.open(path).status == 404
    for path in ("/static/classic/nobody/1/theme.css", "/static/classic/ALL/1/image.png"):
        assert visitor(site).open(path).status == 404
