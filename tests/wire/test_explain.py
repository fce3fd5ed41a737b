"""The sentences about what is wrong with a body (spec/api/01 §3.4, §4)."""

import base64
import json
import re

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poolhouse.api.codec import MAX_DEPTH, RequestDecoder
from poolhouse.api.errors import SerializationException
from poolhouse.api.explain import MAX_FAILURES, explain
from poolhouse.model import OPERATIONS, InvalidParameterException, ServiceError
from tests.wire.values import documents

DECODERS = {name: RequestDecoder(row) for name, row in OPERATIONS.items()}
PATTERN = r"Member must satisfy regular expression pattern: "
LONGER = "Member must have length greater than or equal to "
SHORTER = "Member must have length less than or equal to "


def refused(operation: str, document: object) -> str:
    """What the caller is told; fails where the body is accepted."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises((InvalidParameterException, SerializationException)) as caught:
        DECODERS[operation].decode(body)
    if isinstance(caught.value, InvalidParameterException):
        return check_count(caught.value.message)
    return f"SerializationException {caught.value.message}".strip()


def check_count(message: str) -> str:
    """The sentences without the count, which must be right."""
    match = re.fullmatch(r"(\d+) validation errors? detected: (.*)", message, re.DOTALL)
    assert match is not None, message
    sentences = re.split(r"; (?=Value)", match[2])
    assert len(sentences) == int(match[1])
    assert message.startswith("1 validation error detected: ") == (len(sentences) == 1)
    return match[2]


@pytest.mark.parametrize(
    ("operation", "document", "told"),
    [
        (
            "SignUp",
            {"ClientId": "c", "Username": "u", "Password": "a"},
            f"Value at 'password' failed to satisfy constraint: {PATTERN}^[\\S]+.*[\\S]+$",
        ),
        (
            "DescribeUserPool",
            {"UserPoolId": "x"},
            f"Value 'x' at 'userPoolId' failed to satisfy constraint: {PATTERN}[\\w-]+_[0-9a-zA-Z]+",
        ),
        (
            "SignUp",
            {"ClientId": "", "Username": "u"},
            (
                f"Value at 'clientId' failed to satisfy constraint: {PATTERN}[\\w+]+; "
                f"Value at 'clientId' failed to satisfy constraint: {LONGER}1"
            ),
        ),
        (
            "ConfirmSignUp",
            {"ClientId": "c", "Username": "u", "ConfirmationCode": ""},
            (
                f"Value '' at 'confirmationCode' failed to satisfy constraint: {PATTERN}[\\S]+; "
                f"Value '' at 'confirmationCode' failed to satisfy constraint: {LONGER}1"
            ),
        ),
        (
            "AdminGetUser",
            {"UserPoolId": "eu-west-1_a", "Username": "\n"},
            (f"Value at 'username' failed to satisfy constraint: {PATTERN}[\\p{{L}}\\p{{M}}\\p{{S}}\\p{{N}}\\p{{P}}]+"),
        ),
        (
            "AdminGetUser",
            {"UserPoolId": "eu-west-1_a", "Username": "é" * 129},
            f"Value at 'username' failed to satisfy constraint: {SHORTER}128",
        ),
        (
            "SignUp",
            {"ClientId": None, "Password": None},
            (
                "Value at 'clientId' failed to satisfy constraint: Member must not be null; "
                "Value at 'username' failed to satisfy constraint: Member must not be null"
            ),
        ),
        (
            "CreateUserPool",
            {"PoolName": "p", "Policies": {"PasswordPolicy": {"MinimumLength": 5, "PasswordHistorySize": 25}}},
            (
                "Value '5' at 'policies.passwordPolicy.minimumLength' failed to satisfy constraint: "
                "Member must have value greater than or equal to 6; "
                "Value '25' at 'policies.passwordPolicy.passwordHistorySize' failed to satisfy constraint: "
                "Member must have value less than or equal to 24"
            ),
        ),
        (
            "CreateUserPool",
            {"PoolName": "p", "MfaConfiguration": "SOMETIMES"},
            (
                "Value 'SOMETIMES' at 'mfaConfiguration' failed to satisfy constraint: "
                "Member must satisfy enum value set: [OFF, ON, OPTIONAL]"
            ),
        ),
        (
            "CreateUserPool",
            {"PoolName": "p", "AliasAttributes": ["email", "fax"]},
            (
                "Value '[email, fax]' at 'aliasAttributes' failed to satisfy constraint: "
                "Member must satisfy constraint: "
                "[Member must satisfy enum value set: [phone_number, email, preferred_username]]"
            ),
        ),
        (
            "CreateUserPool",
            {"PoolName": "p", "UserPoolTags": {"env": "x" * 257, "": "y", "n": None}},
            (
                f"Value '{'x' * 257}' at 'userPoolTags.env.value' failed to satisfy constraint: {SHORTER}256; "
                f"Value '' at 'userPoolTags..key' failed to satisfy constraint: {LONGER}1; "
                "Value at 'userPoolTags.n.value' failed to satisfy constraint: Member must not be null"
            ),
        ),
        (
            "AdminUpdateUserAttributes",
            {"UserPoolId": "a_b", "Username": "u", "UserAttributes": [{"Name": "n"}, {"Value": "v"}, None]},
            (
                "Value at 'userAttributes.2.member.name' failed to satisfy constraint: Member must not be null; "
                "Value at 'userAttributes.3.member' failed to satisfy constraint: Member must not be null"
            ),
        ),
        (
            "AdminUpdateUserAttributes",
            {"UserPoolId": "a_b", "Username": "u", "UserAttributes": [{"Name": "n", "Value": "v" * 2049}]},
            f"Value at 'userAttributes.1.member.value' failed to satisfy constraint: {SHORTER}2048",
        ),
        (
            "AddCustomAttributes",
            {"UserPoolId": "a_b", "CustomAttributes": []},
            f"Value '[]' at 'customAttributes' failed to satisfy constraint: {LONGER}1",
        ),
        (
            "CreateUserPoolClient",
            {"UserPoolId": "a_b", "ClientName": "c", "CallbackURLs": ["https://a", ""]},
            (
                "Value '[https://a, ]' at 'callbackURLs' failed to satisfy constraint: Member must satisfy constraint: "
                f"[{PATTERN}[\\p{{L}}\\p{{M}}\\p{{S}}\\p{{N}}\\p{{P}}]+, {SHORTER}1024, {LONGER}1]"
            ),
        ),
        (
            "SetRiskConfiguration",
            {"UserPoolId": "a_b", "RiskExceptionConfiguration": {"SkippedIPRangeList": ["x" * 131073]}},
            (
                f"Value '[{'x' * 131073}]' at 'riskExceptionConfiguration.skippedIPRangeList' failed to satisfy "
                f"constraint: Member must satisfy constraint: [{SHORTER}131072, {LONGER}0]"
            ),
        ),
        (
            "AdminGetUser",
            {"userpoolid": "a_b", "USERNAME": "u"},
            (
                "Value at 'userPoolId' failed to satisfy constraint: Member must not be null; "
                "Value at 'username' failed to satisfy constraint: Member must not be null"
            ),
        ),
        (
            "CompleteWebAuthnRegistration",
            {"AccessToken": "a", "Credential": None},
            "Value at 'credential' failed to satisfy constraint: Member must not be null",
        ),
    ],
)
def test_constraints(operation: str, document: dict[str, object], told: str) -> None:
    """Each failing constraint has its sentence: path, value unless it is sensitive, and the model's own words."""
    assert refused(operation, document) == told


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "Start of list found where not expected"),
        ("x", "Unexpected value type in payload"),
        (None, "Unexpected value type in payload"),
        ({"PoolName": 1}, "NUMBER_VALUE can not be converted to a String"),
        ({"PoolName": 1.5}, "DECIMAL_VALUE can not be converted to a String"),
        ({"PoolName": True}, "TRUE_VALUE can not be converted to a String"),
        ({"PoolName": ["p"]}, "Start of list found where not expected"),
        ({"PoolName": {"p": 1}}, "Start of structure or map found where not expected"),
        ({"PoolName": "p", "Policies": "strict"}, "Unexpected value type in payload"),
        ({"PoolName": "p", "Policies": []}, "Start of list found where not expected"),
        ({"PoolName": "p", "AliasAttributes": "email"}, "Unexpected field type"),
        ({"PoolName": "p", "AliasAttributes": {"a": 1}}, "Start of structure or map found where not expected"),
        ({"PoolName": "p", "AliasAttributes": ["email", 1]}, "NUMBER_VALUE can not be converted to a String"),
        ({"PoolName": "p", "MfaConfiguration": False}, "FALSE_VALUE can not be converted to a String"),
        ({"PoolName": "p", "UserPoolTags": {"k": 1}}, "NUMBER_VALUE can not be converted to a String"),
        (
            {"PoolName": "p", "UsernameConfiguration": {"CaseSensitive": "true"}},
            "STRING_VALUE can not be converted to a Boolean",
        ),
        (
            {"PoolName": "p", "Policies": {"PasswordPolicy": {"MinimumLength": "8"}}},
            "STRING_VALUE can not be converted to an Integer",
        ),
        (
            {"PoolName": "p", "Policies": {"PasswordPolicy": {"MinimumLength": True}}},
            "TRUE_VALUE can not be converted to an Integer",
        ),
    ],
)
def test_wrong_types(document: object, told: str) -> None:
    """A value of the wrong JSON type is told in the words of the service's parser, before any constraint."""
    assert refused("CreateUserPool", document) == f"SerializationException {told}"


