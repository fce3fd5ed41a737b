"""Time-based one-time passwords (RFC 6238) as authenticator apps make them: SHA-1, six digits, thirty seconds."""

import hmac
from base64 import b32decode, b32encode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

# Cognito's secrets are so long (spec/api/04 §9).
SECRET_LENGTH = 32
DIGITS = 6
STEP = 30
# So many steps before and after the present one are accepted (spec/api/04 §9).
WINDOW = 1


def to_text(secret: bytes) -> str:
    """Return a secret as it is typed into an app: base32 without padding (RFC 4648 §6)."""
    return b32encode(secret).decode().rstrip("=")


def from_text(text: str) -> bytes:
    """Return the secret that a text in base32 is; raises ValueError."""
    return b32decode(text + "=" * (-len(text) % 8))


def find_step(secret: bytes, code: str, now: int) -> int | None:
    """Return the number of the time step that a code belongs to; None where it is wrong now.

    ``now`` is in milliseconds. All steps are compared, in constant time.
    """
    # RFC 6238 has SHA-1, which is sound in HMAC; apps know nothing else for certain.
    generator = TOTP(secret, DIGITS, SHA1(), STEP, enforce_key_length=False)  # noqa: S303
    present = now // 1000 // STEP
    given = code.encode("utf-8", "surrogatepass")
    matches = [
        step
        for step in range(present - WINDOW, present + WINDOW + 1)
        if hmac.compare_digest(generator.generate(step * STEP), given)
    ]
    return matches[-1] if matches else None


def valid_until(step: int) -> int:
    """Return when the code of a step is refused for its age, in milliseconds."""
    return (step + WINDOW + 1) * STEP * 1000
