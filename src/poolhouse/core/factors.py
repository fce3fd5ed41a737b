"""Second factors: which ones a pool offers, which ones a user has and wants, and which ones are due (spec/api/04 §9)."""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.codes import MESSAGED
from poolhouse.core.passkeys import are_both_factors, are_enabled
from poolhouse.core.pool import Pool
from poolhouse.core.pool_defaults import first_factors
from poolhouse.core.tiers import LITE, tier_of
from poolhouse.core.user import Factors, SoftwareToken, User
from poolhouse.model import (
    AdminSetUserMFAPreferenceRequest,
    AuthFactorType,
    DeliveryMediumType,
    InvalidParameterException,
    MFAOptionType,
    SetUserMFAPreferenceRequest,
    SoftwareTokenMFANotFoundException,
    UserPoolMfaType,
)
from poolhouse.model import ChallengeNameType as Challenge

SMS, TOTP, EMAIL = Challenge.SMS_MFA, Challenge.SOFTWARE_TOKEN_MFA, Challenge.EMAIL_OTP
# The order in which factors are listed, and the one in which they are offered to be set up (spec/api/04 §4).
FACTORS = (SMS, TOTP, EMAIL)
TO_SET_UP = (TOTP, EMAIL, SMS)
NO_TOTP = "Software Token MFA has not been enabled by the userPool"
PHONE_NUMBER = "phone_number"


class Wish(Struct, frozen=True):
    """What a request wants of one factor; None leaves things as they are."""

    enabled: bool | None = None
    preferred: bool | None = None


def is_offered(pool: Pool, factor: Challenge) -> bool:
    """Tell whether a pool lets its users have a factor."""
    if pool.mfa.mfa_configuration in {None, UserPoolMfaType.OFF}:
        return False
    software = pool.mfa.software_token_mfa_configuration
    return {
        SMS: pool.mfa.sms_mfa_configuration is not None,
        TOTP: software is not None and bool(software.enabled),
        EMAIL: pool.mfa.email_mfa_configuration is not None,
    }[factor]


def check_totp_offered(pool: Pool) -> None:
    """Check that a pool lets its users have an authenticator app; raises SoftwareTokenMFANotFoundException."""
    if not is_offered(pool, TOTP):
        raise SoftwareTokenMFANotFoundException(NO_TOTP)


def check_offered(pool: Pool, factor: Challenge) -> None:
    """Check that a pool lets its users have a factor.

    Raises SoftwareTokenMFANotFoundException for an authenticator app, InvalidParameterException for the others.
    """
    if factor == TOTP:
        check_totp_offered(pool)
    elif factor == EMAIL and tier_of(pool.settings) is LITE:
        raise InvalidParameterException(f"Email MFA is not available in the {LITE} tier.")
    elif not is_offered(pool, factor):
        name = {SMS: "SMS", EMAIL: "Email"}[factor]
        raise InvalidParameterException(f"{name} MFA is not enabled for the userPool")


def due_factors(pool: Pool, user: User) -> tuple[Challenge, ...]:
    """Return the second factors that a sign-in can ask a user for; none where the pool has MFA off.

    An authenticator app stays where the pool does not offer it any more. A factor whose address is gone counts for
    nothing beside another one, and where the pool requires a factor: there a telephone number is one without any
    set-up. Otherwise it stays due, though nobody can show it: no factor that a user wants is skipped.
    """
    if pool.mfa.mfa_configuration in {None, UserPoolMfaType.OFF}:
        return ()
    usable = _usable(pool, user, user.factors)
    if usable:
        return usable
    if pool.mfa.mfa_configuration == UserPoolMfaType.ON:
        return (SMS,) if _is_reachable(pool, user, SMS) else ()
    return tuple(factor for factor in user.factors.active if is_offered(pool, factor))


