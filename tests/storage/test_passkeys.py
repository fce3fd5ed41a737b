"""Passkeys, their number at the user, and the factors in a user's document."""

import pytest
from msgspec.structs import replace

from poolhouse.core.user import Factors, SoftwareToken
from poolhouse.model import ChallengeNameType, ConcurrentModificationException
from poolhouse.storage.errors import AlreadyExists
from tests.storage.builders import NOW, POOL, names, passkey, pool, user, with_pool
from tests.storage.test_concurrency import gather


@pytest.fixture
def store(store):
    with_pool(store)
    return store


def add_user(store, name="ann", **members):
    return store.write(lambda tx: tx.users.insert(user(name, **members), names()))


def add(store, who, *passkeys):
    return store.write(lambda tx: [tx.passkeys.add(who, each) for each in passkeys])


def read_again(store, who):
    return store.read(lambda tx: tx.users.find_by_id(who.id))


def passkeys_of(store, who):
    return store.read(lambda tx: tx.passkeys.of_user(tx.users.find_by_id(who.id)))


def rows(store):
    return store.read(lambda tx: tx.passkeys._sql.row("SELECT COUNT(*) FROM passkeys"))[0]


def test_factors_come_back_as_they_were(store):
    """A user's factors are stored and changed with the user."""
    token = SoftwareToken(sealed=b"\x00\xff", created_at=NOW, name="ünï🙂")
    totp = ChallengeNameType.SOFTWARE_TOKEN_MFA
    factors = Factors(active=(totp,), preferred=totp, software_token=token, pending_token=token, passkey_mfa=True)
    ann = add_user(store, factors=factors)
    assert read_again(store, ann) == ann
    store.write(lambda tx: tx.users.save(replace(ann, factors=Factors()), names()))
    assert read_again(store, ann).factors == Factors()


def test_passkeys_come_back_as_they_were(store):
    """Stored passkeys equal those that were given, the oldest first, and are counted at the user."""
    ann, bob = add_user(store), add_user(store, "bob")
    second = passkey("a" * 1364, created_at=NOW + 1, attachment="platform", transports=("usb", "nfc"), aaguid="a-b")
    first = passkey("b", sign_count=2**32 - 1, backed_up=True)
    assert add(store, ann, second, first) == [1, 2]
    assert passkeys_of(store, ann) == (first, second)
    assert (read_again(store, ann).passkeys, read_again(store, bob).passkeys) == (2, 0)
    assert passkeys_of(store, bob) == ()


def test_a_credential_belongs_to_one_user_of_a_pool(store):
    """Neither the same user nor another one of the pool can have it again; another pool does not mind."""
    ann, bob = add_user(store), add_user(store, "bob")
    store.write(lambda tx: tx.pools.insert(pool("us-east-1_other"), NOW))
    carl = add_user(store, "carl", pool_id="us-east-1_other")
    add(store, ann, passkey("k"))
    for who in (ann, bob):
        with pytest.raises(AlreadyExists) as caught:
            add(store, who, passkey("k"))
        assert caught.value.what == "passkey"
    add(store, carl, passkey("k"))
    assert [read_again(store, who).passkeys for who in (ann, bob, carl)] == [1, 0, 1]


def test_a_use_is_noted_only_where_the_count_goes_up(store):
    """A passkey is found for its user only; of two uses with the same count one is noted; 0 stands for no counting."""
    ann, bob = add_user(store), add_user(store, "bob")
    add(store, ann, passkey("k"))

    def find(who, key):
        return store.read(lambda tx: tx.passkeys.find(who.id, key))

    def note(who, count):
        return store.write(lambda tx: tx.passkeys.note_use(who.id, "k", count))

    assert find(ann, "k") == passkey("k")
    assert (find(ann, "l"), find(bob, "k")) == (None, None)
    assert [note(ann, count) for count in (0, 0, 7, 7, 6, 0)] == [True, True, True, False, False, False]
    assert not note(bob, 8)
    assert find(ann, "k").sign_count == 7
    assert sorted(gather(store, [lambda tx: tx.passkeys.note_use(ann.id, "k", 8)] * 3)) == [False, False, True]


def test_deleting(store):
    """A passkey is deleted once, by its own user only."""
    ann, bob = add_user(store), add_user(store, "bob")
    add(store, ann, passkey("k"), passkey("l"))
    assert not store.write(lambda tx: tx.passkeys.delete(bob, "k"))
    assert store.write(lambda tx: tx.passkeys.delete(ann, "k"))
    assert not store.write(lambda tx: tx.passkeys.delete(ann, "k"))
    assert [each.id for each in passkeys_of(store, ann)] == ["l"]
    assert read_again(store, ann).passkeys == 1


def test_passkeys_go_with_their_user(store):
    """Nothing is left of a deleted user's passkeys, and nobody deleted gets one."""
    ann, bob = add_user(store), add_user(store, "bob")
    add(store, ann, passkey("k"))
    add(store, bob, passkey("l"))
    assert store.write(lambda tx: tx.users.delete(ann))
    assert rows(store) == 1
    with pytest.raises(ConcurrentModificationException):
        add(store, ann, passkey("m"))
    assert rows(store) == 1


def test_passkeys_go_with_their_pool(store):
    """A deleted pool takes them along, in steps."""
    for number in range(3):
        add(store, add_user(store, f"u{number}"), passkey(f"k{number}"))
    assert store.write(lambda tx: tx.pools.delete(POOL))
    while store.write(lambda tx: tx.sweep(NOW, 2)):
        pass
    assert rows(store) == 0


def test_passkeys_added_at_once_are_all_counted(store):
    """Of several writers at once each sees a number of its own, so a limit holds."""
    ann = add_user(store)
    made = gather(store, [lambda tx, n=n: tx.passkeys.add(ann, passkey(f"k{n}")) for n in range(4)])
    assert sorted(made) == [1, 2, 3, 4]
    assert read_again(store, ann).passkeys == 4


def test_a_nonce_is_known_once_it_is_spent(store):
    """A nonce is not spent before it is."""
    assert not store.read(lambda tx: tx.nonces.is_spent("n"))
    store.write(lambda tx: tx.nonces.spend("n", NOW))
    assert store.read(lambda tx: tx.nonces.is_spent("n"))
