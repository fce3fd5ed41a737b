"""The filter of ListUsers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.core.aliases import index_form
from poolhouse.core.filters import KNOWN, Condition, parse_filter
from poolhouse.model import InvalidParameterException


@pytest.mark.parametrize("text", [None, "", "  ", "\t\r\n"])
def test_a_blank_filter_lets_everybody_pass(text):
    """No filter and white space mean all users."""
    assert parse_filter(text) is None


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ('email = "Ann@X.org"', Condition("email", "ann@x.org", prefix=False)),
        ('email^="Ann"', Condition("email", "ann", prefix=True)),
        (' \tusername  =\n"Ann" ', Condition("username", "Ann", prefix=False)),
        ('status="Enabled"', Condition("status", "Enabled", prefix=False)),
        ('sub = "X"', Condition("sub", "X", prefix=False)),
        ('cognito:user_status ^= "CONF"', Condition("cognito:user_status", "conf", prefix=True)),
        (r'name = "say \"hi\" \\ back"', Condition("name", r'say "hi" \ back', prefix=False)),
        ('given_name ^= ""', Condition("given_name", "", prefix=True)),
        ('family_name = "O\'Neil %_*"', Condition("family_name", "o'neil %_*", prefix=False)),
    ],
)
def test_filters_that_are_understood(text, condition):
    """One condition, with any white space around it; names, sub and status are compared exactly."""
    assert parse_filter(text) == condition


@pytest.mark.parametrize(
    "text",
    ["email", "email =", "email = ann", "email = 'ann'", 'email != "a"', 'email contains "a"', 'email = "a',
     'email = "a" x', 'email = "a" and name = "b"', 'email == "a"', '= "a"', '"email" = "a"', r'email = "a\"',
     r'email = "a\n"', 'email ^ = "a"', 'email "a"', '"'],
)  # fmt: skip
def test_filters_that_are_not_understood(text):
    """Anything else is a parse error with Cognito's text."""
    with pytest.raises(InvalidParameterException) as refusal:
        parse_filter(text)

    assert refusal.value.message == "Error while parsing filter"


@pytest.mark.parametrize("name", ["custom:foo", "address", "Email", "email_verified"])
def test_other_attributes_cannot_be_searched(name):
    """Well-formed conditions on other attributes have another text."""
    with pytest.raises(InvalidParameterException) as refusal:
        parse_filter(f'{name} = "x"')

    assert refusal.value.message == "Input fails to satisfy the constraints."


@given(st.sampled_from(sorted(KNOWN)), st.booleans(), st.text())
def test_every_value_can_be_written(name, prefix, value):
    """Quoting with backslashes carries any text."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')

    length = 256 if prefix else None
    condition = parse_filter(f'{name} {"^=" if prefix else "="} "{quoted}"')

    assert condition.value in {index_form(value)[:length], index_form(value.lower())[:length]}
    assert condition.prefix is prefix


@given(st.text())
def test_nothing_but_the_declared_error_comes_out(text):
    """Whatever is sent, the parser answers or refuses."""
    try:
        parse_filter(text)
    except InvalidParameterException as refusal:
        assert refusal.message in {"Error while parsing filter", "Input fails to satisfy the constraints."}
