"""What Terraform and CloudFormation do with everything that belongs to a pool: make, read, change, read, delete.

Calls and members are those of Terraform's provider for AWS (spec/api/02 §6–9, 03 §8–9, 05 §3, 07). What belongs to
operations that are not served yet joins in when they are.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

import poolhouse.api.operations  # noqa: F401 - fills the registry
from poolhouse.api.registry import HANDLERS
from tests.matrix.rows import FOR_EVER, Rows
from tests.operations.talk import listed, named, refusal, sign_in

Members = dict[str, Any]
DATES = {"CreationDate", "LastModifiedDate", "UserCreateDate", "UserLastModifiedDate", "CSSVersion"}


@dataclass
class Stack:
    """A pool with a client, and how to call operations on it."""

    call: Callable[..., Members]
    pool_id: str
    client: Members

    @property
    def pool(self) -> Members:
        return {"UserPoolId": self.pool_id}

    @property
    def of_client(self) -> Members:
        return self.pool | {"ClientId": self.client["ClientId"]}


@dataclass
class Resource:
    """One kind of thing, as a tool manages it.

    ``make`` gives the members that name it. ``put`` brings an existing one to the wanted state, which ``read`` has to
    show; ``states`` are the states that it goes through, the first being the one that it is made in.
    """

    name: str
    operations: set[str]
    make: Callable[[Stack, Members], Members]
    put: Callable[[Stack, Members, Members], None]
    read: Callable[[Stack, Members], Members]
    delete: Callable[[Stack, Members], None]
    gone: Callable[[Stack, Members], bool]
    states: list[Members] = field(default_factory=list)


def plain(family: str, name: str, states: list[Members], *, key: str = "", deleted: str = "") -> Resource:
    """A thing with the usual four operations, which is named by one member of the first state."""
    key = key or f"{family}Name"

    def ids(stack: Stack, state: Members) -> Members:
        return stack.pool | {key: state[key]}

    def make(stack: Stack, state: Members) -> Members:
        made = stack.call(f"Create{family}", **stack.pool, **state)[family]
        assert state.items() <= made.items()
        return ids(stack, state)

    def put(stack: Stack, named_by: Members, state: Members) -> None:
        answered = stack.call(f"Update{family}", **(named_by | state))[family]
        assert answered == read(stack, named_by)

    reader = f"Get{family}" if f"Get{family}" in HANDLERS else f"Describe{family}"

    def read(stack: Stack, named_by: Members) -> Members:
        return stack.call(reader, **named_by)[family]

    def gone(stack: Stack, named_by: Members) -> bool:
        return refusal(stack.call, reader, **named_by)[0] == "ResourceNotFoundException"

    def delete(stack: Stack, named_by: Members) -> None:
        stack.call(f"Delete{family}", **named_by)

    operations = {f"Create{family}", reader, f"Update{family}", f"Delete{family}"}
    return Resource(name, operations, make, put, read, delete, gone, states)


GROUP = plain(
    "Group",
    "aws_cognito_user_group",
    [
        {"GroupName": "staff", "Description": "made", "Precedence": 42},
        {"Description": "changed"},
        {"Precedence": 0},
        {"RoleArn": "arn:aws:iam::000000000000:role/staff"},
    ],
)
SERVER = plain(
    "ResourceServer",
    "aws_cognito_resource_server",
    [
        {
            "Identifier": "https://stack.example",
            "Name": "made",
            "Scopes": [{"ScopeName": "a", "ScopeDescription": "A"}, {"ScopeName": "b", "ScopeDescription": "B"}],
        },
        {"Name": "changed", "Scopes": [{"ScopeName": "a", "ScopeDescription": "A"}]},
        {"Name": "changed", "Scopes": [{"ScopeName": "c", "ScopeDescription": "C"}]},
    ],
    key="Identifier",
)
DETAILS = {
    "client_id": "stack",
    "client_secret": "of-the-provider",
    "authorize_scopes": "openid email",
    "attributes_request_method": "GET",
    "oidc_issuer": "https://idp.example",
    "attributes_url_add_attributes": "false",
}
PROVIDER = plain(
    "IdentityProvider",
    "aws_cognito_identity_provider",
    [
        {
            "ProviderName": "Partner",
            "ProviderType": "OIDC",
            "ProviderDetails": DETAILS,
            "AttributeMapping": {"email": "email", "username": "sub"},
            "IdpIdentifiers": ["partner"],
        },
        {"ProviderDetails": DETAILS | {"authorize_scopes": "openid"}},
        {"AttributeMapping": {"username": "sub"}},
        {"IdpIdentifiers": ["partner", "partner.example"]},
        {"IdpIdentifiers": []},
    ],
    key="ProviderName",
)


# Users, and who is in which group


def make_user(stack: Stack, state: Members) -> Members:
    ids = stack.pool | {"Username": "stack-user"}
    stack.call("AdminCreateUser", **ids, MessageAction="SUPPRESS", UserAttributes=listed(**state["attributes"]))
    return ids


def put_user(stack: Stack, ids: Members, state: Members) -> None:
    """As the provider does: write what changed, delete what went, then the password, then the switch."""
    before = named(stack.call("AdminGetUser", **ids)["UserAttributes"])
    went = sorted(before.keys() - state["attributes"].keys() - {"sub", "email_verified"})
    if went:
        stack.call("AdminDeleteUserAttributes", **ids, UserAttributeNames=went)
    stack.call("AdminUpdateUserAttributes", **ids, UserAttributes=listed(**state["attributes"]))
    if "password" in state:
        stack.call("AdminSetUserPassword", **ids, Password=state["password"], Permanent=True)
        assert sign_in(stack.call, stack.client, "stack-user", state["password"])
    stack.call("AdminEnableUser" if state.get("enabled", True) else "AdminDisableUser", **ids)


def read_user(stack: Stack, ids: Members) -> Members:
    shown = stack.call("AdminGetUser", **ids)
    attributes = named(shown["UserAttributes"])
    del attributes["sub"]
    return {"attributes": attributes, "enabled": shown["Enabled"], "dates": shown["UserCreateDate"]}


KNOWN = {"email": "stack@x.org", "email_verified": "true"}
USER = Resource(
    "aws_cognito_user",
    {"AdminCreateUser"},
    make_user,
    put_user,
    read_user,
    lambda stack, ids: stack.call("AdminDeleteUser", **ids),
    lambda stack, ids: refusal(stack.call, "AdminGetUser", **ids)[0] == "UserNotFoundException",
    [
        {"attributes": KNOWN},
        {"attributes": KNOWN | {"name": "Ann", "nickname": "A"}, "password": "Battery-Staple-2"},
        {"attributes": KNOWN | {"name": "Anna"}},
        {"attributes": KNOWN, "enabled": False},
        {"attributes": KNOWN, "enabled": True},
    ],
)


def groups_of(stack: Stack, ids: Members) -> list[str]:
    of_user = {name: ids[name] for name in ("UserPoolId", "Username")}
    return [group["GroupName"] for group in stack.call("AdminListGroupsForUser", **of_user)["Groups"]]


def join(stack: Stack, state: Members) -> Members:
    """Put a user of one's own into a group of one's own."""
    ids = stack.pool | state
    stack.call("CreateGroup", **stack.pool, GroupName=state["GroupName"])
    stack.call("AdminCreateUser", **stack.pool, Username=state["Username"], MessageAction="SUPPRESS")
    stack.call("AdminAddUserToGroup", **ids)
    return ids


def leave(stack: Stack, ids: Members) -> None:
    stack.call("AdminRemoveUserFromGroup", **ids)
    assert groups_of(stack, ids) == []
    stack.call("DeleteGroup", **stack.pool, GroupName=ids["GroupName"])
    stack.call("AdminDeleteUser", **stack.pool, Username=ids["Username"])


MEMBERSHIP = Resource(
    "aws_cognito_user_in_group",
    {"AdminAddUserToGroup", "AdminRemoveUserFromGroup", "AdminListGroupsForUser"},
    join,
    lambda stack, ids, state: stack.call("AdminAddUserToGroup", **ids),
    lambda stack, ids: {"GroupName": groups_of(stack, ids)[0], "Username": ids["Username"]},
    leave,
    lambda stack, ids: (
        refusal(stack.call, "GetGroup", **stack.pool, GroupName=ids["GroupName"])[0] == "ResourceNotFoundException"
    ),
    [{"GroupName": "joined", "Username": "joiner"}],
)


# Looks, logs, risks: set as a whole, and taken back by setting nothing


def style_ids(stack: Stack, state: Members) -> Members:
    made = stack.call("CreateManagedLoginBranding", **stack.of_client, **state)["ManagedLoginBranding"]
    return stack.pool | {"ManagedLoginBrandingId": made["ManagedLoginBrandingId"]}


def blue(shade: str) -> Members:
    return {"components": {"primaryButton": {"lightMode": {"defaults": {"backgroundColor": shade}}}}}


LOGO = {"Category": "FORM_LOGO", "ColorMode": "LIGHT", "Extension": "PNG", "Bytes": b"\x89PNG"}
STYLE = Resource(
    "aws_cognito_managed_login_branding",
    {"CreateManagedLoginBranding"},
    style_ids,
    lambda stack, ids, state: stack.call("UpdateManagedLoginBranding", **ids, **state),
    lambda stack, ids: stack.call("DescribeManagedLoginBranding", **ids)["ManagedLoginBranding"],
    lambda stack, ids: stack.call("DeleteManagedLoginBranding", **ids),
    lambda stack, ids: refusal(stack.call, "DescribeManagedLoginBranding", **ids)[0] == "ResourceNotFoundException",
    [
        {"Settings": blue("0000ffff"), "Assets": [LOGO]},
        {"Settings": blue("0000aaff")},
        {"Assets": [LOGO | {"Bytes": b"\x89PNG2"}]},
        {"UseCognitoProvidedValues": True},
    ],
)


def whole(
    name: str, operations: tuple[str, str], member: str, states: list[Members], *, of_client: bool, nothing: Members
) -> Resource:
    """A thing that is always there: ``operations`` set and read it as ``member``; ``nothing`` takes it back."""
    setter, reader = operations

    def ids(stack: Stack) -> Members:
        return stack.of_client if of_client else stack.pool

    def put(stack: Stack, named_by: Members, state: Members) -> None:
        answered = stack.call(setter, **named_by, **state)[member]
        assert {key: answered[key] for key in state} == state

    def make(stack: Stack, state: Members) -> Members:
        put(stack, ids(stack), state)
        return ids(stack)

    def read(stack: Stack, named_by: Members) -> Members:
        return stack.call(reader, **named_by)[member]

    def gone(stack: Stack, named_by: Members) -> bool:
        return not any(read(stack, named_by).get(key) for state in states for key in state)

    def delete(stack: Stack, named_by: Members) -> None:
        stack.call(setter, **named_by, **nothing)

    return Resource(name, set(operations), make, put, read, delete, gone, states)


CLASSIC = whole(
    "aws_cognito_user_pool_ui_customization",
    ("SetUICustomization", "GetUICustomization"),
    "UICustomization",
    [
        {"CSS": ".label-customizable {font-weight: 400;}"},
        {"CSS": ".label-customizable {font-weight: 100;}"},
    ],
    of_client=True,
    nothing={},
)


def delivery(source: str, level: str, group: str) -> Members:
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
    return {"EventSource": source, "LogLevel": level, "CloudWatchLogsConfiguration": {"LogGroupArn": arn}}


LOGS = whole(
    "aws_cognito_log_delivery_configuration",
    ("SetLogDeliveryConfiguration", "GetLogDeliveryConfiguration"),
    "LogDeliveryConfiguration",
    [
        {"LogConfigurations": [delivery("userNotification", "ERROR", "a")]},
        {"LogConfigurations": [delivery("userNotification", "ERROR", "b")]},
        {"LogConfigurations": [delivery("userNotification", "ERROR", "b"), delivery("userAuthEvents", "INFO", "c")]},
    ],
    of_client=False,
    nothing={"LogConfigurations": []},
)
NOTICE = {"From": "from@x.org", "SourceArn": "arn:aws:ses:us-east-1:000000000000:identity/from@x.org"}
NOTICE |= {"BlockEmail": {"Subject": "s", "HtmlBody": "<p>html</p>", "TextBody": "text body"}}
ACTION = {"Notify": True, "EventAction": "BLOCK"}
RISK_STATES: list[Members] = [
    {"RiskExceptionConfiguration": {"BlockedIPRangeList": ["10.10.10.10/32"]}},
    {"RiskExceptionConfiguration": {"BlockedIPRangeList": ["10.10.10.10/32", "10.10.10.11/32"]}},
    {"CompromisedCredentialsRiskConfiguration": {"EventFilter": ["SIGN_IN"], "Actions": {"EventAction": "NO_ACTION"}}},
    {"AccountTakeoverRiskConfiguration": {"NotifyConfiguration": NOTICE, "Actions": {"HighAction": ACTION}}},
]
RISKS = ("SetRiskConfiguration", "DescribeRiskConfiguration")
POOL_RISKS = whole(
    "aws_cognito_risk_configuration", RISKS, "RiskConfiguration", RISK_STATES, of_client=False, nothing={}
)
CLIENT_RISKS = whole(
    "aws_cognito_risk_configuration of a client", RISKS, "RiskConfiguration", RISK_STATES, of_client=True, nothing={}
)

RESOURCES = [GROUP, SERVER, PROVIDER, USER, MEMBERSHIP, STYLE, CLASSIC, LOGS, POOL_RISKS, CLIENT_RISKS]
SERVED = [resource for resource in RESOURCES if resource.operations <= set(HANDLERS)]


def settled(shown: Any) -> Any:
    """What is read, without the times of changes."""
    if isinstance(shown, dict):
        return {name: settled(member) for name, member in shown.items() if name not in DATES}
    return shown


def check_shown(resource: Resource, stack: Stack, ids: Members, state: Members) -> None:
    """Check that a state is read back. A password is not, a list without entries may be left out."""
    seen = resource.read(stack, ids)
    for name, value in state.items():
        if name != "password":
            assert seen.get(name, []) == value, (resource.name, name)


@pytest.fixture
def stack(call, pool, app) -> Stack:
    """A pool in which everything can be set, with a domain for the styles."""
    pool_id = pool(
        AutoVerifiedAttributes=["email"], UserPoolTier="PLUS", UserPoolAddOns={"AdvancedSecurityMode": "AUDIT"}
    )
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=f"stack-{pool_id[-9:].encode().hex()}")
    return Stack(call, pool_id, app(pool_id))


@pytest.fixture
def rows(server, database_kind):
    return Rows(server, database_kind)


@pytest.mark.parametrize("resource", SERVED, ids=lambda resource: resource.name)
def test_a_resource(resource, stack, rows):
    """Each state is read back as it was set, setting it again changes nothing, and deleting leaves no row behind."""
    rows.sweep(FOR_EVER)
    before = rows.counts()
    ids = resource.make(stack, resource.states[0])
    check_shown(resource, stack, ids, resource.states[0])
    for state in resource.states[1:]:
        resource.put(stack, ids, state)
        check_shown(resource, stack, ids, state)
        seen = settled(resource.read(stack, ids))
        resource.put(stack, ids, state)
        assert settled(resource.read(stack, ids)) == seen
    resource.delete(stack, ids)
    assert resource.gone(stack, ids)
    rows.sweep(FOR_EVER)
    assert rows.counts() == before


def test_a_whole_stack(stack, rows, call):
    """Everything beside everything: made, read, changed and read; what one changes, no other one shows."""
    rows.sweep(FOR_EVER)
    before = rows.counts()
    made = []
    # The risk configuration of a client covers the pool's own.
    for resource in [it for it in SERVED if it is not POOL_RISKS]:
        made.append((resource, resource.make(stack, resource.states[0])))
    pool = call("DescribeUserPool", **stack.pool)
    client = call("DescribeUserPoolClient", **stack.of_client)
    for changing, ids in made:
        others = [(it, named_by, it.read(stack, named_by)) for it, named_by in made if it is not changing]
        changing.put(stack, ids, changing.states[-1])
        for resource, named_by, seen in others:
            assert resource.read(stack, named_by) == seen, (changing.name, resource.name)
    assert settled(call("DescribeUserPool", **stack.pool)["UserPool"]) == settled(pool["UserPool"])
    assert call("DescribeUserPoolClient", **stack.of_client) == client
    for resource, ids in reversed(made):
        resource.delete(stack, ids)
        assert resource.gone(stack, ids), resource.name
    rows.sweep(FOR_EVER)
    assert rows.counts() == before


def test_a_stack_that_is_torn_down_at_the_pool(stack, rows, call):
    """A pool that is deleted takes everything with it, whatever was not deleted before."""
    rows.sweep(FOR_EVER)
    for resource in SERVED:
        resource.make(stack, resource.states[0])
    domain = call("DescribeUserPool", **stack.pool)["UserPool"]["Domain"]
    call("DeleteUserPoolDomain", **stack.pool, Domain=domain)
    call("DeleteUserPool", **stack.pool)
    rows.sweep(FOR_EVER)
    assert rows.orphans() == {}
    assert refusal(call, "DescribeUserPool", **stack.pool)[0] == "ResourceNotFoundException"
