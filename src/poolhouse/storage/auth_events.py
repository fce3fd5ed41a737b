"""Auth events: what users of pools with threat protection did."""

# ruff: noqa: S608 - the only thing put into SQL here is the list of columns

from msgspec.structs import replace

from poolhouse.core.auth_events import RETENTION, AuthEvent, Feedback
from poolhouse.core.user import User
from poolhouse.model import EventResponseType, EventType
from poolhouse.storage.documents import Column, encode
from poolhouse.storage.engine import Connection, Row

# What holds in the place of that in the document: an event keeps its beginning, and feedback comes from elsewhere.
_COLUMNS = "id, at, document, feedback"


_DOCUMENT = Column("auth_events", "document", AuthEvent)
_FEEDBACK = Column("auth_events", "feedback", Feedback)


class AuthEvents:
    """The events of all users, each in a row of its own for as long as it goes on."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def put(self, event: AuthEvent) -> AuthEvent | None:
        """Store an event, or how it went on; return it as it is then.

        What it began with and the feedback stay. None, and nothing is stored, where it has passed already or there is
        no such user: the statement is the same, so that its time does not tell.
        """
        row = self._sql.row(
            "INSERT INTO auth_events (id, pool_id, user_id, at, expires_at, response, document)"
            " SELECT :id, :pool_id, u.id, :at, :expires_at, :response, :document FROM users AS u WHERE u.id = :user_id"
            " ON CONFLICT (id) DO UPDATE SET response = excluded.response, document = excluded.document"
            " WHERE auth_events.response <> :passed RETURNING at, feedback",
            id=event.id,
            pool_id=event.pool_id,
            user_id=event.user_id,
            at=event.at,
            expires_at=event.at + RETENTION,
            response=event.response.value,
            document=encode(event),
            passed=EventResponseType.Pass.value,
        )
        if row is None:
            return None
        at, feedback = row
        return replace(event, at=at, feedback=_feedback(feedback, event.id))

    def find(self, user: User, id: str) -> AuthEvent | None:
        """Return an event of a user."""
        row = self._sql.row(
            f"SELECT {_COLUMNS} FROM auth_events WHERE id = :id AND user_id = :user_id", id=id, user_id=user.id
        )
        return None if row is None else _event(row)

    def find_begun(self, user: User, type: EventType, at: int) -> AuthEvent | None:
        """Return the event of a type that began at a time."""
        rows = self._sql.rows(
            f"SELECT {_COLUMNS} FROM auth_events WHERE pool_id = :pool_id AND user_id = :user_id AND at = :at ORDER BY id",
            pool_id=user.pool_id,
            user_id=user.id,
            at=at,
        )
        return next((event for event in map(_event, rows) if event.type is type), None)

    def page(self, user: User, *, before: tuple[int, str] | None, limit: int) -> list[AuthEvent]:
        """Return a user's events, newest first, those before a time and id."""
        at, id = before or (2**62, "")
        rows = self._sql.rows(
            f"SELECT {_COLUMNS} FROM auth_events WHERE pool_id = :pool_id AND user_id = :user_id"
            " AND (at, id) < (:at, :id) ORDER BY at DESC, id DESC LIMIT :limit",
            pool_id=user.pool_id,
            user_id=user.id,
            at=at,
            id=id,
            limit=limit,
        )
        return [_event(row) for row in rows]

    def known(self, user: User, limit: int) -> list[AuthEvent]:
        """Return a user's latest events that passed, and those that were judged, newest first: so many of each."""
        passed = self._sql.rows(
            f"SELECT {_COLUMNS} FROM auth_events WHERE user_id = :user_id AND response = :passed"
            " ORDER BY at DESC LIMIT :limit",
            user_id=user.id,
            passed=EventResponseType.Pass.value,
            limit=limit,
        )
        judged = self._sql.rows(
            f"SELECT {_COLUMNS} FROM auth_events WHERE user_id = :user_id AND feedback IS NOT NULL"
            " ORDER BY at DESC LIMIT :limit",
            user_id=user.id,
            limit=limit,
        )
        found = {row[0]: row for row in (*passed, *judged)}
        return [_event(row) for row in sorted(found.values(), key=lambda row: row[1], reverse=True)]

    def judge(self, event: AuthEvent, feedback: Feedback) -> AuthEvent | None:
        """Store feedback in the place of earlier feedback; None where the event is gone."""
        saved = self._sql.run(
            "UPDATE auth_events SET feedback = :feedback WHERE id = :id", id=event.id, feedback=encode(feedback)
        )
        return replace(event, feedback=feedback) if saved else None


def _feedback(text: str | None, id: str) -> Feedback | None:
    return None if text is None else _FEEDBACK.decode(text, id)


def _event(row: Row) -> AuthEvent:
    id, at, document, feedback = row
    return replace(_DOCUMENT.decode(document, id), at=at, feedback=_feedback(feedback, id))
