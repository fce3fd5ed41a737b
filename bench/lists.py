"""Lists of small pools and of large ones: a page must cost the same in both (design/PERFORMANCE §4)."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from functools import partial

from bench.load import Result
from bench.machine import Machine, signed
from bench.people import fill
from bench.scenarios import Stage
from poolhouse.core.client import Client
from poolhouse.core.groups import Group
from poolhouse.model import UserPoolClientType
from poolhouse.storage import Tx, open_store

LARGE = int(os.environ.get("BENCH_LARGE", "1000000"))
# Users, groups and app clients of the two pools, and members of the group that is listed. Each fills a page of 60.
SIZES = {"small": (1000, 100, 100, 1000), "large": (LARGE, 10_000, 1000, 100_000)}
BATCH = 1000
GROUP = "g00005"
# What is asked, beside the pool.
ASKED: dict[str, tuple[str, dict[str, object]]] = {
    "ListUsers": ("ListUsers", {"Filter": 'email ^= "filler1"', "Limit": 60}),
    "ListUsers by status": ("ListUsers", {"Filter": 'cognito:user_status = "CONFIRMED"', "Limit": 60}),
    "ListGroups": ("ListGroups", {"Limit": 60}),
    "ListUsersInGroup": ("ListUsersInGroup", {"GroupName": GROUP, "Limit": 60}),
    "ListUserPoolClients": ("ListUserPoolClients", {"MaxResults": 60}),
}

Scenario = Callable[[Stage], Awaitable[Result]]


def make_pools(machine: Machine) -> dict[str, str]:
    """Make the two pools; return their ids."""
    return {size: machine.boto().create_user_pool(PoolName=size)["UserPool"]["Id"] for size in SIZES}


def fill_pools(database: str, pools: dict[str, str]) -> float:
    """Fill both; return how many users were stored in a second."""
    seconds = 0.0
    for size, pool_id in pools.items():
        users, *others = SIZES[size]
        seconds = fill(database, pool_id, users)
        asyncio.run(_fill_others(database, pool_id, *others))
    return LARGE / seconds


async def _fill_others(database: str, pool_id: str, groups: int, clients: int, members: int) -> None:
    store, now = open_store(database), int(time.time() * 1000)
    for start in range(0, groups, BATCH):
        await store.write(
            lambda tx, start=start: _add_groups(tx, pool_id, range(start, min(start + BATCH, groups)), now)
        )
    await store.write(lambda tx: _add_clients(tx, pool_id, clients))
    for start in range(0, members, BATCH):
        await store.write(lambda tx, start=start: _add_members(tx, pool_id, start))
    await store.close()


def _add_groups(tx: Tx, pool_id: str, numbers: range, now: int) -> None:
    for number in numbers:
        tx.groups.insert(Group(pool_id=pool_id, name=f"g{number:05}", created_at=now, modified_at=now))


def _add_clients(tx: Tx, pool_id: str, count: int) -> None:
    for number in range(count):
        id = f"{pool_id[-9:].lower()}{number:017}"
        settings = UserPoolClientType(user_pool_id=pool_id, client_id=id, client_name=f"client {number}")
        tx.clients.insert(Client(id=id, pool_id=pool_id, settings=settings))


def _add_members(tx: Tx, pool_id: str, start: int) -> None:
    group = tx.groups.find(pool_id, GROUP)
    assert group is not None
    for user in tx.users.page(pool_id, after=f"filler{start - 1:09}" if start else None, limit=BATCH):
        tx.groups.add(group, user)


async def _page(stage: Stage, operation: str, body: bytes) -> Result:
    request = signed(stage.machine.url, operation, body)
    return await stage.machine.drive(lambda _: request, connections=8, seconds=1.5)


def scenarios_of(pools: dict[str, str], suffix: str = "") -> dict[str, Scenario]:
    """Return a scenario for each list and pool."""
    return {
        f"{name}, {size}{suffix}": partial(
            _page, operation=operation, body=json.dumps({"UserPoolId": pool_id, **members}).encode()
        )
        for name, (operation, members) in ASKED.items()
        for size, pool_id in pools.items()
    }
