"""User import jobs: their states, and what they tell (spec/api/08 §1, §2, §5)."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.names import ALPHANUMERIC, Draw
from poolhouse.model import (
    PasswordHashingAlgorithmType,
    PreconditionNotMetException,
    UserImportJobStatusType,
    UserImportJobType,
)

MAX_JOBS = 1000
MAX_FILE = 100 * 1024 * 1024
# How long a job waits to be started; Cognito's limit lies between this and twice as long.
EXPIRY = 24 * 3_600_000

Status = UserImportJobStatusType
# States in which somebody works on a job, or is about to; one job of the installation at a time is in one.
ACTIVE = frozenset({Status.Pending, Status.InProgress, Status.Stopping})

SUCCEEDED = "Import Job Completed Successfully."
TOO_MANY_FAILED = "Too many users have failed or been skipped during the import."
STOPPED = "The Import Job was stopped by the developer."
EXPIRED = "The user import job has expired."
# Ours: the specifications show no text for these.
UNREADABLE = "The header of the CSV file does not match the user pool."
LOST = "The CSV file cannot be read any more."
TOO_MANY_ROWS = "The CSV file has more users than a job can import."


class ImportJob(Struct, frozen=True, kw_only=True):
    """A user import job. Times are milliseconds.

    ``upload_id`` names the file that was uploaded, of ``size`` bytes and ``lines`` lines.
    ``columns`` are those of its header once that was read; ``next_byte`` and ``next_line`` say where the import goes on.
    """

    id: str
    pool_id: str
    name: str
    role_arn: str
    hashing: PasswordHashingAlgorithmType | None = None
    status: UserImportJobStatusType = Status.Created
    created_at: int
    started_at: int | None = None
    completed_at: int | None = None
    message: str | None = None
    imported: int = 0
    skipped: int = 0
    failed: int = 0
    upload_id: str | None = None
    size: int = 0
    lines: int = 0
    columns: tuple[str, ...] = ()
    next_byte: int = 0
    next_line: int = 1
    revision: int = 0


class Outcome(StrEnum):
    """What became of a row."""

    SUCCEEDED = "SUCCEEDED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


class LogEntry(Struct, frozen=True, array_like=True):
    """What became of rows that follow each other: the first line and the last."""

    first: int
    last: int
    outcome: Outcome
    text: str


def new_job_id(draw: Draw) -> str:
    """Return a new job id: ``import-`` and ten letters or digits (spec/api/01 §6)."""
    return f"import-{draw(10, ALPHANUMERIC)}"


def as_of(job: ImportJob, now: int) -> ImportJob:
    """Return a job as it is at a time: one that nobody started is expired, whether or not the sweeper was there."""
    if job.status != Status.Created or now < job.created_at + EXPIRY:
        return job
    return replace(
        job, status=Status.Expired, message=EXPIRED, completed_at=job.created_at + EXPIRY, upload_id=None, size=0
    )


def started(job: ImportJob, now: int) -> ImportJob:
    """Return a job that waits for somebody to work on it; raises PreconditionNotMetException."""
    if job.status != Status.Created:
        raise PreconditionNotMetException(f"The user import job cannot be started. Its status is {job.status}.")
    if job.upload_id is None:
        raise PreconditionNotMetException("No CSV file was uploaded for the user import job.")
    return replace(job, status=Status.Pending, started_at=now)


def stopping(job: ImportJob) -> ImportJob:
    """Return a job that is about to stop; raises PreconditionNotMetException."""
    if job.status not in {Status.Pending, Status.InProgress}:
        raise PreconditionNotMetException(f"The user import job cannot be stopped. Its status is {job.status}.")
    return replace(job, status=Status.Stopping)


def ended(job: ImportJob, status: UserImportJobStatusType, message: str, now: int) -> ImportJob:
    """Return a job that is over, without its file."""
    return replace(job, status=status, message=message, completed_at=now, upload_id=None)


def completed(job: ImportJob, now: int) -> ImportJob:
    """Return a job whose last row was worked on: one that imported nobody has failed, unless nobody was to be imported."""
    if not job.imported and (job.failed or job.skipped):
        return ended(job, Status.Failed, TOO_MANY_FAILED, now)
    return ended(job, Status.Succeeded, SUCCEEDED, now)


def describe(job: ImportJob, url: str) -> UserImportJobType:
    """Return a job as the API shows it; ``url`` is where its file goes."""
    return UserImportJobType(
        job_name=job.name,
        job_id=job.id,
        user_pool_id=job.pool_id,
        pre_signed_url=url,
        creation_date=job.created_at / 1000,
        start_date=None if job.started_at is None else job.started_at / 1000,
        completion_date=None if job.completed_at is None else job.completed_at / 1000,
        status=job.status,
        cloud_watch_logs_role_arn=job.role_arn,
        imported_users=job.imported,
        skipped_users=job.skipped,
        failed_users=job.failed,
        completion_message=job.message,
        password_hashing_algorithm=job.hashing,
    )


def append(log: list[LogEntry], line: int, outcome: Outcome, text: str) -> None:
    """Note what became of a line; lines that follow each other and fared alike share an entry."""
    last = log[-1] if log else None
    if last is not None and (last.last, last.outcome, last.text) == (line - 1, outcome, text):
        log[-1] = replace(last, last=line)
    else:
        log.append(LogEntry(line, line, outcome, text))


def log_lines(entry: LogEntry) -> Iterator[str]:
    """Return the lines of the log that an entry stands for, in Cognito's words (spec/api/08 §5)."""
    for number in range(entry.first, entry.last + 1):
        yield f"[{entry.outcome}] Line Number {number} - {entry.text}"
