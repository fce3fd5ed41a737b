"""DEVICE_PASSWORD_VERIFIER: proof of a device's secret by SRP (spec/api/04 §8)."""

from collections.abc import Mapping

from poolhouse.core import srp
from poolhouse.core.devices import is_second_factor
from poolhouse.core.sign_in import Proof
from poolhouse.flows.challenges.identity import check_admitted, refuse
from poolhouse.flows.challenges.srp_exchange import is_proved, offer, read_claim
from poolhouse.flows.challenges.talk import Proved, Question, Talk, required
from poolhouse.flows.devices import NOT_FOUND, open_verifier
from poolhouse.model import ResourceNotFoundException


async def ask(talk: Talk, given: Mapping[str, str]) -> Question:
    """Return B and the salt for the device's A."""
    user, device = talk.user, talk.device
    assert user is not None
    assert device is not None
    public, kept = await offer(
        talk.call, srp.read_public(required(given, "SRP_A")), open_verifier(talk.call, user, device)
    )
    parameters = {
        "SALT": device.salt or "",
        "SRP_B": public,
        "USERNAME": user.username,
        "DEVICE_KEY": device.key,
    }
    return Question(parameters, kept)


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Check the device's proof.

    Raises NotAuthorizedException, also where the device is remembered no more; ResourceNotFoundException where it was
    forgotten meanwhile.
    """
    user, device = talk.user, talk.device
    assert user is not None
    claim = read_claim(answer)
    required(answer, "DEVICE_KEY")
    if device is None:
        raise ResourceNotFoundException(NOT_FOUND)
    # Guesses count as those of a password do. Another device's proof does not fit: B was made from this one's verifier.
    await check_admitted(talk)
    trusted = is_second_factor(talk.pool, device)
    verifier = open_verifier(talk.call, user, device) if trusted else None
    group = talk.pool.device_group_key
    if verifier is None or not await is_proved(claim, talk.secret, verifier, group, device.key):
        await refuse(talk)
    return Proved(user, talk.progress.having(Proof.DEVICE, Proof.SECOND_FACTOR))
