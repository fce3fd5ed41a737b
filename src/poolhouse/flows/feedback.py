"""Feedback on auth events (spec/api/07 §5): administrators give it, and users by a token that a mail brings them."""

import msgspec
from msgspec import Struct

from poolhouse.core.auth_events import Feedback, is_kept
from poolhouse.core.jws import b64url, find_b64url
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.crypto.seal import SealBroken
from poolhouse.flows import journal
from poolhouse.flows.calls import Call
from poolhouse.flows.users import get_user
from poolhouse.model import (
    FeedbackValueType,
    NotAuthorizedException,
    ResourceNotFoundException,
    UserPoolAddOnNotEnabledException,
)
from poolhouse.storage import Tx

ADMIN, USER = "Admin", "User"
# How long the links of a mail are good for, in milliseconds.
LIFETIME = 7 * 86_400_000
INVALID = "Invalid feedback token."
_PURPOSE = "auth-event-feedback"
_MAX_LENGTH = 4096


class _Token(Struct, frozen=True, array_like=True):
    pool_id: str
    user_id: int
    event_id: str
    expires_at: int


def check_add_on(pool: Pool) -> None:
    """Check that a pool has threat protection; raises UserPoolAddOnNotEnabledException."""
    if not is_kept(pool):
        raise UserPoolAddOnNotEnabledException("Threat protection is not enabled for the user pool.")


def make_token(call: Call, pool_id: str, user_id: int, event_id: str) -> str:
    """Return the token with which the user of an event may say whether it was them."""
    token = _Token(pool_id, user_id, event_id, call.now + LIFETIME)
    return b64url(call.deps.sealer.seal(_PURPOSE, msgspec.msgpack.encode(token))).decode()


def give(tx: Tx, call: Call, user: User, event_id: str, value: FeedbackValueType, provider: str) -> None:
    """Store feedback on an event of a user, in the place of earlier feedback; raises ResourceNotFoundException."""
    event = tx.auth_events.find(user, event_id)
    if event is not None:
        event = tx.auth_events.judge(event, Feedback(value=value, provider=provider, at=call.now))
    if event is None:
        raise ResourceNotFoundException("Auth event not found.")
    journal.export(tx, call, user, event)


def get_bearer(tx: Tx, call: Call, pool: Pool, username: str, event_id: str, token: str) -> User:
    """Return the user whom a token lets judge an event of this pool.

    Raises NotAuthorizedException; UserNotFoundException only to those who hold a genuine token.
    """
    opened = _open(call, token)
    if opened is None or (opened.pool_id, opened.event_id) != (pool.id, event_id):
        raise NotAuthorizedException(INVALID)
    if opened.expires_at <= call.now:
        raise NotAuthorizedException("Feedback token has expired.")
    user = get_user(tx, pool, username)
    if user.id != opened.user_id:
        raise NotAuthorizedException(INVALID)
    return user


def is_open(call: Call, token: str) -> bool:
    """Whether a token is genuine and not too old."""
    opened = _open(call, token)
    return opened is not None and opened.expires_at > call.now


def give_by_token(tx: Tx, call: Call, token: str, value: FeedbackValueType) -> None:
    """Store the feedback of whoever holds a token.

    Raises NotAuthorizedException, also where threat protection is off or the user is gone; ResourceNotFoundException
    where the event is.
    """
    opened = _open(call, token)
    pool = tx.catalogue.find_pool(opened.pool_id) if opened and opened.expires_at > call.now else None
    user = tx.users.find_by_id(opened.user_id) if opened and pool and is_kept(pool) else None
    if opened is None or user is None:
        raise NotAuthorizedException(INVALID)
    give(tx, call, user, opened.event_id, value, USER)


def _open(call: Call, text: str) -> _Token | None:
    sealed = find_b64url(text.encode()) if len(text) <= _MAX_LENGTH and text.isascii() else None
    if sealed is None:
        return None
    try:
        return msgspec.msgpack.decode(call.deps.sealer.open(_PURPOSE, sealed), type=_Token)
    except SealBroken:
        return None
