"""Passwords that attackers know (spec/api/07 §1, docs/decisions/0015-risk-engine.md). Nothing is asked of any network.

Two lists: a small one that comes with the program, of the passwords that are guessed first, and a large one that an
operator may have: the file of Have I Been Pwned, sorted lines of a SHA-1 digest in hexadecimal, a colon and a number.
The large one may be larger than memory: each search reads a few kilobytes of it.
"""

import asyncio
import hashlib
import logging
import os
import pathlib
import re

log = logging.getLogger(__name__)

LIST = pathlib.Path(__file__).with_name("breached.bin")
# Of a digest, the small list keeps so many bytes: one password in twenty million is taken for one of it by mistake.
DIGEST_BYTES = 5
_LINE = re.compile(rb"[0-9A-Fa-f]{40}(?::[0-9]+)?[ \t]*")
_LONGEST_LINE = 128
# A part of the file that is not halved any more but read.
_BLOCK = 4096
_SAMPLES = 64


class BadList(Exception):
    """A file is no list of digests, or not a sorted one."""


def digest_of(password: str) -> bytes:
    """Return what the small list keeps of a password: it knows no capitals."""
    return _sha1(password.lower()).digest()[:DIGEST_BYTES]


class BreachedPasswords:
    """Both lists. ``path`` is the large one, None where there is none."""

    def __init__(self, path: pathlib.Path | None = None) -> None:
        self._path = path
        self._small: bytes | None = None

    async def knows(self, password: str) -> bool:
        """Whether a password is on one of the lists.

        A large list that cannot be read any more is left out, which the log tells of: nobody is locked out for that.
        """
        if self._is_common(password):
            return True
        if self._path is None:
            return False
        try:
            return await asyncio.to_thread(search, self._path, _sha1(password).hexdigest().upper().encode())
        except (OSError, BadList) as error:
            log.warning("the list of breached passwords %s cannot be searched: %s", self._path, error)
            return False

    def _is_common(self, password: str) -> bool:
        if self._small is None:
            self._small = LIST.read_bytes()
        digest, digests = digest_of(password), self._small
        low, high = 0, len(digests) // DIGEST_BYTES
        while low < high:
            middle = (low + high) // 2
            found = digests[middle * DIGEST_BYTES : (middle + 1) * DIGEST_BYTES]
            if found == digest:
                return True
            low, high = (middle + 1, high) if found < digest else (low, middle)
        return False


def search(path: pathlib.Path, digest: bytes) -> bool:
    """Whether a file has a line for a digest (hexadecimal, capitals); raises OSError, BadList.

    The file is opened for each search, so that a new one can be moved into its place.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        low, high = 0, os.fstat(descriptor).st_size
        while high - low > _BLOCK:
            middle = (low + high) // 2
            start, line = _line_after(descriptor, middle)
            if line == digest:
                return True
            # Beyond the last line of this part there is none that begins in it.
            if line and start < high and line < digest:
                low = start
            else:
                high = middle
        # The line sought begins before ``high`` and may end after it.
        part = os.pread(descriptor, high - low + _LONGEST_LINE, low)
        return any(line[:40].upper() == digest for line in part.splitlines())
    finally:
        os.close(descriptor)


def check_list(path: pathlib.Path) -> None:
    """Check by samples that a file is a sorted list of digests; raises OSError, BadList."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        samples = [_digest_in(os.pread(descriptor, _LONGEST_LINE, 0).splitlines()[:1])]
        samples += [_line_after(descriptor, size * number // _SAMPLES)[1] for number in range(1, _SAMPLES)]
    finally:
        os.close(descriptor)
    found = [sample for sample in samples if sample]
    if found != sorted(found):
        raise BadList("its lines are not sorted by digest")


def _line_after(descriptor: int, offset: int) -> tuple[int, bytes]:
    """Return where the first line that begins after an offset begins, and its digest; empty at the end of the file."""
    part = os.pread(descriptor, 2 * _LONGEST_LINE, offset)
    _, newline, rest = part.partition(b"\n")
    if not newline and len(part) == 2 * _LONGEST_LINE:
        raise BadList("a line is too long")
    return offset + len(part) - len(rest), _digest_in(rest.splitlines()[:1])


def _digest_in(lines: list[bytes]) -> bytes:
    if not lines:
        return b""
    if not _LINE.fullmatch(lines[0]):
        raise BadList("a line is not a SHA-1 digest in hexadecimal, a colon and a number")
    return lines[0][:40].upper()


def _sha1(password: str) -> "hashlib._Hash":
    return hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False)
