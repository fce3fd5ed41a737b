"""The bytes of real answers, as no SDK shows them (spec/api/01 §1–4)."""

import json

import pytest

from tests.operations.talk import PASSWORD, listed
from tests.wire.client import RawClient


@pytest.fixture
def raw(server):
    """A client that says exactly what it is told to."""
    client = RawClient(server)
    yield client
    client.close()


@pytest.fixture
def someone(call, pool, app, user):
    """A pool with a user and a client; their ids."""
    pool_id = pool(UserPoolTags={"z": "1", "a": "2"}, Schema=[{"Name": "b", "AttributeDataType": "Number"}])
    client = app(pool_id, CallbackURLs=["https://b.example.com", "https://a.example.com"])
    user(pool_id, "ann", email="a@x.org", email_verified="true", custom_b="1")
    return pool_id, client["ClientId"]


def check_order(value):
    """Check that members are in alphabetical order at every level, and none is null."""
    if isinstance(value, dict):
        assert list(value) == sorted(value)
        assert None not in value.values()
        for member in value.values():
            check_order(member)
    elif isinstance(value, list):
        for item in value:
            check_order(item)


def test_members_are_in_order_and_compact(raw, someone):
    """spec/api/01 §2.3–4: alphabetical at every level, no white space, nothing null; list items keep their order."""
    pool_id, client_id = someone
    in_pool = {"UserPoolId": pool_id}
    sign_in = {
        "ClientId": client_id,
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD},
    }
    answers = [
        raw.signed("DescribeUserPool", in_pool),
        raw.signed("GetUserPoolMfaConfig", in_pool),
        raw.signed("ListUserPools", {"MaxResults": 60}),
        raw.signed("DescribeUserPoolClient", in_pool | {"ClientId": client_id}),
        raw.signed("ListUserPoolClients", in_pool),
        raw.signed("AdminGetUser", in_pool | {"Username": "ann"}),
        raw.signed("ListUsers", in_pool),
        raw.signed("AdminCreateUser", in_pool | {"Username": "bob", "UserAttributes": listed(email="b@x.org")}),
        raw.signed("CreateResourceServer", in_pool | {"Identifier": "r", "Name": "n"}),
        raw.signed("ListResourceServers", in_pool),
        raw.post("InitiateAuth", sign_in),
        raw.post("SignUp", {"ClientId": client_id, "Username": "eve", "Password": PASSWORD}),
    ]
    for answer in answers:
        assert answer.status == 200
        document = answer.document
        check_order(document)
        assert answer.body == json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        assert int(answer.headers["content-length"]) == len(answer.body)
    urls = answers[3].document["UserPoolClient"]["CallbackURLs"]
    assert urls == ["https://b.example.com", "https://a.example.com"]
    assert answers[10].body.startswith(b'{"AuthenticationResult":{"AccessToken":"ey')
    assert answers[10].body.endswith(b'"TokenType":"Bearer"},"ChallengeParameters":{}}')


def test_headers_of_every_answer(raw, someone):
    """spec/api/01 §1.5, §2.1, §3.3: the same few headers, on success and error."""
    pool_id, _ = someone
    exposed = "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"
    good = raw.signed("DescribeUserPool", {"UserPoolId": pool_id})
    bad = raw.signed("DescribeUserPool", {"UserPoolId": pool_id[:-1] + "_"})
    for answer in (good, bad):
        assert answer.headers["content-type"] == "application/x-amz-json-1.1"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-expose-headers"] == exposed
        assert answer.headers["date"].endswith("GMT")
        assert len(answer.headers["x-amzn-requestid"]) == 36
    assert good.headers["x-amzn-requestid"] != bad.headers["x-amzn-requestid"]
    assert bad.status == 400
    assert bad.headers["x-amzn-errortype"] == "InvalidParameterException:"
    assert bad.headers["x-amzn-errormessage"] == bad.message
    assert bad.document.keys() == {"__type", "message"}


def test_times_are_numbers(raw, someone):
    """spec/api/01 §2.5: seconds with at most three decimals, equal at creation."""
    pool_id, client_id = someone
    made = raw.signed("AdminCreateUser", {"UserPoolId": pool_id, "Username": "new"}).document["User"]
    assert made["UserCreateDate"] == made["UserLastModifiedDate"] == round(made["UserCreateDate"], 3)
    described = raw.signed("DescribeUserPoolClient", {"UserPoolId": pool_id, "ClientId": client_id})
    client = described.document["UserPoolClient"]
    assert client["CreationDate"] == client["LastModifiedDate"]
    for value in (made["UserCreateDate"], client["CreationDate"]):
        assert isinstance(value, float)


def test_numbers_as_text(raw, someone):
    """spec/api/01 §2.7, 02 §1.2: attribute values and schema constraints are texts, integers and booleans are not."""
    pool_id, client_id = someone
    pool = raw.signed("DescribeUserPool", {"UserPoolId": pool_id}).document["UserPool"]
    schema = {attribute["Name"]: attribute for attribute in pool["SchemaAttributes"]}
    assert schema["sub"]["StringAttributeConstraints"] == {"MaxLength": "2048", "MinLength": "1"}
    assert schema["updated_at"]["NumberAttributeConstraints"] == {"MinValue": "0"}
    assert schema["custom:b"]["NumberAttributeConstraints"] == {}
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] == 8
    assert schema["sub"]["Required"] is True
    ann = raw.signed("AdminGetUser", {"UserPoolId": pool_id, "Username": "ann"}).document
    assert {"Name": "custom:b", "Value": "1"} in ann["UserAttributes"]
    assert {"Name": "email_verified", "Value": "true"} in ann["UserAttributes"]
    assert ann["Enabled"] is True
    for members in ({"Limit": "1"}, {"Limit": True}, {"Limit": 1.5}, {"Filter": 1}):
        assert raw.signed("ListUsers", {"UserPoolId": pool_id, **members}).code == "SerializationException"
    members = {"UserPoolId": pool_id, "ClientId": client_id, "EnableTokenRevocation": "true"}
    assert raw.signed("UpdateUserPoolClient", members).code == "SerializationException"


