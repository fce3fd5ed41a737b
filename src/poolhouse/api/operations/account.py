"""Tags of user pools (spec/api/02 §10)."""

from collections.abc import Callable

from msgspec.structs import replace

from poolhouse.api.registry import operation
from poolhouse.core.names import find_pool_id
from poolhouse.core.pool import Pool
from poolhouse.core.tags import find_tag_fault
from poolhouse.flows.calls import AdminCall
from poolhouse.model import (
    InvalidParameterException,
    ListTagsForResourceRequest,
    ListTagsForResourceResponse,
    ResourceNotFoundException,
    TagResourceRequest,
    TagResourceResponse,
    UntagResourceRequest,
    UntagResourceResponse,
)
from poolhouse.storage import Tx

Tags = dict[str, str]


@operation
async def tag_resource(call: AdminCall, request: TagResourceRequest) -> TagResourceResponse:
    """Add tags to a user pool, or change them."""
    await _change(call, request.resource_arn, lambda tags: tags | request.tags)
    return TagResourceResponse()


@operation
async def untag_resource(call: AdminCall, request: UntagResourceRequest) -> UntagResourceResponse:
    """Remove tags from a user pool; keys that it does not have are ignored."""
    gone = frozenset(request.tag_keys)
    await _change(
        call, request.resource_arn, lambda tags: {key: value for key, value in tags.items() if key not in gone}
    )
    return UntagResourceResponse()


@operation
async def list_tags_for_resource(call: AdminCall, request: ListTagsForResourceRequest) -> ListTagsForResourceResponse:
    """Return the tags of a user pool."""
    pool = await call.store.read(lambda tx: _tagged(call, tx, request.resource_arn))
    return ListTagsForResourceResponse(tags=pool.settings.user_pool_tags or {})


async def _change(call: AdminCall, arn: str, change: Callable[[Tags], Tags]) -> None:
    def commit(tx: Tx) -> None:
        pool = _tagged(call, tx, arn)
        tags = change(pool.settings.user_pool_tags or {})
        fault = find_tag_fault(tags)
        if fault is not None:
            raise InvalidParameterException(fault)
        tx.pools.save(replace(pool, settings=replace(pool.settings, user_pool_tags=tags)))

    await call.store.write(commit)


def _tagged(call: AdminCall, tx: Tx, arn: str) -> Pool:
    """Return the pool that an ARN names; raises InvalidParameterException or ResourceNotFoundException."""
    pool_id = find_pool_id(arn)
    if pool_id is None:
        raise InvalidParameterException(f"{arn} is not the ARN of a user pool.")
    pool = call.pool(tx, pool_id)
    if pool.settings.arn != arn:
        raise ResourceNotFoundException(f"User pool {pool_id} does not exist.")
    return pool
