"""Recording sessions in pools that track them (spec/api/10 §1); in all others nothing is written more, and not read."""

from poolhouse.core.client import Client
from poolhouse.core.device_names import device_name
from poolhouse.core.pool import Pool
from poolhouse.core.session import Session
from poolhouse.core.session_tracking import (
    SSO_PER_USER,
    Activity,
    SsoSession,
    find_surplus,
    new_activity,
)
from poolhouse.core.user import User
from poolhouse.core.user_context import UserContext
from poolhouse.flows.browser import BrowserSession
from poolhouse.flows.calls import Call
from poolhouse.model import NotAuthorizedException
from poolhouse.storage import Tx


def begin_session(tx: Tx, call: Call, pool: Pool, session: Session) -> bool:
    """Store a new token session; False where the SSO session that it came through was revoked meanwhile.

    In the same commit the user's token sessions that were not used for longest make room for it.
    """
    if session.origin is not None and not tx.sso_sessions.use(session.origin, activity_of(call)):
        return False
    if not pool.tracks_sessions:
        tx.sessions.insert(session)
        return True
    tx.users.take_turn(session.user_id)
    for id in find_surplus(tx.sessions.last_active(session.user_id, call.now), pool.most_sessions):
        tx.sessions.delete(id)
    tx.sessions.insert_tracked(session, activity_of(call))
    return True


def begin_sso_session(
    tx: Tx, call: Call, client: Client, user: User, session: BrowserSession, before: BrowserSession | None
) -> None:
    """Store the record of a sign-in on the pages, if it has one; ``before`` is the session it takes the place of.

    Raises NotAuthorizedException where the record that goes on was revoked meanwhile.

    Differs from Cognito (SSO sessions): how many a user can have is not documented; here it is 25, so that a list
    holds them beside 100 token sessions, and one more ends the one that was not used for longest.
    """
    if before is not None and before.id is not None:
        if before.id == session.id:
            if not tx.sso_sessions.prolong(before.id, session.expires_at, activity_of(call)):
                raise NotAuthorizedException("Session has been revoked")
            return
        tx.sso_sessions.delete(before.id)
    if session.id is not None:
        _insert(tx, call, client, user, session.id, session.expires_at)


def _insert(tx: Tx, call: Call, client: Client, user: User, id: str, expires_at: int) -> None:
    tx.users.take_turn(user.id)
    last_active = {found.id: activity.at for found, activity in tx.sso_sessions.of_user(user.id, call.now)}
    for surplus in find_surplus(last_active, SSO_PER_USER):
        tx.sso_sessions.delete(surplus)
    record = SsoSession(id=id, user_id=user.id, client_id=client.id, created_at=call.now, expires_at=expires_at)
    tx.sso_sessions.insert(record, activity_of(call))


def note_refresh(call: Call, pool: Pool, session: Session, *, rotated: bool) -> None:
    """Have it recorded, soon and in the background, that tokens were refreshed.

    A rotation counts as a use of the SSO session behind them as well (spec/api/10 §1.3).
    """
    if not pool.tracks_sessions:
        return
    activity = activity_of(call)
    call.deps.recent_uses.note(session.id, activity)
    if rotated and session.origin is not None:
        call.deps.recent_uses.note(session.origin, activity)


def activity_of(call: Call) -> Activity:
    """Return the use of a session by the request of a call, or by the device on whose behalf it is made."""
    origin = call.origin
    told = origin.user or UserContext()
    return new_activity(call.now, told.device or device_name(origin.user_agent), told.address or origin.address)
