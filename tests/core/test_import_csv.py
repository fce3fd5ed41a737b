"""CSV files of user import jobs: headers, rows, and the users that they make (spec/api/08 §3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from poolhouse.core.import_csv import (
    AlreadyThere,
    FileRefused,
    Plan,
    RowRefused,
    Taken,
    check_rows,
    find_refusal,
    header_of,
    read_header,
    read_row,
    split_row,
)
from poolhouse.model import (
    AliasAttributeType,
    AttributeDataType,
    ChallengeNameType,
    GetUserPoolMfaConfigResponse,
    PasswordHashingAlgorithmType,
    SchemaAttributeType,
    SmsMfaConfigType,
    UserPoolMfaType,
    UserStatusType,
    VerifiedAttributeType,
)
from tests.core.examples import make_pool
from tests.csv_files import TEMPLATE, person, row

NOW = 1_700_000_000_000
SUB = "5b1a0c4e-0000-4000-8000-000000000001"
EMAIL, PHONE = VerifiedAttributeType.email, VerifiedAttributeType.phone_number
TEAM = SchemaAttributeType(name="team", attribute_data_type=AttributeDataType.String)
POOL = make_pool(auto_verified_attributes=[EMAIL])
BCRYPT = "$2b$04$Bjl5TRDytW/TxMD3G89wTetaXjoXwUmZWtnFBGrL26PgLsHTU2R5S"


def read(line, pool=POOL, header=TEMPLATE, hashing=None):
    """The newcomer of a line."""
    plan = Plan(pool=pool, columns=read_header(pool, hashing, header.encode()), hashing=hashing)
    return read_row(plan, line, SUB, NOW)


def refusal(line, **settings) -> str:
    """Why a line makes nobody."""
    with pytest.raises(RowRefused) as refused:
        read(line, **settings)
    return str(refused.value)


def with_mfa(wanted, *, sms=True):
    """The pool with an MFA configuration."""
    document = GetUserPoolMfaConfigResponse(
        mfa_configuration=wanted, sms_mfa_configuration=SmsMfaConfigType() if sms else None
    )
    return replace(POOL, mfa=document)


def test_the_header_is_cognitos():
    """It has all attributes but ``sub``, in Cognito's order, custom ones after them, and ends with Cognito's two."""
    usual = [name for name in TEMPLATE.split(",") if not name.startswith("cognito:")]

    assert header_of(make_pool(TEAM)) == [*usual, "custom:team", "cognito:mfa_enabled", "cognito:username"]


@pytest.mark.parametrize("header", [TEMPLATE, ",".join(header_of(POOL)), ",".join(reversed(header_of(POOL)))])
@pytest.mark.parametrize("ending", ["", "\r", "  "])
def test_columns_come_in_any_order(header, ending):
    """Any order of all columns is taken, whatever white space surrounds them."""
    columns = read_header(POOL, None, (header.replace(",", " , ") + ending).encode())

    assert columns == tuple(header.split(","))


@pytest.mark.parametrize(
    ("header", "hashing", "text"),
    [
        ("", None, "lacks the columns name, "),
        (TEMPLATE.replace(",gender", ""), None, "lacks the columns gender."),
        (TEMPLATE.replace(",gender", ",gendre"), None, "lacks the columns gender."),
        (TEMPLATE + ",shoe", None, "no attributes of the user pool, or a column twice"),
        (TEMPLATE + ",gender", None, "or a column twice"),
        (TEMPLATE + ",sub", None, "no attributes of the user pool"),
        (TEMPLATE + ",cognito:password_hash", None, "no attributes of the user pool"),
        (TEMPLATE, PasswordHashingAlgorithmType.BCRYPT, "lacks the columns cognito:password_hash."),
        ("\ufeff" + TEMPLATE, None, "byte order mark"),
    ],
)
def test_a_wrong_header_is_refused(header, hashing, text):
    """All columns must be there once, and no others; a byte order mark is none of them."""
    with pytest.raises(FileRefused, match=text):
        read_header(POOL, hashing, header.encode())


def test_a_header_that_is_no_text_is_refused():
    """So is one that is no UTF-8, or too long to be one."""
    for raw, text in ((TEMPLATE.encode() + b"\xff", "not UTF-8"), (None, "too long")):
        with pytest.raises(FileRefused, match=text):
            read_header(POOL, None, raw)


def test_rows_are_limited():
    """Half a million rows are taken and one more is not."""
    check_rows(500_000)
    with pytest.raises(FileRefused, match="more than 500000"):
        check_rows(500_001)


@given(st.lists(st.text(st.characters(exclude_characters="\\"), min_size=1), min_size=1))
def test_commas_are_escaped(values):
    """What is written with a backslash before each comma is read back, but for white space around it."""
    line = ",".join(value.replace(",", r"\,") for value in values)

    assert split_row(line) == [value.strip() for value in values]


def test_backslashes_and_quotes_stand_for_themselves():
    """Only a comma is escaped; values are not quoted."""
    assert split_row(r'a\b,"x","y\, z"') == [r"a\b", '"x"', '"y, z"']


def test_a_row_makes_a_user():
    """Blank values are left out, flags are in small letters, dates have the year first."""
    line = row(
        cognito_username="Ann",
        cognito_mfa_enabled="FaLsE",
        email="ann@example.com",
        email_verified="TRUE",
        phone_number="+15551234567",
        phone_number_verified="False",
        birthdate="12/31/1999",
        updated_at="0",
        name=" Ann\\, B ",
    )

    user = read(line).user

    assert (user.username, user.sub, user.status, user.enabled) == ("Ann", SUB, UserStatusType.RESET_REQUIRED, True)
    assert user.created_at == user.modified_at == NOW
    assert user.credentials.password_hash is None
    assert user.attributes == {
        "name": "Ann, B",
        "email": "ann@example.com",
        "email_verified": "true",
        "birthdate": "1999-12-31",
        "phone_number": "+15551234567",
        "phone_number_verified": "false",
        "updated_at": "0",
    }


@pytest.mark.parametrize("date", ["31/12/1999", "1999-12-31", "2/3/1999", "02/29/1999", "00/01/1999", "12/31/0000", "١٢/31/1999"])  # fmt: skip
def test_dates_are_months_first(date):
    """Anything but an existing date of the form mm/dd/yyyy is refused."""
    assert refusal(person("a", birthdate=date)) == "birthdate must be a date of the form mm/dd/yyyy."


@pytest.mark.parametrize(
    ("verified", "given", "good"),
    [
        ([EMAIL], {"email_verified": "true"}, True),
        ([EMAIL], {"email_verified": "false", "phone_number_verified": "true"}, False),
        ([PHONE], {"email_verified": "true", "phone_number_verified": ""}, False),
        ([PHONE], {"phone_number_verified": "true"}, True),
        ([EMAIL, PHONE], {"email_verified": "", "phone_number_verified": "true"}, True),
        ([EMAIL, PHONE], {"email_verified": "", "phone_number_verified": ""}, False),
    ],
)
def test_something_that_the_pool_verifies_is_verified(verified, given, good):
    """One of the attributes that the pool verifies by itself must be said to be verified (spec/api/08 §3.4)."""
    pool = make_pool(auto_verified_attributes=verified)
    line = person("a", phone_number="+15551234567", **given)

    if good:
        assert read(line, pool=pool)
    else:
        assert refusal(line, pool=pool).startswith("The User Record does not set any of the auto verified attributes")


def test_what_is_verified_must_be_there():
    """No address can be verified that is not there."""
    assert refusal(person("a", email="")) == "You cannot set email_verified without email."


@pytest.mark.parametrize(
    ("wanted", "value", "good"),
    [
        (UserPoolMfaType.OFF, "false", True),
        (UserPoolMfaType.OFF, "true", False),
        (UserPoolMfaType.ON, "true", True),
        (UserPoolMfaType.ON, "FALSE", False),
        (UserPoolMfaType.OPTIONAL, "TRUE", True),
        (UserPoolMfaType.OPTIONAL, "false", True),
        (UserPoolMfaType.OPTIONAL, "", False),
        (UserPoolMfaType.OPTIONAL, "yes", False),
    ],
)
def test_the_mfa_column_follows_the_pool(wanted, value, good):
    """True for all where MFA is on, false where it is off, either where it is optional (spec/api/08 §3.5)."""
    line, pool = person("a", cognito_mfa_enabled=value), with_mfa(wanted)

    if good:
        assert read(line, pool=pool)
    else:
        assert refusal(line, pool=pool).startswith("cognito:mfa_enabled must be ")


def test_mfa_is_by_text_message():
    """A user with MFA and a telephone number is asked for a code by text message; others have nothing to be asked for."""
    optional, phone = with_mfa(UserPoolMfaType.OPTIONAL), {"phone_number": "+15551234567"}

    def active(pool, value, **attributes):
        return read(person("a", cognito_mfa_enabled=value, **attributes), pool=pool).user.factors.active

    assert active(optional, "true", **phone) == (ChallengeNameType.SMS_MFA,)
    assert active(optional, "false", **phone) == ()
    assert active(optional, "true") == ()
    assert active(with_mfa(UserPoolMfaType.OPTIONAL, sms=False), "true", **phone) == ()


def test_hashes_make_confirmed_users():
    """A row with a hash makes a user who can sign in; a comma in it is escaped like any other."""
    header = f"{TEMPLATE},cognito:password_hash"
    hashing = PasswordHashingAlgorithmType.BCRYPT
    user = read(person("a", header, cognito_password_hash=BCRYPT), header=header, hashing=hashing).user

    assert user.status == UserStatusType.CONFIRMED
    assert (user.credentials.password_hash, user.credentials.password_set_at) == (BCRYPT, NOW)
    assert refusal(
        person("a", header, cognito_password_hash=BCRYPT.replace("$04$", "$31$")), header=header, hashing=hashing
    ) == ("The cost of the password hash is out of bounds.")


def test_values_have_the_lengths_of_the_api():
    """No value is longer than 2,048 characters, and no row longer than 16,000."""
    pool, header = make_pool(TEAM, auto_verified_attributes=[EMAIL]), f"{TEMPLATE},custom:team"

    assert read(person("a", header, custom_team="x" * 2048), pool=pool, header=header)
    assert "2048 characters" in refusal(person("a", header, custom_team="x" * 2049), pool=pool, header=header)
    assert refusal("x" * 16_001) == "The row is longer than 16000 characters."
    assert "values" in refusal("x" * 16_000)


def test_names_are_folded_where_case_does_not_matter():
    """A name is taken in small letters in such a pool, and asked for in them."""
    pool = make_pool(auto_verified_attributes=[EMAIL], case_sensitive=False)

    assert read(person("ANN"), pool=pool).user.username == "ann"
    assert read(person("ANN"), pool=pool).usernames == ("ann",)
    assert read(person("ANN")).usernames == ("ANN",)


def find(pool, newcomer, usernames=(), subs=(), aliases=()):
    """What becomes of a newcomer where these names are taken."""
    try:
        return find_refusal(pool, newcomer, Taken(set(usernames), set(subs), set(aliases)))
    except AlreadyThere:
        return "there"


def test_names_that_are_taken():
    """A taken user name, ``sub`` or alias means the user is there; a verified alias of somebody else is a failure."""
    aliases = [AliasAttributeType.email, AliasAttributeType.preferred_username]
    pool = make_pool(auto_verified_attributes=[EMAIL], alias_attributes=aliases)
    ann = read(person("ann", preferred_username="chief"), pool=pool)
    named_by_sub = read(person(SUB), pool=pool)

    assert find(pool, ann) is None
    assert find(pool, ann, usernames=["bob"], subs=[SUB], aliases=["email:bob@example.com"]) is None
    assert find(pool, ann, usernames=["ann"]) == "there"
    assert find(pool, ann, aliases=["preferred_username:ann"]) == "there"
    assert named_by_sub.may_be_sub
    assert find(pool, named_by_sub, subs=[SUB]) == "there"
    assert find(pool, ann, usernames=["chief"]) == "An account with the given preferred_username already exists."
    assert find(pool, ann, aliases=["preferred_username:chief"]) == (
        "An account with the given preferred_username already exists."
    )
    assert find(pool, ann, aliases=["email:ann@example.com"]) == "An account with the given email already exists."


def test_those_let_in_count_for_the_rows_after_them():
    """Within a file the first of two with one name, or one alias, is let in."""
    pool = make_pool(auto_verified_attributes=[EMAIL], alias_attributes=[AliasAttributeType.email])
    taken = Taken(set(), set(), set())
    ann = read(person("ann"), pool=pool)
    assert find_refusal(pool, ann, taken) is None
    taken.add(ann)

    with pytest.raises(AlreadyThere):
        find_refusal(pool, read(person("ann", email="other@example.com"), pool=pool), taken)
    assert find_refusal(pool, read(person("bob", email="ann@example.com"), pool=pool), taken) is not None


@given(st.text(max_size=300) | st.lists(st.text(max_size=9), min_size=21, max_size=21).map(",".join))
def test_reading_ends_in_a_user_or_a_refusal(line):
    """No line makes the reader fail otherwise, and no refusal quotes what the line holds."""
    try:
        read(line)
    except RowRefused as refused:
        assert "\n" not in str(refused)
