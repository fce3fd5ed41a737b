"""User import jobs: states, expiry, and what their logs say (spec/api/08 §2, §5)."""

import pytest
from msgspec.structs import replace

from poolhouse.core.import_jobs import (
    EXPIRY,
    ImportJob,
    LogEntry,
    Outcome,
    Status,
    append,
    as_of,
    completed,
    log_lines,
    started,
    stopping,
)
from poolhouse.model import PreconditionNotMetException

JOB = ImportJob(id="import-1", pool_id="p", name="job", role_arn="arn", created_at=1000, upload_id="f")
OK, SKIPPED, FAILED = Outcome.SUCCEEDED, Outcome.SKIPPED, Outcome.FAILED


@pytest.mark.parametrize("status", Status)
def test_states(status):
    """Only a created job starts, and only one that waits or runs can be stopped."""
    job = replace(JOB, status=status)

    for change, good, then in (
        (lambda: started(job, 5), {Status.Created}, Status.Pending),
        (lambda: stopping(job), {Status.Pending, Status.InProgress}, Status.Stopping),
    ):
        if status in good:
            assert change().status == then
        else:
            with pytest.raises(PreconditionNotMetException):
                change()


def test_a_job_without_a_file_does_not_start():
    """There must be something to import."""
    with pytest.raises(PreconditionNotMetException):
        started(replace(JOB, upload_id=None), 5)


def test_only_created_jobs_expire():
    """A job is expired a day after its creation, unless it was started before."""
    end = JOB.created_at + EXPIRY

    assert as_of(JOB, end - 1) == JOB
    assert as_of(JOB, end).status == Status.Expired
    assert as_of(JOB, end + 99).completed_at == end
    begun = started(JOB, 5)
    assert as_of(begun, end) == begun


@pytest.mark.parametrize(
    ("imported", "skipped", "failed", "status"),
    [(0, 0, 0, "Succeeded"), (1, 9, 9, "Succeeded"), (0, 1, 0, "Failed"), (0, 0, 1, "Failed"), (5, 0, 0, "Succeeded")],
)
def test_the_end(imported, skipped, failed, status):
    """A job has failed where it imported nobody of those it was to import."""
    job = completed(replace(JOB, imported=imported, skipped=skipped, failed=failed), 7)

    assert (job.status, job.completed_at, job.upload_id) == (status, 7, None)


def test_logs_are_kept_short_and_told_in_full():
    """Lines that follow each other and fared alike share an entry; each has its own line in the log."""
    log: list[LogEntry] = []
    for line, outcome, text in ((2, OK, "a"), (3, OK, "a"), (5, OK, "a"), (6, FAILED, "b"), (7, FAILED, "c"), (8, SKIPPED, "c")):  # fmt: skip
        append(log, line, outcome, text)

    assert [(entry.first, entry.last) for entry in log] == [(2, 3), (5, 5), (6, 6), (7, 7), (8, 8)]
    assert [line for entry in log for line in log_lines(entry)] == [
        "[SUCCEEDED] Line Number 2 - a",
        "[SUCCEEDED] Line Number 3 - a",
        "[SUCCEEDED] Line Number 5 - a",
        "[FAILED] Line Number 6 - b",
        "[FAILED] Line Number 7 - c",
        "[SKIPPED] Line Number 8 - c",
    ]
