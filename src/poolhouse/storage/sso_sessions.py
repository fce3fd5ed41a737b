"""SSO sessions, which pools that track sessions have on record."""

from collections.abc import Mapping

from msgspec.structs import asdict

from poolhouse.core.session_tracking import Activity, SsoSession
from poolhouse.storage.engine import Connection


class SsoSessions:
    """The records that browsers' cookies refer to: one that is not stored any more is revoked."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def insert(self, session: SsoSession, activity: Activity) -> None:
        """Store a new session together with its first use."""
        self._sql.run(
            "INSERT INTO sso_sessions (id, user_id, client_id, created_at, expires_at, active_at, device, address)"
            " VALUES (:id, :user_id, :client_id, :created_at, :expires_at, :at, :device, :address)",
            **asdict(session),
            **asdict(activity),
        )

    def find(self, id: str) -> SsoSession | None:
        """Return a session, expired or not."""
        row = self._sql.row("SELECT user_id, client_id, created_at, expires_at FROM sso_sessions WHERE id = :id", id=id)
        if row is None:
            return None
        user_id, client_id, created_at, expires_at = row
        return SsoSession(id=id, user_id=user_id, client_id=client_id, created_at=created_at, expires_at=expires_at)

    def of_user(self, user_id: int, now: int) -> list[tuple[SsoSession, Activity]]:
        """Return a user's sessions that have not expired, each with its last use."""
        rows = self._sql.rows(
            "SELECT id, client_id, created_at, expires_at, active_at, device, address FROM sso_sessions"
            " WHERE user_id = :user_id AND expires_at > :now",
            user_id=user_id,
            now=now,
        )
        return [
            (
                SsoSession(id=id, user_id=user_id, client_id=client_id, created_at=created_at, expires_at=expires_at),
                Activity(*activity),
            )
            for id, client_id, created_at, expires_at, *activity in rows
        ]

    def use(self, id: str, activity: Activity) -> bool:
        """Store that a session was used; False where it was revoked meanwhile."""
        used = self._sql.run(
            "UPDATE sso_sessions SET active_at = :at, device = :device, address = :address WHERE id = :id",
            id=id,
            **asdict(activity),
        )
        return bool(used)

    def prolong(self, id: str, expires_at: int, activity: Activity) -> bool:
        """Store that the user signed in again; False where the session was revoked meanwhile."""
        prolonged = self._sql.run(
            "UPDATE sso_sessions SET expires_at = :expires_at, active_at = :at, device = :device, address = :address"
            " WHERE id = :id",
            id=id,
            expires_at=expires_at,
            **asdict(activity),
        )
        return bool(prolonged)

    def note(self, uses: Mapping[str, Activity]) -> None:
        """Store the last use of sessions; what is older than the stored use is left alone."""
        self._sql.run_many(
            "UPDATE sso_sessions SET active_at = :at, device = :device, address = :address"
            " WHERE id = :id AND active_at < :at",
            [{"id": id, **asdict(activity)} for id, activity in sorted(uses.items())],
        )

    def delete(self, id: str) -> bool:
        """Revoke a session; False where there is none."""
        return bool(self._sql.run("DELETE FROM sso_sessions WHERE id = :id", id=id))

    def delete_of_user(self, user_id: int) -> None:
        """Revoke all sessions of a user."""
        self._sql.run("DELETE FROM sso_sessions WHERE user_id = :user_id", user_id=user_id)
