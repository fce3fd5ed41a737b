"""The sessions of a user: who sees them, and who ends them (spec/api/10 §1.3, §1.4)."""

from poolhouse.api.registry import operation
from poolhouse.core.pool import Pool
from poolhouse.core.session import Session, is_over
from poolhouse.core.session_tracking import Activity, SsoSession, describe_sso, describe_tokens, shown_id
from poolhouse.core.user import User
from poolhouse.flows.calls import AdminCall, UserCall
from poolhouse.flows.users import get_user
from poolhouse.model import (
    AdminListUserSessionsRequest,
    AdminListUserSessionsResponse,
    AdminRevokeUserSessionRequest,
    AdminRevokeUserSessionResponse,
    InvalidParameterException,
    ListUserSessionsRequest,
    ListUserSessionsResponse,
    ResourceNotFoundException,
    RevokeAssociatedSessionsType,
    RevokeUserSessionRequest,
    RevokeUserSessionResponse,
    SessionDescriptionType,
)
from poolhouse.storage import Tx

Recorded = tuple[list[tuple[Session, Activity]], list[tuple[SsoSession, Activity]]]


@operation
async def list_user_sessions(call: UserCall, request: ListUserSessionsRequest) -> ListUserSessionsResponse:
    """Return the user's sessions with all app clients, and which of them the caller belongs to.

    Differs from Cognito: as AdminListUserSessions.
    """
    _check_first_page(request.next_token)
    recorded = await call.store.read(lambda tx: _recorded(tx, call.pool, call.user, call.now))
    return ListUserSessionsResponse(sessions=_described(recorded, call.session))


@operation
async def admin_list_user_sessions(
    call: AdminCall, request: AdminListUserSessionsRequest
) -> AdminListUserSessionsResponse:
    """Return a user's sessions with all app clients, the latest first.

    Differs from Cognito: where an address is in the world is not known, so LastLocation has the Country ``unknown``
    and no City; DeviceType reads like ``Chrome 126, Windows 10``. Sign-ins of the implicit flow are token sessions as
    well, as long as their tokens live. The last use of a session shows after some seconds.
    """
    _check_first_page(request.next_token)

    def load(tx: Tx) -> Recorded:
        pool = call.pool(tx, request.user_pool_id)
        return _recorded(tx, pool, get_user(tx, pool, request.username), call.now)

    return AdminListUserSessionsResponse(sessions=_described(await call.store.read(load), None))


@operation
async def revoke_user_session(call: UserCall, request: RevokeUserSessionRequest) -> RevokeUserSessionResponse:
    """End one of the user's other sessions, and what is linked to it where that is asked for."""
    if call.session is not None and shown_id(call.session.id) == request.session_id:
        raise InvalidParameterException("The current session cannot be revoked.")
    await call.store.write(lambda tx: _revoke(tx, call.pool, call.user, request, call.now))
    return RevokeUserSessionResponse()


@operation
async def admin_revoke_user_session(
    call: AdminCall, request: AdminRevokeUserSessionRequest
) -> AdminRevokeUserSessionResponse:
    """End a session of a user, and what is linked to it where that is asked for."""

    def commit(tx: Tx) -> None:
        pool = call.pool(tx, request.user_pool_id)
        _revoke(tx, pool, get_user(tx, pool, request.username), request, call.now)

    await call.store.write(commit)
    return AdminRevokeUserSessionResponse()


def _check_first_page(token: str | None) -> None:
    """Refuse a page token, since there is one page only and so none was ever given out."""
    if token is not None:
        raise InvalidParameterException("Invalid pagination token given.")


def _recorded(tx: Tx, pool: Pool, user: User, now: int) -> Recorded:
    """Return a user's sessions on record: none where the pool does not track them."""
    if not pool.tracks_sessions:
        return [], []
    # A sign-in that was under way during a global sign-out leaves a session that counts as revoked.
    tokens = [each for each in tx.sessions.tracked(user.id, now) if not is_over(each[0], user)]
    return tokens, tx.sso_sessions.of_user(user.id, now)


def _described(recorded: Recorded, current: Session | None) -> list[SessionDescriptionType]:
    """Return sessions as lists show them, the latest first."""
    tokens, sso = recorded
    tokens, sso = sorted(tokens, key=_use, reverse=True), sorted(sso, key=_use, reverse=True)
    return describe_tokens(tokens, current.id if current else None) + describe_sso(sso)


def _use(found: tuple[Session | SsoSession, Activity]) -> int:
    return found[1].at


def _revoke(
    tx: Tx, pool: Pool, user: User, request: RevokeUserSessionRequest | AdminRevokeUserSessionRequest, now: int
) -> None:
    """End a session of a user; raises ResourceNotFoundException where the user has none of that id."""
    tokens, sso = _recorded(tx, pool, user, now)
    token = next((session for session, _ in tokens if shown_id(session.id) == request.session_id), None)
    record = next((session for session, _ in sso if session.id == request.session_id), None)
    linked = request.revoke_associated_sessions is RevokeAssociatedSessionsType.LINKED
    if token is not None:
        tx.sessions.delete(token.id)
        if linked and token.origin is not None:
            tx.sso_sessions.delete(token.origin)
    elif record is not None:
        tx.sso_sessions.delete(record.id)
        for session, _ in tokens if linked else ():
            if session.origin == record.id:
                tx.sessions.delete(session.id)
    else:
        raise ResourceNotFoundException("Session not found.")
