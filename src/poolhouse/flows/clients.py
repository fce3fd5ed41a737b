"""Proof that a caller is the app client it names: client secrets and SECRET_HASH."""

import hmac
from base64 import b64encode

from poolhouse.core.client import Client, ClientSecret
from poolhouse.core.client_secrets import secret_id
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import Call, Deps
from poolhouse.model import NotAuthorizedException, ResourceNotFoundException
from poolhouse.storage import Tx


def get_app(call: Call, tx: Tx, client_id: str) -> tuple[Pool, Client]:
    """Return an app client and its pool as the node's Region has it.

    Raises ResourceNotFoundException, and OperationNotEnabledException for what replicas do not offer.
    """
    found = tx.catalogue.find_app(client_id)
    if found is None:
        raise ResourceNotFoundException(f"User pool client {client_id} does not exist.")
    pool, client = found
    return call.here(pool), client


def seal_secret(deps: Deps, client_id: str, value: str, now: int) -> ClientSecret:
    """Return a client secret as it is stored. ``now`` is in milliseconds."""
    sealed = deps.sealer.seal("client-secret", value.encode(), client_id.encode())
    return ClientSecret(id=secret_id(client_id, now), sealed=sealed, created_at=now)


def secret_of(deps: Deps, client: Client) -> str | None:
    """Return the client's oldest active secret, the one that Describe shows; None for a public client."""
    secrets = open_secrets(deps, client)
    return secrets[0][1] if secrets else None


def is_secret(deps: Deps, client: Client, given: str) -> bool:
    """Tell whether ``given`` is one of the client's active secrets. All of them are compared, in constant time."""
    presented = given.encode()
    matches = [hmac.compare_digest(secret.encode(), presented) for secret in _values(deps, client)]
    return any(matches)


def is_proved(deps: Deps, client: Client, given: str | None) -> bool:
    """Tell whether a client that has a secret gave it, and one that has none did not."""
    return not client.secrets if given is None else is_secret(deps, client, given)


def secret_hash(secret: str, username: str, client_id: str) -> str:
    """Return the SECRET_HASH of a user name as the client sends it (spec/api/03 §3)."""
    return b64encode(hmac.digest(secret.encode(), (username + client_id).encode(), "sha256")).decode()


def check_secret_hash(deps: Deps, client: Client, username: str, given: str | None) -> None:
    """Check the SECRET_HASH of a request against all active secrets of the client.

    Raises NotAuthorizedException where it is missing, wrong, or sent for a client without a secret (spec/api/03 §3).
    """
    secrets = _values(deps, client)
    if given is None and not secrets:
        return
    if given is None:
        raise NotAuthorizedException(f"Client {client.id} is configured with secret but SECRET_HASH was not received")
    presented = given.encode()
    matches = [hmac.compare_digest(secret_hash(secret, username, client.id).encode(), presented) for secret in secrets]
    if not any(matches):
        raise NotAuthorizedException(f"Unable to verify secret hash for client {client.id}")


def open_secrets(deps: Deps, client: Client) -> list[tuple[ClientSecret, str]]:
    """Return the client's active secrets with their values, oldest first."""
    ordered = sorted(client.secrets, key=lambda secret: secret.created_at)
    context = client.id.encode()
    return [(each, deps.sealer.open_often("client-secret", each.sealed, context).decode()) for each in ordered]


def _values(deps: Deps, client: Client) -> list[str]:
    return [value for _, value in open_secrets(deps, client)]
