"""What the service fills in where a request for a pool says nothing, or half of something (spec/api/02 §1.1)."""

from msgspec.structs import replace

from poolhouse.core.tiers import DEFAULT_LEVELS, LITE
from poolhouse.model import (
    AccountRecoverySettingType,
    AcrLevelConfigType,
    AdminCreateUserConfigType,
    AuthFactorType,
    CreateUserPoolRequest,
    DcrConfigurationType,
    DefaultEmailOptionType,
    DeviceConfigurationType,
    EmailConfigurationType,
    EmailSendingAccountType,
    LambdaConfigType,
    OAuthFlowType,
    PasswordPolicyType,
    PreTokenGenerationLambdaVersionType,
    PreTokenGenerationVersionConfigType,
    RecoveryOptionNameType,
    RecoveryOptionType,
    SignInPolicyType,
    StatusType,
    UpdateUserPoolRequest,
    UserAttributeUpdateSettingsType,
    UserPoolPolicyType,
    UserPoolTierType,
    UserPoolType,
    VerificationMessageTemplateType,
)

PoolRequest = CreateUserPoolRequest | UpdateUserPoolRequest

TEMPORARY_PASSWORD_DAYS = 7
PASSWORD_POLICY = PasswordPolicyType(
    minimum_length=8,
    require_uppercase=True,
    require_lowercase=True,
    require_numbers=True,
    require_symbols=True,
    temporary_password_validity_days=TEMPORARY_PASSWORD_DAYS,
)
RECOVERY = AccountRecoverySettingType(
    recovery_mechanisms=[
        RecoveryOptionType(priority=1, name=RecoveryOptionNameType.verified_email),
        RecoveryOptionType(priority=2, name=RecoveryOptionNameType.verified_phone_number),
    ]
)


def given_password_policy(request: PoolRequest) -> PasswordPolicyType | None:
    """Return the password policy that a request carries."""
    return request.policies.password_policy if request.policies else None


def given_validity(request: PoolRequest) -> int | None:
    """Return the older UnusedAccountValidityDays that a request carries."""
    return request.admin_create_user_config.unused_account_validity_days if request.admin_create_user_config else None


def first_factors(policies: UserPoolPolicyType | None) -> list[AuthFactorType] | None:
    """Return AllowedFirstAuthFactors where it is set."""
    sign_in = policies.sign_in_policy if policies else None
    return sign_in.allowed_first_auth_factors if sign_in else None


def password_policy(request: PoolRequest, current: PasswordPolicyType) -> PasswordPolicyType:
    """Return the password policy: as given, else as it was.

    A policy in parts counts as a whole: what it does not require is not required.
    The life of temporary passwords may also come from the older UnusedAccountValidityDays.
    """
    given, older = given_password_policy(request), given_validity(request)
    if given is None:
        return replace(current, temporary_password_validity_days=older) if older else current
    return PasswordPolicyType(
        minimum_length=given.minimum_length or PASSWORD_POLICY.minimum_length,
        require_uppercase=bool(given.require_uppercase),
        require_lowercase=bool(given.require_lowercase),
        require_numbers=bool(given.require_numbers),
        require_symbols=bool(given.require_symbols),
        password_history_size=given.password_history_size,
        temporary_password_validity_days=given.temporary_password_validity_days or older or TEMPORARY_PASSWORD_DAYS,
    )


def policies(request: PoolRequest, current: UserPoolPolicyType | None, tier: UserPoolTierType) -> UserPoolPolicyType:
    """Return the policies of a pool: each kept where the request leaves it out.

    Pools below Essentials show no SignInPolicy as long as it allows passwords only.
    """
    factors = first_factors(request.policies)
    if factors is None:
        factors = first_factors(current) or [AuthFactorType.PASSWORD]
    shown = tier is not LITE or factors != [AuthFactorType.PASSWORD]
    before = (current and current.password_policy) or PASSWORD_POLICY
    return UserPoolPolicyType(
        password_policy=password_policy(request, before),
        sign_in_policy=SignInPolicyType(allowed_first_auth_factors=factors) if shown else None,
    )


