"""The secrets of a confidential client: two at most, so that one can be replaced while the other is in use.

Spec: api/10 §5, http/05 §5.4.
"""

from msgspec.structs import replace

from poolhouse.core.client import Client, ClientSecret
from poolhouse.model import (
    ClientSecretDescriptorType,
    ClientTypeType,
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
)

MAX_SECRETS = 2


def secret_id(client_id: str, created_at: int) -> str:
    """Return the ClientSecretId of a secret made at a time in milliseconds, of which it holds the seconds."""
    return f"{client_id}--{created_at // 1000}"


def with_secret(client: Client, secret: ClientSecret) -> Client:
    """Return the client with a new secret, the last of its secrets.

    An id tells seconds, so the later of two secrets made in one second gets the id of the next.
    Raises InvalidParameterException for a client that never had a secret, LimitExceededException for one with two.
    """
    if client.settings.client_type is ClientTypeType.DCR:
        raise InvalidParameterException("Client secrets of a dynamically registered client cannot be managed.")
    if not client.secrets:
        raise InvalidParameterException(f"Client {client.id} is not configured with a client secret.")
    if len(client.secrets) >= MAX_SECRETS:
        raise LimitExceededException(f"An app client can have at most {MAX_SECRETS} client secrets.")
    taken = {each.id for each in client.secrets}
    at = secret.created_at
    while secret_id(client.id, at) in taken:
        at += 1000
    return replace(client, secrets=(*client.secrets, replace(secret, id=secret_id(client.id, at))))


def without_secret(client: Client, id: str) -> Client:
    """Return the client without a secret; raises ResourceNotFoundException, InvalidParameterException for the last."""
    kept = tuple(secret for secret in client.secrets if secret.id != id)
    if len(kept) == len(client.secrets):
        raise ResourceNotFoundException(f"Client secret {id} does not exist.")
    if not kept:
        raise InvalidParameterException("The last client secret of an app client cannot be deleted.")
    return replace(client, secrets=kept)


def described_secret(secret: ClientSecret, value: str | None = None) -> ClientSecretDescriptorType:
    """Return what the API tells of a secret; ``value`` only where the server has just made it up."""
    return ClientSecretDescriptorType(
        client_secret_id=secret.id, client_secret_create_date=secret.created_at / 1000, client_secret_value=value
    )
