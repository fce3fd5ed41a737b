"""Deliveries in the background: tried until they arrive or are void, and never made to the wrong address."""

import asyncio
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from poolhouse.core.deliveries import LONGEST_WAIT, Delivery, Letter, Recipient, pause
from poolhouse.core.message import Message
from poolhouse.core.messages import Envelope
from poolhouse.core.session import ConfirmationCode
from poolhouse.delivery.failure import NotDelivered
from poolhouse.flows import deliveries
from poolhouse.flows.deliveries import LEASE, UNSEEN, DeliveryRounds, make_decoy, write_and_deliver
from poolhouse.model import UserStatusType
from tests.flows.stage import START, Stage
from tests.storage.builders import names, user

CODE = ConfirmationCode(
    purpose="recover", digest=b"digest", attribute="email", destination="ann@x.org", expires_at=START + 3_600_000
)


class Service:
    """What sends mail: it fails as long as it is told to."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.failure: Exception | None = None

    async def send(self, message: Message, envelope: Envelope) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append(message.id)

    async def close(self) -> None:
        pass


class Post(Stage):
    """A stage with a user, a code on its way to her, and a service that sends mail."""

    def __init__(self) -> None:
        super().__init__()
        self.service, self.reported = Service(), []
        self.deps.courier._senders["EMAIL"] = self.service
        self.deps.courier._report = self._note
        fresh = user(
            pool_id=self.pool.id,
            username="ann",
            status=UserStatusType.CONFIRMED,
            attributes={"email": CODE.destination},
        )
        self.ann = self.write(lambda tx: tx.users.insert(fresh, names()))
        self.write(lambda tx: tx.confirmation_codes.put(self.ann.id, CODE))
        self.rounds = DeliveryRounds(self.deps)

    async def _note(self, message: Message) -> None:
        self.reported.append(message.id)

    def delivery(self, **changes) -> Delivery:
        message = Message(
            id="m",
            at=START,
            channel="EMAIL",
            to=CODE.destination,
            body="123456",
            template="ForgotPassword",
            user_pool_id=self.pool.id,
            username="ann",
        )
        recipient = Recipient(
            sub=self.ann.sub,
            attribute="email",
            destination=CODE.destination,
            purpose=CODE.purpose,
            digest=CODE.digest,
        )
        values = {"id": "m", "pool_id": self.pool.id, "content": Letter(message=message), "recipient": recipient}
        return Delivery(**{"expires_at": CODE.expires_at} | values | changes)

    def leave(self, delivery: Delivery | None = None) -> None:
        self.run(write_and_deliver(self.public, lambda _: None, delivery or self.delivery()))

    def go(self) -> None:
        """One round, with all that it began."""

        async def work() -> None:
            going = asyncio.ensure_future(self.rounds.go())
            while not going.done():
                await asyncio.sleep(0.001)
                self.deps.deliveries_left.set()
            await going
            while self.rounds._under_way:
                await asyncio.sleep(0)

        self.run(work())

    def next_due(self) -> int | None:
        return self.read(lambda tx: tx.deliveries.next_due())


@pytest.fixture
def post() -> Iterator[Post]:
    stage = Post()
    yield stage
    stage.close()


def test_a_change_and_its_message_are_one(post: Post):
    """Neither is there without the other, and the message is sealed."""

    def fail(tx):
        tx.settings.put("x", b"1")
        raise KeyError

    with pytest.raises(KeyError):
        post.run(write_and_deliver(post.public, fail, post.delivery()))
    assert post.next_due() is None
    post.leave()
    (row,) = post.read(lambda tx: tx.deliveries._sql.rows("SELECT sealed FROM deliveries"))
    assert b"123456" not in row[0]
    assert b"ann@" not in row[0]
    post.go()
    assert (post.service.sent, post.next_due()) == (["m"], None)


def test_failures_are_tried_again(post: Post):
    """After pauses that grow from a second to an hour, until it arrives; nothing is reported meanwhile."""
    assert [pause(n) for n in (1, 2, 3, 12, 13, 10_000)] == [1000, 2000, 4000, 2_048_000, 3_600_000, 3_600_000]
    post.leave()
    post.service.failure = NotDelivered("away")
    for attempt in range(1, 4):
        post.go()
        assert post.next_due() == post.clock.now() + pause(attempt)
        post.clock.time = post.next_due()
    post.service.failure = None
    post.go()
    assert (post.service.sent, post.next_due(), post.reported) == (["m"], None, [])


@pytest.mark.parametrize("reason", ["void", "refused"])
def test_it_is_given_up_with_a_record(post: Post, reason: str):
    """When the code is void anyway, or at once where the service refuses it for good."""
    post.leave()
    post.service.failure = NotDelivered("no", for_good=reason == "refused")
    post.go()
    if reason == "void":
        assert post.reported == []
        post.clock.time = CODE.expires_at
        post.service.failure = None
        post.go()
    assert (post.service.sent, post.next_due(), post.reported) == ([], None, ["m"])


def replaced(tx, post):
    tx.confirmation_codes.put(post.ann.id, ConfirmationCode(**{**as_dict(CODE), "digest": b"other"}))


def as_dict(code):
    return {name: getattr(code, name) for name in code.__struct_fields__}


VOID = {
    "a newer code": replaced,
    "a code that was used": lambda tx, post: tx.confirmation_codes.delete(post.ann.id, CODE.purpose),
    "another address": lambda tx, post: tx.users.save(replace(post.ann, attributes={"email": "b@x.org"}), names()),
    "a deleted user": lambda tx, post: tx.users.delete(post.ann),
    "a deleted pool": lambda tx, post: tx.pools.delete(post.pool.id),
}


@pytest.mark.parametrize("what", VOID)
def test_what_is_void_is_not_sent(post: Post, what: str):
    """Never to the wrong address, nor with a code that does nothing."""
    post.leave()
    post.write(lambda tx: VOID[what](tx, post))
    post.go()
    assert (post.service.sent, post.next_due(), post.reported) == ([], None, [])


def test_a_pending_address_is_the_users(post: Post):
    """A message may be for a value that still waits to become the user's."""
    there = post.delivery().recipient
    post.leave(post.delivery(recipient=replace(there, destination="new@x.org", purpose=None, digest=None)))
    post.write(lambda tx: tx.users.save(replace(post.ann, pending={"email": "new@x.org"}), names()))
    post.go()
    assert post.service.sent == ["m"]


