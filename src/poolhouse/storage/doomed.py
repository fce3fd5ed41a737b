"""What is deleted in steps: what a deleted pool, client, group, identity provider or import file had.

The pool or other thing itself is gone at once, so nothing reaches these rows any more; the sweeper removes them.
"""

# ruff: noqa: S608 - only our own names are put into SQL here

from poolhouse.storage.engine import Connection
from poolhouse.storage.identities import unlink_first

# Rows removed by one statement.
CHUNK = 1000

_OF_POOL_USERS = "user_id IN (SELECT id FROM users WHERE pool_id = :id ORDER BY username LIMIT :limit)"


def delete_first(table: str, key: str, where: str, order: str = "") -> str:
    """Return a statement that deletes the first ``:limit`` rows of a condition."""
    return (
        f"DELETE FROM {table} WHERE ({key}) IN"
        f" (SELECT {key} FROM {table} WHERE {where} ORDER BY {order or key} LIMIT :limit)"
    )


def _delete_first_under(table: str, first: str, second: str) -> str:
    """Return a statement that deletes the first ``:limit`` rows that share the first of two columns of the key.

    SQLite would look both up as a pair by reading all that share the first.
    """
    shared = f"{first} = :id"
    chosen = f"SELECT {second} FROM {table} WHERE {shared} ORDER BY {second} LIMIT :limit"
    return f"DELETE FROM {table} WHERE {shared} AND {second} IN ({chosen})"


_POOL_STEPS = (
    f"DELETE FROM sessions WHERE {_OF_POOL_USERS}",
    f"DELETE FROM sso_sessions WHERE {_OF_POOL_USERS}",
    f"DELETE FROM authorization_codes WHERE {_OF_POOL_USERS}",
    f"DELETE FROM confirmation_codes WHERE {_OF_POOL_USERS}",
    f"DELETE FROM group_members WHERE {_OF_POOL_USERS}",
    f"DELETE FROM devices WHERE {_OF_POOL_USERS}",
    f"DELETE FROM identities WHERE {_OF_POOL_USERS}",
    f"DELETE FROM passkeys WHERE {_OF_POOL_USERS}",
    delete_first("users", "id", "pool_id = :id", "username"),
    _delete_first_under("user_aliases", "pool_id", "alias"),
    delete_first("user_search", "pool_id, attribute, value, username", "pool_id = :id"),
    delete_first("groups", "id", "pool_id = :id", "name"),
    delete_first("auth_events", "id", "pool_id = :id", "user_id, at, id"),
    delete_first("user_import_log", "pool_id, job_id, line", "pool_id = :id"),
)
_CLIENT_STEPS = (delete_first("sessions", "id", "client_id = :id"),)
_GROUP_STEPS = (_delete_first_under("group_members", "group_id", "username"),)
_FILE_STEPS = (_delete_first_under("user_import_chunks", "file_id", "number"),)
_STEPS = {"pool": _POOL_STEPS, "client": _CLIENT_STEPS, "group": _GROUP_STEPS, "user_import_file": _FILE_STEPS}
# What takes more than SQL.
_WORK = {"provider": unlink_first}
# Groups are known by a number.
_KEYS: dict[str, type[str] | type[int]] = {"pool": str, "client": str, "group": int, "user_import_file": str}


def doom(connection: Connection, kind: str, id: str) -> None:
    """Remove the first rows of a deleted pool or client, and leave the rest to ``purge``."""
    leave(connection, kind, id)
    _purge_one(connection, kind, id, CHUNK)


def leave(connection: Connection, kind: str, id: str) -> None:
    """Leave all rows of what is deleted to ``purge``."""
    connection.run("INSERT INTO doomed (kind, id) VALUES (:kind, :id) ON CONFLICT DO NOTHING", kind=kind, id=id)


def purge(connection: Connection, limit: int) -> int:
    """Remove further rows of what was deleted; return how many. Many small deletions are finished at one go."""
    removed = 0
    for kind, id in connection.rows("SELECT kind, id FROM doomed ORDER BY kind, id LIMIT :limit", limit=limit):
        removed += _purge_one(connection, kind, id, limit)
        if removed >= limit:
            break
    return removed


def finish(connection: Connection, kind: str, id: str) -> None:
    """Remove all that is left of a former pool, client or provider, so that its id can be used again."""
    while _is_doomed(connection, kind, id):
        _purge_one(connection, kind, id, CHUNK)


def _is_doomed(connection: Connection, kind: str, id: str) -> bool:
    return connection.row("SELECT 1 FROM doomed WHERE kind = :kind AND id = :id", kind=kind, id=id) is not None


def _purge_one(connection: Connection, kind: str, id: str, limit: int) -> int:
    if kind in _WORK:
        removed = [_WORK[kind](connection, id, limit)]
    else:
        removed = [connection.run(step, id=_KEYS[kind](id), limit=limit) for step in _STEPS[kind]]
    if all(count < limit for count in removed):
        removed.append(connection.run("DELETE FROM doomed WHERE kind = :kind AND id = :id", kind=kind, id=id))
    return sum(removed)
