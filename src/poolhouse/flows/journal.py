"""What pools with threat protection remember of their users' sign-ins and the like (spec/api/07 §1, §5).

Events are recorded in the write that a step makes anyway. A refusal that writes nothing costs a write of its own, of
which there are so many in an hour for each name at most: nobody fills the journal by asking in vain.
"""

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from msgspec.structs import replace

from poolhouse.core import auth_events
from poolhouse.core.auth_events import AuthEvent, Shown
from poolhouse.core.client import Client
from poolhouse.core.device_names import device_name
from poolhouse.core.limits import Purpose
from poolhouse.core.log_delivery import activity_record
from poolhouse.core.pool import Pool
from poolhouse.core.risk import is_blocked
from poolhouse.core.risk_levels import NOTHING_FOUND, Assessment, Sighting
from poolhouse.core.sign_in import Progress
from poolhouse.core.user import User
from poolhouse.core.user_context import UserContext
from poolhouse.flows import limits
from poolhouse.flows.calls import Call
from poolhouse.model import (
    ChallengeNameType,
    CodeMismatchException,
    ConcurrentModificationException,
    EventResponseType,
    EventSourceName,
    EventType,
    ExpiredCodeException,
    LimitExceededException,
    NotAuthorizedException,
    PasswordResetRequiredException,
    RiskDecisionType,
    UserLambdaValidationException,
    UserNotConfirmedException,
)
from poolhouse.storage import Tx

Write = Callable[[Tx], None]

