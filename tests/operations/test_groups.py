"""Groups over the wire, and what tokens say of them (spec/api/05 §2 and §3)."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from poolhouse.core.groups import MAX_GROUPS, Group
from poolhouse.storage import counts
from tests.operations.refusals import refused, unchecked
from tests.operations.talk import shown, sign_in

NOT_FOUND = "Group not found."
NO_USER = "User does not exist."
ROLE = "arn:aws:iam::123456789012:role/{}"
READ, ADD, REMOVE = "GetGroup", "AdminAddUserToGroup", "AdminRemoveUserFromGroup"


@pytest.fixture
def group(call):
    """Make a group; give it as it is answered."""

    def make(pool_id, name="staff", **members):
        return call("CreateGroup", UserPoolId=pool_id, GroupName=name, **members)["Group"]

    return make


@pytest.fixture
def join(call):
    """Put a user into groups."""

    def add(pool_id, username, *names):
        for name in names:
            call(ADD, UserPoolId=pool_id, Username=username, GroupName=name)

    return add


def groups_of(call, pool_id, username):
    listed = call("AdminListGroupsForUser", UserPoolId=pool_id, Username=username)
    return [each["GroupName"] for each in listed["Groups"]]


def members_of(call, pool_id, name="staff"):
    listed = call("ListUsersInGroup", UserPoolId=pool_id, GroupName=name)
    return [each["Username"] for each in listed["Users"]]


def walk(call, operation, member, between=lambda: None, **members):
    """All pages of a list, something done between each two."""
    pages = []
    while True:
        answer = call(operation, **members)
        pages.append(answer[member])
        if "NextToken" not in answer:
            return pages
        members["NextToken"] = answer["NextToken"]
        between()


def claims(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))


def said(made):
    """What a sign-in's tokens say of groups: those in both, the roles and the preferred role in the ID token only."""
    identity, access = claims(made["IdToken"]), claims(made["AccessToken"])
    assert identity.get("cognito:groups") == access.get("cognito:groups")
    assert not {"cognito:roles", "cognito:preferred_role"} & access.keys()
    return tuple(identity.get(f"cognito:{name}") for name in ("groups", "roles", "preferred_role"))


def test_a_group_is_answered_as_set(call, pool, group):
    """What is not set is left out."""
    pool_id = pool()
    full = {"Description": "All of us", "RoleArn": ROLE.format("r"), "Precedence": 0}
    made = group(pool_id, "Stäff/✓#1", **full)
    assert made["CreationDate"] == made["LastModifiedDate"]
    assert {**made, "CreationDate": 0, "LastModifiedDate": 0} == {
        "GroupName": "Stäff/✓#1",
        "UserPoolId": pool_id,
        **full,
        "CreationDate": 0,
        "LastModifiedDate": 0,
    }
    assert call(READ, UserPoolId=pool_id, GroupName="Stäff/✓#1")["Group"] == made
    bare = group(pool_id, "bare")
    assert bare.keys() == {"GroupName", "UserPoolId", "CreationDate", "LastModifiedDate"}
    assert group(pool_id, "x" * 128, Description="", Precedence=2**31 - 1)["Description"] == ""


def test_a_name_is_unique_in_its_pool(call, pool, group):
    """Names differ by case; another pool may have the same."""
    pool_id, other = pool(), pool()
    for where, name in ((pool_id, "staff"), (pool_id, "Staff"), (other, "staff")):
        group(where, name)
    text = refused(call, "GroupExistsException", "CreateGroup", UserPoolId=pool_id, GroupName="staff")
    assert text == "A group with the name already exists."


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"GroupName": "a b"}, "at 'groupName' failed to satisfy constraint: Member must satisfy regular expression"),
        ({"GroupName": ""}, "at 'groupName' failed to satisfy constraint: Member must have length greater"),
        ({"GroupName": "x" * 129}, "at 'groupName' failed to satisfy constraint: Member must have length less"),
        ({"Description": "x" * 2049}, "at 'description' failed to satisfy constraint: Member must have length less"),
        ({"Precedence": -1}, "at 'precedence' failed to satisfy constraint: Member must have value greater"),
        ({"RoleArn": "x" * 20}, "at 'roleArn' failed to satisfy constraint: Member must satisfy regular expression"),
        ({"RoleArn": "arn:aws"}, "at 'roleArn' failed to satisfy constraint: Member must have length greater"),
    ],
)
@pytest.mark.parametrize("operation", ["CreateGroup", "UpdateGroup"])
def test_constraints(server, pool, operation, members, text):
    """Every member has the constraints of the service description."""
    given = {"UserPoolId": pool(), "GroupName": "staff"} | members
    assert text in refused(unchecked(server), "InvalidParameterException", operation, **given)


