"""Which database engine a URL leads to."""

import sqlite3


def engine_version(url: str) -> str:
    """Return the engine's name and version, such as ``PostgreSQL 15.4``; raises StorageError where it does not answer."""
    if url.startswith("sqlite:"):
        return f"SQLite {sqlite3.sqlite_version}"
    from poolhouse.storage.postgres_connection import CONNECT_SECONDS, PostgresConnection

    connection = PostgresConnection(url, CONNECT_SECONDS)
    try:
        major, minor = divmod(connection.raw.info.server_version, 10_000)
    finally:
        connection.raw.close()
    return f"PostgreSQL {major}.{minor}"
