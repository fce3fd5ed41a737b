"""The devices of users: confirmed, shown, remembered and forgotten (spec/api/04 §8)."""

from collections.abc import Callable

from poolhouse.api.registry import operation
from poolhouse.core.devices import INVALID_KEY, Device, asks_user, describe, read_secret
from poolhouse.core.paging import binding, cut
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.flows import devices
from poolhouse.flows.calls import AdminCall, Call, UserCall
from poolhouse.flows.devices import NOT_FOUND, check_tracking, confirm, seal_verifier
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.flows.users import find_user, get_user
from poolhouse.model import (
    AdminForgetDeviceRequest,
    AdminGetDeviceRequest,
    AdminGetDeviceResponse,
    AdminListDevicesRequest,
    AdminListDevicesResponse,
    AdminUpdateDeviceStatusRequest,
    AdminUpdateDeviceStatusResponse,
    ConfirmDeviceRequest,
    ConfirmDeviceResponse,
    DeviceRememberedStatusType,
    DeviceType,
    ForgetDeviceRequest,
    GetDeviceRequest,
    GetDeviceResponse,
    InvalidParameterException,
    ListDevicesRequest,
    ListDevicesResponse,
    ResourceNotFoundException,
    UpdateDeviceStatusRequest,
    UpdateDeviceStatusResponse,
)
from poolhouse.storage import Tx

PAGE = 60


@operation
async def confirm_device(call: UserCall, request: ConfirmDeviceRequest) -> ConfirmDeviceResponse:
    """Have the device tracked whose key came with this sign-in.

    Differs from Cognito: a user has at most 100 devices; a further one takes the place of the one that was
    signed in from the longest ago. DeviceSecretVerifierConfig may be left out; such a device is tracked, but never
    stands for a second factor.
    """
    check_tracking(call.pool)
    secret = read_secret(request.device_secret_verifier_config)
    if request.device_key != call.device_key:
        raise InvalidParameterException(INVALID_KEY)
    prompt = asks_user(call.pool)
    device = Device(
        user_id=call.user.id,
        key=request.device_key,
        name=request.device_name,
        remembered=not prompt,
        salt=secret.salt if secret else None,
        verifier=seal_verifier(call, call.user, request.device_key, secret) if secret else None,
        created_at=call.now,
        modified_at=call.now,
        authenticated_at=call.now,
        address=call.origin.address,
    )
    await confirm(call, call.user, device)
    return ConfirmDeviceResponse(user_confirmation_necessary=prompt)


@operation
async def get_device(call: UserCall, request: GetDeviceRequest) -> GetDeviceResponse:
    """Show a device of the user."""
    check_tracking(call.pool)
    device = await call.store.read(lambda tx: devices.get_device(tx, call.user, request.device_key))
    return GetDeviceResponse(device=_shown(call, call.pool, call.user, device))


@operation
async def list_devices(call: UserCall, request: ListDevicesRequest) -> ListDevicesResponse:
    """List the user's devices by key."""
    check_tracking(call.pool)
    page, token = await _list(call, request, lambda _: (call.pool, call.user))
    return ListDevicesResponse(devices=page, pagination_token=token)


@operation
async def update_device_status(call: UserCall, request: UpdateDeviceStatusRequest) -> UpdateDeviceStatusResponse:
    """Remember a device of the user, or do so no more."""
    check_tracking(call.pool)
    remembered = _read_status(request)
    await call.store.write(lambda tx: _remember(tx, call, call.user, request.device_key, remembered))
    return UpdateDeviceStatusResponse()


@operation
async def forget_device(call: UserCall, request: ForgetDeviceRequest) -> None:
    """Forget a device of the user. Refresh tokens that it got are good no more; access tokens stay until they expire."""
    check_tracking(call.pool)
    await call.store.write(lambda tx: _forget(tx, call.user, request.device_key))


