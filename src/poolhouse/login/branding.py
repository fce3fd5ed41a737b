"""From a client's branding document to a style: the theme's stylesheet, the pictures, and what the page shows.

Spec: http/07 §7.8. Settings come from outside, so only values of the expected form reach the stylesheet.
"""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from poolhouse.core.branding import DARK, DEFAULTS, LIGHT, merged, setting
from poolhouse.login.pictures import Found, Picture, Pictures, find_pictures, pictures_of
from poolhouse.login.provider_look import ProviderLook, provider_look
from poolhouse.model import AssetCategoryType, ManagedLoginBrandingType

_COLOUR = re.compile(r"[0-9a-fA-F]{8}")
_MAX_RADIUS = 64.0

# The colours: custom property, and where it stands in the settings; {} is the mode.
_COLOURS = (
    ("page-background", "components.pageBackground.{}.color"),
    ("page-text", "components.pageText.{}.bodyColor"),
    ("page-heading", "components.pageText.{}.headingColor"),
    ("page-description", "components.pageText.{}.descriptionColor"),
    ("form-background", "components.form.{}.backgroundColor"),
    ("form-border", "components.form.{}.borderColor"),
    ("header-background", "components.pageHeader.{}.background.color"),
    ("header-border", "components.pageHeader.{}.borderColor"),
    ("footer-background", "components.pageFooter.{}.background.color"),
    ("footer-border", "components.pageFooter.{}.borderColor"),
    ("label", "componentClasses.inputLabel.{}.textColor"),
    ("description", "componentClasses.inputDescription.{}.textColor"),
    ("input-background", "componentClasses.input.{}.defaults.backgroundColor"),
    ("input-border", "componentClasses.input.{}.defaults.borderColor"),
    ("placeholder", "componentClasses.input.{}.placeholderColor"),
    ("focus", "componentClasses.focusState.{}.borderColor"),
    ("divider", "componentClasses.divider.{}.borderColor"),
    ("link", "componentClasses.link.{}.defaults.textColor"),
    ("link-hover", "componentClasses.link.{}.hover.textColor"),
    ("primary-background", "components.primaryButton.{}.defaults.backgroundColor"),
    ("primary-text", "components.primaryButton.{}.defaults.textColor"),
    ("primary-hover-background", "components.primaryButton.{}.hover.backgroundColor"),
    ("primary-hover-text", "components.primaryButton.{}.hover.textColor"),
    ("primary-active-background", "components.primaryButton.{}.active.backgroundColor"),
    ("primary-active-text", "components.primaryButton.{}.active.textColor"),
    ("secondary-background", "components.secondaryButton.{}.defaults.backgroundColor"),
    ("secondary-border", "components.secondaryButton.{}.defaults.borderColor"),
    ("secondary-text", "components.secondaryButton.{}.defaults.textColor"),
    ("secondary-hover-background", "components.secondaryButton.{}.hover.backgroundColor"),
    ("secondary-hover-border", "components.secondaryButton.{}.hover.borderColor"),
    ("secondary-hover-text", "components.secondaryButton.{}.hover.textColor"),
    ("secondary-active-background", "components.secondaryButton.{}.active.backgroundColor"),
    ("secondary-active-border", "components.secondaryButton.{}.active.borderColor"),
    ("secondary-active-text", "components.secondaryButton.{}.active.textColor"),
    ("provider-background", "components.idpButton.standard.{}.defaults.backgroundColor"),
    ("provider-border", "components.idpButton.standard.{}.defaults.borderColor"),
    ("provider-text", "components.idpButton.standard.{}.defaults.textColor"),
    ("provider-hover-background", "components.idpButton.standard.{}.hover.backgroundColor"),
    ("provider-hover-border", "components.idpButton.standard.{}.hover.borderColor"),
    ("provider-hover-text", "components.idpButton.standard.{}.hover.textColor"),
    ("provider-active-background", "components.idpButton.standard.{}.active.backgroundColor"),
    ("provider-active-border", "components.idpButton.standard.{}.active.borderColor"),
    ("provider-active-text", "components.idpButton.standard.{}.active.textColor"),
    ("error-background", "components.alert.{}.error.backgroundColor"),
    ("error-border", "components.alert.{}.error.borderColor"),
    ("error", "componentClasses.statusIndicator.{}.error.indicatorColor"),
    ("success-background", "componentClasses.statusIndicator.{}.success.backgroundColor"),
    ("success", "componentClasses.statusIndicator.{}.success.indicatorColor"),
)
_RADII = (
    ("form-radius", "components.form.borderRadius"),
    ("input-radius", "componentClasses.input.borderRadius"),
    ("button-radius", "componentClasses.buttons.borderRadius"),
    ("alert-radius", "components.alert.borderRadius"),
)
# Background pictures: selector, the setting that turns it on, and the asset. They are rules of their own, since
# a relative URL in a custom property would be resolved against whichever stylesheet uses it.
_BACKGROUNDS = (
    ("body", "components.pageBackground.image.enabled", AssetCategoryType.PAGE_BACKGROUND),
    (".card", "components.form.backgroundImage.enabled", AssetCategoryType.FORM_BACKGROUND),
    (".banner", "components.pageHeader.backgroundImage.enabled", AssetCategoryType.PAGE_HEADER_BACKGROUND),
    (".banner-last", "components.pageFooter.backgroundImage.enabled", AssetCategoryType.PAGE_FOOTER_BACKGROUND),
)
_FAVICONS = (("ICO", AssetCategoryType.FAVICON_ICO), ("SVG", AssetCategoryType.FAVICON_SVG))
_MODES = {"LIGHT": (LIGHT,), "DARK": (DARK,), "DYNAMIC": (LIGHT, DARK)}
_PLACES = ("START", "CENTER", "END")
_HEIGHTS = {"START": "at-top", "CENTER": "", "END": "at-bottom"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How the pages of one client look.

    ``version`` changes with the content, so that browsers may keep the files for ever. Classic pages have a
    ``banner`` in the form instead of header and footer.
    """

    version: str
    css: str
    classes: str
    header: Pictures | None
    footer: Pictures | None
    outer_logo: Pictures | None
    inner_logo: Pictures | None
    icons: tuple[Picture, ...]
    providers: ProviderLook
    files: dict[str, tuple[str, bytes]] = field(repr=False)
    banner: Pictures | None = None


def build_style(branding: ManagedLoginBrandingType | None) -> Style:
    """Return the style of a branding document; without one, or with Cognito's own values, the default style."""
    own = branding is not None and not branding.use_cognito_provided_values
    settings = merged(DEFAULTS, branding.settings) if own and branding and branding.settings else DEFAULTS
    assets = list(branding.assets or ()) if own and branding else []
    pictures = find_pictures(assets)
    digest = hashlib.sha256(msgspec.json.encode([settings, assets], order="deterministic"))
    inside, outside = _form_logo(settings, pictures)
    return Style(
        version=digest.hexdigest()[:16],
        css=_stylesheet(settings, pictures),
        classes=_classes(settings),
        header=_bar(settings, pictures, "pageHeader", AssetCategoryType.PAGE_HEADER_LOGO),
        footer=_bar(settings, pictures, "pageFooter", AssetCategoryType.PAGE_FOOTER_LOGO),
        inner_logo=inside,
        outer_logo=outside,
        icons=_icons(settings, pictures),
        files={picture.file: (picture.type, data) for found in pictures.values() for picture, data in found},
        providers=provider_look(settings, pictures_of(pictures, AssetCategoryType.IDP_BUTTON_ICON)),
    )


def _is_on(settings: Any, path: str) -> bool:
    return setting(settings, path) is True


def _place(settings: Any, path: str) -> str:
    value = setting(settings, path)
    return value.lower() if value in _PLACES else "center"


def _bar(settings: Any, pictures: Found, name: str, category: AssetCategoryType) -> Pictures | None:
    if not _is_on(settings, f"categories.global.{name}.enabled"):
        return None
    images = pictures_of(pictures, category) if _is_on(settings, f"components.{name}.logo.enabled") else ()
    return Pictures(_place(settings, f"components.{name}.logo.location"), images)


def _form_logo(settings: Any, pictures: Found) -> tuple[Pictures | None, Pictures | None]:
    """Return the logo inside the form and the one outside; there is one of them at most."""
    images = pictures_of(pictures, AssetCategoryType.FORM_LOGO)
    if not images or not _is_on(settings, "components.form.logo.enabled"):
        return None, None
    logo = Pictures(_place(settings, "components.form.logo.location"), images)
    return (None, logo) if setting(settings, "components.form.logo.formInclusion") == "OUT" else (logo, None)


def _icons(settings: Any, pictures: Found) -> tuple[Picture, ...]:
    enabled = setting(settings, "components.favicon.enabledTypes")
    allowed = enabled if isinstance(enabled, list) else []
    return tuple(
        picture for kind, category in _FAVICONS if kind in allowed for picture in pictures_of(pictures, category)
    )


def _mode(settings: Any) -> str:
    mode = setting(settings, "categories.global.colorSchemeMode")
    return mode if mode in _MODES else "DYNAMIC"


def _classes(settings: Any) -> str:
    horizontal = setting(settings, "categories.form.location.horizontal")
    vertical = setting(settings, "categories.form.location.vertical")
    classes = [f"mode-{_mode(settings).lower()}"]
    if horizontal in {"START", "END"}:
        classes.append(f"at-{horizontal.lower()}")
    if vertical in {"START", "END"}:
        classes.append(_HEIGHTS[vertical])
    if setting(settings, "categories.global.spacingDensity") == "COMPACT":
        classes.append("density-compact")
    return " ".join(classes)


def _stylesheet(settings: Any, pictures: Found) -> str:
    modes = _MODES[_mode(settings)]
    scheme = "light dark" if len(modes) > 1 else modes[0].removesuffix("Mode")
    css = _block(":root", [f"color-scheme: {scheme};", *_radii(settings), *_colours(settings, modes[0])])
    css += _backgrounds(settings, pictures, modes[0])
    if len(modes) > 1:
        rest = _block(":root", _colours(settings, DARK)) + _backgrounds(settings, pictures, DARK)
        css += f"@media (prefers-color-scheme: dark) {{\n{rest}}}\n"
    return css


def _block(selector: str, lines: list[str]) -> str:
    return "".join([f"{selector} {{\n", *(f"  {line}\n" for line in lines), "}\n"])


def _radii(settings: Any) -> list[str]:
    lines = []
    for name, path in _RADII:
        value = setting(settings, path)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _MAX_RADIUS
        lines.append(f"--{name}: {float(value if is_number else setting(DEFAULTS, path)):g}px;")
    return lines


def _colours(settings: Any, mode: str) -> list[str]:
    lines = []
    for name, template in _COLOURS:
        path = template.format(mode)
        value = setting(settings, path)
        is_colour = isinstance(value, str) and _COLOUR.fullmatch(value)
        lines.append(f"--{name}: #{value if is_colour else setting(DEFAULTS, path)};")
    return lines


def _backgrounds(settings: Any, pictures: Found, mode: str) -> str:
    """Return the rules of a mode's background pictures; a picture of the other mode is not shown."""
    hidden = "only-dark" if mode == LIGHT else "only-light"
    css = ""
    for selector, switch, category in _BACKGROUNDS:
        images = [picture for picture in pictures_of(pictures, category) if picture.shown != hidden]
        if pictures_of(pictures, category) and _is_on(settings, switch):
            image = f'url("{images[0].file}")' if images else "none"
            css += _block(selector, [f"background-image: {image};"])
    return css
