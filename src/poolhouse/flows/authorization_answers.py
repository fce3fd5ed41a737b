"""The answer to a checked authorization request: whose sign-in serves it, and the code or the tokens that come of it."""

from collections.abc import Callable

from msgspec.structs import replace

from poolhouse.core.acr import Methods
from poolhouse.core.events_auth import TokenSource
from poolhouse.core.grants import LOCAL_PROVIDER, ResponseType
from poolhouse.core.names import ALPHANUMERIC
from poolhouse.core.session import AuthorizationCode
from poolhouse.core.step_up import is_near, is_reached
from poolhouse.core.user import User
from poolhouse.flows.authorization import Authorization, callback_url, refuse
from poolhouse.flows.browser import BrowserSession, find_browser_session, is_recent
from poolhouse.flows.calls import Call
from poolhouse.flows.consult import TRIGGER_FAILURES
from poolhouse.flows.session_tracking import activity_of, begin_session
from poolhouse.flows.tokens import Tokens, mint, open_session
from poolhouse.storage import Tx

CODE_LIFETIME_SECONDS = 300
# The trigger source of all tokens that come by way of a pool domain (spec/http/00, C12).
TOKEN_SOURCE = TokenSource.HOSTED
# Of base64url, as Cognito's are.
NONCE_LENGTH, NONCE_ALPHABET = 128, ALPHANUMERIC + "-_"


class SessionEnded(Exception):
    """The SSO session was revoked while a request made use of it."""


async def pass_on(call: Call, request: Authorization, cookie: str | None) -> str | None:
    """Return the URL that takes a code to the application for who is signed in with this browser.

    None where nobody is whose sign-in serves the request (spec/http/03 §3.11). Raises as ``grant``.
    """
    found = await find_signed_in(call, request, cookie)
    if found is None or not _is_strong_enough(request, *found):
        return None
    return await pass_on_signed_in(call, request, *found)


async def pass_on_signed_in(call: Call, request: Authorization, user: User, session: BrowserSession) -> str | None:
    """Return the URL as ``pass_on`` does, for a user whose sign-in serves the request for certain."""

    def use(tx: Tx) -> None:
        if session.id is not None and not tx.sso_sessions.use(session.id, activity_of(call)):
            raise SessionEnded

    try:
        return await grant(call, request, user, session, commit=use)
    except SessionEnded:
        return None


async def find_signed_in(call: Call, request: Authorization, cookie: str | None) -> tuple[User, BrowserSession] | None:
    """Return who is signed in with this browser, as the request wants it but for its level.

    Users who were deleted or disabled since do not count.
    """
    session = find_browser_session(call, request.pool, cookie)
    if session is None or not is_sufficient(request, session, call.now):
        return None
    user = await find_user_of(call, session)
    return None if user is None else (user, session)


async def find_user_of(call: Call, session: BrowserSession) -> User | None:
    """Return whose session it is; None where they were deleted or disabled since, or the session revoked.

    Who was enabled again has to sign in again as well.
    """
    user = await call.store.read(lambda tx: _load_signed_in(tx, session))
    standing = user is not None and user.enabled and session.auth_time * 1000 > user.disabled_at
    return user if standing else None


def _is_strong_enough(request: Authorization, user: User, session: BrowserSession) -> bool:
    if session.provider == LOCAL_PROVIDER:
        return is_reached(request.pool, request.client, user, _shown(session), request.targets)
    # What else the provider could ask is not known here.
    return not request.targets or session.level >= request.targets[0]


def is_step_away(request: Authorization, user: User, session: BrowserSession) -> bool:
    """Tell whether one more factor is all that a signed-in user has to show for the request's level."""
    return is_near(request.pool, request.client, user, _shown(session), request.targets)


def _shown(session: BrowserSession) -> Methods:
    return frozenset(session.methods)


def _load_signed_in(tx: Tx, session: BrowserSession) -> User | None:
    if session.id is not None and tx.sso_sessions.find(session.id) is None:
        return None
    return tx.users.find_by_sub(session.pool_id, session.sub)


