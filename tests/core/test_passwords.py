"""Password policy, temporary passwords, history."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.core.passwords import (
    DAY,
    SYMBOLS,
    barred_hashes,
    check_policy,
    extend_history,
    find_fault,
    is_temporary_expired,
    make_temporary,
    passwordless_contacts,
)
from poolhouse.core.user import Credentials
from poolhouse.model import (
    AdminCreateUserConfigType,
    InvalidPasswordException,
    PasswordPolicyType,
    SignInPolicyType,
    UserPoolPolicyType,
)
from tests.core.examples import make_pool

POOL = make_pool()


def pool_with(**policy):
    return make_pool(policies=UserPoolPolicyType(password_policy=PasswordPolicyType(**policy)))


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("aB1!", "Password not long enough"),
        ("abcdefgh", "Password must have numeric characters"),
        ("abcdefg1", "Password must have symbol characters"),
        ("abcdef1!", "Password must have uppercase characters"),
        ("ABCDEF1!", "Password must have lowercase characters"),
    ],
)
def test_the_first_reason_is_told(password, reason):
    """Of several faults the first in the order of evaluation is reported, in two wordings."""
    with pytest.raises(InvalidPasswordException) as at_sign_up:
        check_policy(POOL, password, new_user=True)
    with pytest.raises(InvalidPasswordException) as later:
        check_policy(POOL, password)

    assert at_sign_up.value.message == f"Password did not conform with policy: {reason}"
    assert later.value.message == f"Password does not conform to policy: {reason}"


@pytest.mark.parametrize("symbol", sorted(SYMBOLS))
def test_every_documented_symbol_counts(symbol):
    """The documented symbols count, an inner space among them."""
    check_policy(POOL, f"Abcdef{symbol}1")


@pytest.mark.parametrize("character", ["é", "ß", "€", "١"])
def test_other_characters_are_no_symbols_or_digits(character):
    """What is not on the list may be in a password but satisfies nothing."""
    assert find_fault(PasswordPolicyType(minimum_length=6, require_symbols=True), f"abcdef{character}") is not None
    assert find_fault(PasswordPolicyType(minimum_length=6, require_numbers=True), f"abcdef{character}") is not None


def test_a_lenient_policy_asks_only_for_length():
    """Without requirements six characters will do."""
    check_policy(pool_with(minimum_length=6), "aaaaaa")


@given(st.integers(), st.integers(min_value=6, max_value=99))
def test_temporary_passwords_meet_every_policy(seed, length):
    """A generated password has all four kinds of characters and the length that the pool asks for."""
    chance = random.Random(seed)
    pool = pool_with(
        minimum_length=length, require_lowercase=True, require_numbers=True, require_symbols=True,
        require_uppercase=True,
    )  # fmt: skip

    password = make_temporary(pool, lambda count, alphabet: "".join(chance.choice(alphabet) for _ in range(count)))

    check_policy(pool, password)
    assert len(password) == max(8, length)


@pytest.mark.parametrize(("days", "expected"), [(None, 7), (0, 7), (2, 2)])
def test_temporary_passwords_run_out(days, expected):
    """They last as many days as the policy says, seven where it says nothing or zero."""
    pool, credentials = pool_with(temporary_password_validity_days=days), Credentials(password_set_at=1000)

    assert not is_temporary_expired(pool, credentials, 1000 + expected * DAY - 1)
    assert is_temporary_expired(pool, credentials, 1000 + expected * DAY)


def test_the_older_setting_counts_too():
    """UnusedAccountValidityDays stands in for the policy's member."""
    pool = make_pool(policies=None, admin_create_user_config=AdminCreateUserConfigType(unused_account_validity_days=3))

    assert is_temporary_expired(pool, Credentials(password_set_at=0), 3 * DAY)
    assert not is_temporary_expired(pool, Credentials(password_set_at=0), 3 * DAY - 1)


def test_history_bars_the_last_passwords():
    """The present password counts as one of the last."""
    credentials = Credentials(password_hash="c", history=("b", "a"))

    assert barred_hashes(pool_with(password_history_size=2), credentials) == ("c", "b")
    assert barred_hashes(pool_with(password_history_size=24), credentials) == ("c", "b", "a")
    assert barred_hashes(POOL, credentials) == ()


def test_history_survives_a_smaller_setting():
    """A smaller PasswordHistorySize does not forget what was remembered; without one nothing is remembered."""
    credentials = Credentials(password_hash="d", history=("c", "b", "a"))

    assert extend_history(pool_with(password_history_size=1), credentials) == ("d", "c", "b")
    assert extend_history(pool_with(password_history_size=5), credentials) == ("d", "c", "b", "a")
    assert extend_history(POOL, Credentials(password_hash="d")) == ()


@pytest.mark.parametrize(
    ("factors", "contacts"),
    [(["PASSWORD"], ()), (["PASSWORD", "EMAIL_OTP"], ("email",)), (["SMS_OTP", "WEB_AUTHN"], ("phone_number",))],
)
def test_one_time_codes_make_passwords_optional(factors, contacts):
    """Only a factor that sends a code can stand in for a password."""
    policies = UserPoolPolicyType(sign_in_policy=SignInPolicyType(allowed_first_auth_factors=factors))

    assert passwordless_contacts(make_pool(policies=policies)) == contacts
