"""From the CSS and the logo of the classic pages to a style (spec/http/07 §7.5)."""

import hashlib
from dataclasses import replace

from poolhouse.core.classic_css import effective_css
from poolhouse.core.classic_style import ClassicStyle
from poolhouse.login.branding import Style, build_style
from poolhouse.login.pictures import TYPES, Picture, Pictures
from poolhouse.model import ColorSchemeModeType, ManagedLoginBrandingType

# Whoever wrote colours for these pages saw them on a light background, whatever the visitor's browser prefers.
_PLAIN = build_style(
    ManagedLoginBrandingType(settings={"categories": {"global": {"colorSchemeMode": ColorSchemeModeType.LIGHT}}})
)
# The sizes of logo and button unless the CSS says others.
_SIZES = (
    "html .logo-customizable { max-width: min(100%, 350px); max-height: 178px; }\n"
    "html .submitButton-customizable { height: 2.75rem; min-height: 0; }\n"
)
_KINDS = {".png": TYPES["PNG"], ".jpg": TYPES["JPEG"]}


def build_classic_style(style: ClassicStyle) -> Style:
    """Return the look of classic pages that have CSS, a logo, or both."""
    css = _PLAIN.css + _SIZES + effective_css(style.css or "")
    files: dict[str, tuple[str, bytes]] = {}
    if style.logo_name is not None and style.logo is not None:
        files[style.logo_name] = (_KINDS[style.logo_name[-4:]], style.logo)
    return replace(
        _PLAIN,
        version=hashlib.sha256(css.encode() + b"\0" + (style.logo or b"")).hexdigest()[:16],
        css=css,
        banner=Pictures("center", tuple(Picture(name, "", kind) for name, (kind, _) in files.items())),
        files=files,
    )
