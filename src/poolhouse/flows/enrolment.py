"""Setting up an authenticator app in the middle of a sign-in: MFA_SETUP's part of the software token operations.

Nothing is stored but spent nonces: the secret travels in the ``Session`` (``flows.challenges.mfa_setup``).
"""

from msgspec.structs import replace

from poolhouse.core.client import Client
from poolhouse.core.factors import check_totp_offered
from poolhouse.core.user import User
from poolhouse.crypto import totp
from poolhouse.flows.calls import Call
from poolhouse.flows.challenges.mfa_setup import Enrolment, find_enrolment, write_enrolment
from poolhouse.flows.clients import get_app
from poolhouse.flows.sign_in_state import INVALID_SESSION, State, open_state, seal_state
from poolhouse.flows.software_tokens import MISMATCH, NO_SECRET, check_name, find_use_of, new_secret
from poolhouse.model import (
    ChallengeNameType,
    EnableSoftwareTokenMFAException,
    NotAuthorizedException,
    SoftwareTokenMFANotFoundException,
    UserStatusType,
)
from poolhouse.storage import Tx


async def associate(call: Call, session: str) -> tuple[str, str]:
    """Return the secret of a new token, and the ``Session`` that holds it from now on.

    Raises NotAuthorizedException for a ``Session`` that is not one of MFA_SETUP, or cannot be gone on from;
    SoftwareTokenMFANotFoundException where the pool offers no authenticator apps.
    """
    state = open_state(call.deps.sealer, ChallengeNameType.MFA_SETUP, session)
    client, _ = await _load(call, state)
    secret = new_secret(call)
    await call.store.write(state.spend)
    return totp.to_text(secret), _go_on(call, client, state, Enrolment(secret, call.now))


async def verify(call: Call, session: str, code: str, name: str | None) -> str:
    """Check the first code of the token in a ``Session``; return the one that answers MFA_SETUP.

    After a wrong code the same ``Session`` can be used again. Raises as ``associate``, and
    EnableSoftwareTokenMFAException for a wrong code, InvalidParameterException for the name.
    """
    known_as = check_name(name)
    state = open_state(call.deps.sealer, ChallengeNameType.MFA_SETUP, session)
    client, user = await _load(call, state)
    enrolment = find_enrolment(state.secret) if state.challenge is ChallengeNameType.MFA_SETUP else None
    if enrolment is None:
        raise SoftwareTokenMFANotFoundException(NO_SECRET)
    use = find_use_of(call, user, enrolment.secret, enrolment.created_at, code)
    if use is None:
        raise EnableSoftwareTokenMFAException(MISMATCH)

    def spend(tx: Tx) -> None:
        state.spend(tx)
        use.spend(tx)

    await call.store.write(spend)
    return _go_on(call, client, state, replace(enrolment, name=known_as, verified=True))


async def _load(call: Call, state: State) -> tuple[Client, User]:
    """Return the client and the user of a sign-in under way.

    Raises NotAuthorizedException where it is over, ResourceNotFoundException where the client is gone.
    """
    state.check_open(call)

    def load(tx: Tx) -> tuple[Client, User]:
        pool, client = get_app(call, tx, state.client_id)
        user = tx.users.find_by_id(state.user_id)
        if user is None or state.is_void(user) or not user.enabled or user.status != UserStatusType.CONFIRMED:
            raise NotAuthorizedException(INVALID_SESSION)
        check_totp_offered(pool)
        return client, user

    return await call.store.read(load)


def _go_on(call: Call, client: Client, state: State, enrolment: Enrolment) -> str:
    following = replace(
        state,
        # Whoever began with an address may go on with an app.
        challenge=ChallengeNameType.MFA_SETUP,
        progress=replace(state.progress, factor=None, address=None),
        nonce=call.deps.random.uuid(),
        expires_at=call.now + client.auth_session_seconds * 1000,
        secret=write_enrolment(enrolment),
    )
    return seal_state(call.deps.sealer, following)
