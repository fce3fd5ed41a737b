"""User import jobs, whose turn it is, and their logs."""

# ruff: noqa: S608 - the only thing put into SQL here is the list of columns

from poolhouse.core.import_jobs import EXPIRED, EXPIRY, ImportJob, LogEntry
from poolhouse.model import ConcurrentModificationException, PasswordHashingAlgorithmType, UserImportJobStatusType
from poolhouse.storage import counts
from poolhouse.storage.documents import Column, encode
from poolhouse.storage.engine import Connection, Row, refuse
from poolhouse.storage.user_import_files import drop_all_of

_COLUMNS = (
    "id, pool_id, name, role_arn, hashing, status, created_at, started_at, completed_at, message, imported, skipped,"
    " failed, upload_id, size, lines, columns, next_byte, next_line, revision"
)
_HEADER = Column("user_import_jobs", "columns", tuple[str, ...])
_ENTRIES = Column("user_import_log", "document", list[LogEntry])
# There is one turn in the installation (spec/api/08 §2).
_SLOT = 1
_CREATED = UserImportJobStatusType.Created.value


class UserImports:
    """The user import jobs of all pools."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find(self, job_id: str) -> ImportJob | None:
        """Return a job as it is stored."""
        row = self._sql.row(f"SELECT {_COLUMNS} FROM user_import_jobs WHERE id = :id", id=job_id)
        return None if row is None else _job(row)

    def insert(self, job: ImportJob) -> None:
        """Store a new job; raises AlreadyExists "user_import_job"."""
        added = self._sql.run(
            f"INSERT INTO user_import_jobs ({_COLUMNS}) VALUES (:id, :pool_id, :name, :role_arn, :hashing, :status,"
            " :created_at, :started_at, :completed_at, :message, :imported, :skipped, :failed, :upload_id, :size,"
            " :lines, :columns, :next_byte, :next_line, :revision) ON CONFLICT DO NOTHING",
            pool_id=job.pool_id,
            name=job.name,
            role_arn=job.role_arn,
            hashing=None if job.hashing is None else job.hashing.value,
            created_at=job.created_at,
            **_values(job),
        )
        if not added:
            raise refuse(self._sql, "user_import_job")
        counts.add(self._sql, f"user_import_jobs:{job.pool_id}", 1)
        if job.hashing is not None:
            counts.next_generation(self._sql, job.pool_id)

    def save(self, job: ImportJob) -> None:
        """Store a changed job; raises ConcurrentModificationException where it changed or went since it was read."""
        saved = self._sql.run(
            "UPDATE user_import_jobs SET status = :status, started_at = :started_at, completed_at = :completed_at,"
            " message = :message, imported = :imported, skipped = :skipped, failed = :failed, upload_id = :upload_id,"
            " size = :size, lines = :lines, columns = :columns, next_byte = :next_byte, next_line = :next_line,"
            " revision = revision + 1 WHERE id = :id AND revision = :revision",
            **_values(job),
        )
        if not saved:
            raise ConcurrentModificationException("The user import job was changed by another request. Please retry.")

    def have_hashes(self, pool_id: str) -> bool:
        """Say if a job of a pool brings password hashes along."""
        sql = "SELECT 1 FROM user_import_jobs WHERE pool_id = :pool_id AND hashing IS NOT NULL LIMIT 1"
        return self._sql.row(sql, pool_id=pool_id) is not None

    def count(self, pool_id: str) -> int:
        """Return how many jobs a pool has had."""
        return counts.total(self._sql, f"user_import_jobs:{pool_id}")

    def page(self, pool_id: str, *, before: tuple[int, str] | None, limit: int) -> list[ImportJob]:
        """Return a pool's jobs, newest first: those before a time and id."""
        at, id = before or (2**62, "")
        rows = self._sql.rows(
            f"SELECT {_COLUMNS} FROM user_import_jobs WHERE pool_id = :pool_id AND (created_at, id) < (:at, :id)"
            " ORDER BY created_at DESC, id DESC LIMIT :limit",
            pool_id=pool_id,
            at=at,
            id=id,
            limit=limit,
        )
        return [_job(row) for row in rows]

    def begin_turn(self, job_id: str) -> bool:
        """Make a job the active one; False where another is."""
        begun = self._sql.run(
            "INSERT INTO user_import_turns (slot, job_id, holder, until) VALUES (:slot, :job_id, :nobody, 0)"
            " ON CONFLICT DO NOTHING",
            slot=_SLOT,
            job_id=job_id,
            nobody="",
        )
        return bool(begun)

    def end_turn(self, job_id: str) -> None:
        """Let another job become the active one."""
        self._sql.run("DELETE FROM user_import_turns WHERE slot = :slot AND job_id = :id", slot=_SLOT, id=job_id)

    def active(self) -> tuple[str, str, int] | None:
        """Return the active job's id, who works on it, and until when."""
        row = self._sql.row("SELECT job_id, holder, until FROM user_import_turns WHERE slot = :slot", slot=_SLOT)
        return None if row is None else (row[0], row[1], row[2])

    def hold_turn(self, job_id: str, holder: str, until: int) -> bool:
        """Say who works on the active job, and until when; False where it is not the active one any more."""
        held = self._sql.run(
            "UPDATE user_import_turns SET holder = :holder, until = :until WHERE slot = :slot AND job_id = :id",
            slot=_SLOT,
            id=job_id,
            holder=holder,
            until=until,
        )
        return bool(held)

    def add_log(self, job: ImportJob, entries: list[LogEntry]) -> None:
        """Add what became of a batch."""
        if entries:
            self._sql.run(
                "INSERT INTO user_import_log (pool_id, job_id, line, document)"
                " VALUES (:pool_id, :job_id, :line, :document)",
                pool_id=job.pool_id,
                job_id=job.id,
                line=entries[0].first,
                document=encode(entries),
            )

    def log(self, job: ImportJob, *, after: int, limit: int) -> list[list[LogEntry]]:
        """Return what became of batches, those that begin after a line."""
        rows = self._sql.rows(
            "SELECT line, document FROM user_import_log WHERE pool_id = :pool_id AND job_id = :job_id AND line > :after"
            " ORDER BY line LIMIT :limit",
            pool_id=job.pool_id,
            job_id=job.id,
            after=after,
            limit=limit,
        )
        return [_ENTRIES.decode(document, line) for line, document in rows]


