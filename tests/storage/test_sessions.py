"""Sessions, codes, counters, nonces, keys, messages and the sweeper."""

import pytest
from msgspec.structs import replace

from poolhouse.core.access_key import AccessKey
from poolhouse.core.session import Attempts
from poolhouse.storage.codes import LEEWAY
from poolhouse.storage.errors import AlreadyExists, CorruptRow
from tests.storage.builders import (
    NOW,
    POOL,
    authorization_code,
    confirmation_code,
    message,
    names,
    session,
    signing_key,
    user,
    with_pool,
)


def test_session_life(store):
    """A session comes back as it was, with its user; saved and deleted, it says if it was there."""
    ann = store.write(lambda tx: tx.users.insert(user("ann"), names()))
    given = session("s", ann.id, event_id="e", resource="https://api")
    store.write(lambda tx: tx.sessions.insert(given))
    assert store.read(lambda tx: tx.sessions.find("s")) == given
    assert store.read(lambda tx: tx.sessions.find_with_user("s")) == (given, ann)
    rotated = replace(given, generation=1, rotated_at=NOW)
    assert store.write(lambda tx: tx.sessions.save(rotated)) is True
    assert store.read(lambda tx: tx.sessions.find("s")) == rotated
    assert store.write(lambda tx: tx.sessions.delete("s")) is True
    assert store.write(lambda tx: tx.sessions.delete("s")) is False
    assert store.write(lambda tx: tx.sessions.save(rotated)) is False
    assert store.read(lambda tx: tx.sessions.find_with_user("s")) is None


def test_sessions_end_by_user_and_by_client(store):
    """All sessions of a user, or of a client, end together, and no others."""
    rows = [session("a1", 1, "x"), session("a2", 1, "y"), session("b1", 2, "x"), session("b2", 2, "y")]
    store.write(lambda tx: [tx.sessions.insert(each) for each in rows])
    left = lambda: store.read(lambda tx: {each.id for each in rows if tx.sessions.find(each.id)})
    store.write(lambda tx: tx.sessions.delete_of_user(1))
    assert left() == {"b1", "b2"}
    store.write(lambda tx: tx.sessions.delete_of_client("x"))
    assert left() == {"b2"}


def test_authorization_code_is_spent_once(store):
    """A code can be spent once; it stays to show which session its reuse must end."""
    code = authorization_code(1)
    store.write(lambda tx: tx.authorization_codes.insert(b"\x00d", code))
    assert store.read(lambda tx: tx.authorization_codes.find(b"\x00d")) == (code, None)
    assert store.write(lambda tx: tx.authorization_codes.spend(b"\x00d", "s1")) is True
    assert store.write(lambda tx: tx.authorization_codes.spend(b"\x00d", "s2")) is False
    assert store.write(lambda tx: tx.authorization_codes.spend(b"other", "s2")) is False
    assert store.read(lambda tx: tx.authorization_codes.find(b"\x00d")) == (code, "s1")
    assert store.read(lambda tx: tx.authorization_codes.find(b"other")) is None


def test_confirmation_code_replaces_the_one_before(store):
    """A user has one code for each purpose, the newest."""
    find = lambda purpose: store.read(lambda tx: tx.confirmation_codes.find(1, purpose))
    newer = confirmation_code(digest=b"2", expires_at=NOW + 5)
    for each in (confirmation_code(digest=b"1"), confirmation_code("forgot"), newer):
        store.write(lambda tx, each=each: tx.confirmation_codes.put(1, each))
    assert find("sign-up") == newer
    assert find("forgot") == confirmation_code("forgot")
    assert store.write(lambda tx: tx.confirmation_codes.delete(1, "sign-up")) is True
    assert store.write(lambda tx: tx.confirmation_codes.delete(1, "sign-up")) is False
    assert find("sign-up") is None


def test_attempts_and_nonces(store):
    """A counter is replaced and forgotten; a nonce is spent once."""
    assert store.read(lambda tx: tx.attempts.find("ann")) is None
    for count in (1, 2):
        counter = Attempts(count=count, since=NOW, locked_until=NOW + count)
        store.write(lambda tx, counter=counter: tx.attempts.put("ann", counter, NOW + 9))
    assert store.read(lambda tx: tx.attempts.find("ann")) == counter
    assert store.write(lambda tx: tx.attempts.delete("ann")) is True
    assert store.write(lambda tx: tx.attempts.delete("ann")) is False
    assert [store.write(lambda tx: tx.nonces.spend("n", NOW)) for _ in range(2)] == [True, False]


def test_outbox_lists_newest_last(store):
    """Messages come back in order, all, by address, or only the newest."""
    store.write(lambda tx: [tx.outbox.add(message(id, to)) for id, to in (("1", "a"), ("2", "b"), ("3", "a"))])
    ids = lambda **options: [each.id for each in store.read(lambda tx: tx.outbox.list(**options))]
    assert ids() == ["1", "2", "3"]
    assert ids(to="a") == ["1", "3"]
    assert ids(to="b", last=True) == ["2"]
    assert ids(last=True) == ["3"]
    assert ids(to="nobody") == []
    assert store.read(lambda tx: tx.outbox.list(last=True)) == [message("3", "a")]


