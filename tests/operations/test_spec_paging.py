"""Lists walked to their end while rows come and go (spec/api/01 §7, 05 §1)."""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import poolhouse.api.operations  # noqa: F401 - fills the registry
from poolhouse.api.registry import HANDLERS
from poolhouse.model import OPERATIONS
from tests.matrix.cases import devices, factors
from tests.matrix.cases.clients import PROVIDER
from tests.matrix.cases.looks import KIND, LINKS
from tests.matrix.cases.upkeep import job
from tests.matrix.model import input_of
from tests.matrix.world import World
from tests.operations.talk import listed, refusal


@dataclass(frozen=True)
class Kind:
    """Things that a list shows: what the list is called, how they are made and deleted.

    ``make`` gives what the list will show as ``shown``; ``members`` says which list of its kind it is.
    """

    operation: str
    items: str
    shown: str
    make: Callable[[World, int], str]
    delete: Callable[[World, str], Any] | None
    members: Callable[[World], dict[str, str]] = lambda world: world.pool
    limit: str = "MaxResults"
    token: str = "NextToken"
    largest: int = 60


def make_user(world, number):
    members = {
        "Username": f"{number:02}",
        "MessageAction": "SUPPRESS",
        "UserAttributes": listed(name=f"Ann {number:02}"),
    }
    return world.call("AdminCreateUser", **world.pool, **members)["User"]["Username"]


def make_client(world, number):
    return world.new_client(ClientName=f"{number:02}")["ClientId"]


def make_server(world, number):
    world.call("CreateResourceServer", **world.pool, Identifier=f"{number:02}", Name="api")
    return f"{number:02}"


def make_provider(world, number):
    world.call("CreateIdentityProvider", **world.pool, ProviderName=f"Provider{number:02}", **PROVIDER)
    return f"Provider{number:02}"


def make_group(world, number):
    return world.call("CreateGroup", **world.pool, GroupName=f"{number:02}")["Group"]["GroupName"]


def make_members_group(world, number):
    """Groups of one user, several of one precedence."""
    name = make_group(world, number)
    world.call("UpdateGroup", **world.pool, GroupName=name, Precedence=number % 3)
    world.call("AdminAddUserToGroup", **world.user, GroupName=name)
    return name


def make_member(world, number):
    name = make_user(world, number)
    world.call("AdminAddUserToGroup", **world.group, Username=name)
    return name


def make_terms(world, number):
    ids = world.pool | {"ClientId": make_client(world, number)}
    return world.call("CreateTerms", **ids, **KIND, Links=LINKS)["Terms"]["TermsId"]


def tracked(world, names):
    """Members of a request, about a pool that remembers devices."""
    if "DeviceConfiguration" not in world.described:
        devices.tracking(world)
    return names(world)


def make_device(world, number):
    tokens = tracked(world, World.sign_in)
    key = tokens["NewDeviceMetadata"]["DeviceKey"]
    members = {"DeviceKey": key, "DeviceSecretVerifierConfig": devices.VERIFIER, "DeviceName": f"{number:02}"}
    world.call("ConfirmDevice", AccessToken=tokens["AccessToken"], **members)
    return key


def by(operation, member, ids=lambda world: world.pool):
    """Delete by naming the one thing."""
    return lambda world, shown: world.call(operation, **ids(world), **{member: shown})


