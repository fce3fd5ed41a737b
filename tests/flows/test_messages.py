"""Sending codes: the right words to the right place, the triggers asked first, and made-up answers for nobody."""

import dataclasses
import uuid
from collections.abc import Iterator

import msgspec
import pytest

from poolhouse.core.message import Message
from poolhouse.core.messages import MessageKind
from poolhouse.core.trigger_events import MEMBERS, find_function
from poolhouse.core.user import User
from poolhouse.crypto.seal import Sealer
from poolhouse.delivery import Courier
from poolhouse.flows.messages import send_code, simulate
from poolhouse.model import (
    CodeDeliveryDetailsType,
    DefaultEmailOptionType,
    DeliveryMediumType,
    InvalidParameterException,
    LambdaConfigType,
    UnexpectedLambdaException,
    UserStatusType,
    VerificationMessageTemplateType,
)
from poolhouse.triggers import Triggers
from tests.flows.stage import START, Stage

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
LINKS = VerificationMessageTemplateType(default_email_option=DefaultEmailOptionType.CONFIRM_WITH_LINK)


class Post(Stage):
    """A stage whose messages are kept."""

    async def _keep(self, message: Message) -> None:
        await self.store.write(lambda tx: tx.outbox.add(message))

    @property
    def kept(self) -> list[Message]:
        return self.read(lambda tx: tx.outbox.list())

    def send(self, user: User, kind: MessageKind, attribute: str = "email", **options) -> CodeDeliveryDetailsType:
        return self.run(
            send_code(self.public, self.pool, user, kind=kind, attribute=attribute, code="123456", **options)
        )


@pytest.fixture
def post() -> Iterator[Post]:
    stage = Post()
    yield stage
    stage.close()


def ann(**changes) -> User:
    values = {
        "pool_id": "us-east-1_AbCdEfGhI",
        "sub": str(uuid.UUID(int=7)),
        "username": "ann",
        "status": UserStatusType.UNCONFIRMED,
        "attributes": {"email": "ann@example.org", "phone_number": "+15551239934"},
        "created_at": START,
        "modified_at": START,
    }
    return User(**values | changes)


def test_a_code_is_sent_and_masked(post: Post):
    """The message is complete, and the answer tells no more than it may."""
    details = post.send(ann(), MessageKind.SIGN_UP)

    [message] = post.kept
    assert details == CodeDeliveryDetailsType(
        attribute_name="email", delivery_medium=DeliveryMediumType.EMAIL, destination="a***@e***"
    )
    assert uuid.UUID(message.id).version == 4
    assert message == Message(
        id=message.id,
        at=START,
        channel="EMAIL",
        to="ann@example.org",
        subject="Your verification code",
        body="Your verification code is 123456. ",
        code="123456",
        template="SignUp",
        user_pool_id="us-east-1_AbCdEfGhI",
        username="ann",
    )


def test_a_code_goes_to_a_telephone(post: Post):
    """A text message has no subject."""
    details = post.send(ann(), MessageKind.AUTHENTICATION, "phone_number")

    assert (details.delivery_medium, details.destination) == ("SMS", "+*******9934")
    assert (post.kept[0].channel, post.kept[0].to, post.kept[0].subject) == ("SMS", "+15551239934", None)
    assert post.kept[0].body == "Your authentication code is 123456. "


@pytest.mark.parametrize("kind", MessageKind)
def test_a_new_address_is_verified_where_it_is(post: Post, kind: MessageKind):
    """A pending address gets the codes that verify it, and no other: a reset goes to the one still in force."""
    post.send(ann(pending={"email": "new@example.com"}), kind)

    verifies = kind in {MessageKind.VERIFY_USER_ATTRIBUTE, MessageKind.UPDATE_USER_ATTRIBUTE}
    assert post.kept[0].to == ("new@example.com" if verifies else "ann@example.org")


def test_an_invitation_names_what_to_sign_in_with(post: Post):
    """Where addresses take the place of user names the invitation names the address, not the identifier."""
    post.send(ann(), MessageKind.ADMIN_CREATE_USER)
    post.set_pool(username_attributes=["email"])
    post.send(ann(username=str(uuid.UUID(int=7))), MessageKind.ADMIN_CREATE_USER)

    assert [message.body for message in post.kept] == [
        "Your username is ann and temporary password is 123456. ",
        "Your username is ann@example.org and temporary password is 123456. ",
    ]


