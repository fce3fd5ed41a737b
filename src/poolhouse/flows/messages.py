"""Sending users their codes and invitations: choose the words, let the pool's function have its say, hand over."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from msgspec import Struct

from poolhouse.core.aliases import familiar_name, fold_username
from poolhouse.core.client import Client
from poolhouse.core.custom_messages import code_places, is_mail_own, message_request
from poolhouse.core.deliveries import LONGEST_WAIT, Content, Delivery, Draft, Letter, find_waiting, recipient_of
from poolhouse.core.events_auth import user_attributes
from poolhouse.core.message import Message
from poolhouse.core.message_limits import TOLD
from poolhouse.core.messages import (
    MEDIUM_OF,
    MessageKind,
    Values,
    choose_words,
    confirmation_link,
    envelope_of,
    is_link,
    mask,
)
from poolhouse.core.pool import Pool
from poolhouse.core.session import ConfirmationCode
from poolhouse.core.simulation import simulated_address, simulated_destination
from poolhouse.core.user import User
from poolhouse.delivery import undelivered
from poolhouse.flows.calls import Call
from poolhouse.flows.codes import FreshCode
from poolhouse.flows.consult import find_question
from poolhouse.flows.deliveries import finish_letter, make_decoy, write_and_deliver
from poolhouse.flows.links import base_url_of
from poolhouse.flows.message_limits import count, limits_on, refusal_of
from poolhouse.flows.senders import find_sender_event
from poolhouse.model import CodeDeliveryDetailsType, DeliveryMediumType, InvalidParameterException
from poolhouse.storage import Tx

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
    def destination(self) -> str:
        return find_waiting(self.user, self.kind, self.attribute) or self.user.attributes[self.attribute]

    def attributes(self) -> dict[str, str]:
        """What functions see of the user: the address that the message is for, also where it still waits."""
        waiting = find_waiting(self.user, self.kind, self.attribute)
        if waiting is None:
            return user_attributes(self.pool, self.user)
        return user_attributes(self.pool, self.user) | {self.attribute: waiting, f"{self.attribute}_verified": "false"}


class Composed(Struct, frozen=True, kw_only=True):
    """A message that is ready to leave: what may be told of it, and what to deliver, if anything at all.

    ``told`` says that the answer tells whether it arrived: it is tried once, after the change that it is about.
    Any other is left in the database with that change, and tried until it arrives or is void.
    """

    details: CodeDeliveryDetailsType
    delivery: Delivery | None
    told: bool


async def send_code(
    call: Call,
    pool: Pool,
    user: User,
    *,
    kind: MessageKind,
    attribute: str,
    code: FreshCode | str | None,
    client: Client | None = None,
    client_metadata: dict[str, str] | None = None,
    by_stranger: bool = False,
) -> CodeDeliveryDetailsType:
    """Compose a message about a change that is made already, deliver it, and say where it went.

    Raises what ``compose`` raises, and where the answer tells, CodeDeliveryFailureException or LimitExceededException.
    """
    composed = await compose(
        call,
        pool,
        user,
        kind=kind,
        attribute=attribute,
        code=code,
        client=client,
        client_metadata=client_metadata,
        by_stranger=by_stranger,
    )
    if composed.delivery is None:
        return composed.details
    limited = bool(limits_on(call, composed.delivery.recipient))
    if composed.told and not limited:
        await _deliver(call, composed)
        return composed.details
    return await commit_and_send(call, lambda _: None, composed)


async def commit_and_send(call: Call, commit: Callable[[Tx], object], composed: Composed) -> CodeDeliveryDetailsType:
    """Make a change together with the message about it, and say where that went.

    Raises what ``commit`` raises, and where the answer tells, CodeDeliveryFailureException or LimitExceededException.
    After the latter nothing is changed.
    """
    if composed.told:
        await call.store.write(partial(_commit_counted, call=call, commit=commit, delivery=composed.delivery))
        await _deliver(call, composed)
    else:
        await write_and_deliver(call, commit, composed.delivery)
    return composed.details


def _commit_counted(tx: Tx, *, call: Call, commit: Callable[[Tx], object], delivery: Delivery | None) -> None:
    commit(tx)
    reached = count(tx, call, delivery) if delivery is not None else None
    if delivery is not None and reached is not None:
        told = delivery.recipient is not None and delivery.recipient.kind in TOLD
        raise refusal_of(reached) if told else undelivered()


async def compose(
    call: Call,
    pool: Pool,
    user: User,
    *,
    kind: MessageKind,
    attribute: str,
    code: FreshCode | str | None,
    client: Client | None = None,
    client_metadata: dict[str, str] | None = None,
    by_stranger: bool = False,
) -> Composed:
    """Compose a message with a code, or a temporary password, to one of a user's addresses.

    ``attribute`` is ``email`` or ``phone_number``; ``client`` is the one that the request came through, if any.
    ``code`` is None in the invitation of a user without a password.
    Strangers who ask through a client that conceals users do not learn whether it arrived; ``by_stranger`` says that
    one may have asked, where the kind of message does not tell.
    Raises InvalidParameterException (a link without a domain to lead to), and the errors of the CustomMessage trigger.

    Differs from Cognito (CustomMessage for strangers): where a client conceals users, ForgotPassword,
    ResendConfirmationCode and sign-ins that begin with a code do not wait for the function, and do not tell its errors:
    both would tell that there is such a user. They are logged.
    """
    stored = code.stored if isinstance(code, FreshCode) else None
    post = _Post(call, pool, user, kind, attribute, code.text if isinstance(code, FreshCode) else code, client)
    stranger = by_stranger or kind in _ASKED_BY_STRANGERS
    unseen = stranger and client is not None and client.conceals_users
    content = await _find_content(post, client_metadata, unseen=unseen)
    return Composed(
        details=CodeDeliveryDetailsType(
            attribute_name=attribute, delivery_medium=post.medium, destination=mask(post.destination)
        ),
        delivery=None if content is None else _delivery(post, stored, content, unseen=unseen, by_stranger=stranger),
        told=isinstance(content, Letter) and not unseen and _is_told(kind, client),
    )


async def _deliver(call: Call, composed: Composed) -> None:
    """Try once; raises CodeDeliveryFailureException."""
    letter = composed.delivery and composed.delivery.content
    if isinstance(letter, Letter):
        await call.deps.courier.deliver(letter.message, letter.envelope)


def simulate(call: Call, pool: Pool, username: str, attribute: str | None = None) -> Composed:
    """Return what stands for a message to a user who does not exist (spec/api/03 §4).

    What it tells is the same for the same pool and name, and not to be worked out without the master key.
    ``attribute`` is what the code would have gone to; None takes what is likely.
    """
    chance = call.deps.sealer.digest("simulated delivery", pool.id, fold_username(pool, username))
    if attribute is None:
        attribute, destination = simulated_destination(pool, username, chance)
    else:
        destination = simulated_address(attribute, username, chance)
    details = CodeDeliveryDetailsType(
        attribute_name=attribute, delivery_medium=MEDIUM_OF[attribute], destination=destination
    )
    return Composed(details=details, delivery=make_decoy(call, pool), told=False)


def _is_told(kind: MessageKind, client: Client | None) -> bool:
    """Whether the operations that send these messages answer CodeDeliveryFailureException (API reference).

    Those by which administrators change a user do not, nor those that sign in.
    """
    return kind == MessageKind.ADMIN_CREATE_USER or (kind != MessageKind.AUTHENTICATION and client is not None)


async def _find_content(post: _Post, client_metadata: dict[str, str] | None, *, unseen: bool) -> Content | None:
    """Return what is to be delivered; None where there is nothing to send."""
    # The pool's own sender takes the place of everything else (spec/api/06 §10).
    event = find_sender_event(
        post.call,
        post.pool,
        post.kind,
        post.medium,
        post.attributes,
        username=post.user.username,
        code=post.code,
        client=post.client,
        client_metadata=client_metadata,
    )
    if event is not None:
        return event
    draft = _draft(post, client_metadata)
    return draft if unseen and draft.question else await finish_letter(post.call.deps, draft)


def _draft(post: _Post, client_metadata: dict[str, str] | None) -> Draft:
    call, pool, user, kind, _, code, client = post
    link = _find_link(call, pool, user, kind, post.medium, code or "", client)
    return Draft(
        kind=kind,
        blank=Message(
            id=call.deps.random.uuid(),
            at=call.now,
            channel=post.medium.value,
            to=post.destination,
            body="",
            code=code,
            template=kind.value,
            user_pool_id=pool.id,
            username=user.username,
        ),
        words=choose_words(pool, kind, post.medium),
        values=Values(code=code or "", username=familiar_name(pool, user), link=link),
        places=code_places(code, by_link=is_link(pool, kind, post.medium)),
        envelope=envelope_of(pool),
        question=find_question(
            call,
            pool,
            f"CustomMessage_{kind}",
            lambda: message_request(post.attributes(), kind, client_metadata),
            username=user.username,
            client=client,
        ),
        words_mail=is_mail_own(pool) or not call.deps.identity.strict,
    )


def _delivery(
    post: _Post, stored: ConfirmationCode | None, content: Content, *, unseen: bool, by_stranger: bool
) -> Delivery:
    call = post.call
    expires_at = call.now + LONGEST_WAIT
    if stored is not None:
        expires_at = stored.expires_at
    elif post.kind == MessageKind.AUTHENTICATION and post.client is not None:
        expires_at = call.now + post.client.auth_session_seconds * 1000
    if isinstance(content, Letter):
        id = content.message.id
    else:
        id = content.blank.id if isinstance(content, Draft) else call.deps.random.uuid()
    return Delivery(
        id=id,
        pool_id=post.pool.id,
        content=content,
        expires_at=expires_at,
        recipient=recipient_of(post.user, post.kind, post.attribute, stored, by_stranger=by_stranger),
        unseen=unseen,
    )


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
