"""What the triggers around federated sign-ins are told, and what they answer (spec/api/06 §3, §11)."""

from collections.abc import Mapping
from typing import Any

from poolhouse.core.federation import Assertion, text_of
from poolhouse.core.trigger_events import UNRECOGNIZABLE
from poolhouse.model import InvalidLambdaResponseException

INBOUND = "InboundFederation_ExternalProvider"
PRE_SIGN_UP = "PreSignUp_ExternalProvider"


def inbound(provider_name: str, provider_type: str, assertion: Assertion) -> dict[str, Any]:
    """Return the request before anything is made of what a provider says: each of its claims as a text."""
    if assertion.saml_response:
        said = {"samlResponse": _texts(assertion.saml_response)}
    else:
        said = {
            "tokenResponse": _texts(assertion.token_response),
            "idToken": _texts(assertion.id_token),
            "userInfo": _texts(assertion.user_info),
        }
    return {"providerName": provider_name, "providerType": provider_type, "attributes": said}


def read_claims(reply: Mapping[str, Any] | None, claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the claims that count: those of the reply, which replace all, or the provider's where it has none.

    Raises InvalidLambdaResponseException.
    """
    replaced = (reply or {}).get("userAttributesToMap")
    if not replaced:
        return claims
    if not isinstance(replaced, dict):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE)
    return replaced


def pre_sign_up(attributes: Mapping[str, str]) -> dict[str, Any]:
    """Return the request before a user is made of what a provider says, with the aliases that such a user has not."""
    aliases = {"cognito:email_alias": "", "cognito:phone_number_alias": ""}
    return {"userAttributes": {**aliases, **attributes}, "validationData": {}}


def _texts(claims: Mapping[str, Any]) -> dict[str, str]:
    return {name: text_of(claim) for name, claim in claims.items() if claim is not None}
