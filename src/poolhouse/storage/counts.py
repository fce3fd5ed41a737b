"""Two small kinds of numbers: counters that are kept rather than counted, and the generation of a pool."""

from poolhouse.storage.engine import Connection


def add(connection: Connection, name: str, delta: int, shard: int = 0) -> None:
    """Add to a counter. Writers that name different shards do not wait for each other."""
    connection.run(
        "INSERT INTO counts (name, shard, value) VALUES (:name, :shard, :delta)"
        " ON CONFLICT (name, shard) DO UPDATE SET value = counts.value + excluded.value",
        name=name,
        shard=shard,
        delta=delta,
    )


def total(connection: Connection, name: str) -> int:
    """Return a counter's value."""
    return sum(value for (value,) in connection.rows("SELECT value FROM counts WHERE name = :name", name=name))


def drop(connection: Connection, *names: str) -> None:
    """Forget counters."""
    for name in names:
        connection.run("DELETE FROM counts WHERE name = :name", name=name)


def next_generation(connection: Connection, pool_id: str) -> None:
    """Tell every process's cache that the configuration of a pool has changed."""
    connection.run("UPDATE generations SET generation = generation + 1 WHERE pool_id = :pool_id", pool_id=pool_id)


def start_generations(connection: Connection, pool_id: str, now: int) -> None:
    """Begin a pool's generations. They outlive the pool: a cached predecessor of the same id must not pass for it."""
    connection.run(
        "INSERT INTO generations (pool_id, generation) VALUES (:pool_id, :now)"
        " ON CONFLICT (pool_id) DO UPDATE SET generation = generations.generation + 1",
        pool_id=pool_id,
        now=now,
    )


def find_generation(connection: Connection, pool_id: str) -> int | None:
    """Return the generation of a pool, None where there never was such a pool."""
    row = connection.row("SELECT generation FROM generations WHERE pool_id = :pool_id", pool_id=pool_id)
    return None if row is None else int(row[0])
