"""Terms documents."""

from poolhouse.model import TermsType
from poolhouse.storage import counts
from poolhouse.storage.documents import Column
from poolhouse.storage.engine import Connection, refuse

_DOCUMENT = Column("terms", "document", TermsType)


class Terms:
    """The terms documents of all pools, in the API's own shape; a client has one of a name at most."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, pool_id: str, id: str) -> TermsType | None:
        """Return the document with an id."""
        row = self._sql.row("SELECT document FROM terms WHERE pool_id = :pool_id AND id = :id", pool_id=pool_id, id=id)
        return None if row is None else _DOCUMENT.decode(row[0], id)

    def of_client(self, client_id: str) -> dict[str, TermsType]:
        """Return the documents of a client by name."""
        rows = self._sql.rows("SELECT name, id, document FROM terms WHERE client_id = :client_id", client_id=client_id)
        return {name: _DOCUMENT.decode(document, id) for name, id, document in rows}

    def insert(self, terms: TermsType) -> None:
        """Store a new document; raises AlreadyExists "terms"."""
        added = self._sql.run(
            "INSERT INTO terms (pool_id, id, client_id, name, document)"
            " VALUES (:pool_id, :id, :client_id, :name, :document) ON CONFLICT DO NOTHING",
            client_id=terms.client_id,
            **_values(terms),
        )
        if not added:
            raise refuse(self._sql, "terms")
        counts.next_generation(self._sql, terms.user_pool_id)

    def save(self, terms: TermsType) -> bool:
        """Store a changed document; False where it is gone. Its name must not be another one's of the client."""
        saved = self._sql.run(
            "UPDATE terms SET name = :name, document = :document WHERE pool_id = :pool_id AND id = :id",
            **_values(terms),
        )
        counts.next_generation(self._sql, terms.user_pool_id)
        return bool(saved)

    def delete(self, pool_id: str, id: str) -> bool:
        """Delete a document; False where there is none."""
        deleted = self._sql.run("DELETE FROM terms WHERE pool_id = :pool_id AND id = :id", pool_id=pool_id, id=id)
        if deleted:
            counts.next_generation(self._sql, pool_id)
        return bool(deleted)

    def page(self, pool_id: str, *, after: str | None, limit: int) -> list[TermsType]:
        """Return a pool's documents by id, those after an id."""
        rows = self._sql.rows(
            "SELECT id, document FROM terms WHERE pool_id = :pool_id AND id > :after ORDER BY id LIMIT :limit",
            pool_id=pool_id,
            after=after or "",
            limit=limit,
        )
        return [_DOCUMENT.decode(document, id) for id, document in rows]


def _values(terms: TermsType) -> dict[str, object]:
    return {
        "pool_id": terms.user_pool_id,
        "id": terms.terms_id,
        "name": terms.terms_name,
        "document": _DOCUMENT.encode(terms),
    }
