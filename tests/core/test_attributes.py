"""The schema's rules, and who may read and write."""

import pytest

from poolhouse.core.attributes import (
    check_changes,
    check_deletable,
    check_new,
    check_writable,
    from_wire,
    readable,
    to_wire,
)
from poolhouse.model import (
    AttributeDataType,
    AttributeType,
    InvalidParameterException,
    NotAuthorizedException,
    NumberAttributeConstraintsType,
    SchemaAttributeType,
    StringAttributeConstraintsType,
)
from tests.core.examples import make_client, make_pool, make_user

ROLE = SchemaAttributeType(
    name="role",
    attribute_data_type=AttributeDataType.String,
    mutable=False,
    string_attribute_constraints=StringAttributeConstraintsType(min_length="2", max_length="5"),
)
AGE = SchemaAttributeType(
    name="age",
    attribute_data_type=AttributeDataType.Number,
    number_attribute_constraints=NumberAttributeConstraintsType(min_value="0", max_value="150"),
)
MEMBER = SchemaAttributeType(name="member", attribute_data_type=AttributeDataType.Boolean)
SINCE = SchemaAttributeType(name="since", attribute_data_type=AttributeDataType.DateTime)
GRADE = SchemaAttributeType(name="grade", attribute_data_type=AttributeDataType.String, developer_only_attribute=True)
GIVEN = SchemaAttributeType(name="given_name", required=True)
POOL = make_pool(ROLE, AGE, MEMBER, SINCE, GRADE, GIVEN)
PREFIX = "Attributes did not conform to the schema: "


def refusal(error, function, *arguments, **named):
    with pytest.raises(error) as raised:
        function(*arguments, **named)
    return raised.value.message


def refused_at_sign_up(**attributes):
    given = {"given_name": "A"} | {name.replace("custom_", "custom:"): value for name, value in attributes.items()}
    return refusal(InvalidParameterException, check_new, POOL, given, complete=True)


def test_the_last_of_two_values_counts():
    """A name given twice takes its last value."""
    given = [AttributeType(name="name", value="A"), AttributeType(name="name", value="B")]

    assert from_wire(given) == {"name": "B"}


def test_null_is_no_value():
    """A value that is null is refused by the attribute's name."""
    message = refusal(InvalidParameterException, from_wire, [AttributeType(name="picture")])

    assert message == "Attribute value for picture must not be null"


def test_sub_comes_first():
    """The API lists sub before everything else, also where only some attributes are asked for."""
    user = make_user(attributes={"email": "a@x.org", "name": "A"})

    assert [attribute.name for attribute in to_wire(user.sub, user.attributes)] == ["sub", "email", "name"]
    assert [attribute.name for attribute in to_wire(user.sub, user.attributes, frozenset({"name"}))] == ["name"]


def test_unknown_and_missing_attributes_are_told_by_line():
    """Each problem of a sign-up has its own line."""
    message = refusal(InvalidParameterException, check_new, POOL, {"custom:x": "1"}, complete=True)

    assert message == (
        PREFIX + "given_name: The attribute is required\ncustom:x: Attribute does not exist in the schema.\n"
    )


def test_administrators_may_leave_required_attributes_out():
    """Only users must give what is required."""
    assert check_new(POOL, {}, complete=False) == {}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("birthdate", "2000-01-011", "String must be no longer than 10 characters"),
        ("birthdate", "2000", "String must be no shorter than 10 characters"),
        ("custom_role", "x", "String must be no shorter than 2 characters"),
        ("custom_role", "xxxxxx", "String must be no longer than 5 characters"),
        ("custom_age", "old", "Value must be a number"),
        ("custom_age", "1" * 400, "Value must be a number"),
        ("custom_age", "151", "Number must be no greater than 150"),
        ("custom_age", "-1", "Number must be no less than 0"),
        ("custom_member", "maybe", "Value must be true or false"),
        ("custom_since", "yesterday", "Value must be a date"),
    ],
)
def test_values_of_the_wrong_kind_are_refused(name, value, problem):
    """Every data type and its limits are checked."""
    assert (
        refused_at_sign_up(**{name: value})
        == f"{PREFIX}{name.replace('_', ':', 1) if 'custom' in name else name}: {problem}\n"
    )


