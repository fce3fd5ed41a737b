"""Encrypted assertions (XML Encryption 1.1, SAML 2.0 Core §6).

RSA-OAEP wraps the key; PKCS #1 v1.5, which tells attackers too much, does not. AES in CBC mode would as well: providers
use it, so that one text answers all that goes wrong until the signature of the assertion is verified.
"""

from base64 import b64decode
from html import escape
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from poolhouse.providers.failure import ProviderRefused, response_refused
from poolhouse.providers.saml_xml import Element, check_identifiers, find_all, only, parse, text_of

_ENC, _ENC11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"
GCM = {f"{_ENC11}aes{bits}-gcm": bits // 8 for bits in (128, 192, 256)}
CBC_MODE = {f"{_ENC}aes{bits}-cbc": bits // 8 for bits in (128, 192, 256)}
OAEP_MGF1P, OAEP_11 = f"{_ENC}rsa-oaep-mgf1p", f"{_ENC11}rsa-oaep"
_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "http://www.w3.org/2000/09/xmldsig#sha1": hashes.SHA1(),  # noqa: S303 - of no weakness in OAEP
    f"{_ENC}sha256": hashes.SHA256(),
    "http://www.w3.org/2001/04/xmldsig-more#sha384": hashes.SHA384(),
    f"{_ENC}sha512": hashes.SHA512(),
}
_MASKS: dict[str, hashes.HashAlgorithm] = {
    f"{_ENC11}mgf1sha1": hashes.SHA1(),  # noqa: S303
    f"{_ENC11}mgf1sha256": hashes.SHA256(),
    f"{_ENC11}mgf1sha384": hashes.SHA384(),
    f"{_ENC11}mgf1sha512": hashes.SHA512(),
}
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"


def decrypt(encrypted: Element, private_key: str) -> Element:
    """Return the assertion in an EncryptedAssertion, decrypted; raises ProviderRefused.

    ``private_key`` is in PEM.
    """
    try:
        # Beside the data, or in it.
        key = only(encrypted, ".//xenc:EncryptedKey", "EncryptedKey")
        data = only(encrypted, "./xenc:EncryptedData", "EncryptedData")
        assertion = only(
            _parse_within(encrypted, _open(data, _unwrap(key, private_key))), "./saml:Assertion", "assertion"
        )
        check_identifiers(find_all(assertion, "//*"))
    except ProviderRefused as error:
        raise _undecrypted(error.detail) from None
    except (ValueError, TypeError, LookupError, InvalidTag):
        raise _undecrypted("it does not decrypt") from None
    if find_all(assertion, "//saml:Assertion | //saml:EncryptedAssertion") != [assertion]:
        raise _undecrypted("it is not one assertion")
    return assertion


def _parse_within(encrypted: Element, plain: bytes) -> Element:
    """Return an element around the decrypted one, which may make use of the namespaces of where it was.

    Where a signature covers that, those that it does not cover are gone: they could have been changed.
    """
    names = ((f"xmlns:{prefix}" if prefix else "xmlns", uri) for prefix, uri in encrypted.nsmap.items())
    declared = " ".join(f'{name}="{escape(uri)}"' for name, uri in names)
    _, _, content = plain.partition(b"?>") if plain.lstrip().startswith(b"<?xml") else (b"", b"", plain)
    return parse(f"<decrypted {declared}>".encode() + content + b"</decrypted>")


def _unwrap(key: Element, private_key: str) -> bytes:
    """Return the key that the data is encrypted with; raises ValueError, LookupError."""
    method = only(key, "./xenc:EncryptionMethod", "EncryptionMethod")
    algorithm = method.get("Algorithm")
    if algorithm not in {OAEP_MGF1P, OAEP_11}:
        raise ValueError("the key is wrapped in a way that is not known")
    digest = next((each.get("Algorithm") for each in find_all(method, "./ds:DigestMethod")), SHA1)
    mask = next((each.get("Algorithm") for each in find_all(method, "./*[local-name()='MGF']")), f"{_ENC11}mgf1sha1")
    private = load_pem_private_key(private_key.encode(), None)
    assert isinstance(private, RSAPrivateKey)
    masked = MGF1(_MASKS[mask] if algorithm == OAEP_11 else hashes.SHA1())  # noqa: S303
    return private.decrypt(_cipher_value(key), OAEP(mgf=masked, algorithm=_DIGESTS[digest], label=None))


def _open(data: Element, secret: bytes) -> bytes:
    """Raises ValueError, LookupError, InvalidTag."""
    algorithm: Any = only(data, "./xenc:EncryptionMethod", "EncryptionMethod").get("Algorithm")
    text = _cipher_value(data)
    if algorithm in GCM and len(secret) == GCM[algorithm]:
        return AESGCM(secret).decrypt(text[:12], text[12:], None)
    if len(secret) != CBC_MODE[algorithm] or len(text) < 32:
        raise ValueError("the algorithm cannot be used")
    opened = Cipher(AES(secret), CBC(text[:16])).decryptor()
    padded = opened.update(text[16:]) + opened.finalize()
    if not 1 <= padded[-1] <= 16:
        raise ValueError("the padding is none")
    return padded[: -padded[-1]]


def _cipher_value(element: Element) -> bytes:
    value = only(element, "./xenc:CipherData/xenc:CipherValue", "CipherValue")
    return b64decode("".join(text_of(value).split()), validate=True)


def _undecrypted(detail: str) -> ProviderRefused:
    return response_refused("SAML Assertion signature is invalid", detail=f"encrypted assertion: {detail}")