KINDS = {
    "users": Kind(
        "ListUsers",
        "Users",
        "Username",
        make_user,
        by("AdminDeleteUser", "Username"),
        limit="Limit",
        token="PaginationToken",
    ),
    "clients": Kind(
        "ListUserPoolClients", "UserPoolClients", "ClientId", make_client, by("DeleteUserPoolClient", "ClientId")
    ),
    "servers": Kind(
        "ListResourceServers",
        "ResourceServers",
        "Identifier",
        make_server,
        by("DeleteResourceServer", "Identifier"),
        largest=50,
    ),
    "providers": Kind(
        "ListIdentityProviders",
        "Providers",
        "ProviderName",
        make_provider,
        by("DeleteIdentityProvider", "ProviderName"),
    ),
    "terms": Kind("ListTerms", "Terms", "TermsId", make_terms, by("DeleteTerms", "TermsId")),
    "groups": Kind("ListGroups", "Groups", "GroupName", make_group, by("DeleteGroup", "GroupName"), limit="Limit"),
    "a user's groups": Kind(
        "AdminListGroupsForUser",
        "Groups",
        "GroupName",
        make_members_group,
        by("AdminRemoveUserFromGroup", "GroupName", lambda world: world.user),
        members=lambda world: world.user,
        limit="Limit",
    ),
    "a user's groups that go": Kind(
        "AdminListGroupsForUser",
        "Groups",
        "GroupName",
        make_members_group,
        by("DeleteGroup", "GroupName"),
        members=lambda world: world.user,
        limit="Limit",
    ),
    "members": Kind(
        "ListUsersInGroup",
        "Users",
        "Username",
        make_member,
        by("AdminRemoveUserFromGroup", "Username", lambda world: world.group),
        members=lambda world: world.group,
        limit="Limit",
    ),
    "members that go": Kind(
        "ListUsersInGroup",
        "Users",
        "Username",
        make_member,
        by("AdminDeleteUser", "Username"),
        members=lambda world: world.group,
        limit="Limit",
    ),
    "devices": Kind(
        "ListDevices",
        "Devices",
        "DeviceKey",
        make_device,
        by("ForgetDevice", "DeviceKey", lambda world: world.access),
        members=lambda world: tracked(world, lambda world: world.access),
        limit="Limit",
        token="PaginationToken",
    ),
    "a user's devices": Kind(
        "AdminListDevices",
        "Devices",
        "DeviceKey",
        make_device,
        by("AdminForgetDevice", "DeviceKey", lambda world: world.user),
        members=lambda world: tracked(world, lambda world: world.user),
        limit="Limit",
        token="PaginationToken",
    ),
    "passkeys": Kind(
        "ListWebAuthnCredentials",
        "Credentials",
        "CredentialId",
        lambda world, number: factors.passkey(world),
        by("DeleteWebAuthnCredential", "CredentialId", lambda world: world.access),
        members=lambda world: world.access,
        largest=20,
    ),
}
# Nobody deletes from these.
GROWING = {
    "import jobs": Kind(
        "ListUserImportJobs",
        "UserImportJobs",
        "JobId",
        lambda world, number: job(world)["JobId"],
        None,
        token="PaginationToken",
    ),
    "events": Kind(
        "AdminListUserAuthEvents",
        "AuthEvents",
        "EventId",
        lambda world, number: sign_in_event(world),
        None,
        members=lambda world: world.user,
    ),
}
ELSEWHERE = {
    "ListUserPools": "test_pools_that_come_and_go",
    "ListUserPoolClientSecrets": "two secrets at most: test_client_secrets.py",
    "ListUserPoolReplicas": "no limit to ask for, and a handful of rows",
    "ListUserSessions": "no limit to ask for: pages of 125",
    "AdminListUserSessions": "no limit to ask for: pages of 125",
}


def sign_in_event(world):
    """Sign in once more; give the id of the event, which comes first."""
    world.sign_in()
    return world.call("AdminListUserAuthEvents", **world.user)["AuthEvents"][0]["EventId"]


def served(kinds):
    return [name for name, kind in kinds.items() if kind.operation in HANDLERS]


def test_every_list_is_walked():
    """spec/api/01 §7: whatever takes a token to go on with is walked here, or said to be walked elsewhere."""
    paged = {name for name in OPERATIONS if {"NextToken", "PaginationToken"} & set(input_of(name).members)}
    walked = {kind.operation for kind in [*KINDS.values(), *GROWING.values()]}
    assert walked | set(ELSEWHERE) == paged
    assert not walked & set(ELSEWHERE)


class Rows:
    """Things of one kind that a list shows: how they are made, deleted and listed."""

    def __init__(self, world, kind):
        self.world, self.kind, self.call = world, kind, world.call

    @property
    def members(self):
        return self.kind.members(self.world)

    def make(self, number):
        """Make a thing; give what the list will show of it."""
        return self.kind.make(self.world, number)

    def delete(self, shown):
        self.kind.delete(self.world, shown)

    def pages(self, limit, **members):
        """Give page after page, until one comes without a token."""
        members = {**self.members, self.kind.limit: limit, **members}
        while True:
            answer = self.call(self.kind.operation, **members)
            yield [item[self.kind.shown] for item in answer[self.kind.items]]
            if self.kind.token not in answer:
                return
            members[self.kind.token] = answer[self.kind.token]


@pytest.fixture
def world(call, inbox, server, functions):
    return World(call, inbox, server, functions)


@pytest.fixture(params=served(KINDS))
def rows(request, world):
    return Rows(world, KINDS[request.param])


def test_every_row_once(rows):
    """spec/api/01 §7.3: all pages but the last are full, a token comes only where more follows."""
    made = {rows.make(number) for number in range(12)}
    for limit in (1, 3, 4, 5, 11, 12, 13):
        pages = list(rows.pages(limit))
        assert sorted(shown for page in pages for shown in page) == sorted(made)
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1), limit
        assert pages[-1], limit


