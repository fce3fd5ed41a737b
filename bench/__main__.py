"""``python -m bench``: measure, compare with the machine's limits, print the table.

``BENCH_OUT=file.json`` keeps the figures. ``BENCH_USERS`` and ``BENCH_LARGE`` change the sizes of the pools
(100,000 and 1,000,000 users), ``BENCH_ROUNDS`` the number of interleaved rounds (5).
"""

import asyncio
import os
import pathlib
import sys
from collections.abc import Awaitable, Callable

import uvloop

from bench import limits, lists, report, scenarios
from bench.load import Result
from bench.machine import LOAD_CORE, SERVER_CORE, pin, running, sqlite_database
from bench.people import fill
from tests.postgres import postgres_url

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
USERS = int(os.environ.get("BENCH_USERS", "100000"))

Scenario = Callable[[scenarios.Stage], Awaitable[Result]]


def drive_all(stage: scenarios.Stage, chosen: dict[str, Scenario], samples: dict[str, list[Result]]) -> None:
    """Run each scenario once."""
    for name, scenario in chosen.items():
        result = uvloop.run(scenario(stage))
        samples.setdefault(name, []).append(result)
        print(
            f"  {name:28} {result.rate:10.0f}/s  p99 {result.percentile(0.99) * 1000:8.1f} ms"
            f"  {result.cpu_each * 1e6:9.0f} µs CPU each",
            file=sys.stderr,
        )


def measure_limits(samples: dict[str, list[limits.Speed]], postgres: str | None = None) -> None:
    """Measure the limits once, on the server's core, while the server is idle."""
    pin(SERVER_CORE)
    samples.setdefault("rsa", []).append(limits.rsa_signatures())
    samples.setdefault("argon2", []).append(limits.argon2_hashes())
    samples.setdefault("sqlite", []).append(limits.sqlite_commits())
    if postgres:
        samples.setdefault("postgres", []).append(limits.postgres_commits(postgres))
    pin_load()


def pin_load() -> None:
    """Move to the other core."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    pin(LOAD_CORE)


async def under_load(stage: scenarios.Stage) -> Result:
    """GetUser while password sign-ins saturate the server's core."""
    load = asyncio.create_task(scenarios.password_sign_in(stage))
    await asyncio.sleep(0.5)
    result = await scenarios.get_user(stage)
    await load
    return result


def on_sqlite(results: dict[str, list[Result]], yard: dict[str, list[limits.Speed]]) -> dict[str, float]:
    """Measure on SQLite; return start-up time and memory."""
    with sqlite_database() as database:
        with running(database) as machine:
            facts = {"rounds": ROUNDS, "users": USERS, "memory idle": machine.memory_mb()}
            stage, pools = scenarios.prepare(machine), lists.make_pools(machine)
        fill(database, stage.pool_id, USERS)
        stored = lists.fill_pools(database, pools)
        with running(database, stage.machine.port) as machine:
            stage.machine = machine
            machine.settle()
            chosen = SHARED | lists.scenarios_of(pools) | {"GetUser under sign-ins": under_load}
            for number in range(ROUNDS):
                print(f"SQLite, round {number + 1} of {ROUNDS}", file=sys.stderr)
                measure_limits(yard)
                drive_all(stage, chosen, results)
            return facts | {
                "start": machine.started_in,
                "memory after load": machine.memory_mb(),
                "stored per second": stored,
            }


def on_postgres(results: dict[str, list[Result]], yard: dict[str, list[limits.Speed]]) -> None:
    """Measure what depends on the database's reads on PostgreSQL."""
    with postgres_url() as database, running(database) as machine:
        limits.make_durable(database)
        stage, pools = scenarios.prepare(machine), lists.make_pools(machine)
        fill(database, stage.pool_id, USERS)
        lists.fill_pools(database, pools)
        machine.settle()
        chosen: dict[str, Scenario] = {
            "GetUser, PostgreSQL": scenarios.get_user,
            "userInfo, PostgreSQL": scenarios.user_info,
            "authorization_code, PostgreSQL": scenarios.code_exchange,
            "refresh_token, PostgreSQL": scenarios.refresh,
            **lists.scenarios_of(pools, ", PostgreSQL"),
        }
        for number in range(ROUNDS):
            print(f"PostgreSQL, round {number + 1} of {ROUNDS}", file=sys.stderr)
            measure_limits(yard, database)
            drive_all(stage, chosen, results)


SHARED: dict[str, Scenario] = {
    "client_credentials": scenarios.client_credentials,
    "refresh_token": scenarios.refresh,
    "authorization_code": scenarios.code_exchange,
    "GetUser": scenarios.get_user,
    "userInfo": scenarios.user_info,
    "JWKS": scenarios.jwks,
    "discovery": scenarios.discovery,
    "password sign-in": scenarios.password_sign_in,
    "SRP sign-in": scenarios.srp_sign_in,
    "SignUp": scenarios.sign_up,
    "AdminCreateUser": scenarios.admin_create_user,
}


def main() -> None:
    """Measure everything."""
    pin_load()
    results: dict[str, list[Result]] = {}
    yard: dict[str, list[limits.Speed]] = {}
    facts = on_sqlite(results, yard)
    on_postgres(results, yard)
    print(report.table(results, yard, facts))
    if path := os.environ.get("BENCH_OUT"):
        pathlib.Path(path).write_text(report.as_json(results, yard, facts))


if __name__ == "__main__":
    main()
