"""Where addresses are, from a file in the MaxMind DB format: GeoLite2 City and its like, or such a file of one's own."""

import logging
import pathlib
from typing import TYPE_CHECKING, Any

from poolhouse.core.addresses import read_address
from poolhouse.core.places import NOWHERE, Place

if TYPE_CHECKING:
    from maxminddb import Reader

log = logging.getLogger(__name__)


class NoPlaces(Exception):
    """A file of places cannot be used; the text is for the operator."""


class Places:
    """Finds places. Without a file, and for addresses that the file does not know, that is nowhere."""

    def __init__(self, path: pathlib.Path | None = None) -> None:
        """Open a file, which takes the extra ``geoip``; raises NoPlaces."""
        self._reader: Reader | None = None if path is None else _open(path)

    def find(self, address: str) -> Place:
        """Return where an address is."""
        found = None if self._reader is None else read_address(address)
        if self._reader is None or found is None:
            return NOWHERE
        try:
            record = self._reader.get(found)
        except (ValueError, RuntimeError):  # an IPv6 address in a file of IPv4 ones, a file that is broken inside
            return NOWHERE
        return _place(record) if isinstance(record, dict) else NOWHERE


def _open(path: pathlib.Path) -> "Reader":
    try:
        import maxminddb
    except ImportError:
        raise NoPlaces("the extra `geoip` is not installed: pip install 'poolhouse[geoip]'") from None
    try:
        return maxminddb.open_database(path)
    except OSError as error:
        raise NoPlaces(error.strerror or "it cannot be read") from None
    except maxminddb.InvalidDatabaseError:
        raise NoPlaces("it is not a MaxMind DB file") from None


def _place(record: dict[str, Any]) -> Place:
    location = record.get("location") or {}
    return Place(
        city=_name(record.get("city")),
        country=_name(record.get("country") or record.get("registered_country")),
        latitude=location.get("latitude"),
        longitude=location.get("longitude"),
    )


def _name(thing: Any) -> str:
    named = thing or {}
    return str((named.get("names") or {}).get("en") or named.get("iso_code") or "")
