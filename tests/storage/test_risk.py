"""Risk configurations, auth events, and logs on their way out."""

import pytest
from msgspec.structs import replace

from poolhouse.core.auth_events import RETENTION, Feedback
from poolhouse.core.log_delivery import KEPT
from poolhouse.core.risk_levels import Assessment
from poolhouse.model import (
    ChallengeName,
    ChallengeResponse,
    EventResponseType,
    EventSourceName,
    EventType,
    FeedbackValueType,
    RiskDecisionType,
    RiskLevelType,
)
from tests.storage.builders import NOW, POOL, auth_event, client, log_delivery, names, pool, risk, user, with_pool

OTHER = "us-east-1_other"
PASS, FAIL, OPEN = EventResponseType.Pass, EventResponseType.Fail, EventResponseType.InProgress
VALID = Feedback(value=FeedbackValueType.Valid, provider="Admin", at=NOW)


@pytest.fixture
def store(store):
    with_pool(store, client("app"), client("b"))
    return store


@pytest.fixture
def ann(store):
    return store.write(lambda tx: tx.users.insert(user("ann"), names()))


def put(store, *events):
    return store.write(lambda tx: [tx.auth_events.put(event) for event in events])


def events_of(store, who, before=None, limit=99):
    return store.read(lambda tx: tx.auth_events.page(who, before=before, limit=limit))


def count(store, table):
    return store.read(lambda tx: tx.users._sql.row(f"SELECT COUNT(*) FROM {table}"))[0]


def records_due(store, destination="arn", now=NOW, until=NOW + 10, limit=99):
    return store.write(lambda tx: tx.log_records.claim(destination, now=now, until=until, limit=limit))


def test_an_event_comes_back_as_it_was(store, ann):
    """All that is known of an event is kept."""
    full = auth_event(
        ann,
        assessment=Assessment(level=RiskLevelType.High, decision=RiskDecisionType.Block, compromised=False),
        challenges=((ChallengeName.Password, ChallengeResponse.Failure),),
        response=OPEN,
        client_id="app",
        request_id="r",
        address="2001:db8::1",
        device="Chrome 1, Linux",
        timezone="+01:00",
        city="Berlin",
        country="Germany",
    )
    assert put(store, full, auth_event(ann, "bare")) == [full, auth_event(ann, "bare")]
    assert store.read(lambda tx: tx.auth_events.find(ann, "e1")) == full
    assert store.write(lambda tx: tx.auth_events.judge(full, VALID)) == replace(full, feedback=VALID)
    assert store.read(lambda tx: tx.auth_events.find(ann, "e1")) == replace(full, feedback=VALID)
    assert store.read(lambda tx: tx.auth_events.find(replace(ann, id=ann.id + 1), "e1")) is None
    assert store.write(lambda tx: tx.auth_events.judge(auth_event(ann, "none"), VALID)) is None


def test_what_a_sign_in_is_held_against(store, ann):
    """The latest that passed and the latest that were judged, newest first, however many failed in between."""
    events = [auth_event(ann, f"e{n}", at=NOW + n, response=PASS if n % 10 == 0 else FAIL) for n in range(60)]
    put(store, *events)
    store.write(lambda tx: tx.auth_events.judge(events[57], VALID))
    store.write(lambda tx: tx.auth_events.judge(events[50], VALID))
    known = store.read(lambda tx: tx.auth_events.known(ann, 2))
    assert [event.id for event in known] == ["e57", "e50", "e40"]
    assert store.read(lambda tx: tx.auth_events.known(replace(ann, id=ann.id + 1), 9)) == []


def test_an_event_goes_on_until_it_has_passed(store, ann):
    """It keeps the time that it began at and the feedback; once passed it does not change any more."""
    put(store, auth_event(ann, response=OPEN))
    store.write(lambda tx: tx.auth_events.judge(auth_event(ann), VALID))
    for response, stored in ((FAIL, True), (PASS, True), (FAIL, False)):
        [after] = put(store, auth_event(ann, at=NOW + 5, response=response, device="x"))
        expected = auth_event(ann, at=NOW, response=response, device="x", feedback=VALID)
        assert after == (expected if stored else None)
    assert events_of(store, ann) == [auth_event(ann, device="x", feedback=VALID)]


def test_nothing_is_stored_for_nobody(store, ann):
    """Neither for a user who never was nor for one who is gone; a deleted user takes the events along."""
    put(store, auth_event(ann))
    store.write(lambda tx: tx.users.delete(ann))
    assert put(store, auth_event(ann, "late"), auth_event(replace(ann, id=0), "nobody")) == [None, None]
    assert count(store, "auth_events") == 0