def test_empty_and_absent(raw, someone, pool):
    """spec/api/01 §2.2–3: what is not set is left out; maps that are always there are empty; no output, no body."""
    pool_id, _ = someone
    seen = raw.signed("DescribeUserPool", {"UserPoolId": pool()}).document["UserPool"]
    assert seen["LambdaConfig"] == seen["UserPoolTags"] == {}
    absent = (
        "AliasAttributes",
        "UsernameAttributes",
        "AutoVerifiedAttributes",
        "UserAttributeUpdateSettings",
        "UsernameConfiguration",
        "DeviceConfiguration",
        "SmsConfiguration",
        "UserPoolAddOns",
        "Domain",
        "CustomDomain",
        "KeyConfiguration",
        "IssuerConfiguration",
        "Status",
    )
    assert not seen.keys() & set(absent)
    ann = raw.signed("AdminGetUser", {"UserPoolId": pool_id, "Username": "ann"}).document
    assert not ann.keys() & {"MFAOptions", "UserMFASettingList", "PreferredMfaSetting"}
    assert raw.signed("ListUsers", {"UserPoolId": seen["Id"]}).document == {"Users": []}
    assert raw.signed("AdminEnableUser", {"UserPoolId": pool_id, "Username": "ann"}).body == b"{}"
    assert raw.signed("UpdateUserPool", {"UserPoolId": pool_id}).body == b"{}"
    deleted = raw.signed("AdminDeleteUser", {"UserPoolId": pool_id, "Username": "ann"})
    assert (deleted.status, deleted.body) == (200, b"")
    assert raw.signed("DeleteUserPool", {"UserPoolId": pool_id}).body == b""


def test_nulls_and_strangers(raw, someone):
    """spec/api/01 §1.6–7: null is absence, unknown members and other spellings are ignored."""
    pool_id, client_id = someone
    members = {
        "ClientId": client_id,
        "Username": "eve",
        "Password": PASSWORD,
        "ValidationData": None,
        "UserAttributes": None,
        "SecretHash": None,
        "username": "other",
        "Stranger": [1, {"a": None}],
    }
    assert raw.post("SignUp", members).status == 200
    assert raw.signed("AdminGetUser", {"UserPoolId": pool_id, "Username": "eve"}).status == 200
    missing = raw.post("SignUp", members | {"Username": None, "ClientId": None})
    assert missing.code == "InvalidParameterException"
    assert missing.message.startswith("2 validation errors detected: ")
    told = set(missing.message.partition(": ")[2].split("; "))
    constraint = "failed to satisfy constraint: Member must not be null"
    assert told == {f"Value at 'clientId' {constraint}", f"Value at 'username' {constraint}"}


def test_constraints_come_before_everything(raw, someone):
    """spec/api/01 §4.9, 03 §2: a violation is told before pools, clients and users are looked for."""
    pattern = "Member must satisfy regular expression pattern"
    for operation, members in (
        ("AdminGetUser", {"UserPoolId": "nowhere_1", "Username": "a b"}),
        ("ListUsers", {"UserPoolId": "us-east-1_nowhere", "Limit": 61}),
        ("DescribeUserPool", {"UserPoolId": "no pool"}),
    ):
        answer = raw.signed(operation, members)
        assert answer.code == "InvalidParameterException"
        assert answer.message.startswith("1 validation error detected: Value")
    answer = raw.post("InitiateAuth", {"ClientId": "-", "AuthFlow": "NO_FLOW"})
    assert answer.message.startswith("2 validation errors detected: ")
    assert pattern in answer.message
    assert "Member must satisfy enum value set: [USER_SRP_AUTH, REFRESH_TOKEN_AUTH, " in answer.message
    # Of several constraints of one member the pattern is told first, the length after it.
    empty = raw.post("ConfirmSignUp", {"ClientId": "", "Username": "a", "ConfirmationCode": "1"}).message
    assert empty == (
        "2 validation errors detected: Value at 'clientId' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [\\w+]+; Value at 'clientId' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )


def test_schema_errors_have_lines(raw, someone):
    """spec/api/01 §3.3, 03 §5.4: line ends stay in the body, and become blanks in the header."""
    pool_id, _ = someone
    unknown = listed(custom_x="1", custom_y="2")
    answer = raw.signed("AdminCreateUser", {"UserPoolId": pool_id, "Username": "eve", "UserAttributes": unknown})
    assert answer.message == (
        "Attributes did not conform to the schema: custom:x: Attribute does not exist in the schema.\n"
        "custom:y: Attribute does not exist in the schema.\n"
    )
    assert answer.headers["x-amzn-errormessage"] == answer.message.replace("\n", " ").strip()
