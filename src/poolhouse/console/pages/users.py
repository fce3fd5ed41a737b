"""The users of a pool: search, and creating one."""

from msgspec import Struct
from starlette.responses import Response

from poolhouse.console.pages.pools import PAGE
from poolhouse.console.visit import Visit
from poolhouse.model import (
    AdminCreateUserRequest,
    AdminCreateUserResponse,
    AttributeType,
    DeliveryMediumType,
    ListUsersRequest,
    ListUsersResponse,
    MessageActionType,
    ServiceError,
    UserPoolType,
    UserType,
)

SEARCHABLE = (
    ("email", "Email"),
    ("username", "User name"),
    ("phone_number", "Phone number"),
    ("name", "Name"),
    ("given_name", "Given name"),
    ("family_name", "Family name"),
    ("preferred_username", "Preferred user name"),
    ("sub", "Sub"),
)


class Row(Struct, frozen=True):
    """A user as the list shows it."""

    username: str
    contact: str
    verified: bool
    status: str
    enabled: bool
    created: float


async def show_users(visit: Visit) -> Response:
    """List users, or those whose attribute starts with a text."""
    pool = await visit.pool()
    by, text = visit.query("by") or "email", visit.query("text")
    request = ListUsersRequest(
        user_pool_id=visit.pool_id, filter=_filter(by, text), limit=PAGE, pagination_token=visit.query("page") or None
    )
    answer = await visit.call("ListUsers", request, ListUsersResponse)
    return visit.page(
        "users.html",
        pool=pool,
        section="Users",
        users=[_row(user) for user in answer.users or ()],
        next_token=answer.pagination_token,
        by=by,
        text=text,
        searchable=SEARCHABLE,
    )


async def show_form(visit: Visit) -> Response:
    """Show the form for a new user."""
    return _form(visit, await visit.pool())


async def create(visit: Visit) -> Response:
    """Create a user as AdminCreateUser does."""
    pool = await visit.pool()
    try:
        await visit.call("AdminCreateUser", _request(visit), AdminCreateUserResponse)
    except ServiceError as error:
        return _form(visit, pool, error=error.message)
    return visit.go(f"/console/pools/{visit.pool_id}/users")


def _request(visit: Visit) -> AdminCreateUserRequest:
    attributes = []
    for contact in ("email", "phone_number"):
        if visit.text(contact):
            attributes.append(AttributeType(name=contact, value=visit.text(contact)))
            if visit.text(f"{contact}_verified"):
                attributes.append(AttributeType(name=f"{contact}_verified", value="true"))
    invitation = visit.text("invitation") or "EMAIL"
    silent = invitation == MessageActionType.SUPPRESS
    return AdminCreateUserRequest(
        user_pool_id=visit.pool_id,
        username=visit.text("username") or visit.text("email") or visit.text("phone_number"),
        user_attributes=attributes,
        temporary_password=visit.text("password") or None,
        message_action=MessageActionType.SUPPRESS if silent else None,
        desired_delivery_mediums=None if silent else [DeliveryMediumType(invitation)],
    )


def _form(visit: Visit, pool: UserPoolType, error: str = "") -> Response:
    fields = ("username", "email", "phone_number", "email_verified", "phone_number_verified")
    names = pool.username_attributes or []
    return visit.page(
        "create_user.html",
        status=400 if error else 200,
        pool=pool,
        section="Users",
        error=error,
        asks_username=not names,
        asks_email="email" in names,
        asks_phone="phone_number" in names,
        form={name: visit.text(name) for name in fields} | {"invitation": visit.text("invitation") or "EMAIL"},
    )


def _filter(by: str, text: str) -> str | None:
    if not text or by not in dict(SEARCHABLE):
        return None
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{by} ^= "{quoted}"'


def _row(user: UserType) -> Row:
    attributes = {attribute.name: attribute.value or "" for attribute in user.attributes or ()}
    contact = "email" if attributes.get("email") else "phone_number"
    return Row(
        username=user.username or "",
        contact=attributes.get(contact, ""),
        verified=attributes.get(f"{contact}_verified") == "true",
        status=user.user_status or "",
        enabled=bool(user.enabled),
        created=user.user_create_date or 0,
    )
