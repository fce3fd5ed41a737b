"""The SSO session that a browser keeps in its cookie, sealed (spec/http/03 §3.11).

Pools that track sessions have a record of it besides, which the cookie refers to.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.acr import Method, Methods, level_of
from poolhouse.core.client import Client
from poolhouse.core.federation import ProviderSession
from poolhouse.core.grants import LOCAL_PROVIDER
from poolhouse.core.pool import Pool
from poolhouse.core.session_tracking import DEFAULT_SSO_MINUTES, new_sso_id
from poolhouse.core.user import User
from poolhouse.crypto.seal import SealBroken
from poolhouse.flows.calls import Call

COOKIE = "cognito"
# Fixed from the interactive sign-in; using the session does not extend it.
LIFETIME_SECONDS = DEFAULT_SSO_MINUTES * 60
_PURPOSE = "browser-session"
_MAX_LENGTH = 4096


class BrowserSession(Struct, frozen=True, kw_only=True):
    """Who signed in with a browser, and how.

    ``auth_time`` is in seconds, ``expires_at`` in milliseconds; ``provider`` is ``COGNITO`` for the pool's own users;
    ``event_id`` is the one of the sign-in, which its tokens name. ``id`` is that of the record, where there is one.
    ``methods`` are those that were shown (``core.acr``); ``vouched`` is the level that another provider vouches for,
    ``at_provider`` what is to be ended there with this.
    """

    pool_id: str
    sub: str
    auth_time: int
    expires_at: int
    provider: str = LOCAL_PROVIDER
    event_id: str | None = None
    id: str | None = None
    methods: tuple[Method, ...] = ()
    vouched: int = 0
    at_provider: ProviderSession | None = None

    @property
    def level(self) -> int:
        """The level that the sign-in reached."""
        return level_of(frozenset(self.methods)) if self.provider == LOCAL_PROVIDER else self.vouched


_DECODER = msgspec.json.Decoder(BrowserSession)


def begin_browser_session(
    user: User,
    *,
    auth_time: int,
    event_id: str | None = None,
    methods: Methods = frozenset(),
    provider: str = LOCAL_PROVIDER,
    vouched: int = 0,
) -> BrowserSession:
    """Return the session of an interactive sign-in; ``auth_time`` is in seconds."""
    return BrowserSession(
        pool_id=user.pool_id,
        sub=user.sub,
        auth_time=auth_time,
        expires_at=(auth_time + LIFETIME_SECONDS) * 1000,
        provider=provider,
        event_id=event_id,
        methods=tuple(sorted(methods)),
        vouched=vouched,
    )


async def open_browser_session(
    call: Call,
    pool: Pool,
    user: User,
    before: BrowserSession | None,
    *,
    auth_time: int,
    event_id: str | None,
    methods: Methods,
    provider: str = LOCAL_PROVIDER,
    vouched: int = 0,
) -> BrowserSession:
    """Return the session of an interactive sign-in; where the pool tracks sessions, the caller stores its record.

    Such a session lasts as long as some client of the pool is content with it now; each client has its own limit.
    ``before`` is the session that the browser has already: its record goes on where the same user signs in again.
    """
    session = begin_browser_session(
        user, auth_time=auth_time, event_id=event_id, methods=methods, provider=provider, vouched=vouched
    )
    if not pool.tracks_sessions:
        return session
    known = before.id if before is not None and before.sub == user.sub else None
    minutes, record = await call.store.read(
        lambda tx: (
            tx.catalogue.longest_sso_minutes(pool.id),
            None if known is None else tx.sso_sessions.find(known),
        )
    )
    lifetime = max(minutes, DEFAULT_SSO_MINUTES) * 60
    id = new_sso_id(call.deps.random.text) if record is None else record.id
    return replace(session, id=id, expires_at=(auth_time + lifetime) * 1000)


def is_recent(pool: Pool, client: Client, session: BrowserSession, now: int) -> bool:
    """Tell whether a client is still content with a sign-in; ``now`` is in milliseconds (spec/api/10 §1.2).

    A sign-in from before the pool began to track sessions could not be revoked, so it does not count.
    """
    if pool.tracks_sessions and session.id is None:
        return False
    minutes = client.sso_minutes if pool.tracks_sessions else DEFAULT_SSO_MINUTES
    return now < (session.auth_time + minutes * 60) * 1000


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