def confirmed_factors(pool: Pool, user: User, attribute: str | None) -> tuple[Challenge, ...]:
    """Return the second factor, if any, that the code to an attribute was which confirmed the user's sign-up."""
    return tuple(factor for factor in due_factors(pool, user) if MESSAGED.get(factor) == attribute)


def can_show(user: User, factor: Challenge) -> bool:
    """Tell whether a user has what it takes to show a factor, wanted or not.

    A telephone need not be verified, since the first code does that; mail goes to verified addresses only.
    """
    has = {
        SMS: bool(user.attributes.get(PHONE_NUMBER)),
        TOTP: user.factors.software_token is not None,
        EMAIL: bool(user.attributes.get("email")) and user.attributes.get("email_verified") == "true",
    }
    return has[factor]


def with_preferences(
    pool: Pool, user: User, request: SetUserMFAPreferenceRequest | AdminSetUserMFAPreferenceRequest
) -> Factors:
    """Return the user's factors after SetUserMFAPreference: blocks and members that are left out change nothing.

    Raises InvalidParameterException, SoftwareTokenMFANotFoundException.
    """
    blocks = {
        SMS: request.sms_mfa_settings,
        TOTP: request.software_token_mfa_settings,
        EMAIL: request.email_mfa_settings,
    }
    wishes = {factor: Wish(block.enabled, block.preferred_mfa) for factor, block in blocks.items() if block is not None}
    passkey = request.web_authn_mfa_settings
    return _changed(pool, user, wishes, passkey.enabled if passkey else None)


def with_options(pool: Pool, user: User, options: list[MFAOptionType]) -> Factors:
    """Return the user's factors after SetUserSettings, which knows text messages only (spec/api/03 §10).

    Raises InvalidParameterException.
    """
    for option in options:
        if option.delivery_medium is not DeliveryMediumType.SMS:
            raise InvalidParameterException("MFAOptions can have the DeliveryMedium SMS only.")
        if option.attribute_name != PHONE_NUMBER:
            raise InvalidParameterException(f"MFAOptions can have the AttributeName {PHONE_NUMBER} only.")
    return _changed(pool, user, {SMS: Wish(enabled=bool(options))}, None)


def with_token(factors: Factors, token: SoftwareToken, *, active: bool = False) -> Factors:
    """Return factors with a software token whose first code was right; ``active`` has sign-ins ask for it."""
    also = (TOTP,) if active else ()
    return replace(factors, software_token=token, pending_token=None, active=_sorted(factors.active + also))


def with_contact(user: User, factor: Challenge, address: str, now: int) -> User:
    """Return a user after the first code to an address was right: it is theirs, verified, and sign-ins ask for it."""
    attribute = MESSAGED[factor]
    return replace(
        user,
        attributes=user.attributes | {attribute: address, f"{attribute}_verified": "true"},
        pending={name: value for name, value in user.pending.items() if name != attribute},
        factors=replace(user.factors, active=_sorted((*user.factors.active, factor))),
        modified_at=now,
    )


def without_token(factors: Factors) -> Factors:
    """Return factors without any software token. A passkey stands for both only beside another factor."""
    active = _sorted(factor for factor in factors.active if factor != TOTP)
    return replace(
        factors,
        software_token=None,
        pending_token=None,
        active=active,
        preferred=None if factors.preferred == TOTP else factors.preferred,
        passkey_mfa=factors.passkey_mfa and bool(active),
    )


def settings_of(user: User) -> tuple[list[str] | None, str | None]:
    """Return UserMFASettingList and PreferredMfaSetting; None where there is nothing to tell (spec/api/04 §9)."""
    return [factor.value for factor in user.factors.active] or None, user.factors.preferred


def options_of(factors: Factors) -> list[MFAOptionType] | None:
    """Return the older MFAOptions, which tell of text messages only."""
    if SMS not in factors.active:
        return None
    return [MFAOptionType(delivery_medium=DeliveryMediumType.SMS, attribute_name=PHONE_NUMBER)]


