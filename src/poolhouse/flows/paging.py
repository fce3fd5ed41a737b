"""Page tokens: opaque, tamper-evident and bound to the list that they continue (spec/api/01 §7)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

import msgspec

from poolhouse.core.paging import Place
from poolhouse.crypto.seal import SealBroken
from poolhouse.flows.calls import Call
from poolhouse.model import InvalidParameterException


def seal_place(call: Call, bound: bytes, *after: str) -> str:
    """Return the token that continues a list after the given sort key. ``bound`` is ``core.paging.binding``."""
    place = msgspec.json.encode(Place(after=after, at=call.now))
    return urlsafe_b64encode(call.deps.sealer.seal("page", place, bound)).decode().rstrip("=")


def open_place(call: Call, bound: bytes, token: str | None, lifetime: int | None = None) -> tuple[str, ...] | None:
    """Return the sort key that a token continues after, None without a token.

    ``lifetime`` is in milliseconds. Raises InvalidParameterException for a token that is not ours,
    belongs to another list or has expired.
    """
    if token is None:
        return None
    refused = InvalidParameterException("Invalid pagination token given.")
    try:
        sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        place = msgspec.json.decode(call.deps.sealer.open("page", sealed, bound), type=Place)
    except (SealBroken, NotBase64, UnicodeEncodeError, msgspec.DecodeError):
        raise refused from None
    if lifetime is not None and place.at + lifetime < call.now:
        raise refused
    return place.after
