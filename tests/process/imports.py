"""A user import job whose server is killed while it runs, and what must be true at its end."""

import random
import time
from collections.abc import Callable
from typing import Any

from tests.csv_files import OVER, TEMPLATE, create, put, start, wait
from tests.process.durability import ORPHANS, query
from tests.process.program import Program

# Every so many rows one fails, and one names a user who is there.
FAILING, REPEATED = 97, 89


def town(count: int) -> tuple[bytes, int, int]:
    """A file of so many rows, and how many of them are skipped and failed."""
    lines, skipped, failed = [TEMPLATE], 0, 0
    for number in range(count):
        name, verified = f"u{number:07}", "true"
        if number % FAILING == FAILING - 1:
            verified, failed = "false", failed + 1
        elif number % REPEATED == REPEATED - 1:
            name, skipped = "u0000000", skipped + 1
        lines.append(f"{name},Name {number},,,,,,,,,u{number}@example.com,{verified},,,,,,,,,false")
    return "\n".join(lines).encode(), skipped, failed


class Job:
    """A job in a pool of a running server, made over the API."""

    def __init__(self, program: Program, count: int) -> None:
        self.program, self.count = program, count
        made = program.boto().create_user_pool(
            PoolName="town", AliasAttributes=["email"], AutoVerifiedAttributes=["email"]
        )
        self.pool_id = made["UserPool"]["Id"]
        body, self.skipped, self.failed = town(count)
        self.described = create(self.call(), self.pool_id)
        assert put(self.described["PreSignedUrl"], body) == (200, "")
        start(self.call(), self.described)

    def call(self) -> Callable[..., dict[str, Any]]:
        """What calls an operation of the server that runs now."""
        client = self.program.boto()
        return lambda operation, **members: client._make_api_call(operation, members)

    def progress(self) -> tuple[int, str]:
        """How many rows are done, and the job's status, by the database."""
        sql = "SELECT imported + skipped + failed, status FROM user_import_jobs"
        return query(self.program.database, sql)[0]

    def wait_for(self, rows: int, seconds: float = 60) -> None:
        """Wait until so many rows are done or the job is over."""
        deadline = time.monotonic() + seconds
        while True:
            done, status = self.progress()
            if done >= rows or status in OVER:
                return
            assert time.monotonic() < deadline, self.program.told
            time.sleep(0.002)

    def kill_at(self, rows: int, dice: random.Random) -> str:
        """Kill the server soon after so many rows are done, and start it again; give the status that it left."""
        self.wait_for(rows)
        time.sleep(dice.random() * 0.05)
        self.program.kill()
        _, status = self.progress()
        self.program.start()
        return status

    def check(self) -> None:
        """Wait for the end: every row counts once, and there is one user for each that was imported."""
        job = wait(self.call(), self.described, seconds=600)
        imported = self.count - self.skipped - self.failed
        assert (job["Status"], job["ImportedUsers"], job["SkippedUsers"], job["FailedUsers"]) == (
            *("Succeeded", imported, self.skipped, self.failed),
        )
        database = self.program.database
        of_pool = f"FROM users WHERE pool_id = '{self.pool_id}'"
        assert query(database, f"SELECT COUNT(*), COUNT(DISTINCT username) {of_pool}") == [(imported, imported)]
        for table in ORPHANS:
            assert query(database, f"SELECT COUNT(*) FROM {table} WHERE user_id NOT IN (SELECT id FROM users)") == [
                (0,)
            ]
        found = query(database, "SELECT COUNT(DISTINCT user_id) FROM user_search WHERE attribute = 'email'")
        assert found == [(imported,)]
        aliases = f"SELECT COUNT(*) FROM user_aliases WHERE pool_id = '{self.pool_id}'"
        assert query(database, aliases) == [(imported,)]
        pool = self.call()("DescribeUserPool", UserPoolId=self.pool_id)["UserPool"]
        assert pool["EstimatedNumberOfUsers"] == imported

    def check_log(self) -> None:
        """The log that the command prints has each row once, in order."""
        log = self.program.out("imports", "log", self.described["JobId"]).splitlines()
        assert [int(line.split()[3]) for line in log] == list(range(2, self.count + 2))
        assert sum(line.startswith("[SUCCEEDED]") for line in log) == self.count - self.skipped - self.failed
        problems = self.program.out("imports", "log", self.described["JobId"], "--problems").splitlines()
        assert problems == [line for line in log if not line.startswith("[SUCCEEDED]")]
