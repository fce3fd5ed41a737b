"""Telling users of risky sign-ins by mail, and asking them whether it was they (spec/api/07 §2)."""

from urllib.parse import urlencode

from msgspec import UNSET

from poolhouse.core.deliveries import LONGEST_WAIT, Delivery, Letter, Recipient
from poolhouse.core.factors import EMAIL, can_show
from poolhouse.core.limits import Purpose
from poolhouse.core.message import Message
from poolhouse.core.risk import find_notice
from poolhouse.core.risk_actions import Outcome
from poolhouse.core.risk_mail import compose, envelope_of, values_of
from poolhouse.core.sender_events import Takeover
from poolhouse.core.user import User
from poolhouse.flows import feedback, limits
from poolhouse.flows.calls import Call
from poolhouse.flows.deliveries import write_and_deliver
from poolhouse.flows.journal import Entry
from poolhouse.flows.senders import notify_takeover
from poolhouse.model import (
    AccountTakeoverEventActionType,
    ConcurrentModificationException,
    FeedbackValueType,
    LimitExceededException,
    RiskConfigurationType,
)

# Where the links of the mail lead: the page of ``login.feedback``.
PATH = "/auth-event-feedback"
TEMPLATE = "AccountTakeOverNotification"
# What the pool's own sender of mail is told that an outcome was.
_ACTIONS = {
    Outcome.BLOCKED: AccountTakeoverEventActionType.BLOCK,
    Outcome.ASKED: AccountTakeoverEventActionType.MFA_REQUIRED,
    Outcome.PASSED: AccountTakeoverEventActionType.NO_ACTION,
}


async def notify(entry: Entry, configuration: RiskConfigurationType | None, outcome: Outcome) -> None:
    """Tell the user of a sign-in what it came to, as far as there is a verified address, and the hour has room.

    The sign-in does not wait for the mail.
    """
    words, user, call = find_notice(entry.pool, configuration), entry.user, entry.call
    if words is None or user is None or not can_show(user, EMAIL) or not await _has_room(entry):
        return
    token = feedback.make_token(call, entry.pool.id, user.id, entry.id)
    links = _links(call, token)
    # The pool's own sender takes the place of the mail (spec/api/06 §10).
    if await notify_takeover(call, entry.pool, entry.client, _takeover(entry, user, outcome, token, links)):
        return
    mail = compose(words, outcome, values_of(entry.sighting, user.username, entry.id, token, links))
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
    delivery = Delivery(
        id=message.id,
        pool_id=entry.pool.id,
        content=Letter(message=message, envelope=envelope_of(words)),
        expires_at=call.now + LONGEST_WAIT,
        recipient=Recipient(sub=user.sub, attribute="email", destination=message.to),
    )
    await write_and_deliver(call, lambda _: None, delivery)


def _takeover(entry: Entry, user: User, outcome: Outcome, token: str, links: tuple[str, str]) -> Takeover:
    seen = entry.sighting
    return Takeover(
        event_id=entry.id,
        username=user.username,
        address=seen.address,
        at=seen.at,
        action=_ACTIONS[outcome],
        feedback_token=token,
        valid_link=links[0],
        invalid_link=links[1],
        city=seen.place.city or None,
        country=seen.place.country or None,
        device=seen.device or None,
    )


def _links(call: Call, token: str) -> tuple[str, str]:
    base = f"{call.deps.identity.public_url}{PATH}"
    valid, invalid = (urlencode({"value": value, "token": token}) for value in FeedbackValueType)
    return f"{base}?{valid}", f"{base}?{invalid}"


async def _has_room(entry: Entry) -> bool:
    """Count a mail; whoever knows the password must not flood its owner with mail."""
    call, pool, name = entry.call, entry.pool, entry.name
    try:
        await call.store.write(lambda tx: limits.count_attempt(tx, call.now, pool, name, Purpose.RISK_MAIL))
    except (LimitExceededException, ConcurrentModificationException):
        return False
    return True
