"""Users, aliases and search."""

import itertools

import pytest
from msgspec.structs import replace

from poolhouse.core.user import Credentials
from poolhouse.model import ConcurrentModificationException, UserStatusType
from poolhouse.storage.errors import AlreadyExists, CorruptRow
from poolhouse.storage.user_lists import after_prefix
from tests.storage.builders import POOL, authorization_code, confirmation_code, names, session, user, with_pool


@pytest.fixture
def store(store):
    with_pool(store)
    return store


def name_of(username, *_):
    return username


def found(store, attribute, value):
    return store.read(
        lambda tx: tx.user_lists.search(POOL, attribute, value, name_of, prefix=False, after=None, limit=9)
    )[0]


def every(read):
    """All that a list holds, read to its end."""
    seen, after = [], None
    while True:
        page, after = read(after)
        seen += page
        if after is None:
            return seen


def test_user_comes_back_as_it_was(store):
    """A stored user equals the one that was given, but for its number."""
    given = user(
        "ann",
        attributes={"email": "ann@x.org", "custom:ünï": "\0 🙂"},
        pending={"email": "new@x.org"},
        enabled=False,
        status=UserStatusType.FORCE_CHANGE_PASSWORD,
        signed_out_at=7,
    )
    stored = store.write(lambda tx: tx.users.insert(given, names()))
    assert stored == replace(given, id=stored.id)
    assert stored.id > 0
    for find in (
        lambda tx: tx.users.find_by_id(stored.id),
        lambda tx: tx.users.find_by_username(POOL, "ann"),
        lambda tx: tx.users.find_by_sub(POOL, given.sub),
    ):
        assert store.read(find) == stored
    assert store.read(lambda tx: tx.users.find_by_username("us-east-1_other", "ann")) is None


def test_names_and_subs_are_unique_in_a_pool(store):
    """A taken name or sub is refused by that name; another pool does not mind."""
    first = store.write(lambda tx: tx.users.insert(user("ann"), names()))
    for other, what in ((user("ann"), "username"), (user(sub=first.sub), "sub")):
        with pytest.raises(AlreadyExists) as caught:
            store.write(lambda tx, other=other: tx.users.insert(other, names()))
        assert caught.value.what == what
    store.write(lambda tx: tx.users.insert(user("ann", pool_id="us-east-1_other", sub=first.sub), names()))
    assert store.read(lambda tx: tx.pools.user_count(POOL)) == 1


def test_taken_alias_undoes_the_whole_insert(store):
    """A user whose alias is taken is not stored at all, even where the work swallows the error."""
    store.write(lambda tx: tx.users.insert(user("ann"), names("email:a@x")))

    def work(tx):
        try:
            tx.users.insert(user("bob"), names("phone_number:+1", "email:a@x", name="bob"))
        except AlreadyExists:
            return "swallowed"

    with pytest.raises(AlreadyExists) as caught:
        store.write(work)
    assert caught.value.what == "alias:email:a@x"
    assert store.read(lambda tx: tx.users.find_by_username(POOL, "bob")) is None
    assert store.read(lambda tx: tx.users.find_by_alias(POOL, "phone_number:+1")) is None
    assert found(store, "name", "bob") == []
    assert store.read(lambda tx: tx.pools.user_count(POOL)) == 1
    store.write(lambda tx: tx.users.insert(user("bob"), names("phone_number:+1")))


def test_error_that_names_the_taken_alias_can_be_translated(store):
    """A work function may turn AlreadyExists into an error of its own, and nothing is kept."""
    store.write(lambda tx: tx.users.insert(user("ann"), names("email:a@x")))

    def work(tx):
        try:
            tx.users.insert(user("bob"), names("email:a@x"))
        except AlreadyExists as taken:
            raise KeyError(taken.what) from None

    with pytest.raises(KeyError, match="alias:email:a@x"):
        store.write(work)
    assert store.read(lambda tx: tx.users.find_by_username(POOL, "bob")) is None


def test_save_brings_index_rows_in_line(store):
    """After a save the user is found by its new aliases and values, and by the old ones no more."""
    before = store.write(
        lambda tx: tx.users.insert(user(), names("email:a@x", "phone_number:+1", email="a@x", name="n"))
    )
    changed = replace(before, attributes={"email": "b@x"}, credentials=Credentials(password_hash="new"))
    after = store.write(lambda tx: tx.users.save(changed, names("email:b@x", "phone_number:+1", email="b@x")))
    assert after == replace(changed, revision=1)
    read = lambda alias: store.read(lambda tx: tx.users.find_by_alias(POOL, alias))
    assert read("email:b@x") == read("phone_number:+1") == after
    assert read("email:a@x") is None
    assert found(store, "email", "b@x") == [after.username]
    assert found(store, "email", "a@x") == found(store, "name", "n") == []


