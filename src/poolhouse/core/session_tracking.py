"""Tracked sessions: their ids, their limits, and how they are shown (spec/api/10 §1). Times are milliseconds."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from msgspec import Struct

from poolhouse.core.device_names import device_name
from poolhouse.core.names import DIGITS, LOWER, Draw
from poolhouse.core.session import Session
from poolhouse.model import (
    GetUserPoolSessionConfigurationResponse,
    SessionDescriptionType,
    SessionLocationType,
    SessionTypeType,
    UserPoolTokenSessionConfigType,
    UserSessionTrackingType,
)

DEFAULT_PER_USER = 20
DEFAULT_SSO_MINUTES = 60
# A list is one page of 125 sessions at most, and 100 of these may be token sessions (spec/api/10 §1.3).
SSO_PER_USER = 25
TOKEN, SSO = "tkn", "sso"
_ALPHABET = DIGITS + LOWER
_LENGTH = 25
# The longest DeviceType and LastIPAddress.
_DEVICE_LENGTH, _ADDRESS_LENGTH = 1024, 128
UNKNOWN = "unknown"
_NAMELESS = device_name("")


class Activity(Struct, frozen=True):
    """The last use of a session: when, by which device and from which address."""

    at: int
    device: str
    address: str


class SsoSession(Struct, frozen=True, kw_only=True):
    """The record of a sign-in on the pages, which the browser's cookie refers to. One that is gone is revoked."""

    id: str
    user_id: int
    client_id: str
    created_at: int
    expires_at: int


def new_activity(now: int, device: str, address: str) -> Activity:
    """Return the use of a session by a device."""
    known = UNKNOWN if device == _NAMELESS else device
    return Activity(now, known[:_DEVICE_LENGTH], address[:_ADDRESS_LENGTH])


def new_sso_id(draw: Draw) -> str:
    """Return a new id of an SSO session."""
    return SSO + draw(_LENGTH, _ALPHABET)


def shown_id(session_id: str) -> str:
    """Return the SessionId of a token session: its ``origin_jti``, a UUID, to the base 36.

    So it needs no place of its own. Neither of the two is a secret.
    """
    number, digits = UUID(session_id).int, ""
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return TOKEN + digits


def default_configuration(pool_id: str) -> GetUserPoolSessionConfigurationResponse:
    """Return the configuration of a pool for which none was ever set."""
    return GetUserPoolSessionConfigurationResponse(
        user_pool_id=pool_id,
        user_session_tracking=UserSessionTrackingType.DISABLED,
        token_session=UserPoolTokenSessionConfigType(max_per_user=DEFAULT_PER_USER),
    )


def find_surplus(last_active: Mapping[str, int], most: int) -> list[str]:
    """Return the sessions that must go so that one more makes no more than ``most``: those not used for longest."""
    by_use = sorted(last_active, key=lambda session: (last_active[session], session))
    return by_use[: max(0, len(by_use) + 1 - most)]


def describe_tokens(found: Iterable[tuple[Session, Activity]], current: str | None) -> list[SessionDescriptionType]:
    """Return token sessions as lists show them; ``current`` is the one that the caller belongs to."""
    return [
        _described(
            activity,
            session_id=shown_id(session.id),
            session_type=SessionTypeType.TOKEN,
            client_id=session.client_id,
            create_date=session.created_at / 1000,
            origin_session_id=session.origin,
            is_current_session=session.id == current,
        )
        for session, activity in found
    ]


def describe_sso(found: Iterable[tuple[SsoSession, Activity]]) -> list[SessionDescriptionType]:
    """Return SSO sessions as lists show them."""
    return [
        _described(
            activity,
            session_id=session.id,
            session_type=SessionTypeType.SSO,
            client_id=session.client_id,
            create_date=session.created_at / 1000,
            is_current_session=False,
        )
        for session, activity in found
    ]


def _described(activity: Activity, **members: object) -> SessionDescriptionType:
    return SessionDescriptionType(
        last_active_date=activity.at / 1000,
        device_type=activity.device,
        last_ip_address=activity.address,
        last_location=SessionLocationType(country=UNKNOWN),
        **members,  # type: ignore[arg-type]
    )
