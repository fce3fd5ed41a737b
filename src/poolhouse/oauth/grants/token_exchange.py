"""A token for another (RFC 8693; spec/http/02 §2.2.4)."""

from collections.abc import Callable

from poolhouse.core.client import Client
from poolhouse.core.client_checks import TOKEN_EXCHANGE
from poolhouse.core.grants import OAuthError, split_scopes
from poolhouse.core.parameters import Parameters
from poolhouse.core.token_exchange import Exchange
from poolhouse.flows.calls import PublicCall
from poolhouse.flows.token_exchange import Derived, derive
from poolhouse.model import InvalidParameterException, IssuedTokenTypeIdentifierType, ResourceNotFoundException
from poolhouse.model import TokenTypeIdentifierType as TokenType
from poolhouse.oauth.grants.grant import Asked, Grant
from poolhouse.storage import Tx

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
_TYPE = "urn:ietf:params:oauth:token-type:"
_TYPES = {f"{_TYPE}{type.lower()}": type for type in TokenType}


def load(call: PublicCall, form: Parameters) -> Callable[[Tx], None]:  # noqa: ARG001 - other grants look for something
    """Read nothing yet: which tokens count is a question of the client's pool."""
    return lambda tx: None  # noqa: ARG005


async def authorise(asked: Asked[None]) -> Derived:
    """Return the new token.

    Raises OAuthError: invalid_request, invalid_scope, invalid_target (RFC 8693 §2.2.2), unauthorized_client; and the
    model's errors.
    """
    exchange = _exchange(asked.form)
    if exchange.flow not in asked.client.flows:
        raise OAuthError("unauthorized_client")
    try:
        return await derive(asked.call, asked.pool, asked.client, exchange)
    except InvalidParameterException:
        raise OAuthError("invalid_request") from None
    except ResourceNotFoundException:
        raise OAuthError("invalid_target") from None


def _exchange(form: Parameters) -> Exchange:
    scope, actor_type, wanted = (form.get(name) for name in ("scope", "actor_token_type", "requested_token_type"))
    return Exchange(
        subject_token=form.values["subject_token"],
        subject_type=_type(form.values["subject_token_type"]),
        actor_token=form.get("actor_token"),
        actor_type=None if actor_type is None else _type(actor_type),
        scopes=None if scope is None else split_scopes(scope),
        audience=form.get("audience"),
        resource=form.get("resource"),
        wanted=IssuedTokenTypeIdentifierType.ACCESS_TOKEN if wanted is None else _issued(_type(wanted)),
    )


def _type(name: str) -> TokenType:
    found = _TYPES.get(name)
    if found is None:
        raise OAuthError("invalid_request")
    return found


def _issued(type: TokenType) -> IssuedTokenTypeIdentifierType:
    if type is TokenType.SAML2:
        raise OAuthError("invalid_request")
    return IssuedTokenTypeIdentifierType(type.value)


def issued_type(type: IssuedTokenTypeIdentifierType) -> str:
    """Return the name of a token type as answers have it."""
    return f"{_TYPE}{type.lower()}"


def is_exchanging(client: Client) -> bool:
    """Tell whether a client may exchange tokens in either way."""
    return not client.flows.isdisjoint(TOKEN_EXCHANGE)


GRANT = Grant(
    required=("subject_token", "subject_token_type"), is_open_to=is_exchanging, load=load, authorise=authorise
)
