"""How strongly a user has signed in: the methods shown, and the level they reach (spec/http/04 §4.11).

Levels are numbers from 1 to 4, 0 for less; the pool names them (AcrConfiguration).

Differs from Cognito (step-up): the claims ``acr`` and ``amr`` are in the tokens of sign-ins that name
TARGET_ACR_VALUES or ``acr_values``, and in those refreshed from them. The pages ask who is signed in for the missing
second factor only. Where none of the levels can be reached the sign-in goes on without,
and ``acr`` tells how far it came. An access token spares what its sign-in has shown, never everything: one that has
reached the level already counts for nothing. It has to be one of the same app client with the scope
``aws.cognito.signin.user.admin``, and name its session in ``origin_jti``. What another identity provider asked
counts as that provider says, for its own sign-in only: it spares nothing where the pool itself asks.
"""

from collections.abc import Iterable
from enum import StrEnum

from poolhouse.core.pool import Pool
from poolhouse.core.tiers import DEFAULT_LEVELS
from poolhouse.model import ChallengeNameType as Challenge


class Method(StrEnum):
    """What the ``amr`` claim calls a way to show who one is, in its order.

    The last two stand for no way of ours: ``mfa`` for more than one (RFC 8176 §2), ``fed`` for whatever another
    identity provider asked; who came from one has it among the methods beside those that the provider names.
    """

    PASSWORD = "pwd"
    APP = "otp"
    TEXT_MESSAGE = "sms"
    MAIL = "email_otp"
    PLATFORM_PASSKEY = "swk"
    ROAMING_PASSKEY = "hwk"
    MULTI_FACTOR = "mfa"
    FEDERATED = "fed"


Methods = frozenset[Method]
CODES = frozenset({Method.TEXT_MESSAGE, Method.MAIL})
PASSKEYS = frozenset({Method.PLATFORM_PASSKEY, Method.ROAMING_PASSKEY})
# What a right answer to each challenge is by; a passkey tells its kind itself.
METHOD_OF = {
    Challenge.PASSWORD: Method.PASSWORD,
    Challenge.PASSWORD_SRP: Method.PASSWORD,
    Challenge.PASSWORD_VERIFIER: Method.PASSWORD,
    Challenge.SOFTWARE_TOKEN_MFA: Method.APP,
    Challenge.MFA_SETUP: Method.APP,
    Challenge.SMS_MFA: Method.TEXT_MESSAGE,
    Challenge.SMS_OTP: Method.TEXT_MESSAGE,
    Challenge.EMAIL_OTP: Method.MAIL,
    Challenge.WEB_AUTHN: Method.PLATFORM_PASSKEY,
}


def level_of(methods: Methods) -> int:
    """Return the highest level that methods reach together."""
    password = Method.PASSWORD in methods
    if password and Method.APP in methods:
        return 4
    if methods & PASSKEYS or (password and methods & CODES):
        return 3
    if methods & CODES:
        return 2
    return 1 if password else 0


def name_of(pool: Pool, level: int) -> str:
    """Return what the pool calls a level."""
    return _names(pool)[f"Level{level}"]


def find_levels(pool: Pool, asked: str) -> tuple[int, ...]:
    """Return the levels that a list of names asks for, in its order; names that the pool has not are left out."""
    levels = {name: int(level.removeprefix("Level")) for level, name in _names(pool).items()}
    return tuple(dict.fromkeys(levels[name] for name in asked.split(" ") if name in levels))


def amr_of(methods: Iterable[str]) -> list[str]:
    """Return the ``amr`` claim for methods."""
    given = frozenset(methods)
    named = [method.value for method in Method if method in given and method is not Method.FEDERATED]
    if not named and Method.FEDERATED in given:
        return [Method.FEDERATED.value]
    return [*named, Method.MULTI_FACTOR.value] if len(named) > 1 and Method.MULTI_FACTOR not in given else named


def _names(pool: Pool) -> dict[str, str]:
    configured = pool.settings.acr_configuration or {}
    return DEFAULT_LEVELS | {level: named.acr_value for level, named in configured.items()}
