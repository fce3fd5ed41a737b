"""The style of the classic pages over the wire (spec/api/02 §9, spec/http/07 §7.5, 09 B8–B11)."""

import itertools
import re
from datetime import UTC, datetime

import httpx
import pytest

from tests.operations.refusals import refused, unchecked

CSS = ".submitButton-customizable { background-color: #123456; }"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\xff\xd9"
_numbers = itertools.count(1)


@pytest.fixture
def at(call, pool, app):
    """A pool with a domain, and a client of it, as members of a request."""
    pool_id = pool()
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=f"ui{next(_numbers)}-{pool_id[-9:].lower()}")
    return {"UserPoolId": pool_id, "ClientId": app(pool_id)["ClientId"]}


def whole(at):
    return {"UserPoolId": at["UserPoolId"]}


def put(call, where, **members):
    return call("SetUICustomization", **where, **members)["UICustomization"]


def get(call, where):
    return call("GetUICustomization", **where)["UICustomization"]


def test_a_style_is_answered_as_set(call, at):
    """At the level of the client; CSSVersion says when."""
    made = put(call, at, CSS=CSS, ImageFile=PNG)
    assert {name: made[name] for name in (*at, "CSS")} == at | {"CSS": CSS}
    assert made["CreationDate"] == made["LastModifiedDate"]
    assert made["CSSVersion"] == made["LastModifiedDate"].astimezone(UTC).strftime("%Y%m%d%H%M%S")
    assert made.keys() == {*at, "CSS", "CSSVersion", "ImageUrl", "CreationDate", "LastModifiedDate"}
    assert get(call, at) == made


@pytest.mark.parametrize(("image", "kind"), [(PNG, "png"), (JPEG, "jpeg")])
@pytest.mark.parametrize("level", ["pool", "client"])
def test_the_image_is_where_its_url_says(call, at, image, kind, level):
    """To everybody, as the kind of picture that it is."""
    made = put(call, at if level == "client" else whole(at), ImageFile=image)
    answer = httpx.get(made["ImageUrl"], trust_env=False)
    assert (answer.status_code, answer.content) == (200, image)
    assert answer.headers["content-type"] == f"image/{kind}"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert not made.keys() & {"CSS", "CSSVersion"}


def test_an_image_that_is_gone_is_not_served(call, at):
    """Neither after it was replaced by CSS, nor below another pool's domain."""
    url = put(call, at, ImageFile=PNG)["ImageUrl"]
    put(call, at, ImageFile=JPEG)
    assert httpx.get(url, trust_env=False).status_code == 404
    url = get(call, at)["ImageUrl"]
    assert httpx.get(url, trust_env=False).status_code == 200
    put(call, at, CSS=CSS)
    assert httpx.get(url, trust_env=False).status_code == 404


def test_b8_a_domain_is_needed(call, pool, app):
    """In the words of Cognito."""
    pool_id = pool()
    for members in ({}, {"ClientId": "ALL"}, {"ClientId": app(pool_id)["ClientId"]}):
        text = refused(call, "InvalidParameterException", "SetUICustomization", UserPoolId=pool_id, CSS=CSS, **members)
        assert text == "There has to be an existing domain associated with this user pool"


def test_b9_nothing_set_is_nothing(call, at):
    """An empty object, at every level."""
    for where in (at, whole(at), at | {"ClientId": "ALL"}):
        assert call("GetUICustomization", **where) == {"UICustomization": {}}


def test_b10_a_client_has_its_own_style_or_the_pools(call, at, app):
    """Its own replaces the pool's entirely; without one it has the pool's."""
    shared = put(call, whole(at), CSS=CSS, ImageFile=PNG)
    assert shared["ClientId"] == "ALL"
    assert get(call, at) == get(call, whole(at)) == get(call, at | {"ClientId": "ALL"}) == shared
    own = put(call, at, ImageFile=JPEG)
    assert "CSS" not in own
    assert get(call, at) == own
    assert get(call, at | {"ClientId": app(at["UserPoolId"])["ClientId"]}) == shared
    assert get(call, whole(at)) == shared


