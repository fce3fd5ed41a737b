"""What the server has acknowledged survives ``kill -9``."""

from tests.process.durability import Journal, Town, check, kill_in_the_middle


def test_kill_in_the_middle_loses_nothing_acknowledged(program):
    """Whoever was told to be signed up, confirmed or given tokens is so after each of three kills."""
    town = Town(program.start())
    journal = Journal()
    for seed in range(3):
        known = len(journal.people)
        journal.codes = town.fetch_codes(15)
        kill_in_the_middle(town, journal, seed, 150)
        program.start()
        check(town, journal, since=known)
    assert len(journal.people) > 100
    assert journal.redeemed
    assert program.stop() == 0