def test_contacts_must_be_well_formed():
    """E-mail addresses and telephone numbers have texts of their own."""
    assert refused_at_sign_up(email="ann") == "Invalid email address format."
    assert refused_at_sign_up(phone_number="0123") == "Invalid phone number format."


def test_good_values_are_stored():
    """Booleans are stored in lower case, blank values not at all."""
    given = {"given_name": "A", "custom:age": "7", "custom:member": "True", "custom:since": "2026-11-23", "name": ""}

    assert check_new(POOL, given, complete=True) == {
        "given_name": "A",
        "custom:age": "7",
        "custom:member": "true",
        "custom:since": "2026-11-23",
    }


def test_nothing_absent_is_verified():
    """A verification needs something verified."""
    message = refusal(InvalidParameterException, check_new, POOL, {"email_verified": "true"}, complete=False)

    assert message == "You cannot set email_verified without email."
    assert check_new(POOL, {"email_verified": "false"}, complete=False) == {"email_verified": "false"}


def test_developer_attributes_have_two_spellings():
    """``dev:grade`` and ``dev:custom:grade`` are one attribute."""
    assert check_new(POOL, {"dev:grade": "1"}, complete=False) == {"dev:custom:grade": "1"}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"custom:role": "abc"}, "user.custom:role: Attribute cannot be updated.\n"),
        ({"sub": "x"}, "user.sub: Attribute cannot be updated.\n"),
        ({"custom:x": "1"}, "user.custom:x: Attribute does not exist in the schema.\n"),
        ({"custom:age": "x"}, "user.custom:age: Value must be a number\n"),
        ({"given_name": ""}, "Invalid user attributes: given_name: Required attribute cannot be deleted.\n"),
        ({"email": "x"}, "Invalid email address format."),
    ],
)
def test_changes_that_are_refused(changes, text):
    """What cannot change says so, in the words of updates."""
    assert refusal(InvalidParameterException, check_changes, POOL, changes) == text


def test_a_blank_change_deletes():
    """A blank value passes the checks of the data type, since it deletes."""
    assert check_changes(POOL, {"custom:age": "", "custom:member": "FALSE"}) == {
        "custom:age": "",
        "custom:member": "false",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("custom:x", "Invalid user attributes: user.custom:x: Attribute does not exist in the schema.\n"),
        ("given_name", "Invalid user attributes: given_name: Required attribute cannot be deleted.\n"),
        ("custom:role", "user.custom:role: Attribute cannot be updated.\n"),
    ],
)
def test_deletions_that_are_refused(name, text):
    """Unknown, required and immutable attributes stay."""
    assert refusal(InvalidParameterException, check_deletable, POOL, [name]) == text


def test_a_client_without_lists_reads_and_writes_everything():
    """Without lists a client has every attribute, custom ones too."""
    check_writable(POOL, make_client(), ["name", "custom:age", "given_name", "custom:unknown"])

    assert {"sub", "email_verified", "custom:role", "name"} <= readable(POOL, make_client())


def test_lists_limit_a_client():
    """A list holds what a client may see; sub it always may."""
    client = make_client(read_attributes=["email"], write_attributes=["name"])

    assert readable(POOL, client) == {"sub", "email"}
    check_writable(POOL, client, ["name", "given_name"])
    message = refusal(NotAuthorizedException, check_writable, POOL, client, ["nickname"])
    assert message == "A client attempted to write unauthorized attribute"


@pytest.mark.parametrize(
    "name", ["sub", "email_verified", "phone_number_verified", "identities", "dev:grade", "dev:custom:grade"]
)
def test_some_attributes_are_not_for_users(name):
    """Whatever a client lists, its users cannot verify themselves or write developers' attributes."""
    for client in (make_client(), make_client(write_attributes=[name])):
        refusal(NotAuthorizedException, check_writable, POOL, client, [name])
