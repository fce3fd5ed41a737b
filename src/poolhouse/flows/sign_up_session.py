"""The ``Session`` that leads from SignUp over ConfirmSignUp to a first sign-in without a further proof (spec/api/04 §5).

That of SignUp shows who made the account, that of ConfirmSignUp that the same one had the code as well: only with both
is nobody else signed in. Where a code to the same mailbox or telephone is a first factor, having had this one is enough;
aws-amplify does not bring the session of SignUp along. They are sealed apart from those of sign-ins, and good for
nothing else.
"""

import msgspec
from msgspec import Struct

from poolhouse.core.acr import Method, Methods
from poolhouse.core.client import Client
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.crypto.session_string import open_session, seal_session
from poolhouse.flows.calls import Call
from poolhouse.flows.sign_in_state import EXPIRED_SESSION, INVALID_SESSION, SPENT_SESSION
from poolhouse.model import ExplicitAuthFlowsType, NotAuthorizedException
from poolhouse.storage import Tx

PURPOSE = "sign-up session"
METHODS = {"email": Method.MAIL, "phone_number": Method.TEXT_MESSAGE}


class SignedUp(Struct, frozen=True, kw_only=True, array_like=True):
    """What is sealed. ``confirmed_by`` is None until the code was right; ``expires_at`` is in milliseconds."""

    pool_id: str
    client_id: str
    user_id: int
    password_set_at: int
    signed_out_at: int
    confirmed_by: Method | None
    nonce: str
    expires_at: int

    def is_of(self, user: User | None) -> bool:
        """Whether this is the session of a user, to whom nothing has happened since that would void it."""
        return user is not None and (self.user_id, self.password_set_at, self.signed_out_at) == (
            user.id,
            user.credentials.password_set_at,
            user.signed_out_at,
        )

    @property
    def methods(self) -> Methods:
        """How the user has shown to be there."""
        return frozenset({self.confirmed_by} if self.confirmed_by else ())

    def spend(self, tx: Tx) -> None:
        """Use the session up; raises NotAuthorizedException where that was done before."""
        if not tx.nonces.spend(self.nonce, self.expires_at):
            raise NotAuthorizedException(SPENT_SESSION)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SignedUp)


def seal(call: Call, client: Client, user: User, confirmed_by: Method | None = None) -> str | None:
    """Return the session of a user who has just signed up; None where the client has no use for one."""
    if ExplicitAuthFlowsType.ALLOW_USER_AUTH not in client.flows:
        return None
    content = SignedUp(
        pool_id=user.pool_id,
        client_id=client.id,
        user_id=user.id,
        password_set_at=user.credentials.password_set_at,
        signed_out_at=user.signed_out_at,
        confirmed_by=confirmed_by,
        nonce=call.deps.random.uuid(),
        expires_at=call.now + client.auth_session_seconds * 1000,
    )
    return seal_session(call.deps.sealer, _ENCODER.encode(content), PURPOSE)


def find(call: Call, pool: Pool, client: Client, text: str | None) -> SignedUp | None:
    """Return the session in a text, None where it has run out, or is none.

    Raises NotAuthorizedException unless this installation made it for the client.
    """
    if text is None:
        return None
    plain = open_session(call.deps.sealer, text, PURPOSE)
    session = _DECODER.decode(plain) if plain is not None else None
    if session is None or (session.pool_id, session.client_id) != (pool.id, client.id):
        raise NotAuthorizedException(INVALID_SESSION)
    return session if session.expires_at > call.now else None


def get_confirmed(call: Call, pool: Pool, client: Client, user: User | None, text: str) -> SignedUp:
    """Return the session that lets a user sign in; raises NotAuthorizedException."""
    session = find(call, pool, client, text)
    if session is None:
        raise NotAuthorizedException(EXPIRED_SESSION)
    if session.confirmed_by is None or not session.is_of(user):
        raise NotAuthorizedException(INVALID_SESSION)
    return session
