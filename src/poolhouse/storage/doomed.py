"""What is deleted in steps: the users of a deleted pool, the sessions of a deleted client.

The pool or client itself is gone at once, so nothing reaches these rows any more; the sweeper removes them.
"""

# ruff: noqa: S608 - only our own names are put into SQL here

from poolhouse.storage.engine import Connection

# Rows removed by one statement.
CHUNK = 1000

_OF_POOL_USERS = "user_id IN (SELECT id FROM users WHERE pool_id = :id ORDER BY username LIMIT :limit)"


def delete_first(table: str, key: str, where: str, order: str = "") -> str:
    """Return a statement that deletes the first ``:limit`` rows of a condition."""
    return (
        f"DELETE FROM {table} WHERE ({key}) IN"
        f" (SELECT {key} FROM {table} WHERE {where} ORDER BY {order or key} LIMIT :limit)"
    )


_POOL_STEPS = (
    f"DELETE FROM sessions WHERE {_OF_POOL_USERS}",
    f"DELETE FROM authorization_codes WHERE {_OF_POOL_USERS}",
    f"DELETE FROM confirmation_codes WHERE {_OF_POOL_USERS}",
    delete_first("users", "id", "pool_id = :id", "username"),
    delete_first("user_aliases", "pool_id, alias", "pool_id = :id"),
    delete_first("user_search", "pool_id, attribute, value, username", "pool_id = :id"),
)
_CLIENT_STEPS = (delete_first("sessions", "id", "client_id = :id"),)
_STEPS = {"pool": _POOL_STEPS, "client": _CLIENT_STEPS}


def doom(connection: Connection, kind: str, id: str) -> None:
    """Remove the first rows of a deleted pool or client, and leave the rest to ``purge``."""
    connection.run("INSERT INTO doomed (kind, id) VALUES (:kind, :id) ON CONFLICT DO NOTHING", kind=kind, id=id)
    _purge_one(connection, kind, id, CHUNK)


def purge(connection: Connection, limit: int) -> int:
    """Remove further rows of what was deleted; return how many."""
    row = connection.row("SELECT kind, id FROM doomed ORDER BY kind, id LIMIT 1")
    return 0 if row is None else _purge_one(connection, row[0], row[1], limit)


def finish(connection: Connection, kind: str, id: str) -> None:
    """Remove all that is left of a former pool or client, so that its id can be used again."""
    while _is_doomed(connection, kind, id):
        _purge_one(connection, kind, id, CHUNK)


def _is_doomed(connection: Connection, kind: str, id: str) -> bool:
    return connection.row("SELECT 1 FROM doomed WHERE kind = :kind AND id = :id", kind=kind, id=id) is not None


def _purge_one(connection: Connection, kind: str, id: str, limit: int) -> int:
    removed = [connection.run(step, id=id, limit=limit) for step in _STEPS[kind]]
    if all(count < limit for count in removed):
        connection.run("DELETE FROM doomed WHERE kind = :kind AND id = :id", kind=kind, id=id)
    return sum(removed)
