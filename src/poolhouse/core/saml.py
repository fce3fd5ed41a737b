"""SAML 2.0 as a pool speaks it, being the service provider of its identity providers (spec/http/06 §6.6)."""

import zlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlencode

from msgspec import Struct

from poolhouse.core.attributes import NOT_CONFORMING
from poolhouse.core.federation import Assertion, AttributesMissing, ProviderSession
from poolhouse.core.parameters import MalformedParameters, parse_parameters
from poolhouse.model import InvalidParameterException

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
# Where providers have browsers post their answers.
CONSUMER = "/saml2/idpresponse"
LOGOUT = "/saml2/logout"
# How old an assertion may be that nobody asked for.
UNASKED_SECONDS = 360
# How far the clocks of a provider may be off.
SKEW_SECONDS = 60
# Longer than any answer with its assertion can be of use (spec/http/06 §6.3).
REMEMBERED_SECONDS = 900


# How refusals of attributes begin.
_OF_ATTRIBUTES = (NOT_CONFORMING, "Invalid user attributes: ")


class ServiceProvider(Struct, frozen=True, kw_only=True):
    """A pool as its providers know it: the name that assertions are for, and the base URL of its domain."""

    pool_id: str
    base_url: str

    @property
    def entity_id(self) -> str:
        """The entity id, which is the audience of assertions."""
        return f"urn:amazon:cognito:sp:{self.pool_id}"

    @property
    def consumer_url(self) -> str:
        """The assertion consumer service, for HTTP-POST."""
        return self.base_url + CONSUMER

    @property
    def logout_url(self) -> str:
        """The single logout service, for HTTP-POST."""
        return self.base_url + LOGOUT


class Expected(Struct, frozen=True, kw_only=True):
    """What a response is held against.

    ``request_id`` is None where nothing was asked; ``private_key`` is in PEM, None where assertions are not encrypted;
    ``now`` is in milliseconds.
    """

    service: ServiceProvider
    request_id: str | None
    private_key: str | None
    now: int


class Answer(Struct, frozen=True, kw_only=True):
    """What a provider answered, checked. ``id`` is the assertion's, ``issued_at`` is in milliseconds."""

    id: str
    issued_at: int
    assertion: Assertion


def refused_attributes(error: InvalidParameterException) -> str | None:
    """Return what the application is told of attributes that the pool does not take, None for an error of another kind.

    https://repost.aws/knowledge-center/cognito-invalid-saml-response-errors
    """
    if isinstance(error, AttributesMissing):
        said = [f"{name}: The attribute is required" for name in error.names]
    elif error.message.startswith((*_OF_ATTRIBUTES, "user.")):
        lines = error.message.removeprefix(_OF_ATTRIBUTES[0]).removeprefix(_OF_ATTRIBUTES[1]).splitlines()
        said = [line.removeprefix("user.").removesuffix(".") for line in lines]
    else:
        return None
    return f"Invalid SAML response received: Invalid user attributes: {' '.join(said)}. "


def request_id(nonce: str) -> str:
    """Return the identifier of a request: an NCName (SAML 2.0 Core §1.3.4)."""
    return f"_{nonce}"


def authn_request(service: ServiceProvider, *, id: str, destination: str, now: int) -> str:
    """Return a request to authenticate a user (SAML 2.0 Core §3.4.1); ``now`` is in milliseconds.

    How users are to be named is left to the provider.
    """
    attributes = {
        "ID": id,
        "Version": "2.0",
        "IssueInstant": instant(now),
        "Destination": destination,
        "AssertionConsumerServiceURL": service.consumer_url,
        "ProtocolBinding": POST,
    }
    return _document("AuthnRequest", attributes, f"<saml:Issuer>{escape(service.entity_id)}</saml:Issuer>")


def logout_request(service: ServiceProvider, session: ProviderSession, *, id: str, destination: str, now: int) -> str:
    """Return a request to end a user's session (SAML 2.0 Core §3.7.1); ``now`` is in milliseconds."""
    attributes = {"ID": id, "Version": "2.0", "IssueInstant": instant(now), "Destination": destination}
    qualifiers = {
        "Format": session.format,
        "NameQualifier": session.name_qualifier,
        "SPNameQualifier": session.sp_name_qualifier,
    }
    named = _attributes({name: value for name, value in qualifiers.items() if value is not None})
    content = f"<saml:Issuer>{escape(service.entity_id)}</saml:Issuer>"
    content += f"<saml:NameID{named}>{escape(session.name_id)}</saml:NameID>"
    if session.index is not None:
        content += f"<samlp:SessionIndex>{escape(session.index)}</samlp:SessionIndex>"
    return _document("LogoutRequest", attributes, content)


def redirect_query(message: str, relay_state: str, *, signed: bool) -> str:
    """Return the query by which a browser takes a request along; it is what is signed (SAML 2.0 Bindings §3.4.4.1)."""
    deflate = zlib.compressobj(wbits=-15)
    deflated = deflate.compress(message.encode()) + deflate.flush()
    parameters = {"SAMLRequest": b64encode(deflated).decode(), "RelayState": relay_state}
    return urlencode(parameters | ({"SigAlg": RSA_SHA256} if signed else {}))


def read_relay_state(relay_state: str) -> str | None:
    """Return the authorization request in what a provider sends along that begins a sign-in; None where it is none."""
    try:
        given = parse_parameters(relay_state)
    except MalformedParameters:
        return None
    return relay_state if {"identity_provider", "client_id"} <= given.values.keys() else None


def instant(now: int) -> str:
    """Return a time in milliseconds as SAML writes it (SAML 2.0 Core §1.3.3)."""
    return datetime.fromtimestamp(now // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_instant(text: str) -> int:
    """Return a time in milliseconds; raises ValueError."""
    read = datetime.fromisoformat(text)
    return int(read.replace(tzinfo=read.tzinfo or UTC).timestamp() * 1000)


def _document(name: str, attributes: dict[str, str], content: str) -> str:
    return f'<samlp:{name} xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}"{_attributes(attributes)}>{content}</samlp:{name}>'


def _attributes(attributes: Mapping[str, str]) -> str:
    return "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
