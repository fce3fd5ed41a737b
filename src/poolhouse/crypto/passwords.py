"""Password hashes: Argon2id (RFC 9106), and those that imported users bring along; always on a thread."""

import os
import re
from base64 import b64decode, b64encode

import argon2
from argon2.exceptions import VerifyMismatchError

from poolhouse.core.password_hashes import Argon2, read_hash
from poolhouse.crypto.foreign_hashes import matches
from poolhouse.crypto.threads import Threads

_PHC = re.compile(
    r"\$argon2id\$v=19\$m=(?P<memory>[1-9]\d{0,6}),t=[1-9]\d{0,3},p=(?P<lanes>[1-9]\d?)"
    r"\$(?P<salt>[A-Za-z0-9+/]{11,86})\$(?P<tag>[A-Za-z0-9+/]{16,171})",
    re.ASCII,
)
# How our own hashes begin, and imported ones by the same algorithm.
OWN = "$argon2id$"


class PasswordHasher:
    """Hashes and verifies passwords without holding up the event loop.

    The default costs are OWASP's for Argon2id. ``threads`` hashes are worked on at a time,
    ``queue`` of them may wait or run before callers are told to slow down.
    """

    def __init__(
        self,
        *,
        memory_kib: int = 19_456,
        time_cost: int = 2,
        parallelism: int = 1,
        threads: int = 2,
        queue: int = 64,
    ) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism)
        self._threads = Threads("password", threads=threads, queue=queue)
        self._nobody = _unmatched(self._argon2)

    async def hash(self, password: str) -> str:
        """Return a PHC string; raises TooManyRequestsException when too many hashes wait already."""
        return await self._threads.run(self._argon2.hash, password)

    async def verify(self, hash: str | None, password: str) -> bool:
        """Say whether ``password`` is the one hashed. None, a user without one, costs the same work and is false.

        Raises TooManyRequestsException as ``hash`` does.
        """
        matches = await self._threads.run(self._verify, hash or self._nobody, password)
        return matches and hash is not None

    def needs_rehash(self, hash: str) -> bool:
        """Whether the hash was made with other parameters than today's, or by another algorithm."""
        return not hash.startswith(OWN) or self._argon2.check_needs_rehash(hash)

    def is_hash(self, text: str) -> bool:
        """Whether a text is a hash that ``verify`` can check."""
        found = _PHC.fullmatch(text)
        if found is None or int(found["memory"]) < 8 * int(found["lanes"]):
            return False
        return all(_is_base64(found[part]) for part in ("salt", "tag"))

    def close(self) -> None:
        """End the threads."""
        self._threads.close()

    def _verify(self, hash: str, password: str) -> bool:
        if not hash.startswith(OWN):
            foreign = read_hash(hash)
            assert not isinstance(foreign, Argon2)
            return matches(foreign, password)
        try:
            return self._argon2.verify(hash, password)
        except VerifyMismatchError:
            return False


def _unmatched(hasher: argon2.PasswordHasher) -> str:
    """Return a well-formed hash with today's parameters that no known password has."""
    salt, tag = (b64encode(os.urandom(length)).rstrip(b"=").decode() for length in (hasher.salt_len, hasher.hash_len))
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${tag}"


def _is_base64(text: str) -> bool:
    """Whether a text without padding is how some bytes are written: the library takes no other way."""
    return len(text) % 4 != 1 and b64encode(b64decode(text + "=" * (-len(text) % 4))).rstrip(b"=").decode() == text
