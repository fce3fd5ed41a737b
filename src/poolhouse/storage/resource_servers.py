"""Resource servers and their scopes."""

from poolhouse.model import ResourceServerType
from poolhouse.storage import counts
from poolhouse.storage.documents import Column
from poolhouse.storage.engine import Connection, refuse

_DOCUMENT = Column("resource_servers", "document", ResourceServerType)


class ResourceServers:
    """The resource servers of all pools, in the API's own shape."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, pool_id: str, identifier: str) -> ResourceServerType | None:
        """Return a resource server, past the catalogue's cache."""
        row = self._sql.row(
            "SELECT document FROM resource_servers WHERE pool_id = :pool_id AND identifier = :identifier",
            pool_id=pool_id,
            identifier=identifier,
        )
        return None if row is None else _DOCUMENT.decode(row[0], (pool_id, identifier))

    def insert(self, server: ResourceServerType) -> None:
        """Store a new resource server; raises AlreadyExists "resource_server"."""
        pool_id, identifier = _key(server)
        added = self._sql.run(
            "INSERT INTO resource_servers (pool_id, identifier, document)"
            " VALUES (:pool_id, :identifier, :document) ON CONFLICT DO NOTHING",
            pool_id=pool_id,
            identifier=identifier,
            document=_DOCUMENT.encode(server),
        )
        if not added:
            raise refuse(self._sql, "resource_server")
        counts.add(self._sql, f"resource_servers:{pool_id}", 1)
        counts.next_generation(self._sql, pool_id)

    def save(self, server: ResourceServerType) -> bool:
        """Store a changed resource server; False where it is gone."""
        pool_id, identifier = _key(server)
        saved = self._sql.run(
            "UPDATE resource_servers SET document = :document WHERE pool_id = :pool_id AND identifier = :identifier",
            pool_id=pool_id,
            identifier=identifier,
            document=_DOCUMENT.encode(server),
        )
        counts.next_generation(self._sql, pool_id)
        return bool(saved)

    def delete(self, pool_id: str, identifier: str) -> bool:
        """Delete a resource server; False where there is none."""
        deleted = self._sql.run(
            "DELETE FROM resource_servers WHERE pool_id = :pool_id AND identifier = :identifier",
            pool_id=pool_id,
            identifier=identifier,
        )
        if deleted:
            counts.add(self._sql, f"resource_servers:{pool_id}", -1)
            counts.next_generation(self._sql, pool_id)
        return bool(deleted)

    def page(self, pool_id: str, after: str | None, limit: int) -> list[ResourceServerType]:
        """Return a pool's resource servers by identifier, those after an identifier."""
        rows = self._sql.rows(
            "SELECT identifier, document FROM resource_servers"
            " WHERE pool_id = :pool_id AND identifier > :after ORDER BY identifier LIMIT :limit",
            pool_id=pool_id,
            after=after or "",
            limit=limit,
        )
        return [_DOCUMENT.decode(document, (pool_id, identifier)) for identifier, document in rows]

    def count(self, pool_id: str) -> int:
        """Return how many resource servers a pool has."""
        return counts.total(self._sql, f"resource_servers:{pool_id}")


def _key(server: ResourceServerType) -> tuple[str, str]:
    assert server.user_pool_id is not None
    assert server.identifier is not None
    return server.user_pool_id, server.identifier
