"""Working on a user import job, in the background of whichever process is free (spec/api/08 §3–5).

The file is read and its rows are checked on the event loop, in slices of a millisecond; each batch of users is stored
together with how far the job has come. So a process that is killed leaves a job that another one goes on with at the
first row that is not there: it need not know what happened.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from enum import Enum, auto
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.import_csv import (
    EXISTS,
    MAX_ROW,
    AlreadyThere,
    FileRefused,
    Newcomer,
    Plan,
    RowRefused,
    check_rows,
    find_refusal,
    read_header,
    read_row,
)
from poolhouse.core.import_jobs import (
    LOST,
    STOPPED,
    ImportJob,
    LogEntry,
    Outcome,
    Status,
    append,
    completed,
    ended,
)
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import Deps
from poolhouse.flows.import_files import CHUNK, FileGone, chunks_of, read_lines
from poolhouse.storage import Tx

log = logging.getLogger("poolhouse")

BATCH = 500
# Seconds that rows are worked on before others have their turn on the event loop.
SLICE = 0.001
# Milliseconds after which another process takes over from one that says nothing more.
PATIENCE = 2000
SUCCEEDED = "The import succeeded."
TOO_LONG = f"The row is longer than {MAX_ROW} characters."
NOT_UTF8 = "The row is not UTF-8."

Lines = AsyncIterator[tuple[bytes | None, int]]


class Step(Enum):
    """How a job goes on after a batch."""

    ON = auto()
    OVER = auto()
    """The job has ended, or somebody else works on it."""
    AGAIN = auto()
    """The pool changed since the rows were read: the same rows have to be read by its new settings."""


class Batch(Struct):
    """Rows that were read: the users that they make, or why they make none, by their lines."""

    start: int
    next_byte: int
    next_line: int
    rows: list[tuple[int, Newcomer | str]]
    last: bool = False


async def run_next(deps: Deps, holder: str) -> bool:
    """Work on the active job, if nobody else does, until it ends; ``holder`` names this process. False: nothing to do."""
    job_id = await _take(deps, holder)
    if job_id is None:
        return False
    log.info("user import job %s: begins, or goes on", job_id)
    try:
        while await _work(deps, job_id, holder) is Step.AGAIN:
            pass
    except FileGone:
        await deps.store.write(partial(_give_up, job_id=job_id, holder=holder, now=deps.clock.now()))
    finally:
        await deps.store.write(partial(_let_go, job_id=job_id, holder=holder))
    job = await deps.store.read(lambda tx: tx.user_imports.find(job_id))
    if job is not None:
        counts = (job.imported, job.skipped, job.failed)
        log.info("user import job %s: %s, %d imported, %d skipped, %d failed", job_id, job.status, *counts)
    return True


async def _take(deps: Deps, holder: str) -> str | None:
    """Take the turn where nobody has it; return the job's id."""

    def is_free(tx: Tx) -> bool:
        active = tx.user_imports.active()
        return active is not None and active[2] <= deps.clock.now()

    def commit(tx: Tx) -> str | None:
        active = tx.user_imports.active()
        if active is None or not is_free(tx):
            return None
        tx.user_imports.hold_turn(active[0], holder, deps.clock.now() + PATIENCE)
        return active[0]

    return await deps.store.write(commit) if await deps.store.read(is_free) else None


def _let_go(tx: Tx, *, job_id: str, holder: str) -> None:
    """Let somebody else go on at once."""
    active = tx.user_imports.active()
    if active is not None and active[:2] == (job_id, holder):
        tx.user_imports.hold_turn(job_id, "", 0)


async def _work(deps: Deps, job_id: str, holder: str) -> Step:
    """Go on with a job where it is."""
    begun = await deps.store.write(partial(_begin, job_id=job_id, now=deps.clock.now()))
    if begun is None:
        return Step.OVER
    job, pool = begun
    fetch = chunks_of(deps, job)
    if not job.columns:
        read = await _read_header(deps, pool, job, read_lines(fetch, 0))
        if read is None:
            return Step.OVER
        job = read
    plan = Plan(pool=pool, columns=job.columns, hashing=job.hashing)
    lines = read_lines(fetch, job.next_byte)
    batch = await _read_batch(deps, plan, lines, job.next_byte, job.next_line)
    while True:
        commit = partial(_commit, deps=deps, job_id=job_id, holder=holder, pool=pool, batch=batch)
        storing = asyncio.ensure_future(deps.store.write(commit))
        try:
            # The next rows are read while these are stored.
            following = None if batch.last else await _read_batch(deps, plan, lines, batch.next_byte, batch.next_line)
        finally:
            step = await storing
        if step is not Step.ON or following is None:
            return step
        batch = following


def _begin(tx: Tx, *, job_id: str, now: int) -> tuple[ImportJob, Pool] | None:
    """Return the job, in progress from now on, and its pool; None where it is over, or the pool is gone."""
    job = tx.user_imports.find(job_id)
    pool = None if job is None else tx.catalogue.find_pool(job.pool_id)
    if job is None or pool is None:
        tx.user_imports.end_turn(job_id)
        return None
    if job.status == Status.Stopping:
        _end(tx, ended(job, Status.Stopped, STOPPED, now), job.upload_id)
        return None
    if job.status == Status.Pending:
        tx.user_imports.save(replace(job, status=Status.InProgress))
    found = tx.user_imports.find(job_id)
    return None if found is None else (found, pool)


