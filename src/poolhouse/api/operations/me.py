"""What signed-in users see and change of themselves."""

from poolhouse.api.registry import operation
from poolhouse.core import passwords
from poolhouse.core.attributes import check_writable, from_wire, readable, to_wire
from poolhouse.core.factors import options_of, settings_of
from poolhouse.core.limits import Purpose
from poolhouse.flows import attributes, compromised, journal
from poolhouse.flows.calls import UserCall
from poolhouse.flows.limits import count_attempt
from poolhouse.flows.passwords import set_password
from poolhouse.flows.users import end_sessions, get_user_again
from poolhouse.model import (
    ChangePasswordRequest,
    ChangePasswordResponse,
    DeleteUserAttributesRequest,
    DeleteUserAttributesResponse,
    DeleteUserRequest,
    EventFilterType,
    EventResponseType,
    EventType,
    GetUserAttributeVerificationCodeRequest,
    GetUserAttributeVerificationCodeResponse,
    GetUserRequest,
    GetUserResponse,
    GlobalSignOutRequest,
    GlobalSignOutResponse,
    NotAuthorizedException,
    UpdateUserAttributesRequest,
    UpdateUserAttributesResponse,
    VerifyUserAttributeRequest,
    VerifyUserAttributeResponse,
)
from poolhouse.storage import Tx


@operation
async def get_user(call: UserCall, request: GetUserRequest) -> GetUserResponse:  # noqa: ARG001 - the token is read
    """Show the user, as far as the client may read attributes."""
    enabled, preferred = settings_of(call.user)
    return GetUserResponse(
        username=call.user.username,
        user_attributes=to_wire(call.user.sub, call.user.attributes, readable(call.pool, call.client)),
        mfa_options=options_of(call.user.factors),
        preferred_mfa_setting=preferred,
        user_mfa_setting_list=enabled,
    )


@operation
async def update_user_attributes(call: UserCall, request: UpdateUserAttributesRequest) -> UpdateUserAttributesResponse:
    """Change attributes that the client may write, and send the codes that new values need."""
    changes = from_wire(request.user_attributes)
    check_writable(call.pool, call.client, changes)
    details = await attributes.update(
        call, call.pool, call.client, lambda tx: get_user_again(tx, call.user), changes, request.client_metadata
    )
    return UpdateUserAttributesResponse(code_delivery_details_list=details)


@operation
async def delete_user_attributes(call: UserCall, request: DeleteUserAttributesRequest) -> DeleteUserAttributesResponse:
    """Delete attributes that the client may write."""
    check_writable(call.pool, call.client, request.user_attribute_names)
    await attributes.delete(call, call.pool, lambda tx: get_user_again(tx, call.user), request.user_attribute_names)
    return DeleteUserAttributesResponse()


@operation
async def get_user_attribute_verification_code(
    call: UserCall, request: GetUserAttributeVerificationCodeRequest
) -> GetUserAttributeVerificationCodeResponse:
    """Send a code that verifies the user's e-mail address or telephone number."""
    details = await attributes.request_code(
        call, call.pool, call.client, call.user, request.attribute_name, request.client_metadata
    )
    return GetUserAttributeVerificationCodeResponse(code_delivery_details=details)


@operation
async def verify_user_attribute(call: UserCall, request: VerifyUserAttributeRequest) -> VerifyUserAttributeResponse:
    """Verify the user's e-mail address or telephone number with the code that was sent."""
    await attributes.verify(call, call.pool, call.user, request.attribute_name, request.code)
    return VerifyUserAttributeResponse()


@operation
async def delete_user(call: UserCall, request: DeleteUserRequest) -> None:  # noqa: ARG001 - the token is read
    """Delete the user with everything that belongs to it."""

    def commit(tx: Tx) -> None:
        tx.users.delete(get_user_again(tx, call.user))

    await call.store.write(commit)


@operation
async def global_sign_out(call: UserCall, request: GlobalSignOutRequest) -> GlobalSignOutResponse:  # noqa: ARG001
    """Revoke every token of the user."""
    await call.store.write(lambda tx: end_sessions(tx, call.pool, get_user_again(tx, call.user), call.now))
    return GlobalSignOutResponse()


@operation
async def change_password(call: UserCall, request: ChangePasswordRequest) -> ChangePasswordResponse:
    """Replace the password by a new one; users without a password need not give an old one."""
    pool, user = call.pool, call.user
    passwords.check_policy(pool, request.proposed_password)
    await call.store.write(lambda tx: count_attempt(tx, call.now, pool, user.username, Purpose.CHANGE_PASSWORD))
    hashed = user.credentials.password_hash
    entry = journal.begin(call, pool, call.client, user, EventType.PasswordChange)
    async with journal.watching(entry):
        if hashed is not None and not await call.deps.passwords.verify(hashed, request.previous_password or ""):
            raise NotAuthorizedException("Incorrect username or password.")
    entry = await compromised.look_up(entry, EventFilterType.PASSWORD_CHANGE, request.proposed_password)
    await compromised.check_change(entry)
    note = entry.at(EventResponseType.Pass)
    await set_password(call, pool, user, request.proposed_password, user.status, known=True, note=note)
    return ChangePasswordResponse()
