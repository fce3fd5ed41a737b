"""Which names a user answers to."""

import pytest

from poolhouse.core.aliases import (
    alias_keys_for,
    choose_username,
    familiar_name,
    fold_username,
    index_form,
    is_email,
    is_phone_number,
    names_of,
)
from poolhouse.model import InvalidParameterException, UserStatusType
from tests.core.examples import make_pool, make_user

VERIFIED = {"email": "Ann@X.org", "email_verified": "true"}
SUB = "5b1a0c4e-0000-4000-8000-000000000001"


def aliases(pool, **changes):
    return names_of(pool, make_user(**changes)).aliases


def test_an_alias_counts_only_once_it_is_verified():
    """An e-mail address is a sign-in name of an alias pool from the moment it is verified."""
    pool = make_pool(alias_attributes=["email"])

    assert aliases(pool, attributes={"email": "ann@x.org"}) == set()
    assert aliases(pool, attributes={"email": "ann@x.org", "email_verified": "false"}) == set()
    assert aliases(pool, attributes=VERIFIED) == {"email:Ann@X.org"}


def test_a_username_attribute_counts_at_once():
    """In username-attribute pools the address is the name, verified or not, and belongs to one user."""
    pool = make_pool(username_attributes=["email", "phone_number"])

    assert aliases(pool, attributes={"email": "a@x.org", "phone_number": "+4912345"}) == {
        "email:a@x.org",
        "phone_number:+4912345",
    }


def test_users_know_their_address_where_their_name_was_made_up():
    """A page that says who is signed in names the address that was typed, not the user name that nobody has seen."""
    user = make_user(username=SUB, attributes={"phone_number": "+4912345", "email": "a@x.org"})

    assert familiar_name(make_pool(username_attributes=["email", "phone_number"]), user) == "a@x.org"
    assert familiar_name(make_pool(username_attributes=["phone_number"]), user) == "+4912345"
    assert familiar_name(make_pool(alias_attributes=["email"]), user) == SUB


def test_a_plain_pool_has_no_aliases():
    """Without aliases two users may have the same verified address."""
    assert aliases(make_pool(), attributes=VERIFIED) == set()


def test_preferred_username_counts_after_confirmation():
    """A preferred user name is no sign-in name before the user is confirmed."""
    pool = make_pool(alias_attributes=["preferred_username"])
    attributes = {"preferred_username": "Annie"}

    assert aliases(pool, attributes=attributes, status=UserStatusType.UNCONFIRMED) == set()
    assert aliases(pool, attributes=attributes) == {"preferred_username:Annie"}


def test_case_matters_only_where_the_pool_says_so():
    """Names and e-mail aliases fold in case-insensitive pools; values stay as given."""
    exact = make_pool(alias_attributes=["email"])
    folding = make_pool(alias_attributes=["email"], case_sensitive=False)

    assert fold_username(exact, "Ann") == "Ann"
    assert fold_username(folding, "Ann") == "ann"
    assert alias_keys_for(exact, "Ann@X.org") == ("email:Ann@X.org",)
    assert alias_keys_for(folding, "Ann@X.org") == ("email:ann@x.org",)
    assert aliases(folding, attributes=VERIFIED) == {"email:ann@x.org"}


@pytest.mark.parametrize(
    ("names", "given", "keys"),
    [
        (["email", "phone_number", "preferred_username"], "ann", ("preferred_username:ann",)),
        (["email", "phone_number"], "+4912345", ("phone_number:+4912345",)),
        (["email", "phone_number"], "ann", ()),
        ([], "ann@x.org", ()),
    ],
)
def test_a_name_is_looked_up_as_what_it_looks_like(names, given, keys):
    """Only those index entries are tried that a name can stand for."""
    assert alias_keys_for(make_pool(alias_attributes=names), given) == keys


