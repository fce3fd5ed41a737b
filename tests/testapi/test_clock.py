"""The clock that test suites move."""

from itertools import count

import pytest

from poolhouse.testapi.clock import LATEST, MovedClock

NOON = 1_800_000_000_000


class Ticking:
    """A clock that goes on by a millisecond each time it is read."""

    def __init__(self):
        self._times = count(NOON)

    def now(self):
        return next(self._times)


def test_a_step_is_as_long_as_asked_for():
    """Time that passes while the clock is moved is not lost, so that steps on and back end where they began."""
    clock = MovedClock(Ticking())
    clock.advance(86_400_000)
    assert clock.offset == 86_400_000
    clock.advance(-86_400_000)
    assert clock.offset == 0


def test_a_clock_stays_where_it_was_if_it_is_told_to_leave_the_calendar():
    """Neither a step nor a time out of reach moves it."""
    clock = MovedClock(Ticking())
    for move, by in ((clock.advance, LATEST), (clock.put, LATEST), (clock.put, 0)):
        with pytest.raises(ValueError, match="2000 to 2199"):
            move(by)
    assert clock.offset == 0