def test_events_are_paged_newest_first(store, ann):
    """By time and then id, only the user's own."""
    bob = store.write(lambda tx: tx.users.insert(user("bob"), names()))
    given = [auth_event(ann, f"e{number}", NOW + number // 2) for number in range(7)]
    put(store, auth_event(bob, "other", NOW + 2), *given)
    seen, before = [], None
    while page := events_of(store, ann, before, 3):
        seen += page
        before = (page[-1].at, page[-1].id)
    assert seen == given[::-1]
    begun = store.read(lambda tx: tx.auth_events.find_begun(ann, EventType.SignIn, NOW + 3))
    assert begun == given[6]
    assert store.read(lambda tx: tx.auth_events.find_begun(ann, EventType.SignUp, NOW + 3)) is None


def test_events_go_after_two_years_and_with_their_pool(store, ann):
    """The sweeper takes a bounded number at a time."""
    put(store, *(auth_event(ann, f"e{number}", NOW + number) for number in range(5)))
    store.write(lambda tx: tx.sweep(NOW + RETENTION + 3, 2))
    assert [event.id for event in events_of(store, ann)] == ["e4", "e3", "e2"]
    store.write(lambda tx: tx.pools.delete(POOL))
    while store.write(lambda tx: tx.sweep(NOW, 2)):
        pass
    assert count(store, "auth_events") == 0


def test_a_clients_own_configuration_takes_the_place_of_its_pools(store):
    """Until it is deleted, or the client is."""
    whole, own = risk(POOL, None, "10.0.0.0/8"), risk(POOL, "app")

    def holding():
        return store.read(lambda tx: [tx.catalogue.risk_configuration(client(id)) for id in ("app", "b")])

    assert holding() == [None, None]
    store.write(lambda tx: tx.risk_configurations.put(POOL, None, whole))
    assert holding() == [whole, whole]
    store.write(lambda tx: tx.risk_configurations.put(POOL, "app", own))
    assert holding() == [own, whole]
    store.write(lambda tx: tx.risk_configurations.delete(POOL, "app"))
    assert holding() == [whole, whole]
    store.write(lambda tx: tx.risk_configurations.put(POOL, "app", own))
    store.write(lambda tx: tx.clients.delete(POOL, "app"))
    assert store.read(lambda tx: tx.risk_configurations.find(POOL, "app")) is None
    store.write(lambda tx: tx.pools.delete(POOL))
    assert count(store, "risk_configurations") == 0


def test_what_a_pool_delivers(store):
    """It holds at once in every process's cache, for its own pool only, and goes with the pool."""
    source = EventSourceName.userAuthEvents
    store.write(lambda tx: tx.pools.insert(pool(OTHER), NOW))
    assert store.read(lambda tx: tx.catalogue.log_destination(POOL, source)) is None
    for arn in ("arn:aws:logs:us-east-1:000000000000:log-group:x", "arn:aws:logs:us-east-1:000000000000:log-group:y"):
        store.write(lambda tx, arn=arn: tx.log_deliveries.put(log_delivery(arn)))
        assert store.read(lambda tx: tx.catalogue.log_destination(POOL, source)) == arn
    assert store.read(lambda tx: tx.catalogue.log_destination(OTHER, source)) is None
    assert store.read(lambda tx: tx.catalogue.log_destination(POOL, EventSourceName.userNotification)) is None
    store.write(lambda tx: tx.pools.delete(POOL))
    assert count(store, "log_deliveries") == 0


def test_a_record_is_taken_by_one_until_its_lease_ends(store):
    """Oldest first; put off it is due later, deleted never again, and after a week it is swept."""
    for number in range(3):
        store.write(lambda tx, number=number: tx.log_records.add("arn", {"n": number}, NOW + number))
    store.write(lambda tx: tx.log_records.add("brn", {}, NOW + 2))
    assert store.read(lambda tx: tx.log_records.due(NOW + 1, 9)) == ["arn"]
    assert store.read(lambda tx: tx.log_records.due(NOW + 2, 1)) == ["arn"]
    assert store.read(lambda tx: tx.log_records.due(NOW + 2, 9)) == ["arn", "brn"]
    first = records_due(store, now=NOW + 1, limit=1)
    assert [document for _, document in first] == ['{"n":0}']
    second = records_due(store, now=NOW + 1)
    assert [document for _, document in second] == ['{"n":1}']
    assert records_due(store, now=NOW + 1) == []
    assert len(records_due(store, now=NOW + 10, until=NOW + 20)) == 3
    store.write(lambda tx: tx.log_records.put_off([first[0][0]], NOW + 50))
    store.write(lambda tx: tx.log_records.delete([second[0][0]]))
    assert [document for _, document in records_due(store, now=NOW + 20, until=NOW + 20)] == ['{"n":2}']
    store.write(lambda tx: tx.sweep(NOW + KEPT + 2, 99))
    assert [document for _, document in records_due(store, now=NOW + 50)] == ['{"n":2}']
    store.write(lambda tx: tx.sweep(NOW + KEPT + 3, 99))
    assert count(store, "log_records") == 0