def test_a_request_replaces_what_was_there(call, at, server):
    """CSS alone drops the image; the creation date stays."""
    first = put(call, at, CSS=CSS, ImageFile=PNG)
    server.clock.advance(3)
    second = put(call, at, CSS=".label-customizable { color: red }")
    assert "ImageUrl" not in second
    assert second["CreationDate"] == first["CreationDate"]
    assert second["LastModifiedDate"] > first["LastModifiedDate"]
    assert second["CSSVersion"] > first["CSSVersion"]
    assert datetime.strptime(second["CSSVersion"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)


@pytest.mark.parametrize("empty", [{}, {"CSS": ""}, {"ImageFile": b""}])
def test_a_request_for_nothing_takes_the_style_away(call, at, empty):
    """As tools do that clean up after themselves; the client has the pool's style then."""
    shared = put(call, whole(at), CSS=CSS)
    put(call, at, ImageFile=PNG)
    assert put(call, at, **empty) == {}
    assert get(call, at) == shared
    assert put(call, whole(at), **empty) == {}
    assert get(call, at) == {}


@pytest.mark.parametrize(
    "css",
    [
        "@import url('https://example.org/x.css');",
        "@media print { .label-customizable { color: red } }",
        "@supports (display: grid) { .label-customizable { color: red } }",
        "@page { margin: 0 }",
        "body { display: none }",
        ".card { color: red }",
        ".label-customizable, #x { color: red }",
        ".label-customizable .x { color: red }",
        ".label-customizable { width: expression(alert(1)) }",
        ".label-customizable { background: url(javascript:alert(1)) }",
        ".label-customizable { color: red </style><script>alert(1)</script> }",
        ".label-customizable { color }",
        ".label-customizable { color: red",
        ".label-customizable { .x { color: red } }",
        "color: red",
        "/* a comment without an end",
    ],
)
def test_b11_css_is_checked(call, at, css):
    """At-rules, other selectors, JavaScript, and what is no CSS are refused; nothing is changed."""
    before = put(call, at, CSS=CSS)
    refused(call, "InvalidParameterException", "SetUICustomization", **at, CSS=css)
    assert get(call, at) == before


@pytest.mark.parametrize(
    "image",
    [
        b"GIF89a\x01\x00\x01\x00",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        PNG[:8],
        PNG.replace(b"IHDR", b"IDAT"),
        b"\xff\xd8",
    ],
    ids=["gif", "svg", "png without header", "png that begins otherwise", "jpeg without marker"],
)
def test_images_are_known_by_their_content(call, at, image):
    """PNG and JPEG only."""
    refused(call, "InvalidParameterException", "SetUICustomization", **at, ImageFile=image)


def test_sizes_have_limits(server, call, at):
    """An image has 100 KB at most, CSS 131,072 characters, and both together 135 KB as they are sent."""
    most = PNG.ljust(102_400, b"\0")
    put(call, at, ImageFile=most, CSS=CSS)
    css = CSS.ljust(131_072)
    assert put(call, at, CSS=css)["CSS"] == css
    refuse = lambda **members: refused(
        unchecked(server), "InvalidParameterException", "SetUICustomization", **at, **members
    )
    assert "100 KB" in refuse(ImageFile=most + b"\0")
    assert "135 KB" in refuse(ImageFile=most, CSS=CSS.ljust(3_000))
    assert re.search("less than or equal to 131072", refuse(CSS=css + " "))


def test_clients_and_pools_of_others_are_not_found(call, at, pool):
    """Nor those that do not exist."""
    for wrong in (at | {"ClientId": "nobody"}, at | {"UserPoolId": pool()}, at | {"UserPoolId": "us-east-1_NobodyXYZ"}):
        refused(call, "ResourceNotFoundException", "GetUICustomization", **wrong)
        refused(call, "ResourceNotFoundException", "SetUICustomization", **wrong, CSS=CSS)


def test_without_a_domain_there_is_no_url(call, at):
    """The style is kept for the next domain."""
    made = put(call, at, ImageFile=PNG)
    domain = call("DescribeUserPool", **whole(at))["UserPool"]["Domain"]
    call("DeleteUserPoolDomain", **whole(at), Domain=domain)
    assert "ImageUrl" not in get(call, at)
    call("CreateUserPoolDomain", **whole(at), Domain=domain)
    assert get(call, at) == made


def test_deleted_clients_take_their_style_along(call, at):
    """A client of the same pool has none of it."""
    put(call, at, CSS=CSS)
    call("DeleteUserPoolClient", **at)
    refused(call, "ResourceNotFoundException", "GetUICustomization", **at)
