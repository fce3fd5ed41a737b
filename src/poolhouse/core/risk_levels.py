"""How risky a sign-in is: a level that follows from facts alone (spec/api/07 §6, docs/decisions/0015-risk-engine.md).

Each sign of an attack has its points, and their sum makes the level. Whatever makes a sign-in unlike earlier ones
counts only beside earlier ones: the first sign-in of a user is like no other, and no risk for that.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from poolhouse.core.places import NOWHERE, Place, distance_km, network_of
from poolhouse.model import RiskDecisionType, RiskLevelType

# Wrong passwords of the last hour; the fifth locks the account for the first time.
FAILURES, MANY_FAILURES = 5, 10
# Failed sign-ins from the same address within an hour, whoever they were for.
FAILURES_FROM_ADDRESS = 100
HOUR = 3_600_000
# Faster than airliners, and farther than a place in such a file may be wrong.
FASTEST_KM_PER_HOUR = 1000
NEARBY_KM = 200
_VERSIONS = re.compile(r"[\d.]+")


class Sign(StrEnum):
    """Something about a sign-in that an attack would have too."""

    NEW_DEVICE = "new device"
    NEW_NETWORK = "new network"
    NEW_COUNTRY = "new country"
    IMPOSSIBLE_TRAVEL = "impossible travel"
    FAILURES = "failures before"
    MANY_FAILURES = "many failures before"
    FAILURES_FROM_ADDRESS = "failures from the address"


POINTS = {
    Sign.NEW_DEVICE: 1,
    Sign.NEW_NETWORK: 1,
    Sign.NEW_COUNTRY: 2,
    Sign.IMPOSSIBLE_TRAVEL: 3,
    Sign.FAILURES: 1,
    Sign.MANY_FAILURES: 1,
    Sign.FAILURES_FROM_ADDRESS: 2,
}
# The points from which on a level holds, the highest first.
LEVELS = ((4, RiskLevelType.High), (3, RiskLevelType.Medium), (2, RiskLevelType.Low))


class Sighting(Struct, frozen=True, kw_only=True):
    """When, whence and on what a user signed in. ``at`` is in milliseconds; what is unknown is empty."""

    at: int
    address: str = ""
    device: str = ""
    place: Place = NOWHERE


class Past(Struct, frozen=True, kw_only=True):
    """What a sign-in is held against: ``known`` sign-ins of the user, newest first, and guesses right before.

    ``device_known`` says that the sign-in names a device which the user had remembered.
    """

    known: Sequence[Sighting] = ()
    failures: int = 0
    failures_from_address: int = 0
    device_known: bool = False


class Assessment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What threat protection made of something that a user does.

    ``compromised`` says whether the password is known to attackers, None where nobody looked. ``factor_due`` says that
    this once a second factor has to be shown.
    """

    level: RiskLevelType | None = None
    decision: RiskDecisionType = RiskDecisionType.NoRisk
    compromised: bool | None = None
    factor_due: bool = False


NOTHING_FOUND = Assessment()


def find_signs(now: Sighting, past: Past) -> frozenset[Sign]:
    """Return the signs of an attack that a sign-in bears."""
    signs = {
        Sign.FAILURES: past.failures >= FAILURES,
        Sign.MANY_FAILURES: past.failures >= MANY_FAILURES,
        Sign.FAILURES_FROM_ADDRESS: past.failures_from_address >= FAILURES_FROM_ADDRESS,
    }
    if past.known:
        signs |= {
            Sign.NEW_DEVICE: not past.device_known and _is_new_device(now, past.known),
            Sign.NEW_NETWORK: _is_new_network(now, past.known),
            Sign.NEW_COUNTRY: _is_new_country(now, past.known),
            Sign.IMPOSSIBLE_TRAVEL: _is_too_fast(past.known[0], now),
        }
    return frozenset(sign for sign, borne in signs.items() if borne)


def level_of(signs: frozenset[Sign]) -> RiskLevelType | None:
    """Return the level of risk that signs make together, None where there is none to speak of."""
    points = sum(POINTS[sign] for sign in signs)
    return next((level for least, level in LEVELS if points >= least), None)


def _is_new_device(now: Sighting, known: Sequence[Sighting]) -> bool:
    device = _kind(now.device)
    return bool(device) and device not in {_kind(each.device) for each in known}


def _kind(device: str) -> str:
    """Return what stays of a device's name when it is updated: that without version numbers."""
    return " ".join(_VERSIONS.sub("", device).split())


def _is_new_network(now: Sighting, known: Sequence[Sighting]) -> bool:
    network = network_of(now.address)
    return bool(network) and network not in {network_of(each.address) for each in known}


def _is_new_country(now: Sighting, known: Sequence[Sighting]) -> bool:
    countries = {each.place.country for each in known if each.place.country}
    return bool(now.place.country) and bool(countries) and now.place.country not in countries


def _is_too_fast(before: Sighting, now: Sighting) -> bool:
    distance = distance_km(before.place, now.place)
    if distance is None or distance < NEARBY_KM:
        return False
    hours = max(0, now.at - before.at) / HOUR
    return distance > hours * FASTEST_KM_PER_HOUR
