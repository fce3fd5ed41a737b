"""Attempt limits and the lock-out over ``tx.attempts``, per pool and name, whether or not such a user exists.

All functions run inside a transaction. Refusals are raised, so nothing may be counted in a transaction that
is then left by an error: return the outcome from the work function, and raise it outside.
"""

from poolhouse.core import limits
from poolhouse.core.aliases import fold_username, index_form
from poolhouse.core.codes import LIFETIMES, CodePurpose
from poolhouse.core.limits import Guess, Purpose
from poolhouse.core.pool import Pool
from poolhouse.core.session import Attempts
from poolhouse.core.user import User
from poolhouse.flows.users import find_user
from poolhouse.model import LimitExceededException, NotAuthorizedException
from poolhouse.storage import Tx

LOCKED = "Password attempts exceeded"


def count_attempt(tx: Tx, now: int, pool: Pool, username: str, purpose: Purpose) -> None:
    """Count one attempt of this hour; raises LimitExceededException where the limit is reached.

    ``username`` is the stored name of a user, or the folded name given where there is none.
    """
    key = _key(purpose, pool, username)
    attempts = limits.find_next_attempt(purpose, tx.attempts.find(key), now)
    if attempts is None:
        raise exceeded()
    tx.attempts.put(key, attempts, attempts.since + limits.HOUR)


def exceeded() -> LimitExceededException:
    """Return the refusal of one attempt too many (spec/api/09 §4)."""
    return LimitExceededException("Attempt limit exceeded, please try after some time.")


def is_attempt_left(tx: Tx, now: int, pool: Pool, username: str, purpose: Purpose) -> bool:
    """Whether the hour has room for one more attempt; counts nothing."""
    return limits.find_next_attempt(purpose, tx.attempts.find(_key(purpose, pool, username)), now) is not None


def find_asker(tx: Tx, *, now: int, pool: Pool, username: str, purpose: Purpose) -> tuple[User | None, bool]:
    """Return who asks for a code, and whether the hour has room for that; nothing need be made ready where not."""
    user = find_user(tx, pool, username)
    return user, is_attempt_left(tx, now, pool, user.username if user else fold_username(pool, username), purpose)


def check_not_locked(tx: Tx, now: int, pool: Pool, username: str, guess: Guess = Guess.PASSWORD) -> None:
    """Check that guesses are not locked; raises NotAuthorizedException "Password attempts exceeded".

    Check again in the write that records the outcome: of many guesses at once, only those that end before
    the lock learn whether they were right.
    """
    if limits.is_locked(tx.attempts.find(_key(guess, pool, username)), now):
        raise NotAuthorizedException(LOCKED)


def record_failure(tx: Tx, now: int, pool: Pool, username: str, guess: Guess = Guess.PASSWORD) -> None:
    """Count a wrong guess; raises NotAuthorizedException, without counting, where the lock came meanwhile."""
    key = _key(guess, pool, username)
    earlier = tx.attempts.find(key)
    if limits.is_locked(earlier, now):
        raise NotAuthorizedException(LOCKED)
    failures = limits.count_failure(earlier, now)
    tx.attempts.put(key, failures, limits.forgotten_at(failures))


def reset(tx: Tx, pool: Pool, username: str, guess: Guess = Guess.PASSWORD) -> None:
    """Forget wrong guesses: after a right one, or a recovered password."""
    key = _key(guess, pool, username)
    if tx.attempts.find(key) is not None:
        tx.attempts.delete(key)


def pretend_code(tx: Tx, now: int, pool: Pool, username: str) -> None:
    """Remember that a recovery code was asked for where none was sent, so that later answers do not tell."""
    expires_at = now + LIFETIMES[CodePurpose.RECOVER]
    tx.attempts.put(_pretence_key(pool, username), Attempts(count=1, since=now), expires_at)


def is_code_pretended(tx: Tx, now: int, pool: Pool, username: str) -> bool:
    """Whether a recovery code would be open now, had one been sent."""
    pretence = tx.attempts.find(_pretence_key(pool, username))
    return pretence is not None and now < pretence.since + LIFETIMES[CodePurpose.RECOVER]


def _pretence_key(pool: Pool, username: str) -> str:
    return _key("pretended-code", pool, username)


def _key(purpose: str, pool: Pool, username: str) -> str:
    # A name given by nobody in particular may be of any length.
    return f"{purpose}:{pool.id}:{index_form(username)}"
