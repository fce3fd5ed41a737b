"""The two halves of an SRP exchange, for the password of a user and for that of a device (spec/api/04 §7)."""

import re
from collections.abc import Mapping
from functools import partial

import msgspec
from msgspec import Struct

from poolhouse.core import srp
from poolhouse.crypto.modpow import pow_mod, srp_thread
from poolhouse.flows.calls import Call
from poolhouse.flows.challenges.talk import required
from poolhouse.model import InvalidParameterException

DAYS, MONTHS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun", "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
TIMESTAMP = re.compile(
    rf"(?:{DAYS}) (?:{MONTHS}) (?:0?[1-9]|[12][0-9]|3[01]) (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r" [A-Za-z0-9:+-]{1,9} [0-9]{4}",
    re.ASCII,
)
WRONG_TIMESTAMP = "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."


class Kept(Struct, frozen=True, array_like=True):
    """What the answer is checked with: A, b and B, as bytes."""

    client_public: bytes
    secret: bytes
    public: bytes


class Claim(Struct, frozen=True):
    """What a client says to know the password."""

    block: bytes
    signature: str
    timestamp: str


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Kept)


async def offer(call: Call, client_public: int, verifier: int) -> tuple[str, bytes]:
    """Return SRP_B for a client's A and a verifier, and what to keep until the answer."""
    secret = int.from_bytes(call.deps.random.bytes(srp.SECRET_BYTES), "big")
    made = await srp_thread(partial(srp.make_offer, verifier, secret, pow_mod))
    kept = Kept(*(srp.pad(number) for number in (client_public, made.secret, made.public)))
    return srp.to_hex(made.public), _ENCODER.encode(kept)


def read_claim(answer: Mapping[str, str]) -> Claim:
    """Return what an answer claims; raises InvalidParameterException."""
    block = srp.find_secret_block(required(answer, "PASSWORD_CLAIM_SECRET_BLOCK")) or b""
    signature, timestamp = required(answer, "PASSWORD_CLAIM_SIGNATURE"), required(answer, "TIMESTAMP")
    if not TIMESTAMP.fullmatch(timestamp):
        raise InvalidParameterException(WRONG_TIMESTAMP)
    return Claim(block, signature, timestamp)


async def is_proved(claim: Claim, kept: bytes, verifier: int, group: str, user_id: str) -> bool:
    """Whether a claim shows the password that the verifier was made of."""
    numbers = _DECODER.decode(kept)
    client_public, secret, public = (
        int.from_bytes(number, "big") for number in (numbers.client_public, numbers.secret, numbers.public)
    )
    made = srp.Offer(secret, public)
    key = await srp_thread(partial(srp.session_key, client_public, made, verifier, pow_mod))
    expected = srp.sign(key, group, user_id, claim.block, claim.timestamp)
    return srp.is_signature(claim.signature, expected)
