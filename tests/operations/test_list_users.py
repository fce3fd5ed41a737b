"""ListUsers: filters, pages, attributes."""

import pytest

from poolhouse.core.paging import binding
from poolhouse.flows.calls import Origin, PublicCall
from poolhouse.flows.paging import seal_place
from tests.operations.talk import listed, named, refusal, sign_up

BAD_TOKEN = ("InvalidParameterException", "Invalid pagination token given.")
UNREADABLE = ("InvalidParameterException", "Error while parsing filter")


@pytest.fixture(scope="module")
def crowd(session_cognito):
    """A pool of six users."""
    make = session_cognito.create_user_pool(
        PoolName="crowd",
        AliasAttributes=["preferred_username"],
        Schema=[{"Name": "team", "AttributeDataType": "String"}],
    )
    pool_id = make["UserPool"]["Id"]
    users = {
        "Ann": {"email": "Ann@X.org", "given_name": "Ann", "family_name": "Archer", "custom_team": "red"},
        "ann": {"email": "ann@x.org", "given_name": "ann", "preferred_username": "Annie"},
        "bob": {"email": "bob@y.org", "given_name": "Bob", "phone_number": "+12065550100"},
        "bo%": {"given_name": 'B"o\\b', "name": "100%_sure"},
        "carl": {"email": "carl@x.org", "email_verified": "true"},
        "zoë": {"name": "Zoë"},
    }
    for username, attributes in users.items():
        session_cognito.admin_create_user(
            UserPoolId=pool_id, Username=username, MessageAction="SUPPRESS", UserAttributes=listed(**attributes)
        )
    session_cognito.admin_set_user_password(
        UserPoolId=pool_id, Username="bob", Password="Correct-Horse-1", Permanent=True
    )
    session_cognito.admin_disable_user(UserPoolId=pool_id, Username="carl")
    return pool_id


def names(call, pool_id, filter=None, **members):
    if filter is not None:
        members["Filter"] = filter
    return [user["Username"] for user in call("ListUsers", UserPoolId=pool_id, **members)["Users"]]


def pages(call, pool_id, limit, **members):
    """All pages of a list."""
    found = []
    while True:
        answer = call("ListUsers", UserPoolId=pool_id, Limit=limit, **members)
        found.append([user["Username"] for user in answer["Users"]])
        if "PaginationToken" not in answer:
            return found
        members["PaginationToken"] = answer["PaginationToken"]


@pytest.mark.parametrize("filter", [None, "", "  "])
def test_everybody_is_listed(call, crowd, filter):
    """Without a condition all users come, disabled ones too."""
    assert set(names(call, crowd, filter)) == {"Ann", "ann", "bob", "bo%", "carl", "zoë"}


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ('username = "ann"', ["ann"]),
        ('username = "Annie"', []),
        ('username = "ANN"', []),
        ('username ^= "a"', ["ann"]),
        ('username ^= "bo"', ["bo%", "bob"]),
        ('username ^= "bo%"', ["bo%"]),
        ('username ^= "zoë"', ["zoë"]),
        ('email = "ANN@x.ORG"', ["Ann", "ann"]),
        ('email ^= "ann"', ["Ann", "ann"]),
        ('email ^= ""', ["Ann", "ann", "bob", "carl"]),
        ('email = ""', []),
        ('email = "nobody@x.org"', []),
        ('email = "x.org"', []),
        ('phone_number = "+12065550100"', ["bob"]),
        ('phone_number ^= "+1"', ["bob"]),
        ('given_name ^= "a"', ["Ann", "ann"]),
        ('given_name = "b\\"O\\\\b"', ["bo%"]),
        ('family_name = "archer"', ["Ann"]),
        ('name ^= "100%_"', ["bo%"]),
        ('name ^= "100"', ["bo%"]),
        ('name ^= "1_0"', []),
        ('name ^= "%"', []),
        ('name = "ZOË"', ["zoë"]),
        ('preferred_username = "annie"', ["ann"]),
        ('cognito:user_status = "confirmed"', ["bob"]),
        ('cognito:user_status ^= "force"', ["Ann", "ann", "bo%", "carl", "zoë"]),
        ('status = "Disabled"', ["carl"]),
        ('status = "disabled"', []),
        ('status = "Enabled"', ["Ann", "ann", "bo%", "bob", "zoë"]),
    ],
)
def test_filters(call, crowd, filter, found):
    """Each attribute compares as documented, in the order of value and name."""
    assert names(call, crowd, filter) == found


