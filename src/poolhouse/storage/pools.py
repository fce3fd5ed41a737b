"""User pools."""

from msgspec.structs import replace

from poolhouse.core.pool import Pool
from poolhouse.core.replica import Replica
from poolhouse.core.replica_rules import regional
from poolhouse.model import (
    ConcurrentModificationException,
    GetUserPoolMfaConfigResponse,
    GetUserPoolSessionConfigurationResponse,
    UserPoolType,
)
from poolhouse.storage import counts, doomed
from poolhouse.storage.documents import Column
from poolhouse.storage.engine import Connection, Row, refuse
from poolhouse.storage.replicas import Replicas
from poolhouse.storage.user_import_files import drop_all_of_pool

_SETTINGS = Column("pools", "settings", UserPoolType)
_MFA = Column("pools", "mfa", GetUserPoolMfaConfigResponse)
_TRACKING = Column("pools", "sessions", GetUserPoolSessionConfigurationResponse)
# Tables of a few rows for each pool, which go with it, and what is counted for each pool.
_TABLES = (
    *("clients", "domains", "resource_servers", "branding", "classic_styles", "terms", "signing_keys"),
    *("identity_providers", "identity_provider_identifiers", "replicas", "risk_configurations", "log_deliveries"),
    "user_import_jobs",
)
_COUNTED = ("users", "clients", "resource_servers", "groups", "identity_providers", "user_import_jobs")


class Pools:
    """The pools of the installation."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection
        self._replicas = Replicas(connection)

    def find(self, pool_id: str) -> Pool | None:
        """Return a pool, past the catalogue's cache."""
        row = self._sql.row(
            "SELECT id, builtin, revision, device_group_key, settings, mfa, sessions FROM pools WHERE id = :id",
            id=pool_id,
        )
        return None if row is None else _pool(row, self._replicas.of_pool(pool_id))

    def insert(self, pool: Pool, now: int) -> None:
        """Store a new pool; raises AlreadyExists "pool"."""
        doomed.finish(self._sql, "pool", pool.id)
        added = self._sql.run(
            "INSERT INTO pools (id, region, builtin, revision, device_group_key, settings, mfa, sessions) VALUES"
            " (:id, :region, :builtin, :revision, :device_group_key, :settings, :mfa, :sessions)"
            " ON CONFLICT DO NOTHING",
            region=pool.region,
            revision=pool.revision,
            **_values(pool),
        )
        if not added:
            raise refuse(self._sql, "pool")
        counts.start_generations(self._sql, pool.id, now)
        if not pool.builtin:
            counts.add(self._sql, f"pools:{pool.region}", 1)

    def save(self, pool: Pool) -> Pool:
        """Store a changed pool; return it with its new revision.

        Of a pool that is looked at through a replica, only the settings of that replica are stored.
        Raises ConcurrentModificationException where somebody else changed or deleted it since it was read.
        """
        if pool.seat is not None:
            self._replicas.save(pool.id, replace(pool.seat, settings=regional(pool.settings)))
            return pool
        saved = self._sql.run(
            "UPDATE pools SET builtin = :builtin, revision = revision + 1, device_group_key = :device_group_key,"
            " settings = :settings, mfa = :mfa, sessions = :sessions WHERE id = :id AND revision = :revision",
            revision=pool.revision,
            **_values(pool),
        )
        if not saved:
            raise ConcurrentModificationException("The user pool was changed by another request. Please retry.")
        counts.next_generation(self._sql, pool.id)
        return replace(pool, revision=pool.revision + 1)

    def delete(self, pool_id: str) -> bool:
        """Delete a pool with all that belongs to it; False where there is none.

        A first thousand users go now, the others with later sweeps.
        """
        row = self._sql.row("DELETE FROM pools WHERE id = :id RETURNING region, builtin", id=pool_id)
        if row is None:
            return False
        region, builtin = row
        for table in _TABLES:
            self._sql.run(f"DELETE FROM {table} WHERE pool_id = :pool_id", pool_id=pool_id)  # noqa: S608 - our names
        counts.drop(self._sql, *(f"{what}:{pool_id}" for what in _COUNTED))
        if not builtin:
            counts.add(self._sql, f"pools:{region}", -1)
        counts.next_generation(self._sql, pool_id)
        drop_all_of_pool(self._sql, pool_id)
        doomed.doom(self._sql, "pool", pool_id)
        return True

    def page(self, *, region: str, after: str | None, limit: int) -> list[Pool]:
        """Return the pools of a Region, and those with a replica there, by id; the built-in pool is left out.

        Each is as it is seen in that Region.
        """
        asked = {"region": region, "after": after or "", "limit": limit}
        rows = self._sql.rows(
            "SELECT id, builtin, revision, device_group_key, settings, mfa, sessions FROM pools"
            " WHERE region = :region AND builtin = 0 AND id > :after ORDER BY id LIMIT :limit",
            **asked,
        )
        pools = [_pool(row, self._replicas.of_pool(row[0])) for row in rows]
        replicated = self._sql.rows(
            "SELECT pool_id FROM replicas WHERE region = :region AND pool_id > :after ORDER BY pool_id LIMIT :limit",
            **asked,
        )
        elsewhere = (self.find(pool_id) for (pool_id,) in replicated)
        pools += [seen for pool in elsewhere if pool is not None and (seen := pool.seen_in(region)) is not None]
        return sorted(pools, key=lambda pool: pool.id)[:limit]

    def every(self, *, after: str | None, limit: int) -> list[Pool]:
        """Return the pools of all Regions by id, those after an id; the built-in pool is left out."""
        rows = self._sql.rows(
            "SELECT id, builtin, revision, device_group_key, settings, mfa, sessions FROM pools"
            " WHERE id > :after AND builtin = 0 ORDER BY id LIMIT :limit",
            after=after or "",
            limit=limit,
        )
        return [_pool(row, self._replicas.of_pool(row[0])) for row in rows]

    def count(self, region: str) -> int:
        """Return how many pools a Region has, the built-in one left out."""
        return counts.total(self._sql, f"pools:{region}")

    def user_count(self, pool_id: str) -> int:
        """Return how many users a pool has."""
        return counts.total(self._sql, f"users:{pool_id}")


def _values(pool: Pool) -> dict[str, object]:
    return {
        "id": pool.id,
        "builtin": int(pool.builtin),
        "device_group_key": pool.device_group_key,
        "settings": _SETTINGS.encode(pool.settings),
        "mfa": _MFA.encode(pool.mfa),
        "sessions": None if pool.tracking is None else _TRACKING.encode(pool.tracking),
    }


def _pool(row: Row, replicas: tuple[Replica, ...]) -> Pool:
    id, builtin, revision, device_group_key, settings, mfa, sessions = row
    return Pool(
        id=id,
        settings=_SETTINGS.decode(settings, id),
        mfa=_MFA.decode(mfa, id),
        device_group_key=device_group_key,
        builtin=bool(builtin),
        revision=revision,
        replicas=replicas,
        tracking=None if sessions is None else _TRACKING.decode(sessions, id),
    )
