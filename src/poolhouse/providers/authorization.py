"""The request that a browser takes to a provider (RFC 6749 §4.1.1, spec/http/06 §6.3)."""

from collections.abc import Mapping

from msgspec import Struct

from poolhouse.model import IdentityProviderTypeType as Kind
from poolhouse.providers.http import with_query

# The types whose answer holds an ID token; the others tell who signed in at their address of attributes only.
WITH_ID_TOKEN = frozenset({Kind.OIDC, Kind.Google, Kind.SignInWithApple})


class Request(Struct, frozen=True, kw_only=True):
    """What is asked at one sign-in. ``acr_values`` are in the provider's words; each goes to the types that know it."""

    redirect_uri: str
    state: str
    nonce: str | None
    login_hint: str | None
    prompt: str | None
    acr_values: str | None


def request_url(kind: Kind, details: Mapping[str, str], address: str, request: Request) -> str:
    """Return a request as a URL, its parameters in Cognito's order."""
    parameters: dict[str, str | None] = {
        "client_id": details["client_id"],
        "redirect_uri": request.redirect_uri,
        "scope": details["authorize_scopes"],
        "response_type": "code",
        "state": request.state,
    }
    if kind is Kind.OIDC:
        parameters["login_hint"] = request.login_hint
    parameters["prompt"] = " ".join(prompt for prompt in (request.prompt or "").split() if prompt != "none")
    if kind is Kind.OIDC:
        parameters["acr_values"] = request.acr_values
    if kind in WITH_ID_TOKEN:
        parameters["nonce"] = request.nonce
    if kind is Kind.SignInWithApple and {"name", "email"} & set(details["authorize_scopes"].split()):
        parameters["response_mode"] = "form_post"  # Apple insists
    return with_query(address, {name: value for name, value in parameters.items() if value})
