"""The CSV files of user import jobs, in sealed chunks."""

from poolhouse.storage import doomed
from poolhouse.storage.engine import Connection, refuse

KIND = "user_import_file"
# Of a file that a job works on: it goes when the job ends.
NEVER = 2**62


class UserImportFiles:
    """Files that were uploaded, or are on their way."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def begin(self, pool_id: str, job_id: str, file_id: str, expires_at: int) -> None:
        """Begin a file; raises AlreadyExists "user_import_file"."""
        begun = self._sql.run(
            "INSERT INTO user_import_files (id, pool_id, job_id, expires_at)"
            " VALUES (:id, :pool_id, :job_id, :expires_at) ON CONFLICT DO NOTHING",
            id=file_id,
            pool_id=pool_id,
            job_id=job_id,
            expires_at=expires_at,
        )
        if not begun:
            raise refuse(self._sql, KIND)

    def touch(self, file_id: str) -> bool:
        """Say if a file was begun and not dropped; whoever drops it at the same time takes turns with this."""
        sql = "UPDATE user_import_files SET expires_at = expires_at WHERE id = :id"
        return bool(self._sql.run(sql, id=file_id))

    def keep(self, file_id: str) -> bool:
        """Keep a file until its job ends; False where it was dropped."""
        sql = "UPDATE user_import_files SET expires_at = :never WHERE id = :id"
        return bool(self._sql.run(sql, id=file_id, never=NEVER))

    def drop(self, file_id: str) -> None:
        """Drop a file; its chunks go with later sweeps."""
        _drop(self._sql, file_id)

    def drop_others(self, job_id: str, file_id: str | None) -> None:
        """Drop the files of a job but for one."""
        for (other,) in self._sql.rows("SELECT id FROM user_import_files WHERE job_id = :job_id", job_id=job_id):
            if other != file_id:
                _drop(self._sql, other)

    def add_chunk(self, file_id: str, number: int, sealed: bytes) -> bool:
        """Add the next part of a file; False where it was dropped."""
        if not self.touch(file_id):
            return False
        self._sql.run(
            "INSERT INTO user_import_chunks (file_id, number, sealed) VALUES (:file_id, :number, :sealed)",
            file_id=file_id,
            number=number,
            sealed=sealed,
        )
        return True

    def find_chunk(self, file_id: str, number: int) -> bytes | None:
        """Return a part of a file."""
        row = self._sql.row(
            "SELECT sealed FROM user_import_chunks WHERE file_id = :file_id AND number = :number",
            file_id=file_id,
            number=number,
        )
        return None if row is None else bytes(row[0])

    def drop_chunks(self, file_id: str, before: int) -> None:
        """Drop the parts of a file before one: they were worked on."""
        self._sql.run(
            "DELETE FROM user_import_chunks WHERE file_id = :file_id AND number < :before",
            file_id=file_id,
            before=before,
        )


def drop_all_of(connection: Connection, job_id: str) -> None:
    """Drop every file of a job."""
    UserImportFiles(connection).drop_others(job_id, None)


def drop_all_of_pool(connection: Connection, pool_id: str) -> None:
    """Drop every file of a pool's jobs."""
    for (file_id,) in connection.rows("SELECT id FROM user_import_files WHERE pool_id = :pool_id", pool_id=pool_id):
        _drop(connection, file_id)


def expire_files(connection: Connection, now: int, limit: int) -> int:
    """Drop files that were not used in time, such as those of broken uploads; return how many."""
    rows = connection.rows(
        "SELECT id FROM user_import_files WHERE expires_at < :now ORDER BY expires_at LIMIT :limit",
        now=now,
        limit=limit,
    )
    for (file_id,) in rows:
        _drop(connection, file_id)
    return len(rows)


def _drop(connection: Connection, file_id: str) -> None:
    if connection.run("DELETE FROM user_import_files WHERE id = :id", id=file_id):
        doomed.leave(connection, KIND, file_id)
