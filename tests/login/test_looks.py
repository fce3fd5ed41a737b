"""Languages, themes and static files."""

import json
import re
from dataclasses import replace
from string import Formatter

import pytest

from poolhouse.core.branding import DEFAULTS, merged
from poolhouse.login.branding import build_style
from poolhouse.login.texts import LANGUAGES, texts_of
from poolhouse.model import (
    AssetCategoryType,
    AssetExtensionType,
    AssetType,
    ColorSchemeModeType,
    ManagedLoginBrandingType,
)
from poolhouse.web.languages import preferred_language
from tests.login.conftest import Front


def set_style(site: Front, **members):
    """Give the client a style of its own."""
    found = site.call("DescribeManagedLoginBrandingByClient", UserPoolId=site.pool_id, ClientId=site.client_id)
    site.call(
        "UpdateManagedLoginBranding",
        UserPoolId=site.pool_id,
        ManagedLoginBrandingId=found["ManagedLoginBranding"]["ManagedLoginBrandingId"],
        **members,
    )


def theme_of(browser, page):
    """The stylesheet of the theme that a page links to."""
    href = next(given["href"] for tag, given in page.elements if tag == "link" and given["href"].endswith("theme.css"))
    return browser.http.get(browser.base.partition("/auth/")[0] + href)


def test_language_of_the_request(front, visitor):
    """A32: ``lang`` chooses the language and is remembered."""
    site = front()
    browser = visitor(site)
    page = browser.follow(browser.open("/oauth2/authorize" + site.query(lang="de")))
    assert page.response.headers["content-language"] == "de"
    assert '<html lang="de"' in page.html
    assert page.input("signInSubmitButton")["value"] == "Anmelden"
    cookie = next(c for c in page.response.headers.get_list("set-cookie") if c.startswith("lang="))
    assert "Max-Age=31536000" in cookie
    again = browser.open("/login" + site.query())
    assert again.input("signInSubmitButton")["value"] == "Anmelden"
    assert browser.open("/login" + site.query(lang="en")).input("signInSubmitButton")["value"] == "Sign in"


def test_refusals_are_translated(front, visitor):
    """A sentence of the API reads in the page's language."""
    site = front(client={"PreventUserExistenceErrors": "LEGACY"})
    browser = visitor(site)
    page = browser.open("/login" + site.query(lang="de"))
    refused = browser.send(page, username="nobody", password="Wrong-Horse-1")
    assert refused.error == "Dieses Konto existiert nicht."


@pytest.mark.parametrize(
    ("parameters", "headers"), [({"lang": "xx"}, {}), ({"ui_locales": "de"}, {"accept-language": "de"})]
)
def test_languages_that_do_not_count(front, visitor, parameters, headers):
    """An unknown code, ``ui_locales`` and ``Accept-Language`` all leave the page in English."""
    site = front()
    page = visitor(site).open("/login" + site.query(**parameters), **headers)
    assert '<html lang="en"' in page.html
    assert page.input("signInSubmitButton")["value"] == "Sign in"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-CH, fr;q=0.9", "de"),
        ("sv, fr;q=0.4, it;q=0.5", "it"),
        ("PT", "pt-BR"),
        ("zh", "zh-CN"),
        ("zh-Hant-HK", "zh-TW"),
        ("de;q=0, sv", None),
        ("de;q=x, *, ,", None),
        ("", None),
    ],
)
def test_what_a_browser_likes_best(accepted, language):
    """``Accept-Language`` as RFC 9110 §12.5.4 has it, for the page that belongs to no domain."""
    assert preferred_language(accepted) == language


def test_classic_pages_have_one_language(front, visitor):
    """``lang`` belongs to managed login."""
    site = front(version=1)
    page = visitor(site).open("/login" + site.query(lang="de"))
    assert page.input("signInSubmitButton")["value"] == "Sign in"


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_agree(language):
    """Every language has every text, with the placeholders of the English one."""
    from importlib import import_module

    english = import_module("poolhouse.login.locales.en").TEXTS
    own = import_module(f"poolhouse.login.locales.{language.replace('-', '_').lower()}").TEXTS
    assert own.keys() == english.keys()
    for key, text in own.items():
        assert text.strip()
        names = [{name for _, name, _, _ in Formatter().parse(each) if name} for each in (text, english[key])]
        assert names[0] == names[1], key


def test_sentences_of_triggers_stay_as_they_are():
    """What a developer's function says is never translated."""
    assert texts_of("de").say("PreSignUp failed with error not-invited.") == "PreSignUp failed with error not-invited."


def test_theme_follows_the_style(front, visitor):
    """A colour of the branding document reaches the stylesheet, whose address changes with it."""
    site = front()
    browser = visitor(site)
    before = theme_of(browser, browser.open("/login" + site.query()))
    assert before.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "--primary-background: #0972d3ff;" in before.text
    colours = {"defaults": {"backgroundColor": "aa0000ff"}}
    set_style(site, Settings={"components": {"primaryButton": {"lightMode": colours}}})
    after = theme_of(browser, browser.open("/login" + site.query()))
    assert "--primary-background: #aa0000ff;" in after.text
    assert "--primary-text: #ffffffff;" in after.text
    assert before.url != after.url


