"""The address by which an authenticator app takes over a secret, and its picture."""

from urllib.parse import quote, urlencode

import segno

# How many units each module is wide; the stylesheet says how large the picture is.
_SCALE = 4


def setup_uri(issuer: str, username: str, secret: str) -> str:
    """Return the address of a secret in base32 (spec/http/07 §7.3, the "Key URI Format" of authenticator apps).

    A colon would end the issuer in the label.
    """
    label = quote(f"{issuer.replace(':', ' ')}:{username}", safe="")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"


def draw_uri(uri: str) -> str:
    """Return the QR code of an address as an SVG in a ``data:`` URL: dark on light whatever is around it."""
    return str(segno.make(uri, error="m", micro=False).svg_data_uri(scale=_SCALE, light="#fff"))
