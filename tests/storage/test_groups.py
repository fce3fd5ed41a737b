"""Groups, their members, and what is left of them when something goes."""

import itertools

import pytest
from msgspec.structs import replace

from poolhouse.model import ConcurrentModificationException
from poolhouse.storage.errors import AlreadyExists
from tests.storage.builders import NOW, POOL, group, names, pool, user, with_pool
from tests.storage.test_concurrency import gather

OTHER = "us-east-1_other"


@pytest.fixture
def store(store):
    with_pool(store)
    return store


def add_user(store, name):
    return store.write(lambda tx: tx.users.insert(user(name), names()))


def add_group(store, *args, **members):
    return store.write(lambda tx: tx.groups.insert(group(*args, **members)))


def join(store, staff, *users):
    return store.write(lambda tx: [tx.groups.add(staff, each) for each in users])


def groups_of(store, who):
    """The names of the groups that a user is in, as the next request finds them."""
    return [each.name for each in store.read(lambda tx: tx.groups.of_user(tx.users.find_by_id(who.id)))]


def members_of(store, staff):
    return [each.username for each in store.read(lambda tx: tx.groups.members(staff, after=None, limit=99))]


def rows(store):
    return store.read(lambda tx: tx.groups._sql.row("SELECT COUNT(*) FROM group_members"))[0]


def sweep(store):
    while store.write(lambda tx: tx.sweep(NOW, 2)):
        pass


def test_group_comes_back_as_it_was(store):
    """A stored group equals the one that was given, but for its number."""
    given = group("ünï🙂", description="", role_arn="arn:aws:iam::1:role/r", precedence=0, modified_at=NOW + 1)
    for each in (given, group("bare")):
        stored = store.write(lambda tx, each=each: tx.groups.insert(each))
        assert stored == replace(each, id=stored.id)
        assert store.read(lambda tx, name=each.name: tx.groups.find(POOL, name)) == stored
    assert store.read(lambda tx: tx.groups.find(OTHER, "bare")) is None
    assert store.read(lambda tx: tx.groups.find(POOL, "Bare")) is None


def test_names_are_unique_in_a_pool(store):
    """A taken name is refused and not counted; another pool does not mind."""
    add_group(store)
    with pytest.raises(AlreadyExists) as caught:
        add_group(store)
    assert caught.value.what == "group"
    add_group(store, pool_id=OTHER)
    assert store.read(lambda tx: (tx.groups.count(POOL), tx.groups.count(OTHER))) == (1, 1)


def test_groups_are_saved_and_deleted(store):
    """A change is kept, a deleted group is gone, and both say where there is none any more."""
    staff = add_group(store, precedence=1)
    changed = replace(staff, description="new", precedence=None, role_arn="arn:aws:iam::1:role/r", modified_at=NOW + 5)
    assert store.write(lambda tx: tx.groups.save(changed)) is True
    assert store.read(lambda tx: tx.groups.find(POOL, "staff")) == changed
    assert store.write(lambda tx: tx.groups.delete(staff)) is True
    assert store.write(lambda tx: tx.groups.delete(staff)) is False
    assert store.write(lambda tx: tx.groups.save(changed)) is False
    assert store.read(lambda tx: tx.groups.find(POOL, "staff")) is None
    assert store.read(lambda tx: tx.groups.count(POOL)) == 0


def test_groups_are_paged_by_name(store):
    """By code point, and none of another pool."""
    given = ["b", "a", "Z", "é", "🙂"]
    for name in given:
        add_group(store, name)
    add_group(store, "c", pool_id=OTHER)
    seen, after = [], None
    while page := store.read(lambda tx, after=after: tx.groups.page(POOL, after=after, limit=2)):
        seen += [each.name for each in page]
        after = seen[-1]
    assert seen == sorted(given)


