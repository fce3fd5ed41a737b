"""The files of user import jobs, stored in sealed chunks: how they come in, and how they are read line by line."""

from collections.abc import AsyncIterator, Awaitable, Callable

from msgspec.structs import replace

from poolhouse.core.import_csv import MAX_ROW
from poolhouse.core.import_jobs import EXPIRY, MAX_FILE, ImportJob, Status, as_of
from poolhouse.crypto.seal import SealBroken
from poolhouse.flows.calls import Deps
from poolhouse.storage import Tx

PURPOSE = "user-import-file"
CHUNK = 256 * 1024
# No row has more bytes: UTF-8 takes four for a character, and there may be a carriage return.
LONGEST_LINE = 4 * MAX_ROW + 1


class TooLarge(Exception):
    """A file is larger than one may be."""


class NotWanted(Exception):
    """The job is gone or was started, or another upload took the place of this one."""


class FileGone(Exception):
    """A part of the file is not there: most likely, another process went on with the job."""


async def receive(deps: Deps, pool_id: str, job_id: str, parts: AsyncIterator[bytes]) -> None:
    """Take a job's file in the place of an earlier one; it counts once it is there as a whole.

    Raises NotWanted, TooLarge, and what ``parts`` raises; then nothing is left of it.
    """
    file_id = deps.random.uuid()
    now = deps.clock.now()

    def begin(tx: Tx) -> None:
        job = _get_waiting(tx, pool_id, job_id, now)
        tx.user_import_files.drop_others(job.id, job.upload_id)
        tx.user_import_files.begin(pool_id, job_id, file_id, job.created_at + EXPIRY)

    await deps.store.write(begin)
    try:
        size, lines = await _store(deps, file_id, parts)

        def finish(tx: Tx) -> None:
            job = _get_waiting(tx, pool_id, job_id, now)
            _check_wanted(tx.user_import_files.touch(file_id))
            tx.user_import_files.drop_others(job.id, file_id)
            tx.user_imports.save(replace(job, upload_id=file_id, size=size, lines=lines))

        await deps.store.write(finish)
    except BaseException:
        await deps.store.write(lambda tx: tx.user_import_files.drop(file_id))
        raise


def _get_waiting(tx: Tx, pool_id: str, job_id: str, now: int) -> ImportJob:
    job = tx.user_imports.find(job_id)
    if job is None or job.pool_id != pool_id or as_of(job, now).status != Status.Created:
        raise NotWanted
    return job


async def _store(deps: Deps, file_id: str, parts: AsyncIterator[bytes]) -> tuple[int, int]:
    """Store the chunks; return the size of the file, and how many lines it has."""
    held, size, ends, number = bytearray(), 0, 0, 0
    last = b""
    async for part in parts:
        size += len(part)
        if size > MAX_FILE:
            raise TooLarge
        held += part
        last = part[-1:] or last
        ends += part.count(b"\n")
        while len(held) >= CHUNK:
            await _store_chunk(deps, file_id, number, bytes(held[:CHUNK]))
            del held[:CHUNK]
            number += 1
    if held:
        await _store_chunk(deps, file_id, number, bytes(held))
    return size, ends + (last not in {b"", b"\n"})


async def _store_chunk(deps: Deps, file_id: str, number: int, plain: bytes) -> None:
    sealed = deps.sealer.seal(PURPOSE, plain, _context(file_id, number))
    _check_wanted(await deps.store.write(lambda tx: tx.user_import_files.add_chunk(file_id, number, sealed)))


def _check_wanted(there: bool) -> None:
    if not there:
        raise NotWanted


def chunks_of(deps: Deps, job: ImportJob) -> Callable[[int], Awaitable[bytes | None]]:
    """Return what fetches a chunk of a job's file by its number: None after the last one. It raises FileGone."""
    file_id = job.upload_id

    async def fetch(number: int) -> bytes | None:
        if number * CHUNK >= job.size:
            return None
        if file_id is None:
            raise FileGone
        sealed = await deps.store.read(lambda tx: tx.user_import_files.find_chunk(file_id, number))
        if sealed is None:
            raise FileGone
        try:
            return deps.sealer.open(PURPOSE, sealed, _context(file_id, number))
        except SealBroken:
            raise FileGone from None

    return fetch


async def read_lines(
    fetch: Callable[[int], Awaitable[bytes | None]], start: int
) -> AsyncIterator[tuple[bytes | None, int]]:
    """Yield the lines of a file from a byte on, without their ends, each with the number of the byte after it.

    None stands for a line that is longer than a row may be; it is never held as a whole.
    """
    number, skipped = divmod(start, CHUNK)
    held: bytes | None = b""
    length, position = 0, start
    while (chunk := await fetch(number)) is not None:
        *ended, rest = chunk[skipped:].split(b"\n")
        for part in ended:
            position += length + len(part) + 1
            yield _joined(held, part), position
            held, length = b"", 0
        held, length = _joined(held, rest), length + len(rest)
        number, skipped = number + 1, 0
    if length:
        yield held, position + length


def _joined(held: bytes | None, part: bytes) -> bytes | None:
    return None if held is None or len(held) + len(part) > LONGEST_LINE else held + part


def _context(file_id: str, number: int) -> bytes:
    return f"{file_id}/{number}".encode()
