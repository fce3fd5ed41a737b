"""The rules of OAuth 2.0: redirect URIs, response types, PKCE, scopes and the other parameters of a request."""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from enum import StrEnum
from hashlib import sha256
from urllib.parse import urlsplit

from poolhouse.core.claims import OPENID, PROFILE_CLAIMS, SCOPE_CLAIMS
from poolhouse.core.client import PROFILE, Client
from poolhouse.model import ExplicitAuthFlowsType as Flow
from poolhouse.model import OAuthFlowType, ResourceServerType

RESERVED_SCOPES = frozenset({"openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"})
# The name that stands for the pool's own users among a client's identity providers.
LOCAL_PROVIDER = "COGNITO"

# RFC 7636 §4.2: a challenge is made of 43 to 128 unreserved characters.
_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
# RFC 6749 §3.3.
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+", re.ASCII)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*", re.ASCII)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# What browsers run, or show as a document of the current site, in place of going there.
_ACTIVE_SCHEMES = frozenset({"javascript", "data", "vbscript", "file", "blob", "filesystem", "about", "view-source"})


class OAuthError(Exception):
    """A refusal in the words of OAuth: ``error`` is the code, ``description`` optional prose (RFC 6749 §5.2)."""

    def __init__(self, error: str, description: str | None = None) -> None:
        super().__init__(description or error)
        self.error = error
        self.description = description


class ResponseType(StrEnum):
    """What an authorization request asks for (RFC 6749 §3.1.1)."""

    CODE = "code"
    TOKEN = "token"


_FLOW_OF = {ResponseType.CODE: OAuthFlowType.code, ResponseType.TOKEN: OAuthFlowType.implicit}


def is_enabled(client: Client, flow: OAuthFlowType) -> bool:
    """Tell whether a client may use an OAuth flow."""
    allowed = client.settings.allowed_oauth_flows_user_pool_client
    return bool(allowed) and flow in (client.settings.allowed_oauth_flows or ())


def callback_urls(client: Client) -> Sequence[str]:
    """Return the redirect URIs that count: none while the client is barred from OAuth (spec/http/05 §5.1)."""
    return _while_allowed(client, client.settings.callback_urls)


def logout_urls(client: Client) -> Sequence[str]:
    """Return the sign-out URLs that count: none while the client is barred from OAuth (spec/http/05 §5.1)."""
    return _while_allowed(client, client.settings.logout_urls)


def _while_allowed(client: Client, urls: Sequence[str] | None) -> Sequence[str]:
    return urls or () if client.settings.allowed_oauth_flows_user_pool_client else ()


def is_registered(uri: str, registered: Iterable[str]) -> bool:
    """Tell whether a redirect may go to ``uri``: it equals a registered one in every character (RFC 9700 §2.1).

    What was registered is looked at again, so that a URI which the rules refuse is never followed.
    """
    return uri in tuple(registered) and is_redirectable(uri)


def is_redirectable(uri: str) -> bool:
    """Tell whether a browser may be sent to ``uri`` (spec/http/05 §5.2).

    It is absolute, without fragment, blanks and control characters; over plain http it leads to the same machine;
    its scheme is not one that browsers run.
    """
    scheme, colon, rest = uri.partition(":")
    if not colon or not rest or not _SCHEME.fullmatch(scheme) or "#" in uri or "\\" in uri:
        return False
    if any(character.isspace() or not character.isprintable() for character in uri):
        return False
    scheme = scheme.lower()
    if scheme in {"http", "https"}:
        return _is_web_url(uri, plain=scheme == "http")
    return scheme not in _ACTIVE_SCHEMES


def _is_web_url(uri: str, *, plain: bool) -> bool:
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or not uri.partition(":")[2].startswith("//") or "@" in parts.netloc:
        return False
    return host in _LOOPBACK if plain else True


def find_default_redirect(client: Client) -> str | None:
    """Return the redirect URI of a request that names none.

    Only clients with one identity provider have it: their only callback, else their default (spec/http/05 §5.3).
    """
    urls = callback_urls(client)
    if len(client.settings.supported_identity_providers or ()) != 1:
        return None
    return urls[0] if len(urls) == 1 else client.settings.default_redirect_uri


def get_response_type(client: Client, value: str | None) -> ResponseType:
    """Return the response type of a request.

    Raises OAuthError: invalid_request where it is missing or unknown, unauthorized_client where it is not enabled.
    """
    try:
        wanted = ResponseType(value or "")
    except ValueError:
        raise OAuthError("invalid_request") from None
    if not is_enabled(client, _FLOW_OF[wanted]):
        raise OAuthError("unauthorized_client")
    return wanted


def check_challenge(challenge: str | None, method: str | None) -> None:
    """Check the PKCE parameters of an authorization request (RFC 7636 §4.3): S256 or nothing.

    Raises OAuthError invalid_request.
    """
    if challenge is None and method is None:
        return
    if challenge is None or method != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise OAuthError("invalid_request")


