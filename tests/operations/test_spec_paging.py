"""Lists walked to their end while rows come and go (spec/api/01 §7, 05 §1)."""

import itertools
import uuid

import pytest

from tests.operations.talk import listed, refusal


class Rows:
    """Things of one kind that a list shows: how they are made, deleted and listed."""

    def __init__(self, call, kind, pool_id):
        self.call, self.kind, self.pool_id = call, kind, pool_id

    def make(self, number):
        """Make a thing; give what the list will show of it."""
        name = f"{number:02}"
        if self.kind == "users":
            members = {"Username": name, "MessageAction": "SUPPRESS", "UserAttributes": listed(name=f"Ann {name}")}
            return self.call("AdminCreateUser", UserPoolId=self.pool_id, **members)["User"]["Username"]
        if self.kind == "clients":
            made = self.call("CreateUserPoolClient", UserPoolId=self.pool_id, ClientName=name)
            return made["UserPoolClient"]["ClientId"]
        self.call("CreateResourceServer", UserPoolId=self.pool_id, Identifier=name, Name=name)
        return name

    def delete(self, shown):
        operation, member = {
            "users": ("AdminDeleteUser", "Username"),
            "clients": ("DeleteUserPoolClient", "ClientId"),
            "servers": ("DeleteResourceServer", "Identifier"),
        }[self.kind]
        self.call(operation, UserPoolId=self.pool_id, **{member: shown})

    def pages(self, limit, **members):
        """Give page after page, until one comes without a token."""
        operation, most, token, items, shown = {
            "users": ("ListUsers", "Limit", "PaginationToken", "Users", "Username"),
            "clients": ("ListUserPoolClients", "MaxResults", "NextToken", "UserPoolClients", "ClientId"),
            "servers": ("ListResourceServers", "MaxResults", "NextToken", "ResourceServers", "Identifier"),
        }[self.kind]
        members = {"UserPoolId": self.pool_id, most: limit, **members}
        while True:
            answer = self.call(operation, **members)
            yield [item[shown] for item in answer[items]]
            if token not in answer:
                return
            members[token] = answer[token]


@pytest.fixture(params=["users", "clients", "servers"])
def rows(request, call, pool):
    return Rows(call, request.param, pool())


@pytest.mark.parametrize("limit", [1, 3, 4, 5, 11, 12, 13])
def test_every_row_once(rows, limit):
    """spec/api/01 §7.3: all pages but the last are full, a token comes only where more follows."""
    made = {rows.make(number) for number in range(12)}
    pages = list(rows.pages(limit))
    assert sorted(shown for page in pages for shown in page) == sorted(made)
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert pages[-1]


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


def test_users_found_who_come_and_go(call, pool):
    """spec/api/05 §1.2, §1.4: the same of a filtered list, also where a user's value moves on behind the reader."""
    rows = Rows(call, "users", pool())
    made = [rows.make(number) for number in range(10, 20)]
    seen = []
    for page in rows.pages(3, Filter='name ^= "ann "'):
        seen += page
        moved = listed(name=f"Ann 00 {page[0]}")
        call("AdminUpdateUserAttributes", UserPoolId=rows.pool_id, Username=page[0], UserAttributes=moved)
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
    """spec/api/01 §7.2: 60 is the most, 50 for resource servers; the limit may change from page to page."""
    largest = 50 if rows.kind == "servers" else 60
    operation, most, items = {
        "users": ("ListUsers", "Limit", "Users"),
        "clients": ("ListUserPoolClients", "MaxResults", "UserPoolClients"),
        "servers": ("ListResourceServers", "MaxResults", "ResourceServers"),
    }[rows.kind]
    code, text = refusal(rows.call, operation, UserPoolId=rows.pool_id, **{most: largest + 1})
    member = most[0].lower() + most[1:]
    assert code == "InvalidParameterException"
    assert text == (
        f"1 validation error detected: Value '{largest + 1}' at '{member}' failed to satisfy constraint: "
        f"Member must have value less than or equal to {largest}"
    )
    assert rows.call(operation, UserPoolId=rows.pool_id, **{most: largest}) == {items: []}
    assert rows.call(operation, UserPoolId=rows.pool_id) == {items: []}
    for number in range(4):
        rows.make(number)
    token = "PaginationToken" if rows.kind == "users" else "NextToken"
    first = rows.call(operation, UserPoolId=rows.pool_id, **{most: 1})
    rest = rows.call(operation, UserPoolId=rows.pool_id, **{most: 3, token: first[token]})
    assert len(rest[items]) == 3
    assert token not in rest
