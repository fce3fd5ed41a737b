"""Sending users their codes and invitations: choose the words, let the pool's function have its say, hand over."""

import asyncio
import logging
from functools import partial
from typing import NamedTuple

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
from poolhouse.core.trigger_events import find_function
from poolhouse.core.user import User
from poolhouse.delivery import UNSEEN_SECONDS
from poolhouse.flows.calls import Call
from poolhouse.flows.consult import consult
from poolhouse.flows.links import base_url_of
from poolhouse.flows.senders import find_sender_event, hand_over_later
from poolhouse.model import CodeDeliveryDetailsType, DeliveryMediumType, InvalidParameterException, ServiceError

log = logging.getLogger("poolhouse")
# These may be about a value that is not the user's yet.
_ABOUT_NEW_VALUES = (MessageKind.VERIFY_USER_ATTRIBUTE, MessageKind.UPDATE_USER_ATTRIBUTE)
# Anybody can ask for these by a name alone.
_ASKED_BY_STRANGERS = (MessageKind.FORGOT_PASSWORD, MessageKind.RESEND_CODE)


class _Post(NamedTuple):
    """What a message is about, and for whom."""

    call: Call
    pool: Pool
    user: User
    kind: MessageKind
    attribute: str
    code: str | None
    client: Client | None

    @property
    def medium(self) -> DeliveryMediumType:
        return MEDIUM_OF[self.attribute]

    @property
    def pending(self) -> str | None:
        return self.user.pending.get(self.attribute) if self.kind in _ABOUT_NEW_VALUES else None

    @property
    def destination(self) -> str:
        return self.pending or self.user.attributes[self.attribute]

    @property
    def attributes(self) -> dict[str, str]:
        """What functions see of the user: the address that the message is for, also where it still waits."""
        if self.pending is None:
            return user_attributes(self.user)
        return user_attributes(self.user) | {self.attribute: self.pending, f"{self.attribute}_verified": "false"}


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

    Differs from Cognito (CustomMessage): where a client conceals users, ForgotPassword and ResendConfirmationCode do
    not wait for the function, and do not tell its errors: both would tell that there is such a user. They are logged.
    """
    post = _Post(call, pool, user, kind, attribute, code, client)
    details = CodeDeliveryDetailsType(
        attribute_name=attribute, delivery_medium=post.medium, destination=mask(post.destination)
    )
    unseen = client is not None and client.conceals_users and kind in _ASKED_BY_STRANGERS
    # The pool's own sender takes the place of everything below (spec/api/06 §10).
    event = find_sender_event(
        call,
        pool,
        kind,
        post.medium,
        post.attributes,
        username=user.username,
        code=code,
        client=client,
        client_metadata=client_metadata,
    )
    if event is not None:
        hand_over_later(call.deps, event, unseen=unseen)
        return details
    link = _find_link(call, pool, user, kind, post.medium, code or "", client)
    if unseen and find_function(pool.settings.lambda_config, "CustomMessage"):
        call.deps.later.begin(_send_quietly(post, link, client_metadata))
        return details
    message = await _write(post, link, client_metadata)
    if message is not None:
        deliver = call.deps.courier.deliver_unseen if unseen else call.deps.courier.deliver
        await deliver(message, envelope_of(pool))
    return details


async def _send_quietly(post: _Post, link: str | None, client_metadata: dict[str, str] | None) -> None:
    """Write and deliver a message so that nobody notices, neither by the answer nor by its time."""
    await asyncio.sleep(UNSEEN_SECONDS)
    try:
        message = await _write(post, link, client_metadata)
        if message is not None:
            await post.call.deps.courier.deliver(message, envelope_of(post.pool))
    except ServiceError as error:
        log.warning("a %s message of pool %s was not sent: %s", post.kind, post.pool.id, error.code)


async def _write(post: _Post, link: str | None, client_metadata: dict[str, str] | None) -> Message | None:
    """Return the message, after the CustomMessage trigger had its say; None where there is nothing to send."""
    call, pool, user, kind, _, code, client = post
    request = partial(message_request, post.attributes, kind, client_metadata)
    response = await consult(call, pool, f"CustomMessage_{kind}", request, username=user.username, client=client)
    if call.deps.identity.strict:
        check_mail_is_own(pool, response)
    places = code_places(code, by_link=is_link(pool, kind, post.medium))
    words = customised(choose_words(pool, kind, post.medium), response, kind, post.medium, places=places)
    if not is_meant(words, kind, code):
        return None
    words = fill(words, Values(code=code or "", username=_sign_in_name(pool, user), link=link), post.medium)
    return Message(
        id=call.deps.random.uuid(),
        at=call.now,
        channel=post.medium.value,
        to=post.destination,
        subject=words.subject,
        body=words.body,
        code=code,
        template=kind.value,
        user_pool_id=pool.id,
        username=user.username,
    )


def simulate_delivery(call: Call, pool: Pool, username: str) -> CodeDeliveryDetailsType:
    """Return what sending a code would have answered, for a user who does not exist (spec/api/03 §4).

    The same for the same pool and name, and not to be worked out without the master key.
    """
    chance = call.deps.sealer.digest("simulated delivery", pool.id, fold_username(pool, username))
    attribute, destination = simulated_destination(pool, username, chance)
    return CodeDeliveryDetailsType(
        attribute_name=attribute, delivery_medium=MEDIUM_OF[attribute], destination=destination
    )


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
