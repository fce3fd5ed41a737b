"""Passkeys (WebAuthn): what is asked of the browser, and what of its answer is right (spec/api/04 §5, §10)."""

import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from poolhouse.core.pool import Pool
from poolhouse.core.pool_defaults import first_factors
from poolhouse.model import (
    AuthFactorType,
    UserVerificationType,
    WebAuthnConfigurationType,
    WebAuthnCredentialDescription,
    WebAuthnFactorConfigurationType,
    WebAuthnNotEnabledException,
)

MAX_PASSKEYS = 20
# ES256 and RS256 (spec/http/03 §3.8).
ALGORITHMS = (-7, -257)
TIMEOUT = 60_000
# The answer takes its time from the authenticator to the server.
CHALLENGE_LIFETIME = 2 * TIMEOUT
# The names that makers give to their own, by AAGUID; those that many users have.
PROVIDERS = {
    "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4": "Google Password Manager",
    "fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "iCloud Keychain",
    "dd4ec289-e01d-41c9-bb89-70fa845d4bf2": "iCloud Keychain (Managed)",
    "adce0002-35bc-c60a-648b-0b25f1f05503": "Chrome on Mac",
    "08987058-cadc-4b81-b6e1-30de50dcbe96": "Windows Hello",
    "9ddd1817-af5a-4672-a2b9-3e3dd95000a9": "Windows Hello",
    "6028b017-b1d4-4c02-b4b3-afcdafc96bb2": "Windows Hello",
    "53414d53-554e-4700-0000-000000000000": "Samsung Pass",
    "bada5566-a7aa-401f-bd96-45619a55120d": "1Password",
    "d548826e-79b4-db40-a3d8-11116f7e8349": "Bitwarden",
    "531126d6-e717-415c-9320-3d9aa6981239": "Dashlane",
    "f3809540-7f14-49c1-a8b3-8f813b225541": "Enpass",
    "0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6": "Keeper",
    "fdb141b2-5d84-443e-8a35-4698c205a502": "KeePassXC",
    "b84e4048-15dc-4dd0-8640-f4f60813c8af": "NordPass",
    "50726f74-6f6e-5061-7373-50726f746f6e": "Proton Pass",
}
# The origin of a web page as browsers write it (RFC 6454 §6.2).
_ORIGIN = re.compile(r"(https?)://([a-z0-9_.-]+)(?::[0-9]{1,5})?")
ATTACHMENTS = {"platform": "Platform passkey", "cross-platform": "Roaming passkey"}


class Passkey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A public key of a user's authenticator.

    ``id`` is base64url. ``public_key`` is a COSE key. ``sign_count`` is what the authenticator counted at the last
    use; one that does not go up tells of a copy. ``name`` was found for it at registration. Times are milliseconds.
    """

    id: str
    public_key: bytes
    sign_count: int
    rp_id: str
    name: str
    attachment: str | None = None
    transports: tuple[str, ...] = ()
    aaguid: str | None = None
    backed_up: bool = False
    created_at: int

    @property
    def place(self) -> tuple[str, str]:
        """What a user's passkeys are sorted by: the time of registration, then the id."""
        return f"{self.created_at:015}", self.id


def check_enabled(pool: Pool) -> None:
    """Check that users of the pool may have passkeys; raises WebAuthnNotEnabledException."""
    if not are_enabled(pool):
        raise WebAuthnNotEnabledException("WebAuthn is not enabled")


def are_enabled(pool: Pool) -> bool:
    """Tell whether a passkey is a first factor of the pool."""
    return AuthFactorType.WEB_AUTHN in (first_factors(pool.settings.policies) or ())


def are_both_factors(pool: Pool) -> bool:
    """Tell whether a passkey may stand for both factors in the pool."""
    multi = WebAuthnFactorConfigurationType.MULTI_FACTOR_WITH_USER_VERIFICATION
    return _configuration(pool).factor_configuration is multi


def user_verification(pool: Pool) -> UserVerificationType:
    """Return whether an authenticator has to see who uses it; preferred where nothing is set (spec/api/02 §4)."""
    return _configuration(pool).user_verification or UserVerificationType.preferred


def find_rp_id(pool: Pool, prefix_host: str | None) -> str | None:
    """Return the relying party: as configured, else the custom domain, else the host of the prefix domain.

    None where there is no domain, or its host is an address, which browsers take for no relying party.
    """
    configured = _configuration(pool).relying_party_id or pool.settings.custom_domain
    if configured is not None:
        return configured
    if prefix_host is None or ":" in prefix_host or prefix_host.rpartition(".")[2].isdecimal():
        return None
    return prefix_host


def creation_options(
    *,
    rp_id: str,
    user_id: str,
    username: str,
    challenge: str,
    existing: Iterable[str],
    verification: UserVerificationType,
) -> dict[str, Any]:
    """Return the options for ``navigator.credentials.create``. ``user_id`` and ``challenge`` are base64url already."""
    return {
        "rp": {"id": rp_id, "name": rp_id},
        "user": {"id": user_id, "name": username, "displayName": username},
        "challenge": challenge,
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in ALGORITHMS],
        "timeout": TIMEOUT,
        "excludeCredentials": [{"type": "public-key", "id": id} for id in existing],
        "authenticatorSelection": {
            "requireResidentKey": True,
            "residentKey": "required",
            "userVerification": verification.value,
        },
    }


def request_options(
    *, rp_id: str, challenge: str, allowed: Iterable[tuple[str, tuple[str, ...]]], verification: UserVerificationType
) -> dict[str, Any]:
    """Return the options for ``navigator.credentials.get``. ``allowed`` are ids with their transports (spec/api/04 §5)."""
    return {
        "challenge": challenge,
        "timeout": TIMEOUT,
        "rpId": rp_id,
        "allowCredentials": [
            {"id": id, "type": "public-key", "transports": list(transports)} for id, transports in allowed
        ],
        "userVerification": verification.value,
    }


def is_origin_allowed(origin: str, rp_id: str) -> bool:
    """Tell whether a page of this origin may speak for the relying party: over https, of it or below it.

    Browsers let pages on ``localhost`` do so without https.
    """
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        return False
    scheme, host = match.groups()
    local = host == "localhost" or host.endswith(".localhost")
    return (scheme == "https" or local) and (host == rp_id.lower() or host.endswith(f".{rp_id.lower()}"))


def name_of(aaguid: str | None, attachment: str | None) -> str:
    """Return a name that a user knows a passkey by: its maker's, else what kind it is (spec/api/04 §10)."""
    return PROVIDERS.get(aaguid or "") or ATTACHMENTS.get(attachment or "", "Passkey")


def describe(passkey: Passkey) -> WebAuthnCredentialDescription:
    """Return a passkey as the API shows it."""
    return WebAuthnCredentialDescription(
        credential_id=passkey.id,
        friendly_credential_name=passkey.name,
        relying_party_id=passkey.rp_id,
        authenticator_attachment=passkey.attachment,
        authenticator_transports=list(passkey.transports),
        created_at=passkey.created_at / 1000,
    )


def _configuration(pool: Pool) -> WebAuthnConfigurationType:
    return pool.mfa.web_authn_configuration or WebAuthnConfigurationType()
