"""PASSWORD_VERIFIER: proof of the password by SRP, without sending it (spec/api/04 §7)."""

import re
from collections.abc import Mapping
from functools import partial
from uuid import UUID

import msgspec
from msgspec import Struct

from poolhouse.core import srp
from poolhouse.core.user import Credentials
from poolhouse.crypto.modpow import pow_mod, srp_thread
from poolhouse.flows.challenges.identity import check_admitted, prove, refuse
from poolhouse.flows.challenges.talk import Proved, Question, Talk, required
from poolhouse.flows.passwords import open_verifier
from poolhouse.model import InvalidParameterException

DAYS, MONTHS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun", "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
TIMESTAMP = re.compile(
    rf"(?:{DAYS}) (?:{MONTHS}) (?:0?[1-9]|[12][0-9]|3[01]) (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r" [A-Za-z0-9:+-]{1,9} [0-9]{4}",
    re.ASCII,
)
WRONG_TIMESTAMP = "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."
DIGEST_PURPOSE = "srp-nobody"
DIGEST_BYTES = 32


class Kept(Struct, frozen=True, array_like=True):
    """What the answer is checked with: A, b and B, as bytes."""

    client_public: bytes
    secret: bytes
    public: bytes


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Kept)


async def ask(talk: Talk, given: Mapping[str, str]) -> Question:
    """Return B and the salt for the client's A; a user who is not there gets made-up ones, always the same."""
    client_public = srp.read_public(required(given, "SRP_A"))
    verifier, salt = _verifier_and_salt(talk)
    secret = int.from_bytes(talk.call.deps.random.bytes(srp.SECRET_BYTES), "big")
    offer = await srp_thread(partial(srp.make_offer, verifier, secret, pow_mod))
    shown = _user_id(talk)
    parameters = {
        "SALT": salt,
        "SRP_B": srp.to_hex(offer.public),
        "USERNAME": shown,
        "USER_ID_FOR_SRP": shown,
    }
    kept = Kept(*(srp.pad(number) for number in (client_public, offer.secret, offer.public)))
    return Question(parameters, _ENCODER.encode(kept))


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Check the client's proof; the arithmetic is the same whether or not there is such a user."""
    block = srp.find_secret_block(required(answer, "PASSWORD_CLAIM_SECRET_BLOCK")) or b""
    signature, timestamp = required(answer, "PASSWORD_CLAIM_SIGNATURE"), required(answer, "TIMESTAMP")
    if not TIMESTAMP.fullmatch(timestamp):
        raise InvalidParameterException(WRONG_TIMESTAMP)
    admitted = await check_admitted(talk)
    kept = _DECODER.decode(talk.secret)
    client_public, secret, public = (
        int.from_bytes(number, "big") for number in (kept.client_public, kept.secret, kept.public)
    )
    verifier, _ = _verifier_and_salt(talk)
    offer = srp.Offer(secret, public)
    key = await srp_thread(partial(srp.session_key, client_public, offer, verifier, pow_mod))
    expected = srp.sign(key, talk.pool.srp_name, _user_id(talk), block, timestamp)
    if not srp.is_signature(signature, expected) or not admitted or talk.user is None:
        await refuse(talk)
    return prove(talk, talk.user)


def _verifier_and_salt(talk: Talk) -> tuple[int, str]:
    credentials = talk.user.credentials if talk.user else Credentials()
    verifier = open_verifier(talk.call, talk.pool, talk.name, credentials)
    if verifier is not None and credentials.srp_salt is not None:
        return verifier, credentials.srp_salt
    # No password gives a made-up verifier: its logarithm is known to nobody.
    length = (srp.PRIME.bit_length() + 7) // 8
    blocks = [_made_up(talk, f"verifier {number}") for number in range(length // DIGEST_BYTES)]
    return int.from_bytes(b"".join(blocks), "big") % srp.PRIME, srp.make_salt(_made_up(talk, "salt"))


def _user_id(talk: Talk) -> str:
    if talk.user is not None:
        return talk.user.username
    return str(UUID(bytes=_made_up(talk, "user")[:16], version=4))


def _made_up(talk: Talk, what: str) -> bytes:
    return talk.call.deps.sealer.digest(DIGEST_PURPOSE, what, talk.pool.id, talk.name)
