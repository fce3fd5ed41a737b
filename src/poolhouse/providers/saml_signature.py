"""Signatures of SAML responses and assertions (SAML 2.0 Core §5): what comes out is what was signed, nothing else."""

import binascii
import logging
from base64 import b64decode
from collections.abc import Iterable
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from lxml.etree import LxmlError
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidCertificate, SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from poolhouse.providers.failure import ProviderRefused, UnknownSigner, response_refused
from poolhouse.providers.saml_xml import Element, find_all, name_of, parser, write

# It writes what it verifies to the log.
logging.getLogger("signxml").setLevel(logging.WARNING)

FEWEST_BITS = 2048
# spec/http/06 §6.6
LONGEST_CERTIFICATE = 4096
# What a signature that is not as it should be leads to in the libraries.
BROKEN = (SignXMLException, LxmlError, UnsupportedAlgorithm, ValueError, TypeError, LookupError, AttributeError)
METHODS = frozenset(
    {
        *(SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512),
        *(SignatureMethod.ECDSA_SHA256, SignatureMethod.ECDSA_SHA384, SignatureMethod.ECDSA_SHA512),
        *(SignatureMethod.SHA256_RSA_MGF1, SignatureMethod.SHA384_RSA_MGF1, SignatureMethod.SHA512_RSA_MGF1),
    }
)
DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
# SAML 2.0 Core §5.4.4. With anything else, what was signed need not be what is seen.
TRANSFORMS = frozenset(
    {
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    }
)


def find_signature(element: Element) -> Element | None:
    """Return the signature of an element, None where it has none; raises ProviderRefused for an odd one."""
    found = find_all(element, "./ds:Signature")
    if not found:
        return None
    (signature, *others) = found
    references = find_all(signature, "./ds:SignedInfo/ds:Reference")
    plain = not others and len(references) == 1 and references[0].get("URI") == f"#{element.get('ID')}"
    transforms = [each.get("Algorithm") for each in find_all(signature, ".//ds:Transform")]
    if not plain or not TRANSFORMS.issuperset(transforms) or find_all(signature, ".//ds:Object | .//ds:Manifest"):
        raise _unverified("the signature is not of the kind that SAML knows")
    return signature


def verify(element: Element, certificates: Iterable[str], now: int) -> Element:
    """Return what of an element its signature covers, read anew; ``now`` is in milliseconds.

    ``certificates`` are DER in base64; one has to fit. Raises UnknownSigner, ProviderRefused.
    """
    document, reasons = write(element), set[str]()
    for certificate in certificates:
        try:
            seen = _verify(document, _read_certificate(certificate), now)
        except InvalidCertificate:
            reasons.add("the certificate is not valid now")
        except BROKEN as error:
            reasons.add(type(error).__name__)
        else:
            if name_of(seen) != name_of(element) or seen.get("ID") != element.get("ID"):
                raise _unverified("the signature covers something else")
            return seen
    raise UnknownSigner(
        *_unverified("").args,
        error="server_error",
        detail=f"SAML signature: {', '.join(sorted(reasons)) or 'no certificate'}",
    )


def _verify(document: bytes, certificate: x509.Certificate, now: int) -> Element:
    """Raises SignXMLException, and whatever else broken input leads to in there."""
    config = SignatureConfiguration(
        location="./",
        signature_methods=METHODS,
        digest_algorithms=DIGESTS,
        # The certificate is the metadata's; what the signature says of its key is no matter.
        ignore_ambiguous_key_info=True,
        verification_time=datetime.fromtimestamp(now / 1000, UTC),
    )
    found = XMLVerifier().verify(
        document, x509_cert=certificate, parser=parser(), id_attribute="ID", expect_config=config
    )
    assert isinstance(found, VerifyResult)
    return found.signed_xml


def _read_certificate(text: str) -> x509.Certificate:
    """Raises ValueError for what cannot be used."""
    if len(text) > LONGEST_CERTIFICATE:
        raise ValueError("the certificate is too long")
    try:
        certificate = x509.load_der_x509_certificate(b64decode(text, validate=True))
    except binascii.Error:
        raise ValueError("the certificate is none") from None
    key = certificate.public_key()
    if isinstance(key, RSAPublicKey) and key.key_size >= FEWEST_BITS:
        return certificate
    if isinstance(key, EllipticCurvePublicKey):
        return certificate
    raise ValueError("the certificate has a weak key")


def _unverified(detail: str) -> ProviderRefused:
    return response_refused("SAML Assertion signature is invalid", detail=detail)
