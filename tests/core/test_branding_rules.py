"""Branding styles and the images in them (spec/http/07 §7.8, 09 B2–B6)."""

import msgspec
import pytest

from poolhouse.core.branding import DEFAULTS
from poolhouse.core.branding_rules import EXTENSIONS, merged_style, new_style, updated_style
from poolhouse.core.svg import is_picture
from poolhouse.model import (
    AssetCategoryType,
    AssetExtensionType,
    AssetType,
    ColorSchemeModeType,
    CreateManagedLoginBrandingRequest,
    InvalidParameterException,
    UpdateManagedLoginBrandingRequest,
)

POOL_ID = "us-east-1_AbCdEfGhI"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


def asset(category="FORM_LOGO", extension="PNG", mode="LIGHT", content=b"x", resource=None):
    return AssetType(
        category=AssetCategoryType(category),
        extension=AssetExtensionType(extension),
        color_mode=ColorSchemeModeType(mode),
        bytes_=content,
        resource_id=resource,
    )


def create(**members):
    request = CreateManagedLoginBrandingRequest(user_pool_id=POOL_ID, client_id="c", **members)
    return new_style(request, style_id="id", now=1000)


def update(style, **members):
    return updated_style(style, UpdateManagedLoginBrandingRequest(**members), 2000)


def colour(style):
    return style.settings["components"]["primaryButton"]["lightMode"]


BLUE = {"components": {"primaryButton": {"lightMode": {"defaults": {"backgroundColor": "0000ffff"}}}}}
GREEN_TEXT = {"components": {"primaryButton": {"lightMode": {"defaults": {"textColor": "00ff00ff"}}}}}


def test_b2_defaults_and_own_values_exclude_each_other():
    """Neither settings nor images go with UseCognitoProvidedValues."""
    for own in ({"settings": {}}, {"assets": [asset()]}):
        with pytest.raises(InvalidParameterException):
            create(use_cognito_provided_values=True, **own)
        with pytest.raises(InvalidParameterException):
            update(create(), use_cognito_provided_values=True, **own)


def test_b3_an_update_keeps_what_it_does_not_name():
    """Colours beside the changed one, lists whole, and all images."""
    style = update(create(settings=BLUE, assets=[asset()]), settings=GREEN_TEXT)
    assert colour(style)["defaults"] == {"backgroundColor": "0000ffff", "textColor": "00ff00ff"}
    assert style.assets == [asset()]
    assert (style.creation_date, style.last_modified_date) == (1.0, 2.0)
    listed = update(create(settings={"a": [1, 2]}), settings={"a": [3]})
    assert listed.settings == {"a": [3]}


def test_an_image_replaces_the_one_for_the_same_purpose():
    """Category, colour mode and resource id tell them apart."""
    style = create(
        assets=[
            asset(),
            asset(mode="DARK"),
            asset("IDP_BUTTON_ICON", "SVG", content=SVG.format("").encode(), resource="a"),
        ]
    )
    style = update(style, assets=[asset(content=b"new")])
    assert len(style.assets) == 3
    assert style.assets[0].bytes_ == b"new"


def test_an_update_can_go_back_to_the_defaults():
    """And from there to own values again; one that names nothing changes nothing."""
    style = update(create(settings=BLUE), use_cognito_provided_values=True)
    assert (style.use_cognito_provided_values, style.settings) == (True, None)
    assert update(style).use_cognito_provided_values is True
    again = update(style, settings=BLUE)
    assert (again.use_cognito_provided_values, again.settings) == (False, BLUE)


def test_b4_the_merged_document_has_every_default():
    """Own values win; unknown ones are kept."""
    merged = merged_style(create(settings=BLUE | {"mine": 1})).settings
    assert merged.keys() == DEFAULTS.keys() | {"mine"}
    assert merged["components"]["primaryButton"]["lightMode"]["defaults"] == {
        "backgroundColor": "0000ffff",
        "textColor": "ffffffff",
    }
    assert merged["components"]["pageHeader"] == DEFAULTS["components"]["pageHeader"]
    assert merged_style(create(use_cognito_provided_values=True)).settings == DEFAULTS


