"""Places of addresses, from a file in the MaxMind DB format."""

from poolhouse.core.places import NOWHERE, Place
from poolhouse.datafiles.places import Places
from tests.datafiles.mmdb import city, write_mmdb


def test_places(tmp_path):
    """City, country and position, as far as the file tells; addresses that it does not know are nowhere."""
    records = {
        "8.8.4.0/24": city("Berlin", "Germany", 52.52, 13.4),
        "9.0.0.0/8": {"registered_country": {"iso_code": "JP"}},
        "11.0.0.0/8": "a text",
    }
    places = Places(write_mmdb(tmp_path / "places.mmdb", records))
    berlin = Place(city="Berlin", country="Germany", latitude=52.52, longitude=13.4)
    assert places.find("8.8.4.9") == places.find("::ffff:8.8.4.9") == berlin
    assert places.find("9.1.1.1") == Place(country="JP")
    for address in ("10.0.0.1", "11.0.0.1", "2001:db8::1", "", "nonsense"):
        assert places.find(address) == NOWHERE
    assert Places().find("8.8.4.9") == NOWHERE


def test_places_of_both_protocols(tmp_path):
    """A file of IPv6 addresses knows those of IPv4 as well, in the clothes of IPv6 too."""
    berlin, tokyo = city("Berlin", "Germany", 52.52, 13.4), city("Tokyo", "Japan", 35.68, 139.69)
    records = {"8.8.4.0/24": berlin, "2001:db8::/32": tokyo}
    places = Places(write_mmdb(tmp_path / "places.mmdb", records, version=6))
    assert [places.find(address).city for address in ("8.8.4.9", "::ffff:8.8.4.9")] == ["Berlin", "Berlin"]
    assert [places.find(address).city for address in ("2001:db8::1", "2001:db9::1")] == ["Tokyo", ""]
