"""Multi-factor settings of a pool: UpdateUserPool's and SetUserPoolMfaConfig's part (spec/api/02 §4)."""

from msgspec.structs import replace

from poolhouse.core.pool import Pool
from poolhouse.core.pool_checks import check_settings
from poolhouse.core.pool_defaults import PoolRequest, first_factors
from poolhouse.core.tiers import check_tier
from poolhouse.model import (
    AuthFactorType,
    EmailSendingAccountType,
    GetUserPoolMfaConfigResponse,
    InvalidParameterException,
    SetUserPoolMfaConfigRequest,
    SmsMfaConfigType,
    UserPoolMfaType,
    UserPoolType,
    WebAuthnConfigurationType,
    WebAuthnFactorConfigurationType,
)

OFF, ON = UserPoolMfaType.OFF, UserPoolMfaType.ON
MULTI_FACTOR = WebAuthnFactorConfigurationType.MULTI_FACTOR_WITH_USER_VERIFICATION


def updated_mfa(
    mfa: GetUserPoolMfaConfigResponse, request: PoolRequest, settings: UserPoolType
) -> GetUserPoolMfaConfigResponse:
    """Return the MFA document after a request for the pool: kept where omitted, switched off by an explicit OFF.

    A request can turn on MFA by text message only, and only along with its SmsConfiguration.
    Raises InvalidParameterException.
    """
    wanted = request.mfa_configuration
    if wanted is OFF:
        return GetUserPoolMfaConfigResponse(mfa_configuration=OFF, web_authn_configuration=mfa.web_authn_configuration)
    if wanted is not None:
        enabled = has_factor(mfa)
        if not enabled and request.sms_configuration is None:
            raise InvalidParameterException(
                "SMS configuration and Auto verification for phone_number are required when MFA is required/optional"
            )
        sms = mfa.sms_mfa_configuration if enabled else SmsMfaConfigType()
        mfa = replace(mfa, mfa_configuration=wanted, sms_mfa_configuration=sms)
    return _with_sms(mfa, settings)


def has_factor(mfa: GetUserPoolMfaConfigResponse) -> bool:
    """Tell whether some second factor is enabled for the pool."""
    software = mfa.software_token_mfa_configuration
    return bool(mfa.sms_mfa_configuration or mfa.email_mfa_configuration or (software and software.enabled))


def pool_with_mfa(pool: Pool, request: SetUserPoolMfaConfigRequest, now: int) -> Pool:
    """Return the pool with its MFA settings replaced as a whole; raises InvalidParameterException and tier errors."""
    wanted = request.mfa_configuration or OFF
    _check_request(request, wanted)
    settings = pool.settings
    sms = request.sms_mfa_configuration or SmsMfaConfigType()
    settings = replace(
        settings,
        mfa_configuration=wanted,
        sms_configuration=sms.sms_configuration or settings.sms_configuration,
        sms_authentication_message=sms.sms_authentication_message or settings.sms_authentication_message,
        last_modified_date=now / 1000,
    )
    _check_email(request, settings)
    _check_passkeys(request, wanted, settings)
    mfa = GetUserPoolMfaConfigResponse(
        mfa_configuration=wanted,
        sms_mfa_configuration=request.sms_mfa_configuration,
        software_token_mfa_configuration=request.software_token_mfa_configuration,
        email_mfa_configuration=request.email_mfa_configuration,
        web_authn_configuration=request.web_authn_configuration,
    )
    if request.sms_mfa_configuration is not None and settings.sms_configuration is None:
        raise InvalidParameterException(
            "SMS configuration and Auto verification for phone_number are required when MFA is required/optional"
        )
    check_settings(settings, mfa, pool.seat_region)
    check_tier(settings, mfa)
    return replace(pool, settings=settings, mfa=_with_sms(mfa, settings))


def _check_request(request: SetUserPoolMfaConfigRequest, wanted: UserPoolMfaType) -> None:
    software = request.software_token_mfa_configuration
    blocks = (request.sms_mfa_configuration, software, request.email_mfa_configuration)
    given = [block for block in blocks if block is not None]
    if wanted is OFF and given:
        raise InvalidParameterException(
            "Invalid MFA configuration given, can't turn off MFA and configure an MFA together."
        )
    if wanted is not OFF and not given:
        raise InvalidParameterException(
            "Invalid MFA Configuration given. SMS MFA, Email MFA, or Software Token MFA must be enabled."
        )
    if given == [software] and software is not None and not software.enabled:
        raise InvalidParameterException(
            "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration."
        )


def _check_email(request: SetUserPoolMfaConfigRequest, settings: UserPoolType) -> None:
    email = settings.email_configuration
    sender = email.email_sending_account if email else None
    if request.email_mfa_configuration is not None and sender is not EmailSendingAccountType.DEVELOPER:
        raise InvalidParameterException(
            "Cannot set EmailMfaConfiguration when user pool EmailConfiguration"
            " contains an EmailSendingAccount of COGNITO_DEFAULT"
        )


def _check_passkeys(request: SetUserPoolMfaConfigRequest, wanted: UserPoolMfaType, settings: UserPoolType) -> None:
    """Check that passkeys as a first factor satisfy a required MFA; only this request's block counts."""
    passkeys = request.web_authn_configuration or WebAuthnConfigurationType()
    factors = first_factors(settings.policies) or ()
    if wanted is ON and AuthFactorType.WEB_AUTHN in factors and passkeys.factor_configuration is not MULTI_FACTOR:
        raise InvalidParameterException(
            "Cannot set WebAuthn factor configuration to SINGLE_FACTOR"
            " if MFA is required and WebAuthn is an allowed first auth factor"
        )


def _with_sms(mfa: GetUserPoolMfaConfigResponse, settings: UserPoolType) -> GetUserPoolMfaConfigResponse:
    """Return the document with the pool's own text message settings in its SMS block, where it has one."""
    if mfa.sms_mfa_configuration is None:
        return mfa
    sms = SmsMfaConfigType(
        sms_authentication_message=settings.sms_authentication_message,
        sms_configuration=settings.sms_configuration,
    )
    return replace(mfa, sms_mfa_configuration=sms)
