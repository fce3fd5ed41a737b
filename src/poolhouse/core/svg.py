"""Which SVG images may be shown on sign-in pages: pictures, nothing that runs or fetches (spec/http/07 §7.8.1)."""

import re
from xml.etree import ElementTree as ET

ELEMENTS = frozenset(
    """
    animate animateMotion animateTransform circle clipPath defs desc ellipse feBlend feColorMatrix
    feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight feDropShadow
    feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feMerge feMergeNode feMorphology feOffset fePointLight
    feSpecularLighting feSpotLight feTile feTurbulence filter g image line linearGradient marker mask metadata mpath
    path pattern polygon polyline radialGradient rect stop style svg switch symbol text textPath title tspan use view
    """.split()  # noqa: SIM905 - a list of a hundred lines is harder to read
)
# Drawing programs leave elements of their own namespaces behind; browsers ignore those, but not these.
SVG, XHTML = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"
_OWN_CONTENT = re.compile(r"#|data:image/(?:png|jpeg|gif|webp)[;,]", re.IGNORECASE)
# A backslash could spell any of these otherwise.
_FOREIGN_CSS = re.compile(
    r"@import|expression\s*\(|javascript:|\\|url\((?!\s*['\"]?\s*(?:#|data:image/(?:png|jpeg|gif|webp)[;,]))",
    re.IGNORECASE,
)
_DECLARATIONS = re.compile(rb"<!(?:DOCTYPE|ENTITY)|<\?(?!xml[\s?])", re.IGNORECASE)


def is_picture(content: bytes) -> bool:
    """Tell whether the bytes are an SVG document that only draws."""
    if _DECLARATIONS.search(content) or b"\0" in content:
        return False
    try:
        # Entities, by which XML is attacked, need the declarations refused above.
        root = ET.fromstring(content)  # noqa: S314
    except ET.ParseError:
        return False
    return _name(root.tag) == (SVG, "svg") and all(_only_draws(element) for element in root.iter())


def _name(tag: str) -> tuple[str, str]:
    space, _, local = tag.rpartition("}")
    return space.removeprefix("{"), local


def _only_draws(element: ET.Element) -> bool:
    if not isinstance(element.tag, str):
        return True
    space, local = _name(element.tag)
    if space == XHTML or (space in {SVG, ""} and local not in ELEMENTS):
        return False
    if local == "style" and _FOREIGN_CSS.search("".join(element.itertext())):
        return False
    return all(_is_harmless(_name(name)[1].lower(), value) for name, value in element.attrib.items())


def _is_harmless(name: str, value: str) -> bool:
    # An animation may set what an attribute may not.
    if name.startswith("on") or (name == "attributename" and value.lower().strip().endswith("href")):
        return False
    if name in {"href", "src"}:
        return _OWN_CONTENT.match(value.strip()) is not None
    return _FOREIGN_CSS.search(value) is None
