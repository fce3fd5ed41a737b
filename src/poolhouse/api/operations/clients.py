"""App clients (spec/api/02 §5)."""

from msgspec.structs import replace

from poolhouse.api.registry import operation
from poolhouse.core.client import Client
from poolhouse.core.client_settings import MAX_CLIENTS, Surroundings, new_client, updated_client
from poolhouse.core.names import SECRET_BYTES, new_client_id, secret_text
from poolhouse.core.paging import binding, cut
from poolhouse.flows.calls import AdminCall, Deps
from poolhouse.flows.clients import seal_secret, secret_of
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.model import (
    ClientTypeType,
    CreateUserPoolClientRequest,
    CreateUserPoolClientResponse,
    DeleteUserPoolClientRequest,
    DescribeUserPoolClientRequest,
    DescribeUserPoolClientResponse,
    LimitExceededException,
    ListUserPoolClientsRequest,
    ListUserPoolClientsResponse,
    UpdateUserPoolClientRequest,
    UpdateUserPoolClientResponse,
    UserPoolClientDescription,
    UserPoolClientType,
)
from poolhouse.storage import Tx

PAGE = 60


@operation
async def create_user_pool_client(
    call: AdminCall, request: CreateUserPoolClientRequest
) -> CreateUserPoolClientResponse:
    """Make an app client.

    Differs from Cognito: nobody can sign in by another provider of SupportedIdentityProviders than COGNITO in this
    version; AnalyticsConfiguration is kept without effect.
    """
    deps = call.deps
    client_id = new_client_id(deps.random.text)
    value = secret_text(deps.random.bytes(SECRET_BYTES)) if request.generate_secret else request.client_secret
    secrets = () if value is None else (seal_secret(deps, client_id, value, call.now),)

    def commit(tx: Tx) -> Client:
        around = _surroundings(call, tx, request.user_pool_id)
        if tx.clients.count(around.pool.id) >= MAX_CLIENTS:
            raise LimitExceededException(f"A user pool can have at most {MAX_CLIENTS} app clients.")
        client = replace(new_client(request, around, client_id=client_id, now=call.now), secrets=secrets)
        tx.clients.insert(client)
        return client

    client = await call.store.write(commit)
    return CreateUserPoolClientResponse(user_pool_client=_described(deps, client))


@operation
async def describe_user_pool_client(
    call: AdminCall, request: DescribeUserPoolClientRequest
) -> DescribeUserPoolClientResponse:
    """Return the settings of an app client, its secret included."""
    client = await call.store.read(lambda tx: call.client(tx, request.user_pool_id, request.client_id))
    return DescribeUserPoolClientResponse(user_pool_client=_described(call.deps, client))


@operation
async def update_user_pool_client(
    call: AdminCall, request: UpdateUserPoolClientRequest
) -> UpdateUserPoolClientResponse:
    """Replace the settings of an app client: what the request leaves out goes back to its default.

    Differs from Cognito: as CreateUserPoolClient.
    """

    def commit(tx: Tx) -> Client:
        around = _surroundings(call, tx, request.user_pool_id)
        current = call.client(tx, request.user_pool_id, request.client_id)
        client = updated_client(current, request, around, call.now)
        tx.clients.save(client)
        return client

    client = await call.store.write(commit)
    return UpdateUserPoolClientResponse(user_pool_client=_described(call.deps, client))


@operation
async def delete_user_pool_client(call: AdminCall, request: DeleteUserPoolClientRequest) -> None:
    """Delete an app client; its sessions end."""

    def commit(tx: Tx) -> None:
        client = call.client(tx, request.user_pool_id, request.client_id)
        tx.clients.delete(client.pool_id, client.id)

    await call.store.write(commit)


@operation
async def list_user_pool_clients(call: AdminCall, request: ListUserPoolClientsRequest) -> ListUserPoolClientsResponse:
    """Return the app clients of a pool, by id. A page that ClientType thins out may be short."""
    bound = binding("ListUserPoolClients", request.user_pool_id, request.client_type)
    place = open_place(call, bound, request.next_token)
    limit = request.max_results or PAGE

    def load(tx: Tx) -> list[Client]:
        pool = call.pool(tx, request.user_pool_id)
        return tx.clients.page(pool.id, after=place[0] if place else None, limit=limit + 1)

    page, after = cut(await call.store.read(load), limit, lambda client: client.id)
    wanted = [client for client in page if request.client_type in {None, _type(client)}]
    return ListUserPoolClientsResponse(
        user_pool_clients=[
            UserPoolClientDescription(
                client_id=client.id, client_name=client.settings.client_name, user_pool_id=client.pool_id
            )
            for client in wanted
        ],
        next_token=seal_place(call, bound, after) if after else None,
    )


def _type(client: Client) -> ClientTypeType:
    return client.settings.client_type or ClientTypeType.REGULAR


def _surroundings(call: AdminCall, tx: Tx, pool_id: str) -> Surroundings:
    pool = call.pool(tx, pool_id)
    return Surroundings(
        pool=pool,
        resource_servers=tx.catalogue.resource_servers(pool.id),
        providers=tx.identity_providers.names(pool.id),
    )


def _described(deps: Deps, client: Client) -> UserPoolClientType:
    return replace(client.settings, client_secret=secret_of(deps, client))
