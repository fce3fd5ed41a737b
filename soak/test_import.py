"""The long version of ``tests/process/test_imports.py``."""

import random

import pytest

from tests.process.imports import Job

KILLS, ROWS = 50, 200_000


@pytest.mark.timeout(3600)
def test_fifty_kills_import_each_row_once(program):
    """Two hundred thousand rows are imported once each, however often the server was killed meanwhile."""
    job = Job(program.start(), ROWS)
    dice = random.Random(7)
    for _ in range(KILLS):
        done, _ = job.progress()
        job.kill_at(done + dice.randrange(ROWS // KILLS), dice)
    job.check()
    job.check_log()
    assert program.stop() == 0
