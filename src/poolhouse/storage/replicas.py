"""Replicas of pools. They are loaded with their pool, so whoever changes one raises the pool's generation."""

from poolhouse.core.replica import Regional, Replica, RiskSender
from poolhouse.model import ConcurrentModificationException, ReplicaStatusType
from poolhouse.storage import counts
from poolhouse.storage.documents import Column
from poolhouse.storage.engine import Connection, Row, refuse

_SETTINGS = Column("replicas", "settings", Regional)
_SENDERS = Column("replicas", "risk_senders", dict[str, RiskSender])
# What background work has to end, and how.
_CREATING, _DELETING = ReplicaStatusType.CREATING.value, ReplicaStatusType.DELETING.value


class Replicas:
    """The secondary replicas of all pools."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def of_pool(self, pool_id: str) -> tuple[Replica, ...]:
        """Return a pool's replicas by Region."""
        rows = self._sql.rows(
            "SELECT pool_id, region, status, settings, risk_senders FROM replicas WHERE pool_id = :pool_id ORDER BY region",
            pool_id=pool_id,
        )
        return tuple(_replica(row) for row in rows)

    def insert(self, pool_id: str, replica: Replica) -> None:
        """Store a new replica; raises AlreadyExists "replica"."""
        added = self._sql.run(
            "INSERT INTO replicas (pool_id, region, status, settings, risk_senders)"
            " VALUES (:pool_id, :region, :status, :settings, :risk_senders) ON CONFLICT DO NOTHING",
            **_values(pool_id, replica),
        )
        if not added:
            raise refuse(self._sql, "replica")
        counts.add(self._sql, f"pools:{replica.region}", 1)
        counts.next_generation(self._sql, pool_id)

    def save(self, pool_id: str, replica: Replica) -> None:
        """Store a changed replica; raises ConcurrentModificationException where it is gone."""
        saved = self._sql.run(
            "UPDATE replicas SET status = :status, settings = :settings, risk_senders = :risk_senders"
            " WHERE pool_id = :pool_id AND region = :region",
            **_values(pool_id, replica),
        )
        if not saved:
            raise ConcurrentModificationException("The replica was changed by another request. Please retry.")
        counts.next_generation(self._sql, pool_id)

    def unfinished(self, limit: int) -> list[tuple[str, str, str]]:
        """Return pool, Region and status of replicas that are being made or deleted."""
        rows: list[tuple[str, str, str]] = []
        for status in (_CREATING, _DELETING):
            rows += self._sql.rows(
                "SELECT pool_id, region, status FROM replicas WHERE status = :status"
                " ORDER BY pool_id, region LIMIT :limit",
                status=status,
                limit=limit,
            )
        return rows

    def finish(self, limit: int) -> int:
        """End the making and the deleting of replicas; return how many."""
        unfinished = self.unfinished(limit)
        for pool_id, region, status in unfinished:
            if status == _CREATING:
                self._sql.run(
                    "UPDATE replicas SET status = :status WHERE pool_id = :pool_id AND region = :region",
                    status=ReplicaStatusType.INACTIVE.value,
                    pool_id=pool_id,
                    region=region,
                )
            else:
                self._sql.run(
                    "DELETE FROM replicas WHERE pool_id = :pool_id AND region = :region", pool_id=pool_id, region=region
                )
                counts.add(self._sql, f"pools:{region}", -1)
            counts.next_generation(self._sql, pool_id)
        return len(unfinished)


def _values(pool_id: str, replica: Replica) -> dict[str, object]:
    return {
        "pool_id": pool_id,
        "region": replica.region,
        "status": replica.status.value,
        "settings": _SETTINGS.encode(replica.settings),
        "risk_senders": _SENDERS.encode(replica.risk_senders),
    }


def _replica(row: Row) -> Replica:
    pool_id, region, status, settings, senders = row
    return Replica(
        region=region,
        status=ReplicaStatusType(status),
        settings=_SETTINGS.decode(settings, (pool_id, region)),
        risk_senders=_SENDERS.decode(senders, (pool_id, region)),
    )
