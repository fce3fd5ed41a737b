"""What every process looks after once a second, by one small read: the limits in force, and replicas on their way."""

from poolhouse.flows.calls import Deps
from poolhouse.storage import Tx

# Replicas brought on by one write.
_REPLICAS = 100


async def look_after(deps: Deps) -> None:
    """Take over the limits that operators set, and end the making and deleting of replicas; raises StorageError."""

    def load(tx: Tx) -> tuple[dict[tuple[str, str], int], bool]:
        return tx.rates.limits(), bool(tx.replicas.unfinished(1))

    limits, unfinished = await deps.store.read(load)
    deps.rates.take_over(limits)
    if unfinished:
        await deps.store.write(lambda tx: tx.replicas.finish(_REPLICAS))
