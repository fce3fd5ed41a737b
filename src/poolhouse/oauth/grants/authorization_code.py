"""Tokens for an authorization code (RFC 6749 §4.1.3): one read, the signatures, one write."""

from dataclasses import dataclass

from poolhouse.core.client import Client
from poolhouse.core.grants import OAuthError, check_readable, is_enabled, is_verified
from poolhouse.core.session import AuthorizationCode
from poolhouse.core.user import User
from poolhouse.flows.authorization import TOKEN_SOURCE, code_digest
from poolhouse.flows.tokens import Tokens, mint, open_session
from poolhouse.model import OAuthFlowType
from poolhouse.oauth.grants.grant import Asked, Grant
from poolhouse.storage import Tx

# Stands in place of a session where a code was spent without giving one.
BURNT = ""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A code as stored: the session that it has given already, None if it is unspent, and its user, if there still."""

    code: AuthorizationCode
    spent_on: str | None
    user: User | None


async def authorise(asked: Asked) -> Tokens:
    """Spend the code and return the tokens of a new session.

    A code that comes a second time ends the session which it gave the first time (RFC 9700 §4.5).
    Raises OAuthError, or a trigger's error.

    Differs from Cognito (authorization codes): what becomes of the tokens of a code that is presented twice is not
    documented for Cognito; here they are revoked.
    """
    digest = code_digest(asked.call, asked.form.values["code"])
    redeemed = await asked.call.store.read(lambda tx: _find(tx, digest))
    if redeemed is None or redeemed.code.client_id != asked.client.id:
        raise OAuthError("invalid_grant")
    if redeemed.spent_on is not None:
        await asked.call.store.write(lambda tx: _end_session(tx, digest))
        raise OAuthError("invalid_grant")
    refusal = decide_refusal(asked, redeemed.code)
    if refusal is not None:
        await asked.call.store.write(lambda tx: tx.authorization_codes.spend(digest, BURNT))
        raise refusal
    if redeemed.user is None or not redeemed.user.enabled:
        raise OAuthError("invalid_grant")
    check_readable(asked.client, redeemed.code.scopes)
    return await _exchange(asked, digest, redeemed.code, redeemed.user)


def decide_refusal(asked: Asked, code: AuthorizationCode) -> OAuthError | None:
    """Return why a code is not to be had for this request; any reason burns it (spec/http/02 §2.2.6)."""
    if code.expires_at <= asked.call.now:
        return OAuthError("invalid_grant")
    if code.redirect_uri != asked.form.get("redirect_uri"):
        return OAuthError("unauthorized_client", "invalid_redirect")
    if not is_verified(code.code_challenge, asked.form.get("code_verifier")):
        return OAuthError("invalid_grant")
    return None


async def _exchange(asked: Asked, digest: bytes, code: AuthorizationCode, user: User) -> Tokens:
    call, pool, client = asked.call, asked.pool, asked.client
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
    tokens = await mint(call, pool, client, user, session, source=TOKEN_SOURCE, nonce=code.nonce)

    def commit(tx: Tx) -> bool:
        if tx.authorization_codes.spend(digest, session.id):
            tx.sessions.insert(session)
            return True
        _end_session(tx, digest)
        return False

    if not await call.store.write(commit):
        raise OAuthError("invalid_grant")
    return tokens


def _find(tx: Tx, digest: bytes) -> Redeemed | None:
    found = tx.authorization_codes.find(digest)
    if found is None:
        return None
    code, spent_on = found
    return Redeemed(code, spent_on, tx.users.find_by_id(code.user_id))


def _end_session(tx: Tx, digest: bytes) -> None:
    found = tx.authorization_codes.find(digest)
    if found is not None and found[1]:
        tx.sessions.delete(found[1])


def _is_open_to(client: Client) -> bool:
    return is_enabled(client, OAuthFlowType.code)


GRANT = Grant(required=("code", "redirect_uri"), is_open_to=_is_open_to, authorise=authorise)