def test_rows_that_come_and_go(rows):
    """spec/api/01 §7.6: whoever is there all the time is seen exactly once, whoever goes early is not seen."""
    made = [rows.make(number) for number in range(10, 22)]
    stay, gone = set(made), set()
    pages = []
    for number, page in enumerate(rows.pages(3)):
        pages.append(page)
        seen = set(itertools.chain(*pages))
        # The last one of a page is where the next one begins; one that is still to come goes as well.
        ahead = sorted(stay - seen)[:1]
        for leaving in [*page[-1:], *ahead]:
            rows.delete(leaving)
            stay.discard(leaving)
        gone.update(ahead)
        rows.make(number)
        rows.make(90 - number)
    shown = list(itertools.chain(*pages))
    assert len(shown) == len(set(shown))
    assert stay <= set(shown)
    assert not gone & set(shown)
    # Only the last page can be without rows: where all that its token promised went in the meantime.
    assert all(pages[:-1])


def test_all_that_follows_goes(rows):
    """spec/api/01 §7.6: a token whose rows are all deleted before it is used leads to an empty last page."""
    made = [rows.make(number) for number in range(5)]
    pages = rows.pages(3)
    first = next(pages)
    for leaving in set(made) - set(first):
        rows.delete(leaving)
    assert list(pages) == [[]]


def test_lists_that_grow(world, server):
    """spec/api/01 §7.6: newest first; what is added in the meantime shows no row twice and hides none."""
    for name in served(GROWING):
        rows = Rows(world, GROWING[name])
        made = []
        for number in range(7):
            made.append(rows.make(number))
            server.clock.advance(2)
        shown = []
        for number, page in enumerate(rows.pages(3)):
            shown += page
            rows.make(10 + number)
        assert [it for it in shown if it in made] == made[::-1], name
        assert len(shown) == len(set(shown)), name


def test_users_found_who_come_and_go(world):
    """spec/api/05 §1.2, §1.4: the same of a filtered list, also where a user's value moves on behind the reader."""
    rows = Rows(world, KINDS["users"])
    made = [rows.make(number) for number in range(10, 20)]
    seen = []
    for page in rows.pages(3, Filter='name ^= "ann "'):
        seen += page
        moved = listed(name=f"Ann 00 {page[0]}")
        rows.call("AdminUpdateUserAttributes", **world.pool, Username=page[0], UserAttributes=moved)
        rows.delete(page[-1])
    assert seen == made


def test_pools_that_come_and_go(server):
    """spec/api/01 §7.6: pools of a Region, of which some are deleted and made while the list is read."""
    region = f"xx-{uuid.uuid4().hex[:6]}-1"
    cognito = server.boto(region_name=region)

    def make():
        return cognito.create_user_pool(PoolName="p")["UserPool"]["Id"]

    stay, seen, members = {make() for _ in range(7)}, [], {"MaxResults": 2}
    while True:
        answer = cognito.list_user_pools(**members)
        page = [pool["Id"] for pool in answer["UserPools"]]
        seen += page
        cognito.delete_user_pool(UserPoolId=page[-1])
        stay.discard(page[-1])
        make()
        if "NextToken" not in answer:
            break
        members["NextToken"] = answer["NextToken"]
    assert len(seen) == len(set(seen))
    assert stay <= set(seen)
    for pool in cognito.list_user_pools(MaxResults=60)["UserPools"]:
        assert pool.keys() >= {"Id", "Name", "LambdaConfig", "CreationDate", "LastModifiedDate"}
        cognito.delete_user_pool(UserPoolId=pool["Id"])
    answer = cognito.list_user_pools(MaxResults=60)
    assert answer["UserPools"] == []
    assert "NextToken" not in answer


def test_the_largest_pages(rows):
    """spec/api/01 §7.2: a page has a largest size, mostly 60; the limit may change from page to page."""
    kind, largest = rows.kind, rows.kind.largest
    code, text = refusal(rows.call, kind.operation, **rows.members, **{kind.limit: largest + 1})
    member = kind.limit[0].lower() + kind.limit[1:]
    assert code == "InvalidParameterException"
    assert text == (
        f"1 validation error detected: Value '{largest + 1}' at '{member}' failed to satisfy constraint: "
        f"Member must have value less than or equal to {largest}"
    )
    assert rows.call(kind.operation, **rows.members, **{kind.limit: largest}) == {kind.items: []}
    assert rows.call(kind.operation, **rows.members) == {kind.items: []}
    for number in range(4):
        rows.make(number)
    first = rows.call(kind.operation, **rows.members, **{kind.limit: 1})
    rest = rows.call(kind.operation, **rows.members, **{kind.limit: 3, kind.token: first[kind.token]})
    assert len(rest[kind.items]) == 3
    assert kind.token not in rest
