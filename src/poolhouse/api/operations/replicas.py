"""Replicas of user pools in further Regions (spec/api/10 §3)."""

from collections.abc import Callable

from poolhouse.api.registry import operation
from poolhouse.core.paging import binding, cut
from poolhouse.core.replica import Replica
from poolhouse.core.replica_rules import describe, describe_all, doomed, get_replica, new_replica, switched
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.flows.pools import MAX_POOLS
from poolhouse.model import (
    CreateUserPoolReplicaRequest,
    CreateUserPoolReplicaResponse,
    DeleteUserPoolReplicaRequest,
    DeleteUserPoolReplicaResponse,
    LimitExceededException,
    ListUserPoolReplicasRequest,
    ListUserPoolReplicasResponse,
    UpdateUserPoolReplicaRequest,
    UpdateUserPoolReplicaResponse,
    UserPoolReplicaType,
)
from poolhouse.storage import Tx

PAGE = 60


@operation
async def create_user_pool_replica(
    call: AdminCall, request: CreateUserPoolReplicaRequest
) -> CreateUserPoolReplicaResponse:
    """Make a replica of a user pool in a further Region; within seconds it is INACTIVE.

    Differs from Cognito: primary and replicas are one pool in one database, so nothing is copied and nothing
    lags behind. A replica begins with the e-mail, text message and Lambda settings that the pool has at that time, and
    with tags of its own; a pool can have ten.
    """

    def commit(tx: Tx) -> UserPoolReplicaType:
        pool = call.pool(tx, request.user_pool_id)
        replica = new_replica(pool, request)
        if tx.pools.count(replica.region) >= MAX_POOLS:
            raise LimitExceededException(f"A Region can have at most {MAX_POOLS} user pools.")
        tx.replicas.insert(pool.id, replica)
        return describe(pool, replica)

    return CreateUserPoolReplicaResponse(user_pool_replica=await call.store.write(commit))


@operation
async def update_user_pool_replica(
    call: AdminCall, request: UpdateUserPoolReplicaRequest
) -> UpdateUserPoolReplicaResponse:
    """Open a replica to users, or close it to them; the primary and every replica may ask for this."""
    changed = await _change(call, request, lambda replica: switched(replica, request.status))
    return UpdateUserPoolReplicaResponse(user_pool_replica=changed)


@operation
async def delete_user_pool_replica(
    call: AdminCall, request: DeleteUserPoolReplicaRequest
) -> DeleteUserPoolReplicaResponse:
    """Delete an inactive replica; within seconds it is gone."""
    return DeleteUserPoolReplicaResponse(user_pool_replica=await _change(call, request, doomed))


@operation
async def list_user_pool_replicas(
    call: AdminCall, request: ListUserPoolReplicasRequest
) -> ListUserPoolReplicasResponse:
    """Return the replicas of a user pool: the primary, then the others by Region."""
    bound = binding("ListUserPoolReplicas", request.user_pool_id)
    place = open_place(call, bound, request.next_token)
    listed = describe_all(await call.store.read(lambda tx: call.pool(tx, request.user_pool_id)))
    if place is not None:
        listed = [replica for replica in listed[1:] if (replica.region_name or "") > place[0]]
    page, after = cut(listed, PAGE, lambda replica: replica.region_name or "")
    return ListUserPoolReplicasResponse(
        user_pool_replicas=page, next_token=seal_place(call, bound, after) if after else None
    )


async def _change(
    call: AdminCall,
    request: UpdateUserPoolReplicaRequest | DeleteUserPoolReplicaRequest,
    change: Callable[[Replica], Replica],
) -> UserPoolReplicaType:
    def commit(tx: Tx) -> UserPoolReplicaType:
        pool = call.pool(tx, request.user_pool_id)
        replica = change(get_replica(pool, request.region_name))
        tx.replicas.save(pool.id, replica)
        return describe(pool, replica)

    return await call.store.write(commit)
