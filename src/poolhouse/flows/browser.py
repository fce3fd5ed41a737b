"""The SSO session that a browser keeps in its cookie: sealed, not stored (spec/http/03 §3.11)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from msgspec import Struct

from poolhouse.core.grants import LOCAL_PROVIDER
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.crypto.seal import SealBroken
from poolhouse.flows.calls import Call

COOKIE = "cognito"
# Fixed from the interactive sign-in; using the session does not extend it.
LIFETIME_SECONDS = 3600
_PURPOSE = "browser-session"
_MAX_LENGTH = 4096


class BrowserSession(Struct, frozen=True, kw_only=True):
    """Who signed in with a browser, and how.

    ``auth_time`` is in seconds, ``expires_at`` in milliseconds; ``provider`` is ``COGNITO`` for the pool's own users;
    ``event_id`` is the one of the sign-in, which its tokens name.
    """

    pool_id: str
    sub: str
    auth_time: int
    expires_at: int
    provider: str = LOCAL_PROVIDER
    event_id: str | None = None


_DECODER = msgspec.json.Decoder(BrowserSession)


def begin_browser_session(
    user: User, *, auth_time: int, event_id: str | None = None, provider: str = LOCAL_PROVIDER
) -> BrowserSession:
    """Return the session of an interactive sign-in; ``auth_time`` is in seconds."""
    return BrowserSession(
        pool_id=user.pool_id,
        sub=user.sub,
        auth_time=auth_time,
        expires_at=(auth_time + LIFETIME_SECONDS) * 1000,
        provider=provider,
        event_id=event_id,
    )


def seal_browser_session(call: Call, session: BrowserSession) -> str:
    """Return the value of the cookie: sealed for the session's pool, in base64url."""
    sealed = call.deps.sealer.seal(_PURPOSE, msgspec.json.encode(session), session.pool_id.encode())
    return urlsafe_b64encode(sealed).decode("ascii")


def find_browser_session(call: Call, pool: Pool, cookie: str | None) -> BrowserSession | None:
    """Return the session in a cookie; None where it is over, of another pool, or not made here."""
    if not cookie or len(cookie) > _MAX_LENGTH:
        return None
    try:
        sealed = urlsafe_b64decode(cookie.encode("ascii"))
        session = _DECODER.decode(call.deps.sealer.open(_PURPOSE, sealed, pool.id.encode()))
    except (ValueError, SealBroken, msgspec.DecodeError):
        return None
    return session if call.now < session.expires_at else None
