"""Token sessions and authorization codes."""

# ruff: noqa: S608 - the only thing put into SQL here is the list of a user's columns

from collections.abc import Mapping

from msgspec.structs import asdict

from poolhouse.core.session import AuthorizationCode, Session
from poolhouse.core.session_tracking import Activity
from poolhouse.core.user import User
from poolhouse.storage.counts import Generations
from poolhouse.storage.documents import Column, encode
from poolhouse.storage.doomed import CHUNK, delete_first
from poolhouse.storage.engine import Connection
from poolhouse.storage.users import COLUMNS, user_of

_SESSION = Column("sessions", "document", Session)
_OF_CLIENT = delete_first("sessions", "id", "client_id = :client_id")
_CODE = Column("authorization_codes", "document", AuthorizationCode)
# With the user comes the generation of the user's pool: it makes everything else about the pool free of statements.
_WITH_USER = "JOIN users AS u ON u.id = {}.user_id LEFT JOIN generations AS g ON g.pool_id = u.pool_id"
_FIND_SESSION = (
    f"SELECT {COLUMNS}, g.generation, s.document FROM sessions AS s {_WITH_USER.format('s')} WHERE s.id = :id"
)
_FIND_CODE = (
    f"SELECT {COLUMNS}, g.generation, c.document, c.session_id FROM authorization_codes AS c"
    f" LEFT {_WITH_USER.format('c')} WHERE c.digest = :digest"
)


class Sessions:
    """Token sessions: one that is not stored any more is revoked."""

    def __init__(self, connection: Connection, generations: Generations) -> None:
        self._sql, self._generations = connection, generations

    def insert(self, session: Session) -> None:
        """Store a new session."""
        self._sql.run(
            "INSERT INTO sessions (id, user_id, client_id, expires_at, document)"
            " VALUES (:id, :user_id, :client_id, :expires_at, :document)",
            **_values(session),
        )

    def insert_tracked(self, session: Session, activity: Activity) -> None:
        """Store a new session together with its first use."""
        self._sql.run(
            "INSERT INTO sessions (id, user_id, client_id, expires_at, document, tracked_user, active_at, device, address)"
            " VALUES (:id, :user_id, :client_id, :expires_at, :document, :user_id, :at, :device, :address)",
            **_values(session),
            **asdict(activity),
        )

    def save(self, session: Session) -> bool:
        """Store a changed session; False where it was revoked meanwhile."""
        saved = self._sql.run(
            "UPDATE sessions SET expires_at = :expires_at, document = :document WHERE id = :id",
            id=session.id,
            expires_at=session.expires_at,
            document=encode(session),
        )
        return bool(saved)

    def find(self, id: str) -> Session | None:
        """Return a session, expired or not."""
        row = self._sql.row("SELECT document FROM sessions WHERE id = :id", id=id)
        return None if row is None else _SESSION.decode(row[0], id)

    def find_with_user(self, id: str) -> tuple[Session, User] | None:
        """Return a session and its user."""
        row = self._sql.row(_FIND_SESSION, id=id)
        if row is None:
            return None
        *columns, generation, document = row
        user = user_of(columns)
        self._generations.note(user.pool_id, generation)
        return _SESSION.decode(document, id), user

    def tracked(self, user_id: int, now: int) -> list[tuple[Session, Activity]]:
        """Return a user's tracked sessions that have not expired, each with its last use."""
        rows = self._sql.rows(
            "SELECT id, document, active_at, device, address FROM sessions"
            " WHERE tracked_user = :user_id AND expires_at > :now",
            user_id=user_id,
            now=now,
        )
        return [(_SESSION.decode(document, id), Activity(*activity)) for id, document, *activity in rows]

    def last_active(self, user_id: int, now: int) -> dict[str, int]:
        """Return when each tracked session of a user, expired ones left out, was used last."""
        sql = "SELECT id, active_at FROM sessions WHERE tracked_user = :user_id AND expires_at > :now"
        return dict(self._sql.rows(sql, user_id=user_id, now=now))

    def note(self, uses: Mapping[str, Activity]) -> None:
        """Store the last use of tracked sessions; others, and what is older than the stored use, are left alone."""
        self._sql.run_many(
            "UPDATE sessions SET active_at = :at, device = :device, address = :address WHERE id = :id AND active_at < :at",
            [{"id": id, **asdict(activity)} for id, activity in sorted(uses.items())],
        )

    def delete(self, id: str) -> bool:
        """Revoke a session; False where there is none."""
        return bool(self._sql.run("DELETE FROM sessions WHERE id = :id", id=id))

    def delete_of_user(self, user_id: int) -> None:
        """Revoke all sessions of a user."""
        self._sql.run("DELETE FROM sessions WHERE user_id = :user_id", user_id=user_id)

    def delete_of_client(self, client_id: str) -> None:
        """Revoke all sessions of a client, a bounded number in each statement."""
        while self._sql.run(_OF_CLIENT, client_id=client_id, limit=CHUNK) == CHUNK:
            pass


def _values(session: Session) -> dict[str, object]:
    return {
        "id": session.id,
        "user_id": session.user_id,
        "client_id": session.client_id,
        "expires_at": session.expires_at,
        "document": encode(session),
    }


class AuthorizationCodes:
    """Authorization codes by their digest. A spent one stays until it expires, so that its reuse is seen."""

    def __init__(self, connection: Connection, generations: Generations) -> None:
        self._sql, self._generations = connection, generations

    def insert(self, digest: bytes, code: AuthorizationCode) -> None:
        """Store a new code."""
        self._sql.run(
            "INSERT INTO authorization_codes (digest, user_id, expires_at, document)"
            " VALUES (:digest, :user_id, :expires_at, :document)",
            digest=digest,
            user_id=code.user_id,
            expires_at=code.expires_at,
            document=encode(code),
        )

    def find(self, digest: bytes) -> tuple[AuthorizationCode, str | None] | None:
        """Return a code, and the id of the session that it was spent on."""
        row = self._sql.row(
            "SELECT document, session_id FROM authorization_codes WHERE digest = :digest", digest=digest
        )
        return None if row is None else (_CODE.decode(row[0], digest.hex()), row[1])

    def find_with_user(self, digest: bytes) -> tuple[AuthorizationCode, str | None, User | None] | None:
        """Return a code, the id of the session that it was spent on, and its user where there still is one."""
        row = self._sql.row(_FIND_CODE, digest=digest)
        if row is None:
            return None
        *columns, generation, document, session_id = row
        user = None if columns[0] is None else user_of(columns)
        if user is not None:
            self._generations.note(user.pool_id, generation)
        return _CODE.decode(document, digest.hex()), session_id, user

    def spend(self, digest: bytes, session_id: str) -> bool:
        """Mark a code as spent on a session; False where it was spent already or does not exist."""
        spent = self._sql.run(
            "UPDATE authorization_codes SET session_id = :session_id WHERE digest = :digest AND session_id IS NULL",
            digest=digest,
            session_id=session_id,
        )
        return bool(spent)

    def delete_of_user(self, user_id: int) -> None:
        """Void all codes of a user."""
        self._sql.run("DELETE FROM authorization_codes WHERE user_id = :user_id", user_id=user_id)
