"""The long version of ``tests/process/test_durability.py``."""

import pytest

from tests.process.durability import Journal, Town, check, kill_in_the_middle

KILLS, OPERATIONS = 100, 10_000
# Codes to redeem between two kills.
CODES = 20


@pytest.mark.timeout(3600)
def test_a_hundred_kills_lose_nothing_acknowledged(program):
    """Ten thousand acknowledged operations are all there in the end, however often the server was killed."""
    town = Town(program.start())
    journal = Journal()
    for seed in range(KILLS):
        known = len(journal.people)
        journal.codes = town.fetch_codes(CODES)
        kill_in_the_middle(town, journal, seed, OPERATIONS // KILLS)
        program.start()
        check(town, journal, since=known)
    assert journal.operations >= OPERATIONS
    assert program.stop() == 0
