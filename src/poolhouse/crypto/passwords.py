"""Password hashes: Argon2id (RFC 9106), always on a thread."""

import os
from base64 import b64encode

import argon2
from argon2.exceptions import VerifyMismatchError
from msgspec import Struct

from poolhouse.crypto.threads import Threads


class PasswordSettings(Struct, frozen=True, kw_only=True):
    """How passwords are hashed. The defaults are OWASP's first recommendation for Argon2id."""

    memory_kib: int = 19_456
    """Memory of one hash in KiB."""
    passes: int = 2
    """How often that memory is walked over."""
    lanes: int = 1
    """Argon2's degree of parallelism."""
    threads: int = 2
    """Hashes worked on at the same time in one process."""
    queue: int = 64
    """Hashes that may wait or run in one process before callers are told to slow down."""


class PasswordHasher:
    """Hashes and verifies passwords without holding up the event loop."""

    def __init__(self, settings: PasswordSettings | None = None) -> None:
        settings = settings or PasswordSettings()
        self._argon2 = argon2.PasswordHasher(
            time_cost=settings.passes, memory_cost=settings.memory_kib, parallelism=settings.lanes
        )
        self._threads = Threads("password", threads=settings.threads, queue=settings.queue)
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
        """Whether the hash was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(hash)

    def close(self) -> None:
        """End the threads."""
        self._threads.close()

    def _verify(self, hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(hash, password)
        except VerifyMismatchError:
            return False


def _unmatched(hasher: argon2.PasswordHasher) -> str:
    """Return a well-formed hash with today's parameters that no known password has."""
    salt, tag = (b64encode(os.urandom(length)).rstrip(b"=").decode() for length in (hasher.salt_len, hasher.hash_len))
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${tag}"
