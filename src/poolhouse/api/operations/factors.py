"""Second factors of a user: authenticator apps, and what is preferred (spec/api/04 §9)."""

from collections.abc import Callable

from msgspec.structs import replace

from poolhouse.api.callers import user_call
from poolhouse.api.registry import operation
from poolhouse.core.factors import (
    configured_factors,
    settings_of,
    with_options,
    with_preferences,
    without_token,
)
from poolhouse.core.pool import Pool
from poolhouse.core.user import Factors, User
from poolhouse.flows import enrolment, software_tokens
from poolhouse.flows.calls import AdminCall, PublicCall, UserCall
from poolhouse.flows.users import get_user, get_user_again, save_user
from poolhouse.model import (
    OPERATIONS,
    AdminDeleteSoftwareTokenRequest,
    AdminDeleteSoftwareTokenResponse,
    AdminGetUserAuthFactorsRequest,
    AdminGetUserAuthFactorsResponse,
    AdminSetUserMFAPreferenceRequest,
    AdminSetUserMFAPreferenceResponse,
    AdminSetUserSettingsRequest,
    AdminSetUserSettingsResponse,
    AssociateSoftwareTokenRequest,
    AssociateSoftwareTokenResponse,
    GetUserAuthFactorsRequest,
    GetUserAuthFactorsResponse,
    InvalidParameterException,
    PasswordResetRequiredException,
    SetUserMFAPreferenceRequest,
    SetUserMFAPreferenceResponse,
    SetUserSettingsRequest,
    SetUserSettingsResponse,
    UserNotConfirmedException,
    UserStatusType,
    VerifySoftwareTokenRequest,
    VerifySoftwareTokenResponse,
    VerifySoftwareTokenResponseType,
)
from poolhouse.storage import Tx

ONE_OF_TWO = "Exactly one of AccessToken and Session must be given."


@operation
async def associate_software_token(
    call: PublicCall, request: AssociateSoftwareTokenRequest
) -> AssociateSoftwareTokenResponse:
    """Give the user a new secret for an authenticator app; its first code puts it into use."""
    _check_one_of_two(request)
    if request.session is not None:
        secret, session = await enrolment.associate(call, request.session)
        return AssociateSoftwareTokenResponse(secret_code=secret, session=session)
    user = await user_call(call, OPERATIONS["AssociateSoftwareToken"], request)
    return AssociateSoftwareTokenResponse(secret_code=await software_tokens.associate(user))


@operation
async def verify_software_token(call: PublicCall, request: VerifySoftwareTokenRequest) -> VerifySoftwareTokenResponse:
    """Put the secret last given to the user into use by its first code.

    Differs from Cognito: a FriendlyDeviceName can have 256 characters.
    """
    _check_one_of_two(request)
    success, name = VerifySoftwareTokenResponseType.SUCCESS, request.friendly_device_name
    if request.session is not None:
        session = await enrolment.verify(call, request.session, request.user_code, name)
        return VerifySoftwareTokenResponse(status=success, session=session)
    user = await user_call(call, OPERATIONS["VerifySoftwareToken"], request)
    await software_tokens.verify(user, request.user_code, name)
    return VerifySoftwareTokenResponse(status=success)


@operation
async def set_user_mfa_preference(call: UserCall, request: SetUserMFAPreferenceRequest) -> SetUserMFAPreferenceResponse:
    """Turn second factors of the user on or off, and prefer one; what is left out stays as it is."""
    await _change_own(call, lambda user: with_preferences(call.pool, user, request))
    return SetUserMFAPreferenceResponse()


@operation
async def admin_set_user_mfa_preference(
    call: AdminCall, request: AdminSetUserMFAPreferenceRequest
) -> AdminSetUserMFAPreferenceResponse:
    """Turn second factors of a user on or off, and prefer one; what is left out stays as it is."""

    def change(pool: Pool, user: User) -> Factors:
        _check_confirmed(user)
        if user.status == UserStatusType.RESET_REQUIRED:
            raise PasswordResetRequiredException("Password reset required for the user")
        return with_preferences(pool, user, request)

    await _change(call, request.user_pool_id, request.username, change)
    return AdminSetUserMFAPreferenceResponse()


