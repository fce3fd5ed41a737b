"""Attempt limits and the lock-out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.core.limits import (
    HOUR,
    PER_HOUR,
    Purpose,
    count_failure,
    find_next_attempt,
    forgotten_at,
    is_locked,
    lock_seconds,
)

VECTOR = {5: 1, 6: 2, 7: 4, 8: 8, 9: 16, 10: 32, 11: 64, 12: 128, 13: 256, 14: 512, 15: 900, 16: 900, 99: 900}


@pytest.mark.parametrize(("failures", "seconds"), [(number, 0) for number in range(5)] + list(VECTOR.items()))
def test_the_lock_doubles(failures, seconds):
    """The test vector of spec/api/03 §13."""
    assert lock_seconds(failures) == seconds


def test_failures_lock():
    """Whoever keeps guessing as soon as possible meets the whole vector."""
    failures, now = None, 10_000
    for number in range(1, 18):
        failures = count_failure(failures, now)
        assert failures.count == number
        seconds = VECTOR.get(number, 900 if number > 15 else 0)
        assert is_locked(failures, now) is (seconds > 0)
        assert is_locked(failures, now + seconds * 1000 - 1) is (seconds > 0)
        now += seconds * 1000
        assert not is_locked(failures, now)


def test_a_quiet_quarter_of_an_hour_forgives():
    """Failures count on until fifteen minutes after the lock's end have passed."""
    failures = None
    for _ in range(6):
        failures = count_failure(failures, 0)

    assert forgotten_at(failures) == 902_000
    assert count_failure(failures, 901_999).count == 7
    assert count_failure(failures, 902_000).count == 1


@pytest.mark.parametrize("purpose", list(Purpose))
def test_attempts_of_an_hour_are_limited(purpose):
    """So many attempts pass, the next does not, and an hour after the first one they do again."""
    attempts = None
    for number in range(PER_HOUR[purpose]):
        attempts = find_next_attempt(purpose, attempts, 1000 + number)

    assert find_next_attempt(purpose, attempts, 1000 + HOUR - 1) is None
    assert find_next_attempt(purpose, attempts, 1000 + HOUR).count == 1


def test_the_documented_limits():
    """The numbers of spec/api/09 §4."""
    assert PER_HOUR[Purpose.CONFIRM_SIGN_UP] == PER_HOUR[Purpose.VERIFY_ATTRIBUTE] == 15
    assert PER_HOUR[Purpose.RESEND_CODE] == PER_HOUR[Purpose.SEND_ATTRIBUTE_CODE] == 5
    assert PER_HOUR[Purpose.CHANGE_PASSWORD] == 5
    assert 5 <= PER_HOUR[Purpose.RECOVER] <= 20


@given(st.lists(st.integers(min_value=0, max_value=HOUR // 4), max_size=60))
def test_no_hour_passes_more_than_its_limit(pauses):
    """From the first attempt of a window until its end never more attempts pass than allowed."""
    purpose, attempts, now, passed = Purpose.CHANGE_PASSWORD, None, 0, []
    for pause in pauses:
        now += pause
        following = find_next_attempt(purpose, attempts, now)
        if following is not None:
            attempts = following
            passed.append((following.since, now))

    for since in {since for since, _ in passed}:
        times = [time for start, time in passed if start == since]
        assert len(times) <= PER_HOUR[purpose]
        assert all(time - since < HOUR for time in times)