def test_users_are_found_by_sub(call, crowd):
    """A sub compares exactly, and by prefix."""
    shown = call("AdminGetUser", UserPoolId=crowd, Username="bob")["UserAttributes"]
    sub = named(shown)["sub"]

    assert names(call, crowd, f'sub = "{sub}"') == ["bob"]
    assert names(call, crowd, f'sub ^= "{sub[:20]}"') == ["bob"]
    assert names(call, crowd, f'sub = "{sub[:20]}"') == []


@pytest.mark.parametrize(
    "filter", ['email = "a" and name = "b"', "email = 'a'", "email = a", 'email != "a"', "email", 'email = "a" x']
)
def test_filters_that_are_not_understood(call, crowd, filter):
    """One condition, double quotes, two operators."""
    assert refusal(call, "ListUsers", UserPoolId=crowd, Filter=filter) == UNREADABLE


def test_custom_attributes_cannot_be_searched(call, crowd):
    """They have a text of their own."""
    assert refusal(call, "ListUsers", UserPoolId=crowd, Filter='custom:team = "red"') == (
        "InvalidParameterException", "Input fails to satisfy the constraints.",
    )  # fmt: skip


def test_what_is_shown(call, crowd):
    """Every user comes with status, dates and all attributes, sub first."""
    [ann] = call("ListUsers", UserPoolId=crowd, Filter='username = "Ann"')["Users"]

    assert ann.keys() == {
        "Username", "Attributes", "UserCreateDate", "UserLastModifiedDate", "Enabled", "UserStatus",
    }  # fmt: skip
    assert ann["Attributes"][0]["Name"] == "sub"
    assert named(ann["Attributes"])["custom:team"] == "red"


def test_some_attributes_are_shown(call, crowd):
    """Named attributes only, without sub, and without those that a user has not."""
    members = {"UserPoolId": crowd, "Filter": 'username ^= "a"', "AttributesToGet": ["email", "preferred_username"]}
    [ann] = call("ListUsers", **members)["Users"]

    assert named(ann["Attributes"]) == {"email": "ann@x.org", "preferred_username": "Annie"}
    everything = call("ListUsers", **members | {"AttributesToGet": []})["Users"]
    assert "sub" in named(everything[0]["Attributes"])
    assert refusal(call, "ListUsers", UserPoolId=crowd, AttributesToGet=["custom:foo"]) == (
        "InvalidParameterException", "One or more requested attributes do not exist in user pool.",
    )  # fmt: skip


@pytest.mark.parametrize(
    "filter", [{}, {"Filter": 'email ^= ""'}, {"Filter": 'username ^= "b"'}, {"Filter": 'sub ^= ""'}]
)
@pytest.mark.parametrize("limit", [1, 2, 3, 60])
def test_pages_hold_every_user_once(call, crowd, filter, limit):
    """Pages follow each other in order and end without an empty one."""
    whole = names(call, crowd, **filter)
    found = pages(call, crowd, limit, **filter)

    assert [name for page in found for name in page] == whole
    assert all(len(page) == limit for page in found[:-1])
    assert found[-1] != []


def test_equal_values_are_paged_too(call, crowd):
    """Users who share a value are told apart by name."""
    assert pages(call, crowd, 1, Filter='email = "ann@x.org"') == [["Ann"], ["ann"]]