def test_a_process_that_dies_loses_nothing(post: Post):
    """What it had leased is made by another one when the lease ends, and not before."""
    post.leave()
    post.write(lambda tx: tx.deliveries.lease(now=post.clock.now(), until=post.clock.now() + LEASE, limit=1))
    post.go()
    assert post.service.sent == []
    post.clock.time += LEASE
    post.go()
    assert post.service.sent == ["m"]


def test_a_service_that_hangs_holds_up_no_other(post: Post, monkeypatch):
    """Mail leaves although many text messages wait for their gateway."""
    monkeypatch.setattr(deliveries, "GRACE_SECONDS", 0)

    class Hanging(Service):
        async def send(self, message: Message, envelope: Envelope) -> None:
            await asyncio.Event().wait()

    post.deps.courier._senders["SMS"] = Hanging()
    letter = post.delivery().content
    text = replace(letter, message=replace(letter.message, channel="SMS"))
    for number in range(40):
        post.leave(post.delivery(id=f"s{number}", content=text))
    post.leave()

    async def work() -> None:
        async def go_on() -> None:
            while True:
                await post.rounds.go()

        going = asyncio.create_task(go_on())
        async with asyncio.timeout(3):
            while not post.service.sent:
                await asyncio.sleep(0.01)
        going.cancel()
        await post.rounds.close()

    post.run(work())
    assert post.service.sent == ["m"]


def test_nobody_is_delivered_to_like_somebody(post: Post):
    """A decoy costs a row and a look, waits as long as a delivery that nobody may notice, and is never made."""
    decoy = make_decoy(post.public, post.pool)
    assert decoy.expires_at == START + LONGEST_WAIT
    post.leave(decoy)
    post.leave(post.delivery(unseen=True))
    assert post.next_due() == START + UNSEEN
    post.clock.time += UNSEEN
    post.go()
    assert (post.service.sent, post.next_due(), post.reported) == (["m"], None, [])


def test_a_row_that_nobody_can_read_is_dropped(post: Post, caplog):
    """Sealed under another master key, say."""
    post.write(lambda tx: tx.deliveries.add(b"x" * 60, START))
    post.go()
    assert post.next_due() is None
    assert "was the master key changed?" in caplog.text
