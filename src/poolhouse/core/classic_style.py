"""The style of the classic pages as SetUICustomization leaves it: CSS and a logo (spec/http/07 §7.5)."""

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from poolhouse.core.classic_css import check_css
from poolhouse.model import InvalidParameterException, SetUICustomizationRequest

# The client id under which a style for all other clients of a pool is kept.
ALL = "ALL"
MAX_LOGO = 100 * 1024
# Bytes of CSS and of the logo as the request holds it, in base64.
MAX_TOGETHER = 135 * 1024
_PNG, _PNG_HEADER = b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\rIHDR"
_JPEG = b"\xff\xd8\xff"


class ClassicStyle(Struct, frozen=True, kw_only=True):
    """CSS, a logo, or both. ``client_id`` may be ALL; times are in milliseconds."""

    pool_id: str
    client_id: str
    css: str | None
    logo: bytes | None
    created_at: int
    modified_at: int

    @property
    def version(self) -> str:
        """When the style was set last, in UTC and in the form of CSSVersion."""
        return datetime.fromtimestamp(self.modified_at // 1000, UTC).strftime("%Y%m%d%H%M%S")

    @property
    def logo_name(self) -> str | None:
        """The name of the file that the logo is."""
        return None if self.logo is None else f"image.{find_picture_kind(self.logo)}"


def new_classic_style(request: SetUICustomizationRequest, now: int) -> ClassicStyle | None:
    """Return the style that a request asks for, None where it asks for nothing, which takes the style away.

    Raises InvalidParameterException.
    """
    css, logo = request.css or None, request.image_file or None
    if css is None and logo is None:
        return None
    if css is not None:
        check_css(css)
    if logo is not None:
        _check_logo(logo)
    if len((css or "").encode()) + (len(logo or b"") + 2) // 3 * 4 > MAX_TOGETHER:
        raise InvalidParameterException("The CSS and the image are larger than 135 KB together.")
    return ClassicStyle(
        pool_id=request.user_pool_id,
        client_id=request.client_id or ALL,
        css=css,
        logo=logo,
        created_at=now,
        modified_at=now,
    )


def find_picture_kind(content: bytes) -> Literal["png", "jpg"] | None:
    """Return which of the two allowed kinds of picture the bytes begin like."""
    if content.startswith(_PNG + _PNG_HEADER) and all(any(content[at : at + 4]) for at in (16, 20)):
        return "png"
    return "jpg" if content.startswith(_JPEG) else None


def _check_logo(logo: bytes) -> None:
    if len(logo) > MAX_LOGO:
        raise InvalidParameterException("The image is larger than 100 KB.")
    if find_picture_kind(logo) is None:
        raise InvalidParameterException("The image must be a PNG or JPEG file.")
