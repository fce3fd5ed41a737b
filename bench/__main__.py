"""``python -m bench``: measure, compare with the machine's limits, print the table.

``BENCH_OUT=file.json`` keeps the figures. ``BENCH_USERS`` and ``BENCH_LARGE`` change the sizes of the pools
(100,000 and 1,000,000 users), ``BENCH_ROUNDS`` the number of interleaved rounds (5).
"""

import asyncio
import json
import os
import platform
import statistics
import sys
import sysconfig
from collections.abc import Awaitable, Callable
from functools import partial

import uvloop
from tests.postgres import postgres_url

from bench import limits, scenarios
from bench.load import Result
from bench.machine import LOAD_CORE, SERVER_CORE, Machine, pin, running, sqlite_database
from bench.people import fill

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
USERS = int(os.environ.get("BENCH_USERS", "100000"))
LARGE = int(os.environ.get("BENCH_LARGE", "1000000"))

# What is measured, the limit it is held against, and the target (design/PERFORMANCE §5, column "first").
RATIOS: tuple[tuple[str, str, float], ...] = (
    ("client_credentials", "rsa", 0.70),
    ("refresh_token", "rsa", 0.35),
    ("authorization_code", "rsa", 0.30),
    ("GetUser", "rsa", 2.5),
    ("userInfo", "rsa", 2.5),
    ("JWKS", "rsa", 8.0),
    ("discovery", "rsa", 8.0),
    ("password sign-in", "argon2", 0.85),
    ("SignUp", "argon2", 0.80),
    ("GetUser, PostgreSQL", "rsa", 1.5),
    ("userInfo, PostgreSQL", "rsa", 1.5),
)
ABSOLUTE: tuple[tuple[str, float], ...] = (
    ("SRP sign-in", 200),
    ("AdminCreateUser", 1500),
    ("ListUsers, 1 thousand", 2500),
    ("ListUsers, 1 million", 2500),
)

Scenario = Callable[[scenarios.Stage], Awaitable[Result]]


def drive_all(stage: scenarios.Stage, chosen: dict[str, Scenario], samples: dict[str, list[Result]]) -> None:
    """Run each scenario once."""
    for name, scenario in chosen.items():
        result = uvloop.run(scenario(stage))
        samples.setdefault(name, []).append(result)
        print(f"  {name:28} {result.rate:10.0f}/s  p99 {result.percentile(0.99) * 1000:8.1f} ms", file=sys.stderr)


def measure_limits(samples: dict[str, list[float]], postgres: str | None = None) -> None:
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


def on_sqlite(results: dict[str, list[Result]], yard: dict[str, list[float]]) -> dict[str, float]:
    """Measure on SQLite; return start-up time and memory."""
    with sqlite_database() as database:
        with running(database) as machine:
            memory = {"memory idle": machine.memory_mb()}
            stage = scenarios.prepare(machine)
            small, large = (_listed_pool(machine, name) for name in ("small", "large"))
        fill(database, stage.pool_id, USERS)
        fill(database, small, 1000)
        seconds = fill(database, large, LARGE)
        print(f"  {LARGE:,} users stored in {seconds:.0f} s ({LARGE / seconds:,.0f}/s)", file=sys.stderr)
        with running(database, stage.machine.port) as machine:
            stage.machine = machine
            chosen = SHARED | {
                "ListUsers, 1 thousand": partial(scenarios.list_users, pool_id=small),
                "ListUsers, 1 million": partial(scenarios.list_users, pool_id=large),
                "GetUser under sign-ins": under_load,
            }
            for number in range(ROUNDS):
                print(f"SQLite, round {number + 1} of {ROUNDS}", file=sys.stderr)
                measure_limits(yard)
                drive_all(stage, chosen, results)
            return memory | {"memory after load": machine.memory_mb(), "start": machine.started_in}


def on_postgres(results: dict[str, list[Result]], yard: dict[str, list[float]]) -> None:
    """Measure what depends on the database's reads on PostgreSQL."""
    with postgres_url() as database, running(database) as machine:
        limits.make_durable(database)
        stage = scenarios.prepare(machine)
        fill(database, stage.pool_id, USERS)
        for number in range(ROUNDS):
            print(f"PostgreSQL, round {number + 1} of {ROUNDS}", file=sys.stderr)
            measure_limits(yard, database)
            chosen: dict[str, Scenario] = {
                "GetUser, PostgreSQL": scenarios.get_user,
                "userInfo, PostgreSQL": scenarios.user_info,
                "authorization_code, PostgreSQL": scenarios.code_exchange,
                "refresh_token, PostgreSQL": scenarios.refresh,
            }
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


def _listed_pool(machine: Machine, name: str) -> str:
    pool_id: str = machine.boto().create_user_pool(PoolName=name)["UserPool"]["Id"]
    return pool_id


def report(results: dict[str, list[Result]], yard: dict[str, list[float]], facts: dict[str, float]) -> None:
    """Print the table, and keep the figures where BENCH_OUT says."""
    limit = {name: statistics.median(values) for name, values in yard.items()}
    rate = {name: statistics.median(result.rate for result in several) for name, several in results.items()}
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "") or "-O2" in (
        sysconfig.get_config_var("CFLAGS") or ""
    )
    print(
        f"\nPython {platform.python_version()} ({'optimised' if optimised else 'plain'} build), medians of {ROUNDS} rounds"
    )
    print("\nLimits of this machine, one core")
    for name, value in limit.items():
        print(f"  {name:28} {value:10,.0f}/s")
    print("\nOver HTTP, the server on one core            rate      ratio     target")
    for name, against, target in RATIOS:
        ratio = rate[name] / limit[against]
        mark = "" if ratio >= target else "  below"
        print(f"  {name:32} {rate[name]:10,.0f}/s {ratio:9.2f} {target:9.2f} of {against}{mark}")
    for name, wanted in ABSOLUTE:
        mark = "" if rate[name] >= wanted else "  below"
        print(f"  {name:32} {rate[name]:10,.0f}/s {'':9} {wanted:9,.0f}/s{mark}")
    growth = rate["ListUsers, 1 thousand"] / rate["ListUsers, 1 million"]
    print(
        f"  {'ListUsers, cost at 1 million':32} {growth:21.2f} {1.5:9.2f} at most{'' if growth <= 1.5 else '  above'}"
    )
    kept = rate["GetUser under sign-ins"] / rate["GetUser"]
    worst = statistics.median(result.percentile(0.99) for result in results["GetUser under sign-ins"]) * 1000
    print(
        f"  {'GetUser under sign-ins':32} {rate['GetUser under sign-ins']:10,.0f}/s {kept:9.2f} {0.75:9.2f} of idle, p99 {worst:.1f} ms"
    )
    for name in ("authorization_code, PostgreSQL", "refresh_token, PostgreSQL"):
        print(f"  {name:32} {rate[name]:10,.0f}/s {rate[name] / limit['rsa']:9.2f}")
    print(f"\nStart to first answer with {USERS:,} users  {facts['start']:.2f} s (1 s at most)")
    print(f"Memory idle {facts['memory idle']:.0f} MB (80), after load {facts['memory after load']:.0f} MB (120)")
    if path := os.environ.get("BENCH_OUT"):
        with open(path, "w") as file:
            json.dump({"limits": limit, "rates": rate, "facts": facts}, file, indent=2)


def main() -> None:
    """Measure everything."""
    pin_load()
    results: dict[str, list[Result]] = {}
    yard: dict[str, list[float]] = {}
    facts = on_sqlite(results, yard)
    on_postgres(results, yard)
    report(results, yard, facts)


if __name__ == "__main__":
    main()
