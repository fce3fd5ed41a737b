"""The styles of the classic pages."""

from poolhouse.core.classic_style import ALL, ClassicStyle
from poolhouse.storage import counts
from poolhouse.storage.engine import Connection, Row

_COLUMNS = "pool_id, client_id, css, logo, created_at, modified_at"


class ClassicStyles:
    """The classic styles of all pools: one of each client at most, and one for the other clients of a pool."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, pool_id: str, client_id: str) -> ClassicStyle | None:
        """Return the style that was set for a client, or for ALL."""
        row = self._sql.row(
            f"SELECT {_COLUMNS} FROM classic_styles WHERE pool_id = :pool_id AND client_id = :client_id",  # noqa: S608
            pool_id=pool_id,
            client_id=client_id,
        )
        return None if row is None else _style(row)

    def find_for(self, pool_id: str, client_id: str) -> ClassicStyle | None:
        """Return the style that a client's pages have: its own, which replaces the pool's entirely."""
        return self.find(pool_id, client_id) or self.find(pool_id, ALL)

    def put(self, style: ClassicStyle) -> None:
        """Store a style in the place of the one that was there."""
        self._sql.run(
            "INSERT INTO classic_styles (pool_id, client_id, css, logo, created_at, modified_at)"
            " VALUES (:pool_id, :client_id, :css, :logo, :created_at, :modified_at)"
            " ON CONFLICT (pool_id, client_id) DO UPDATE SET css = excluded.css, logo = excluded.logo,"
            " created_at = excluded.created_at, modified_at = excluded.modified_at",
            pool_id=style.pool_id,
            client_id=style.client_id,
            css=style.css,
            logo=style.logo,
            created_at=style.created_at,
            modified_at=style.modified_at,
        )
        counts.next_generation(self._sql, style.pool_id)

    def delete(self, pool_id: str, client_id: str) -> bool:
        """Delete a style; False where there is none."""
        deleted = self._sql.run(
            "DELETE FROM classic_styles WHERE pool_id = :pool_id AND client_id = :client_id",
            pool_id=pool_id,
            client_id=client_id,
        )
        if deleted:
            counts.next_generation(self._sql, pool_id)
        return bool(deleted)


def _style(row: Row) -> ClassicStyle:
    pool_id, client_id, css, logo, created_at, modified_at = row
    return ClassicStyle(
        pool_id=pool_id,
        client_id=client_id,
        css=css,
        logo=None if logo is None else bytes(logo),
        created_at=created_at,
        modified_at=modified_at,
    )