@operation
async def admin_get_device(call: AdminCall, request: AdminGetDeviceRequest) -> AdminGetDeviceResponse:
    """Show a device of a user."""

    def load(tx: Tx) -> tuple[Pool, User, Device]:
        pool, user = _find_owner(call, tx, request)
        return pool, user, devices.get_device(tx, user, request.device_key)

    return AdminGetDeviceResponse(device=_shown(call, *await call.store.read(load)))


@operation
async def admin_list_devices(call: AdminCall, request: AdminListDevicesRequest) -> AdminListDevicesResponse:
    """List a user's devices by key."""
    page, token = await _list(call, request, lambda tx: _find_owner(call, tx, request))
    return AdminListDevicesResponse(devices=page, pagination_token=token)


@operation
async def admin_update_device_status(
    call: AdminCall, request: AdminUpdateDeviceStatusRequest
) -> AdminUpdateDeviceStatusResponse:
    """Remember a device of a user, or do so no more."""
    remembered = _read_status(request)
    await call.store.write(
        lambda tx: _remember(tx, call, _get_owner(call, tx, request), request.device_key, remembered)
    )
    return AdminUpdateDeviceStatusResponse()


@operation
async def admin_forget_device(call: AdminCall, request: AdminForgetDeviceRequest) -> None:
    """Forget a device of a user, as ForgetDevice does."""
    await call.store.write(lambda tx: _forget(tx, _get_owner(call, tx, request), request.device_key))


def _get_owner(call: AdminCall, tx: Tx, request: AdminForgetDeviceRequest | AdminUpdateDeviceStatusRequest) -> User:
    pool = call.pool(tx, request.user_pool_id)
    check_tracking(pool)
    return get_user(tx, pool, request.username)


def _find_owner(call: AdminCall, tx: Tx, request: AdminGetDeviceRequest | AdminListDevicesRequest) -> tuple[Pool, User]:
    """Return a pool and its user; raises ResourceNotFoundException, since these operations declare no other."""
    pool = call.pool(tx, request.user_pool_id)
    check_tracking(pool)
    user = find_user(tx, pool, request.username)
    if user is None:
        raise ResourceNotFoundException("User does not exist.")
    return pool, user


async def _list(
    call: Call, request: ListDevicesRequest | AdminListDevicesRequest, owner: Callable[[Tx], tuple[Pool, User]]
) -> tuple[list[DeviceType], str | None]:
    """Return a page of a user's devices, and the token that continues it."""
    limit = request.limit or PAGE

    def load(tx: Tx) -> tuple[Pool, User, bytes, list[Device]]:
        pool, user = owner(tx)
        bound = binding("ListDevices", pool.id, user.sub)
        place = open_place(call, bound, request.pagination_token)
        return pool, user, bound, tx.devices.page(user.id, after=place[0] if place else None, limit=limit + 1)

    pool, user, bound, found = await call.store.read(load)
    page, after = cut(found, limit, lambda device: device.key)
    return [_shown(call, pool, user, each) for each in page], seal_place(call, bound, after) if after else None


def _read_status(request: UpdateDeviceStatusRequest | AdminUpdateDeviceStatusRequest) -> bool:
    if request.device_remembered_status is None:
        raise InvalidParameterException("Missing required parameter DeviceRememberedStatus")
    return request.device_remembered_status == DeviceRememberedStatusType.remembered


def _remember(tx: Tx, call: Call, user: User, key: str, remembered: bool) -> None:
    if not tx.devices.remember(user.id, key, remembered=remembered, now=call.now):
        raise ResourceNotFoundException(NOT_FOUND)


def _forget(tx: Tx, user: User, key: str) -> None:
    if not tx.devices.delete(user.id, key):
        raise ResourceNotFoundException(NOT_FOUND)


def _shown(call: Call, pool: Pool, user: User, device: Device) -> DeviceType:
    return describe(device, pool, user, call.deps.identity.account_id)