def test_precedence_ends_at_31_bits(server, call, pool, group):
    """One more than the greatest precedence is refused."""
    given = {"UserPoolId": pool(), "GroupName": "staff", "Precedence": 2**31}
    with pytest.raises(ClientError):
        unchecked(server)("CreateGroup", **given)
    refused(call, "ResourceNotFoundException", READ, UserPoolId=given["UserPoolId"], GroupName="staff")


def test_an_update_changes_what_it_names(server, call, pool, group):
    """What is left out, or null, stays; the creation date too."""
    pool_id = pool()
    made = group(pool_id, Description="old", RoleArn=ROLE.format("r"), Precedence=5)
    ids = {"UserPoolId": pool_id, "GroupName": "staff"}
    server.clock.advance(60)
    updated = call("UpdateGroup", **ids, Description="new")["Group"]
    assert updated == {**made, "Description": "new", "LastModifiedDate": updated["LastModifiedDate"]}
    assert 59 < (updated["LastModifiedDate"] - made["CreationDate"]).total_seconds() < 90
    updated = call("UpdateGroup", **ids, Precedence=0, RoleArn=ROLE.format("s"))["Group"]
    assert (updated["Precedence"], updated["RoleArn"], updated["Description"]) == (0, ROLE.format("s"), "new")
    assert call(READ, **ids)["Group"] == updated


def test_what_is_not_there_is_not_found(call, pool, user):
    """Neither a group that never was, nor one that is deleted, nor that of another pool, nor a pool."""
    pool_id, other = pool(), pool()
    name = user(pool_id)
    call("CreateGroup", UserPoolId=other, GroupName="staff")
    operations = {READ: {}, "UpdateGroup": {}, "DeleteGroup": {}, "ListUsersInGroup": {}}
    operations |= {ADD: {"Username": name}, REMOVE: {"Username": name}}
    for operation, more in operations.items():
        given = {"UserPoolId": pool_id, "GroupName": "staff", **more}
        assert refused(call, "ResourceNotFoundException", operation, **given) == NOT_FOUND
        given["UserPoolId"] = "us-east-1_nOwhere00"
        text = refused(call, "ResourceNotFoundException", operation, **given)
        assert text == "User pool us-east-1_nOwhere00 does not exist."
    for operation, more in {"CreateGroup": {"GroupName": "x"}, "ListGroups": {}}.items():
        refused(call, "ResourceNotFoundException", operation, UserPoolId="us-east-1_nOwhere00", **more)
    refused(call, "ResourceNotFoundException", "AdminListGroupsForUser", UserPoolId="us-east-1_nOwhere00", Username="x")


def test_a_user_who_is_not_there_is_not_found(call, pool, user, group):
    """By adding, removing and listing; one of another pool is not either."""
    pool_id, other = pool(), pool()
    name = user(other)
    group(pool_id)
    for operation in (ADD, REMOVE):
        given = {"UserPoolId": pool_id, "Username": name, "GroupName": "staff"}
        assert refused(call, "UserNotFoundException", operation, **given) == NO_USER
    given = {"UserPoolId": pool_id, "Username": name}
    assert refused(call, "UserNotFoundException", "AdminListGroupsForUser", **given) == NO_USER


def test_users_come_and_go(call, pool, user, group, join):
    """Adding and removing can be repeated; a user is found by name, sub and alias."""
    pool_id = pool(AliasAttributes=["email"])
    name = user(pool_id, "ann", email="ann@x.org", email_verified="true")
    sub = next(each["Value"] for each in shown(call, pool_id, name)["UserAttributes"] if each["Name"] == "sub")
    group(pool_id)
    for alias in ("ann", sub, "ann@x.org"):
        join(pool_id, alias, "staff", "staff")
        assert groups_of(call, pool_id, alias) == ["staff"]
        assert members_of(call, pool_id) == ["ann"]
        for _ in range(2):
            call(REMOVE, UserPoolId=pool_id, Username=alias, GroupName="staff")
        assert groups_of(call, pool_id, alias) == []
        assert members_of(call, pool_id) == []


