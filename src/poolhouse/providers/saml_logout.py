"""The answer to a request to end a session (SAML 2.0 Core §3.7, Profiles §4.4)."""

from poolhouse.core.saml import Expected
from poolhouse.core.saml_metadata import Metadata
from poolhouse.providers.failure import response_refused
from poolhouse.providers.saml_message import check_message
from poolhouse.providers.saml_signature import find_signature, verify
from poolhouse.providers.saml_xml import check_identifiers, decode, find_all


def read(posted: str, metadata: Metadata, expected: Expected) -> None:
    """Check the response in a form field, which has to be signed; raises ProviderRefused, and UnknownSigner.

    Whether the provider succeeded everywhere is no matter: the user is signed out here.
    """
    root = decode(posted)
    if not find_all(root, "self::samlp:LogoutResponse") or root.get("Version") != "2.0":
        raise response_refused("SAML response is no LogoutResponse of version 2.0")
    check_identifiers(find_all(root, "//*"))
    if find_signature(root) is None:
        raise response_refused("SAML LogoutResponse signature is invalid", detail="there is no signature")
    check_message(
        verify(root, metadata.certificates, expected.now),
        entity_id=metadata.entity_id,
        destination=expected.service.logout_url,
        request_id=expected.request_id,
        signed=True,
    )