def test_b5_an_image_has_a_million_bytes_at_most():
    """The model's own constraint says so."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(asset(content=b"x" * 1_000_001)), AssetType)


def test_b6_a_style_has_forty_images_at_most():
    """However many updates bring them."""
    first = [asset(resource=f"r{n}") for n in range(40)]
    with pytest.raises(InvalidParameterException):
        update(create(assets=first), assets=[asset(resource="one-more")])


@pytest.mark.parametrize("category", AssetCategoryType)
def test_each_category_has_its_kinds_of_image(category):
    """The documented table; what is not in it is refused."""
    icons = {"FAVICON_ICO": {"ICO"}, "FAVICON_SVG": {"SVG"}, "IDP_BUTTON_ICON": {"ICO", "SVG"}}
    assert EXTENSIONS[category] == icons.get(category, {"PNG", "SVG", "JPEG"})
    for extension in AssetExtensionType:
        image = asset(category, extension, content=SVG.format("").encode())
        if extension in EXTENSIONS[category]:
            create(assets=[image])
        else:
            with pytest.raises(InvalidParameterException):
                create(assets=[image])


def test_an_image_has_content():
    """Bytes may be left out in the model, not here."""
    with pytest.raises(InvalidParameterException):
        create(assets=[asset(content=None)])


@pytest.mark.parametrize("settings", ["text", 1, [], True])
def test_settings_are_an_object(settings):
    """Any other JSON value is refused."""
    with pytest.raises(InvalidParameterException):
        create(settings=settings)


def test_settings_are_not_nested_without_end():
    """Deep documents would exhaust whoever walks them."""
    deep: dict = {}
    for _ in range(31):
        deep = {"a": [deep]} if len(deep) % 2 else {"a": deep}
    with pytest.raises(InvalidParameterException):
        create(settings={"a": deep} | {"b": [[deep]]})


@pytest.mark.parametrize(
    "drawing",
    [
        '<rect width="1" fill="url(#g)"/><linearGradient id="g"><stop offset="0" stop-color="#fff"/></linearGradient>',
        '<use href="#a"/><use xlink:href="#a"/>',
        """<rect fill="url('#g')" style="mask: url( &quot;#m&quot; )"/>""",
        '<image href="data:image/png;base64,AAAA"/>',
        "<style>.a { fill: red; background: url(#x) }</style>",
        '<x:thing xmlns:x="http://inkscape.example/ns"/><!-- drawn by hand -->',
    ],
)
def test_pictures_are_accepted(drawing):
    """Gradients, references within the image, embedded bitmaps, leftovers of drawing programs."""
    assert is_picture(SVG.format(drawing).encode())


@pytest.mark.parametrize(
    "drawing",
    [
        "<script>alert(1)</script>",
        '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>',
        '<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>',
        '<rect onclick="alert(1)"/>',
        '<rect ONLOAD="alert(1)"/>',
        '<image href="https://evil.example/x.png"/>',
        '<use xlink:href="https://evil.example/x.svg#a"/>',
        '<image href="data:image/svg+xml,x"/>',
        '<animate attributeName="xlink:href" values="javascript:alert(1)"/>',
        '<animate attributeName="href" to="#a"/>',
        "<style>@import 'https://evil.example'</style>",
        "<style>a { background: url(https://evil.example) }</style>",
        r'<rect style="background: u\72l(//evil.example)"/>',
        '<rect style="background: url(//evil.example)"/>',
        '<rect fill="url(https://evil.example#a)"/>',
        '<iframe src="https://evil.example"/>',
    ],
)
def test_what_runs_or_fetches_is_refused(drawing):
    """Each would act in the name of the sign-in page."""
    assert not is_picture(SVG.format(drawing).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"not xml",
        b"<svg/>",
        b'<html xmlns="http://www.w3.org/1999/xhtml"/>',
        b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.format("&a;").encode(),
        b'<?xml-stylesheet href="https://evil.example"?>' + SVG.format("").encode(),
        SVG.format("").encode("utf-16"),
        b"",
    ],
)
def test_what_is_no_plain_svg_document_is_refused(content):
    """Other documents, declarations that hide entities, encodings that hide declarations."""
    assert not is_picture(content)


def test_an_xml_declaration_is_fine():
    """Most drawing programs write one."""
    assert is_picture(b'<?xml version="1.0" encoding="UTF-8"?>\n' + SVG.format("").encode())


def test_an_svg_image_must_only_draw():
    """The check applies to every category that takes SVG."""
    with pytest.raises(InvalidParameterException):
        create(assets=[asset("FORM_LOGO", "SVG", content=SVG.format("<script/>").encode())])
