"""An identity provider by SAML 2.0 that shares nothing with the server: pysaml2, with signatures by libxmlsec1.

provider.metadata                          # its metadata document
posted = provider.approve(location)        # what a browser that is sent there has to post, and where to
provider.begin(url, audience, relay_state) # the same for a sign-in that begins there
provider.person, provider.name_id          # who is signed in there
provider.options["sign_response"] = True   # as pysaml2's create_authn_response knows them
"""

import base64
import functools
import pathlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import xmlsec
from lxml import etree
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, sigver
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_UNSPECIFIED, NameID
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

from tests.federation.certificates import Pair, make_pair

ENTITY_ID, SIGN_ON, SIGN_OUT = "https://idp.example/saml", "https://idp.example/sso?tenant=1", "https://idp.example/slo"
DS = "http://www.w3.org/2000/09/xmldsig#"
PASSWORD_PROTECTED = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


@functools.cache
def pair() -> Pair:
    """The provider's own."""
    return make_pair()


@functools.cache
def stranger() -> Pair:
    """That of somebody else."""
    return make_pair()


class XmlSec(sigver.CryptoBackend):
    """What pysaml2 asks of the program xmlsec1, by the library that it is made of."""

    version = "1.3.0"

    def sign_statement(self, statement: Any, node_name: str, key_file: str, node_id: str) -> str:
        root = etree.fromstring(statement if isinstance(statement, bytes) else str(statement).encode())
        sign_template(root, node_id, pathlib.Path(key_file).read_text())
        return etree.tostring(root).decode()

    def validate_signature(self, signedtext: Any, cert_file: str, cert_type: str, node_name: str, node_id: str) -> bool:
        raise NotImplementedError("the provider checks requests in the query only")

    def encrypt_assertion(self, statement: Any, enc_key: str, *_: Any, **__: Any) -> str:
        root = etree.fromstring(statement if isinstance(statement, bytes) else str(statement).encode())
        (wrapper,) = root.iter("{*}EncryptedAssertion")
        (assertion,) = wrapper
        encrypt(wrapper, assertion, pathlib.Path(enc_key).read_text())
        return etree.tostring(root).decode()


def sign_template(root: Any, node_id: str, key: str) -> None:
    """Fill in the signature of the element with this ID."""
    (node,) = root.xpath("//*[@ID=$id]", id=node_id)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(key, xmlsec.constants.KeyDataFormatPem)
    context.register_id(node, "ID")
    context.sign(node.find(f"{{{DS}}}Signature"))


def sign(node: Any, key: str, *, method: Any = None, digest: Any = None, prefixes: str | None = None) -> None:
    """Sign an element with a signature where SAML wants it, behind the issuer; these prefixes count in any case."""
    method, digest = method or xmlsec.constants.TransformRsaSha256, digest or xmlsec.constants.TransformSha256
    template = xmlsec.template.create(node, xmlsec.constants.TransformExclC14N, method, ns="ds")
    reference = xmlsec.template.add_reference(template, digest, uri=f"#{node.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    transform = xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
    if prefixes:
        xmlsec.template.transform_add_c14n_inclusive_namespaces(transform, prefixes)
    node.insert(1, template)
    sign_template(node.getroottree().getroot(), node.get("ID"), key)


def encrypt(
    wrapper: Any, assertion: Any, certificate: str, *, whole: bool = True, data: Any = None, transport: Any = None
) -> None:
    """Put an encrypted assertion in the place of the plain one, together with the namespaces that it needs, or without."""
    data, transport = data or xmlsec.constants.TransformAes256Gcm, transport or xmlsec.constants.TransformRsaOaep
    template = xmlsec.template.encrypted_data_create(wrapper, data, type=xmlsec.constants.TypeEncElement, ns="xenc")
    xmlsec.template.encrypted_data_ensure_cipher_value(template)
    info = xmlsec.template.encrypted_data_ensure_key_info(template, ns="ds")
    key = xmlsec.template.add_encrypted_key(info, transport)
    xmlsec.template.encrypted_data_ensure_cipher_value(key)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertPem))
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(xmlsec.constants.KeyDataAes, 256, xmlsec.constants.KeyDataTypeSession)
    if whole:
        context.encrypt_binary(template, etree.tostring(assertion, with_tail=False))
        wrapper.replace(assertion, template)
    else:
        context.encrypt_xml(template, assertion)


@dataclass(frozen=True)
class Posted:
    """What a browser posts, and where to; ``request`` is the AuthnRequest that it answers."""

    url: str
    form: dict[str, str]
    request: Any = None


def decoded(posted: Posted) -> Any:
    """The response in a form."""
    return etree.fromstring(base64.b64decode(posted.form["SAMLResponse"]))


def encoded(root: Any) -> str:
    """A response as it is posted."""
    return base64.b64encode(etree.tostring(root)).decode()