def test_users_made_meanwhile_do_not_disturb(call, pool, user):
    """Whoever is there from beginning to end is seen exactly once."""
    pool_id = pool()
    for name in ("b", "d", "f", "h"):
        user(pool_id, name, password=None)
    first = call("ListUsers", UserPoolId=pool_id, Limit=2)
    user(pool_id, "a", password=None)
    user(pool_id, "g", password=None)
    call("AdminDeleteUser", UserPoolId=pool_id, Username="d")

    rest = pages(call, pool_id, 2, PaginationToken=first["PaginationToken"])

    assert [name for page in rest for name in page] == ["f", "g", "h"]


def test_an_empty_pool(call, pool):
    """No users are an empty list, and Limit 0 is the largest page."""
    assert call("ListUsers", UserPoolId=pool(), Limit=0) == {"Users": []}


def test_tokens_are_bound(call, crowd, pool, server):
    """A token continues its own list, for an hour; anything else is refused."""
    token = call("ListUsers", UserPoolId=crowd, Limit=1)["PaginationToken"]
    stale = PublicCall(deps=server.deps, now=server.clock.now() - 3_600_001, origin=Origin(request_id="test"))
    old = seal_place(stale, binding("ListUsers", crowd, ""), "ann")

    assert refusal(call, "ListUsers", UserPoolId=crowd, Filter='name = "x"', PaginationToken=token) == BAD_TOKEN
    assert refusal(call, "ListUsers", UserPoolId=pool(), PaginationToken=token) == BAD_TOKEN
    assert refusal(call, "ListUsers", UserPoolId=crowd, PaginationToken=token[:-2] + "AA") == BAD_TOKEN
    assert refusal(call, "ListUsers", UserPoolId=crowd, PaginationToken="made-up") == BAD_TOKEN
    assert refusal(call, "ListUsers", UserPoolId=crowd, PaginationToken=old) == BAD_TOKEN


def test_changes_are_seen_at_once(call, pool, app):
    """The index follows status, enabling and attributes in the same write."""
    pool_id = pool()
    sign_up(call, app(pool_id), "ann", email="was@x.org")
    assert names(call, pool_id, 'cognito:user_status = "UNCONFIRMED"') == ["ann"]

    call("AdminConfirmSignUp", UserPoolId=pool_id, Username="ann")
    call("AdminDisableUser", UserPoolId=pool_id, Username="ann")
    call("AdminUpdateUserAttributes", UserPoolId=pool_id, Username="ann", UserAttributes=listed(email="is@x.org"))

    assert names(call, pool_id, 'cognito:user_status = "CONFIRMED"') == ["ann"]
    assert names(call, pool_id, 'status = "Disabled"') == ["ann"]
    assert names(call, pool_id, 'email = "is@x.org"') == ["ann"]
    assert names(call, pool_id, 'email ^= "was"') == []


def test_values_of_any_length_are_searched(call, pool, user):
    """The longest attribute values, in characters of four bytes, can be stored, found and be a sign-in name."""
    pool_id = pool(AliasAttributes=["preferred_username"])
    long = "".join(chr(0x20000 + number * 37 % 40_000) for number in range(2048))
    user(pool_id, long[:128], password=None, name=long, preferred_username=long)
    user(pool_id, "nul", password=None, name="a\0b")

    assert names(call, pool_id, f'name ^= "{long[:240]}"') == [long[:128]]
    assert names(call, pool_id, f'name = "{long[:240]}"') == []
    assert names(call, pool_id, 'name = "a\0b"') == names(call, pool_id, 'name ^= "a\0"') == ["nul"]


def test_unknown_pools(call):
    """The pool is named in the error."""
    assert refusal(call, "ListUsers", UserPoolId="us-east-1_nothing00") == (
        "ResourceNotFoundException", "User pool us-east-1_nothing00 does not exist.",
    )  # fmt: skip
