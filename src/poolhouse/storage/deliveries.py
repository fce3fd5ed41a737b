"""What waits to be delivered: sealed, and each row leased by the process that is at it."""

from msgspec import Struct

from poolhouse.storage.engine import Connection


class Lease(Struct, frozen=True):
    """A delivery that this process is to make: ``attempts`` counts this one."""

    id: int
    attempts: int
    sealed: bytes


class Deliveries:
    """The queue of the whole installation."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def add(self, sealed: bytes, due_at: int) -> None:
        """Leave a delivery that nobody makes before ``due_at``."""
        self._sql.run(
            "INSERT INTO deliveries (due_at, attempts, sealed) VALUES (:due_at, 0, :sealed)",
            due_at=due_at,
            sealed=sealed,
        )

    def next_due(self) -> int | None:
        """Return when the next delivery is due; None where none waits."""
        row = self._sql.row("SELECT MIN(due_at) FROM deliveries")
        return None if row is None else row[0]

    def lease(self, *, now: int, until: int, limit: int) -> list[Lease]:
        """Return deliveries that are due, longest due first; nobody else gets them before ``until``."""
        rows = self._sql.rows(
            "UPDATE deliveries SET due_at = :until, attempts = attempts + 1 WHERE id IN (SELECT id FROM deliveries"
            " WHERE due_at <= :now ORDER BY due_at, id LIMIT :limit) RETURNING id, attempts, sealed",
            now=now,
            until=until,
            limit=limit,
        )
        return [Lease(id, attempts, bytes(sealed)) for id, attempts, sealed in sorted(rows)]

    def put_off(self, lease: Lease, due_at: int) -> None:
        """End a lease: the delivery is to be tried again. Nothing happens where the lease ran out and another began."""
        self._sql.run(
            "UPDATE deliveries SET due_at = :due_at WHERE id = :id AND attempts = :attempts",
            id=lease.id,
            attempts=lease.attempts,
            due_at=due_at,
        )

    def delete(self, lease: Lease) -> None:
        """Forget a delivery that was made, or is given up."""
        self._sql.run("DELETE FROM deliveries WHERE id = :id", id=lease.id)
