"""Managed-login branding styles."""

from poolhouse.model import ManagedLoginBrandingType
from poolhouse.storage import counts
from poolhouse.storage.documents import Column
from poolhouse.storage.engine import Connection, refuse

_DOCUMENT = Column("branding", "document", ManagedLoginBrandingType)


class Branding:
    """The branding styles of all pools, in the API's own shape; a client has one at most."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, pool_id: str, id: str) -> ManagedLoginBrandingType | None:
        """Return the style with an id."""
        row = self._sql.row(
            "SELECT document FROM branding WHERE pool_id = :pool_id AND id = :id", pool_id=pool_id, id=id
        )
        return None if row is None else _DOCUMENT.decode(row[0], id)

    def find_by_client(self, client_id: str) -> ManagedLoginBrandingType | None:
        """Return the style of a client."""
        row = self._sql.row("SELECT id, document FROM branding WHERE client_id = :client_id", client_id=client_id)
        return None if row is None else _DOCUMENT.decode(row[1], row[0])

    def insert(self, style: ManagedLoginBrandingType, client_id: str) -> None:
        """Store a client's style; raises AlreadyExists "branding"."""
        pool_id, id = _key(style)
        added = self._sql.run(
            "INSERT INTO branding (pool_id, id, client_id, document)"
            " VALUES (:pool_id, :id, :client_id, :document) ON CONFLICT DO NOTHING",
            pool_id=pool_id,
            id=id,
            client_id=client_id,
            document=_DOCUMENT.encode(style),
        )
        if not added:
            raise refuse(self._sql, "branding")
        counts.next_generation(self._sql, pool_id)

    def save(self, style: ManagedLoginBrandingType) -> bool:
        """Store a changed style; False where it is gone."""
        pool_id, id = _key(style)
        saved = self._sql.run(
            "UPDATE branding SET document = :document WHERE pool_id = :pool_id AND id = :id",
            pool_id=pool_id,
            id=id,
            document=_DOCUMENT.encode(style),
        )
        counts.next_generation(self._sql, pool_id)
        return bool(saved)

    def delete(self, pool_id: str, id: str) -> bool:
        """Delete a style; False where there is none."""
        deleted = self._sql.run("DELETE FROM branding WHERE pool_id = :pool_id AND id = :id", pool_id=pool_id, id=id)
        if deleted:
            counts.next_generation(self._sql, pool_id)
        return bool(deleted)

    def count(self, pool_id: str) -> int:
        """Return how many styles a pool has."""
        row = self._sql.row("SELECT COUNT(*) FROM branding WHERE pool_id = :pool_id", pool_id=pool_id)
        return 0 if row is None else int(row[0])


def _key(style: ManagedLoginBrandingType) -> tuple[str, str]:
    assert style.user_pool_id is not None
    assert style.managed_login_branding_id is not None
    return style.user_pool_id, style.managed_login_branding_id
