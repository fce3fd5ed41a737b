"""User pools as CreateUserPool, UpdateUserPool and AddCustomAttributes leave them (spec/api/02 §1–2)."""

from typing import TypeVar

from msgspec.structs import replace

from poolhouse.core import pool_defaults as defaults
from poolhouse.core.mfa_settings import updated_mfa
from poolhouse.core.names import pool_arn
from poolhouse.core.pool import Pool
from poolhouse.core.pool_checks import check_identifiers, check_request, check_settings, check_update_verification
from poolhouse.core.pool_defaults import PoolRequest
from poolhouse.core.schema import extended_schema, new_schema
from poolhouse.core.tiers import ESSENTIALS, check_tier
from poolhouse.model import (
    CreateUserPoolRequest,
    DeletionProtectionType,
    EmailConfigurationType,
    GetUserPoolMfaConfigResponse,
    SchemaAttributeType,
    UpdateUserPoolRequest,
    UserPoolMfaType,
    UserPoolType,
)

T = TypeVar("T")


def new_pool(request: CreateUserPoolRequest, *, pool_id: str, account_id: str, device_group_key: str, now: int) -> Pool:
    """Return the pool that a request asks for. Raises InvalidParameterException, tagging and tier errors."""
    check_identifiers(request)
    region = pool_id.rpartition("_")[0]
    settings = UserPoolType(
        id=pool_id,
        arn=pool_arn(region, account_id, pool_id),
        name=request.pool_name,
        creation_date=now / 1000,
        schema_attributes=new_schema(request.schema or []),
        username_attributes=request.username_attributes or None,
        alias_attributes=request.alias_attributes or None,
        username_configuration=request.username_configuration,
        deletion_protection=DeletionProtectionType.INACTIVE,
        email_configuration=defaults.email(EmailConfigurationType()),
        account_recovery_setting=defaults.RECOVERY,
        user_pool_tags={},
        user_pool_tier=ESSENTIALS,
        acr_configuration=defaults.acr_levels(None),
    )
    untouched = GetUserPoolMfaConfigResponse(mfa_configuration=UserPoolMfaType.OFF)
    blank = Pool(id=pool_id, settings=settings, mfa=untouched, device_group_key=device_group_key)
    return _applied(blank, request, now)


def updated_pool(pool: Pool, request: UpdateUserPoolRequest, now: int) -> Pool:
    """Return the pool after an update. Raises InvalidParameterException, tagging and tier errors."""
    renamed = replace(pool, settings=replace(pool.settings, name=request.pool_name or pool.settings.name))
    return _applied(renamed, request, now)


def pool_with_attributes(pool: Pool, added: list[SchemaAttributeType], now: int) -> Pool:
    """Return the pool with more custom attributes; raises InvalidParameterException."""
    schema = extended_schema(pool.settings.schema_attributes or [], added)
    return replace(pool, settings=replace(pool.settings, schema_attributes=schema, last_modified_date=now / 1000))


def _applied(pool: Pool, request: PoolRequest, now: int) -> Pool:
    """Lay a request over a pool and check the result. Members that an update may leave out are kept or reset
    as was measured on the service (spec/api/02 §2); a new pool has the defaults to keep.
    """
    check_request(request)
    current = pool.settings
    guarded = _required_verification(request, current)
    check_update_verification(guarded, list(request.auto_verified_attributes or ()))
    settings = _reset(_kept(current, request), current, request)
    settings = replace(settings, last_modified_date=now / 1000)
    mfa = updated_mfa(pool.mfa, request, settings)
    settings = replace(settings, mfa_configuration=mfa.mfa_configuration)
    check_settings(settings, mfa, pool.seat_region)
    check_tier(settings, mfa)
    return replace(pool, settings=settings, mfa=mfa)


def _kept(current: UserPoolType, request: PoolRequest) -> UserPoolType:
    """Apply the members that stay as they are where a request leaves them out."""
    tier = request.user_pool_tier or current.user_pool_tier or ESSENTIALS
    email, levels, registration = request.email_configuration, request.acr_configuration, request.dcr_configuration
    return replace(
        current,
        user_pool_tier=tier,
        policies=defaults.policies(request, current.policies, tier),
        deletion_protection=request.deletion_protection or current.deletion_protection,
        email_configuration=current.email_configuration if email is None else defaults.email(email),
        sms_configuration=_given(request.sms_configuration, current.sms_configuration),
        account_recovery_setting=_given(request.account_recovery_setting, current.account_recovery_setting),
        user_pool_tags=_given(request.user_pool_tags, current.user_pool_tags),
        key_configuration=_given(request.key_configuration, current.key_configuration),
        issuer_configuration=_given(request.issuer_configuration, current.issuer_configuration),
        acr_configuration=current.acr_configuration if levels is None else defaults.acr_levels(levels),
        dcr_configuration=(
            current.dcr_configuration if registration is None else defaults.client_registration(registration)
        ),
    )


def _reset(settings: UserPoolType, current: UserPoolType, request: PoolRequest) -> UserPoolType:
    """Apply the members that go back to their defaults where a request leaves them out."""
    password = settings.policies.password_policy if settings.policies else None
    template = defaults.verification_messages(request)
    return replace(
        settings,
        lambda_config=defaults.triggers(request.lambda_config),
        user_pool_add_ons=request.user_pool_add_ons,
        admin_create_user_config=defaults.admin_create_user(
            request.admin_create_user_config, password.temporary_password_validity_days if password else None
        ),
        auto_verified_attributes=request.auto_verified_attributes or None,
        verification_message_template=template,
        sms_verification_message=template.sms_message,
        email_verification_message=template.email_message,
        email_verification_subject=template.email_subject,
        sms_authentication_message=request.sms_authentication_message,
        device_configuration=defaults.device_tracking(request.device_configuration),
        user_attribute_update_settings=defaults.attribute_updates(request, current),
    )


def _required_verification(request: PoolRequest, current: UserPoolType) -> list[str]:
    """Return the attributes to verify before an update. Cognito: where a request leaves them out, the stored ones
    still stand in the check against AutoVerifiedAttributes, before they are reset (spec/api/02 §2).
    """
    chosen = request.user_attribute_update_settings or current.user_attribute_update_settings
    return list((chosen.attributes_require_verification_before_update if chosen else None) or ())


def _given(requested: T | None, current: T | None) -> T | None:
    return current if requested is None else requested
