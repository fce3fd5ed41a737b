"""The secrets of app clients (spec/api/10 §5)."""

from poolhouse.api.registry import operation
from poolhouse.core.client import ClientSecret
from poolhouse.core.client_secrets import described_secret, with_secret, without_secret
from poolhouse.core.names import SECRET_BYTES, secret_text
from poolhouse.core.paging import binding
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.clients import seal_secret
from poolhouse.flows.paging import open_place
from poolhouse.model import (
    AddUserPoolClientSecretRequest,
    AddUserPoolClientSecretResponse,
    DeleteUserPoolClientSecretRequest,
    DeleteUserPoolClientSecretResponse,
    ListUserPoolClientSecretsRequest,
    ListUserPoolClientSecretsResponse,
)
from poolhouse.storage import Tx


@operation
async def add_user_pool_client_secret(
    call: AdminCall, request: AddUserPoolClientSecretRequest
) -> AddUserPoolClientSecretResponse:
    """Give a confidential client a second secret; both prove it everywhere. A value is told if it was made up here."""
    value = request.client_secret or secret_text(call.deps.random.bytes(SECRET_BYTES))
    secret = seal_secret(call.deps, request.client_id, value, call.now)

    def commit(tx: Tx) -> ClientSecret:
        client = with_secret(call.client(tx, request.user_pool_id, request.client_id), secret)
        tx.clients.save(client)
        return client.secrets[-1]

    added = await call.store.write(commit)
    told = value if request.client_secret is None else None
    return AddUserPoolClientSecretResponse(client_secret_descriptor=described_secret(added, told))


@operation
async def list_user_pool_client_secrets(
    call: AdminCall, request: ListUserPoolClientSecretsRequest
) -> ListUserPoolClientSecretsResponse:
    """Return when the secrets of an app client were made, oldest first, without their values. There is one page."""
    open_place(call, binding("ListUserPoolClientSecrets", request.client_id), request.next_token)
    client = await call.store.read(lambda tx: call.client(tx, request.user_pool_id, request.client_id))
    ordered = sorted(client.secrets, key=lambda secret: secret.created_at)
    return ListUserPoolClientSecretsResponse(client_secrets=[described_secret(secret) for secret in ordered])


@operation
async def delete_user_pool_client_secret(
    call: AdminCall, request: DeleteUserPoolClientSecretRequest
) -> DeleteUserPoolClientSecretResponse:
    """Delete a secret of an app client, which proves nothing from now on; the last one stays."""

    def commit(tx: Tx) -> None:
        client = call.client(tx, request.user_pool_id, request.client_id)
        tx.clients.save(without_secret(client, request.client_secret_id))

    await call.store.write(commit)
    return DeleteUserPoolClientSecretResponse()