def test_save_refuses_taken_alias_and_stale_user(store):
    """A save fails as a whole where an alias is taken, where the user has changed, and where it is gone."""
    store.write(lambda tx: tx.users.insert(user("ann"), names("email:a@x")))
    bob = store.write(lambda tx: tx.users.insert(user("bob"), names("email:b@x")))
    with pytest.raises(AlreadyExists) as caught:
        store.write(lambda tx: tx.users.save(replace(bob, enabled=False), names("email:a@x")))
    assert caught.value.what == "alias:email:a@x"
    assert store.read(lambda tx: tx.users.find_by_alias(POOL, "email:b@x")) == bob
    store.write(lambda tx: tx.users.save(bob, names()))
    with pytest.raises(ConcurrentModificationException):
        store.write(lambda tx: tx.users.save(bob, names()))
    with pytest.raises(ConcurrentModificationException):
        store.write(lambda tx: tx.users.save(replace(bob, id=10**6), names()))


def test_alias_can_move_to_another_user(store):
    """In one write an alias can be taken from one user and given to another."""
    ann = store.write(lambda tx: tx.users.insert(user("ann"), names("email:a@x")))

    def work(tx):
        tx.users.save(ann, names())
        return tx.users.insert(user("bob"), names("email:a@x"))

    bob = store.write(work)
    assert store.read(lambda tx: tx.users.find_by_alias(POOL, "email:a@x")) == bob


def test_lookup_order(store):
    """Lookup tries the name, then the sub, then each alias."""
    ann = store.write(lambda tx: tx.users.insert(user("ann"), names("email:a@x")))
    bob = store.write(lambda tx: tx.users.insert(user("bob"), names("email:b@x")))
    look = lambda *keys: store.read(lambda tx: tx.users.lookup(POOL, *keys))
    assert look("ann", bob.sub, ["email:b@x"]) == ann
    assert look("x", bob.sub, ["email:a@x"]) == bob
    assert look("x", None, ["email:x", "email:a@x"]) == ann
    assert look(None, None, []) is None


def test_delete_leaves_nothing(store):
    """A deleted user's aliases, search rows, sessions, codes and count are gone; its number is not used again."""

    def work(tx):
        stored = tx.users.insert(user("ann"), names("email:a@x", email="a@x"))
        tx.sessions.insert(session("s", stored.id))
        tx.confirmation_codes.put(stored.id, confirmation_code())
        tx.authorization_codes.insert(b"d", authorization_code(stored.id))
        return stored

    ann = store.write(work)
    assert store.write(lambda tx: tx.users.delete(ann)) is True
    assert store.write(lambda tx: tx.users.delete(ann)) is False
    assert store.read(lambda tx: tx.users.find_by_alias(POOL, "email:a@x")) is None
    assert store.read(lambda tx: tx.sessions.find("s")) is None
    assert store.read(lambda tx: tx.confirmation_codes.find(ann.id, "sign-up")) is None
    assert store.read(lambda tx: tx.authorization_codes.find(b"d")) is None
    assert store.read(lambda tx: tx.pools.user_count(POOL)) == 0
    assert store.write(work).id > ann.id


def test_pages_visit_everyone_once_under_insertions(store):
    """Paging by name sees each user that was there from the start exactly once, whoever arrives meanwhile."""
    early = {f"u{number:02}" for number in range(0, 40, 2)} | {"Z", "é", "~", "🙂"}
    store.write(lambda tx: [tx.users.insert(user(name), names()) for name in early])
    page_after = lambda after: store.read(lambda tx: tx.users.page(POOL, after=after, limit=3))
    late = (user(f"u{number:02}") for number in itertools.count(1, 2))
    seen, after = [], None
    while page := page_after(after):
        seen += [each.username for each in page]
        after = page[-1].username
        store.write(lambda tx: tx.users.insert(next(late), names()))
    assert seen == sorted(set(seen)), "by code point, nobody twice"
    assert early <= set(seen)