def test_members_are_listed_with_everything(call, pool, user, group, join):
    """As ListUsers shows them, those who are disabled or unconfirmed too."""
    pool_id = pool()
    names = [user(pool_id, "ann", email="ann@x.org"), user(pool_id, "bob"), user(pool_id, "carl", password=None)]
    call("AdminDisableUser", UserPoolId=pool_id, Username="bob")
    group(pool_id)
    for name in reversed(names):
        join(pool_id, name, "staff")
    user(pool_id, "dora")
    listed = call("ListUsersInGroup", UserPoolId=pool_id, GroupName="staff")["Users"]
    assert listed == [each for each in call("ListUsers", UserPoolId=pool_id)["Users"] if each["Username"] != "dora"]
    assert [(each["Enabled"], each["UserStatus"]) for each in listed] == [
        (True, "CONFIRMED"),
        (False, "CONFIRMED"),
        (True, "FORCE_CHANGE_PASSWORD"),
    ]


def test_empty_lists_are_there(call, pool, user, group):
    """A list without entries is an empty list, without a token."""
    pool_id = pool()
    name = user(pool_id)
    assert call("ListGroups", UserPoolId=pool_id) == {"Groups": []}
    assert call("AdminListGroupsForUser", UserPoolId=pool_id, Username=name) == {"Groups": []}
    group(pool_id)
    assert call("ListUsersInGroup", UserPoolId=pool_id, GroupName="staff") == {"Users": []}


def test_groups_are_listed_page_by_page(call, pool, group):
    """By name, 60 at once unless fewer are asked for; the token ends with the list."""
    pool_id = pool()
    made = [group(pool_id, f"g{number:02}") for number in range(62)]
    for limit, sizes in ((None, [60, 2]), (0, [60, 2]), (31, [31, 31]), (60, [60, 2])):
        given = {} if limit is None else {"Limit": limit}
        pages = walk(call, "ListGroups", "Groups", UserPoolId=pool_id, **given)
        assert [len(page) for page in pages] == sizes
        assert [each for page in pages for each in page] == made


def test_a_users_groups_are_listed_page_by_page(call, pool, user, group, join):
    """In the order of precedence, then name; a user can be in 100 of them."""
    pool_id = pool()
    name = user(pool_id)
    ranks = {f"g{number:03}": {"Precedence": number % 7} if number % 5 else {} for number in range(101)}
    for each, rank in ranks.items():
        group(pool_id, each, **rank)
    first = list(ranks)[:100]
    join(pool_id, name, *first)
    expected = sorted(first, key=lambda each: (ranks[each].get("Precedence", 2**31), each))
    for limit, sizes in ((0, [60, 40]), (30, [30, 30, 30, 10]), (50, [50, 50])):
        given = {"UserPoolId": pool_id, "Username": name, "Limit": limit}
        pages = walk(call, "AdminListGroupsForUser", "Groups", **given)
        assert [len(page) for page in pages] == sizes
        assert [each["GroupName"] for page in pages for each in page] == expected
    text = refused(call, "LimitExceededException", ADD, UserPoolId=pool_id, Username=name, GroupName="g100")
    assert text == "A user can be in at most 100 groups."
    assert len(walk(call, "AdminListGroupsForUser", "Groups", UserPoolId=pool_id, Username=name)[1]) == 40
    assert members_of(call, pool_id, "g100") == []
    join(pool_id, name, "g000")
    call("DeleteGroup", UserPoolId=pool_id, GroupName="g050")
    join(pool_id, name, "g100")
    assert members_of(call, pool_id, "g100") == [name]


def test_members_are_listed_while_they_come_and_go(call, pool, user, group, join):
    """Who is in the group all along is listed exactly once."""
    pool_id = pool()
    group(pool_id)
    stay = [user(pool_id, f"u{number:02}", password=None) for number in range(0, 12, 2)]
    come = [user(pool_id, f"u{number:02}", password=None) for number in range(1, 12, 2)]
    leave = [user(pool_id, f"v{number:02}", password=None) for number in range(6)]
    for each in (*stay, *leave):
        join(pool_id, each, "staff")
    arrivals, departures = iter(come), iter(leave)

    def between():
        join(pool_id, next(arrivals), "staff")
        call(REMOVE, UserPoolId=pool_id, Username=next(departures), GroupName="staff")

    pages = walk(call, "ListUsersInGroup", "Users", between, UserPoolId=pool_id, GroupName="staff", Limit=3)
    seen = [each["Username"] for page in pages for each in page]
    assert seen == sorted(set(seen))
    assert set(stay) <= set(seen)
    assert len(pages) >= 3


