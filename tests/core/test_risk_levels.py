"""How risky a sign-in is (spec/api/07 §6), by the table of docs/how-to/threat-protection.md."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.core.auth_events import AuthEvent, Feedback, failures_before, known_sightings
from poolhouse.core.places import NOWHERE, Place, distance_km, network_of, site_of
from poolhouse.core.risk_actions import Outcome, choose_outcome
from poolhouse.core.risk_levels import HOUR, Past, Sighting, Sign, find_signs, level_of
from poolhouse.model import (
    AccountTakeoverEventActionType,
    ChallengeName,
    ChallengeNameType,
    ChallengeResponse,
    EventResponseType,
    EventType,
    FeedbackValueType,
)

NOW = 1_700_000_000_000
BERLIN = Place(city="Berlin", country="Germany", latitude=52.52, longitude=13.4)
MUNICH = Place(city="Munich", country="Germany", latitude=48.14, longitude=11.58)
TOKYO = Place(city="Tokyo", country="Japan", latitude=35.68, longitude=139.69)
HOME = Sighting(at=NOW - 24 * HOUR, address="8.8.4.4", device="Firefox 127, Linux", place=BERLIN)

signs = st.frozensets(st.sampled_from(list(Sign)))


def seen(**changes):
    values = {"at": NOW, "address": HOME.address, "device": HOME.device, "place": HOME.place}
    return Sighting(**values | changes)


def level(sighting, **past):
    found = level_of(find_signs(sighting, Past(**{"known": [HOME]} | past)))
    return None if found is None else found.value


@pytest.mark.parametrize(
    ("changes", "past", "expected"),
    [
        ({}, {}, None),
        ({"device": "Firefox 131, Linux"}, {}, None),
        ({"device": "Chrome 126, Windows 10"}, {}, None),
        ({"address": "8.8.4.250"}, {"failures": 5}, None),
        ({"address": "9.9.9.9"}, {}, None),
        ({"device": "Chrome 126, Windows 10", "address": "9.9.9.9"}, {}, "Low"),
        ({"device": "Chrome 126, Windows 10", "address": "9.9.9.9"}, {"device_known": True}, None),
        ({"device": "Chrome 126, Windows 10", "address": "9.9.9.9"}, {"failures": 5}, "Medium"),
        ({"device": "Chrome 126, Windows 10", "address": "9.9.9.9"}, {"failures": 10}, "High"),
        ({"address": "9.9.9.9", "place": TOKYO}, {}, "Medium"),
        ({"address": "9.9.9.9", "place": TOKYO, "at": HOME.at + 3 * HOUR}, {}, "High"),
        ({"address": "9.9.9.9", "place": MUNICH, "at": HOME.at + HOUR}, {}, None),
        ({"address": "9.9.9.9", "place": MUNICH, "at": HOME.at + HOUR // 4}, {}, "High"),
        ({}, {"failures": 10}, "Low"),
        ({}, {"failures_from_address": 100}, "Low"),
        ({"address": "9.9.9.9", "place": TOKYO, "device": "x"}, {"known": []}, None),
        ({"address": "9.9.9.9", "place": TOKYO, "device": "x"}, {"known": [], "failures": 10}, "Low"),
        ({"address": "", "device": "", "place": NOWHERE}, {}, None),
    ],
)
def test_levels(changes, past, expected):
    """Each sign has its points; what is unlike earlier sign-ins counts only beside earlier ones."""
    assert level(seen(**changes), **past) == expected


@given(signs, signs)
def test_more_signs_are_no_less_risk(some, others):
    """A sign-in that bears further signs has the same level or a higher one."""
    order = [None, "Low", "Medium", "High"]
    assert order.index(level_of(some)) <= order.index(level_of(some | others))


@given(st.builds(Sighting, at=st.integers(0, 2**42), address=st.ip_addresses().map(str), device=st.text()))
def test_the_same_again_is_no_risk(sighting):
    """Where and what a user was known at and on bears no sign, whatever it is."""
    assert find_signs(sighting, Past(known=[sighting])) == frozenset()


degrees = st.floats(-90, 90)
places = st.builds(Place, latitude=degrees, longitude=degrees.map(lambda x: 2 * x))


@given(places, places)
def test_distances(here, there):
    """The same both ways, none to itself, and never farther than the other side of the earth."""
    assert distance_km(here, there) == pytest.approx(distance_km(there, here), abs=1e-3)
    assert distance_km(here, here) == pytest.approx(0, abs=1e-3)
    assert 0 <= distance_km(here, there) <= 20_016
    assert distance_km(here, NOWHERE) is None


def test_known_distance():
    """Berlin and Munich are 504 kilometres apart."""
    assert distance_km(BERLIN, MUNICH) == pytest.approx(504, abs=3)


def test_networks():
    """A connection is a /24 or a /48; failures count for public addresses, of IPv6 for a /64."""
    assert network_of("8.8.4.4") == network_of("::ffff:8.8.4.99") == "8.8.4.0/24"
    assert network_of("2a00:1450:4001:82b::1") == "2a00:1450:4001::/48"
    assert network_of("nonsense") == ""
    assert site_of("8.8.4.4") == "8.8.4.4"
    assert site_of("2a00:1450:4001:82b::1") == "2a00:1450:4001:82b::/64"
    assert [site_of(address) for address in ("10.1.2.3", "127.0.0.1", "fd00::1", "100.64.0.1", "")] == [None] * 5


def event(number, response, *, type=EventType.SignIn, failed=False, feedback=None):
    password = (ChallengeName.Password, ChallengeResponse.Failure if failed else ChallengeResponse.Success)
    judged = feedback and Feedback(value=FeedbackValueType(feedback), provider="User", at=NOW)
    return AuthEvent(
        id=f"e{number}",
        pool_id="p",
        user_id=1,
        at=NOW - number * 60_000,
        type=type,
        response=EventResponseType(response),
        challenges=(password,),
        address=f"8.8.{number}.1",
        feedback=judged,
    )


def test_what_is_known():
    """What passed, or was said to be the user's; not what was said not to be, nor what strangers can bring about."""
    events = [
        event(1, "Pass"),
        event(2, "Fail"),
        event(3, "Fail", feedback="Valid"),
        event(4, "Pass", feedback="Invalid"),
        event(5, "Pass", type=EventType.ResendCode),
        event(6, "InProgress"),
        event(7, "Pass", type=EventType.ForgotPassword),
    ]
    known = known_sightings(events, lambda _: NOWHERE)
    assert [each.address for each in known] == ["8.8.1.1", "8.8.3.1", "8.8.7.1"]