def test_a_users_groups_are_in_order_of_precedence(store):
    """The lowest first, none last, equal ones by name; joining twice counts once."""
    ann = add_user(store, "ann")
    ranks = {"d": 2, "c": 10, "b": None, "a": None, "f": 0, "e": 2}
    groups = [add_group(store, name, precedence=rank) for name, rank in ranks.items()]
    counted = [join(store, each, ann)[0] for each in groups]
    assert counted == [1, 2, 3, 4, 5, 6]
    assert join(store, groups[0], ann) == [None]
    assert groups_of(store, ann) == ["f", "d", "e", "c", "a", "b"]
    assert store.read(lambda tx: tx.users.find_by_id(ann.id)).memberships == 6


def test_members_are_paged_by_name_while_they_come_and_go(store):
    """Who is in the group from the first page to the last is seen exactly once."""
    staff, other = add_group(store), add_group(store, "other")
    stay = [add_user(store, f"u{number:02}") for number in range(0, 40, 2)]
    leave = [add_user(store, f"v{number:02}") for number in range(20)]
    come = [add_user(store, f"u{number:02}") for number in range(1, 40, 2)]
    join(store, staff, *stay, *leave)
    join(store, other, *come)
    arrivals, departures = iter(come), iter(reversed(leave))
    seen, after = [], None
    while page := store.read(lambda tx, after=after: tx.groups.members(staff, after=after, limit=3)):
        seen += [each.username for each in page]
        after = seen[-1]
        for who in itertools.islice(arrivals, 1):
            join(store, staff, who)
        for who in itertools.islice(departures, 1):
            assert store.write(lambda tx, who=who: tx.groups.remove(staff, who)) is True
    assert seen == sorted(set(seen))
    assert {each.username for each in stay} <= set(seen)


def test_who_leaves_is_out(store):
    """Leaving takes one membership and no other; who is not in the group cannot leave it."""
    ann, bob = add_user(store, "ann"), add_user(store, "bob")
    staff, other = add_group(store), add_group(store, "other")
    for each in (staff, other):
        join(store, each, ann, bob)
    assert store.write(lambda tx: tx.groups.remove(staff, ann)) is True
    assert store.write(lambda tx: tx.groups.remove(staff, ann)) is False
    assert (groups_of(store, ann), groups_of(store, bob)) == (["other"], ["other", "staff"])
    assert store.read(lambda tx: tx.users.find_by_id(ann.id)).memberships == 1
    assert members_of(store, staff) == ["bob"]


def test_a_user_without_groups_costs_no_statement(store):
    """Signing in looks for groups only where the user's own row says that there may be some."""
    ann, bob = add_user(store, "ann"), add_user(store, "bob")
    join(store, add_group(store), bob)

    def statements_for(who):
        def work(tx):
            found = tx.users.find_by_id(who.id)
            asked = []
            sql, tx.groups._sql = tx.groups._sql, Watched(tx.groups._sql, asked)
            try:
                tx.groups.of_user(found)
            finally:
                tx.groups._sql = sql
            return len(asked)

        return store.read(work)

    assert (statements_for(ann), statements_for(bob)) == (0, 1)


class Watched:
    """A connection that notes what it is asked."""

    def __init__(self, connection, asked):
        self._connection, self._asked = connection, asked

    def rows(self, sql, **values):
        self._asked.append(sql)
        return self._connection.rows(sql, **values)


def test_a_saved_user_keeps_the_count_of_its_groups(store):
    """A user who was read before joining, and is saved after, is still in the group."""
    ann = add_user(store, "ann")
    join(store, add_group(store), ann)
    store.write(lambda tx: tx.users.save(replace(ann, enabled=False), names()))
    assert groups_of(store, ann) == ["staff"]


def test_a_deleted_group_has_no_members_at_once_and_no_rows_after_sweeping(store):
    """A new group of the same name begins empty; the count at the user is mended by the next change."""
    ann, bob = add_user(store, "ann"), add_user(store, "bob")
    others = [add_user(store, None) for _ in range(4)]
    staff = add_group(store)
    join(store, staff, ann, bob, *others)
    store.write(lambda tx: tx.groups.delete(staff))
    again = add_group(store)
    assert again.id > staff.id
    assert (groups_of(store, ann), members_of(store, again)) == ([], [])
    assert rows(store) == 6
    sweep(store)
    assert rows(store) == 0
    assert join(store, again, bob) == [1]
    assert members_of(store, again) == ["bob"]


