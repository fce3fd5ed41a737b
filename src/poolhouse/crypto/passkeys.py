"""Reading and verifying what authenticators say (WebAuthn Level 2 §7.1, §7.2), by the library ``webauthn``.

The library tells the faults of a credential by their texts only, and this service has errors of its own for some of
them; so what those need is read first, and everything is verified in the end. It is imported when first needed: that
takes a fifth of the time of a start, and many installations never need it.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

if TYPE_CHECKING:
    from webauthn.helpers.structs import AuthenticationCredential, RegistrationCredential

# WebAuthn Level 2 §4, "Credential ID": at most so many bytes.
LONGEST_ID = 1023
LONGEST_RSA_KEY = 4096
NO_AAGUID = "00000000-0000-0000-0000-000000000000"


class MalformedCredential(Exception):
    """What was sent is not the answer to a registration, or not to a sign-in."""


class UnsupportedCredential(Exception):
    """An authenticator's answer that is not accepted; the text says why."""


class WrongAssertion(Exception):
    """A sign-in by a passkey that is not accepted; the text says why."""


@dataclass(frozen=True, slots=True)
class Presented:
    """A new credential as it was sent: nothing of it is verified."""

    credential: "RegistrationCredential"
    challenge: bytes
    origin: str
    rp_id_hash: bytes

    def is_for(self, rp_id: str) -> bool:
        """Tell whether the authenticator made it for this relying party."""
        return hmac.compare_digest(self.rp_id_hash, sha256(rp_id.encode()).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A new credential that is as it should be. ``id`` is base64url, ``public_key`` a COSE key."""

    id: str
    public_key: bytes
    sign_count: int
    attachment: str | None
    transports: tuple[str, ...]
    aaguid: str | None
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Assertion:
    """A sign-in by a passkey as it was sent: nothing of it is verified. ``id`` is base64url."""

    credential: "AuthenticationCredential"
    id: str
    challenge: bytes
    origin: str
    user_handle: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asserted:
    """A sign-in by a passkey that is as it should be."""

    sign_count: int
    user_verified: bool


def read_registration(credential: Any) -> Presented:
    """Take a RegistrationResponseJSON apart; raises MalformedCredential."""
    from webauthn.helpers import parse_attestation_object, parse_client_data_json, parse_registration_credential_json
    from webauthn.helpers.structs import ClientDataType

    if not isinstance(credential, dict):
        raise MalformedCredential
    try:
        parsed = parse_registration_credential_json(credential)
        client_data = parse_client_data_json(parsed.response.client_data_json)
        attested = parse_attestation_object(parsed.response.attestation_object)
    except Exception as error:  # bytes of a stranger: the library meets them with errors of every kind
        raise MalformedCredential from error
    if client_data.type != ClientDataType.WEBAUTHN_CREATE or not isinstance(client_data.origin, str):
        raise MalformedCredential
    return Presented(parsed, client_data.challenge, client_data.origin, attested.auth_data.rp_id_hash)


def verify_registration(
    presented: Presented, *, rp_id: str, algorithms: tuple[int, ...], user_verification: bool
) -> Verified:
    """Verify a new credential whose challenge and origin were found right; raises UnsupportedCredential."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

    try:
        verified = verify_registration_response(
            credential=presented.credential,
            expected_challenge=presented.challenge,
            expected_rp_id=rp_id,
            expected_origin=presented.origin,
            require_user_verification=user_verification,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(algorithm) for algorithm in algorithms],
        )
        usable = len(verified.credential_id) <= LONGEST_ID and _is_usable(verified.credential_public_key)
    except Exception as error:  # as above
        raise UnsupportedCredential(str(error)) from error
    if not usable or verified.credential_id != presented.credential.raw_id:
        raise UnsupportedCredential("The public key or the id is not a usable one")
    credential = presented.credential
    attachment = credential.authenticator_attachment
    return Verified(
        id=bytes_to_base64url(verified.credential_id),
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        attachment=attachment.value if attachment else None,
        transports=tuple(dict.fromkeys(transport.value for transport in credential.response.transports or ())),
        aaguid=None if verified.aaguid == NO_AAGUID else verified.aaguid,
        backed_up=verified.credential_backed_up,
    )


def read_assertion(credential: str) -> Assertion:
    """Take an AuthenticationResponseJSON apart; raises MalformedCredential."""
    from webauthn.helpers import bytes_to_base64url, parse_authentication_credential_json, parse_client_data_json

    try:
        parsed = parse_authentication_credential_json(credential)
        client_data = parse_client_data_json(parsed.response.client_data_json)
        id = bytes_to_base64url(parsed.raw_id)
    except Exception as error:  # as above
        raise MalformedCredential from error
    if not isinstance(client_data.origin, str):
        raise MalformedCredential
    return Assertion(parsed, id, client_data.challenge, client_data.origin, parsed.response.user_handle)


def verify_assertion(
    assertion: Assertion, *, challenge: bytes, rp_id: str, public_key: bytes, sign_count: int, user_verification: bool
) -> Asserted:
    """Verify a sign-in whose origin was found right; raises WrongAssertion.

    ``sign_count`` is what the authenticator counted last: one that does not go up tells of a copy (§7.2, step 21).
    """
    from webauthn import verify_authentication_response

    try:
        verified = verify_authentication_response(
            credential=assertion.credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=assertion.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=user_verification,
        )
    except Exception as error:  # as above
        raise WrongAssertion(str(error)) from error
    return Asserted(sign_count=verified.new_sign_count, user_verified=verified.user_verified)


def _is_usable(cose_key: bytes) -> bool:
    """Tell whether signatures can be checked with a key: without attestation nothing else has tried it yet."""
    from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

    decoded = decode_credential_public_key(cose_key)
    key = decoded_public_key_to_cryptography(decoded)
    if decoded.alg == COSEAlgorithmIdentifier.ECDSA_SHA_256:
        return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    return isinstance(key, RSAPublicKey) and 2048 <= key.key_size <= LONGEST_RSA_KEY
