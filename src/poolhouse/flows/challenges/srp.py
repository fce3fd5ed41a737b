"""PASSWORD_VERIFIER: proof of the password by SRP, without sending it (spec/api/04 §7)."""

from collections.abc import Mapping
from hashlib import shake_256

from poolhouse.core import srp
from poolhouse.core.user import Credentials
from poolhouse.flows.challenges.identity import check_admitted, prove, refuse
from poolhouse.flows.challenges.nobody import made_up, made_up_id
from poolhouse.flows.challenges.srp_exchange import is_proved, offer, read_claim
from poolhouse.flows.challenges.talk import Proved, Question, Talk, required
from poolhouse.flows.passwords import open_verifier


async def ask(talk: Talk, given: Mapping[str, str]) -> Question:
    """Return B and the salt for the client's A; a user who is not there gets made-up ones, always the same."""
    client_public = srp.read_public(required(given, "SRP_A"))
    verifier, salt = _verifier_and_salt(talk)
    public, kept = await offer(talk.call, client_public, verifier)
    shown = _user_id(talk)
    return Question({"SALT": salt, "SRP_B": public, "USERNAME": shown, "USER_ID_FOR_SRP": shown}, kept)


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Check the client's proof; the arithmetic is the same whether or not there is such a user."""
    claim = read_claim(answer)
    admitted = await check_admitted(talk)
    verifier, _ = _verifier_and_salt(talk)
    proved = await is_proved(claim, talk.secret, verifier, talk.pool.srp_name, _user_id(talk))
    if not proved or not admitted or talk.user is None:
        await refuse(talk)
    return prove(talk, talk.user)


def _verifier_and_salt(talk: Talk) -> tuple[int, str]:
    credentials = talk.user.credentials if talk.user else Credentials()
    verifier = open_verifier(talk.call, talk.pool, talk.name, credentials)
    if verifier is not None and credentials.srp_salt is not None:
        return verifier, credentials.srp_salt
    # No password gives a made-up verifier: its logarithm is known to nobody.
    length = (srp.PRIME.bit_length() + 7) // 8
    drawn = shake_256(made_up(talk.call, talk.pool, talk.name, "verifier")).digest(length)
    salt = srp.make_salt(made_up(talk.call, talk.pool, talk.name, "salt"))
    return int.from_bytes(drawn, "big") % srp.PRIME, salt


def _user_id(talk: Talk) -> str:
    return talk.user.username if talk.user else made_up_id(talk.call, talk.pool, talk.name)
