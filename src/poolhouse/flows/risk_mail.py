"""Telling users of risky sign-ins by mail, and asking them whether it was they (spec/api/07 §2)."""

from functools import partial
from urllib.parse import urlencode

from msgspec import UNSET

from poolhouse.core.limits import Purpose
from poolhouse.core.message import Message
from poolhouse.core.risk import find_notice
from poolhouse.core.risk_actions import Outcome
from poolhouse.core.risk_mail import compose, envelope_of, values_of
from poolhouse.core.user import User
from poolhouse.flows import feedback, limits
from poolhouse.flows.calls import Call
from poolhouse.flows.consult import consult
from poolhouse.flows.journal import Entry
from poolhouse.model import (
    ConcurrentModificationException,
    FeedbackValueType,
    LimitExceededException,
    RiskConfigurationType,
    ServiceError,
)

# Where the links of the mail lead: the page of ``login.feedback``.
PATH = "/auth-event-feedback"
SOURCE = "CustomEmailSender_AccountTakeOverNotification"
TEMPLATE = "AccountTakeOverNotification"


async def notify(entry: Entry, configuration: RiskConfigurationType | None, outcome: Outcome) -> None:
    """Tell the user of a sign-in what it came to, as far as there is a verified address, and the hour has room.

    The sign-in does not wait for the mail.
    """
    words, user, call = find_notice(entry.pool, configuration), entry.user, entry.call
    if words is None or user is None or not _has_address(user) or not await _has_room(entry):
        return
    token = feedback.make_token(call, entry.pool.id, user.id, entry.id)
    values = values_of(entry.sighting, user.username, entry.id, token, _links(call, token))
    request = partial(_request, values, outcome)
    # The pool's own sender takes the place of the mail; what becomes of it shows nowhere (spec/api/06 §10).
    try:
        if await consult(call, entry.pool, SOURCE, request, username=user.username, client=entry.client) is not None:
            return
    except ServiceError:
        return
    mail = compose(words, outcome, values)
    message = Message(
        id=call.deps.random.uuid(),
        at=call.now,
        channel="EMAIL",
        to=user.attributes["email"],
        subject=mail.subject,
        body=mail.html,
        text=mail.text or UNSET,
        template=TEMPLATE,
        user_pool_id=entry.pool.id,
        username=user.username,
    )
    await call.deps.courier.deliver_unseen(message, envelope_of(words))


def _request(values: dict[str, str], outcome: Outcome) -> dict[str, object]:
    """Return what the function that sends mail is told: facts in the place of attributes (spec/api/06 §10)."""
    named = {name.upper().replace("-", "_"): value for name, value in values.items() if name != "username"}
    attributes = named | {"USER_NAME": values["username"], "ACCOUNT_TAKE_OVER_ACTION": outcome.value}
    return {"type": "customEmailSenderRequestV1", "code": None, "clientMetadata": None, "userAttributes": attributes}


def _links(call: Call, token: str) -> tuple[str, str]:
    base = f"{call.deps.identity.public_url}{PATH}"
    valid, invalid = (urlencode({"value": value, "token": token}) for value in FeedbackValueType)
    return f"{base}?{valid}", f"{base}?{invalid}"


def _has_address(user: User) -> bool:
    return bool(user.attributes.get("email")) and user.attributes.get("email_verified") == "true"


async def _has_room(entry: Entry) -> bool:
    """Count a mail; whoever knows the password must not flood its owner with mail."""
    call, pool, name = entry.call, entry.pool, entry.name
    try:
        await call.store.write(lambda tx: limits.count_attempt(tx, call.now, pool, name, Purpose.RISK_MAIL))
    except (LimitExceededException, ConcurrentModificationException):
        return False
    return True
