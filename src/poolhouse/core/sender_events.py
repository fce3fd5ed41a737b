"""What the functions are told that send a pool's messages in our place (spec/api/06 §10)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

from msgspec import Struct

from poolhouse.core.messages import MessageKind
from poolhouse.model import AccountTakeoverEventActionType, DeliveryMediumType

SENDERS = {DeliveryMediumType.EMAIL: "CustomEmailSender", DeliveryMediumType.SMS: "CustomSMSSender"}
TAKEOVER = "CustomEmailSender_AccountTakeOverNotification"
_TYPES = {
    DeliveryMediumType.EMAIL: "customEmailSenderRequestV1",
    DeliveryMediumType.SMS: "customSMSSenderRequestV1",
}


class SenderEvent(Struct, frozen=True, kw_only=True, tag="sender-event"):
    """An event for a sender. ``secret`` is what it may only be told encrypted, under the key ``key_id`` stands for."""

    pool_id: str
    trigger: str
    arn: str
    event: dict[str, Any]
    key_id: str
    secret: str | None = None


class Takeover(Struct, frozen=True, kw_only=True):
    """A sign-in that may not have been the user's: ``event_id`` is that of the auth event, ``at`` its milliseconds.

    The links are where the user says whether it was (``valid_link``) or was not. City, country and device are None
    where nothing is known.
    """

    event_id: str
    username: str
    address: str
    at: int
    action: AccountTakeoverEventActionType
    feedback_token: str
    valid_link: str
    invalid_link: str
    city: str | None = None
    country: str | None = None
    device: str | None = None


def sender_request(
    medium: DeliveryMediumType, attributes: Mapping[str, str | None], client_metadata: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return what a sender is told, still without a code: that is encrypted when it leaves."""
    return {
        "type": _TYPES[medium],
        "code": None,
        "clientMetadata": client_metadata or None,
        "userAttributes": dict(attributes),
    }


def code_text(code: str, kind: MessageKind) -> str:
    """Return what is encrypted: a code, or a temporary password with the characters escaped that are HTML."""
    return escape(code, quote=False) if kind == MessageKind.ADMIN_CREATE_USER else code


def takeover_attributes(takeover: Takeover) -> dict[str, str | None]:
    """Return what stands in the place of a user's attributes where a sign-in is told of."""
    return {
        "EVENT_ID": takeover.event_id,
        "USER_NAME": takeover.username,
        "IP_ADDRESS": takeover.address,
        "ACCOUNT_TAKE_OVER_ACTION": takeover.action.value,
        "ONE_CLICK_LINK_VALID": takeover.valid_link,
        "ONE_CLICK_LINK_INVALID": takeover.invalid_link,
        "LOGIN_TIME": datetime.fromtimestamp(takeover.at // 1000, UTC).strftime("%A, %B %d, %Y %I:%M %p UTC"),
        "FEEDBACK_TOKEN": takeover.feedback_token,
        "CITY": takeover.city,
        "COUNTRY": takeover.country,
        "DEVICE_NAME": takeover.device,
    }
