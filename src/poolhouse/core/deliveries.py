"""What is delivered in the background: to whom, until when, how often it is tried, and whether it still may go.

Times are milliseconds.
"""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.custom_messages import check_no_mail, customised
from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope, MessageKind, Values, Words, fill, is_meant
from poolhouse.core.sender_events import SenderEvent
from poolhouse.core.session import ConfirmationCode
from poolhouse.core.user import User
from poolhouse.model import DeliveryMediumType

# After this nobody waits for it any more, where the code in it is not void earlier.
LONGEST_WAIT = 86_400_000
FIRST_PAUSE, LONGEST_PAUSE = 1_000, 3_600_000
# These may be about a value that is not the user's yet.
_ABOUT_NEW_VALUES = (MessageKind.VERIFY_USER_ATTRIBUTE, MessageKind.UPDATE_USER_ATTRIBUTE)


class Letter(Struct, frozen=True, kw_only=True, tag="letter"):
    """A message, and whom its pool's mail comes from."""

    message: Message
    envelope: Envelope = Envelope()


class Question(Struct, frozen=True, kw_only=True):
    """What a pool's function is asked: an event, under the name of its trigger that errors tell."""

    trigger: str
    arn: str
    event: dict[str, Any]


class Draft(Struct, frozen=True, kw_only=True, tag="draft"):
    """A message that the CustomMessage trigger has yet to have its say on, where the pool has that.

    ``blank`` is the message without its words, and ``words`` are the pool's own. ``places`` is for ``customised``,
    and ``words_mail`` says whether the function may put mail in its words.
    """

    kind: MessageKind
    blank: Message
    words: Words
    values: Values
    places: frozenset[str]
    words_mail: bool
    envelope: Envelope
    question: Question | None = None


class Recipient(Struct, frozen=True, kw_only=True):
    """The user that a delivery is for: it is made only while the user has that address.

    ``attribute`` is ``email`` or ``phone_number``, and ``destination`` its value, or the one that waits to become it.
    ``purpose`` and ``digest`` are those of the confirmation code inside, if there is one. ``kind`` is what limits on
    messages count it as, beside those on all of a channel; ``by_stranger`` says that anybody may have asked for it.
    """

    sub: str
    attribute: str
    destination: str
    purpose: str | None = None
    digest: bytes | None = None
    kind: MessageKind | None = None
    by_stranger: bool = False


Content = Letter | Draft | SenderEvent


class Delivery(Struct, frozen=True, kw_only=True):
    """Something to deliver. ``id`` is what logs call it; without a ``recipient`` it is made whatever happens.

    ``unseen`` says that nobody may notice it: strangers can have it made by a name alone.
    """

    id: str
    pool_id: str
    content: Content
    expires_at: int
    recipient: Recipient | None = None
    unseen: bool = False


def find_waiting(user: User, kind: MessageKind, attribute: str) -> str | None:
    """Return the value that waits to become the user's, where a message of this kind is for that."""
    return user.pending.get(attribute) if kind in _ABOUT_NEW_VALUES else None


def recipient_of(
    user: User,
    kind: MessageKind,
    attribute: str,
    code: ConfirmationCode | None = None,
    *,
    by_stranger: bool = False,
) -> Recipient:
    """Return whom a message of this kind is for; ``code`` is the one stored for what is inside."""
    return Recipient(
        sub=user.sub,
        attribute=attribute,
        destination=find_waiting(user, kind, attribute) or user.attributes[attribute],
        purpose=None if code is None else code.purpose,
        digest=None if code is None else code.digest,
        kind=kind,
        by_stranger=by_stranger,
    )


def is_wanted(recipient: Recipient, user: User | None, code: ConfirmationCode | None) -> bool:
    """Whether a delivery may still be made: the user is there, has the address, and the code is the latest.

    ``code`` is the one stored for the recipient's purpose. That it has not run out is ``Delivery.expires_at``.
    """
    if user is None:
        return False
    values = (user.attributes.get(recipient.attribute), user.pending.get(recipient.attribute))
    if recipient.destination not in values:
        return False
    return recipient.digest is None or (code is not None and code.digest == recipient.digest)


def finish(draft: Draft, response: dict[str, Any] | None) -> Letter | None:
    """Return the letter that a draft becomes by the function's answer; None where there is nothing to send.

    Raises InvalidLambdaResponseException.
    """
    if not draft.words_mail:
        check_no_mail(response)
    medium, code = DeliveryMediumType(draft.blank.channel), draft.blank.code
    words = customised(draft.words, response, draft.kind, medium, places=draft.places)
    if not is_meant(words, draft.kind, code):
        return None
    words = fill(words, draft.values, draft.kind, medium)
    return Letter(message=replace(draft.blank, subject=words.subject, body=words.body), envelope=draft.envelope)


def pause(attempts: int) -> int:
    """Return how long to wait after so many attempts that failed: seconds at first, then up to an hour."""
    return min(FIRST_PAUSE << min(attempts - 1, 20), LONGEST_PAUSE)
