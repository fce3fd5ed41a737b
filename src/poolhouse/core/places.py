"""Where an address is: the network that it belongs to, and the place on earth that a file of such places names."""

import math
from ipaddress import IPv4Address, ip_network

from msgspec import Struct

from poolhouse.core.addresses import read_address

# Addresses that share so many bits are taken for the same connection: what providers hand out to one site.
_PREFIXES = {4: 24, 6: 48}
_EARTH_RADIUS_KM = 6371.0


class Place(Struct, frozen=True, kw_only=True):
    """A place. Names are English and empty where unknown; degrees are None there."""

    city: str = ""
    country: str = ""
    latitude: float | None = None
    longitude: float | None = None


NOWHERE = Place()


def network_of(address: str) -> str:
    """Return the network that an address counts for: /24 of IPv4, /48 of IPv6; empty where it is no address."""
    found = read_address(address)
    if found is None:
        return ""
    return str(ip_network((found, _PREFIXES[found.version]), strict=False))


def site_of(address: str) -> str | None:
    """Return what an address counts as where failures are counted: itself for IPv4, its /64 for IPv6.

    None where it is not a public one: a private address is often a gateway that many people come through.
    """
    found = read_address(address)
    if found is None or not found.is_global:
        return None
    return str(found) if isinstance(found, IPv4Address) else str(ip_network((found, 64), strict=False))


def distance_km(here: Place, there: Place) -> float | None:
    """Return the distance along the earth's surface; None where either place has no position."""
    if here.latitude is None or here.longitude is None or there.latitude is None or there.longitude is None:
        return None
    south, north = math.radians(here.latitude), math.radians(there.latitude)
    turn = math.radians(there.longitude - here.longitude)
    # The haversine formula, which is exact enough for small distances too.
    chord = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin(turn / 2) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))
