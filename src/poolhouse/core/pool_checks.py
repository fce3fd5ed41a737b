"""What the settings of a pool must satisfy, whichever request led to them (spec/api/02 §1.4, §2)."""

from collections import Counter

from poolhouse.core.mailboxes import BadMailbox, read_mailbox
from poolhouse.core.pool_defaults import PoolRequest, first_factors, given_password_policy, given_validity
from poolhouse.core.tags import find_tag_fault
from poolhouse.model import (
    AccountRecoverySettingType,
    AuthFactorType,
    CreateUserPoolRequest,
    EmailConfigurationType,
    EmailSendingAccountType,
    EncryptionKeyType,
    GetUserPoolMfaConfigResponse,
    InvalidParameterException,
    LambdaConfigType,
    RecoveryOptionNameType,
    SmsConfigurationType,
    UserPoolMfaType,
    UserPoolTaggingException,
    UserPoolType,
    WebAuthnFactorConfigurationType,
)

# Regions whose pools may send text messages through another Region (the guide's "legacy alternate Regions").
ALTERNATE_SMS_REGIONS = {
    "us-east-2": "us-east-1",
    "ca-central-1": "us-east-1",
    "ap-south-1": "ap-southeast-1",
    "ap-northeast-2": "ap-northeast-1",
    "eu-central-1": "eu-west-1",
    "eu-west-2": "eu-west-1",
}


def check_identifiers(request: CreateUserPoolRequest) -> None:
    """Check the choice of sign-in names, made for ever at creation; raises InvalidParameterException."""
    if request.alias_attributes and request.username_attributes:
        raise InvalidParameterException(
            "Only one of the aliasAttributes or usernameAttributes can be set in a user pool."
        )
    required = {entry.name for entry in request.schema or () if entry.required}
    if "preferred_username" in required and "preferred_username" in (request.alias_attributes or ()):
        raise InvalidParameterException("preferred_username cannot be both an alias and a required attribute.")


def check_request(request: PoolRequest) -> None:
    """Check members that cannot come together in one request; raises InvalidParameterException."""
    password = given_password_policy(request)
    validity = password.temporary_password_validity_days if password else None
    if validity is not None and given_validity(request) is not None:
        raise InvalidParameterException(
            "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"
        )
    fault = find_tag_fault(request.user_pool_tags or {})
    if fault is not None:
        raise UserPoolTaggingException(fault)


def check_settings(settings: UserPoolType, mfa: GetUserPoolMfaConfigResponse, region: str) -> None:
    """Check the settings of a pool as they would be stored; raises InvalidParameterException."""
    if settings.email_configuration is not None:
        _check_email(settings.email_configuration)
    if settings.sms_configuration is not None:
        _check_sms(settings.sms_configuration, region)
    if settings.account_recovery_setting is not None:
        _check_recovery(settings.account_recovery_setting)
    _check_first_factors(settings, mfa)
    _check_acr_names(settings)
    _check_triggers(settings.lambda_config or LambdaConfigType())
    key = settings.key_configuration
    if key is not None and key.key_type is EncryptionKeyType.CUSTOMER_MANAGED_KEY and key.kms_key_arn is None:
        raise InvalidParameterException("KmsKeyArn is required when KeyType is CUSTOMER_MANAGED_KEY.")


def check_update_verification(guarded: list[str], verified: list[str]) -> None:
    """Check that attributes verified before an update are auto-verified ones; raises InvalidParameterException."""
    if not set(guarded) <= set(verified):
        raise InvalidParameterException(
            "All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes"
        )


def check_mailbox(name: str, given: str | None) -> None:
    """Check an address that mail is to come from or be answered to, if one is given; raises InvalidParameterException."""
    try:
        if given:
            read_mailbox(given)
    except BadMailbox:
        raise InvalidParameterException(f"Provided {name} email address is invalid") from None


def _check_email(email: EmailConfigurationType) -> None:
    if email.email_sending_account is EmailSendingAccountType.DEVELOPER and not email.source_arn:
        raise InvalidParameterException("Email sending account must have a SourceArn")
    check_mailbox("From", email.from_)


def _check_sms(sms: SmsConfigurationType, region: str) -> None:
    if not sms.sns_caller_arn and sms.eums_sms is None:
        raise InvalidParameterException("SmsConfiguration must have an SnsCallerArn or EumsSms.")
    if sms.sns_caller_arn and sms.eums_sms is not None:
        raise InvalidParameterException("SmsConfiguration cannot have both an SnsCallerArn and EumsSms.")
    if sms.eums_sms is not None and sms.eums_sms.region not in {None, region}:
        raise InvalidParameterException("The Region of EumsSms must be the Region of the user pool.")
    if sms.sns_region not in {None, region, ALTERNATE_SMS_REGIONS.get(region)}:
        raise InvalidParameterException("The SnsRegion is not allowed for the Region of the user pool.")


def _check_recovery(recovery: AccountRecoverySettingType) -> None:
    mechanisms = recovery.recovery_mechanisms or []
    names = [mechanism.name for mechanism in mechanisms]
    if RecoveryOptionNameType.admin_only in names and len(names) > 1:
        raise InvalidParameterException("The recovery mechanism admin_only cannot be combined with others.")
    priorities = [mechanism.priority for mechanism in mechanisms]
    if len(set(priorities)) < len(priorities) or len(set(names)) < len(names):
        raise InvalidParameterException("The names and priorities of RecoveryMechanisms must be distinct.")


def _check_first_factors(settings: UserPoolType, mfa: GetUserPoolMfaConfigResponse) -> None:
    factors = set(first_factors(settings.policies) or [AuthFactorType.PASSWORD])
    if AuthFactorType.PASSWORD not in factors:
        raise InvalidParameterException("PASSWORD is required in AllowedFirstAuthFactors")
    if AuthFactorType.SOFTWARE_TOKEN in factors:
        raise InvalidParameterException("SOFTWARE_TOKEN is not supported in AllowedFirstAuthFactors")
    if AuthFactorType.SMS_OTP in factors and settings.sms_configuration is None:
        raise InvalidParameterException(
            "SMS_OTP can not be configured as AuthFactor as user pool is missing valid SMS configuration"
        )
    if mfa.mfa_configuration is not UserPoolMfaType.ON:
        return
    if factors & {AuthFactorType.EMAIL_OTP, AuthFactorType.SMS_OTP}:
        raise InvalidParameterException(
            "Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is enabled"
        )
    passkeys = mfa.web_authn_configuration.factor_configuration if mfa.web_authn_configuration else None
    multi_factor = WebAuthnFactorConfigurationType.MULTI_FACTOR_WITH_USER_VERIFICATION
    if AuthFactorType.WEB_AUTHN in factors and passkeys is not multi_factor:
        raise InvalidParameterException(
            "WEB_AUTHN cannot be used as an auth factor when MFA is enabled if not configured for MFA"
        )


def _check_acr_names(settings: UserPoolType) -> None:
    names = Counter(level.acr_value for level in (settings.acr_configuration or {}).values())
    if any(count > 1 for count in names.values()):
        raise InvalidParameterException("The names in AcrConfiguration must be unique across all levels.")


def _check_triggers(triggers: LambdaConfigType) -> None:
    version = triggers.pre_token_generation_config
    if version is not None and triggers.pre_token_generation not in {None, version.lambda_arn}:
        raise InvalidParameterException(
            "PreTokenGeneration and the LambdaArn of PreTokenGenerationConfig must be identical."
        )
    if (triggers.custom_sms_sender or triggers.custom_email_sender) and not triggers.kms_key_id:
        raise InvalidParameterException("KMSKeyID is required for a custom sender.")
