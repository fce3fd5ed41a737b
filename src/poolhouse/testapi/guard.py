"""Who may use the test API: programs on this machine, never a page of the web in somebody's browser.

A page could send requests to the loopback, under a name of its own that it lets lead there (DNS rebinding) or from
its own origin (CSRF). Browsers tell on both: by ``Host``, ``Origin`` and ``Sec-Fetch-Site``.
"""

import ipaddress

from starlette.types import Scope

from poolhouse.web.requests import Headers, RequestRefused, headers

NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
# A proxy on this machine would let in everybody who reaches it.
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def check_local(scope: Scope) -> None:
    """Check that a request comes from a program on this machine; raises RequestRefused 403."""
    given = headers(scope)
    client = scope.get("client")
    if not client or not ipaddress.ip_address(client[0]).is_loopback:
        raise RequestRefused(403, "The test API answers on the loopback only.")
    if any(name in given for name in FORWARDED):
        raise RequestRefused(403, "The test API does not answer through a proxy.")
    host = given.get("host", "").lower()
    if _name(host) not in NAMES:
        raise RequestRefused(403, "The test API answers to the names localhost, 127.0.0.1 and [::1] only.")
    _check_origin(given, f"{scope.get('scheme', 'http')}://{host}")


def _name(host: str) -> str:
    name, separator, port = host.rpartition(":")
    return name if separator and port.isdecimal() else host


def _check_origin(given: Headers, own: str) -> None:
    foreign = given.get("origin", own).lower() != own
    if foreign or given.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise RequestRefused(403, "The test API does not answer to pages of other origins.")
