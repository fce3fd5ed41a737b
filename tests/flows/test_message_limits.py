"""Limits on messages: for a user, to an address, for a pool."""

import dataclasses
import uuid

import pytest
from msgspec.structs import replace

from poolhouse.core.deliveries import Delivery, Letter, Recipient
from poolhouse.core.message import Message
from poolhouse.core.message_limits import read_limit
from poolhouse.core.messages import MessageKind
from poolhouse.flows.deliveries import write_and_deliver
from poolhouse.model import CodeDeliveryFailureException, LimitExceededException
from tests.flows.stage import START
from tests.flows.test_messages import Post, ann, post

__all__ = ["post"]
HOUR = 3600
exceeded = "LimitExceededException"
RISK = Message(
    id="m",
    at=START,
    channel="EMAIL",
    to="ann@example.org",
    body="risk",
    template="AccountTakeOverNotification",
    user_pool_id="us-east-1_AbCdEfGhI",
    username="ann",
)


def limit(post: Post, *texts: str) -> None:
    post.deps = dataclasses.replace(post.deps, message_limits=tuple(read_limit(text) for text in texts))


def told(post: Post, user, kind: MessageKind, attribute: str = "email", count: int = 1) -> list[str]:
    """What each of so many messages is answered with."""
    answers = []
    for _ in range(count):
        try:
            post.send(user, kind, attribute, client=post.client)
            answers.append("ok")
        except (CodeDeliveryFailureException, LimitExceededException) as error:
            answers.append(error.code)
    return answers


def test_limits_of_an_operator(post: Post):
    """An address of a pool gets so many messages in the window, and a pool sends so many by a channel."""
    limit(post, "sms-destination=2/hour", "sms-pool=3/day", "email-pool=1/day")
    bob = ann(sub=str(uuid.UUID(int=8)), attributes={"phone_number": "+15551230000"})
    assert told(post, ann(), MessageKind.SIGN_UP, "phone_number", 3) == ["ok", "ok", exceeded]
    assert told(post, bob, MessageKind.RESEND_CODE, "phone_number", 2) == ["ok", exceeded]
    assert told(post, ann(), MessageKind.SIGN_UP, "email", 2) == ["ok", exceeded]
    assert told(post, ann(), MessageKind.ADMIN_CREATE_USER, "email") == [exceeded]
    post.clock.advance(HOUR)
    assert told(post, ann(), MessageKind.SIGN_UP, "phone_number") == [exceeded]  # the pool's day is not over
    post.clock.advance(23 * HOUR)
    assert told(post, ann(), MessageKind.SIGN_UP, "phone_number", 3) == ["ok", "ok", exceeded]
    assert len(post.kept) == 6


def test_what_is_said_of_a_limit(post: Post):
    """Mail that is too many for a pool has a sentence of its own, which clients match on (spec/api/11 §3)."""
    limit(post, "email-destination=1/hour", "email-pool=2/hour")

    def said(to: str) -> str:
        with pytest.raises(LimitExceededException) as refusal:
            post.send(ann(attributes={"email": to}), MessageKind.SIGN_UP, client=post.client)
        return str(refusal.value)

    assert told(post, ann(attributes={"email": "a@x.org"}), MessageKind.SIGN_UP) == ["ok"]
    assert said("a@x.org") == "Attempt limit exceeded, please try after some time."
    assert told(post, ann(attributes={"email": "b@x.org"}), MessageKind.SIGN_UP) == ["ok"]
    assert said("c@x.org") == (
        "Exceeded daily email limit for the operation or the account. If a higher limit is required, please configure"
        " your user pool to use your own Amazon SES configuration for sending email."
    )


def test_mail_of_no_kind_counts_for_the_pool(post: Post):
    """What the whole pool sends includes mail about risky sign-ins."""
    limit(post, "email-pool=1/day")
    recipient = Recipient(sub=ann().sub, attribute="email", destination="ann@example.org")
    letter = Letter(message=RISK)
    for number in range(2):
        delivery = Delivery(
            id=f"m{number}", pool_id=post.pool.id, content=letter, expires_at=START + 1, recipient=recipient
        )
        post.run(write_and_deliver(post.public, lambda _: None, delivery))
    assert len(post.kept) == 1
    assert told(post, ann(), MessageKind.SIGN_UP) == [exceeded]
    assert told(post, ann(), MessageKind.SIGN_UP, "phone_number") == ["ok"]


@pytest.mark.parametrize(
    ("kind", "most", "answer"),
    [
        # Operations that do not declare LimitExceededException answer what they declare, or nothing at all.
        (MessageKind.UPDATE_USER_ATTRIBUTE, 10, "CodeDeliveryFailureException"),
        (MessageKind.AUTHENTICATION, 30, "ok"),
    ],
)
def test_limits_that_always_hold(post: Post, kind: MessageKind, most: int, answer: str):
    """What a user can have sent without end is limited, whatever the address, and nobody else is held up."""
    assert told(post, ann(), kind, count=most + 2) == ["ok"] * most + [answer] * 2
    moved = replace(ann(), attributes={"email": "other@x.org"})
    assert told(post, moved, kind) == [answer]
    assert len(post.kept) == most
    assert told(post, ann(sub=str(uuid.UUID(int=8))), kind) == ["ok"]
    post.clock.advance(HOUR)
    assert told(post, ann(), kind) == ["ok"]
    assert len(post.kept) == most + 2


def test_strangers_use_up_their_own(post: Post):
    """Codes that anybody has sent by a name alone keep nobody from those that a right password asks for."""
    for _ in range(32):
        post.send(ann(), MessageKind.AUTHENTICATION, "email", client=post.client, by_stranger=True)
    assert len(post.kept) == 30
    assert told(post, ann(), MessageKind.AUTHENTICATION, count=32) == ["ok"] * 32
    assert len(post.kept) == 60


def test_counters_do_not_tell_addresses(post: Post):
    """The counter of an address is kept under a keyed digest, in whatever case it is written."""
    limit(post, "email-destination=1/hour")
    assert told(post, ann(), MessageKind.SIGN_UP) == ["ok"]
    shouted = ann(attributes={"email": "ANN@example.org"})
    assert told(post, shouted, MessageKind.SIGN_UP) == ["LimitExceededException"]
    names = post.read(lambda tx: tx.attempts._sql.rows("SELECT name FROM attempts"))
    assert names
    assert not [name for (name,) in names if "example" in name]


@pytest.mark.parametrize(
    "text", ["", "sms=5/hour", "sms-pool=0/day", "sms-pool=5/week", "fax-pool=5/day", "sms-user=1/day"]
)
def test_bad_limits(text: str):
    """What is no limit is refused."""
    with pytest.raises(ValueError, match="sms-destination=5/hour"):
        read_limit(text)
