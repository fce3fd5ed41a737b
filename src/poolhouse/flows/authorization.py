"""The authorization request: checked alike by ``/oauth2/authorize`` and ``/login``, and answered alike by both."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from poolhouse.core import acr
from poolhouse.core.client import Client
from poolhouse.core.grants import (
    OAuthError,
    ResponseType,
    callback_urls,
    check_challenge,
    check_resource,
    find_default_redirect,
    get_max_age,
    get_prompts,
    get_response_type,
    granted_scopes,
    is_registered,
)
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.parameters import MalformedParameters, Parameters, parse_parameters
from poolhouse.core.pool import Pool
from poolhouse.core.provider_choice import Providers, find_by_identifier, listed_providers
from poolhouse.core.tiers import LITE, tier_of
from poolhouse.flows.calls import Call
from poolhouse.model import (
    ResourceServerType,
)
from poolhouse.storage import Tx

_UNIQUE = (
    "response_type", "state", "scope", "identity_provider", "idp_identifier", "code_challenge", "nonce",
    "code_challenge_method", "login_hint", "prompt", "resource", "max_age", "acr_values",
)  # fmt: skip


class AuthorizationRefused(Exception):
    """An authorization request was refused. ``location`` is where the browser is told why.

    A path with a query lies below the base URL of the domain; anything else is a whole URL of the application.
    """

    def __init__(self, error: str, location: str) -> None:
        super().__init__(error)
        self.error = error
        self.location = location

    def url(self, base_url: str) -> str:
        """Return the absolute URL to redirect to."""
        return base_url + self.location if self.location.startswith("/") else self.location


@dataclass(slots=True)
class Authorization:
    """An authorization request on its way through the checks; each sets what it has checked.

    ``query`` is the query string as it came. ``managed`` tells whether the domain has managed login, since
    the classic pages do not know ``prompt``. ``app`` is what the parameter ``client_id`` names, ``providers`` the
    identity providers that its users can choose from; ``targets`` are the levels of ``acr_values`` that the pool has,
    the most wanted first (``core.acr``).
    """

    pool: Pool
    managed: bool
    query: str
    parameters: Parameters
    app: Client | None
    servers: tuple[ResourceServerType, ...]
    providers: Providers
    client: Client = field(init=False)
    redirect_uri: str = field(init=False)
    response_type: ResponseType = field(init=False)
    scopes: tuple[str, ...] = field(init=False)
    prompts: frozenset[str] = field(init=False)
    max_age: int | None = field(init=False)
    targets: tuple[int, ...] = field(init=False)

    @property
    def named(self) -> str | None:
        """The name of the identity provider that the request names, empty where an identifier is nobody's."""
        identifier = self.parameters.get("idp_identifier")
        if "identity_provider" in self.parameters.values or identifier is None:
            return self.parameters.get("identity_provider")
        found = find_by_identifier(self.providers, identifier)
        return "" if found is None else found.name

    @property
    def provider(self) -> IdentityProvider | None:
        """The provider besides the pool itself that the request names; None where users cannot sign in by it."""
        return self.find_provider(self.named)

    def find_provider(self, name: str | None) -> IdentityProvider | None:
        """Return one of the providers by its name."""
        return next((provider for provider in self.providers if provider.name == name), None)


def find_client(request: Authorization) -> None:
    """The client is one of this pool and has somebody to sign in."""
    client_id = request.parameters.get("client_id")
    if client_id is None:
        raise _page("Required String parameter 'client_id' is not present")
    if "client_id" in request.parameters.repeated:
        raise _page("invalid_request")
    if request.app is None:
        raise _page("Client does not exist.")
    if not request.app.settings.supported_identity_providers:
        raise _page("unauthorized_client", client_id)
    request.client = request.app


def find_redirect_uri(request: Authorization) -> None:
    """The redirect URI is registered."""
    uri = request.parameters.get("redirect_uri") or find_default_redirect(request.client)
    if uri is None:
        raise _page("Required String parameter 'redirect_uri' is not present")
    if "redirect_uri" in request.parameters.repeated or not is_registered(uri, callback_urls(request.client)):
        raise _page("redirect_mismatch", request.client.id)
    request.redirect_uri = uri


def check_unique(request: Authorization) -> None:
    """No parameter occurs twice (RFC 6749 §3.1)."""
    if not request.parameters.repeated.isdisjoint(_UNIQUE):
        raise OAuthError("invalid_request")


