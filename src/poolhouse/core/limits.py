"""Attempt limits per user and hour, and the lock-out of guesses at sign-in. Times are milliseconds."""

from enum import StrEnum

from poolhouse.core.session import Attempts

HOUR = 3_600_000
# spec/api/03 §13: the fifth failure locks, a quarter of an hour of quiet forgives.
FAILURES_BEFORE_LOCK = 5
LONGEST_LOCK_SECONDS = 900
QUIET = 900_000


class Guess(StrEnum):
    """What is guessed at sign-in; each has a lock-out of its own, or a right password would forgive wrong codes.

    ``CODE`` is one of a second factor. ``FIRST_CODE`` is asked for by a name alone: strangers who guess it must not
    lock the other, which is for those who know the password.
    """

    PASSWORD = "password"
    CODE = "code"
    FIRST_CODE = "first-code"


class Purpose(StrEnum):
    """What an attempt counter counts."""

    CONFIRM_SIGN_UP = "confirm-sign-up"
    RESEND_CODE = "resend-code"
    RECOVER = "recover"
    CHANGE_PASSWORD = "change-password"
    SEND_ATTRIBUTE_CODE = "send-attribute-code"
    VERIFY_ATTRIBUTE = "verify-attribute"
    JOURNAL = "journal"
    RISK_MAIL = "risk-mail"


# spec/api/09 §4; recovery is "5-20", counting ForgotPassword and ConfirmForgotPassword together.
PER_HOUR = {
    Purpose.CONFIRM_SIGN_UP: 15,
    Purpose.RESEND_CODE: 5,
    Purpose.RECOVER: 10,
    Purpose.CHANGE_PASSWORD: 5,
    Purpose.SEND_ATTRIBUTE_CODE: 5,
    Purpose.VERIFY_ATTRIBUTE: 15,
    # Our own: refusals that are recorded although nothing else is written for them.
    Purpose.JOURNAL: 30,
    # Our own too: mail about risky sign-ins.
    Purpose.RISK_MAIL: 10,
}


def find_next_attempt(purpose: Purpose, earlier: Attempts | None, now: int) -> Attempts | None:
    """Return the counter after one more attempt, or None where the hour's attempts are used up."""
    return count_in_window(earlier, now, most=PER_HOUR[purpose], window=HOUR)


def count_in_window(earlier: Attempts | None, now: int, *, most: int, window: int) -> Attempts | None:
    """Return a counter after one more, or None where the window, which began with the first, has room for no more."""
    if earlier is None or now - earlier.since >= window:
        return Attempts(count=1, since=now)
    return None if earlier.count >= most else Attempts(count=earlier.count + 1, since=earlier.since)


def count_within_hour(counted: Attempts | None, now: int) -> int:
    """Return what a counter of an hour says while that hour lasts."""
    return counted.count if counted is not None and now - counted.since < HOUR else 0


def lock_seconds(failures: int) -> int:
    """Return how long the failure of this number locks password sign-in (spec/api/03 §13)."""
    if failures < FAILURES_BEFORE_LOCK:
        return 0
    return int(min(2 ** min(failures - FAILURES_BEFORE_LOCK, 10), LONGEST_LOCK_SECONDS))


def is_locked(failures: Attempts | None, now: int) -> bool:
    """Whether every attempt is refused now, with the right password too."""
    return failures is not None and now < failures.locked_until


def count_failure(earlier: Attempts | None, now: int) -> Attempts:
    """Return the counter after one more wrong password; ``since`` is the time of the last one."""
    quiet = earlier is None or now >= forgotten_at(earlier)
    count = 1 if earlier is None or quiet else earlier.count + 1
    lock = lock_seconds(count)
    return Attempts(count=count, since=now, locked_until=now + lock * 1000 if lock else 0)


def forgotten_at(failures: Attempts) -> int:
    """Return when failures stop to count, if no further one comes."""
    return max(failures.since, failures.locked_until) + QUIET
