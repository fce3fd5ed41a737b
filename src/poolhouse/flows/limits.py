"""Attempt limits and the lock-out over ``tx.attempts``, per pool and name, whether or not such a user exists.

All functions run inside a transaction. Refusals are raised, so nothing may be counted in a transaction that
is then left by an error: return the outcome from the work function, and raise it outside.
"""

import contextlib

from poolhouse.core import limits
from poolhouse.core.aliases import fold_username, index_form
from poolhouse.core.codes import LIFETIMES, CodePurpose
from poolhouse.core.limits import Guess, Purpose
from poolhouse.core.places import site_of
from poolhouse.core.pool import Pool
from poolhouse.core.session import Attempts
from poolhouse.core.user import User
from poolhouse.flows.calls import Call
from poolhouse.flows.users import find_user
from poolhouse.model import ConcurrentModificationException, LimitExceededException, NotAuthorizedException
from poolhouse.storage import Tx

LOCKED = "Password attempts exceeded"
# Begins the key of what is counted for an address.
_SITE = "address:"


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


def check_guess(tx: Tx, call: Call, pool: Pool, username: str, guess: Guess = Guess.PASSWORD) -> None:
    """Check that neither the account nor the address that a guess comes from is locked, in one statement.

    Raises NotAuthorizedException. An address is locked for the rest of an hour that had too many failed sign-ins from
    it, whoever they were for, and on whichever node.
    """
    site = _site(call)
    if site is None:
        check_not_locked(tx, call.now, pool, username, guess)
        return
    guesses, failures = tx.attempts.find_both(_key(guess, pool, username), site)
    full = limits.count_within_hour(failures, call.now) >= call.deps.failures_per_address
    if full or limits.is_locked(guesses, call.now):
        raise NotAuthorizedException(LOCKED)


async def record_failure_from(call: Call) -> None:
    """Count a failed sign-in for the address that it came from.

    In a write of its own: those who guess at once from one address would otherwise undo each other's counts for the
    accounts.
    """
    site = _site(call)
    if site is None:
        return

    def commit(tx: Tx) -> None:
        earlier = tx.attempts.find(site)
        count = limits.count_within_hour(earlier, call.now)
        since = earlier.since if earlier and count else call.now
        if count < call.deps.failures_per_address:
            tx.attempts.put(site, Attempts(count=count + 1, since=since), since + limits.HOUR)

    with contextlib.suppress(ConcurrentModificationException):
        await call.store.write(commit)


def failures_from(tx: Tx, call: Call, address: str) -> int:
    """Return how many sign-ins from an address failed in this hour, as far as they are counted."""
    site = site_of(address) if call.deps.failures_per_address else None
    return 0 if site is None else limits.count_within_hour(tx.attempts.find(_SITE + site), call.now)


def _site(call: Call) -> str | None:
    """Return the key under which failures from the user's own address count, None where they do not.

    What an application's server asks comes from that server's address, unless it tells the user's.
    """
    told = call.origin.user.address if call.origin.user else ""
    address = told or ("" if call.origin.by_server else call.origin.address)
    site = site_of(address) if call.deps.failures_per_address else None
    return None if site is None else _SITE + site


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
