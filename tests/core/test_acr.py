"""Levels of authentication and the methods that reach them (spec/http/04 §4.11)."""

import pytest

from poolhouse.core.acr import Method, amr_of, find_levels, level_of, name_of
from poolhouse.core.pool import Pool
from poolhouse.model import AcrLevelConfigType, GetUserPoolMfaConfigResponse, UserPoolType


@pytest.mark.parametrize(
    ("methods", "level", "amr"),
    [
        ("", 0, []),
        ("otp", 0, ["otp"]),
        ("pwd", 1, ["pwd"]),
        ("sms", 2, ["sms"]),
        ("email_otp", 2, ["email_otp"]),
        ("email_otp sms", 2, ["sms", "email_otp", "mfa"]),
        ("hwk", 3, ["hwk"]),
        ("sms pwd", 3, ["pwd", "sms", "mfa"]),
        ("email_otp pwd", 3, ["pwd", "email_otp", "mfa"]),
        ("swk pwd", 3, ["pwd", "swk", "mfa"]),
        ("otp pwd", 4, ["pwd", "otp", "mfa"]),
    ],
)
def test_levels_of_methods(methods: str, level: int, amr: list[str]):
    """Each level is reached by what the guide names, and told in the order of the specification."""
    shown = frozenset(Method(name) for name in methods.split())
    assert level_of(shown) == level
    assert amr_of(shown) == amr


def test_names_of_levels():
    """The pool's own names take the place of the defaults; those it has not are left out, and said twice count once."""
    settings = UserPoolType(acr_configuration={"Level2": AcrLevelConfigType(acr_value="two")})
    pool = Pool(
        id="us-east-1_AbCdEfGhI",
        settings=settings,
        mfa=GetUserPoolMfaConfigResponse(),
        device_group_key="-v7w9UcY6",
    )
    assert [name_of(pool, level) for level in (1, 2)] == ["urn:cognito:loa:1", "two"]
    assert find_levels(pool, "urn:cognito:loa:4 two  urn:cognito:loa:2 two urn:cognito:loa:1") == (4, 2, 1)
    assert find_levels(pool, "") == ()
