"""The files of the pages: stylesheets, the script, and the pictures of styles, at addresses that name their content."""

from poolhouse.core.classic_style import ALL
from poolhouse.flows.links import CLASSIC
from poolhouse.login.branding import Style
from poolhouse.login.styles import BRANDED, DEFAULT_STYLE, Styles
from poolhouse.login.visit import Place
from poolhouse.web.responses import SAFE_HEADERS, Response

FOREVER = b"public, max-age=31536000, immutable"
# An SVG opened by itself is a document of the pool's host: it may not run anything.
PICTURE_POLICY = b"default-src 'none'; style-src 'unsafe-inline'; sandbox"
THEME = "theme.css"
_UNCACHED = frozenset({b"cache-control", b"pragma"})


async def find_file(place: Place, styles: Styles, path: str) -> Response | None:
    """Return the file at a path below ``/static/``, None where there is none."""
    folder, _, name = path.rpartition("/")
    if folder == place.view.static_path:
        file = place.view.static_files.get(name)
        return None if file is None else _file(place, file.type, file.body)
    parts = folder.removeprefix("/static/").split("/")
    if len(parts) != 3 or parts[0] not in {BRANDED, CLASSIC}:
        return None
    kind, owner, version = parts
    style = await _find_style(place, styles, kind, owner)
    # An address of an older version belongs to a page that was opened before the change.
    return None if style is None else _style_file(place, style, name, is_current=version == style.version)


async def _find_style(place: Place, styles: Styles, kind: str, owner: str) -> Style | None:
    if (kind, owner) == (BRANDED, "default"):
        return DEFAULT_STYLE
    pool_id = place.domain.pool.id
    app = await place.call.store.read(lambda tx: tx.catalogue.find_app(owner))
    if (kind, owner) != (CLASSIC, ALL) and (app is None or app[0].id != pool_id):
        return None
    return await styles.find(place.call.deps, kind, pool_id, owner)


def _style_file(place: Place, style: Style, name: str, *, is_current: bool) -> Response | None:
    if name == THEME:
        return _file(place, "text/css;charset=UTF-8", style.css.encode(), is_current=is_current)
    found = style.files.get(name)
    return None if found is None else _file(place, *found, is_current=is_current)


def _file(place: Place, kind: str, body: bytes, *, is_current: bool = True) -> Response:
    return Response(
        200,
        [
            (b"content-type", kind.encode("ascii")),
            (b"content-length", str(len(body)).encode("ascii")),
            (b"cache-control", FOREVER if is_current else b"no-store"),
            (b"content-security-policy", PICTURE_POLICY),
            *(header for header in SAFE_HEADERS if header[0] not in _UNCACHED),
            (b"server", b"Server"),
            (b"x-amz-cognito-request-id", place.call.origin.request_id.encode("ascii")),
        ],
        body,
    )