def is_sufficient(request: Authorization, session: BrowserSession, now: int) -> bool:
    """Tell whether a browser's session spares its user a new sign-in; ``now`` is in milliseconds."""
    if "login" in request.prompts:
        return False
    if request.named not in {None, session.provider}:
        return False
    if session.provider not in (request.client.settings.supported_identity_providers or ()):
        return False
    if not is_recent(request.pool, request.client, session, now):
        return False
    return request.max_age is None or now // 1000 - session.auth_time <= request.max_age


async def grant(
    call: Call,
    request: Authorization,
    user: User,
    session: BrowserSession,
    *,
    commit: Callable[[Tx], None],
) -> str:
    """Return the URL that takes the code, or the tokens of the implicit flow, to the application.

    ``session`` is the sign-in; ``commit`` is what it has left to write; it happens in the same write.
    Raises AuthorizationRefused where a trigger fails.
    """
    state = request.parameters.get("state")
    if request.response_type is ResponseType.CODE:
        code = await _store_code(call, request, user, session, commit)
        return callback_url(request, [("code", code), ("state", state)])
    tokens = await _store_tokens(call, request, user, session, commit)
    return callback_url(
        request,
        [
            ("id_token", tokens.id_token),
            ("access_token", tokens.access_token),
            ("expires_in", str(tokens.expires_in)),
            ("token_type", "Bearer"),
            ("state", state),
        ],
    )


async def _store_code(
    call: Call,
    request: Authorization,
    user: User,
    session: BrowserSession,
    commit: Callable[[Tx], None],
) -> str:
    value = call.deps.random.uuid()
    code = AuthorizationCode(
        pool_id=request.pool.id,
        client_id=request.client.id,
        user_id=user.id,
        redirect_uri=request.redirect_uri,
        scopes=request.scopes,
        auth_time=session.auth_time,
        expires_at=call.now + CODE_LIFETIME_SECONDS * 1000,
        code_challenge=request.parameters.get("code_challenge"),
        nonce=_nonce(call, request, session),
        resource=request.parameters.get("resource"),
        event_id=session.event_id,
        origin=session.id,
        methods=session.methods,
        level=_level(request, session),
        signed_out_at=user.signed_out_at,
    )

    def write(tx: Tx) -> None:
        commit(tx)
        tx.authorization_codes.insert(code_digest(call, value), code)

    await call.store.write(write)
    return value


def code_digest(call: Call, code: str) -> bytes:
    """Return the form in which an authorization code is stored."""
    return call.deps.sealer.digest("authorization-code", code)


def _nonce(call: Call, request: Authorization, session: BrowserSession) -> str | None:
    """Return the nonce of the ID token: who came from another provider has one in any case (spec/http/04 §4.2)."""
    asked = request.parameters.get("nonce")
    if asked is not None or session.provider == LOCAL_PROVIDER:
        return asked
    return call.deps.random.text(NONCE_LENGTH, NONCE_ALPHABET)


def _level(request: Authorization, session: BrowserSession) -> int:
    """Return the level that tokens are to tell: none where the request asked for none."""
    return session.level if request.targets else 0


async def _store_tokens(
    call: Call,
    request: Authorization,
    user: User,
    signed_in: BrowserSession,
    commit: Callable[[Tx], None],
) -> Tokens:
    client = request.client
    session = open_session(
        call,
        request.pool,
        client,
        user,
        auth_time=signed_in.auth_time,
        event_id=signed_in.event_id,
        scopes=request.scopes,
        oauth=True,
        resource=request.parameters.get("resource"),
    )
    # Without a refresh token the session need not outlive its tokens.
    lifetime = max(client.access_token_seconds, client.id_token_seconds)
    session = replace(
        session,
        expires_at=call.now + lifetime * 1000,
        origin=signed_in.id,
        methods=signed_in.methods,
        level=_level(request, signed_in),
    )
    try:
        tokens = await mint(
            call,
            request.pool,
            client,
            user,
            session,
            source=TOKEN_SOURCE,
            nonce=_nonce(call, request, signed_in),
            with_refresh=False,
        )
    except TRIGGER_FAILURES as error:
        # Cognito: the text ends in a period and a blank (spec/http/02 §2.1.5).
        raise refuse(request, "invalid_request", f"{error.message} ") from error

    def write(tx: Tx) -> None:
        commit(tx)
        begin_session(tx, call, request.pool, session)

    await call.store.write(write)
    return tokens
