"""AWS Signature Version 4, as a verifier (spec/api/01 §5.5). Pure: headers, body, secret and time are arguments."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from poolhouse.api.errors import IncompleteSignatureException, InvalidSignatureException
from poolhouse.core.aws_signature import ALGORITHM, TERMINATOR

SERVICE = "cognito-idp"
SKEW = timedelta(minutes=5)
# Without these in the signature, somebody who overhears a request could make another one of it.
MUST_BE_SIGNED = ("host", "x-amz-target")

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
_ISO = "%Y%m%dT%H%M%SZ"
_RFC_1123 = "%a, %d %b %Y %H:%M:%S %z"
_PARTS = ("Credential", "Signature", "SignedHeaders")
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_ISO_SHAPE = re.compile(r"[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True, slots=True)
class Claim:
    """What an Authorization header claims: who signed what, when, with which result. ``time`` is in ISO 8601."""

    key_id: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str
    time: str

    @property
    def scope(self) -> str:
        """The credential scope: the part of the credential after the key."""
        return f"{self.date}/{self.region}/{self.service}/{self.terminator}"


def read_claim(headers: Mapping[str, str]) -> Claim:
    """Take the Authorization header apart; raises IncompleteSignatureException."""
    authorization = headers["authorization"]
    algorithm, _, rest = authorization.strip().partition(" ")
    pairs = (part.strip().partition("=") for part in rest.split(","))
    parts = {name: value for name, _, value in pairs} if algorithm == ALGORITHM else {}
    time = _signing_time(headers)
    lacking = [f"Authorization header requires '{name}' parameter." for name in _PARTS if not parts.get(name)]
    if time is None:
        lacking.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if lacking or time is None:
        digest = base64.b64encode(hashlib.sha256(authorization.encode()).digest()).decode()
        told = f"(Hashed with SHA-256 and encoded with Base64) Authorization={digest}"
        raise IncompleteSignatureException(" ".join([*lacking, told]))
    credential = parts["Credential"].split("/")
    if len(credential) != 5:
        raise IncompleteSignatureException(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{parts['Credential']}'"
        )
    key_id, date, region, service, terminator = credential
    names = tuple(name.lower() for name in parts["SignedHeaders"].split(";"))
    return Claim(key_id, date, region, service, terminator, names, parts["Signature"], time)


def _signing_time(headers: Mapping[str, str]) -> str | None:
    """Return the time of signing in ISO 8601, from ``X-Amz-Date`` or else ``Date``."""
    given = headers.get("x-amz-date") or headers.get("date", "")
    if _ISO_SHAPE.fullmatch(given):
        return given
    try:
        return datetime.strptime(given.replace("GMT", "+0000"), _RFC_1123).astimezone(UTC).strftime(_ISO)
    except (ValueError, OverflowError):
        return None


def check_claim(claim: Claim, now: int) -> None:
    """Check what needs no key: scope, headers and time; raises InvalidSignatureException. ``now`` is milliseconds."""
    if claim.terminator != TERMINATOR:
        raise InvalidSignatureException(
            f"Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{claim.terminator}'."
        )
    if claim.service != SERVICE:
        raise InvalidSignatureException(f"Credential should be scoped to correct service: '{SERVICE}'.")
    if not _REGION.fullmatch(claim.region):
        raise InvalidSignatureException("Credential should be scoped to a valid region.")
    if claim.date != claim.time[:8]:
        raise InvalidSignatureException(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{claim.date}' != '{claim.time[:8]}', from '{claim.time}'."
        )
    for name in MUST_BE_SIGNED:
        if name not in claim.signed_headers:
            raise InvalidSignatureException(f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")
    _check_time(claim.time, now)


def _check_time(signed: str, now: int) -> None:
    try:
        moment = datetime.fromisoformat(signed)
    except ValueError:
        raise InvalidSignatureException(f"Date must be in ISO-8601 'basic format'. Got '{signed}'.") from None
    present = datetime.fromtimestamp(now // 1000, UTC)
    if moment < present - SKEW:
        raise InvalidSignatureException(
            f"Signature expired: {signed} is now earlier than {present - SKEW:{_ISO}} ({present:{_ISO}} - 5 min.)"
        )
    if moment > present + SKEW:
        raise InvalidSignatureException(
            f"Signature not yet current: {signed} is still later than {present + SKEW:{_ISO}} ({present:{_ISO}} + 5 min.)"
        )


def check_signature(claim: Claim, key: bytes, headers: Mapping[str, str], query: bytes, body: bytes) -> None:
    """Compare the signature with our own over the request; raises InvalidSignatureException."""
    canonical = hashlib.sha256(canonical_request(claim, headers, query, body)).hexdigest()
    text = f"{ALGORITHM}\n{claim.time}\n{claim.scope}\n{canonical}"
    ours = hmac.digest(key, text.encode(), "sha256").hex()
    if not hmac.compare_digest(ours.encode(), claim.signature.encode()):
        raise InvalidSignatureException(MISMATCH)


def canonical_request(claim: Claim, headers: Mapping[str, str], query: bytes, body: bytes) -> bytes:
    """Return the form of the request that both sides sign. A signed header that is absent counts as empty."""
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}" for name in claim.signed_headers]
    parameters = sorted(pair if b"=" in pair else pair + b"=" for pair in query.split(b"&") if pair)
    parts = [
        b"POST",
        b"/",
        b"&".join(parameters),
        "\n".join(lines).encode("latin-1"),
        b"",
        ";".join(claim.signed_headers).encode("latin-1"),
        hashlib.sha256(body).hexdigest().encode(),
    ]
    return b"\n".join(parts)
