"""Passwords: the pool's policy, temporary passwords and the history of earlier ones."""

import string
from collections.abc import Callable

from poolhouse.core.pool import Pool
from poolhouse.core.user import Credentials
from poolhouse.model import (
    AuthFactorType,
    InvalidPasswordException,
    PasswordPolicyType,
)

# spec/api/03 §5.3; a space counts too, where it is neither first nor last.
SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ")
# What generated passwords use: nothing that mail or HTML would garble.
GENERATED_SYMBOLS = "!@#$%^*-_=+?"
GENERATED_ALPHABET = string.ascii_letters + string.digits + GENERATED_SYMBOLS
GENERATED_LENGTH = 8
DAY = 86_400_000
DEFAULT_TEMPORARY_DAYS = 7
CODE_FACTORS = {AuthFactorType.EMAIL_OTP: "email", AuthFactorType.SMS_OTP: "phone_number"}

Rule = tuple[Callable[[PasswordPolicyType, str], bool], str]


def policy_of(pool: Pool) -> PasswordPolicyType:
    """Return the password policy of a pool."""
    policies = pool.settings.policies
    return (policies and policies.password_policy) or PasswordPolicyType()


def passwordless_contacts(pool: Pool) -> tuple[str, ...]:
    """Return the attributes whose owners can sign in with a one-time code alone, so that they need no password."""
    policies = pool.settings.policies
    sign_in = policies and policies.sign_in_policy
    factors = (sign_in and sign_in.allowed_first_auth_factors) or []
    return tuple(contact for factor, contact in CODE_FACTORS.items() if factor in factors)


def _has(alphabet: str) -> Callable[[str], bool]:
    wanted = frozenset(alphabet)
    return lambda password: not wanted.isdisjoint(password)


_has_digit, _has_upper, _has_lower = _has(string.digits), _has(string.ascii_uppercase), _has(string.ascii_lowercase)

# In the order of evaluation that spec/api/03 §5.3 settles: the first failing one is reported.
RULES: tuple[Rule, ...] = (
    (lambda policy, password: len(password) >= (policy.minimum_length or 6), "Password not long enough"),
    (
        lambda policy, password: not policy.require_numbers or _has_digit(password),
        "Password must have numeric characters",
    ),
    (
        lambda policy, password: not policy.require_symbols or not SYMBOLS.isdisjoint(password),
        "Password must have symbol characters",
    ),
    (
        lambda policy, password: not policy.require_uppercase or _has_upper(password),
        "Password must have uppercase characters",
    ),
    (
        lambda policy, password: not policy.require_lowercase or _has_lower(password),
        "Password must have lowercase characters",
    ),
)


def find_fault(policy: PasswordPolicyType, password: str) -> str | None:
    """Return the first reason for which a password does not meet the policy."""
    return next((reason for is_met, reason in RULES if not is_met(policy, password)), None)


def check_policy(pool: Pool, password: str, *, new_user: bool = False) -> None:
    """Check a password against the pool's policy; raises InvalidPasswordException.

    ``new_user`` chooses the wording of SignUp and AdminCreateUser (spec/api/03 §5.3, §8.2).
    """
    fault = find_fault(policy_of(pool), password)
    if fault:
        wording = "did not conform with" if new_user else "does not conform to"
        raise InvalidPasswordException(f"Password {wording} policy: {fault}")


def make_temporary(pool: Pool, draw: Callable[[int, str], str]) -> str:
    """Return a temporary password of all four kinds of characters; ``draw(length, alphabet)`` is the chance."""
    length = max(GENERATED_LENGTH, policy_of(pool).minimum_length or 0)
    every = PasswordPolicyType(
        minimum_length=length,
        require_lowercase=True,
        require_numbers=True,
        require_symbols=True,
        require_uppercase=True,
    )
    while True:
        # Drawing again keeps every conforming password equally likely.
        password = draw(length, GENERATED_ALPHABET)
        if find_fault(every, password) is None:
            return password


def is_temporary_expired(pool: Pool, credentials: Credentials, now: int) -> bool:
    """Whether a temporary password set at ``password_set_at`` has run out (spec/api/03 §8.6)."""
    config = pool.settings.admin_create_user_config
    days = (
        policy_of(pool).temporary_password_validity_days
        or (config and config.unused_account_validity_days)
        or DEFAULT_TEMPORARY_DAYS
    )
    return now >= credentials.password_set_at + days * DAY


def barred_hashes(pool: Pool, credentials: Credentials) -> tuple[str, ...]:
    """Return the hashes of passwords that may not be used again, newest first (spec/api/03 §7.7)."""
    size = policy_of(pool).password_history_size or 0
    return past_hashes(credentials)[:size]


def past_hashes(credentials: Credentials) -> tuple[str, ...]:
    """Return the hashes of the present and all remembered passwords, newest first."""
    present = (credentials.password_hash,) if credentials.password_hash else ()
    return present + credentials.history


def extend_history(pool: Pool, credentials: Credentials) -> tuple[str, ...]:
    """Return the history to keep once the present password is replaced.

    A smaller PasswordHistorySize shortens what is barred, not what was remembered already.
    """
    size = max(policy_of(pool).password_history_size or 0, len(credentials.history))
    return past_hashes(credentials)[:size]