def test_search_values_are_folded():
    """ListUsers searches without regard to case, but for the status."""
    user = make_user(attributes={"email": "Ann@X.org", "name": "ANN", "custom:x": "1"}, enabled=False)

    assert names_of(make_pool(), user).search == {
        "email": "ann@x.org",
        "name": "ann",
        "cognito:user_status": "confirmed",
        "status": "Disabled",
    }


def test_long_values_have_short_index_entries():
    """Index entries are bounded, tell long values apart, and begin as the value does."""
    one, two = ("x" * 2047 + end for end in "12")

    assert index_form(one) != index_form(two)
    assert index_form(one).startswith("x" * 256)
    assert len(index_form("\U00020000" * 2048).encode()) + 2 * 128 * 4 < 2704
    assert index_form("ann") == "ann"


@pytest.mark.parametrize("text", ["a@x.org", "a.b+c@sub.x.org", "o'neil@x.org", "ü@x.org"])
def test_addresses_that_are_accepted(text):
    """An e-mail address has a local part and a domain with a dot."""
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a@", "@x.org", "a@x", "a@@x.org", "a b@x.org", "a@x..org", "a@.org", "a@x.org\n", "a@x.org,b@x.org",
     "<a@x.org>", "a@x.org\r\nBcc: b@x.org", "a\0@x.org"],
)  # fmt: skip
def test_addresses_that_are_refused(text):
    """Nothing that could forge a mail header passes for an e-mail address."""
    assert not is_email(text)


@pytest.mark.parametrize(
    ("text", "accepted"),
    [("+1", True), ("+12065550100", True), ("12065550100", False), ("+", False), ("+1 206", False),
     ("+1234567890123456", False), ("+١٢٣", False)],
)  # fmt: skip
def test_phone_numbers(text, accepted):
    """A telephone number is a plus sign and at most fifteen ASCII digits."""
    assert is_phone_number(text) is accepted


def test_a_plain_name_is_kept():
    """In a plain pool any name goes, an e-mail address too."""
    assert choose_username(make_pool(), "ann@x.org", {"name": "A"}, SUB) == ("ann@x.org", {"name": "A"})
    assert choose_username(make_pool(case_sensitive=False), "ANN", {}, SUB) == ("ann", {})


def test_a_username_attribute_becomes_an_attribute():
    """The address given as a name is stored as the attribute; the name is the sub."""
    pool = make_pool(username_attributes=["email", "phone_number"])

    assert choose_username(pool, "ann@x.org", {}, SUB) == (SUB, {"email": "ann@x.org"})
    assert choose_username(pool, "+4912345", {"name": "A"}, SUB) == (SUB, {"name": "A", "phone_number": "+4912345"})


def test_a_name_may_not_contradict_its_attribute():
    """A user cannot sign up as one address and claim another."""
    pool = make_pool(username_attributes=["email"])

    with pytest.raises(InvalidParameterException) as refusal:
        choose_username(pool, "ann@x.org", {"email": "bob@x.org"}, SUB)

    assert refusal.value.message == (
        "User email should be empty or same as username, since username attribute is email."
    )


@pytest.mark.parametrize(
    ("settings", "name", "text"),
    [
        ({"username_attributes": ["email"]}, "ann", "Username should be an email."),
        ({"username_attributes": ["email"]}, "+4912345", "Username should be an email."),
        ({"username_attributes": ["phone_number"]}, "a@x.org", "Username should be a phone number."),
        (
            {"username_attributes": ["phone_number", "email"]},
            "ann",
            "Username should be either an email or a phone number.",
        ),
        (
            {"alias_attributes": ["email"]},
            "a@x.org",
            "Username cannot be of email format, since user pool is configured for email alias.",
        ),
        (
            {"alias_attributes": ["phone_number"]},
            "+4912345",
            "Username cannot be of phone number format, since user pool is configured for phone number alias.",
        ),
    ],
)
def test_names_of_the_wrong_form_are_refused(settings, name, text):
    """The text tells which form the pool wants."""
    with pytest.raises(InvalidParameterException) as refusal:
        choose_username(make_pool(**settings), name, {}, SUB)

    assert refusal.value.message == text
