"""What an app client's callback and sign-out URLs must be (spec/http/05 §5.2)."""

from urllib.parse import urlsplit

from poolhouse.model import InvalidParameterException

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_url(url: str) -> None:
    """Check that a URL is absolute, has no fragment, and uses plain HTTP on the loopback only.

    Custom schemes, as apps use them, are fine. Raises InvalidParameterException.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidParameterException(f"{url} is not a valid URL.") from None
    if not parts.scheme or url.casefold() == f"{parts.scheme}:":
        raise InvalidParameterException(f"{url} is not an absolute URL.")
    if "#" in url:
        raise InvalidParameterException(f"{url} cannot contain a fragment.")
    if parts.scheme in {"javascript", "data", "vbscript"}:
        raise InvalidParameterException(f"{url} cannot use the {parts.scheme} scheme.")
    if parts.scheme not in {"http", "https"}:
        return
    if not host or port == 0 or "\\" in url:
        raise InvalidParameterException(f"{url} is not a valid URL.")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise InvalidParameterException(f"{url} cannot use the HTTP protocol.")


def check_web_address(url: str) -> None:
    """Check that a URL of another server is https, or http on the loopback; raises InvalidParameterException."""
    check_url(url)
    if urlsplit(url).scheme not in {"http", "https"} or any(sign.isspace() or not sign.isprintable() for sign in url):
        raise InvalidParameterException(f"{url} is not a valid URL.")
