"""What every proof by password shares: the lock-out, the user's state, and what a right or wrong one leaves behind."""

from dataclasses import replace
from typing import NoReturn

from poolhouse.core.aliases import fold_username
from poolhouse.core.auth_events import shown_by
from poolhouse.core.client import Client
from poolhouse.core.limits import Guess
from poolhouse.core.passwords import is_temporary_expired
from poolhouse.core.user import User
from poolhouse.flows import limits
from poolhouse.flows.challenges.talk import Proved, Talk, Write
from poolhouse.model import (
    EventResponseType,
    NotAuthorizedException,
    PasswordResetRequiredException,
    ServiceError,
    UserNotConfirmedException,
    UserStatusType,
)
from poolhouse.storage import Tx

INCORRECT = "Incorrect username or password."
PASSWORD_STATES = frozenset({UserStatusType.CONFIRMED, UserStatusType.FORCE_CHANGE_PASSWORD})


async def check_admitted(talk: Talk, guess: Guess = Guess.PASSWORD) -> bool:
    """Check the lock-out and the user's state; say whether a right password, or what else is guessed, would be one.

    False is for users that the client must not tell apart from wrong passwords: the caller goes on with the same
    work and refuses. Raises NotAuthorizedException, UserNotConfirmedException or PasswordResetRequiredException.
    """
    await talk.call.store.read(lambda tx: limits.check_guess(tx, talk.call, talk.pool, talk.name, guess))
    if talk.user is None:
        return False
    refusal = _find_refusal(talk.user)
    if refusal is not None and not _is_concealed(talk.client, refusal):
        raise refusal
    return refusal is None


def check_state(client: Client, user: User) -> None:
    """Check that a user under way may still go on; raises what a wrong password would where that is concealed."""
    refusal = _find_refusal(user)
    if refusal is not None:
        raise NotAuthorizedException(INCORRECT) if _is_concealed(client, refusal) else refusal


def admit(talk: Talk, given: str) -> Talk:
    """Return a sign-in as it begins; raises the refusal of a user who may not sign in, or conceals them as ``conceal``."""
    talk = conceal(talk, given)
    refusal = _find_refusal(talk.user) if talk.user else None
    if refusal is not None:
        raise refusal
    return talk


def conceal(talk: Talk, given: str) -> Talk:
    """Return a sign-in as of nobody where its user may not sign in and the client conceals that.

    All there is of such a user from then on is ``given``, the name as it came.
    """
    refusal = _find_refusal(talk.user) if talk.user else None
    if refusal is None or not _is_concealed(talk.client, refusal):
        return talk
    return replace(talk, user=None, name=fold_username(talk.pool, given))


def _is_concealed(client: Client, refusal: ServiceError) -> bool:
    # Cognito: users who are not confirmed are told so by every client (spec/api/03 §4).
    return client.conceals_users and not isinstance(refusal, UserNotConfirmedException)


def _find_refusal(user: User) -> ServiceError | None:
    if not user.enabled:
        return NotAuthorizedException("User is disabled.")
    if user.status == UserStatusType.UNCONFIRMED:
        return UserNotConfirmedException("User is not confirmed.")
    if user.status == UserStatusType.RESET_REQUIRED:
        return PasswordResetRequiredException("Password reset required for the user")
    return None if user.status in PASSWORD_STATES else NotAuthorizedException(INCORRECT)


async def refuse(talk: Talk) -> NoReturn:
    """Count a wrong password and say so; raises NotAuthorizedException."""
    note = talk.entry.at(EventResponseType.Fail, shown_by(talk.progress, talk.progress.method))

    def commit(tx: Tx) -> None:
        limits.record_failure(tx, talk.call.now, talk.pool, talk.name)
        note(tx)

    await talk.call.store.write(commit)
    await limits.record_failure_from(talk.call)
    raise NotAuthorizedException(INCORRECT)


def prove(talk: Talk, user: User, *writes: Write) -> Proved:
    """Return what a right password shows; raises NotAuthorizedException where it was temporary and is too old."""
    temporary = user.status == UserStatusType.FORCE_CHANGE_PASSWORD
    if temporary and is_temporary_expired(talk.pool, user.credentials, talk.call.now):
        raise NotAuthorizedException("Temporary password has expired and must be reset by an administrator.")

    def forgive(tx: Tx) -> None:
        # A lock that came meanwhile holds for this guess too.
        limits.check_not_locked(tx, talk.call.now, talk.pool, talk.name)
        limits.reset(tx, talk.pool, talk.name)

    return Proved(user, talk.progress.having_password(), (forgive, *writes))
