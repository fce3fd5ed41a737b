"""User import jobs survive ``kill -9``, and go from one process to another."""

import pathlib
import random

from tests.process.imports import Job


def test_a_kill_in_the_middle_imports_each_row_once(program):
    """Where a server was killed while it imported, every row was imported once in the end (spec/api/08)."""
    job = Job(program.start(), 8_000)

    assert job.kill_at(1, random.Random(1)) == "InProgress"

    job.check()
    job.check_log()
    assert program.refusal("imports", "log", "import-none") == "poolhouse: there is no user import job import-none"
    assert program.stop() == 0


def test_another_process_takes_over_at_once(install, own_database):
    """Where a server ends as it should, another one of the installation goes on with the job."""
    servers = [install(own_database, name, MASTER_KEY="11" * 32) for name in ("first", "second")]
    if own_database.startswith("sqlite:///"):
        pathlib.Path(own_database.removeprefix("sqlite:///")).parent.mkdir()
    for server in servers:
        server.start()
    job = Job(servers[0], 8_000)
    begins = f"{job.described['JobId']}: begins"
    job.wait_for(1)
    working, other = sorted(servers, key=lambda server: begins not in server.told)

    assert working.stop() == 0

    job.program = other
    job.check()
    assert begins in other.told