def test_theme_of_another_pool(front, visitor):
    """A style is served at its own pool's domain only."""
    site, other = front(), front()
    style = theme_of(visitor(site), visitor(site).open("/login" + site.query()))
    moved = str(style.url).replace(f"/auth/{site.prefix}/", f"/auth/{other.prefix}/")
    assert visitor(other).open(moved).status == 404


@pytest.mark.parametrize("mode", ["LIGHT", "DARK", "DYNAMIC"])
def test_colour_scheme(mode):
    """The scheme of the document decides which colours there are."""
    style = build_style(ManagedLoginBrandingType(settings={"categories": {"global": {"colorSchemeMode": mode}}}))
    light, dark = "--page-background: #ffffffff;" in style.css, "--page-background: #0f1b2aff;" in style.css
    assert (light, dark) == (mode != "DARK", mode != "LIGHT")
    assert ("prefers-color-scheme" in style.css) is (mode == "DYNAMIC")


@pytest.mark.parametrize(
    "value", ["red", "0000", "#000000", "000000ff;}body{display:none", None, 5, ["000000ff"], {"a": 1}]
)
def test_only_colours_reach_the_stylesheet(value):
    """Anything but eight hexadecimal digits is left out for the default."""
    settings = {"components": {"pageBackground": {"lightMode": {"color": value}}}}
    style = build_style(ManagedLoginBrandingType(settings=settings))
    assert style.css == build_style(None).css


@pytest.mark.parametrize("value", ["8px", -1, 65, True, "1;}", None])
def test_only_lengths_reach_the_stylesheet(value):
    """A radius is a number of pixels in bounds."""
    style = build_style(ManagedLoginBrandingType(settings={"components": {"form": {"borderRadius": value}}}))
    assert style.css == build_style(None).css


def test_strange_documents_are_survived():
    """Settings of the wrong shape do not break the page."""
    for settings in ({"components": 5}, {"componentClasses": {"input": []}}, {"categories": {"form": "x"}}, {}):
        assert build_style(ManagedLoginBrandingType(settings=settings)).css


def test_merging_keeps_what_is_not_overridden():
    """Objects are merged member by member, lists and values are replaced, unknown keys are kept."""
    assert merged({"a": {"b": 1, "c": [1]}}, {"a": {"c": [2]}, "x": 3}) == {"a": {"b": 1, "c": [2]}, "x": 3}
    assert merged(DEFAULTS, {}) == DEFAULTS


PIXEL = bytes.fromhex("89504e470d0a1a0a")


def _asset(category: AssetCategoryType, mode: ColorSchemeModeType) -> AssetType:
    return AssetType(bytes_=PIXEL, category=category, color_mode=mode, extension=AssetExtensionType.PNG)


def test_pictures_of_a_style(front, visitor):
    """A logo is shown where the style turns it on, and served under the style's address."""
    site = front()
    logo = {"enabled": True, "formInclusion": "IN", "location": "CENTER", "position": "TOP"}
    asset = {"Category": "FORM_LOGO", "ColorMode": "LIGHT", "Extension": "PNG", "Bytes": PIXEL}
    set_style(site, Settings={"components": {"form": {"logo": logo}}}, Assets=[asset])
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    image = next(given for tag, given in page.elements if tag == "img")
    assert image["class"] == "logo-customizable only-light"
    assert image["alt"] == "Logo"
    answer = browser.http.get(site.server.url + image["src"])
    assert answer.content == PIXEL
    assert answer.headers["content-type"] == "image/png"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_background_pictures():
    """Each mode has its background; a picture of the other mode is not shown."""
    light = _asset(AssetCategoryType.PAGE_BACKGROUND, ColorSchemeModeType.LIGHT)
    settings = {"components": {"pageBackground": {"image": {"enabled": True}}}}
    css = build_style(ManagedLoginBrandingType(settings=settings, assets=[light])).css
    first, _, dark = css.partition("@media")
    assert 'background-image: url("page-background-0.png");' in first
    assert "background-image: none;" in dark
    assert "background-image" not in build_style(ManagedLoginBrandingType(assets=[light])).css


def test_versions_follow_the_content():
    """Two styles have one version only where they are the same."""
    one = ManagedLoginBrandingType(settings={"x": 1})
    assert build_style(one).version == build_style(ManagedLoginBrandingType(settings=json.loads('{"x":1}'))).version
    assert build_style(one).version != build_style(None).version
    assert replace(build_style(one)) == build_style(one)


def test_static_files(front, visitor):
    """The stylesheet and the script are served for ever, under an address that names their content."""
    site = front()
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    found = [given.get("href") or given.get("src") for tag, given in page.elements if tag in {"link", "script"}]
    own = [url for url in found if "/static/login/" in url]
    assert len(own) == 2
    for url in own:
        answer = browser.http.get(site.server.url + url)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert re.search(r"\.css$", own[0])
    for path in (
        "/static/login/0000/login.css",
        "/static/login/../login.js",
        "/static/theme/x/y/theme.css",
        "/static/",
    ):
        assert browser.open(path).status == 404