@operation
async def set_user_settings(call: UserCall, request: SetUserSettingsRequest) -> SetUserSettingsResponse:
    """Turn the text message factor of the user on or off: the older form of SetUserMFAPreference."""
    await _change_own(call, lambda user: with_options(call.pool, user, request.mfa_options))
    return SetUserSettingsResponse()


@operation
async def admin_set_user_settings(
    call: AdminCall, request: AdminSetUserSettingsRequest
) -> AdminSetUserSettingsResponse:
    """Turn the text message factor of a user on or off: the older form of AdminSetUserMFAPreference."""
    change = lambda pool, user: with_options(pool, user, request.mfa_options)  # noqa: E731
    await _change(call, request.user_pool_id, request.username, change)
    return AdminSetUserSettingsResponse()


@operation
async def admin_delete_software_token(
    call: AdminCall, request: AdminDeleteSoftwareTokenRequest
) -> AdminDeleteSoftwareTokenResponse:
    """Take the authenticator app from a user who has lost it; nothing happens where there is none."""

    def change(_: Pool, user: User) -> Factors:
        _check_confirmed(user)
        return without_token(user.factors)

    await _change(call, request.user_pool_id, request.username, change)
    return AdminDeleteSoftwareTokenResponse()


@operation
async def get_user_auth_factors(
    call: UserCall,
    request: GetUserAuthFactorsRequest,  # noqa: ARG001 - the token is read
) -> GetUserAuthFactorsResponse:
    """Show what the user can sign in with, and which second factors are asked for."""
    enabled, preferred = settings_of(call.user)
    return GetUserAuthFactorsResponse(
        username=call.user.username,
        preferred_mfa_setting=preferred,
        user_mfa_setting_list=enabled,
        configured_user_auth_factors=configured_factors(call.pool, call.user),
    )


@operation
async def admin_get_user_auth_factors(
    call: AdminCall, request: AdminGetUserAuthFactorsRequest
) -> AdminGetUserAuthFactorsResponse:
    """Show what a user can sign in with, and which second factors are asked for."""

    def load(tx: Tx) -> tuple[Pool, User]:
        pool = call.pool(tx, request.user_pool_id)
        return pool, get_user(tx, pool, request.username)

    pool, user = await call.store.read(load)
    enabled, preferred = settings_of(user)
    return AdminGetUserAuthFactorsResponse(
        username=user.username,
        preferred_mfa_setting=preferred,
        user_mfa_setting_list=enabled,
        configured_user_auth_factors=configured_factors(pool, user),
    )


def _check_one_of_two(request: AssociateSoftwareTokenRequest | VerifySoftwareTokenRequest) -> None:
    if (request.access_token is None) == (request.session is None):
        raise InvalidParameterException(ONE_OF_TWO)


def _check_confirmed(user: User) -> None:
    if user.status == UserStatusType.UNCONFIRMED:
        raise UserNotConfirmedException("User is not confirmed.")


async def _change_own(call: UserCall, change: Callable[[User], Factors]) -> None:
    """Change the factors of the user who calls, in one write."""

    def commit(tx: Tx) -> None:
        user = get_user_again(tx, call.user)
        _save(tx, call, call.pool, user, change(user))

    await call.store.write(commit)


async def _change(call: AdminCall, pool_id: str, username: str, change: Callable[[Pool, User], Factors]) -> None:
    """Find a user and change its factors, in one write."""

    def commit(tx: Tx) -> None:
        pool = call.pool(tx, pool_id)
        user = get_user(tx, pool, username)
        _save(tx, call, pool, user, change(pool, user))

    await call.store.write(commit)


def _save(tx: Tx, call: AdminCall | UserCall, pool: Pool, user: User, factors: Factors) -> None:
    if factors != user.factors:
        save_user(tx, pool, replace(user, factors=factors, modified_at=call.now))