def is_verified(challenge: str | None, verifier: str | None) -> bool:
    """Tell whether a verifier answers the challenge of its request (RFC 7636 §4.6).

    A verifier without a challenge does not: the challenge may have been stripped on the way (RFC 9700 §4.8.2).
    """
    if challenge is None or verifier is None:
        return challenge is None and verifier is None
    made = urlsafe_b64encode(sha256(verifier.encode("utf-8", "surrogatepass")).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode())


def granted_scopes(client: Client, servers: Iterable[ResourceServerType], requested: str | None) -> tuple[str, ...]:
    """Return the scopes that an authorization request is granted: those it names, or all of the client's.

    A scope that is the client's but that its resource server lost is left out (spec/http/04 §4.10).
    Raises OAuthError invalid_scope.
    """
    allowed = tuple(client.settings.allowed_oauth_scopes or ())
    if requested is None:
        wanted = allowed
    else:
        wanted = split_scopes(requested)
        if not set(wanted) <= set(allowed):
            raise OAuthError("invalid_scope")
        if not SCOPE_CLAIMS.keys().isdisjoint(wanted) and OPENID not in wanted:
            raise OAuthError("invalid_scope")
    active = RESERVED_SCOPES | known_scopes(servers)
    return tuple(scope for scope in wanted if scope in active)


def machine_scopes(client: Client, servers: Iterable[ResourceServerType], requested: str | None) -> tuple[str, ...]:
    """Return the scopes that a client-credentials request is granted: custom ones only (spec/http/04 §4.3.1).

    Raises OAuthError: invalid_scope where a scope does not exist, invalid_grant where it is not the client's
    (spec/http/02 §2.2.5).
    """
    allowed = [scope for scope in client.settings.allowed_oauth_scopes or () if scope not in RESERVED_SCOPES]
    known = known_scopes(servers)
    wanted = tuple(allowed) if requested is None else split_scopes(requested)
    for scope in wanted:
        if scope not in allowed:
            raise OAuthError("invalid_grant" if scope in known else "invalid_scope")
    return tuple(scope for scope in wanted if scope in known)


def known_scopes(servers: Iterable[ResourceServerType]) -> frozenset[str]:
    """Return the custom scopes of resource servers as they are written in requests: ``identifier/scope``."""
    return frozenset(f"{server.identifier}/{scope.scope_name}" for server in servers for scope in server.scopes or ())


def split_scopes(text: str) -> tuple[str, ...]:
    """Return the scopes of a request, each once; raises OAuthError invalid_scope (RFC 6749 §3.3)."""
    scopes = tuple(dict.fromkeys(text.split(" ")))
    wanted = tuple(scope for scope in scopes if scope)
    if not wanted or not all(_SCOPE.fullmatch(scope) for scope in wanted):
        raise OAuthError("invalid_scope")
    return wanted


def check_readable(client: Client, scopes: Iterable[str]) -> None:
    """Check that a client may read all attributes behind the scopes it is granted (spec/http/04 §4.2.1).

    Raises OAuthError invalid_grant.
    """
    named = client.settings.read_attributes
    if named is None:
        return
    readable = set(named) | (PROFILE_CLAIMS if PROFILE in named else frozenset())
    for scope in scopes:
        if not SCOPE_CLAIMS.get(scope, frozenset()) <= readable:
            raise OAuthError("invalid_grant")


def check_resource(resource: str | None) -> None:
    """Check what a token shall be bound to (RFC 8707 §2): https, a local http, or a scheme of an application's own.

    Raises OAuthError invalid_request.
    """
    if resource is None:
        return
    if not is_redirectable(resource) or (resource.lower().startswith("http:") and _hostname(resource) != "localhost"):
        raise OAuthError("invalid_request")


def _hostname(uri: str) -> str | None:
    return urlsplit(uri).hostname


def get_prompts(value: str | None) -> frozenset[str]:
    """Return the values of ``prompt``; raises OAuthError where ``none`` is not alone (OpenID Connect Core §3.1.2.1)."""
    prompts = frozenset((value or "").split())
    if "none" in prompts and len(prompts) > 1:
        raise OAuthError("invalid_request")
    return prompts


def get_max_age(value: str | None) -> int | None:
    """Return ``max_age`` in seconds; raises OAuthError where it is no number (OpenID Connect Core §3.1.2.1)."""
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()) or len(value) > 12:
        raise OAuthError("invalid_request")
    return int(value)


def is_machine(client: Client) -> bool:
    """Tell whether a client may ask for tokens of its own (spec/http/05 §5.6); it needs a secret for that."""
    permitted = is_enabled(client, OAuthFlowType.client_credentials) or "ALLOW_CLIENT_TOKEN_AUTH" in client.flows
    return permitted and bool(client.secrets)


def is_refreshing(client: Client) -> bool:
    """Tell whether a client may use refresh tokens; where they rotate, the API's own flow is off (spec/http/04 §4.6)."""
    return client.rotation_enabled or Flow.ALLOW_REFRESH_TOKEN_AUTH in client.flows
