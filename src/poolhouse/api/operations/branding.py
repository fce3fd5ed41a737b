"""Managed login branding (spec/http/07 §7.8)."""

from poolhouse.api.registry import operation
from poolhouse.core.branding_rules import MAX_STYLES, merged_style, new_style, updated_style
from poolhouse.core.validation import invalid_member
from poolhouse.flows.calls import AdminCall
from poolhouse.model import (
    CreateManagedLoginBrandingRequest,
    CreateManagedLoginBrandingResponse,
    DeleteManagedLoginBrandingRequest,
    DescribeManagedLoginBrandingByClientRequest,
    DescribeManagedLoginBrandingByClientResponse,
    DescribeManagedLoginBrandingRequest,
    DescribeManagedLoginBrandingResponse,
    LimitExceededException,
    ManagedLoginBrandingExistsException,
    ManagedLoginBrandingType,
    ResourceNotFoundException,
    UpdateManagedLoginBrandingRequest,
    UpdateManagedLoginBrandingResponse,
)
from poolhouse.storage import Tx
from poolhouse.storage.errors import AlreadyExists


@operation
async def create_managed_login_branding(
    call: AdminCall, request: CreateManagedLoginBrandingRequest
) -> CreateManagedLoginBrandingResponse:
    """Give an app client a branding style, without which its managed login pages do not open.

    Differs from Cognito: an SVG image that does more than draw is refused, not cleaned.
    """
    style = new_style(request, style_id=call.deps.random.uuid(), now=call.now)

    def commit(tx: Tx) -> None:
        client = call.client(tx, request.user_pool_id, request.client_id)
        if tx.branding.find_by_client(client.id) is not None:
            raise AlreadyExists("branding")
        if tx.branding.count(client.pool_id) >= MAX_STYLES:
            raise LimitExceededException(f"A user pool can have at most {MAX_STYLES} branding styles.")
        tx.branding.insert(style, client.id)

    try:
        await call.store.write(commit)
    except AlreadyExists:
        raise ManagedLoginBrandingExistsException(
            f"A managed login branding style already exists for client {request.client_id}."
        ) from None
    return CreateManagedLoginBrandingResponse(managed_login_branding=style)


@operation
async def describe_managed_login_branding(
    call: AdminCall, request: DescribeManagedLoginBrandingRequest
) -> DescribeManagedLoginBrandingResponse:
    """Return a branding style: its own values, or all values where ReturnMergedResources says so."""
    style = await call.store.read(lambda tx: _get(call, tx, request.user_pool_id, request.managed_login_branding_id))
    return DescribeManagedLoginBrandingResponse(
        managed_login_branding=merged_style(style) if request.return_merged_resources else style
    )


@operation
async def describe_managed_login_branding_by_client(
    call: AdminCall, request: DescribeManagedLoginBrandingByClientRequest
) -> DescribeManagedLoginBrandingByClientResponse:
    """Return the branding style of an app client."""

    def load(tx: Tx) -> ManagedLoginBrandingType | None:
        return tx.branding.find_by_client(call.client(tx, request.user_pool_id, request.client_id).id)

    style = await call.store.read(load)
    if style is None:
        raise ResourceNotFoundException(f"Managed login branding style for client {request.client_id} does not exist.")
    return DescribeManagedLoginBrandingByClientResponse(
        managed_login_branding=merged_style(style) if request.return_merged_resources else style
    )


@operation
async def update_managed_login_branding(
    call: AdminCall, request: UpdateManagedLoginBrandingRequest
) -> UpdateManagedLoginBrandingResponse:
    """Lay settings and assets over those of a style; what the request leaves out stays."""
    pool_id, style_id = request.user_pool_id, request.managed_login_branding_id
    if pool_id is None:
        raise invalid_member("userPoolId", "Member must not be null")
    if style_id is None:
        raise invalid_member("managedLoginBrandingId", "Member must not be null")

    def commit(tx: Tx) -> ManagedLoginBrandingType:
        style = updated_style(_get(call, tx, pool_id, style_id), request, call.now)
        tx.branding.save(style)
        return style

    return UpdateManagedLoginBrandingResponse(managed_login_branding=await call.store.write(commit))


@operation
async def delete_managed_login_branding(call: AdminCall, request: DeleteManagedLoginBrandingRequest) -> None:
    """Delete a branding style; the managed login pages of its client stop working."""

    def commit(tx: Tx) -> None:
        _get(call, tx, request.user_pool_id, request.managed_login_branding_id)
        tx.branding.delete(request.user_pool_id, request.managed_login_branding_id)

    await call.store.write(commit)


def _get(call: AdminCall, tx: Tx, pool_id: str, style_id: str) -> ManagedLoginBrandingType:
    pool = call.pool(tx, pool_id)
    style = tx.branding.find(pool.id, style_id)
    if style is None:
        raise ResourceNotFoundException(f"Managed login branding style {style_id} does not exist.")
    return style
