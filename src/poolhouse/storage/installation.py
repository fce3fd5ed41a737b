"""What belongs to the installation: small settings, the development outbox, and the sweeper."""

import builtins

from poolhouse.core.message import Message
from poolhouse.storage import doomed
from poolhouse.storage.documents import Column, encode
from poolhouse.storage.engine import Connection
from poolhouse.storage.user_import_files import expire_files
from poolhouse.storage.user_imports import expire_jobs

# The outbox is for development; it must not grow with traffic.
OUTBOX_DAYS, OUTBOX_MESSAGES = 7, 10_000
_MESSAGE = Column("outbox", "document", Message)

_EXPIRED = tuple(
    doomed.delete_first(table, key, "expires_at < :now", "expires_at")
    for table, key in (
        ("sessions", "id"),
        ("sso_sessions", "id"),
        ("authorization_codes", "digest"),
        ("confirmation_codes", "user_id, purpose"),
        ("attempts", "name"),
        ("nonces", "nonce"),
        ("auth_events", "id"),
        ("log_records", "id"),
    )
)
_OLD_MESSAGES = doomed.delete_first("outbox", "number", "at < :old", "at")
_MANY_MESSAGES = doomed.delete_first("outbox", "number", "number <= (SELECT MAX(number) FROM outbox) - :most")


class Settings:
    """Small values of the whole installation, sealed by the caller where they are secret."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, name: str) -> bytes | None:
        """Return a value."""
        row = self._sql.row("SELECT value FROM settings WHERE name = :name", name=name)
        return None if row is None else bytes(row[0])

    def put(self, name: str, value: bytes) -> None:
        """Store a value in the place of an earlier one."""
        self._sql.run(
            "INSERT INTO settings (name, value) VALUES (:name, :value)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name=name,
            value=value,
        )


class Outbox:
    """Messages that were kept instead of sent."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def add(self, message: Message) -> None:
        """Keep a message."""
        self._sql.run(
            "INSERT INTO outbox (recipient, at, document) VALUES (:recipient, :at, :document)",
            recipient=message.to,
            at=message.at,
            document=encode(message),
        )

    def delete(self, to: str | None = None) -> int:
        """Delete messages, all of them or those to one address; return how many."""
        if to is None:
            return self._sql.run("DELETE FROM outbox")
        return self._sql.run("DELETE FROM outbox WHERE recipient = :to", to=to)

    def list(self, *, to: str | None = None, last: bool = False) -> builtins.list[Message]:
        """Return messages, newest last: all of them or those to one address, or only the newest of these."""
        limit = 1 if last else 2**62
        if to is None:
            sql = "SELECT number, document FROM outbox ORDER BY number DESC LIMIT :limit"
            rows = self._sql.rows(sql, limit=limit)
        else:
            sql = "SELECT number, document FROM outbox WHERE recipient = :to ORDER BY number DESC LIMIT :limit"
            rows = self._sql.rows(sql, to=to, limit=limit)
        return [_MESSAGE.decode(document, number) for number, document in reversed(rows)]

    def page(self, *, to: str | None, before: int | None, limit: int) -> builtins.list[tuple[int, Message]]:
        """Return messages with their numbers, newest first: those before a number, all or those to one address."""
        before = 2**62 if before is None else before
        if to is None:
            sql = "SELECT number, document FROM outbox WHERE number < :before ORDER BY number DESC LIMIT :limit"
            rows = self._sql.rows(sql, before=before, limit=limit)
        else:
            sql = (
                "SELECT number, document FROM outbox WHERE recipient = :to AND number < :before"
                " ORDER BY number DESC LIMIT :limit"
            )
            rows = self._sql.rows(sql, to=to, before=before, limit=limit)
        return [(number, _MESSAGE.decode(document, number)) for number, document in rows]


def sweep(connection: Connection, now: int, limit: int) -> int:
    """Delete what has expired and what is left of deleted pools and clients.

    Each statement removes ``limit`` rows at most; returns how many were removed in all.
    """
    removed = sum(connection.run(sql, now=now, limit=limit) for sql in _EXPIRED)
    removed += expire_jobs(connection, now, limit) + expire_files(connection, now, limit)
    removed += connection.run(_OLD_MESSAGES, old=now - OUTBOX_DAYS * 86_400_000, limit=limit)
    removed += connection.run(_MANY_MESSAGES, most=OUTBOX_MESSAGES, limit=limit)
    return removed + doomed.purge(connection, limit)
