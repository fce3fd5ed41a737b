"""Going back to the seed, for test suites: what is in the database goes, and what the seed names is made anew."""

from poolhouse.core.signing_key import SigningKey
from poolhouse.flows.calls import Deps
from poolhouse.flows.seeds.application import Plan, apply
from poolhouse.flows.seeds.configuration import PoolItem
from poolhouse.flows.seeds.export import all_pools
from poolhouse.model import ResourceNotFoundException
from poolhouse.storage import Tx


async def reset(deps: Deps, plan: Plan, pool_id: str | None = None) -> None:
    """Delete all pools with the messages to their users, or one pool, and apply the seed to what is gone.

    The pools of the seed keep their signing keys: making new ones takes long, and whoever keeps their documents in
    mind need not fetch them again. Raises ResourceNotFoundException, SeedError.
    """
    part = plan if pool_id is None else plan.only(pool_id)
    for item, keys in await deps.store.write(lambda tx: _clear(tx, part, pool_id)):
        item.spare = keys
    await apply(deps, part)


def _clear(tx: Tx, part: Plan, pool_id: str | None) -> list[tuple[PoolItem, dict[str, SigningKey]]]:
    if pool_id is None:
        ids = [pool.id for pool in all_pools(tx)]
        tx.outbox.delete()
    else:
        pool = tx.pools.find(pool_id)
        if (pool is None and not part.pools) or (pool is not None and pool.builtin):
            raise ResourceNotFoundException(f"User pool {pool_id} does not exist.")
        ids = [] if pool is None else [pool.id]
    kept: list[tuple[PoolItem, dict[str, SigningKey]]] = [
        (item, {key.use: key for key in tx.signing_keys.of_pool(item.home.id) if key.state == "active"})
        for item in part.pools
        if item.home.id in ids
    ]
    for each in ids:
        tx.pools.delete(each)
    # A lock from before would meet a user of the same name.
    tx.attempts.clear()
    return kept