def test_settings(store):
    """A small value is stored and replaced."""
    assert store.read(lambda tx: tx.settings.find("x")) is None
    for value in (b"\x00\xff", b"two"):
        store.write(lambda tx, value=value: tx.settings.put("x", value))
        assert store.read(lambda tx: tx.settings.find("x")) == value


def test_access_keys(store):
    """Access keys are found by id, listed and deleted."""
    keys = [AccessKey(id=id, name="ci", sealed_secret=b"\x01", created_at=NOW, enabled=id == "A") for id in "BA"]
    store.write(lambda tx: [tx.access_keys.insert(each) for each in keys])
    assert store.read(lambda tx: tx.access_keys.find("B")) == keys[0]
    assert store.read(lambda tx: tx.access_keys.list()) == keys[::-1]
    with pytest.raises(AlreadyExists):
        store.write(lambda tx: tx.access_keys.insert(keys[0]))
    assert store.write(lambda tx: tx.access_keys.delete("B")) is True
    assert store.write(lambda tx: tx.access_keys.delete("B")) is False
    assert store.read(lambda tx: tx.access_keys.find("B")) is None


def test_signing_keys_come_from_stock(store):
    """A pool gets the oldest key in stock for the use it asks for; an empty stock gives none."""
    with_pool(store)
    store.write(
        lambda tx: [tx.signing_keys.add_stock(signing_key(kid, created_at=at)) for kid, at in (("b", 1), ("a", 2))]
    )
    assert store.read(lambda tx: tx.signing_keys.stock_count()) == 2
    first = store.write(lambda tx: tx.signing_keys.claim(POOL, "access"))
    assert (first.kid, first.pool_id, first.use, first.state) == ("b", POOL, "access", "active")
    assert store.write(lambda tx: tx.signing_keys.claim(POOL, "id")).kid == "a"
    assert store.write(lambda tx: tx.signing_keys.claim(POOL, "id")) is None
    assert store.read(lambda tx: tx.signing_keys.stock_count()) == 0
    with pytest.raises(AlreadyExists):
        store.write(lambda tx: tx.signing_keys.insert(signing_key("a")))
    assert store.read(lambda tx: tx.catalogue.signing_keys(POOL)).access == first


def test_sweep_removes_what_has_expired_a_bounded_number_at_a_time(store):
    """The sweeper takes expired rows of every kind, oldest first, and leaves the rest."""

    def fill(tx):
        for number in range(5):
            expires_at = NOW - 5 + number if number < 3 else NOW + number
            tx.sessions.insert(session(f"s{number}", number, expires_at=expires_at))
            tx.authorization_codes.insert(b"%d" % number, authorization_code(number, expires_at))
            tx.confirmation_codes.put(number, confirmation_code(expires_at=expires_at))
            tx.attempts.put(f"a{number}", Attempts(count=1, since=0), expires_at)
            tx.nonces.spend(f"n{number}", expires_at - LEEWAY)
        tx.outbox.add(message("old", at=NOW - 8 * 86_400_000))
        tx.outbox.add(message("new"))

    store.write(fill)
    assert store.write(lambda tx: tx.sweep(NOW, 2)) == 2 * 5 + 1
    assert store.read(lambda tx: tx.sessions.find("s1")) is None
    assert store.read(lambda tx: tx.sessions.find("s2")) is not None
    assert store.write(lambda tx: tx.sweep(NOW, 2)) == 5
    assert store.write(lambda tx: tx.sweep(NOW, 2)) == 0
    for number in (3, 4):
        assert store.read(lambda tx, number=number: tx.sessions.find(f"s{number}")) is not None
        assert store.read(lambda tx, number=number: tx.confirmation_codes.find(number, "sign-up")) is not None
    assert store.write(lambda tx: tx.nonces.spend("n0", NOW)) is True
    assert store.write(lambda tx: tx.nonces.spend("n4", NOW)) is False
    assert [each.id for each in store.read(lambda tx: tx.outbox.list())] == ["new"]


def test_a_nonce_outlives_what_it_is_of(store):
    """A node whose clock is ahead forgets nothing that one behind would still take."""
    store.write(lambda tx: tx.nonces.spend("n", NOW))
    store.write(lambda tx: tx.sweep(NOW + LEEWAY, 99))
    assert store.write(lambda tx: tx.nonces.spend("n", NOW)) is False
    store.write(lambda tx: tx.sweep(NOW + LEEWAY + 1, 99))
    assert store.write(lambda tx: tx.nonces.spend("n", NOW)) is True


def test_unreadable_session_is_reported_by_its_place(store):
    """A session that does not parse names its row."""
    store.write(lambda tx: tx.sessions.insert(session("s", 1)))
    store.write(lambda tx: tx.sessions._sql.run("UPDATE sessions SET document = :bad", bad="[]"))
    with pytest.raises(CorruptRow, match=r"sessions\.document of row 's'"):
        store.read(lambda tx: tx.sessions.find("s"))