def test_a_link_leads_to_the_pools_domain(post: Post):
    """By link, the message holds the address that confirms; the outbox keeps the code beside it."""
    post.set_pool(verification_message_template=LINKS, domain="shop")
    post.send(ann(), MessageKind.SIGN_UP, client=post.client)

    assert post.kept[0].subject == "Your verification link"
    assert post.kept[0].code == "123456"
    assert post.kept[0].body == (
        "Please click the link below to verify your email address. "
        '<a href="http://localhost:7665/auth/shop/confirmUser'
        '?client_id=client&amp;user_name=ann&amp;confirmation_code=123456">Verify Email</a> '
    )


def test_a_link_needs_a_domain(post: Post):
    """Without a domain to lead to there is no link, and nothing is sent (spec/api/03 §6)."""
    post.set_pool(verification_message_template=LINKS)
    with pytest.raises(InvalidParameterException):
        post.send(ann(), MessageKind.SIGN_UP, client=post.client)

    assert post.kept == []


def test_a_configured_trigger_that_cannot_run_fails_the_call(post: Post):
    """A CustomMessage function that cannot be invoked is told, as Cognito tells it; nothing is sent."""
    post.set_pool(lambda_config=LambdaConfigType(custom_message=ARN))
    with pytest.raises(UnexpectedLambdaException) as failure:
        post.send(ann(), MessageKind.SIGN_UP)

    assert str(failure.value) == "CustomMessage invocation failed due to error ResourceNotFoundException."
    assert post.kept == []


def test_simulated_deliveries_are_stable(post: Post):
    """The same name in the same pool always seems to have the same address; other names have others."""
    names = [f"nobody{number}" for number in range(40)]
    first = [simulate(post.public, post.pool, name).details for name in names]

    assert [simulate(post.public, post.pool, name).details for name in names] == first
    assert {details.attribute_name for details in first} == {"email"}
    assert {details.delivery_medium for details in first} == {"EMAIL"}
    assert len({details.destination for details in first}) > 20
    assert all(len(details.destination) == len("k***@g***") for details in first)


def test_simulated_deliveries_cannot_be_worked_out_elsewhere(post: Post):
    """They depend on the master key."""
    elsewhere = msgspec.structs.replace(
        post.public, deps=dataclasses.replace(post.deps, sealer=Sealer(b"x" * 32), courier=Courier(post._keep, now=int))
    )
    names = [f"nobody{number}" for number in range(40)]
    here = [simulate(post.public, post.pool, name).details.destination for name in names]

    assert [simulate(elsewhere, post.pool, name).details.destination for name in names] != here


def test_a_simulated_delivery_for_an_address_names_it(post: Post):
    """A name that is an address seems to be written to."""
    assert simulate(post.public, post.pool, "eve@x.org").details.destination == "e***@x***"
    assert simulate(post.public, post.pool, "+4915112345678").details.delivery_medium == "SMS"


VERSIONED = {"LambdaArn": ARN, "LambdaVersion": "V1_0"}
CONFIGURATIONS = {
    name: {name: VERSIONED if name in {"CustomEmailSender", "CustomSMSSender", "InboundFederation"} else ARN}
    for name in MEMBERS
}


@pytest.mark.parametrize("trigger", MEMBERS)
def test_every_trigger_is_found(post: Post, trigger: str):
    """Each trigger has its member of LambdaConfig, and is asked under its own name only."""
    configured = msgspec.convert(CONFIGURATIONS[trigger], LambdaConfigType)
    post.set_pool(lambda_config=configured)

    assert [name for name in MEMBERS if find_function(configured, name)] == [trigger]
    assert find_function(configured, trigger) == ARN
    assert find_function(None, trigger) is None
    with pytest.raises(UnexpectedLambdaException) as failure:
        post.run(Triggers().invoke(trigger, ARN, {}))
    assert str(failure.value) == f"{trigger} invocation failed due to error ResourceNotFoundException."


def test_the_versioned_token_function_comes_first():
    """Of PreTokenGeneration's two members the one with a version counts."""
    both = {"PreTokenGeneration": f"{ARN}1", "PreTokenGenerationConfig": {**VERSIONED, "LambdaArn": f"{ARN}2"}}

    assert find_function(msgspec.convert(both, LambdaConfigType), "PreTokenGeneration") == f"{ARN}2"