def test_search_by_prefix_pages_by_value_and_name(store):
    """Search finds all values with a prefix in order of value and name, a few at a time."""
    values = ["an", "ann", "anna", "anna", "anne", "bob", "ANN", "añ", "an\U0010ffff"]
    store.write(lambda tx: [tx.users.insert(user(f"u{i}"), names(name=v)) for i, v in enumerate(values)])
    expected = sorted((v, f"u{i}") for i, v in enumerate(values) if v.startswith("an"))
    search = lambda after: store.read(
        lambda tx: tx.user_lists.search(POOL, "name", "an", name_of, prefix=True, after=after, limit=2)
    )
    assert [(values[int(name[1:])], name) for name in every(search)] == expected


def test_search_by_equality_pages_by_name(store):
    """Search by a whole value pages by user name."""
    store.write(lambda tx: [tx.users.insert(user(f"u{i}"), names(name="same" if i < 5 else "samer")) for i in range(7)])
    search = lambda after: store.read(
        lambda tx: tx.user_lists.search(POOL, "name", "same", name_of, prefix=False, after=after, limit=2)
    )
    assert every(search) == [f"u{i}" for i in range(5)]


@pytest.mark.parametrize("column", ["username", "sub"])
def test_search_by_the_users_own_columns(store, column):
    """User name and sub are searched in their own columns."""
    users = store.write(lambda tx: [tx.users.insert(user(f"ann{i}"), names()) for i in range(5)])
    value = getattr(users[0], column)
    show = lambda username, sub, *_: {"username": username, "sub": sub}[column]
    search = lambda value, **options: store.read(
        lambda tx: tx.user_lists.search(
            POOL, column, value, show, **{"prefix": False, "after": None, "limit": 2} | options
        )
    )
    assert search(value) == ([value], None)
    assert search(value, after=(value, users[0].username)) == ([], None)
    seen = every(lambda after: search(value[:-1], prefix=True, after=after))
    assert value in seen
    assert seen == sorted(set(seen))


def test_what_a_list_shows(store):
    """A list by name shows the columns that it names, page by page, and nothing of the credentials."""
    users = store.write(lambda tx: [tx.users.insert(user(f"ann{i}"), names()) for i in range(5)])
    page = lambda after: store.read(lambda tx: tx.user_lists.page(POOL, lambda *shown: shown, after=after, limit=2))

    assert every(page) == [
        (u.username, u.sub, u.status, u.enabled, u.created_at, u.modified_at, u.attributes, u.factors) for u in users
    ]


def test_the_text_after_a_prefix():
    """The ceiling of a prefix skips surrogates and carries over the last code point."""
    assert after_prefix("ab") == "ac"
    assert after_prefix("a\ud7ff") == "a\ue000"
    assert after_prefix("a\U0010ffff") == "b"
    assert after_prefix("") == after_prefix("\U0010ffff") == "\U0010ffff"


def test_unreadable_user_is_reported_by_its_place(store):
    """A user whose details do not parse names the row."""
    ann = store.write(lambda tx: tx.users.insert(user("ann"), names()))
    store.write(lambda tx: tx.users._sql.run("UPDATE users SET details = :bad", bad="{"))
    with pytest.raises(CorruptRow) as caught:
        store.read(lambda tx: tx.users.find_by_username(POOL, "ann"))
    assert (caught.value.table, caught.value.column, caught.value.key) == ("users", "details", ann.id)
    store.write(lambda tx: tx.users._sql.run("UPDATE users SET status = :bad", bad="LOST"))
    with pytest.raises(CorruptRow, match=r"users\.status"):
        store.read(lambda tx: tx.users.find_by_username(POOL, "ann"))


def test_names_with_characters_that_postgres_refuses(store):
    """A name with a NUL in it, as a page's form may bring one, is simply not found."""
    assert store.read(lambda tx: tx.users.lookup(POOL, "a\0b", None, ["email:a\0b"])) is None
    assert store.read(lambda tx: tx.users.find_by_username(POOL, "a\0b")) is None


@pytest.mark.parametrize("bad", ["{", '{"attributes":{}},{"attributes":{}}', '{"attributes":[]}'])
def test_unreadable_user_is_found_in_a_list(store, bad):
    """One unreadable row among many is named, though their documents are read as one."""
    store.write(lambda tx: [tx.users.insert(user(f"ann{i}"), names()) for i in range(3)])
    store.write(lambda tx: tx.users._sql.run("UPDATE users SET details = :bad WHERE username = 'ann1'", bad=bad))

    with pytest.raises(CorruptRow, match=r"users\.details of row 'ann1'"):
        store.read(lambda tx: tx.user_lists.page(POOL, name_of, after=None, limit=9))
