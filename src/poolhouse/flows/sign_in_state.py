"""What is sealed between two steps of a sign-in, in the ``Session`` string or the SECRET_BLOCK of SRP."""

import msgspec
from msgspec import Struct

from poolhouse.core.factors import FACTORS
from poolhouse.core.sign_in import Progress
from poolhouse.core.user import User
from poolhouse.crypto.seal import Sealer
from poolhouse.crypto.session_string import (
    MAX_SESSION_CONTENT,
    open_secret_block,
    open_session,
    seal_secret_block,
    seal_session,
)
from poolhouse.flows.calls import Call
from poolhouse.model import ChallengeNameType, InvalidLambdaResponseException, NotAuthorizedException
from poolhouse.storage import Tx

INVALID_SESSION = "Invalid session for the user."
EXPIRED_SESSION = "Invalid session for the user, session is expired."
TOO_MUCH = "The challenges so far, with their private parameters and metadata, do not fit into a Session."
SPENT_SESSION = "Invalid session for the user, session can only be used once."
# Challenges that bring their state along in a SECRET_BLOCK, and need no Session (spec/api/04 §1).
IN_BLOCKS = frozenset({ChallengeNameType.PASSWORD_VERIFIER, ChallengeNameType.DEVICE_PASSWORD_VERIFIER})


class State(Struct, frozen=True, kw_only=True, array_like=True):
    """What is sealed between two steps. ``expires_at`` is in milliseconds.

    ``user_id`` is 0 and ``name`` is the name given where there is no such user.
    ``password_set_at`` and ``signed_out_at`` void the sign-in when the password changes, or every token of the
    user is revoked, under way.
    """

    pool_id: str
    client_id: str
    user_id: int
    name: str
    password_set_at: int
    signed_out_at: int
    challenge: ChallengeNameType
    progress: Progress
    nonce: str
    expires_at: int
    secret: bytes

    def is_answered_by(self, challenge: ChallengeNameType) -> bool:
        """Whether an answer to a challenge goes on from here: to the one that was asked, or to the choice before it.

        So a user has another code sent, or chooses something else.
        """
        if challenge is self.challenge:
            return True
        if challenge is ChallengeNameType.SELECT_CHALLENGE:
            return self.progress.is_choice_open
        is_second = self.challenge in FACTORS and self.progress.is_identified
        if challenge is ChallengeNameType.SELECT_MFA_TYPE:
            return is_second and self.progress.address is None
        return challenge is ChallengeNameType.MFA_SETUP and is_second and self.progress.address is not None

    def is_void(self, user: User) -> bool:
        """Whether something happened to a user that ends sign-ins under way."""
        return (self.password_set_at, self.signed_out_at) != (user.credentials.password_set_at, user.signed_out_at)

    def spend(self, tx: Tx) -> None:
        """Use the state up; raises NotAuthorizedException where that was done before."""
        if not tx.nonces.spend(self.nonce, self.expires_at):
            raise NotAuthorizedException(SPENT_SESSION)

    def check_unspent(self, tx: Tx) -> None:
        """Check early what ``spend`` has the last word on, before functions hear of an answer; raises as that does."""
        if tx.nonces.is_spent(self.nonce):
            raise NotAuthorizedException(SPENT_SESSION)

    def check_open(self, call: Call) -> None:
        """Check that the state can still be gone on from; raises NotAuthorizedException."""
        if self.expires_at <= call.now:
            raise NotAuthorizedException(EXPIRED_SESSION)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(State)


def seal_state(sealer: Sealer, state: State) -> str:
    """Return a state as a ``Session`` string.

    Raises InvalidLambdaResponseException where that cannot hold it: only the functions of custom authentication let it
    grow.
    """
    content = _ENCODER.encode(state)
    if len(content) > MAX_SESSION_CONTENT:
        raise InvalidLambdaResponseException(TOO_MUCH)
    return seal_session(sealer, content)


def seal_block(sealer: Sealer, state: State) -> str:
    """Return a state as a SECRET_BLOCK."""
    return seal_secret_block(sealer, _ENCODER.encode(state))


def open_state(sealer: Sealer, challenge: ChallengeNameType, text: str) -> State:
    """Return the state in a ``Session`` for a challenge; raises NotAuthorizedException unless this installation made it.

    The choice before what was asked may be answered in place of it.

    Differs from Cognito (changing one's mind): as long as the user may choose, SELECT_CHALLENGE may be answered with the
    ``Session`` of the challenge chosen before; so may SELECT_MFA_TYPE, which has another code sent as well, and
    MFA_SETUP with that of the code which goes to a new address.
    """
    return _decode(open_session(sealer, text), challenge)


def open_block(sealer: Sealer, challenge: ChallengeNameType, text: str) -> State:
    """Return the state in a SECRET_BLOCK for a challenge, as ``open_state`` does."""
    return _decode(open_secret_block(sealer, text), challenge)


def _decode(plain: bytes | None, challenge: ChallengeNameType) -> State:
    state = _DECODER.decode(plain) if plain is not None else None
    if state is None or not state.is_answered_by(challenge):
        raise NotAuthorizedException(INVALID_SESSION)
    return state