def test_many_deleted_groups_are_swept_at_one_go(store):
    """Groups with few members do not wait for one sweep each."""
    ann = add_user(store, "ann")
    for number in range(20):
        join(store, add_group(store, f"g{number}"), ann)
        store.write(lambda tx, name=f"g{number}": tx.groups.delete(tx.groups.find(POOL, name)))
    assert store.write(lambda tx: tx.sweep(NOW, 100)) == 20 + 20
    assert rows(store) == store.write(lambda tx: tx.sweep(NOW, 100)) == 0


def test_a_member_who_came_while_the_group_was_deleted_is_swept_too(store):
    """What another transaction adds to a group that is just being deleted stays invisible, and does not stay."""
    ann, staff = add_user(store, "ann"), add_group(store)
    store.write(lambda tx: tx.groups.delete(staff))
    join(store, staff, ann)
    assert groups_of(store, ann) == []
    sweep(store)
    assert rows(store) == 0


def test_a_deleted_user_is_in_no_group(store):
    """A new user of the same name is in none either."""
    ann, staff = add_user(store, "ann"), add_group(store)
    join(store, staff, ann)
    store.write(lambda tx: tx.users.delete(ann))
    assert rows(store) == 0
    assert members_of(store, staff) == []
    assert groups_of(store, add_user(store, "ann")) == []
    with pytest.raises(ConcurrentModificationException):
        join(store, staff, ann)
    assert rows(store) == 0


def test_a_deleted_pool_takes_groups_and_members(store):
    """Those of other pools stay."""
    for pool_id in (POOL, OTHER):
        if pool_id == OTHER:
            store.write(lambda tx: tx.pools.insert(pool(OTHER), NOW))
        someone = store.write(lambda tx, owner=pool_id: tx.users.insert(user("ann", pool_id=owner), names()))
        for number in range(5):
            join(store, add_group(store, f"g{number}", pool_id=pool_id), someone)
    store.write(lambda tx: tx.pools.delete(POOL))
    sweep(store)
    assert rows(store) == 5
    assert store.read(lambda tx: tx.groups.page(POOL, after=None, limit=9)) == []
    assert store.read(lambda tx: (tx.groups.count(POOL), tx.groups.count(OTHER))) == (0, 5)
    assert groups_of(store, someone) == ["g0", "g1", "g2", "g3", "g4"]


def test_joining_many_groups_at_once_counts_each(store):
    """A user who is added to several groups at the same time is in all of them, and knows it."""
    ann = add_user(store, "ann")
    groups = [add_group(store, f"g{number}") for number in range(12)]
    outcomes = gather(store, [lambda tx, each=each: tx.groups.add(each, ann) for each in groups])
    assert sorted(outcomes) == list(range(1, 13))
    assert len(groups_of(store, ann)) == 12


def test_many_join_a_group_at_once(store):
    """Users who are added to the same group at the same time all are, and one added twice is so once."""
    staff = add_group(store)
    users = [add_user(store, f"u{number:02}") for number in range(20)]
    outcomes = gather(store, [lambda tx, each=each: tx.groups.add(staff, each) for each in [*users, *users]])
    assert sorted(outcomes, key=str) == [1] * 20 + [None] * 20
    assert members_of(store, staff) == [each.username for each in users]


def test_a_group_is_deleted_while_users_join_it(store):
    """Whoever comes first, nobody is in the group afterwards and no row stays."""
    staff = add_group(store)
    users = [add_user(store, None) for _ in range(20)]
    works = [lambda tx, each=each: tx.groups.add(staff, each) for each in users]
    works.insert(10, lambda tx: tx.groups.delete(staff))
    outcomes = gather(store, works)
    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert [groups_of(store, each) for each in users] == [[]] * 20
    sweep(store)
    assert rows(store) == 0