def find_response_type(request: Authorization) -> None:
    """The response type is known, and enabled for the client."""
    request.response_type = get_response_type(request.client, request.parameters.get("response_type"))


def check_pkce(request: Authorization) -> None:
    """The challenge comes with its method."""
    check_challenge(request.parameters.get("code_challenge"), request.parameters.get("code_challenge_method"))


def find_scopes(request: Authorization) -> None:
    """The scopes are the client's."""
    request.scopes = granted_scopes(request.client, request.servers, request.parameters.get("scope"))


def check_resource_binding(request: Authorization) -> None:
    """The resource is a URL that tokens can be bound to."""
    check_resource(request.parameters.get("resource"))


def find_prompts(request: Authorization) -> None:
    """``prompt`` makes sense; the classic pages do not know it."""
    request.prompts = get_prompts(request.parameters.get("prompt")) if request.managed else frozenset()


def find_max_age(request: Authorization) -> None:
    """``max_age`` is a number."""
    request.max_age = get_max_age(request.parameters.get("max_age"))


def find_targets(request: Authorization) -> None:
    """``acr_values`` names levels; what is none, classic pages and the Lite plan are passed over (spec/http/02 §2.1.1)."""
    asked = request.parameters.get("acr_values") or ""
    heard = request.managed and tier_of(request.pool.settings) is not LITE
    request.targets = acr.find_levels(request.pool, asked) if heard else ()


# Every check, once and in order (spec/http/02 §2.1.2).
BEFORE_TRUST: tuple[Callable[[Authorization], None], ...] = (
    find_client,
    find_redirect_uri,
)
# Here the redirect URI is known to be the client's: above this line errors are pages, below they are redirects to it.
AFTER_TRUST: tuple[Callable[[Authorization], None], ...] = (
    check_unique,
    find_response_type,
    check_pkce,
    find_scopes,
    check_resource_binding,
    find_prompts,
    find_max_age,
    find_targets,
)


async def check_authorization(call: Call, pool: Pool, query: str, *, managed: bool) -> Authorization:
    """Return the authorization request in a query string, checked; raises AuthorizationRefused."""
    try:
        parameters = parse_parameters(query)
    except MalformedParameters:
        raise _page("invalid_request") from None
    app, servers, providers = await call.store.read(lambda tx: _load(tx, pool, parameters))
    request = Authorization(pool, managed, query, parameters, app, servers, providers)
    for check in BEFORE_TRUST:
        check(request)
    try:
        for check in AFTER_TRUST:
            check(request)
    except OAuthError as error:
        raise refuse(request, error.error, error.description) from None
    return request


def _load(
    tx: Tx, pool: Pool, parameters: Parameters
) -> tuple[Client | None, tuple[ResourceServerType, ...], Providers]:
    found = tx.catalogue.find_app(parameters.get("client_id") or "")
    if found is None or found[0].id != pool.id:
        return None, (), ()
    providers = listed_providers(found[1], tx.catalogue.identity_providers(pool.id))
    return found[1], tx.catalogue.resource_servers(pool.id), providers


def _page(error: str, client_id: str | None = None) -> AuthorizationRefused:
    suffix = "" if client_id is None else f"&client_id={quote(client_id, safe='')}"
    return AuthorizationRefused(error, f"/error?error={quote(error, safe='')}{suffix}")


def refuse(request: Authorization, error: str, description: str | None = None) -> AuthorizationRefused:
    """Return the refusal that tells the application; the caller raises it (spec/http/02 §2.1.5)."""
    state = request.parameters.get("state")
    pairs = [("error", error), ("state", state)]
    if description is not None:
        pairs = [("error_description", description), ("state", state), ("error", error)]
    return AuthorizationRefused(error, callback_url(request, pairs))


def callback_url(request: Authorization, pairs: list[tuple[str, str | None]]) -> str:
    """Return the redirect URI with an answer: in the fragment for the implicit flow, else in the query."""
    answer = urlencode([(name, value) for name, value in pairs if value is not None])
    uri = request.redirect_uri
    if request.parameters.get("response_type") == ResponseType.TOKEN:
        return f"{uri}#{answer}"
    return f"{uri}{'&' if '?' in uri else '?'}{answer}"
