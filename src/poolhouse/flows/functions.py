"""The functions that the installation's pools name."""

from msgspec import Struct

from poolhouse.core.pool import Pool
from poolhouse.core.trigger_events import MEMBERS, find_function
from poolhouse.flows.calls import Deps

# Pools read at a time.
PAGE = 100


class Configured(Struct, frozen=True, kw_only=True):
    """A function of a pool, as it is in one of the pool's Regions."""

    pool_id: str
    region: str
    trigger: str
    arn: str


async def list_configured(deps: Deps) -> list[Configured]:
    """Return the functions of all pools, and of their replicas, by pool and Region."""
    found: list[Configured] = []
    after: str | None = None
    while pools := await deps.store.read(lambda tx, after=after: tx.pools.every(after=after, limit=PAGE)):  # type: ignore[misc]
        for pool in pools:
            regions = [pool.region, *(replica.region for replica in pool.replicas)]
            found += [named for region in regions for named in _of_pool(pool.seen_in(region))]
        after = pools[-1].id
    return found


def _of_pool(pool: Pool | None) -> list[Configured]:
    if pool is None:
        return []
    named = ((trigger, find_function(pool.settings.lambda_config, trigger)) for trigger in MEMBERS)
    return [
        Configured(pool_id=pool.id, region=pool.seat_region, trigger=trigger, arn=arn) for trigger, arn in named if arn
    ]
