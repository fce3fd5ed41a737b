"""The devices of users."""

# ruff: noqa: S608 - the only thing put into SQL here is the list of columns

from poolhouse.core.devices import Device
from poolhouse.storage.engine import Connection, Row, refuse
from poolhouse.storage.users import hold

_COLUMNS = "user_id, key, name, remembered, salt, verifier, created_at, modified_at, authenticated_at, address"


class Devices:
    """The devices of all users, a bounded number of each."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, user_id: int, key: str) -> Device | None:
        """Return a device of a user."""
        sql = f"SELECT {_COLUMNS} FROM devices WHERE user_id = :user_id AND key = :key"
        row = self._sql.row(sql, user_id=user_id, key=key)
        return None if row is None else _device(row)

    def insert(self, device: Device, limit: int) -> None:
        """Store a new device; of more than ``limit`` that the user has then, those used longest ago go.

        Raises AlreadyExists "device"; ConcurrentModificationException where the user is gone.
        """
        hold(self._sql, device.user_id)
        added = self._sql.run(
            f"INSERT INTO devices ({_COLUMNS}) VALUES (:user_id, :key, :name, :remembered, :salt, :verifier,"
            " :created_at, :modified_at, :authenticated_at, :address) ON CONFLICT DO NOTHING",
            user_id=device.user_id,
            key=device.key,
            name=device.name,
            remembered=int(device.remembered),
            salt=device.salt,
            verifier=device.verifier,
            created_at=device.created_at,
            modified_at=device.modified_at,
            authenticated_at=device.authenticated_at,
            address=device.address,
        )
        if not added:
            raise refuse(self._sql, "device")
        rows = self._sql.rows("SELECT authenticated_at, key FROM devices WHERE user_id = :id", id=device.user_id)
        for _, key in sorted(row for row in rows if row[1] != device.key)[: max(0, len(rows) - limit)]:
            self.delete(device.user_id, key)

    def remember(self, user_id: int, key: str, *, remembered: bool, now: int) -> bool:
        """Set whether a device is remembered; False where there is no such device."""
        changed = self._sql.run(
            "UPDATE devices SET remembered = :remembered, modified_at = :now WHERE user_id = :user_id AND key = :key",
            user_id=user_id,
            key=key,
            remembered=int(remembered),
            now=now,
        )
        return bool(changed)

    def note_sign_in(self, user_id: int, key: str, *, address: str, now: int) -> bool:
        """Note that a device was signed in from; False where there is no such device."""
        changed = self._sql.run(
            "UPDATE devices SET authenticated_at = :now, address = :address WHERE user_id = :user_id AND key = :key",
            user_id=user_id,
            key=key,
            address=address,
            now=now,
        )
        return bool(changed)

    def delete(self, user_id: int, key: str) -> bool:
        """Forget a device; False where there is no such device."""
        return bool(
            self._sql.run("DELETE FROM devices WHERE user_id = :user_id AND key = :key", user_id=user_id, key=key)
        )

    def page(self, user_id: int, *, after: str | None, limit: int) -> list[Device]:
        """Return a user's devices by key, those after a key."""
        rows = self._sql.rows(
            f"SELECT {_COLUMNS} FROM devices WHERE user_id = :user_id AND key > :after ORDER BY key LIMIT :limit",
            user_id=user_id,
            after=after or "",
            limit=limit,
        )
        return [_device(row) for row in rows]


def _device(row: Row) -> Device:
    user_id, key, name, remembered, salt, verifier, created_at, modified_at, authenticated_at, address = row
    return Device(
        user_id=user_id,
        key=key,
        name=name,
        remembered=bool(remembered),
        salt=salt,
        verifier=None if verifier is None else bytes(verifier),
        created_at=created_at,
        modified_at=modified_at,
        authenticated_at=authenticated_at,
        address=address,
    )
