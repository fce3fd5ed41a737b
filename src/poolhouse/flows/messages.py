"""Sending users their codes and invitations: choose the words, let the pool's function have its say, hand over."""

from functools import partial

from poolhouse.core.aliases import fold_username
from poolhouse.core.client import Client
from poolhouse.core.custom_messages import check_mail_is_own, code_places, customised, message_request
from poolhouse.core.events_auth import user_attributes
from poolhouse.core.message import Message
from poolhouse.core.messages import (
    MEDIUM_OF,
    MessageKind,
    Values,
    choose_words,
    confirmation_link,
    envelope_of,
    fill,
    is_link,
    is_meant,
    mask,
)
from poolhouse.core.pool import Pool
from poolhouse.core.simulation import simulated_destination
from poolhouse.core.user import User
from poolhouse.flows.calls import Call
from poolhouse.flows.consult import consult
from poolhouse.flows.links import base_url_of
from poolhouse.model import CodeDeliveryDetailsType, DeliveryMediumType, InvalidParameterException

_SENDERS = {DeliveryMediumType.EMAIL: "CustomEmailSender", DeliveryMediumType.SMS: "CustomSMSSender"}
# These may be about a value that is not the user's yet.
_ABOUT_NEW_VALUES = (MessageKind.VERIFY_USER_ATTRIBUTE, MessageKind.UPDATE_USER_ATTRIBUTE)
# Anybody can ask for these by a name alone.
_ASKED_BY_STRANGERS = (MessageKind.FORGOT_PASSWORD, MessageKind.RESEND_CODE)


async def send_code(
    call: Call,
    pool: Pool,
    user: User,
    *,
    kind: MessageKind,
    attribute: str,
    code: str | None,
    client: Client | None = None,
    client_metadata: dict[str, str] | None = None,
) -> CodeDeliveryDetailsType:
    """Send a code, or a temporary password, to one of a user's addresses and say where it went.

    ``attribute`` is ``email`` or ``phone_number``; ``client`` is the one that the request came through, if any.
    ``code`` is None in the invitation of a user without a password.
    Strangers who ask through a client that conceals users do not learn whether it arrived.
    Raises CodeDeliveryFailureException, InvalidParameterException (a link without a domain to lead to),
    and the errors of the CustomMessage trigger.
    """
    destination = _destination(user, kind, attribute)
    medium = MEDIUM_OF[attribute]
    details = CodeDeliveryDetailsType(attribute_name=attribute, delivery_medium=medium, destination=mask(destination))
    text = code or ""
    link = _find_link(call, pool, user, kind, medium, text, client)
    values = Values(code=text, username=_sign_in_name(pool, user), link=link)
    request = partial(message_request, user_attributes(user), kind, client_metadata)
    # The pool's own sender takes the place of everything below (spec/api/06 §10).
    if (
        await consult(call, pool, f"{_SENDERS[medium]}_{kind}", request, username=user.username, client=client)
        is not None
    ):
        return details
    response = await consult(call, pool, f"CustomMessage_{kind}", request, username=user.username, client=client)
    if call.deps.identity.strict:
        check_mail_is_own(pool, response)
    places = code_places(code, by_link=is_link(pool, kind, medium))
    words = customised(choose_words(pool, kind, medium), response, kind, medium, places=places)
    if not is_meant(words, kind, code):
        return details
    words = fill(words, values, medium)
    message = Message(
        id=call.deps.random.uuid(),
        at=call.now,
        channel=medium.value,
        to=destination,
        subject=words.subject,
        body=words.body,
        code=code,
        template=kind.value,
        user_pool_id=pool.id,
        username=user.username,
    )
    unseen = client is not None and client.conceals_users and kind in _ASKED_BY_STRANGERS
    deliver = call.deps.courier.deliver_unseen if unseen else call.deps.courier.deliver
    await deliver(message, envelope_of(pool))
    return details


def simulate_delivery(call: Call, pool: Pool, username: str) -> CodeDeliveryDetailsType:
    """Return what sending a code would have answered, for a user who does not exist (spec/api/03 §4).

    The same for the same pool and name, and not to be worked out without the master key.
    """
    chance = call.deps.sealer.digest("simulated delivery", pool.id, fold_username(pool, username))
    attribute, destination = simulated_destination(pool, username, chance)
    return CodeDeliveryDetailsType(
        attribute_name=attribute, delivery_medium=MEDIUM_OF[attribute], destination=destination
    )


def _destination(user: User, kind: MessageKind, attribute: str) -> str:
    pending = user.pending.get(attribute) if kind in _ABOUT_NEW_VALUES else None
    return pending or user.attributes[attribute]


def _sign_in_name(pool: Pool, user: User) -> str:
    """Return what the user types to sign in: where addresses take the place of user names, the address."""
    for attribute in ("email", "phone_number"):
        if attribute in pool.username_attributes and attribute in user.attributes:
            return user.attributes[attribute]
    return user.username


def _find_link(
    call: Call, pool: Pool, user: User, kind: MessageKind, medium: DeliveryMediumType, code: str, client: Client | None
) -> str | None:
    """Return the address to confirm with where the message holds one; raises InvalidParameterException."""
    if not is_link(pool, kind, medium):
        return None
    base_url = base_url_of(call.deps.identity, pool)
    if base_url is None or client is None:
        raise InvalidParameterException("A user pool needs a domain to confirm users with a link.")
    return confirmation_link(base_url, client.id, user.username, code)
