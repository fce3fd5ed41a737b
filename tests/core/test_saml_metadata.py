"""Metadata of SAML providers."""

import pytest

from poolhouse.core.saml_metadata import Metadata, read_metadata
from poolhouse.model import InvalidParameterException

MD = "urn:oasis:names:tc:SAML:2.0:metadata"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


def service(name: str, url: str, binding: str = REDIRECT) -> str:
    return f'<md:{name} Binding="{binding}" Location="{url}"/>'


SIGN_ON = service("SingleSignOnService", "https://idp.example/sso")
SIGN_OUT = service("SingleLogoutService", "https://idp.example/slo")


def entity(content: str = SIGN_OUT + SIGN_ON, id: str = "urn:idp", role: str = "IDPSSODescriptor") -> str:
    return (
        f'<md:EntityDescriptor xmlns:md="{MD}" entityID="{id}"><md:{role}>{content}</md:{role}></md:EntityDescriptor>'
    )


def refusal(text: str) -> str:
    with pytest.raises(InvalidParameterException) as caught:
        read_metadata(text)
    return str(caught.value)


def test_who_and_where():
    """The entity id and the addresses for HTTP-Redirect, whatever bindings come before them."""
    posts = service("SingleSignOnService", "https://idp.example/post", POST)
    text = '\n<?xml version="1.0" encoding="UTF-8"?>' + entity(SIGN_OUT + posts + SIGN_ON)
    whole = Metadata(entity_id="urn:idp", sign_on_url="https://idp.example/sso", sign_out_url="https://idp.example/slo")
    assert read_metadata(text) == whole
    assert read_metadata(entity(SIGN_ON)).sign_out_url is None


def key(certificate: str, use: str = "") -> str:
    return (
        f'<md:KeyDescriptor{use}><k:KeyInfo xmlns:k="http://www.w3.org/2000/09/xmldsig#"><k:X509Data><k:X509Certificate>'
        f"{certificate}</k:X509Certificate></k:X509Data></k:KeyInfo></md:KeyDescriptor>"
    )


def test_what_it_signs_with():
    """Certificates of keys for signing and of those for any use, without the white space; not that of the metadata."""
    keys = key("\n QUJD\n REVG ", ' use="signing"') + key("R0hJ", ' use="encryption"') + key("SktM")
    others = key("TU5P").removeprefix("<md:KeyDescriptor>").removesuffix("</md:KeyDescriptor>")
    text = entity(keys + SIGN_ON).replace("<md:IDPSSO", others + "<md:IDPSSO")
    assert read_metadata(text).certificates == ("QUJDREVG", "SktM")


def test_first_identity_provider_of_many():
    """Service providers, and entities without an address, are passed over; nothing of theirs is mixed in."""
    listed = entity(role="SPSSODescriptor") + entity(SIGN_OUT, "urn:half") + entity(SIGN_ON) + entity(id="urn:late")
    found = read_metadata(f'<md:EntitiesDescriptor xmlns:md="{MD}">{listed}</md:EntitiesDescriptor>')
    assert found == Metadata(entity_id="urn:idp", sign_on_url="https://idp.example/sso")


@pytest.mark.parametrize(
    "declaration",
    [
        "<!DOCTYPE a>",
        '<!DOCTYPE a [<!ENTITY x "y">]>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]>',
    ],
)
def test_no_document_types(declaration):
    """They are how XML is attacked, and no metadata needs one."""
    assert refusal(declaration + entity()) == "MetadataFile must not have a document type declaration."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no xml",
        "<a>",
        "<a/>" + entity(),
        "\x00",
        "\ud800",
        "&x;",
        "<a/>",
        "<a>" * 20_000,
        entity().replace(MD, "urn:another"),
        entity(id=""),
        entity(id="x" * 1025),
        entity(""),
        entity(SIGN_OUT),
        entity(service("SingleSignOnService", "https://idp.example/sso", POST)),
        entity(role="SPSSODescriptor"),
        entity(f"<md:Extensions>{SIGN_ON}</md:Extensions>"),
        entity(service("SingleSignOnService", "javascript:alert(1)")),
        entity(service("SingleSignOnService", "http://idp.example/sso")),
        entity(SIGN_ON + service("SingleLogoutService", "/slo")),
    ],
)
def test_what_is_no_metadata(text):
    """Whatever is not whole, well-formed metadata of an identity provider is refused."""
    refusal(text)
