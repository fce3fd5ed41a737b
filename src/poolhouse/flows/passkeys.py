"""Registering passkeys: the options for the browser, and the credential that comes back (spec/api/04 §10).

The challenge is itself the state between the two: sealed, bound to user and client, expiring, and spent in the write
that stores the passkey.
"""

from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from poolhouse.core import passkeys
from poolhouse.core.jws import b64url
from poolhouse.core.passkeys import MAX_PASSKEYS, Passkey
from poolhouse.core.pool import Pool
from poolhouse.crypto.passkeys import (
    MalformedCredential,
    Presented,
    UnsupportedCredential,
    Verified,
    read_registration,
    verify_registration,
)
from poolhouse.crypto.seal import SealBroken
from poolhouse.flows.calls import Identity, UserCall
from poolhouse.flows.links import base_url_of
from poolhouse.flows.users import get_user_again
from poolhouse.model import (
    InvalidParameterException,
    LimitExceededException,
    UserVerificationType,
    WebAuthnChallengeNotFoundException,
    WebAuthnClientMismatchException,
    WebAuthnConfigurationMissingException,
    WebAuthnCredentialNotSupportedException,
    WebAuthnOriginNotAllowedException,
    WebAuthnRelyingPartyMismatchException,
)
from poolhouse.storage import Tx
from poolhouse.storage.errors import AlreadyExists

PURPOSE = "passkey-registration"
NO_RELYING_PARTY = "The user pool has neither a relying party ID nor a domain."
NO_CHALLENGE = "The challenge of the registration was not found or has expired."


class Registration(Struct, frozen=True, array_like=True):
    """What a challenge stands for. ``expires_at`` is in milliseconds."""

    user_id: int
    client_id: str
    nonce: str
    expires_at: int


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Registration)


async def start(call: UserCall) -> dict[str, Any]:
    """Return what the browser needs to make a passkey.

    Raises WebAuthnNotEnabledException, WebAuthnConfigurationMissingException.
    """
    passkeys.check_enabled(call.pool)
    rp_id = find_rp_id(call.deps.identity, call.pool)
    if rp_id is None:
        raise WebAuthnConfigurationMissingException(NO_RELYING_PARTY)
    registration = Registration(
        user_id=call.user.id,
        client_id=call.client.id,
        nonce=call.deps.random.uuid(),
        expires_at=call.now + passkeys.CHALLENGE_LIFETIME,
    )
    challenge = call.deps.sealer.seal(PURPOSE, _ENCODER.encode(registration))
    existing = await call.store.read(lambda tx: tx.passkeys.of_user(call.user))
    return passkeys.creation_options(
        rp_id=rp_id,
        user_id=b64url(call.user.sub.encode()).decode(),
        username=call.user.username,
        challenge=b64url(challenge).decode(),
        existing=[passkey.id for passkey in existing],
        verification=passkeys.user_verification(call.pool),
    )


async def complete(call: UserCall, credential: Any) -> None:
    """Store the passkey that a browser has made.

    Raises InvalidParameterException for what is no credential, LimitExceededException for one too many, and the
    errors named for each check in spec/api/04 §10.
    """
    passkeys.check_enabled(call.pool)
    try:
        presented = read_registration(credential)
    except MalformedCredential:
        raise InvalidParameterException("Credential is not a valid RegistrationResponseJSON.") from None
    registration = _open(call, presented.challenge)
    rp_id = find_rp_id(call.deps.identity, call.pool)
    made = _verified(call, presented, rp_id)
    passkey = Passkey(
        id=made.id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        rp_id=rp_id or "",
        name=passkeys.name_of(made.aaguid, made.attachment),
        attachment=made.attachment,
        transports=made.transports,
        aaguid=made.aaguid,
        backed_up=made.backed_up,
        created_at=call.now,
    )

    def commit(tx: Tx) -> None:
        user = get_user_again(tx, call.user)
        if not tx.nonces.spend(registration.nonce, registration.expires_at):
            raise WebAuthnChallengeNotFoundException(NO_CHALLENGE)
        if tx.passkeys.add(user, passkey) > MAX_PASSKEYS:
            raise LimitExceededException(f"A user can have at most {MAX_PASSKEYS} passkeys.")

    try:
        await call.store.write(commit)
    except AlreadyExists:
        raise WebAuthnCredentialNotSupportedException("The passkey is registered already.") from None


def find_rp_id(identity: Identity, pool: Pool) -> str | None:
    """Return the relying party of a pool's passkeys; None where it has neither a setting nor a domain.

    Differs from Cognito (passkeys): where a prefix domain is served by path, the relying party is the host of the
    public URL, unless one is configured. Passkeys that Android apps make without a web page are refused, since their
    origin names a key of the app, not a host.
    """
    base = base_url_of(identity, pool)
    return passkeys.find_rp_id(pool, urlsplit(base).hostname if base else None)


def _open(call: UserCall, challenge: bytes) -> Registration:
    try:
        registration = _DECODER.decode(call.deps.sealer.open(PURPOSE, challenge))
    except SealBroken:
        raise WebAuthnChallengeNotFoundException(NO_CHALLENGE) from None
    if registration.user_id != call.user.id or registration.expires_at <= call.now:
        raise WebAuthnChallengeNotFoundException(NO_CHALLENGE)
    if registration.client_id != call.client.id:
        raise WebAuthnClientMismatchException("The registration was started by another app client.")
    return registration


def _verified(call: UserCall, presented: Presented, rp_id: str | None) -> Verified:
    if rp_id is None or not presented.is_for(rp_id):
        raise WebAuthnRelyingPartyMismatchException("The passkey was made for another relying party.")
    if not passkeys.is_origin_allowed(presented.origin, rp_id):
        raise WebAuthnOriginNotAllowedException("The passkey was made at an origin that is not the relying party's.")
    try:
        return verify_registration(
            presented,
            rp_id=rp_id,
            algorithms=passkeys.ALGORITHMS,
            user_verification=passkeys.user_verification(call.pool) is UserVerificationType.required,
        )
    except UnsupportedCredential:
        raise WebAuthnCredentialNotSupportedException("The passkey is of a kind that is not supported.") from None
