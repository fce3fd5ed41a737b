"""XML that identity providers send by way of browsers: read without anything that XML can do but elements and text."""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from lxml import etree

from poolhouse.core.saml import ASSERTION, PROTOCOL
from poolhouse.providers.failure import response_refused

# spec/http/06 §6.6
LONGEST = 100_000
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
NAMES = {"saml": ASSERTION, "samlp": PROTOCOL, "ds": SIGNATURE, "xenc": "http://www.w3.org/2001/04/xmlenc#"}
# lxml has no types; an element of it.
Element = Any


def decode(posted: str) -> Element:
    """Return the document in a form field; raises ProviderRefused."""
    if len(posted) > LONGEST:
        raise response_refused(f"SAML response is longer than {LONGEST} characters")
    try:
        return parse(base64.b64decode("".join(posted.split()), validate=True))
    except (binascii.Error, ValueError):
        raise response_refused("SAML response is not well-formed") from None


def parser() -> Any:
    """Return a parser that resolves and fetches nothing."""
    return etree.XMLParser(
        # Whatever the document says, so that what is looked for in its bytes is what the parser sees.
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        recover=False,
    )


def parse(document: bytes) -> Element:
    """Return the root of a document; raises ProviderRefused."""
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise response_refused("SAML response has a document type declaration")
    try:
        return etree.fromstring(document, parser())
    except etree.XMLSyntaxError:
        raise response_refused("SAML response is not well-formed") from None


def write(element: Element) -> bytes:
    """Return an element as a document of its own."""
    return bytes(etree.tostring(element, with_tail=False))


def find_all(element: Element, path: str) -> list[Element]:
    """Return the elements at a path with the prefixes of ``NAMES``."""
    return list(element.xpath(path, namespaces=NAMES))


def only(element: Element, path: str, what: str) -> Element:
    """Return the one element at a path; raises ProviderRefused where there is none, or another."""
    found = find_all(element, path)
    if len(found) != 1:
        raise response_refused(f"SAML response must have one {what}")
    return found[0]


def text_of(element: Element) -> str:
    """Return the whole text of an element, also around comments: what a signature covers that leaves them out."""
    return str(element.xpath("string()"))


def name_of(element: Element) -> str:
    """Return the name of an element, ``{namespace}name``."""
    return str(element.tag)


def check_identifiers(elements: Iterable[Element]) -> None:
    """Check that no two elements have one identifier; raises ProviderRefused."""
    seen: set[str] = set()
    for element in elements:
        for name, value in element.attrib.items():
            if etree.QName(name).localname.lower() == "id":
                if value in seen:
                    raise response_refused("SAML response has an identifier twice")
                seen.add(value)
