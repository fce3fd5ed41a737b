"""Signing keys of pools, their stock, and access keys of the JSON API."""

from poolhouse.core.access_key import AccessKey
from poolhouse.core.signing_key import SigningKey
from poolhouse.storage import counts
from poolhouse.storage.documents import Column, encode
from poolhouse.storage.engine import Connection, Row, refuse

_PUBLIC = Column("signing_keys", "public", dict[str, str])


class SigningKeys:
    """The keys that sign tokens, private parts sealed; making one is slow, so a few wait in stock."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def insert(self, key: SigningKey) -> None:
        """Store a key; raises AlreadyExists "signing_key"."""
        added = self._sql.run(
            "INSERT INTO signing_keys (kid, pool_id, use, state, created_at, sealed, public, certificate) VALUES"
            " (:kid, :pool_id, :use, :state, :created_at, :sealed, :public, :certificate) ON CONFLICT DO NOTHING",
            kid=key.kid,
            pool_id=key.pool_id,
            use=key.use,
            state=key.state,
            created_at=key.created_at,
            sealed=key.sealed,
            public=encode(key.public),
            certificate=key.certificate,
        )
        if not added:
            raise refuse(self._sql, "signing_key")
        if key.pool_id is not None:
            counts.next_generation(self._sql, key.pool_id)

    def add_stock(self, key: SigningKey) -> None:
        """Put a key that belongs to no pool yet into stock."""
        self.insert(key)

    def stock_count(self) -> int:
        """Return how many keys are in stock."""
        row = self._sql.row("SELECT COUNT(*) FROM signing_keys WHERE state = :state", state="stock")
        return 0 if row is None else int(row[0])

    def claim(self, pool_id: str, use: str) -> SigningKey | None:
        """Give the oldest key in stock to a pool, for ``use``; None where the stock is empty."""
        row = self._sql.row(
            "UPDATE signing_keys SET pool_id = :pool_id, use = :use, state = :active WHERE kid ="
            " (SELECT kid FROM signing_keys WHERE state = :stock ORDER BY created_at, kid LIMIT 1)"
            " AND state = :stock RETURNING kid, pool_id, use, state, created_at, sealed, public, certificate",
            pool_id=pool_id,
            use=use,
            active="active",
            stock="stock",
        )
        if row is None:
            return None
        counts.next_generation(self._sql, pool_id)
        return _signing_key(row)

    def of_pool(self, pool_id: str) -> list[SigningKey]:
        """Return a pool's keys, oldest first, past the catalogue's cache."""
        rows = self._sql.rows(
            "SELECT kid, pool_id, use, state, created_at, sealed, public, certificate FROM signing_keys"
            " WHERE pool_id = :pool_id ORDER BY created_at, kid",
            pool_id=pool_id,
        )
        return [_signing_key(row) for row in rows]


def _signing_key(row: Row) -> SigningKey:
    kid, pool_id, use, state, created_at, sealed, public, certificate = row
    return SigningKey(
        kid=kid,
        pool_id=pool_id,
        use=use,
        state=state,
        sealed=sealed,
        public=_PUBLIC.decode(public, kid),
        certificate=certificate,
        created_at=created_at,
    )


class AccessKeys:
    """The keys that requests of the JSON API are signed with; there are few."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, id: str) -> AccessKey | None:
        """Return a key."""
        row = self._sql.row(
            "SELECT id, name, sealed_secret, created_at, enabled FROM access_keys WHERE id = :id", id=id
        )
        return None if row is None else _access_key(row)

    def insert(self, key: AccessKey) -> None:
        """Store a key; raises AlreadyExists "access_key"."""
        added = self._sql.run(
            "INSERT INTO access_keys (id, name, sealed_secret, created_at, enabled)"
            " VALUES (:id, :name, :sealed_secret, :created_at, :enabled) ON CONFLICT DO NOTHING",
            id=key.id,
            name=key.name,
            sealed_secret=key.sealed_secret,
            created_at=key.created_at,
            enabled=int(key.enabled),
        )
        if not added:
            raise refuse(self._sql, "access_key")

    def list(self) -> list[AccessKey]:
        """Return all keys by id."""
        rows = self._sql.rows("SELECT id, name, sealed_secret, created_at, enabled FROM access_keys ORDER BY id")
        return [_access_key(row) for row in rows]

    def delete(self, id: str) -> bool:
        """Delete a key; False where there is none."""
        return bool(self._sql.run("DELETE FROM access_keys WHERE id = :id", id=id))


def _access_key(row: Row) -> AccessKey:
    id, name, sealed_secret, created_at, enabled = row
    return AccessKey(id=id, name=name, sealed_secret=sealed_secret, created_at=created_at, enabled=bool(enabled))