def admin_create_user(given: AdminCreateUserConfigType | None, days: int | None) -> AdminCreateUserConfigType:
    """Return AdminCreateUserConfig; its validity mirrors the password policy's."""
    return AdminCreateUserConfigType(
        allow_admin_create_user_only=bool(given and given.allow_admin_create_user_only),
        unused_account_validity_days=days,
        invite_message_template=given.invite_message_template if given else None,
    )


def verification_messages(request: PoolRequest) -> VerificationMessageTemplateType:
    """Return the verification template; the three older members fill its gaps."""
    given = request.verification_message_template or VerificationMessageTemplateType()
    return replace(
        given,
        default_email_option=given.default_email_option or DefaultEmailOptionType.CONFIRM_WITH_CODE,
        email_message=given.email_message or request.email_verification_message,
        email_subject=given.email_subject or request.email_verification_subject,
        sms_message=given.sms_message or request.sms_verification_message,
    )


def triggers(given: LambdaConfigType | None) -> LambdaConfigType:
    """Return LambdaConfig with both spellings of the pre token generation trigger."""
    config = given or LambdaConfigType()
    if config.pre_token_generation and config.pre_token_generation_config is None:
        version = PreTokenGenerationVersionConfigType(
            lambda_arn=config.pre_token_generation, lambda_version=PreTokenGenerationLambdaVersionType.V1_0
        )
        return replace(config, pre_token_generation_config=version)
    if config.pre_token_generation_config and config.pre_token_generation is None:
        return replace(config, pre_token_generation=config.pre_token_generation_config.lambda_arn)
    return config


def email(given: EmailConfigurationType) -> EmailConfigurationType:
    """Return EmailConfiguration with its sending account."""
    return replace(given, email_sending_account=given.email_sending_account or EmailSendingAccountType.COGNITO_DEFAULT)


def device_tracking(given: DeviceConfigurationType | None) -> DeviceConfigurationType | None:
    """Return DeviceConfiguration with both switches; naming it at all turns device tracking on."""
    return given and DeviceConfigurationType(
        challenge_required_on_new_device=bool(given.challenge_required_on_new_device),
        device_only_remembered_on_user_prompt=bool(given.device_only_remembered_on_user_prompt),
    )


def attribute_updates(request: PoolRequest, current: UserPoolType) -> UserAttributeUpdateSettingsType | None:
    """Return UserAttributeUpdateSettings: shown, if only as an empty list, once it was ever set."""
    given = request.user_attribute_update_settings
    if given is None and current.user_attribute_update_settings is None:
        return None
    attributes = (given.attributes_require_verification_before_update if given else None) or []
    return UserAttributeUpdateSettingsType(attributes_require_verification_before_update=attributes)


def acr_levels(given: dict[str, AcrLevelConfigType] | None) -> dict[str, AcrLevelConfigType]:
    """Return the names of the four authentication levels (spec/api/10 §9)."""
    named = {level: AcrLevelConfigType(acr_value=name) for level, name in DEFAULT_LEVELS.items()}
    return named | (given or {})


def client_registration(given: DcrConfigurationType) -> DcrConfigurationType:
    """Return DcrConfiguration with its defaults (spec/api/10 §10). An empty list is meant; an absent one is not."""
    code, client_credentials = OAuthFlowType.code, OAuthFlowType.client_credentials
    authenticated, open_ = given.authenticated_grant_types, given.open_dcr_grant_types
    return replace(
        given,
        enable_status=given.enable_status or StatusType.Enabled,
        open_dcr_enabled=bool(given.open_dcr_enabled),
        authenticated_grant_types=[code, client_credentials] if authenticated is None else authenticated,
        open_dcr_grant_types=[code] if open_ is None else open_,
    )