def test_a_wrong_type_comes_before_constraints() -> None:
    """Deserialising comes first: a wrong type is told even when another member fails a constraint."""
    told = refused("DescribeUserPoolClient", {"ClientId": "", "UserPoolId": 5})
    assert told == "SerializationException NUMBER_VALUE can not be converted to a String"


def test_integers_beyond_their_type_are_wrong_types() -> None:
    """A number that does not fit 32 bits is no constraint failure where the model gives no range."""
    document = {"Domain": "d", "UserPoolId": "a_b", "ManagedLoginVersion": 2**31}
    assert refused("CreateUserPoolDomain", document).startswith("SerializationException NUMBER_VALUE")
    document = {"UserPoolId": "a_b", "GroupName": "g", "Precedence": -1}
    assert refused("CreateGroup", document) == (
        "Value '-1' at 'precedence' failed to satisfy constraint: Member must have value greater than or equal to 0"
    )


def test_blobs_must_be_base64() -> None:
    """Bytes that are no Base64 are refused, bytes over the limit fail their constraint."""
    pool = {"UserPoolId": "a_b"}
    assert refused("SetUICustomization", pool | {"ImageFile": "%"}).startswith("SerializationException")
    image = base64.b64encode(b"\0" * 131073).decode()
    assert refused("SetUICustomization", pool | {"ImageFile": image}).endswith(f"{SHORTER}131072")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"PoolName": NaN}',
        b'{"PoolName": 1e999}',
        b'{"PoolName":"p"} x',
        b"\xef\xbb\xbf{}",
        b'{"PoolName":"\\ud800"}',
        b'{"PoolName":"\xff"}',
        b'{"PoolName":"p","Unknown":"\xff"}',
        b'{"PoolName":"p","Unknown":"\xed\xa0\x80"}',
        b'{"PoolName":"p","Unknown":' + b"[" * 100_000,
        b'{"PoolName":"p","Unknown":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b"[" * 500_000,
        b'{"PoolName":' + b"1" * 5000 + b"}",
    ],
)
def test_what_is_not_json_is_a_serialization_error(body: bytes) -> None:
    """Malformed JSON, bad UTF-8, numbers out of range and bottomless nesting are the caller's errors."""
    assert refused("CreateUserPool", body) == "SerializationException"


