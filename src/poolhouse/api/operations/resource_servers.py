"""Resource servers and their scopes (spec/api/02 §8)."""

from poolhouse.api.registry import operation
from poolhouse.core.paging import binding, cut
from poolhouse.core.resource_servers import MAX_SERVERS, resource_server
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.model import (
    CreateResourceServerRequest,
    CreateResourceServerResponse,
    DeleteResourceServerRequest,
    DescribeResourceServerRequest,
    DescribeResourceServerResponse,
    InvalidParameterException,
    LimitExceededException,
    ListResourceServersRequest,
    ListResourceServersResponse,
    ResourceNotFoundException,
    ResourceServerType,
    UpdateResourceServerRequest,
    UpdateResourceServerResponse,
)
from poolhouse.storage import Tx
from poolhouse.storage.errors import AlreadyExists

PAGE = 50


@operation
async def create_resource_server(call: AdminCall, request: CreateResourceServerRequest) -> CreateResourceServerResponse:
    """Add a resource server to a pool."""
    server = resource_server(request)

    def commit(tx: Tx) -> None:
        pool = call.pool(tx, request.user_pool_id)
        if tx.resource_servers.find(pool.id, request.identifier) is not None:
            raise AlreadyExists("resource_server")
        if tx.resource_servers.count(pool.id) >= MAX_SERVERS:
            raise LimitExceededException(f"A user pool can have at most {MAX_SERVERS} resource servers.")
        tx.resource_servers.insert(server)

    try:
        await call.store.write(commit)
    except AlreadyExists:
        raise InvalidParameterException(
            f"{request.identifier} already exists in user pool {request.user_pool_id}."
        ) from None
    return CreateResourceServerResponse(resource_server=server)


@operation
async def describe_resource_server(
    call: AdminCall, request: DescribeResourceServerRequest
) -> DescribeResourceServerResponse:
    """Return a resource server."""
    server = await call.store.read(lambda tx: _get(call, tx, request.user_pool_id, request.identifier))
    return DescribeResourceServerResponse(resource_server=server)


@operation
async def update_resource_server(call: AdminCall, request: UpdateResourceServerRequest) -> UpdateResourceServerResponse:
    """Replace the name and the scopes of a resource server. Clients may keep scopes that are gone."""
    server = resource_server(request)

    def commit(tx: Tx) -> None:
        _get(call, tx, request.user_pool_id, request.identifier)
        tx.resource_servers.save(server)

    await call.store.write(commit)
    return UpdateResourceServerResponse(resource_server=server)


@operation
async def delete_resource_server(call: AdminCall, request: DeleteResourceServerRequest) -> None:
    """Delete a resource server."""

    def commit(tx: Tx) -> None:
        _get(call, tx, request.user_pool_id, request.identifier)
        tx.resource_servers.delete(request.user_pool_id, request.identifier)

    await call.store.write(commit)


@operation
async def list_resource_servers(call: AdminCall, request: ListResourceServersRequest) -> ListResourceServersResponse:
    """Return the resource servers of a pool, by identifier."""
    bound = binding("ListResourceServers", request.user_pool_id)
    place = open_place(call, bound, request.next_token)
    limit = request.max_results or PAGE

    def load(tx: Tx) -> list[ResourceServerType]:
        pool = call.pool(tx, request.user_pool_id)
        return tx.resource_servers.page(pool.id, place[0] if place else None, limit + 1)

    page, after = cut(await call.store.read(load), limit, lambda server: server.identifier or "")
    return ListResourceServersResponse(
        resource_servers=page, next_token=seal_place(call, bound, after) if after else None
    )


def _get(call: AdminCall, tx: Tx, pool_id: str, identifier: str) -> ResourceServerType:
    pool = call.pool(tx, pool_id)
    server = tx.resource_servers.find(pool.id, identifier)
    if server is None:
        raise ResourceNotFoundException(f"Resource server {identifier} does not exist.")
    return server