def configured_factors(pool: Pool, user: User) -> list[AuthFactorType]:
    """Return what a user can sign in with, as a first factor or as a second one (spec/api/10 §2)."""
    allowed, active = first_factors(pool.settings.policies) or (), user.factors.active
    has = {
        AuthFactorType.PASSWORD: user.credentials.password_hash is not None,
        AuthFactorType.EMAIL_OTP: EMAIL in active or (AuthFactorType.EMAIL_OTP in allowed and can_show(user, EMAIL)),
        AuthFactorType.SMS_OTP: SMS in active or (AuthFactorType.SMS_OTP in allowed and can_show(user, SMS)),
        AuthFactorType.WEB_AUTHN: are_enabled(pool) and user.passkeys > 0,
        AuthFactorType.SOFTWARE_TOKEN: user.factors.software_token is not None,
    }
    return [factor for factor, there in has.items() if there]


def _changed(pool: Pool, user: User, wishes: Mapping[Challenge, Wish], passkey_mfa: bool | None) -> Factors:
    factors = user.factors
    active, preferred = set(factors.active), factors.preferred
    for factor, wish in wishes.items():
        if wish.enabled:
            _check_available(pool, user, factor)
        if wish.enabled is not None:
            (active.add if wish.enabled else active.discard)(factor)
        if wish.preferred and factor not in active:
            raise InvalidParameterException(f"{factor} cannot be the preferred MFA method unless it is enabled.")
        if preferred == factor and (factor not in active or wish.preferred is False):
            preferred = None
    wanted = [factor for factor, wish in wishes.items() if wish.preferred]
    if len(wanted) > 1:
        raise InvalidParameterException("Only one MFA method can be preferred.")
    changed = replace(
        factors,
        active=_sorted(active),
        preferred=wanted[0] if wanted else preferred,
        passkey_mfa=factors.passkey_mfa if passkey_mfa is None else passkey_mfa,
    )
    if passkey_mfa:
        _check_passkey_mfa(pool)
    _check_enough(pool, user, changed)
    return changed


def _check_available(pool: Pool, user: User, factor: Challenge) -> None:
    """Check that a user can turn a factor on: the pool offers it, and the user has what it takes."""
    if factor != TOTP or TOTP not in user.factors.active:
        check_offered(pool, factor)
    if not can_show(user, factor):
        raise InvalidParameterException(f"User does not have delivery config set to turn on {factor}")


def _check_passkey_mfa(pool: Pool) -> None:
    if tier_of(pool.settings) is LITE:
        raise InvalidParameterException(f"Passkey MFA is not available in the {LITE} tier.")
    if not are_both_factors(pool):
        raise InvalidParameterException(
            "Passkey MFA needs the FactorConfiguration MULTI_FACTOR_WITH_USER_VERIFICATION of the user pool."
        )


def _check_enough(pool: Pool, user: User, after: Factors) -> None:
    if after.passkey_mfa and not after.active:
        raise InvalidParameterException("Passkey MFA needs another MFA method of the user that is enabled.")
    required = pool.mfa.mfa_configuration == UserPoolMfaType.ON
    if required and _usable(pool, user, user.factors) and not _usable(pool, user, after):
        raise InvalidParameterException("The last MFA method cannot be disabled where the user pool requires MFA.")


def _usable(pool: Pool, user: User, factors: Factors) -> tuple[Challenge, ...]:
    return tuple(factor for factor in factors.active if factor == TOTP or _is_reachable(pool, user, factor))


def _is_reachable(pool: Pool, user: User, factor: Challenge) -> bool:
    return is_offered(pool, factor) and bool(user.attributes.get(MESSAGED[factor]))


def _sorted(factors: Iterable[Challenge]) -> tuple[Challenge, ...]:
    chosen = frozenset(factors)
    return tuple(factor for factor in FACTORS if factor in chosen)