def test_tokens_of_pages_belong_to_their_list(call, pool, user, group, join):
    """A token of another list, group, user or pool, or a made-up one, is refused."""
    pool_id, other = pool(), pool()
    ann, bob = user(pool_id), user(pool_id)
    for name in ("a", "b"):
        group(pool_id, name)
        group(other, name)
        for each in (ann, bob):
            join(pool_id, each, name)
    lists = [
        ("ListGroups", {"UserPoolId": pool_id}),
        ("ListGroups", {"UserPoolId": other}),
        ("ListUsersInGroup", {"UserPoolId": pool_id, "GroupName": "a"}),
        ("ListUsersInGroup", {"UserPoolId": pool_id, "GroupName": "b"}),
        ("AdminListGroupsForUser", {"UserPoolId": pool_id, "Username": ann}),
        ("AdminListGroupsForUser", {"UserPoolId": pool_id, "Username": bob}),
    ]
    tokens = [call(operation, **given, Limit=1)["NextToken"] for operation, given in lists]
    for mine, (operation, given) in enumerate(lists):
        for token in [*(each for number, each in enumerate(tokens) if number != mine), "made-up"]:
            text = refused(call, "InvalidParameterException", operation, **given, NextToken=token)
            assert text == "Invalid pagination token given."
        assert "NextToken" not in call(operation, **given, NextToken=tokens[mine], Limit=1)


def test_a_pool_has_ten_thousand_groups_at_most(server, call, pool, group):
    """The limit is on what there is, so one that goes makes room."""
    pool_id = pool()
    group(pool_id)
    beside = lambda tx, number: counts.add(tx.groups._sql, f"groups:{pool_id}", number)
    server.write(lambda tx: beside(tx, MAX_GROUPS - 2))
    group(pool_id, "last")
    text = refused(call, "LimitExceededException", "CreateGroup", UserPoolId=pool_id, GroupName="more")
    assert text == "A user pool can have at most 10000 groups."
    call("DeleteGroup", UserPoolId=pool_id, GroupName="staff")
    group(pool_id, "more")


