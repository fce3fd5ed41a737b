"""What is recorded of tracked sessions."""

import time

from msgspec.structs import replace

from poolhouse.core.session_tracking import Activity, find_surplus
from tests.storage.builders import NOW, POOL, client, names, pool, session, sso_session, user, with_pool
from tests.storage.test_concurrency import gather

FIRST, LATER = Activity(NOW, "Firefox", "10.0.0.1"), Activity(NOW + 5, "Chrome", "10.0.0.2")


def test_only_tracked_sessions_are_listed(store):
    """A session comes with its last use where it was stored with one, and while it lives."""
    kept, gone = session("kept", 1, origin="sso1"), session("gone", 1, expires_at=NOW)
    store.write(lambda tx: tx.sessions.insert(session("untracked", 1)))
    store.write(lambda tx: [tx.sessions.insert_tracked(each, FIRST) for each in (kept, gone, session("other", 2))])
    assert store.read(lambda tx: tx.sessions.tracked(1, NOW)) == [(kept, FIRST)]
    assert store.read(lambda tx: tx.sessions.last_active(1, NOW)) == {"kept": NOW}
    assert store.read(lambda tx: tx.sessions.find("kept")) == kept


def test_later_uses_replace_earlier_ones(store):
    """A use is kept where it is later than the known one and the session is tracked; a rotation leaves it alone."""
    tracked = session("s", 1)
    store.write(lambda tx: [tx.sessions.insert_tracked(tracked, FIRST), tx.sessions.insert(session("u", 1))])
    store.write(lambda tx: tx.sessions.note({"s": LATER, "u": LATER, "nobody": LATER}))
    store.write(lambda tx: tx.sessions.note({"s": FIRST}))
    store.write(lambda tx: tx.sessions.save(replace(tracked, generation=1)))
    assert store.read(lambda tx: tx.sessions.tracked(1, NOW)) == [(replace(tracked, generation=1), LATER)]
    store.write(lambda tx: tx.sessions.note({}))


def test_sso_session_life(store):
    """A record comes back as it was; used, prolonged and deleted, it says if it was there."""
    given = sso_session("sso1", 1)
    store.write(lambda tx: tx.sso_sessions.insert(given, FIRST))
    assert store.read(lambda tx: tx.sso_sessions.find("sso1")) == given
    assert store.read(lambda tx: tx.sso_sessions.of_user(1, NOW)) == [(given, FIRST)]
    assert store.read(lambda tx: tx.sso_sessions.of_user(1, given.expires_at)) == []
    assert store.write(lambda tx: tx.sso_sessions.use("sso1", LATER)) is True
    store.write(lambda tx: tx.sso_sessions.note({"sso1": FIRST}))
    assert store.read(lambda tx: tx.sso_sessions.of_user(1, NOW)) == [(given, LATER)]
    assert store.write(lambda tx: tx.sso_sessions.prolong("sso1", NOW + 9000, LATER)) is True
    assert store.read(lambda tx: tx.sso_sessions.find("sso1")) == replace(given, expires_at=NOW + 9000)
    assert store.write(lambda tx: tx.sso_sessions.delete("sso1")) is True
    for work in (
        lambda tx: tx.sso_sessions.delete("sso1"),
        lambda tx: tx.sso_sessions.use("sso1", LATER),
        lambda tx: tx.sso_sessions.prolong("sso1", NOW, LATER),
    ):
        assert store.write(work) is False
    assert store.read(lambda tx: tx.sso_sessions.find("sso1")) is None


def test_records_go_with_their_user_and_pool_and_in_time(store):
    """What belongs to a user or pool goes with it; what has expired is swept."""
    with_pool(store)
    ann, bob, eve = (store.write(lambda tx, name=name: tx.users.insert(user(name), names())) for name in "abe")
    rows = [("a", ann.id), ("b", bob.id), ("e", eve.id), ("late", eve.id)]
    ends = {"late": NOW - 1}
    for id, owner in rows:
        record = sso_session(id, owner, expires_at=ends.get(id, NOW + 1000))
        store.write(lambda tx, record=record: tx.sso_sessions.insert(record, FIRST))
    left = lambda: [id for id, _ in rows if store.read(lambda tx, each=id: tx.sso_sessions.find(each))]
    store.write(lambda tx: tx.users.delete(ann))
    assert left() == ["b", "e", "late"]
    store.write(lambda tx: tx.sweep(NOW, 10))
    assert left() == ["b", "e"]
    store.write(lambda tx: tx.sso_sessions.delete_of_user(eve.id))
    assert left() == ["b"]
    store.write(lambda tx: tx.pools.delete(POOL))
    assert left() == []


def test_settings_of_pool_and_client_are_kept(store):
    """What a pool and a client are set to comes back, and the longest among the pool's clients is known."""
    with_pool(store, client("a"), client("b"))
    assert store.read(lambda tx: tx.pools.find(POOL)).tracks_sessions is False
    assert store.read(lambda tx: tx.catalogue.longest_sso_minutes(POOL)) == 60
    configured = store.read(lambda tx: tx.pools.find(POOL)).session_configuration
    changed = replace(pool(), tracking=replace(configured, user_session_tracking="ENABLED"))
    store.write(lambda tx: tx.pools.save(changed))
    store.write(lambda tx: tx.clients.save(replace(tx.clients.find("b"), sso_minutes=90)))
    found = store.read(lambda tx: tx.pools.find(POOL))
    assert (found.tracks_sessions, found.most_sessions) == (True, 20)
    assert [store.read(lambda tx, each=id: tx.clients.find(each)).sso_minutes for id in "ab"] == [60, 90]
    assert store.read(lambda tx: tx.catalogue.longest_sso_minutes(POOL)) == 90


def test_sign_ins_of_one_user_take_turns(store):
    """Sign-ins at the same time leave the maximum and no more, though none sees the others (spec/api/10 §1.1)."""
    with_pool(store)
    ann = store.write(lambda tx: tx.users.insert(user("ann"), names()))

    def sign_in(tx, number):
        tx.users.take_turn(ann.id)
        surplus = find_surplus(tx.sessions.last_active(ann.id, NOW), 1)
        time.sleep(0.03)
        for id in surplus:
            tx.sessions.delete(id)
        tx.sessions.insert_tracked(session(f"s{number}", ann.id), Activity(NOW + number, "", ""))

    gather(store, [lambda tx, number=number: sign_in(tx, number) for number in range(6)])
    assert len(store.read(lambda tx: tx.sessions.last_active(ann.id, NOW))) == 1
    assert store.read(lambda tx: tx.users.find_by_id(ann.id)).revision == ann.revision
