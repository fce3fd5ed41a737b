"""Branding styles as the ManagedLoginBranding operations leave them (spec/http/07 §7.8)."""

from typing import Any

from msgspec.structs import replace

from poolhouse.core.branding import DEFAULTS, merged
from poolhouse.core.svg import is_picture
from poolhouse.model import (
    AssetCategoryType,
    AssetExtensionType,
    AssetType,
    CreateManagedLoginBrandingRequest,
    InvalidParameterException,
    ManagedLoginBrandingType,
    UpdateManagedLoginBrandingRequest,
)

MAX_STYLES = 20
MAX_ASSETS = 40
MAX_DEPTH = 32
_PICTURES = frozenset({AssetExtensionType.PNG, AssetExtensionType.SVG, AssetExtensionType.JPEG})
EXTENSIONS = dict.fromkeys(AssetCategoryType, _PICTURES) | {
    AssetCategoryType.FAVICON_ICO: frozenset({AssetExtensionType.ICO}),
    AssetCategoryType.FAVICON_SVG: frozenset({AssetExtensionType.SVG}),
    AssetCategoryType.IDP_BUTTON_ICON: frozenset({AssetExtensionType.ICO, AssetExtensionType.SVG}),
}

BrandingRequest = CreateManagedLoginBrandingRequest | UpdateManagedLoginBrandingRequest


def new_style(request: CreateManagedLoginBrandingRequest, *, style_id: str, now: int) -> ManagedLoginBrandingType:
    """Return the style that a request asks for; raises InvalidParameterException."""
    _check_request(request)
    return ManagedLoginBrandingType(
        managed_login_branding_id=style_id,
        user_pool_id=request.user_pool_id,
        use_cognito_provided_values=bool(request.use_cognito_provided_values),
        settings=request.settings,
        assets=_with_assets([], request.assets or []) or None,
        creation_date=now / 1000,
        last_modified_date=now / 1000,
    )


def updated_style(
    style: ManagedLoginBrandingType, request: UpdateManagedLoginBrandingRequest, now: int
) -> ManagedLoginBrandingType:
    """Return the style with the request's settings and assets laid over its own.

    UseCognitoProvidedValues takes all of them back to the defaults. Raises InvalidParameterException.
    """
    _check_request(request)
    if request.use_cognito_provided_values:
        return replace(
            style, use_cognito_provided_values=True, settings=None, assets=None, last_modified_date=now / 1000
        )
    own = style.settings if request.settings is None else merged(style.settings or {}, request.settings)
    customised = own is not None or bool(request.assets) or request.use_cognito_provided_values is False
    return replace(
        style,
        use_cognito_provided_values=style.use_cognito_provided_values and not customised,
        settings=own,
        assets=_with_assets(style.assets or [], request.assets or []) or None,
        last_modified_date=now / 1000,
    )


def merged_style(style: ManagedLoginBrandingType) -> ManagedLoginBrandingType:
    """Return the style with the whole settings document: the defaults under its own values."""
    return replace(style, settings=merged(DEFAULTS, style.settings or {}))


def _check_request(request: BrandingRequest) -> None:
    if request.use_cognito_provided_values and (request.settings is not None or request.assets):
        raise InvalidParameterException("Settings and Assets must be omitted when UseCognitoProvidedValues is true.")
    if request.settings is not None:
        if not isinstance(request.settings, dict):
            raise InvalidParameterException("Settings must be a JSON object.")
        _check_depth(request.settings)
    for asset in request.assets or ():
        _check_asset(asset)


def _check_depth(settings: dict[str, Any]) -> None:
    """Refuse documents too deep to be settings, before anything walks them recursively."""
    level: list[Any] = [settings]
    for _ in range(MAX_DEPTH):
        inner = [list(node.values()) if isinstance(node, dict) else node for node in level]
        level = [child for children in inner for child in children if isinstance(child, dict | list)]
        if not level:
            return
    raise InvalidParameterException(f"Settings cannot be nested more than {MAX_DEPTH} levels deep.")


def _check_asset(asset: AssetType) -> None:
    if asset.bytes_ is None:
        raise InvalidParameterException(f"The asset {asset.category} has no Bytes.")
    if asset.extension not in EXTENSIONS[asset.category]:
        allowed = ", ".join(sorted(EXTENSIONS[asset.category]))
        raise InvalidParameterException(f"The extension of the asset {asset.category} must be one of: {allowed}.")
    if asset.extension is AssetExtensionType.SVG and not is_picture(asset.bytes_):
        raise InvalidParameterException(f"The asset {asset.category} is not an SVG image that only draws.")


def _with_assets(own: list[AssetType], given: list[AssetType]) -> list[AssetType]:
    """Return the assets with those given in the place of ones for the same purpose; raises InvalidParameterException."""
    assets = {(asset.category, asset.color_mode, asset.resource_id): asset for asset in [*own, *given]}
    if len(assets) > MAX_ASSETS:
        raise InvalidParameterException(f"A branding style can have at most {MAX_ASSETS} assets.")
    return list(assets.values())