def test_a_deleted_group_leaves_its_users(call, pool, app, user, group, join):
    """They are in it no more, neither in the next group of that name nor in their next tokens."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    group(pool_id, RoleArn=ROLE.format("r"))
    join(pool_id, name, "staff")
    call("DeleteGroup", UserPoolId=pool_id, GroupName="staff")
    assert groups_of(call, pool_id, name) == []
    group(pool_id)
    assert (groups_of(call, pool_id, name), members_of(call, pool_id)) == ([], [])
    assert said(sign_in(call, client, name)) == (None, None, None)


def test_a_deleted_user_leaves_its_groups(call, pool, user, group, join):
    """The next user of that name is in none."""
    pool_id = pool()
    user(pool_id, "ann")
    group(pool_id)
    join(pool_id, "ann", "staff")
    call("AdminDeleteUser", UserPoolId=pool_id, Username="ann")
    assert members_of(call, pool_id) == []
    user(pool_id, "ann")
    assert groups_of(call, pool_id, "ann") == []


def test_tokens_name_the_groups(call, pool, app, user, group, join):
    """The vector of spec/api/05 §3.1, and nothing for a user without groups."""
    pool_id = pool()
    client, name = app(pool_id), user(pool_id)
    assert said(sign_in(call, client, name)) == (None, None, None)
    r1, r2, r3 = (ROLE.format(each) for each in ("R1", "R2", "R3"))
    group(pool_id, "C", RoleArn=r3)
    group(pool_id, "B", Precedence=1, RoleArn=r1)
    group(pool_id, "A", Precedence=1, RoleArn=r1)
    join(pool_id, name, "C", "B", "A")
    assert said(sign_in(call, client, name)) == (["A", "B", "C"], [r1, r3], r1)
    call("UpdateGroup", UserPoolId=pool_id, GroupName="B", RoleArn=r2)
    made = sign_in(call, client, name)
    assert said(made) == (["A", "B", "C"], [r1, r2, r3], None)
    assert list(claims(made["IdToken"]))[:2] == ["sub", "cognito:groups"]


@pytest.mark.parametrize("rotating", [False, True])
def test_a_change_shows_at_the_next_refresh(call, pool, app, user, group, join, rotating):
    """With and without rotation of refresh tokens."""
    pool_id = pool()
    flows = ["ALLOW_USER_PASSWORD_AUTH"] + ([] if rotating else ["ALLOW_REFRESH_TOKEN_AUTH"])
    rotation = {"Feature": "ENABLED" if rotating else "DISABLED", "RetryGracePeriodSeconds": 0}
    client = app(pool_id, ExplicitAuthFlows=flows, RefreshTokenRotation=rotation)
    name = user(pool_id)
    group(pool_id, RoleArn=ROLE.format("r"))
    token = sign_in(call, client, name)["RefreshToken"]

    def refresh():
        nonlocal token
        made = call("GetTokensFromRefreshToken", ClientId=client["ClientId"], RefreshToken=token)
        token = made["AuthenticationResult"].get("RefreshToken", token)
        return said(made["AuthenticationResult"])

    assert refresh() == (None, None, None)
    join(pool_id, name, "staff")
    assert refresh() == (["staff"], [ROLE.format("r")], ROLE.format("r"))
    call(REMOVE, UserPoolId=pool_id, Username=name, GroupName="staff")
    assert refresh() == (None, None, None)


def test_other_ways_to_sign_in_name_the_groups(call, pool, app, user, group, join):
    """After a new password that was asked for, and by the flow that refreshes without rotation."""
    pool_id = pool()
    client = app(pool_id)
    name = user(pool_id, password=None)
    call("AdminSetUserPassword", UserPoolId=pool_id, Username=name, Password="Correct-Horse-1", Permanent=False)
    group(pool_id)
    join(pool_id, name, "staff")
    asked = call(
        "AdminInitiateAuth",
        UserPoolId=pool_id,
        ClientId=client["ClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": "Correct-Horse-1"},
    )
    made = call(
        "RespondToAuthChallenge",
        ClientId=client["ClientId"],
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": name, "NEW_PASSWORD": "Battery-Staple-2"},
    )["AuthenticationResult"]
    assert said(made)[0] == ["staff"]
    refreshed = call(
        "InitiateAuth",
        ClientId=client["ClientId"],
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": made["RefreshToken"]},
    )["AuthenticationResult"]
    assert said(refreshed)[0] == ["staff"]


def test_users_join_and_groups_go_at_once(call, pool, user, group):
    """Whoever comes first: adding succeeds or does not find the group, and nobody is in it in the end."""
    pool_id = pool()
    names = [user(pool_id, password=None) for _ in range(8)]
    group(pool_id)

    def add(name):
        try:
            call(ADD, UserPoolId=pool_id, Username=name, GroupName="staff")
        except ClientError as error:
            return error.response["Error"]["Message"]
        return "added"

    with ThreadPoolExecutor(9) as many:
        added = [many.submit(add, name) for name in names]
        deleted = many.submit(call, "DeleteGroup", UserPoolId=pool_id, GroupName="staff")
        deleted.result()
        assert {each.result() for each in added} <= {"added", NOT_FOUND}
    assert [groups_of(call, pool_id, name) for name in names] == [[]] * 8
    group(pool_id)
    assert members_of(call, pool_id) == []


def test_the_hundredth_place_is_taken_once(server, call, pool, user, group, join):
    """Of several groups that a user is added to at once, only so many count as there is room for."""
    pool_id = pool()
    name = user(pool_id, password=None)

    def fill(tx):
        ann = tx.users.find_by_username(pool_id, name)
        first = Group(pool_id=pool_id, name="", created_at=0, modified_at=0)
        for number in range(98):
            tx.groups.add(tx.groups.insert(replace(first, name=f"g{number:02}")), ann)

    server.write(fill)
    late = [group(pool_id, f"late{number}")["GroupName"] for number in range(6)]

    def add(each):
        try:
            join(pool_id, name, each)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "added"

    with ThreadPoolExecutor(6) as many:
        outcomes = sorted(many.map(add, late))
    assert outcomes == ["LimitExceededException"] * 4 + ["added"] * 2
    pages = walk(call, "AdminListGroupsForUser", "Groups", UserPoolId=pool_id, Username=name)
    assert sum(map(len, pages)) == 100
