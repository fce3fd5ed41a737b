"""Filling a pool with users as import jobs do: at the speed of the database, and not over HTTP."""

import asyncio
import time

from poolhouse.core.aliases import names_of
from poolhouse.core.import_csv import Newcomer
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.model import UserStatusType
from poolhouse.storage import Tx, open_store

BATCH = 1000


def fill(database: str, pool_id: str, count: int) -> float:
    """Store ``count`` users; return the seconds it took."""

    async def work() -> float:
        store = open_store(database)
        pool = await store.read(lambda tx: tx.catalogue.find_pool(pool_id))
        assert pool is not None
        began = time.perf_counter()
        for start in range(0, count, BATCH):
            await store.write(lambda tx, start=start: _batch(tx, pool, start))
        await store.close()
        return time.perf_counter() - began

    return asyncio.run(work())


def _batch(tx: Tx, pool: Pool, start: int) -> None:
    now = int(time.time() * 1000)
    tx.many_users.insert(pool.id, [_person(pool, number, now) for number in range(start, start + BATCH)])


def _person(pool: Pool, number: int, now: int) -> Newcomer:
    user = User(
        pool_id=pool.id,
        sub=f"00000000-0000-4000-8000-{number:012d}",
        username=f"filler{number:09d}",
        status=UserStatusType.CONFIRMED,
        attributes={"email": f"filler{number}@example.org", "email_verified": "true", "name": f"Filler {number}"},
        created_at=now,
        modified_at=now,
    )
    return Newcomer(name=user.username, user=user, names=names_of(pool, user), wanted=(), preferred=None)
