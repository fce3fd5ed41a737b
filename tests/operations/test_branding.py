"""Managed login branding over the wire (spec/http/07 §7.8, 09 B1–B6)."""

import re

import pytest

from poolhouse.core.branding import DEFAULTS
from tests.operations.refusals import refused

LOGO = {"Category": "FORM_LOGO", "ColorMode": "LIGHT", "Extension": "PNG", "Bytes": b"\x89PNG"}
BLUE = {"components": {"primaryButton": {"lightMode": {"defaults": {"backgroundColor": "0000ffff"}}}}}


@pytest.fixture
def client(pool, app):
    """A client without a style, as members of a request."""
    made = app(pool())
    return {"UserPoolId": made["UserPoolId"], "ClientId": made["ClientId"]}


@pytest.fixture
def style(call):
    """Make a style; give the members that name it."""

    def make(client, **members):
        made = call("CreateManagedLoginBranding", **client, **members)["ManagedLoginBranding"]
        return {"UserPoolId": made["UserPoolId"], "ManagedLoginBrandingId": made["ManagedLoginBrandingId"]}

    return make


def describe(call, style, **members):
    return call("DescribeManagedLoginBranding", **style, **members)["ManagedLoginBranding"]


def test_a_style_is_answered_as_set(call, client, style):
    """By its id and by its client."""
    made = call("CreateManagedLoginBranding", **client, Settings=BLUE, Assets=[LOGO])["ManagedLoginBranding"]
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made["ManagedLoginBrandingId"]
    )
    assert made["Settings"] == BLUE
    assert made["Assets"] == [LOGO]
    assert made["UseCognitoProvidedValues"] is False
    assert made["CreationDate"] == made["LastModifiedDate"]
    by_id = {"UserPoolId": client["UserPoolId"], "ManagedLoginBrandingId": made["ManagedLoginBrandingId"]}
    assert describe(call, by_id) == made
    assert call("DescribeManagedLoginBrandingByClient", **client)["ManagedLoginBranding"] == made


def test_b1_a_client_has_one_style(call, client, style):
    """A second is refused until the first is deleted."""
    first = style(client, UseCognitoProvidedValues=True)
    refused(call, "ManagedLoginBrandingExistsException", "CreateManagedLoginBranding", **client)
    call("DeleteManagedLoginBranding", **first)
    style(client)


def test_b2_defaults_exclude_own_values(call, client):
    """Settings as well as images."""
    for own in ({"Settings": BLUE}, {"Assets": [LOGO]}):
        members = {**client, "UseCognitoProvidedValues": True, **own}
        refused(call, "InvalidParameterException", "CreateManagedLoginBranding", **members)


def test_b3_an_update_keeps_the_other_colours(call, client, style):
    """And the images."""
    made = style(client, Settings=BLUE, Assets=[LOGO])
    text = {"components": {"primaryButton": {"lightMode": {"defaults": {"textColor": "00ff00ff"}}}}}
    updated = call("UpdateManagedLoginBranding", **made, Settings=text)["ManagedLoginBranding"]
    assert updated["Settings"]["components"]["primaryButton"]["lightMode"]["defaults"] == {
        "backgroundColor": "0000ffff",
        "textColor": "00ff00ff",
    }
    assert updated["Assets"] == [LOGO]
    assert describe(call, made) == updated


def test_b4_merged_resources_are_the_whole_document(call, client, style):
    """Without asking for them, own values only."""
    made = style(client, Settings=BLUE)
    assert describe(call, made)["Settings"] == BLUE
    merged = describe(call, made, ReturnMergedResources=True)["Settings"]
    assert merged.keys() == DEFAULTS.keys()
    assert merged["components"]["primaryButton"]["lightMode"]["defaults"]["backgroundColor"] == "0000ffff"
    assert merged["categories"] == DEFAULTS["categories"]
    by_client = call("DescribeManagedLoginBrandingByClient", **client, ReturnMergedResources=True)
    assert by_client["ManagedLoginBranding"]["Settings"] == merged


def test_b4_a_default_style_has_no_own_values(call, client, style):
    """Merged, it is the default document."""
    made = style(client, UseCognitoProvidedValues=True)
    assert not describe(call, made).keys() & {"Settings", "Assets"}
    assert describe(call, made, ReturnMergedResources=True)["Settings"] == DEFAULTS


def test_b5_an_image_has_a_million_bytes_at_most(call, client):
    """One more is refused."""
    refused(
        call,
        "InvalidParameterException",
        "CreateManagedLoginBranding",
        **client,
        Assets=[LOGO | {"Bytes": b"x" * 1_000_001}],
    )
    call("CreateManagedLoginBranding", **client, Assets=[LOGO | {"Bytes": b"x" * 1_000_000}])


def test_b6_a_style_has_forty_images_at_most(call, client):
    """41 are refused."""
    images = [LOGO | {"ResourceId": f"r{n}"} for n in range(41)]
    refused(call, "InvalidParameterException", "CreateManagedLoginBranding", **client, Assets=images)
    call("CreateManagedLoginBranding", **client, Assets=images[:40])


def test_a_kind_of_image_must_fit_its_category(call, client):
    """An icon is no picture."""
    wrong = LOGO | {"Category": "FAVICON_ICO"}
    refused(call, "InvalidParameterException", "CreateManagedLoginBranding", **client, Assets=[wrong])


def test_what_is_not_there_is_not_found(call, client, style, pool):
    """Neither a deleted style, nor a client without one, nor one of another pool."""
    refused(call, "ResourceNotFoundException", "DescribeManagedLoginBrandingByClient", **client)
    made = style(client)
    elsewhere = made | {"UserPoolId": pool()}
    for operation in ("DescribeManagedLoginBranding", "UpdateManagedLoginBranding", "DeleteManagedLoginBranding"):
        refused(call, "ResourceNotFoundException", operation, **elsewhere)
    call("DeleteManagedLoginBranding", **made)
    refused(call, "ResourceNotFoundException", "DescribeManagedLoginBranding", **made)
    stranger = {"UserPoolId": client["UserPoolId"], "ClientId": "nothing"}
    refused(call, "ResourceNotFoundException", "CreateManagedLoginBranding", **stranger)


def test_an_update_names_pool_and_style(call):
    """The model leaves both optional; the service does not."""
    text = refused(call, "InvalidParameterException", "UpdateManagedLoginBranding")
    assert (
        text
        == "1 validation error detected: Value at 'userPoolId' failed to satisfy constraint: Member must not be null"
    )


def test_a_pool_has_twenty_styles_at_most(call, pool, app, style):
    """One more is refused."""
    pool_id = pool()
    for _ in range(20):
        style({"UserPoolId": pool_id, "ClientId": app(pool_id)["ClientId"]}, UseCognitoProvidedValues=True)
    last = {"UserPoolId": pool_id, "ClientId": app(pool_id)["ClientId"]}
    refused(call, "LimitExceededException", "CreateManagedLoginBranding", **last)
