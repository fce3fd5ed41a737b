"""What an application tells of its user's device (spec/api/07 §4)."""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from poolhouse.core.addresses import read_address
from poolhouse.core.client import Client
from poolhouse.core.device_names import device_name
from poolhouse.model import ContextDataType, HttpHeader, InvalidParameterException, UserContextDataType

_LONGEST = 256


class UserContext(Struct, frozen=True, kw_only=True):
    """The user's device, as the application tells; empty where it does not."""

    address: str = ""
    device: str = ""
    timezone: str = ""


class _Encoded(Struct):
    payload: str
    signature: str
    version: str


class _Payload(Struct, rename="camel"):
    context_data: dict[str, Any]
    user_pool_id: str


def read_user_context(client: Client, given: UserContextDataType) -> UserContext:
    """Return what an app client tells: the address only where it has a secret and may propagate it.

    Raises InvalidParameterException for an address that is none.
    """
    trusted = bool(client.secrets) and bool(client.settings.enable_propagate_additional_user_context_data)
    address = _checked(given.ip_address) if trusted and given.ip_address else ""
    return _told(client, address, given.encoded_data, "")


def read_context(client: Client, given: ContextDataType) -> UserContext:
    """Return what an administrator's application tells; raises InvalidParameterException."""
    return _told(client, _checked(given.ip_address), given.encoded_data, _user_agent(given.http_headers))


def _checked(text: str) -> str:
    address = read_address(text)
    if address is None:
        raise InvalidParameterException("The IP address in the context data is not valid.")
    return str(address)


def _user_agent(headers: Sequence[HttpHeader]) -> str:
    named = (header for header in headers if (header.header_name or "").lower() == "user-agent")
    return next((header.header_value or "" for header in named), "")


def _told(client: Client, address: str, encoded: str | None, user_agent: str) -> UserContext:
    data = read_encoded(client, encoded) if encoded else {}
    agent = user_agent or _text(data, "UserAgent")
    return UserContext(
        address=address,
        device=_text(data, "DeviceName") or (device_name(agent) if agent else ""),
        timezone=_text(data, "ClientTimezone"),
    )


def read_encoded(client: Client, encoded: str) -> dict[str, Any]:
    """Return what the library for applications gathered of the device; nothing where its signature is not right.

    The key of that signature is the client's id, which is no secret: it shows that the data is whole, not that it is
    true.
    """
    try:
        outer = msgspec.json.decode(b64decode("".join(encoded.split()), validate=True), type=_Encoded)
        payload = msgspec.json.decode(outer.payload, type=_Payload)
    except (NotBase64, msgspec.DecodeError, ValueError, RecursionError):
        return {}
    digest = hmac.digest(client.id.encode(), f"{outer.version}{outer.payload}".encode(errors="replace"), "sha256")
    genuine = hmac.compare_digest(b64encode(digest), outer.signature.strip().encode(errors="replace"))
    return payload.context_data if genuine and payload.user_pool_id == client.pool_id else {}


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value[:_LONGEST] if isinstance(value, str) and value.isprintable() else ""
