"""Password hashes: right ones match, nobody's cost the same, and a crowd is told to slow down."""

import asyncio
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator

import argon2
import pytest

from poolhouse.crypto.passwords import PasswordHasher
from poolhouse.crypto.threads import NICENESS, Threads
from poolhouse.model import TooManyRequestsException


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(memory_kib=8, time_cost=1)
    yield hasher
    hasher.close()


def test_default_costs_are_owasps():
    """Without settings a hash takes 19 MiB, two passes and one lane."""
    hasher = PasswordHasher()
    hashed = asyncio.run(hasher.hash("Correct-Horse-1"))
    hasher.close()

    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert argon2.PasswordHasher().verify(hashed, "Correct-Horse-1")


@pytest.mark.parametrize("password", ["Correct-Horse-1", "pä ß 密码 🔑", "a\0b", "x" * 256])
def test_only_the_right_password_matches(hasher: PasswordHasher, password: str):
    """A password matches its hash; one that differs in its last character does not."""

    async def conversation() -> tuple[bool, bool, bool]:
        hashed = await hasher.hash(password)
        return (
            await hasher.verify(hashed, password),
            await hasher.verify(hashed, password[:-1]),
            await hasher.verify(None, password),
        )

    assert asyncio.run(conversation()) == (True, False, False)


def test_hashes_are_salted(hasher: PasswordHasher):
    """The same password is hashed differently each time."""

    async def both() -> list[str]:
        return [await hasher.hash("same"), await hasher.hash("same")]

    assert len(set(asyncio.run(both()))) == 2


def test_rehash_is_needed_after_a_change_of_costs(hasher: PasswordHasher):
    """A hash made with other costs still matches, and asks to be made again."""
    stronger = PasswordHasher(memory_kib=16, time_cost=2)

    async def conversation() -> tuple[bool, bool, bool]:
        old = await hasher.hash("password")
        return await stronger.verify(old, "password"), stronger.needs_rehash(old), hasher.needs_rehash(old)

    assert asyncio.run(conversation()) == (True, True, False)
    stronger.close()


def test_an_unknown_user_costs_the_same():
    """Verifying against nobody's hash takes as long as against somebody's (design/SECURITY §4.28)."""
    hasher = PasswordHasher(memory_kib=4096, time_cost=1)

    async def seconds(hashed: str | None) -> float:
        begin = time.perf_counter()
        assert not await hasher.verify(hashed, "wrong")
        return time.perf_counter() - begin

    async def compare() -> float:
        known = await hasher.hash("right")
        pairs = [(await seconds(known), await seconds(None)) for _ in range(41)]
        return statistics.median(there for there, _ in pairs) / statistics.median(nowhere for _, nowhere in pairs)

    ratio = asyncio.run(compare())
    hasher.close()
    assert 0.6 < ratio < 1.7


def test_a_full_queue_turns_away_at_once():
    """Beyond the queue callers get TooManyRequestsException, and those inside are served."""
    # Slow enough that the first is not done before the last arrives.
    hasher = PasswordHasher(memory_kib=32_768, time_cost=1, threads=1, queue=3)

    async def crowd() -> list[object]:
        return await asyncio.gather(*(hasher.hash("password") for _ in range(10)), return_exceptions=True)

    answers = asyncio.run(crowd())
    refused = [answer for answer in answers if isinstance(answer, TooManyRequestsException)]
    hasher.close()

    assert len(refused) == 7
    assert {str(error) for error in refused} == {"Rate exceeded"}
    assert all(isinstance(answer, str) for answer in answers[:3])


def test_the_queue_empties_again():
    """Places are given back after success, failure and cancelling; the latter only when the work is over."""
    threads = Threads("test", threads=1, queue=1)
    gate = threading.Event()

    async def conversation() -> None:
        waiting = asyncio.create_task(threads.run(gate.wait, 10))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequestsException):
            await threads.run(int)
        gate.set()
        while threads._taken:
            await asyncio.sleep(0.001)
        with pytest.raises(ValueError, match="invalid literal"):
            await threads.run(int, "x")
        assert await threads.run(int, "5") == 5

    asyncio.run(conversation())
    threads.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a niceness per thread")
def test_the_threads_step_back():
    """The work runs at a lower priority, the event loop does not."""
    threads = Threads("test", threads=1, queue=1)

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    own = niceness()
    theirs = asyncio.run(threads.run(niceness))
    threads.close()

    assert theirs == max(own, NICENESS)
    assert niceness() == own


def test_the_loop_keeps_turning():
    """While a password is hashed the event loop answers others."""
    hasher = PasswordHasher(memory_kib=65_536, time_cost=2)

    async def turns() -> int:
        hashing = asyncio.create_task(hasher.hash("password"))
        count = 0
        while not hashing.done():
            await asyncio.sleep(0)
            count += 1
        return count

    count = asyncio.run(turns())
    hasher.close()
    assert count > 100
