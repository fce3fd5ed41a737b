"""The loop around ``core.sign_in``: check an answer, ask the next question, or be done."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from poolhouse.core import custom_auth, events_auth
from poolhouse.core.acr import Methods, level_of
from poolhouse.core.auth_events import shown_by
from poolhouse.core.client import Client
from poolhouse.core.devices import Device
from poolhouse.core.events_auth import TokenSource
from poolhouse.core.federation import ProviderSession
from poolhouse.core.grants import LOCAL_PROVIDER
from poolhouse.core.pool import Pool
from poolhouse.core.sign_in import Progress, Proof, next_step
from poolhouse.core.user import User
from poolhouse.flows import devices, journal, limits, risk
from poolhouse.flows.challenges import CHALLENGES, custom
from poolhouse.flows.challenges.choice import find_choices
from poolhouse.flows.challenges.identity import INCORRECT
from poolhouse.flows.challenges.talk import Talk, Write, required
from poolhouse.flows.consult import consult
from poolhouse.flows.sign_in_state import IN_BLOCKS, State, seal_block, seal_state
from poolhouse.model import (
    ChallengeNameType,
    EventResponseType,
    NotAuthorizedException,
    ResourceNotFoundException,
)
from poolhouse.storage import Tx

# What answers a challenge at once where it comes along with the choice of it.
ANSWERS = {
    ChallengeNameType.PASSWORD: "PASSWORD",
    ChallengeNameType.PASSWORD_SRP: "SRP_A",
    ChallengeNameType.WEB_AUTHN: "CREDENTIAL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What the user is asked next. ``available`` is what the user may choose instead, as long as that is so."""

    challenge: ChallengeNameType
    session: str | None
    parameters: dict[str, str]
    available: list[ChallengeNameType] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who signed in. ``auth_time`` is in seconds.

    ``commit`` is what the last step leaves to write: run it in the same write that stores the token session or the
    authorization code. It raises NotAuthorizedException where the step was taken by somebody else meanwhile.
    ``device`` is what the user signed in from, None where the pool does not know it.
    ``source`` is why tokens are made, as their trigger sees it; so may it see ``client_metadata``.
    ``offers_device`` says that a device which the pool does not know yet may be confirmed.
    ``methods`` are those that were shown; ``level`` is what they reached, where the sign-in asked for one.
    ``provider`` is the name of the identity provider that a user came from, ``vouched`` the level that it vouches for,
    ``at_provider`` what is to be ended there when the user signs out here.
    """

    pool: Pool
    client: Client
    user: User
    auth_time: int
    event_id: str
    commit: Callable[[Tx], None]
    device: Device | None = None
    source: TokenSource = TokenSource.SIGN_IN
    client_metadata: dict[str, str] | None = None
    offers_device: bool = True
    methods: Methods = frozenset()
    level: int = 0
    provider: str = LOCAL_PROVIDER
    vouched: int = 0
    at_provider: ProviderSession | None = None


Outcome = Ask | SignedIn


def is_answered(progress: Progress, given: Mapping[str, str]) -> bool:
    """Whether a choice comes with what answers it."""
    return progress.is_choice_open and bool(given.get(ANSWERS.get(progress.method, "")))


async def check(talk: Talk, challenge: ChallengeNameType, given: Mapping[str, str], *writes: Write) -> Outcome:
    """Check the answer to a challenge and go on; ``writes`` is what the step has to write besides.

    Raises as the challenge's ``check`` and ``go_on``.
    """
    if challenge is ChallengeNameType.CUSTOM_CHALLENGE:
        # A function judges a single answer to each question, also where it throws or somebody asks many times at once.
        required(given, "ANSWER")
        await talk.call.store.write(partial(_run, writes=writes))
        writes = ()
    async with journal.watching(talk.entry, talk.progress, challenge):
        proved = await CHALLENGES[challenge].check(talk, given)
    progress = custom_auth.passed(talk.progress.after(challenge, proved.progress), challenge)
    after = replace(talk, user=proved.user, progress=progress, secret=b"")
    if challenge is ChallengeNameType.SELECT_CHALLENGE and is_answered(after.progress, given):
        return await check(replace(after, secret=talk.secret), after.progress.method, given, *writes, *proved.writes)
    standing = partial(check_standing, user=talk.user or proved.user)
    return await go_on(after, given, standing, *writes, *proved.writes)


async def go_on(talk: Talk, given: Mapping[str, str], *writes: Write) -> Outcome:
    """Ask the next question, or find that there is none. Either way the journal says so where something is written."""
    if talk.progress.is_device_relevant:
        await _check_device(talk)
    talk, facts = await risk.weigh(talk, given, writes)
    standing: tuple[Write, ...] = ()
    if custom_auth.is_word_due(facts, talk.progress):
        # What was shown is on record, and its session spent, before the functions learn of it.
        if writes:
            note = talk.entry.at(EventResponseType.InProgress, shown_by(talk.progress))
            await talk.call.store.write(partial(_run, writes=(*writes, note)))
        talk = await custom.follow(talk)
        writes, standing = (), (partial(check_standing, user=talk.user),)
        talk, facts = await risk.weigh(talk, given, standing)
    challenge = next_step(facts, talk.progress)
    response = EventResponseType.InProgress if challenge else EventResponseType.Pass
    note = talk.entry.at(response, shown_by(talk.progress))

    commit = partial(_run, writes=(*standing, *writes, note))
    if challenge is None:
        return await _finish(talk, commit)
    if writes:
        await talk.call.store.write(commit)
    return await _ask(talk, challenge, given)


def _run(tx: Tx, writes: Iterable[Write]) -> None:
    for write in writes:
        write(tx)


async def _check_device(talk: Talk) -> None:
    """Check that the user has the device that the client says it is; raises ResourceNotFoundException.

    Clients forget a device that is not known any more, and answer again without.
    """
    if talk.progress.device_key is None or talk.device is not None:
        return
    # The refusal tells that the password was right: a lock that came meanwhile holds for this guess too.
    await talk.call.store.read(lambda tx: limits.check_not_locked(tx, talk.call.now, talk.pool, talk.name))
    raise ResourceNotFoundException(devices.NOT_FOUND)


async def _finish(talk: Talk, commit: Write) -> SignedIn:
    assert talk.user is not None
    new_device = talk.pool.tracks_devices and talk.device is None and talk.progress.is_device_relevant
    event = partial(events_auth.post_authentication, talk.pool, talk.user, talk.client_metadata, new_device=new_device)
    async with journal.watching(talk.entry, talk.progress):
        await consult(
            talk.call, talk.pool, events_auth.POST_AUTHENTICATION, event, username=talk.name, client=talk.client
        )
    return SignedIn(
        pool=talk.pool,
        client=talk.client,
        user=talk.user,
        auth_time=talk.call.now // 1000,
        event_id=talk.progress.event_id,
        commit=commit,
        device=talk.device,
        source=_source_of(talk.progress),
        client_metadata=talk.client_metadata,
        offers_device=talk.progress.is_device_relevant,
        methods=talk.progress.methods,
        level=level_of(talk.progress.methods) if talk.progress.targets else 0,
    )


def _source_of(progress: Progress) -> TokenSource:
    if progress.is_led:
        return TokenSource.SIGN_IN
    if Proof.DEVICE in progress.proved:
        return TokenSource.DEVICE
    return TokenSource.NEW_PASSWORD if Proof.NEW_PASSWORD in progress.proved else TokenSource.SIGN_IN


async def _ask(talk: Talk, challenge: ChallengeNameType, given: Mapping[str, str]) -> Ask:
    question = await CHALLENGES[challenge].ask(talk, given)
    state = State(
        pool_id=talk.pool.id,
        client_id=talk.client.id,
        user_id=talk.user.id if talk.user else 0,
        name=talk.name,
        password_set_at=talk.user.credentials.password_set_at if talk.user else 0,
        signed_out_at=talk.user.signed_out_at if talk.user else 0,
        challenge=challenge,
        progress=talk.progress,
        nonce=talk.call.deps.random.uuid(),
        expires_at=talk.call.now + talk.client.auth_session_seconds * 1000,
        secret=question.secret,
    )
    sealer, parameters, progress = talk.call.deps.sealer, question.parameters, talk.progress
    # The block is session enough, but where the answer may be another challenge's, or functions lead.
    is_own = challenge in IN_BLOCKS and not (progress.choosing or progress.is_led)
    session = None if is_own else seal_state(sealer, state)
    if challenge in IN_BLOCKS:
        parameters = parameters | {"SECRET_BLOCK": seal_block(sealer, state)}
    return Ask(challenge=challenge, session=session, parameters=parameters, available=find_choices(talk))


def check_standing(tx: Tx, user: User | None) -> None:
    """Check in the write that ends a step that nobody barred the user since it began; raises NotAuthorizedException.

    Checking a password takes long enough for an administrator to act meanwhile.
    """
    if user is None:
        return
    present = tx.users.find_by_id(user.id)
    if present is None or not present.enabled or present.signed_out_at != user.signed_out_at:
        raise NotAuthorizedException(INCORRECT)
