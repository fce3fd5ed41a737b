"""An access token for a client itself (RFC 6749 §4.4)."""

from collections.abc import Callable

import msgspec

from poolhouse.core.grants import OAuthError, is_machine, machine_scopes
from poolhouse.core.parameters import Parameters
from poolhouse.core.rates import Category
from poolhouse.flows.calls import PublicCall
from poolhouse.flows.tokens import Tokens, client_credentials
from poolhouse.oauth.grants.grant import Asked, Grant
from poolhouse.storage import Tx

_METADATA = msgspec.json.Decoder(dict[str, str])


def load(call: PublicCall, form: Parameters) -> Callable[[Tx], None]:  # noqa: ARG001 - other grants look for something
    """Read nothing more than what every grant is given."""
    return lambda tx: None  # noqa: ARG005


async def authorise(asked: Asked[None]) -> Tokens:
    """Return an access token with the scopes asked for, or with all custom scopes of the client.

    Raises OAuthError. ``resource`` is not looked at: these tokens are bound to none (spec/http/04 §4.9).
    """
    metadata = get_metadata(asked.form.get("aws_client_metadata"))
    scopes = machine_scopes(asked.client, asked.servers, asked.form.get("scope"))
    return await client_credentials(
        asked.call, asked.pool, asked.client, scopes, keys=asked.keys, client_metadata=metadata
    )


def get_metadata(text: str | None) -> dict[str, str]:
    """Return ``aws_client_metadata``, a JSON object of strings (spec/http/02 §2.2.2); raises OAuthError."""
    try:
        return _METADATA.decode(text or "{}")
    except msgspec.DecodeError:
        raise OAuthError("invalid_request") from None


GRANT = Grant(category=Category.CLIENT_AUTHENTICATION, is_open_to=is_machine, load=load, authorise=authorise)
