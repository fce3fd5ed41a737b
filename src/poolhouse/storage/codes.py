"""Confirmation codes, attempt counters and spent nonces: what makes a secret single-use across processes."""

from poolhouse.core.session import Attempts, ConfirmationCode
from poolhouse.storage.engine import Connection

# How far the clocks of nodes may be apart, in milliseconds: what one has swept, another must not take any more.
LEEWAY = 300_000


class ConfirmationCodes:
    """The codes that wait for users, one for each purpose."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def put(self, user_id: int, code: ConfirmationCode) -> None:
        """Store a code in the place of an earlier one with the same purpose."""
        self._sql.run(
            "INSERT INTO confirmation_codes (user_id, purpose, expires_at, digest, attribute, destination)"
            " VALUES (:user_id, :purpose, :expires_at, :digest, :attribute, :destination)"
            " ON CONFLICT (user_id, purpose) DO UPDATE SET expires_at = excluded.expires_at,"
            " digest = excluded.digest, attribute = excluded.attribute, destination = excluded.destination",
            user_id=user_id,
            purpose=code.purpose,
            expires_at=code.expires_at,
            digest=code.digest,
            attribute=code.attribute,
            destination=code.destination,
        )

    def find(self, user_id: int, purpose: str) -> ConfirmationCode | None:
        """Return the code for a purpose, expired or not."""
        row = self._sql.row(
            "SELECT digest, attribute, destination, expires_at FROM confirmation_codes"
            " WHERE user_id = :user_id AND purpose = :purpose",
            user_id=user_id,
            purpose=purpose,
        )
        if row is None:
            return None
        digest, attribute, destination, expires_at = row
        return ConfirmationCode(
            purpose=purpose, digest=digest, attribute=attribute, destination=destination, expires_at=expires_at
        )

    def delete(self, user_id: int, purpose: str) -> bool:
        """Delete the code for a purpose; False where there is none."""
        sql = "DELETE FROM confirmation_codes WHERE user_id = :user_id AND purpose = :purpose"
        return bool(self._sql.run(sql, user_id=user_id, purpose=purpose))


class AttemptCounters:
    """Counters behind limits and lock-outs, under keys that their users choose."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, key: str) -> Attempts | None:
        """Return a counter, expired or not."""
        row = self._sql.row("SELECT count, since, locked_until FROM attempts WHERE name = :name", name=key)
        return None if row is None else Attempts(count=row[0], since=row[1], locked_until=row[2])

    def find_both(self, first: str, second: str) -> tuple[Attempts | None, Attempts | None]:
        """Return two counters, expired or not."""
        rows = self._sql.rows(
            "SELECT name, count, since, locked_until FROM attempts WHERE name IN (:first, :second)",
            first=first,
            second=second,
        )
        found = {row[0]: Attempts(count=row[1], since=row[2], locked_until=row[3]) for row in rows}
        return found.get(first), found.get(second)

    def put(self, key: str, attempts: Attempts, expires_at: int) -> None:
        """Store a counter; the sweeper may forget it after ``expires_at``."""
        self._sql.run(
            "INSERT INTO attempts (name, expires_at, count, since, locked_until)"
            " VALUES (:name, :expires_at, :count, :since, :locked_until)"
            " ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at, count = excluded.count,"
            " since = excluded.since, locked_until = excluded.locked_until",
            name=key,
            expires_at=expires_at,
            count=attempts.count,
            since=attempts.since,
            locked_until=attempts.locked_until,
        )

    def delete(self, key: str) -> bool:
        """Forget a counter; False where there is none."""
        return bool(self._sql.run("DELETE FROM attempts WHERE name = :name", name=key))

    def clear(self) -> None:
        """Forget every counter of the installation."""
        self._sql.run("DELETE FROM attempts")


class Nonces:
    """What may be used once."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def is_spent(self, nonce: str) -> bool:
        """Tell whether a nonce was used up."""
        return self._sql.row("SELECT 1 FROM nonces WHERE nonce = :nonce", nonce=nonce) is not None

    def spend(self, nonce: str, expires_at: int) -> bool:
        """Use a nonce up; False where that was done before. It is remembered until ``expires_at`` and ``LEEWAY`` more."""
        sql = "INSERT INTO nonces (nonce, expires_at) VALUES (:nonce, :expires_at) ON CONFLICT DO NOTHING"
        return bool(self._sql.run(sql, nonce=nonce, expires_at=expires_at + LEEWAY))
