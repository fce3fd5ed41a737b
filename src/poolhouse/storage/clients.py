"""App clients."""

from msgspec.structs import replace

from poolhouse.core.client import Client, ClientSecret
from poolhouse.model import ConcurrentModificationException, ExplicitAuthFlowsType, UserPoolClientType
from poolhouse.storage import counts, doomed
from poolhouse.storage.documents import Column, encode
from poolhouse.storage.engine import Connection, Row, refuse

_SETTINGS = Column("clients", "settings", UserPoolClientType)
_SECRETS = Column("clients", "secrets", tuple[ClientSecret, ...])

# The flows in which a password may be proved by SRP (spec/api/04 §7): custom sign-in may begin with it.
SRP_FLOWS = frozenset(
    {
        ExplicitAuthFlowsType.ALLOW_USER_SRP_AUTH,
        ExplicitAuthFlowsType.ALLOW_USER_AUTH,
        ExplicitAuthFlowsType.ALLOW_CUSTOM_AUTH,
    }
)


class Clients:
    """The app clients of all pools."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, client_id: str) -> Client | None:
        """Return a client, past the catalogue's cache."""
        row = self._sql.row(
            "SELECT id, pool_id, revision, sso_minutes, settings, secrets FROM clients WHERE id = :id", id=client_id
        )
        return None if row is None else _client(row)

    def insert(self, client: Client) -> None:
        """Store a new client; raises AlreadyExists "client"."""
        doomed.finish(self._sql, "client", client.id)
        added = self._sql.run(
            "INSERT INTO clients (id, pool_id, revision, srp, sso_minutes, settings, secrets) VALUES"
            " (:id, :pool_id, :revision, :srp, :sso_minutes, :settings, :secrets) ON CONFLICT DO NOTHING",
            **_values(client),
        )
        if not added:
            raise refuse(self._sql, "client")
        counts.add(self._sql, f"clients:{client.pool_id}", 1)
        counts.next_generation(self._sql, client.pool_id)

    def save(self, client: Client) -> Client:
        """Store a changed client; return it with its new revision.

        Raises ConcurrentModificationException where somebody else changed or deleted it since it was read.
        """
        saved = self._sql.run(
            "UPDATE clients SET revision = revision + 1, srp = :srp, sso_minutes = :sso_minutes, settings = :settings,"
            " secrets = :secrets WHERE id = :id AND pool_id = :pool_id AND revision = :revision",
            **_values(client),
        )
        if not saved:
            raise ConcurrentModificationException("The app client was changed by another request. Please retry.")
        counts.next_generation(self._sql, client.pool_id)
        return replace(client, revision=client.revision + 1)

    def delete(self, pool_id: str, client_id: str) -> bool:
        """Delete a client with its sessions, styles, terms and risk configuration; False where there is none."""
        deleted = self._sql.run(
            "DELETE FROM clients WHERE id = :id AND pool_id = :pool_id", id=client_id, pool_id=pool_id
        )
        if not deleted:
            return False
        self._sql.run("DELETE FROM branding WHERE client_id = :client_id", client_id=client_id)
        self._sql.run("DELETE FROM terms WHERE client_id = :client_id", client_id=client_id)
        self._sql.run(
            "DELETE FROM classic_styles WHERE pool_id = :pool_id AND client_id = :client_id",
            pool_id=pool_id,
            client_id=client_id,
        )
        self._sql.run(
            "DELETE FROM risk_configurations WHERE pool_id = :pool_id AND client_id = :client_id",
            pool_id=pool_id,
            client_id=client_id,
        )
        counts.add(self._sql, f"clients:{pool_id}", -1)
        counts.next_generation(self._sql, pool_id)
        doomed.doom(self._sql, "client", client_id)
        return True

    def page(self, pool_id: str, *, after: str | None, limit: int) -> list[Client]:
        """Return a pool's clients by id, those after an id."""
        rows = self._sql.rows(
            "SELECT id, pool_id, revision, sso_minutes, settings, secrets FROM clients"
            " WHERE pool_id = :pool_id AND id > :after ORDER BY id LIMIT :limit",
            pool_id=pool_id,
            after=after or "",
            limit=limit,
        )
        return [_client(row) for row in rows]

    def count(self, pool_id: str) -> int:
        """Return how many clients a pool has."""
        return counts.total(self._sql, f"clients:{pool_id}")

    def is_srp_allowed(self, pool_id: str) -> bool:
        """Say if some client of the pool takes SRP, past the catalogue's cache."""
        sql = "SELECT 1 FROM clients WHERE pool_id = :pool_id AND srp = 1 LIMIT 1"
        return self._sql.row(sql, pool_id=pool_id) is not None

    def longest_sso_minutes(self, pool_id: str) -> int:
        """Return for how long some client of the pool is content with a sign-in, past the catalogue's cache."""
        row = self._sql.row("SELECT MAX(sso_minutes) FROM clients WHERE pool_id = :pool_id", pool_id=pool_id)
        return 0 if row is None or row[0] is None else int(row[0])


def _values(client: Client) -> dict[str, object]:
    return {
        "id": client.id,
        "pool_id": client.pool_id,
        "revision": client.revision,
        "srp": int(not client.flows.isdisjoint(SRP_FLOWS)),
        "sso_minutes": client.sso_minutes,
        "settings": _SETTINGS.encode(client.settings),
        "secrets": encode(client.secrets),
    }


def _client(row: Row) -> Client:
    id, pool_id, revision, sso_minutes, settings, secrets = row
    return Client(
        id=id,
        pool_id=pool_id,
        settings=_SETTINGS.decode(settings, id),
        secrets=_SECRETS.decode(secrets, id),
        revision=revision,
        sso_minutes=sso_minutes,
    )
