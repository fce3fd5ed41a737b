"""First factors: what users of choice-based sign-in can begin with (spec/api/04 §5)."""

from poolhouse.core.factors import FACTORS, is_offered
from poolhouse.core.passkeys import are_both_factors, are_enabled
from poolhouse.core.passwords import CODE_FACTORS
from poolhouse.core.pool import Pool
from poolhouse.core.pool_defaults import first_factors
from poolhouse.core.user import User
from poolhouse.model import AuthFactorType, UserPoolMfaType, UserStatusType
from poolhouse.model import ChallengeNameType as Challenge

PASSWORDS = (Challenge.PASSWORD_SRP, Challenge.PASSWORD)
# Where these show who somebody is, nothing else is asked.
PASSWORDLESS = frozenset({Challenge.EMAIL_OTP, Challenge.SMS_OTP, Challenge.WEB_AUTHN})
# So many of 256 who could sign in by a code have no password.
BARE = 32
_CODES = {AuthFactorType.EMAIL_OTP: Challenge.EMAIL_OTP, AuthFactorType.SMS_OTP: Challenge.SMS_OTP}


def available_to(pool: Pool, user: User) -> tuple[Challenge, ...]:
    """Return the challenges that a user can begin a sign-in with.

    Whoever has nothing, or has to replace a temporary password, is asked for a password. Mail goes to verified
    addresses only. Codes are no first factor where the pool requires a second one; a passkey is, where it is both.
    """
    allowed = first_factors(pool.settings.policies) or ()
    required = pool.mfa.mfa_configuration == UserPoolMfaType.ON
    found = list(PASSWORDS) if user.credentials.password_hash is not None else []
    if user.status == UserStatusType.CONFIRMED:
        if not required:
            found += [_CODES[factor] for factor in _CODES if factor in allowed and _is_reachable(user, factor)]
        if are_enabled(pool) and user.passkeys and (not required or is_both_factors(pool, user)):
            found.append(Challenge.WEB_AUTHN)
    return tuple(found) or PASSWORDS


def is_both_factors(pool: Pool, user: User) -> bool:
    """Tell whether a passkey of a user, used with user verification, stands for both factors (spec/api/10 §11)."""
    return are_both_factors(pool) and user.factors.passkey_mfa


def simulated(pool: Pool, username: str, chance: bytes) -> tuple[Challenge, ...]:
    """Return what a user who does not exist could begin with, as likely as for the pool's users (spec/api/03 §4).

    Some of them have no password, as users do who signed up without one.
    ``chance`` is at least four bytes that are the same for the same pool and name.
    """
    allowed = first_factors(pool.settings.policies) or ()
    required = pool.mfa.mfa_configuration == UserPoolMfaType.ON
    found: list[Challenge] = []
    for number, factor in enumerate(_CODES):
        if factor in allowed and not required and (_is_usual(pool, username, factor) or chance[number] & 1):
            found.append(_CODES[factor])
    if not found or chance[3] >= BARE:
        found = [*PASSWORDS, *found]
    if are_enabled(pool) and (not required or are_both_factors(pool)) and chance[2] & 1:
        found.append(Challenge.WEB_AUTHN)
    return tuple(found)


def simulated_seconds(pool: Pool, chance: bytes) -> tuple[Challenge, ...]:
    """Return the second factors that a user who does not exist seems to have: what leads to a level follows from them.

    ``chance`` is that of ``simulated``, of at least seven bytes.
    """
    offered = (factor for factor in FACTORS if is_offered(pool, factor))
    return tuple(factor for number, factor in enumerate(offered, 4) if chance[number] & 1)


def _is_reachable(user: User, factor: AuthFactorType) -> bool:
    contact = CODE_FACTORS[factor]
    verified = user.attributes.get(f"{contact}_verified") == "true"
    return bool(user.attributes.get(contact)) and (verified or factor is AuthFactorType.SMS_OTP)


def _is_usual(pool: Pool, username: str, factor: AuthFactorType) -> bool:
    """Whether most users of the pool have the address that a factor's codes go to."""
    contact = CODE_FACTORS[factor]
    named = "@" in username if contact == "email" else username.startswith("+")
    return named or contact in pool.auto_verified
