"""SOFTWARE_TOKEN_MFA: a code of the user's authenticator app (spec/api/04 §4)."""

from collections.abc import Mapping

from poolhouse.core.limits import Guess
from poolhouse.core.sign_in import Proof
from poolhouse.core.user import SoftwareToken, User
from poolhouse.flows import limits
from poolhouse.flows.challenges.talk import Proved, Question, Talk, identified, required
from poolhouse.flows.software_tokens import find_use
from poolhouse.model import CodeMismatchException, ExpiredCodeException, MFAMethodNotFoundException
from poolhouse.storage import Tx

MISMATCH = "Invalid code received for user"
USED = "Your software token has already been used once."


async def ask(talk: Talk, _: Mapping[str, str]) -> Question:
    """Name the device, where the user has named it."""
    token = _token(talk)[1]
    named = {"FRIENDLY_DEVICE_NAME": token.name} if token.name else {}
    return Question(named | identified(talk))


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Check a code: each counts once, and wrong ones lock this challenge as wrong passwords do the password.

    Raises CodeMismatchException, ExpiredCodeException, NotAuthorizedException while locked, and
    MFAMethodNotFoundException where the user lost the token meanwhile.
    """
    code = required(answer, "SOFTWARE_TOKEN_MFA_CODE")
    user, token = _token(talk)
    call, pool = talk.call, talk.pool
    use = find_use(call, user, token, code)

    def is_used(tx: Tx) -> bool:
        limits.check_not_locked(tx, call.now, pool, talk.name, Guess.CODE)
        return use is not None and tx.nonces.is_spent(use.nonce)

    if await call.store.read(is_used):
        raise ExpiredCodeException(USED)
    if use is None:
        await call.store.write(lambda tx: limits.record_failure(tx, call.now, pool, talk.name, Guess.CODE))
        raise CodeMismatchException(MISMATCH)

    def spend(tx: Tx) -> None:
        # A lock that came meanwhile holds for this guess too.
        limits.check_not_locked(tx, call.now, pool, talk.name, Guess.CODE)
        if not use.spend(tx):
            raise ExpiredCodeException(USED)
        limits.reset(tx, pool, talk.name, Guess.CODE)

    return Proved(user, talk.progress.having(Proof.SECOND_FACTOR), (spend,))


def _token(talk: Talk) -> tuple[User, SoftwareToken]:
    user = talk.user
    if user is None or user.factors.software_token is None:
        raise MFAMethodNotFoundException("The user has no software token any more.")
    return user, user.factors.software_token