# Clients match on this text (spec/api/07 §3).
BLOCKED = "Unable to login because of security reasons."
# Refusals that end an attempt; others ask for a better request.
_REFUSALS = (
    NotAuthorizedException,
    UserNotConfirmedException,
    PasswordResetRequiredException,
    CodeMismatchException,
    ExpiredCodeException,
    UserLambdaValidationException,
)
_WRONG_CODES = (CodeMismatchException, ExpiredCodeException)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that a user does, to be recorded as one event.

    ``user`` is None where there is no such user: then nothing is recorded, at the same cost. ``name`` is the stored
    user name, or the folded name given. ``id`` is that of the event. ``assessment`` is what was found out about it.
    ``provider`` is the identity provider that the user comes from, empty for the pool itself.
    """

    call: Call
    pool: Pool
    client: Client | None
    user: User | None
    name: str
    type: EventType
    id: str
    assessment: Assessment = NOTHING_FOUND
    provider: str = ""

    @property
    def sighting(self) -> Sighting:
        """When, whence and on what the user does it, as far as anybody tells."""
        origin = self.call.origin
        told = origin.user or UserContext()
        address = told.address or origin.address
        return Sighting(
            at=self.call.now,
            address=address,
            device=told.device or device_name(origin.user_agent),
            place=self.call.deps.places.find(address),
        )

    @property
    def kept(self) -> bool:
        """Whether the pool records anything."""
        return auth_events.is_kept(self.pool)

    def at(self, response: EventResponseType, challenges: Shown = ()) -> Write:
        """Return what records how far this has come, for the write that ends the step."""
        if not self.kept:
            return _nothing
        origin, seen = self.call.origin, self.sighting
        event = AuthEvent(
            id=self.id,
            pool_id=self.pool.id,
            user_id=self.user.id if self.user else 0,
            at=self.call.now,
            type=self.type,
            response=response,
            assessment=self.assessment,
            challenges=challenges,
            client_id=self.client.id if self.client else "",
            request_id=origin.request_id,
            provider=self.provider,
            address=seen.address,
            device=seen.device,
            timezone=origin.user.timezone if origin.user else "",
            city=seen.place.city,
            country=seen.place.country,
        )
        return lambda tx: _put(tx, self.call, self.user, event)


def begin(call: Call, pool: Pool, client: Client | None, user: User | None, type: EventType, name: str = "") -> Entry:
    """Return the entry of something that begins now and is no sign-in."""
    return Entry(
        call=call,
        pool=pool,
        client=client,
        user=user,
        name=user.username if user else name,
        type=type,
        id=call.deps.random.uuid(),
    )


def settle(tx: Tx, entry: Entry, begun_at: int, response: EventResponseType) -> None:
    """Record how something ended that began at a time; where that was not recorded, it counts as begun now."""
    if not entry.kept or entry.user is None:
        return
    event = tx.auth_events.find_begun(entry.user, entry.type, begun_at)
    if event is None:
        entry.at(response)(tx)
    elif event.response is not response or entry.assessment is not NOTHING_FOUND:
        ended = replace(
            event,
            response=response,
            request_id=entry.call.origin.request_id,
            assessment=event.assessment if entry.assessment is NOTHING_FOUND else entry.assessment,
        )
        _put(tx, entry.call, entry.user, ended if entry.client is None else _seen_by(ended, entry))


def _seen_by(event: AuthEvent, entry: Entry) -> AuthEvent:
    """Return an event as the one who ends it is seen: anybody may begin what only the user can end, by a name alone."""
    seen = entry.sighting
    return replace(event, address=seen.address, device=seen.device, city=seen.place.city, country=seen.place.country)


@contextlib.asynccontextmanager
async def watching(
    entry: Entry, progress: Progress | None = None, challenge: ChallengeNameType | None = None
) -> AsyncIterator[None]:
    """Record it where what is done inside is refused, unless that is recorded already.

    ``progress`` is what a sign-in has shown before, ``challenge`` is what it answers now.
    """
    try:
        yield
    except _REFUSALS as error:
        if entry.kept:
            failed = challenge if isinstance(error, _WRONG_CODES) else None
            await refuse(entry, auth_events.shown_by(progress, failed) if progress else ())
        raise


async def check_address(entry: Entry, method: ChallengeNameType) -> None:
    """Check that the pool lets users sign in from here; raises NotAuthorizedException, and records that.

    The answer is the same for users that there are not.
    """
    client, origin = entry.client, entry.call.origin
    if client is None or not auth_events.is_enforced(entry.pool, method):
        return
    configuration = await entry.call.store.read(lambda tx: tx.catalogue.risk_configuration(client))
    if is_blocked(configuration, (origin.user and origin.user.address) or origin.address):
        await refuse(dataclasses.replace(entry, assessment=Assessment(decision=RiskDecisionType.Block)))
        raise NotAuthorizedException(BLOCKED)


async def refuse(entry: Entry, shown: Shown = ()) -> None:
    """Record a refusal that wrote nothing, as far as the hour has room for it."""
    call, pool = entry.call, entry.pool

    def is_due(tx: Tx) -> bool:
        known = tx.auth_events.find(entry.user, entry.id) if entry.user else None
        is_open = known is None or known.response is EventResponseType.InProgress
        return is_open and limits.is_attempt_left(tx, call.now, pool, entry.name, Purpose.JOURNAL)

    def commit(tx: Tx) -> None:
        limits.count_attempt(tx, call.now, pool, entry.name, Purpose.JOURNAL)
        entry.at(EventResponseType.Fail, shown)(tx)

    if await call.store.read(is_due):
        # Whoever asks many times at once is refused all the same.
        with contextlib.suppress(LimitExceededException, ConcurrentModificationException):
            await call.store.write(commit)


def export(tx: Tx, call: Call, user: User, event: AuthEvent) -> None:
    """Leave the record of an event to be delivered, where its pool has it delivered."""
    destination = tx.catalogue.log_destination(event.pool_id, EventSourceName.userAuthEvents)
    if destination is not None:
        tx.log_records.add(destination, activity_record(event, user, call.now), call.now)


def _put(tx: Tx, call: Call, user: User | None, event: AuthEvent) -> None:
    stored = tx.auth_events.put(event)
    if stored is not None and user is not None:
        export(tx, call, user, stored)


def _nothing(_: Tx) -> None:
    """Record nothing."""
