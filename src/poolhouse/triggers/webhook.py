"""Webhooks: the event by POST, signed as https://www.standardwebhooks.com has it."""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from poolhouse.triggers.failure import BadMapping, FunctionFailed, NotInvoked
from poolhouse.triggers.http import BY_STATUS, HttpClient
from poolhouse.triggers.invocation import Invocation, read_json, read_object

_PREFIX = "whsec_"
# Key lengths that the scheme asks for, in bytes.
_SHORTEST, _LONGEST = 24, 64


class Webhook:
    """Runs a function by a POST to its URL. ``now`` tells the time in milliseconds.

    ``secret`` is ``whsec_`` and a key in Base64. Several, separated by spaces, all sign, so that they can be changed
    with nobody refused meanwhile.
    """

    def __init__(self, url: str, secret: str, client: HttpClient, now: Callable[[], int]) -> None:
        """Raise BadMapping for an address or a secret that cannot be."""
        _check_address(url)
        self._url, self._client, self._now = url, client, now
        self._keys = [_read_key(text) for text in secret.split()]
        if not self._keys:
            raise BadMapping("POOLHOUSE_FUNCTIONS: a webhook needs a secret.")

    def __str__(self) -> str:
        # What follows the host may be meant to be known to the two parties only.
        return f"webhook at {urlsplit(self._url).hostname}"

    async def run(self, invocation: Invocation, deadline: float) -> Any:  # noqa: ARG002
        """Post the event and read it back; see Runner."""
        body = msgspec.json.encode(invocation.event)
        stamp = str(self._now() // 1000)
        headers = {
            "content-type": "application/json",
            "webhook-id": invocation.id,
            "webhook-timestamp": stamp,
            "webhook-signature": " ".join(sign(key, invocation.id, stamp, body) for key in self._keys),
        }
        answer = await self._client.post(self._url, headers, body)
        if answer.status // 100 == 2:
            return None if invocation.notice else read_json(answer.body)
        thrown = read_object(answer.body).get("errorMessage")
        if isinstance(thrown, str) and answer.status // 100 == 4 and not answer.passing:
            raise FunctionFailed(thrown)
        reason = BY_STATUS.get(answer.status, "ServiceException")
        raise NotInvoked(reason, detail=f"{self} answered {answer.status}", passing=answer.passing)

    async def check(self) -> None:
        """Do nothing: whether anybody answers shows when it is called."""


def sign(key: bytes, id: str, stamp: str, body: bytes) -> str:
    """Return the signature of a message, version 1: HMAC-SHA256 in Base64."""
    digest = hmac.digest(key, f"{id}.{stamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def _read_key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise BadMapping(
            f"POOLHOUSE_FUNCTIONS: the secret of a webhook is {_PREFIX} and {_SHORTEST} to {_LONGEST} bytes in Base64."
        )
    return key


def _check_address(text: str) -> None:
    try:
        url = urlsplit(text)
        usable = bool(url.hostname) and url.port != 0 and not url.username and not url.fragment
        usable = usable and text.isascii() and text.isprintable() and " " not in text
    except ValueError:
        usable = False
    if not usable or url.scheme not in {"https", "http"}:
        raise BadMapping("POOLHOUSE_FUNCTIONS: the address of a webhook must look like https://host/path.")
    if url.scheme == "http" and not _is_loopback(url.hostname or ""):
        raise BadMapping("POOLHOUSE_FUNCTIONS: a webhook needs https://, unless it is on the loopback.")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