def test_free_form_documents_have_a_depth() -> None:
    """A document of free form may be nested, but not so deeply that writing it back could fail."""

    def nested(depth: int) -> object:
        return {"a": nested(depth - 1)} if depth else 1

    request = {"UserPoolId": "a_b", "ClientId": "c"}
    DECODERS["CreateManagedLoginBranding"].decode(msgspec.json.encode(request | {"Settings": nested(MAX_DEPTH - 2)}))
    assert refused("CreateManagedLoginBranding", request | {"Settings": nested(MAX_DEPTH + 1)}).startswith("Serial")


def test_sensitive_values_are_never_told() -> None:
    """Neither members that are sensitive nor those inside sensitive maps and structures show their value."""
    long = "s" * 131073
    told = [
        refused("InitiateAuth", {"AuthFlow": "USER_AUTH", "ClientId": "c", "AuthParameters": {"PASSWORD": long}}),
        refused(
            "InitiateAuth",
            {"AuthFlow": "USER_AUTH", "ClientId": "c", "UserContextData": {"EncodedData": long}},
        ),
        refused("AdminSetUserPassword", {"UserPoolId": "a_b", "Username": "u", "Password": "sss\t"}),
    ]
    assert not [message for message in told if "sss" in message]
    assert "'authParameters.PASSWORD.value'" in told[0]


def test_unknown_members_and_nulls_are_ignored() -> None:
    """Members that the model does not know are ignored, null for an optional member is absence."""
    request = DECODERS["SignUp"].decode(
        b'{"ClientId":"c","Username":"u","ValidationData":null,"Extra":{"a":[1]},"username":"other","":0}'
    )
    assert msgspec.json.decode(msgspec.json.encode(request)) == {"ClientId": "c", "Username": "u"}


def test_the_list_of_failures_ends() -> None:
    """A body of a megabyte cannot make an answer of thirty."""
    document = {"UserPoolId": "a_b", "Username": "u", "UserAttributes": [{}] * 50_000}
    assert refused("AdminUpdateUserAttributes", document).count("must not be null") == MAX_FAILURES


def test_refusing_is_quick_for_hostile_texts() -> None:
    """No pattern takes more than a moment on text made to make it backtrack."""
    request = {"ClientId": "c", "Username": "u", "Password": "a" * 900_000 + "\n"}
    assert SHORTER in refused("SignUp", request)
    assert PATTERN in refused("SignUp", request | {"Password": "a" * 255 + "\n"})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_explain_and_the_decoder_agree(operation: str) -> None:
    """What the decoder accepts has nothing wrong; what it refuses has something that can be told."""
    decoder = DECODERS[operation]

    @settings(max_examples=12, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(documents(OPERATIONS[operation].request), st.data())
    def check(document: dict[str, object], data: st.DataObject) -> None:
        broken = dict(document)
        if broken:
            broken[data.draw(st.sampled_from(sorted(broken)))] = data.draw(ANYTHING)
        body = msgspec.json.encode(broken)
        error = explain(OPERATIONS[operation].request, body)
        try:
            decoder.decode(body)
        except ServiceError:
            assert error.message, body
            if isinstance(error, InvalidParameterException):
                check_count(error.message)
        else:
            assert (type(error), error.message) == (SerializationException, ""), body

    check()
