"""The pictures of a branding document: the names of their files, and when each is shown."""

from dataclasses import dataclass

from poolhouse.model import AssetCategoryType, AssetType, ColorSchemeModeType

TYPES = {
    "ICO": "image/x-icon",
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "SVG": "image/svg+xml",
    "WEBP": "image/webp",
}
_SHOWN = {
    ColorSchemeModeType.LIGHT: "only-light",
    ColorSchemeModeType.DARK: "only-dark",
    ColorSchemeModeType.DYNAMIC: "",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a style: the name of its file, and the class that says in which mode it shows.

    ``subject`` is what it is a picture of, where its category is not enough to tell.
    """

    file: str
    shown: str
    type: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """A logo, in one file or one for each mode; ``place`` is start, center or end."""

    place: str
    images: tuple[Picture, ...] = ()


Found = dict[AssetCategoryType, list[tuple[Picture, bytes]]]


def find_pictures(assets: list[AssetType]) -> Found:
    """Return the pictures by their purpose, with their contents."""
    found: Found = {}
    for number, asset in enumerate(assets):
        if asset.bytes_ is None:
            continue
        name = f"{asset.category.lower().replace('_', '-')}-{number}.{asset.extension.lower()}"
        picture = Picture(name, _SHOWN[asset.color_mode], TYPES[asset.extension], asset.resource_id or "")
        found.setdefault(asset.category, []).append((picture, asset.bytes_))
    return found


def pictures_of(pictures: Found, category: AssetCategoryType) -> tuple[Picture, ...]:
    """Return the pictures for a purpose."""
    return tuple(picture for picture, _ in pictures.get(category, ()))
