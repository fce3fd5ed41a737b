"""What a SAML provider says about itself in its metadata (SAML 2.0 Metadata, §2.3–2.4)."""

from xml.parsers import expat

from msgspec import Struct

from poolhouse.core.urls import check_web_address
from poolhouse.model import InvalidParameterException

MAX_ENTITY_ID = 1024

_NAMESPACE = "urn:oasis:names:tc:SAML:2.0:metadata"
_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_ENTITY, _PROVIDER, _KEY, _SIGN_ON, _SIGN_OUT = (
    f"{_NAMESPACE} {name}"
    for name in ("EntityDescriptor", "IDPSSODescriptor", "KeyDescriptor", "SingleSignOnService", "SingleLogoutService")
)
_CERTIFICATE = "http://www.w3.org/2000/09/xmldsig# X509Certificate"


class Metadata(Struct, frozen=True, kw_only=True):
    """An identity provider: its entity id, and where browsers are sent to sign in and out by HTTP-Redirect.

    ``certificates`` are those that it may sign with, DER in base64, unread.
    """

    entity_id: str
    sign_on_url: str
    sign_out_url: str | None = None
    certificates: tuple[str, ...] = ()


def read_metadata(text: str) -> Metadata:
    """Return the first identity provider of a metadata document; raises InvalidParameterException.

    A document type declaration is refused, and with it every entity by which XML is attacked.
    """
    reader = _Reader()
    parser = expat.ParserCreate("utf-8", " ")
    parser.StartDoctypeDeclHandler = reader.refuse_type
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.read
    try:
        parser.Parse(text.strip().encode("utf-8", "replace"), True)
    except expat.ExpatError:
        raise InvalidParameterException("MetadataFile is not well-formed XML.") from None
    if reader.found is None:
        raise InvalidParameterException(
            "MetadataFile describes no identity provider with an entityID and a SingleSignOnService for HTTP-Redirect."
        )
    check_web_address(reader.found.sign_on_url)
    if reader.found.sign_out_url is not None:
        check_web_address(reader.found.sign_out_url)
    return reader.found


class _Reader:
    """Follows a document; ``found`` is the first identity provider that is whole."""

    def __init__(self) -> None:
        self.found: Metadata | None = None
        self._path: list[str] = []
        self._entity_id = ""
        self._urls: dict[str, str] = {}
        self._certificates: list[str] = []
        # Whether this is inside a key that signs.
        self._signs = False
        # None outside the text of a certificate to verify signatures with.
        self._text: list[str] | None = None

    def refuse_type(self, *_: object) -> None:
        raise InvalidParameterException("MetadataFile must not have a document type declaration.")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == _ENTITY:
            self._entity_id = attributes.get("entityID", "")
        elif name == _PROVIDER:
            self._urls, self._certificates = {}, []
        elif name == _CERTIFICATE and self._signs:
            self._text = []
        elif self._path[-1:] == [_PROVIDER] and attributes.get("Binding") == _REDIRECT and "Location" in attributes:
            self._urls.setdefault(name, attributes["Location"])
        elif self._path[-1:] == [_PROVIDER] and name == _KEY:
            self._signs = attributes.get("use", "signing") == "signing"
        self._path.append(name)

    def read(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def end(self, name: str) -> None:
        self._path.pop()
        if name == _CERTIFICATE and self._text is not None:
            self._certificates.append("".join("".join(self._text).split()))
            self._text = None
        elif name == _KEY:
            self._signs = False
        is_named = 0 < len(self._entity_id) <= MAX_ENTITY_ID
        if name == _PROVIDER and self.found is None and is_named and _SIGN_ON in self._urls:
            self.found = Metadata(
                entity_id=self._entity_id,
                sign_on_url=self._urls[_SIGN_ON],
                sign_out_url=self._urls.get(_SIGN_OUT),
                certificates=tuple(self._certificates),
            )