@dataclass
class SamlProvider:
    """The provider. It keeps its key below ``directory``, and knows the pools that were ``trust``ed.

    ``sign_on`` and ``sign_out`` are its addresses.
    """

    directory: pathlib.Path
    sign_on: str = SIGN_ON
    sign_out: str = SIGN_OUT
    pools: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.directory / "idp.key").write_text(pair().key)
        (self.directory / "idp.crt").write_text(pair().certificate)
        self._demanding = False
        self.reset()

    def reset(self) -> None:
        """Have Ann signed in again, and answer in the usual way."""
        self.name_id = "Ann@Example.com"
        self.person: dict[str, Any] = {"mail": ["ann@example.com"], "givenName": ["Ann"]}
        self.options: dict[str, Any] = {"sign_response": False, "sign_assertion": True}

    @functools.cached_property
    def metadata(self) -> str:
        """What it says of itself."""
        config = self._config()
        config.xmlsec_binary = None
        return str(entity_descriptor(config))

    def trust(self, pool_id: str, base: str, certificate: str | None = None) -> None:
        """Let users sign in to a pool; with its certificate, in DER to the base 64, requests have to be signed."""
        self.pools.append(_pool_metadata(pool_id, base, certificate))
        self._demanding = certificate is not None
        self.__dict__.pop("_server", None)

    def approve(self, location: str) -> Posted:
        """Do what a browser does that is sent here with somebody already signed in."""
        assert location.startswith(self.sign_on), location
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        signed = (query["RelayState"], query.get("SigAlg"), query.get("Signature"))
        request = self._server.parse_authn_request(query["SAMLRequest"], BINDING_HTTP_REDIRECT, *signed).message
        return self._answer(
            request.assertion_consumer_service_url, request.issuer.text, query["RelayState"], request.id, request
        )

    def begin(self, url: str, audience: str, relay_state: str) -> Posted:
        """Have a sign-in begin here."""
        return self._answer(url, audience, relay_state, None)

    def end(self, location: str) -> Posted:
        """Do what a browser does that is sent here for signing out."""
        assert location.startswith(self.sign_out + "?"), location
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        signed = (query["RelayState"], query["SigAlg"], query["Signature"])
        request = self._server.parse_logout_request(query["SAMLRequest"], BINDING_HTTP_REDIRECT, *signed).message
        response = self._server.create_logout_response(
            request, [BINDING_HTTP_POST], sign=True, sign_alg=SIG_RSA_SHA256, digest_alg=DIGEST_SHA256
        )
        (service,) = self._server.metadata.single_logout_service(request.issuer.text, BINDING_HTTP_POST, "spsso")
        form = {"SAMLResponse": base64.b64encode(str(response).encode()).decode(), "RelayState": query["RelayState"]}
        return Posted(service["location"], form, request)

    def _answer(self, url: str, audience: str, relay_state: str, to: str | None, request: Any = None) -> Posted:
        response = self._server.create_authn_response(
            self.person,
            in_response_to=to,
            destination=url,
            sp_entity_id=audience,
            name_id=NameID(format=NAMEID_FORMAT_UNSPECIFIED, text=self.name_id),
            authn={"class_ref": PASSWORD_PROTECTED, "authn_auth": ENTITY_ID},
            sign_alg=SIG_RSA_SHA256,
            digest_alg=DIGEST_SHA256,
            **self.options,
        )
        form = {"SAMLResponse": base64.b64encode(str(response).encode()).decode(), "RelayState": relay_state}
        return Posted(url, form, request)

    @functools.cached_property
    def _server(self) -> Server:
        server = Server(config=self._config())
        server.sec.crypto = XmlSec()
        return server

    def _config(self) -> IdPConfig:
        config = IdPConfig()
        config.load(
            {
                "entityid": ENTITY_ID,
                # Its mere presence is checked; see XmlSec.
                "xmlsec_binary": "/bin/true",
                "key_file": str(self.directory / "idp.key"),
                "cert_file": str(self.directory / "idp.crt"),
                "service": {
                    "idp": {
                        "endpoints": {
                            "single_sign_on_service": [(self.sign_on, BINDING_HTTP_REDIRECT)],
                            "single_logout_service": [(self.sign_out, BINDING_HTTP_REDIRECT)],
                        },
                        "want_authn_requests_signed": self._demanding,
                        "policy": {"default": {"lifetime": {"minutes": 5}, "name_form": NAME_FORM}},
                    }
                },
                "metadata": {"inline": self.pools},
            }
        )
        return config


NAME_FORM = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"


def _pool_metadata(pool_id: str, base: str, certificate: str | None) -> str:
    key = (
        f'<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509Certificate>{certificate}'
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )
    return (
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'entityID="urn:amazon:cognito:sp:{pool_id}">'
        f'<md:SPSSODescriptor AuthnRequestsSigned="{"true" if certificate else "false"}"'
        ' protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        f"{key if certificate else ''}"
        f'<md:SingleLogoutService Binding="{BINDING_HTTP_POST}" Location="{base}/saml2/logout"/>'
        f'<md:AssertionConsumerService Binding="{BINDING_HTTP_POST}" Location="{base}/saml2/idpresponse" index="1"/>'
        "</md:SPSSODescriptor></md:EntityDescriptor>"
    )
