"""Risk configurations of pools and clients."""

from poolhouse.model import RiskConfigurationType
from poolhouse.storage import counts
from poolhouse.storage.documents import Column
from poolhouse.storage.engine import Connection, Row

_DOCUMENT = Column("risk_configurations", "document", RiskConfigurationType)
# Comes before every id of a client.
_WHOLE_POOL = ""


class RiskConfigurations:
    """One for each pool and client that has one; ``client_id`` None means the pool's own."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, pool_id: str, client_id: str | None) -> RiskConfigurationType | None:
        """Return what was set for exactly this pool or client."""
        row = self._sql.row(
            "SELECT document FROM risk_configurations WHERE pool_id = :pool_id AND client_id = :client_id",
            pool_id=pool_id,
            client_id=client_id or _WHOLE_POOL,
        )
        return _configuration(row, pool_id)

    def find_for(self, pool_id: str, client_id: str) -> RiskConfigurationType | None:
        """Return what holds for a client: its own configuration, or that of its pool."""
        row = self._sql.row(
            "SELECT document FROM risk_configurations WHERE pool_id = :pool_id"
            " AND client_id IN (:client_id, :whole_pool) ORDER BY client_id DESC LIMIT 1",
            pool_id=pool_id,
            client_id=client_id,
            whole_pool=_WHOLE_POOL,
        )
        return _configuration(row, pool_id)

    def put(self, pool_id: str, client_id: str | None, configuration: RiskConfigurationType) -> None:
        """Store a configuration in the place of an earlier one."""
        self._sql.run(
            "INSERT INTO risk_configurations (pool_id, client_id, document) VALUES (:pool_id, :client_id, :document)"
            " ON CONFLICT (pool_id, client_id) DO UPDATE SET document = excluded.document",
            pool_id=pool_id,
            client_id=client_id or _WHOLE_POOL,
            document=_DOCUMENT.encode(configuration),
        )
        counts.next_generation(self._sql, pool_id)

    def delete(self, pool_id: str, client_id: str | None) -> None:
        """Forget a configuration."""
        self._sql.run(
            "DELETE FROM risk_configurations WHERE pool_id = :pool_id AND client_id = :client_id",
            pool_id=pool_id,
            client_id=client_id or _WHOLE_POOL,
        )
        counts.next_generation(self._sql, pool_id)


def _configuration(row: Row | None, pool_id: str) -> RiskConfigurationType | None:
    return None if row is None else _DOCUMENT.decode(row[0], pool_id)
