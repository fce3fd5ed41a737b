"""The schema of pools (spec/api/02 §1.2–1.3)."""

import pytest

from poolhouse.core.schema import STANDARD_ATTRIBUTES, extended_schema, new_schema
from poolhouse.model import (
    AttributeDataType,
    InvalidParameterException,
    NumberAttributeConstraintsType,
    SchemaAttributeType,
    StringAttributeConstraintsType,
)

ORDER = [
    "sub",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "email_verified",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_number_verified",
    "address",
    "updated_at",
]


def entry(name, kind="String", **members):
    data_type = AttributeDataType(kind) if kind else None
    return SchemaAttributeType(name=name, attribute_data_type=data_type, **members)


def lengths(low=None, high=None):
    return StringAttributeConstraintsType(min_length=low, max_length=high)


def by_name(schema):
    return {attribute.name: attribute for attribute in schema}


def refusal(*entries):
    with pytest.raises(InvalidParameterException) as caught:
        new_schema(entries)
    return caught.value.message


def test_an_untouched_schema_is_the_twenty_standard_attributes_in_order():
    """Names, types, flags and constraints are those of the table."""
    schema = new_schema([])
    assert [attribute.name for attribute in schema] == ORDER
    named = by_name(schema)
    assert [name for name in ORDER if not named[name].mutable] == ["sub"]
    assert [name for name in ORDER if named[name].required] == ["sub"]
    kinds = {name: named[name].attribute_data_type for name in ORDER if named[name].attribute_data_type != "String"}
    assert kinds == {"email_verified": "Boolean", "phone_number_verified": "Boolean", "updated_at": "Number"}
    assert named["sub"].string_attribute_constraints == lengths("1", "2048")
    assert named["birthdate"].string_attribute_constraints == lengths("10", "10")
    assert named["email"].string_attribute_constraints == lengths("0", "2048")
    assert named["updated_at"].number_attribute_constraints == NumberAttributeConstraintsType(min_value="0")
    assert named["email_verified"].string_attribute_constraints is None


def test_redefining_a_standard_attribute_keeps_its_place():
    """Required and Mutable change; order and type stay."""
    schema = new_schema([entry("email", None, required=True, mutable=False)])
    assert [attribute.name for attribute in schema] == ORDER
    email = by_name(schema)["email"]
    assert (email.required, email.mutable) == (True, False)
    assert email.string_attribute_constraints == lengths("0", "2048")


def test_omitted_flags_of_a_standard_entry_keep_the_table_s_values():
    """An entry with only a name changes nothing."""
    assert new_schema([entry("email")]) == list(STANDARD_ATTRIBUTES)


def test_constraints_of_a_standard_attribute_count_only_beside_its_data_type():
    """The recorded quirk: without AttributeDataType, constraints are neither applied nor checked."""
    given = lengths("5", "1")
    assert new_schema([entry("email", None, string_attribute_constraints=given)]) == list(STANDARD_ATTRIBUTES)
    wanted = lengths("1", "99")
    schema = new_schema([entry("email", string_attribute_constraints=wanted)])
    assert by_name(schema)["email"].string_attribute_constraints == wanted


@pytest.mark.parametrize("changes", [{"kind": "Number"}, {"developer_only_attribute": True}])
def test_the_type_of_a_standard_attribute_is_fixed(changes):
    """Neither its data type nor DeveloperOnlyAttribute can change."""
    assert refusal(entry("email", **changes)) == (
        "You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute email"
    )


def test_sub_stays_required_and_immutable():
    """A pool cannot make the identity of its users changeable."""
    sub = by_name(new_schema([entry("sub", required=False, mutable=True)]))["sub"]
    assert (sub.required, sub.mutable) == (True, False)


