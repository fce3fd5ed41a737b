"""Passkeys: the public keys that users sign in with."""

from msgspec.structs import replace

from poolhouse.core.passkeys import Passkey
from poolhouse.core.user import User
from poolhouse.model import ConcurrentModificationException
from poolhouse.storage.documents import Column, encode
from poolhouse.storage.engine import Connection, refuse

_PASSKEY = Column("passkeys", "document", Passkey)


class Passkeys:
    """The passkeys of all users."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def add(self, user: User, passkey: Passkey) -> int:
        """Store a new passkey of a user; return how many the user has then.

        Raises AlreadyExists "passkey" where some user of the pool has it, and ConcurrentModificationException where
        the user is gone.
        """
        added = self._sql.run(
            "INSERT INTO passkeys (user_id, credential_id, pool_id, created_at, sign_count, document)"
            " VALUES (:user_id, :credential_id, :pool_id, :created_at, :sign_count, :document) ON CONFLICT DO NOTHING",
            user_id=user.id,
            credential_id=passkey.id,
            pool_id=user.pool_id,
            created_at=passkey.created_at,
            sign_count=passkey.sign_count,
            document=encode(passkey),
        )
        if not added:
            raise refuse(self._sql, "passkey")
        return self._count(user)

    def of_user(self, user: User) -> tuple[Passkey, ...]:
        """Return the passkeys of a user, the oldest first; costs nothing where there are none."""
        if not user.passkeys:
            return ()
        rows = self._sql.rows(
            "SELECT credential_id, sign_count, document FROM passkeys WHERE user_id = :user_id",
            user_id=user.id,
        )
        found = (replace(_PASSKEY.decode(document, id), sign_count=count) for id, count, document in rows)
        return tuple(sorted(found, key=lambda passkey: passkey.place))

    def find(self, user_id: int, id: str) -> Passkey | None:
        """Return a passkey of a user."""
        row = self._sql.row(
            "SELECT sign_count, document FROM passkeys WHERE user_id = :user_id AND credential_id = :id",
            user_id=user_id,
            id=id,
        )
        return None if row is None else replace(_PASSKEY.decode(row[1], id), sign_count=row[0])

    def note_use(self, user_id: int, id: str, sign_count: int) -> bool:
        """Store what the authenticator counted at a sign-in; False where it did not go up, or the passkey is gone.

        Authenticators that do not count say 0 each time.
        """
        used = self._sql.run(
            "UPDATE passkeys SET sign_count = :sign_count WHERE user_id = :user_id AND credential_id = :id"
            " AND (sign_count < :sign_count OR (sign_count = 0 AND :sign_count = 0))",
            user_id=user_id,
            id=id,
            sign_count=sign_count,
        )
        return bool(used)

    def delete(self, user: User, id: str) -> bool:
        """Delete a passkey of a user; False where there is none."""
        sql = "DELETE FROM passkeys WHERE user_id = :user_id AND credential_id = :id"
        if not self._sql.run(sql, user_id=user.id, id=id):
            return False
        self._count(user)
        return True

    def _count(self, user: User) -> int:
        """Bring the number at the user in line; who changes the same user's passkeys at the same time runs again."""
        row = self._sql.row(
            "UPDATE users SET passkeys = (SELECT COUNT(*) FROM passkeys WHERE user_id = :id) WHERE id = :id"
            " RETURNING passkeys",
            id=user.id,
        )
        if row is None:
            raise ConcurrentModificationException("The user was changed by another request. Please retry.")
        return int(row[0])
