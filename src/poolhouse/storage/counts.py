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


class Generations:
    """The generation of each pool as one transaction sees it."""

    def __init__(self, connection: Connection, *, writing: bool) -> None:
        self._sql, self._writing = connection, writing
        self._seen: dict[str, int | None] = {}

    def begin(self) -> None:
        """Forget what the transaction before saw."""
        self._seen.clear()

    def find(self, pool_id: str) -> int | None:
        """Return the generation of a pool, None where there never was such a pool."""
        if pool_id in self._seen:
            return self._seen[pool_id]
        row = self._sql.row("SELECT generation FROM generations WHERE pool_id = :pool_id", pool_id=pool_id)
        generation = None if row is None else int(row[0])
        self.note(pool_id, generation)
        return generation

    def note(self, pool_id: str, generation: int | None) -> None:
        """Remember the generation that came with a row of the pool, so that nobody need ask for it."""
        if not self._writing:  # there it may change under our own hands
            self._seen[pool_id] = generation
