"""Tokens for an authorization code (RFC 6749 §4.1.3): one read, the signatures, one write."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.client import Client
from poolhouse.core.grants import OAuthError, check_readable, is_enabled, is_verified
from poolhouse.core.groups import Group
from poolhouse.core.parameters import Parameters
from poolhouse.core.session import AuthorizationCode, is_over
from poolhouse.core.user import User
from poolhouse.flows.authorization_answers import TOKEN_SOURCE, code_digest
from poolhouse.flows.calls import PublicCall
from poolhouse.flows.session_tracking import begin_session
from poolhouse.flows.tokens import Tokens, issue, open_session, prepare
from poolhouse.model import OAuthFlowType
from poolhouse.oauth.grants.grant import Asked, Grant
from poolhouse.storage import Tx

# Stands in place of a session where a code was spent without giving one.
BURNT = ""


class Redeemed(Struct, frozen=True):
    """A code as stored: the session that it has given already, None if it is unspent, and its user, if there still."""

    digest: bytes
    code: AuthorizationCode
    spent_on: str | None
    user: User | None
    groups: tuple[Group, ...]


def load(call: PublicCall, form: Parameters) -> Callable[[Tx], Redeemed | None]:
    """Read the code with its user."""
    digest = code_digest(call, form.get("code") or "")

    def find(tx: Tx) -> Redeemed | None:
        found = tx.authorization_codes.find_with_user(digest)
        if found is None:
            return None
        code, spent_on, user = found
        return Redeemed(digest, code, spent_on, user, () if user is None else tx.groups.of_user(user))

    return find


async def authorise(asked: Asked[Redeemed | None]) -> Tokens:
    """Spend the code and return the tokens of a new session.

    A code that comes a second time ends the session which it gave the first time (RFC 9700 §4.5).
    Raises OAuthError, or a trigger's error.

    Differs from Cognito (authorization codes): what becomes of the tokens of a code that is presented twice is not
    documented for Cognito; here they are revoked.
    """
    redeemed = asked.found
    if redeemed is None or redeemed.code.client_id != asked.client.id:
        raise OAuthError("invalid_grant")
    digest = redeemed.digest
    if redeemed.spent_on is not None:
        await asked.call.store.write(lambda tx: _end_session(tx, digest))
        raise OAuthError("invalid_grant")
    refusal = decide_refusal(asked, redeemed.code)
    if refusal is not None:
        await asked.call.store.write(lambda tx: tx.authorization_codes.spend(digest, BURNT))
        raise refusal
    if redeemed.user is None or not redeemed.user.enabled or is_over(redeemed.code, redeemed.user):
        raise OAuthError("invalid_grant")
    check_readable(asked.client, redeemed.code.scopes)
    return await _exchange(asked, redeemed, redeemed.user)


def decide_refusal(asked: Asked[Any], code: AuthorizationCode) -> OAuthError | None:
    """Return why a code is not to be had for this request; any reason burns it (spec/http/02 §2.2.6)."""
    if code.expires_at <= asked.call.now:
        return OAuthError("invalid_grant")
    if code.redirect_uri != asked.form.get("redirect_uri"):
        return OAuthError("unauthorized_client", "invalid_redirect")
    if not is_verified(code.code_challenge, asked.form.get("code_verifier")):
        return OAuthError("invalid_grant")
    return None


async def _exchange(asked: Asked[Any], redeemed: Redeemed, user: User) -> Tokens:
    call, pool, client, digest, code = asked.call, asked.pool, asked.client, redeemed.digest, redeemed.code
    session = open_session(
        call,
        pool,
        client,
        user,
        auth_time=code.auth_time,
        event_id=code.event_id,
        scopes=code.scopes,
        oauth=True,
        resource=code.resource,
    )
    session = replace(session, origin=code.origin, methods=code.methods, level=code.level)
    minting = prepare(call, pool, client, user, session, redeemed.groups)
    tokens = await issue(call, asked.keys, minting, source=TOKEN_SOURCE, nonce=code.nonce)

    def commit(tx: Tx) -> bool:
        if tx.authorization_codes.spend(digest, session.id):
            return begin_session(tx, call, pool, session)
        _end_session(tx, digest)
        return False

    if not await call.store.write(commit):
        raise OAuthError("invalid_grant")
    return tokens


def _end_session(tx: Tx, digest: bytes) -> None:
    found = tx.authorization_codes.find(digest)
    if found is not None and found[1]:
        tx.sessions.delete(found[1])


def _is_open_to(client: Client) -> bool:
    return is_enabled(client, OAuthFlowType.code)


GRANT = Grant(required=("code", "redirect_uri"), is_open_to=_is_open_to, load=load, authorise=authorise)
