"""Signing in right after the sign-up: the password was set in this browser a moment ago, so it is not asked again."""

from poolhouse.core.user import User
from poolhouse.flows.sign_in import resume
from poolhouse.login.pages.proceed import cannot_go_on, proceed
from poolhouse.login.session import PROOF_SECONDS, SignedUp
from poolhouse.login.visit import Visit
from poolhouse.model import InvalidUserPoolConfigurationException, UserStatusType
from poolhouse.web.responses import Response


def prove(visit: Visit, user: User, attribute: str | None) -> SignedUp:
    """Return the proof that this browser has just set the user's password; ``attribute`` is what the code goes to."""
    set_at = user.credentials.password_set_at
    return SignedUp(sub=user.sub, password_set_at=set_at, at=visit.call.now, attribute=attribute)


async def find_proved(visit: Visit, proof: SignedUp | None) -> User | None:
    """Return the user whom a proof is about, if it still holds: soon enough, and for the password of now.

    Signing out everywhere, and being disabled, ends it as it ends a sign-in under way.
    """
    if proof is None or visit.call.now - proof.at > PROOF_SECONDS * 1000:
        return None
    user = await visit.call.store.read(lambda tx: tx.users.find_by_sub(visit.pool.id, proof.sub))
    if user is None or not user.enabled or user.status != UserStatusType.CONFIRMED:
        return None
    holds = user.credentials.password_set_at == proof.password_set_at and user.signed_out_at <= proof.at
    return user if holds else None


async def sign_in(visit: Visit, username: str, user: User, confirmed_by: str | None = None) -> Response:
    """Sign in the user of an account that was made and confirmed here, by a code to an attribute."""
    targets = visit.request.targets
    try:
        outcome = await resume(visit.call, visit.pool, visit.client, user, confirmed_by=confirmed_by, targets=targets)
    except InvalidUserPoolConfigurationException:
        return cannot_go_on(visit)
    return await proceed(visit, username, outcome)