def test_failures_before():
    """Wrong passwords since the last sign-in that passed, of the last hour; a factor not answered ends no count."""
    events = [event(1, "Fail", failed=True), event(2, "InProgress"), event(3, "Fail", failed=True)]
    assert failures_before(events, NOW, HOUR) == 2
    assert failures_before([*events, event(4, "Pass"), event(5, "Fail", failed=True)], NOW, HOUR) == 2
    assert failures_before([event(59, "Fail", failed=True), event(61, "Fail", failed=True)], NOW, HOUR) == 1


@pytest.mark.parametrize(
    ("action", "with_factor", "without"),
    [
        ("BLOCK", Outcome.BLOCKED, Outcome.BLOCKED),
        ("MFA_REQUIRED", Outcome.ASKED, Outcome.BLOCKED),
        ("MFA_IF_CONFIGURED", Outcome.ASKED, Outcome.PASSED),
        ("NO_ACTION", Outcome.PASSED, Outcome.PASSED),
    ],
)
def test_outcomes(action, with_factor, without):
    """A required factor that nobody can show blocks; one that is asked if possible is left out then (07 §3)."""
    chosen = AccountTakeoverEventActionType(action)
    assert choose_outcome(chosen, (ChallengeNameType.SMS_MFA,)) is with_factor
    assert choose_outcome(chosen, ()) is without