async def _read_header(deps: Deps, pool: Pool, job: ImportJob, lines: Lines) -> ImportJob | None:
    """Read the first line; return the job, None where it has ended."""
    raw, next_byte = await _first(lines)
    columns: tuple[str, ...] = ()
    refused: FileRefused | None = None
    try:
        columns = read_header(pool, job.hashing, raw)
        check_rows(job.lines - 1)
    except FileRefused as error:
        refused = error

    def commit(tx: Tx) -> ImportJob | None:
        present = tx.user_imports.find(job.id)
        if present is None or present.status != Status.InProgress:
            return None
        if refused is not None:
            tx.user_imports.add_log(present, [LogEntry(1, 1, Outcome.FAILED, str(refused))])
            _end(tx, ended(present, Status.Failed, refused.message, deps.clock.now()), present.upload_id)
            return None
        tx.user_imports.save(replace(present, columns=columns, next_byte=next_byte, next_line=2))
        return tx.user_imports.find(job.id)

    return await deps.store.write(commit)


async def _first(lines: Lines) -> tuple[bytes | None, int]:
    """Return the first line; an empty one where there is none."""
    async for line in lines:
        return line
    return b"", 0


async def _read_batch(deps: Deps, plan: Plan, lines: Lines, start: int, line: int) -> Batch:
    """Read the rows of the next batch, letting others have their turn in between."""
    clock = asyncio.get_running_loop().time
    now = deps.clock.now()
    batch = Batch(start=start, next_byte=start, next_line=line, rows=[])
    began = clock()
    async for raw, next_byte in lines:
        read = _read_row(deps, plan, raw, now)
        if read is not None:
            batch.rows.append((batch.next_line, read))
        batch.next_byte, batch.next_line = next_byte, batch.next_line + 1
        if clock() - began >= SLICE:
            await asyncio.sleep(0)
            began = clock()
        if batch.next_line - line == BATCH:
            return batch
    batch.last = True
    return batch


def _read_row(deps: Deps, plan: Plan, raw: bytes | None, now: int) -> Newcomer | str | None:
    """Return the user that a line makes, or why it makes none; None for a blank line."""
    if raw is None:
        return TOO_LONG
    try:
        text = raw.decode()
        return read_row(plan, text, deps.random.uuid(), now) if text.strip() else None
    except UnicodeError:
        return NOT_UTF8
    except RowRefused as refused:
        return str(refused)


def _commit(tx: Tx, *, deps: Deps, job_id: str, holder: str, pool: Pool, batch: Batch) -> Step:
    """Store a batch of users and how far the job has come."""
    now = deps.clock.now()
    job, active = tx.user_imports.find(job_id), tx.user_imports.active()
    if job is None or active is None or active[:2] != (job_id, holder) or job.next_byte != batch.start:
        return Step.OVER
    if job.status == Status.Stopping:
        _end(tx, ended(job, Status.Stopped, STOPPED, now), job.upload_id)
        return Step.OVER
    present = tx.catalogue.find_pool(pool.id)
    if present is None or present.revision != pool.revision:
        return Step.AGAIN
    entries, newcomers = _let_in(tx, pool, batch)
    tx.many_users.insert(pool.id, newcomers)
    tx.user_imports.add_log(job, entries)
    counts = {outcome: sum(e.last - e.first + 1 for e in entries if e.outcome == outcome) for outcome in Outcome}
    after = replace(
        job,
        imported=job.imported + counts[Outcome.SUCCEEDED],
        skipped=job.skipped + counts[Outcome.SKIPPED],
        failed=job.failed + counts[Outcome.FAILED],
        next_byte=batch.next_byte,
        next_line=batch.next_line,
    )
    if batch.last:
        _end(tx, completed(after, now), job.upload_id)
        return Step.OVER
    if job.upload_id is not None and batch.next_byte // CHUNK > batch.start // CHUNK:
        tx.user_import_files.drop_chunks(job.upload_id, batch.next_byte // CHUNK)
    # Last, so that nobody who stops the job has to wait for long.
    tx.user_imports.hold_turn(job_id, holder, now + PATIENCE)
    tx.user_imports.save(after)
    return Step.ON


def _let_in(tx: Tx, pool: Pool, batch: Batch) -> tuple[list[LogEntry], list[Newcomer]]:
    """Return what becomes of the rows of a batch, and the users among them whose names are free."""
    taken = tx.many_users.find_taken(pool.id, [row for _, row in batch.rows if not isinstance(row, str)])
    entries: list[LogEntry] = []
    newcomers: list[Newcomer] = []
    for line, row in batch.rows:
        try:
            refusal = row if isinstance(row, str) else find_refusal(pool, row, taken)
        except AlreadyThere:
            append(entries, line, Outcome.SKIPPED, EXISTS)
            continue
        if isinstance(row, str) or refusal is not None:
            append(entries, line, Outcome.FAILED, refusal or "")
            continue
        append(entries, line, Outcome.SUCCEEDED, SUCCEEDED)
        taken.add(row)
        newcomers.append(row)
    return entries, newcomers


def _end(tx: Tx, job: ImportJob, file_id: str | None) -> None:
    """Store a job that is over; its file goes, and another job may have the turn."""
    if file_id is not None:
        tx.user_import_files.drop(file_id)
    tx.user_imports.end_turn(job.id)
    tx.user_imports.save(job)


def _give_up(tx: Tx, *, job_id: str, holder: str, now: int) -> None:
    """End a job whose file cannot be read, unless another process has read it."""
    job, active = tx.user_imports.find(job_id), tx.user_imports.active()
    if job is not None and active is not None and active[:2] == (job_id, holder):
        tx.user_imports.add_log(job, [LogEntry(job.next_line, job.next_line, Outcome.FAILED, LOST)])
        _end(tx, ended(job, Status.Failed, LOST, now), job.upload_id)
