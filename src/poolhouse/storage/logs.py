"""Logs that pools deliver: where to, and the records on their way."""

from typing import Any

from poolhouse.core.log_delivery import KEPT
from poolhouse.model import LogDeliveryConfigurationType
from poolhouse.storage import counts
from poolhouse.storage.documents import Column, encode
from poolhouse.storage.engine import Connection

_DOCUMENT = Column("log_deliveries", "document", LogDeliveryConfigurationType)


class LogDeliveries:
    """What each pool delivers."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, pool_id: str) -> LogDeliveryConfigurationType | None:
        """Return what a pool delivers, past the catalogue's cache."""
        row = self._sql.row("SELECT document FROM log_deliveries WHERE pool_id = :pool_id", pool_id=pool_id)
        return None if row is None else _DOCUMENT.decode(row[0], pool_id)

    def put(self, configuration: LogDeliveryConfigurationType) -> None:
        """Store what a pool delivers from now on; nothing leaves no row."""
        if configuration.log_configurations:
            self._sql.run(
                "INSERT INTO log_deliveries (pool_id, document) VALUES (:pool_id, :document)"
                " ON CONFLICT (pool_id) DO UPDATE SET document = excluded.document",
                pool_id=configuration.user_pool_id,
                document=_DOCUMENT.encode(configuration),
            )
        else:
            self._sql.run("DELETE FROM log_deliveries WHERE pool_id = :pool_id", pool_id=configuration.user_pool_id)
        counts.next_generation(self._sql, configuration.user_pool_id)


class LogRecords:
    """Records that wait to be delivered: one is deleted when it arrived, or when it waited for too long."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def add(self, destination: str, record: dict[str, Any], now: int) -> None:
        """Leave a record for a destination."""
        self._sql.run(
            "INSERT INTO log_records (destination, due_at, expires_at, document)"
            " VALUES (:destination, :now, :expires_at, :document)",
            destination=destination,
            now=now,
            expires_at=now + KEPT,
            document=encode(record),
        )

    def due(self, now: int, limit: int, after: str | None = "") -> list[str]:
        """Return destinations that something is due for, by name, those after a name.

        Each costs two looks, whatever waits for it.
        """
        found: list[str] = []
        while len(found) < limit:
            row = self._sql.row("SELECT MIN(destination) FROM log_records WHERE destination > :after", after=after)
            after = row[0] if row else None
            if after is None:
                break
            sql = "SELECT 1 FROM log_records WHERE destination = :destination AND due_at <= :now LIMIT 1"
            if self._sql.row(sql, destination=after, now=now) is not None:
                found.append(after)
        return found

    def claim(self, destination: str, *, now: int, until: int, limit: int) -> list[tuple[int, str]]:
        """Return records that are due, oldest first, as numbers and JSON; nobody else gets them before ``until``."""
        rows = self._sql.rows(
            "UPDATE log_records SET due_at = :until WHERE id IN (SELECT id FROM log_records"
            " WHERE destination = :destination AND due_at <= :now ORDER BY due_at, id LIMIT :limit)"
            " RETURNING id, document",
            destination=destination,
            now=now,
            until=until,
            limit=limit,
        )
        return sorted((id, document) for id, document in rows)

    def put_off(self, ids: list[int], until: int) -> None:
        """Let records wait."""
        sql = "UPDATE log_records SET due_at = :until WHERE id = :id"
        self._sql.run_many(sql, [{"id": id, "until": until} for id in ids])

    def delete(self, ids: list[int]) -> None:
        """Forget records that arrived."""
        self._sql.run_many("DELETE FROM log_records WHERE id = :id", [{"id": id} for id in ids])