def expire_jobs(connection: Connection, now: int, limit: int) -> int:
    """Mark jobs that nobody started in time, and leave their files to ``purge``; return how many."""
    rows = connection.rows(
        "SELECT id FROM user_import_jobs WHERE status = :created AND created_at <= :old ORDER BY created_at LIMIT :limit",
        created=_CREATED,
        old=now - EXPIRY,
        limit=limit,
    )
    for (job_id,) in rows:
        drop_all_of(connection, job_id)
        connection.run(
            "UPDATE user_import_jobs SET status = :expired, message = :message, completed_at = created_at + :expiry,"
            " upload_id = NULL, size = 0, revision = revision + 1 WHERE id = :id AND status = :created",
            id=job_id,
            expired=UserImportJobStatusType.Expired.value,
            created=_CREATED,
            message=EXPIRED,
            expiry=EXPIRY,
        )
    return len(rows)


def _values(job: ImportJob) -> dict[str, object]:
    return {
        "id": job.id,
        "status": job.status.value,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "message": job.message,
        "imported": job.imported,
        "skipped": job.skipped,
        "failed": job.failed,
        "upload_id": job.upload_id,
        "size": job.size,
        "lines": job.lines,
        "columns": _HEADER.encode(job.columns),
        "next_byte": job.next_byte,
        "next_line": job.next_line,
        "revision": job.revision,
    }


def _job(row: Row) -> ImportJob:
    id, pool_id, name, role_arn, hashing, status, created_at, started_at, completed_at, message, *others = row
    imported, skipped, failed, upload_id, size, lines, columns, next_byte, next_line, revision = others
    return ImportJob(
        id=id,
        pool_id=pool_id,
        name=name,
        role_arn=role_arn,
        hashing=None if hashing is None else PasswordHashingAlgorithmType(hashing),
        status=UserImportJobStatusType(status),
        created_at=created_at,
        started_at=started_at,
        completed_at=completed_at,
        message=message,
        imported=imported,
        skipped=skipped,
        failed=failed,
        upload_id=upload_id,
        size=size,
        lines=lines,
        columns=_HEADER.decode(columns, id),
        next_byte=next_byte,
        next_line=next_line,
        revision=revision,
    )