def test_custom_attributes_follow_in_creation_order():
    """Their names get a prefix, and a constraint object without constraints where the type has one."""
    schema = new_schema(
        [
            entry("z", string_attribute_constraints=lengths(high="256")),
            entry("a", "Number"),
            entry("flag", "Boolean"),
            entry("day", "DateTime", mutable=False),
            entry("secret", developer_only_attribute=True),
        ]
    )
    z, a, flag, day, secret = schema[20:]
    assert [it.name for it in schema[20:]] == ["custom:z", "custom:a", "custom:flag", "custom:day", "dev:custom:secret"]
    assert z.string_attribute_constraints == lengths(high="256")
    assert a.number_attribute_constraints == NumberAttributeConstraintsType()
    assert flag.string_attribute_constraints is flag.number_attribute_constraints is None
    assert (day.mutable, z.mutable, secret.developer_only_attribute) == (False, True, True)
    assert secret.string_attribute_constraints == lengths()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            entry("x", None),
            "Invalid AttributeDataType input, consider using the provided AttributeDataType enum.",
        ),
        (entry("x", required=True), "Required custom attributes are not supported currently."),
        (
            entry("x", string_attribute_constraints=lengths(high="2049")),
            "user.custom:x: String attributes cannot have a length of more than 2048",
        ),
        (
            entry("x", string_attribute_constraints=lengths("7", "6")),
            "user.custom:x: Max length cannot be less than min length.",
        ),
        (
            entry("email", string_attribute_constraints=lengths("7", "6")),
            "user.email: Max length cannot be less than min length.",
        ),
        (
            entry("x", string_attribute_constraints=lengths("-1")),
            "Invalid StringAttributeConstraints for schema attribute custom:x",
        ),
        (
            entry("x", string_attribute_constraints=lengths("a")),
            "Invalid StringAttributeConstraints for schema attribute custom:x",
        ),
        (
            entry("x", "Number", number_attribute_constraints=NumberAttributeConstraintsType(max_value="1e9")),
            "Invalid NumberAttributeConstraints for schema attribute custom:x",
        ),
        (
            entry(
                "x",
                "Number",
                number_attribute_constraints=NumberAttributeConstraintsType(min_value="-5", max_value="-6"),
            ),
            "user.custom:x: Max value cannot be less than min value.",
        ),
    ],
)
def test_a_schema_entry_that_does_not_fit_is_refused(given, text):
    """Each fault has its own text."""
    assert refusal(given) == text


def test_a_name_cannot_be_given_twice():
    """Neither in one request nor beside an earlier attribute, developer-only or not."""
    assert refusal(entry("x"), entry("x", "Number")) == "custom:x: Existing attribute already has name custom:x."
    assert refusal(entry("email"), entry("email")) == "email: Existing attribute already has name email."
    with pytest.raises(InvalidParameterException, match=r"custom:x: Existing attribute already has name custom:x\."):
        extended_schema(new_schema([entry("x", developer_only_attribute=True)]), [entry("x")])


def test_a_custom_name_has_twenty_characters_at_most():
    """The stored name is longer; the given one is what counts."""
    assert new_schema([entry("x" * 20)])[-1].name == "custom:" + "x" * 20
    assert "Member must have length less than or equal to 20" in refusal(entry("x" * 21))


def test_a_request_has_fifty_entries_at_most():
    """And every one of them a name."""
    assert len(new_schema([entry(f"x{n}") for n in range(50)])) == 70
    assert "less than or equal to 50" in refusal(*(entry(f"x{n}") for n in range(51)))
    assert "'schema.1.member.name' failed to satisfy constraint: Member must not be null" in refusal(entry(None))


def test_a_pool_has_fifty_custom_attributes_for_ever():
    """Adding one more is refused, whoever added the others."""
    full = new_schema([entry(f"x{n}") for n in range(50)])
    with pytest.raises(InvalidParameterException, match="at most 50"):
        extended_schema(full, [entry("one-more")])


def test_an_added_attribute_named_like_a_standard_one_is_custom():
    """AddCustomAttributes adds custom attributes only."""
    assert extended_schema(new_schema([]), [entry("email")])[-1].name == "custom:email"
