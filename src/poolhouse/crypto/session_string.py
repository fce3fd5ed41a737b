"""The state between the steps of a sign-in, sealed: ``Session`` strings and SECRET_BLOCKs."""

from base64 import b64encode

from poolhouse.core.jws import b64url, find_b64url
from poolhouse.core.srp import find_secret_block
from poolhouse.crypto.seal import OVERHEAD, SealBroken, Sealer

SESSION_PURPOSE = "sign-in session"
BLOCK_PURPOSE = "secret block"
# What makes the text start with AYABe, as Cognito's does (spec/api/04 §6).
SESSION_PREFIX = b"\x01\x80\x01\x78"
MAX_SESSION_LENGTH = 4096
_SIZE = 2
MAX_SESSION_CONTENT = MAX_SESSION_LENGTH * 3 // 4 - len(SESSION_PREFIX) - OVERHEAD - _SIZE
# Sessions are as long for users that there are not as for those that there are, unless names are very long.
SESSION_STEP = 768
# Cognito's block has 1,724 characters: so many bytes (spec/api/04 §4).
BLOCK_LENGTH = 1293
MAX_BLOCK_LENGTH = 8192


def seal_session(sealer: Sealer, content: bytes, purpose: str = SESSION_PURPOSE) -> str:
    """Return a ``Session`` string. ``content`` has at most MAX_SESSION_CONTENT bytes, else ValueError is raised."""
    if len(content) > MAX_SESSION_CONTENT:
        raise ValueError(f"A session holds {MAX_SESSION_CONTENT} bytes, not {len(content)}.")
    room = min(-(-(len(content) + _SIZE) // SESSION_STEP) * SESSION_STEP, MAX_SESSION_CONTENT + _SIZE)
    return b64url(SESSION_PREFIX + sealer.seal(purpose, _framed(content, room), SESSION_PREFIX)).decode()


def open_session(sealer: Sealer, text: str, purpose: str = SESSION_PURPOSE) -> bytes | None:
    """Return the content of a ``Session`` string; None unless this installation made it for the purpose."""
    if len(text) > MAX_SESSION_LENGTH or not text.isascii():
        return None
    data = find_b64url(text.encode())
    if data is None or not data.startswith(SESSION_PREFIX):
        return None
    try:
        return _unframed(sealer.open(purpose, data[len(SESSION_PREFIX) :], SESSION_PREFIX))
    except SealBroken:
        return None


def seal_secret_block(sealer: Sealer, content: bytes) -> str:
    """Return a SECRET_BLOCK, of Cognito's length whatever ``content`` is, unless that is longer."""
    return b64encode(sealer.seal(BLOCK_PURPOSE, _framed(content, BLOCK_LENGTH - OVERHEAD))).decode()


def open_secret_block(sealer: Sealer, text: str) -> bytes | None:
    """Return the content of a SECRET_BLOCK; None unless this installation made it."""
    data = find_secret_block(text) if len(text) <= MAX_BLOCK_LENGTH else None
    if data is None:
        return None
    try:
        return _unframed(sealer.open(BLOCK_PURPOSE, data))
    except SealBroken:
        return None


def _framed(content: bytes, length: int) -> bytes:
    return (len(content).to_bytes(_SIZE, "big") + content).ljust(length, b"\0")


def _unframed(framed: bytes) -> bytes:
    return framed[_SIZE : _SIZE + int.from_bytes(framed[:_SIZE], "big")]
