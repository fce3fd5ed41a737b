"""An access token for a client itself (RFC 6749 §4.4)."""

import msgspec

from poolhouse.core.grants import OAuthError, is_machine, machine_scopes
from poolhouse.flows.tokens import Tokens, client_credentials
from poolhouse.oauth.grants.grant import Asked, Grant

_METADATA = msgspec.json.Decoder(dict[str, str])


async def authorise(asked: Asked) -> Tokens:
    """Return an access token with the scopes asked for, or with all custom scopes of the client.

    Raises OAuthError. ``resource`` is not looked at: these tokens are bound to none (spec/http/04 §4.9).
    """
    check_metadata(asked.form.get("aws_client_metadata"))
    pool_id = asked.pool.id
    servers = await asked.call.store.read(lambda tx: tx.catalogue.resource_servers(pool_id))
    scopes = machine_scopes(asked.client, servers, asked.form.get("scope"))
    return await client_credentials(asked.call, asked.pool, asked.client, scopes)


def check_metadata(text: str | None) -> None:
    """Check that ``aws_client_metadata`` is a JSON object of strings (spec/http/02 §2.2.2); raises OAuthError."""
    try:
        _METADATA.decode(text or "{}")
    except msgspec.DecodeError:
        raise OAuthError("invalid_request") from None


GRANT = Grant(is_open_to=is_machine, authorise=authorise)
