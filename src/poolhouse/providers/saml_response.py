"""A SAML response: whether it may be believed, and what it says (SAML 2.0 Core §2–3, Profiles §4.1.4, spec/http/06 §6.6)."""

from collections.abc import Sequence
from typing import Any

from poolhouse.core.federation import NAME_ID, Assertion, ProviderSession
from poolhouse.core.saml import Answer, Expected, read_instant
from poolhouse.core.saml_metadata import Metadata
from poolhouse.providers.failure import response_refused
from poolhouse.providers.saml_conditions import check_conditions, check_confirmation, check_sessions
from poolhouse.providers.saml_encryption import decrypt
from poolhouse.providers.saml_message import check_issuer, check_message, check_status
from poolhouse.providers.saml_signature import find_signature, verify
from poolhouse.providers.saml_xml import (
    Element,
    check_identifiers,
    decode,
    find_all,
    only,
    text_of,
)


def read(posted: str, metadata: Metadata, expected: Expected) -> Answer:
    """Return what a response in a form field says; raises ProviderRefused, and UnknownSigner."""
    root = decode(posted)
    response, assertion = _believed(root, metadata.certificates, expected)
    check_status(response)
    check_message(
        response,
        entity_id=metadata.entity_id,
        destination=expected.service.consumer_url,
        request_id=expected.request_id,
        signed=response is not root,
    )
    check_issuer(only(assertion, "./saml:Issuer", "Issuer"), metadata.entity_id)
    if assertion.get("Version") != "2.0" or not assertion.get("ID"):
        raise response_refused("SAML Assertion is not of version 2.0")
    check_confirmation(
        assertion, recipient=expected.service.consumer_url, request_id=expected.request_id, now=expected.now
    )
    check_conditions(assertion, audience=expected.service.entity_id, now=expected.now)
    check_sessions(assertion, now=expected.now)
    session = _session(assertion)
    return Answer(
        id=assertion.get("ID"),
        issued_at=_issued_at(assertion),
        assertion=Assertion(
            saml_response=_attributes(assertion) | {NAME_ID: session.name_id},
            session=session,
        ),
    )


def _believed(root: Element, certificates: Sequence[str], expected: Expected) -> tuple[Element, Element]:
    """Return the response and its one assertion: of both what was signed, where they are.

    A response without a signature of its own is only as good as the assertion that it carries.
    """
    if find_all(root, "self::samlp:Response") == [] or root.get("Version") != "2.0":
        raise response_refused("SAML response is none of version 2.0")
    _check_shape(root, encrypted=expected.private_key is not None)
    signed = find_signature(root) is not None
    response = verify(root, certificates, expected.now) if signed else root
    if expected.private_key is not None:
        assertion = decrypt(only(response, "./saml:EncryptedAssertion", "assertion"), expected.private_key)
    else:
        # As it came: the signature of the response covers less of its namespaces than its own may.
        assertion = only(root, "./saml:Assertion", "assertion")
    if find_signature(assertion) is not None:
        return response, verify(assertion, certificates, expected.now)
    if not signed:
        raise response_refused("SAML Assertion signature is invalid", detail="there is no signature")
    return response, assertion if expected.private_key is not None else only(response, "./saml:Assertion", "assertion")


def _check_shape(root: Element, *, encrypted: bool) -> None:
    """Check that there is one assertion, and nothing by which another could be taken for what is signed."""
    check_identifiers(find_all(root, "//*"))
    kind = "EncryptedAssertion" if encrypted else "Assertion"
    anywhere = find_all(root, "//saml:Assertion | //saml:EncryptedAssertion")
    if len(anywhere) != 1 or anywhere != find_all(root, f"./saml:{kind}"):
        if not anywhere:
            check_status(root)
        raise response_refused(f"SAML response must have one {kind}")
    if len(find_all(root, "//ds:Signature")) != len(find_all(root, "./ds:Signature | ./saml:Assertion/ds:Signature")):
        raise response_refused("SAML Assertion signature is invalid", detail="a signature is where none can be")


def _issued_at(assertion: Element) -> int:
    try:
        return read_instant(assertion.get("IssueInstant", ""))
    except ValueError:
        raise response_refused("IssueInstant of the SAML Assertion is no time") from None


def _session(assertion: Element) -> ProviderSession:
    """Return the name of the user, exactly as it was signed, and the first session that there is."""
    element = only(assertion, "./saml:Subject/saml:NameID", "NameID")
    name = text_of(element)
    if not name.strip():
        raise response_refused("NameID is empty")
    return ProviderSession(
        name_id=_plain(name),
        format=element.get("Format"),
        name_qualifier=element.get("NameQualifier"),
        sp_name_qualifier=element.get("SPNameQualifier"),
        index=find_all(assertion, "./saml:AuthnStatement")[0].get("SessionIndex"),
    )


def _attributes(assertion: Element) -> dict[str, Any]:
    """Return the attributes by name: the value of one that has one, else the list of its values."""
    values: dict[str, list[str]] = {}
    for attribute in find_all(assertion, "./saml:AttributeStatement/saml:Attribute"):
        held = values.setdefault(attribute.get("Name", ""), [])
        held += [_plain(text_of(value)) for value in find_all(attribute, "./saml:AttributeValue")]
    return {name: held[0] if len(held) == 1 else held for name, held in values.items() if name and held}


def _plain(text: str) -> str:
    """Check that a value has no characters of four bytes (spec/http/06 §6.6)."""
    if any(sign > "\uffff" for sign in text):
        raise response_refused("SAML Assertion has characters that take four bytes")
    return text
