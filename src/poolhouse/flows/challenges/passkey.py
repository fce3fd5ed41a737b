"""WEB_AUTHN: a passkey of the user (spec/api/04 §5, WebAuthn Level 2 §7.2).

The challenge lies under the seal of the ``Session``, so it is bound to this sign-in and counts once as that does.
"""

import hmac
import json
from collections.abc import Mapping
from typing import NoReturn

from msgspec.structs import replace

from poolhouse.core.acr import Method
from poolhouse.core.first_factors import is_both_factors
from poolhouse.core.jws import b64url
from poolhouse.core.passkeys import Passkey, is_origin_allowed, request_options, user_verification
from poolhouse.core.sign_in import Proof
from poolhouse.core.user import User
from poolhouse.crypto.passkeys import MalformedCredential, WrongAssertion, read_assertion, verify_assertion
from poolhouse.flows.challenges.identity import INCORRECT, admit
from poolhouse.flows.challenges.talk import Proved, Question, Talk, Write, required
from poolhouse.flows.passkeys import NO_RELYING_PARTY, find_rp_id
from poolhouse.model import (
    InvalidParameterException,
    InvalidUserPoolConfigurationException,
    NotAuthorizedException,
    UserPoolMfaType,
    UserVerificationType,
)
from poolhouse.storage import Tx

DIGEST_PURPOSE = "passkey of nobody"
CHALLENGE_BYTES = 32
ROAMING = "cross-platform"
MALFORMED = "CREDENTIAL is not a valid AuthenticationResponseJSON."
# The generator of P-256 (SEC 2 §2.4.2) as a COSE key: what is verified with it is refused whatever comes of it.
NOBODYS_KEY = bytes.fromhex(
    "a5010203262001215820"
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "225820"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


async def ask(talk: Talk, _: Mapping[str, str]) -> Question:
    """Return the options for the browser; for a user who is not there they name a passkey, always the same.

    Raises InvalidUserPoolConfigurationException where the pool has no relying party any more.
    """
    rp_id = _get_rp_id(talk)
    challenge = talk.call.deps.random.bytes(CHALLENGE_BYTES)
    options = request_options(
        rp_id=rp_id,
        challenge=b64url(challenge).decode(),
        allowed=await _allowed(talk, rp_id),
        verification=UserVerificationType.required if _is_verification_due(talk) else user_verification(talk.pool),
    )
    return Question({"CREDENTIAL_REQUEST_OPTIONS": json.dumps(options, separators=(",", ":"))}, challenge)


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Check what the authenticator signed; a user who is not there costs the same work.

    Wrong answers lock nothing, since nobody guesses a signature.
    Raises InvalidParameterException for what is no credential, NotAuthorizedException for a wrong one; as ``admit``.
    """
    try:
        assertion = read_assertion(required(answer, "CREDENTIAL"))
    except MalformedCredential:
        raise InvalidParameterException(MALFORMED) from None
    # As with a password, also where the state of the user has changed since the sign-in began.
    talk = admit(talk, talk.name)
    user, rp_id = talk.user, _get_rp_id(talk)
    passkey = await talk.call.store.read(lambda tx: tx.passkeys.find(user.id if user else 0, assertion.id))
    due = _is_verification_due(talk) or user_verification(talk.pool) is UserVerificationType.required
    try:
        asserted = verify_assertion(
            assertion,
            challenge=talk.secret,
            rp_id=rp_id,
            public_key=passkey.public_key if passkey else NOBODYS_KEY,
            sign_count=passkey.sign_count if passkey else 0,
            user_verification=due,
        )
    except WrongAssertion:
        _refuse()
    handle = user.sub.encode() if user else b""
    ours = assertion.user_handle is None or hmac.compare_digest(assertion.user_handle, handle)
    if passkey is None or user is None or not ours or passkey.rp_id != rp_id or not talk.secret:
        _refuse()
    if not is_origin_allowed(assertion.origin, rp_id):
        _refuse()

    def use(tx: Tx) -> None:
        if not tx.passkeys.note_use(user.id, passkey.id, asserted.sign_count):
            _refuse()

    return _prove(talk, user, passkey, use, verified=asserted.user_verified)


def _prove(talk: Talk, user: User, passkey: Passkey, use: Write, *, verified: bool) -> Proved:
    """Return what a passkey shows: identity, and the second factor too where the user's counts as both."""
    both = verified and is_both_factors(talk.pool, user)
    progress = talk.progress.having(Proof.IDENTITY, *((Proof.SECOND_FACTOR,) if both else ()))
    kind = Method.ROAMING_PASSKEY if passkey.attachment == ROAMING else Method.PLATFORM_PASSKEY
    return Proved(user, replace(progress, methods=progress.methods | {kind}), (use,))


async def _allowed(talk: Talk, rp_id: str) -> list[tuple[str, tuple[str, ...]]]:
    user = talk.user
    if user is None:
        made_up = talk.call.deps.sealer.digest(DIGEST_PURPOSE, talk.pool.id, talk.name)
        return [(b64url(made_up).decode(), ("internal", "hybrid"))]
    registered = await talk.call.store.read(lambda tx: tx.passkeys.of_user(user))
    return [(passkey.id, passkey.transports) for passkey in registered if passkey.rp_id == rp_id]


def _is_verification_due(talk: Talk) -> bool:
    """Whether the authenticator has to see who uses it beyond what the pool asks of all: it stands for both factors."""
    if talk.user is None:
        return talk.pool.mfa.mfa_configuration == UserPoolMfaType.ON
    return is_both_factors(talk.pool, talk.user)


def _get_rp_id(talk: Talk) -> str:
    rp_id = find_rp_id(talk.call.deps.identity, talk.pool)
    if rp_id is None:
        raise InvalidUserPoolConfigurationException(NO_RELYING_PARTY)
    return rp_id


def _refuse() -> NoReturn:
    raise NotAuthorizedException(INCORRECT)
