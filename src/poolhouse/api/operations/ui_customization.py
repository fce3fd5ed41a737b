"""The style of the classic pages (spec/api/02 §9, spec/http/07 §7.5)."""

from msgspec.structs import replace

from poolhouse.api.registry import operation
from poolhouse.core.classic_style import ALL, ClassicStyle, new_classic_style
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.links import logo_url_of
from poolhouse.model import (
    GetUICustomizationRequest,
    GetUICustomizationResponse,
    InvalidParameterException,
    SetUICustomizationRequest,
    SetUICustomizationResponse,
    UICustomizationType,
)
from poolhouse.storage import Tx


@operation
async def set_ui_customization(call: AdminCall, request: SetUICustomizationRequest) -> SetUICustomizationResponse:
    """Give the classic pages of an app client, or of all other clients, CSS and a logo in the place of what they had.

    A request with neither takes the style away.

    Differs from Cognito: values of CSS have an effect where they are words, numbers, colours or functions that compute
    them; buttons of providers, the legal text and the live check of passwords are not on the pages of this version.
    Pages with a style are light, whatever the browser prefers.
    """
    given = new_classic_style(request, call.now)
    client_id = request.client_id or ALL

    def commit(tx: Tx) -> tuple[Pool, ClassicStyle | None]:
        pool = _get_pool(call, tx, request.user_pool_id, client_id)
        if pool.settings.domain is None and pool.settings.custom_domain is None:
            raise InvalidParameterException("There has to be an existing domain associated with this user pool")
        if given is None:
            tx.classic_styles.delete(pool.id, client_id)
            return pool, None
        before = tx.classic_styles.find(pool.id, client_id)
        style = given if before is None else replace(given, created_at=before.created_at)
        tx.classic_styles.put(style)
        return pool, style

    return SetUICustomizationResponse(ui_customization=_described(call, *await call.store.write(commit)))


@operation
async def get_ui_customization(call: AdminCall, request: GetUICustomizationRequest) -> GetUICustomizationResponse:
    """Return the style of an app client's classic pages, which may be that of the pool; empty where there is none."""
    client_id = request.client_id or ALL

    def load(tx: Tx) -> tuple[Pool, ClassicStyle | None]:
        pool = _get_pool(call, tx, request.user_pool_id, client_id)
        return pool, tx.classic_styles.find_for(pool.id, client_id)

    return GetUICustomizationResponse(ui_customization=_described(call, *await call.store.read(load)))


def _get_pool(call: AdminCall, tx: Tx, pool_id: str, client_id: str) -> Pool:
    """Return the pool; raises ResourceNotFoundException, also where it has no such client."""
    pool = call.pool(tx, pool_id)
    if client_id != ALL:
        call.client(tx, pool_id, client_id)
    return pool


def _described(call: AdminCall, pool: Pool, style: ClassicStyle | None) -> UICustomizationType:
    if style is None:
        return UICustomizationType()
    return UICustomizationType(
        user_pool_id=style.pool_id,
        client_id=style.client_id,
        css=style.css,
        css_version=None if style.css is None else style.version,
        image_url=logo_url_of(call.deps.identity, pool, style),
        creation_date=style.created_at / 1000,
        last_modified_date=style.modified_at / 1000,
    )
