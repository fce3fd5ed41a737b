"""One user, as administrators see and change it."""

from collections.abc import Callable

from poolhouse.api.registry import operation
from poolhouse.core import passwords
from poolhouse.core.attributes import from_wire, to_wire
from poolhouse.core.factors import options_of, settings_of
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.flows import attributes, invitations, recover, sign_up
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.passwords import set_password
from poolhouse.flows.users import describe, enable, end_sessions, get_user
from poolhouse.model import (
    AdminConfirmSignUpRequest,
    AdminConfirmSignUpResponse,
    AdminCreateUserRequest,
    AdminCreateUserResponse,
    AdminDeleteUserAttributesRequest,
    AdminDeleteUserAttributesResponse,
    AdminDeleteUserRequest,
    AdminDisableUserRequest,
    AdminDisableUserResponse,
    AdminEnableUserRequest,
    AdminEnableUserResponse,
    AdminGetUserRequest,
    AdminGetUserResponse,
    AdminResetUserPasswordRequest,
    AdminResetUserPasswordResponse,
    AdminSetUserPasswordRequest,
    AdminSetUserPasswordResponse,
    AdminUpdateUserAttributesRequest,
    AdminUpdateUserAttributesResponse,
    AdminUserGlobalSignOutRequest,
    AdminUserGlobalSignOutResponse,
    UserStatusType,
)
from poolhouse.storage import Tx


@operation
async def admin_create_user(call: AdminCall, request: AdminCreateUserRequest) -> AdminCreateUserResponse:
    """Make a user with a temporary password and send the invitation, or send it again.

    Differs from Cognito: without a mail server or a text message gateway the invitation stays in the outbox.
    """
    pool = await _pool(call, request.user_pool_id)
    return AdminCreateUserResponse(user=describe(await invitations.create(call, pool, request)))


@operation
async def admin_get_user(call: AdminCall, request: AdminGetUserRequest) -> AdminGetUserResponse:
    """Show a user, found by name, ``sub`` or alias."""
    user = await call.store.read(_finder(call, request.user_pool_id, request.username))
    enabled, preferred = settings_of(user)
    return AdminGetUserResponse(
        username=user.username,
        user_attributes=to_wire(user.sub, user.attributes),
        user_create_date=user.created_at / 1000,
        user_last_modified_date=user.modified_at / 1000,
        enabled=user.enabled,
        user_status=user.status,
        mfa_options=options_of(user.factors),
        preferred_mfa_setting=preferred,
        user_mfa_setting_list=enabled,
    )


@operation
async def admin_confirm_sign_up(call: AdminCall, request: AdminConfirmSignUpRequest) -> AdminConfirmSignUpResponse:
    """Confirm a user without a code; nothing becomes verified by it."""
    pool = await _pool(call, request.user_pool_id)
    await sign_up.confirm_by_admin(call, pool, request.username, request.client_metadata)
    return AdminConfirmSignUpResponse()


@operation
async def admin_set_user_password(
    call: AdminCall, request: AdminSetUserPasswordRequest
) -> AdminSetUserPasswordResponse:
    """Set a password: for good, or until the next sign-in asks for another."""
    pool = await _pool(call, request.user_pool_id)
    passwords.check_policy(pool, request.password)
    user = await call.store.read(_finder(call, request.user_pool_id, request.username))
    status = UserStatusType.CONFIRMED if request.permanent else UserStatusType.FORCE_CHANGE_PASSWORD
    await set_password(call, pool, user, request.password, status)
    return AdminSetUserPasswordResponse()


@operation
async def admin_reset_user_password(
    call: AdminCall, request: AdminResetUserPasswordRequest
) -> AdminResetUserPasswordResponse:
    """Void a user's password and send a code to set a new one with."""
    pool = await _pool(call, request.user_pool_id)
    await recover.reset_by_admin(call, pool, request.username, request.client_metadata)
    return AdminResetUserPasswordResponse()


@operation
async def admin_update_user_attributes(
    call: AdminCall, request: AdminUpdateUserAttributesRequest
) -> AdminUpdateUserAttributesResponse:
    """Change attributes, whether or not clients may write them, and what counts as verified."""
    pool = await _pool(call, request.user_pool_id)
    find = _finder(call, request.user_pool_id, request.username)
    changes = from_wire(request.user_attributes)
    await attributes.update(call, pool, None, find, changes, request.client_metadata)
    return AdminUpdateUserAttributesResponse()


@operation
async def admin_delete_user_attributes(
    call: AdminCall, request: AdminDeleteUserAttributesRequest
) -> AdminDeleteUserAttributesResponse:
    """Delete attributes."""
    pool = await _pool(call, request.user_pool_id)
    find = _finder(call, request.user_pool_id, request.username)
    await attributes.delete(call, pool, find, request.user_attribute_names)
    return AdminDeleteUserAttributesResponse()


@operation
async def admin_enable_user(call: AdminCall, request: AdminEnableUserRequest) -> AdminEnableUserResponse:
    """Let a user sign in again; tokens from before stay revoked."""
    await _change(call, request.user_pool_id, request.username, lambda tx, pool, user: enable(tx, pool, user, call.now))
    return AdminEnableUserResponse()


@operation
async def admin_disable_user(call: AdminCall, request: AdminDisableUserRequest) -> AdminDisableUserResponse:
    """Bar a user from signing in and revoke every token."""
    await _change(
        call,
        request.user_pool_id,
        request.username,
        lambda tx, pool, user: end_sessions(tx, pool, user, call.now, enabled=False),
    )
    return AdminDisableUserResponse()


@operation
async def admin_delete_user(call: AdminCall, request: AdminDeleteUserRequest) -> None:
    """Delete a user with everything that belongs to it."""
    await _change(call, request.user_pool_id, request.username, lambda tx, _pool, user: tx.users.delete(user))


@operation
async def admin_user_global_sign_out(
    call: AdminCall, request: AdminUserGlobalSignOutRequest
) -> AdminUserGlobalSignOutResponse:
    """Revoke every token of a user."""
    await _change(
        call,
        request.user_pool_id,
        request.username,
        lambda tx, pool, user: end_sessions(tx, pool, user, call.now),
    )
    return AdminUserGlobalSignOutResponse()


async def _pool(call: AdminCall, pool_id: str) -> Pool:
    return await call.store.read(lambda tx: call.pool(tx, pool_id))


def _finder(call: AdminCall, pool_id: str, username: str) -> Callable[[Tx], User]:
    """Return what finds a user of a pool inside a transaction."""
    return lambda tx: get_user(tx, call.pool(tx, pool_id), username)


async def _change(call: AdminCall, pool_id: str, username: str, change: Callable[[Tx, Pool, User], object]) -> None:
    """Find a user and change it, in one write."""

    def commit(tx: Tx) -> None:
        pool = call.pool(tx, pool_id)
        change(tx, pool, get_user(tx, pool, username))

    await call.store.write(commit)
