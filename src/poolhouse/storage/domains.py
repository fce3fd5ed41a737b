"""The domains of pools."""

from poolhouse.core.domain import Domain
from poolhouse.model import DomainDescriptionType
from poolhouse.storage import counts
from poolhouse.storage.documents import Column
from poolhouse.storage.engine import Connection, refuse

_DESCRIPTION = Column("domains", "description", DomainDescriptionType)


class Domains:
    """The domains of all pools: a name belongs to one pool of the installation."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, name: str) -> Domain | None:
        """Return a domain, past the catalogue's cache."""
        row = self._sql.row("SELECT pool_id, custom, description FROM domains WHERE name = :name", name=name)
        if row is None:
            return None
        pool_id, custom, description = row
        return Domain(
            name=name, pool_id=pool_id, custom=bool(custom), description=_DESCRIPTION.decode(description, name)
        )

    def insert(self, domain: Domain) -> None:
        """Store a new domain; raises AlreadyExists "domain"."""
        added = self._sql.run(
            "INSERT INTO domains (name, pool_id, custom, description)"
            " VALUES (:name, :pool_id, :custom, :description) ON CONFLICT DO NOTHING",
            name=domain.name,
            pool_id=domain.pool_id,
            custom=int(domain.custom),
            description=_DESCRIPTION.encode(domain.description),
        )
        if not added:
            raise refuse(self._sql, "domain")
        counts.next_generation(self._sql, domain.pool_id)

    def save(self, domain: Domain) -> bool:
        """Store a changed description; False where the domain is gone."""
        saved = self._sql.run(
            "UPDATE domains SET description = :description WHERE name = :name AND pool_id = :pool_id",
            name=domain.name,
            pool_id=domain.pool_id,
            description=_DESCRIPTION.encode(domain.description),
        )
        counts.next_generation(self._sql, domain.pool_id)
        return bool(saved)

    def delete(self, name: str) -> bool:
        """Delete a domain; False where there is none."""
        row = self._sql.row("DELETE FROM domains WHERE name = :name RETURNING pool_id", name=name)
        if row is None:
            return False
        counts.next_generation(self._sql, row[0])
        return True
