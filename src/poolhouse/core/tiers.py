"""Feature plans: which settings need which tier (spec/api/02 §1.4, spec/http/05 §5.7).

Differs from Cognito (feature plans): the plan of a pool decides which settings it takes, as there; nothing is billed.
"""

from collections.abc import Iterator

from poolhouse.model import (
    AdvancedSecurityModeType,
    AuthFactorType,
    FeatureUnavailableInTierException,
    GetUserPoolMfaConfigResponse,
    PreTokenGenerationLambdaVersionType,
    StatusType,
    UserPoolTierType,
    UserPoolType,
)

LITE = UserPoolTierType.LITE
ESSENTIALS = UserPoolTierType.ESSENTIALS
PLUS = UserPoolTierType.PLUS
DEFAULT_LEVELS = {f"Level{level}": f"urn:cognito:loa:{level}" for level in range(1, 5)}


def tier_of(settings: UserPoolType) -> UserPoolTierType:
    """Return the feature plan of a pool."""
    return settings.user_pool_tier or ESSENTIALS


def check_feature(tier: UserPoolTierType, feature: str) -> None:
    """Check that a pool of this tier may use a feature of the Essentials plan.

    Raises FeatureUnavailableInTierException.
    """
    if tier is LITE:
        raise FeatureUnavailableInTierException(
            f"The following features need to be disabled for the {tier} tier configured: {feature}"
        )


def check_tier(settings: UserPoolType, mfa: GetUserPoolMfaConfigResponse) -> None:
    """Check that the pool's tier covers its settings; raises FeatureUnavailableInTierException."""
    tier = tier_of(settings)
    features = [*(_essential_features(settings, mfa) if tier is LITE else ())]
    add_ons = settings.user_pool_add_ons
    if tier is not PLUS and add_ons and add_ons.advanced_security_mode is not AdvancedSecurityModeType.OFF:
        features.append("Threat Protection")
    if features:
        raise FeatureUnavailableInTierException(
            f"The following features need to be disabled for the {tier} tier configured: {', '.join(features)}"
        )


def _essential_features(settings: UserPoolType, mfa: GetUserPoolMfaConfigResponse) -> Iterator[str]:
    """Yield the features in use that the Lite plan lacks."""
    policies = settings.policies
    sign_in = policies.sign_in_policy if policies else None
    if sign_in and set(sign_in.allowed_first_auth_factors or ()) - {AuthFactorType.PASSWORD}:
        yield "Passwordless Sign-In"
    if policies and policies.password_policy and policies.password_policy.password_history_size:
        yield "Password History"
    trigger = settings.lambda_config.pre_token_generation_config if settings.lambda_config else None
    if trigger and trigger.lambda_version is not PreTokenGenerationLambdaVersionType.V1_0:
        yield f"Token Customization with Pre-Token Generation Lambda {trigger.lambda_version}"
    if mfa.email_mfa_configuration is not None:
        yield "Email MFA"
    if {level: named.acr_value for level, named in (settings.acr_configuration or {}).items()} != DEFAULT_LEVELS:
        yield "Custom ACR Names"
    if settings.dcr_configuration and settings.dcr_configuration.enable_status is StatusType.Enabled:
        yield "Dynamic Client Registration"
