"""What operators put on the pages themselves, as Chromium shows it: the classic style, and terms documents."""

import struct
import zlib

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Application
from tests.core.test_classic_css import TEMPLATE

pytestmark = [pytest.mark.browser, pytest.mark.any_database]

CSS = TEMPLATE.replace("#337ab7", "#7b1fa2").replace("lightgray", "#ede7f6").replace("max-width: 60%", "max-width: 50%")


def picture(width: int, height: int) -> bytes:
    """A PNG of one colour."""
    rows = zlib.compress((b"\0" + b"\x7b\x1f\xa2" * width) * height)
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def style_of(page: Page, selector: str, name: str) -> str:
    return page.locator(selector).first.evaluate(f"element => getComputedStyle(element).getPropertyValue('{name}')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_classic_css_and_logo(front, application: Application, browse, scheme: str):
    """They win over the pages' own stylesheet, in whatever colour scheme the browser prefers."""
    site = front(version=1, client={"CallbackURLs": [application.callback]})
    site.call("SetUICustomization", UserPoolId=site.pool_id, CSS=CSS, ImageFile=picture(700, 100))
    page = browse(color_scheme=scheme)
    page.goto(site.base + "/login" + site.query(redirect_uri=application.callback))
    shown = {
        (".submitButton-customizable", "background-color"): "rgb(123, 31, 162)",
        (".submitButton-customizable", "height"): "40px",
        (".banner-customizable", "background-color"): "rgb(237, 231, 246)",
        (".banner-customizable", "padding-top"): "25px",
        (".background-customizable", "background-color"): "rgb(255, 255, 255)",
        (".label-customizable", "font-weight"): "400",
        (".textDescription-customizable", "padding-top"): "10px",
        ("#signInFormUsername", "border-top-color"): "rgb(102, 175, 233)",
    }
    expect(page.locator("#signInFormUsername")).to_be_focused()
    assert {place: style_of(page, *place) for place in shown} == shown
    page.locator(".submitButton-customizable").hover()
    expect(page.locator(".submitButton-customizable")).to_have_css("background-color", "rgb(40, 96, 144)")
    size = page.locator("img.logo-customizable").evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert size == [700, 100]
    box, banner = (page.locator(each).bounding_box() for each in ("img.logo-customizable", ".banner-customizable"))
    assert box["width"] == pytest.approx(banner["width"] / 2, abs=2)
    assert box["x"] - banner["x"] == pytest.approx(banner["width"] / 4, abs=2)


def test_a_logo_keeps_within_bounds(front, application: Application, browse, examine):
    """350 by 178 pixels at most; the page can be read by everybody."""
    site = front(version=1, client={"CallbackURLs": [application.callback]})
    site.call("SetUICustomization", UserPoolId=site.pool_id, ImageFile=picture(1400, 890))
    page = browse()
    page.goto(site.base + "/signup" + site.query(redirect_uri=application.callback))
    box = page.locator("img.logo-customizable").bounding_box()
    assert box["width"] <= 350
    assert box["height"] == pytest.approx(178, abs=1)
    examine(page, "classic-logo")
    site.call("SetUICustomization", UserPoolId=site.pool_id, ImageFile=picture(700, 200), CSS=CSS)
    page.goto(site.base + "/login" + site.query(redirect_uri=application.callback))
    examine(page, "classic-style")


def test_terms_open_beside_the_form(front, application: Application, browse, examine):
    """What was typed stays, and the link says nothing of the page that it is on."""
    site = front(client={"CallbackURLs": [application.callback]})
    for name in ("terms-of-use", "privacy-policy"):
        site.call(
            "CreateTerms",
            UserPoolId=site.pool_id,
            ClientId=site.client_id,
            TermsName=name,
            TermsSource="LINK",
            Enforcement="NONE",
            Links={"cognito:default": f"{application.home}/{name}"},
        )
    page = browse()
    page.goto(site.base + "/signup" + site.query(redirect_uri=application.callback))
    page.locator("#signUpFormUsername").fill("sam")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Privacy policy").click()
    opened.value.wait_for_load_state()
    assert opened.value.url == f"{application.home}/privacy-policy"
    assert opened.value.evaluate("[window.opener, document.referrer]") == [None, ""]
    expect(page.locator("#signUpFormUsername")).to_have_value("sam")
    examine(page, "managed-terms")
