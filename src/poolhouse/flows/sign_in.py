"""Signing in: the loop around ``core.sign_in``. Check the answer, ask the next question, or be done.

What was shown so far travels sealed in the ``Session`` string (or the SECRET_BLOCK of SRP), so asking needs no
stored state. A ``Session`` counts once: the step that succeeds spends its nonce in the write it makes anyway.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import msgspec

from poolhouse.core import custom_auth, events_auth
from poolhouse.core.acr import METHOD_OF, Method, Methods, level_of
from poolhouse.core.aliases import fold_username
from poolhouse.core.auth_events import shown_by
from poolhouse.core.claims import API_SCOPE
from poolhouse.core.client import Client
from poolhouse.core.devices import Device
from poolhouse.core.events_auth import TokenSource
from poolhouse.core.factors import confirmed_factors
from poolhouse.core.pool import Pool
from poolhouse.core.sign_in import METHODS, Progress, Proof, next_step
from poolhouse.core.user import User
from poolhouse.flows import devices, journal, limits, migration, risk, tokens, user_auth
from poolhouse.flows.calls import Call
from poolhouse.flows.challenges import CHALLENGES, custom
from poolhouse.flows.challenges.choice import find_choices
from poolhouse.flows.challenges.identity import INCORRECT, check_state
from poolhouse.flows.challenges.talk import Talk, Write, required
from poolhouse.flows.consult import consult
from poolhouse.flows.session_tracking import begin_session
from poolhouse.flows.sign_in_state import (
    IN_BLOCKS,
    INVALID_SESSION,
    State,
    open_block,
    open_state,
    seal_block,
    seal_state,
)
from poolhouse.flows.user_auth import Choice
from poolhouse.flows.users import find_user
from poolhouse.model import (
    AuthFlowType,
    ChallengeNameType,
    EventResponseType,
    InvalidParameterException,
    NotAuthorizedException,
    ResourceNotFoundException,
    UserStatusType,
)
from poolhouse.storage import Tx

# No user name and no alias is longer.
LONGEST_NAME = 2048
# What the first request of a sign-in must bring along for its method.
BROUGHT = {ChallengeNameType.PASSWORD: "PASSWORD", ChallengeNameType.PASSWORD_VERIFIER: "SRP_A"}
# What answers a challenge at once where it comes along with the choice of it.
ANSWERS = {
    ChallengeNameType.PASSWORD: "PASSWORD",
    ChallengeNameType.PASSWORD_SRP: "SRP_A",
    ChallengeNameType.WEB_AUTHN: "CREDENTIAL",
}
# Where a password may come along in clear, by which another directory can be asked for a user.
WITH_PASSWORD = frozenset({ChallengeNameType.PASSWORD, ChallengeNameType.SELECT_CHALLENGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The first request of a sign-in.

    ``with_srp`` has CUSTOM_AUTH begin with the password; ``choice`` is for USER_AUTH only. ``targets`` are the levels
    that a login page was asked for; the API has them in ``choice``.
    """

    flow: AuthFlowType
    username: str
    password: str | None = None
    srp_a: str | None = None
    with_srp: bool = False
    device_key: str | None = None
    client_metadata: dict[str, str] | None = None
    choice: Choice | None = None
    targets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer to a challenge."""

    challenge: ChallengeNameType
    session: str | None
    responses: Mapping[str, str]
    client_metadata: dict[str, str] | None = None


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


Outcome = Ask | SignedIn


async def start(call: Call, pool: Pool, client: Client, attempt: Attempt) -> Outcome:
    """Begin a sign-in. Whether the client may use the flow is for its API to check.

    Raises NotAuthorizedException, UserNotFoundException, UserNotConfirmedException, PasswordResetRequiredException,
    InvalidParameterException, InvalidUserPoolConfigurationException and the errors of triggers.
    """
    method = METHODS[attempt.flow]
    given = {name: value for name, value in (("PASSWORD", attempt.password), ("SRP_A", attempt.srp_a)) if value}
    if method in BROUGHT:
        required(given, BROUGHT[method])
    _check_length(attempt.username)
    key = devices.find_named_key(pool, attempt.device_key)

    def load(tx: Tx) -> tuple[User | None, Device | None]:
        user = find_user(tx, pool, attempt.username)
        return user, devices.find_device(tx, pool, user, key)

    user, device = await call.store.read(load)
    talk = Talk(
        call=call,
        pool=pool,
        client=client,
        user=user,
        name=user.username if user else fold_username(pool, attempt.username),
        progress=Progress(method=method, event_id=call.deps.random.uuid(), device_key=key, targets=attempt.targets),
        device=device,
    )
    await journal.check_address(talk.entry, method)
    if talk.user is None:
        password = attempt.password if method in WITH_PASSWORD else None
        talk = await migration.at_sign_in(talk, attempt.username, password, attempt.client_metadata)
    event = partial(events_auth.pre_authentication, pool, client, talk.user, attempt.client_metadata)
    async with journal.watching(talk.entry):
        await consult(call, pool, events_auth.PRE_AUTHENTICATION, event, username=talk.name, client=client)
    if attempt.flow is AuthFlowType.USER_AUTH:
        return await _begin_choice(talk, attempt, given)
    if method == ChallengeNameType.PASSWORD:
        return await _check(talk, method, given)
    if method == ChallengeNameType.CUSTOM_CHALLENGE:
        talk = custom.begin(talk, given, with_srp=attempt.with_srp)
    return await _go_on(talk, given)


async def answer(call: Call, pool: Pool, client: Client, reply: Reply) -> Outcome:
    """Go on with a sign-in; raises as ``start``, and what the challenge refuses an answer with."""
    name = required(reply.responses, "USERNAME")
    state = _open_state(call, reply)
    if (state.pool_id, state.client_id) != (pool.id, client.id):
        raise NotAuthorizedException(INVALID_SESSION)
    state.check_open(call)
    named = devices.find_named_key(pool, reply.responses.get("DEVICE_KEY"))

    def load(tx: Tx) -> tuple[User | None, Device | None]:
        user = _find_again(tx, pool, state, name)
        state.check_unspent(tx)
        return user, devices.find_device(tx, pool, user, named or state.progress.device_key)

    user, device = await call.store.read(load)
    if user is not None and state.is_void(user):
        # The password was replaced, by this very session, which is then spent, or otherwise; or all ends for the user.
        await call.store.write(state.spend)
        raise NotAuthorizedException(INVALID_SESSION)
    if user is not None and (Proof.IDENTITY in state.progress.proved or state.progress.is_led):
        check_state(client, user)
    talk = Talk(
        call=call,
        pool=pool,
        client=client,
        user=user,
        name=state.name,
        # A device that is not there counts only where this very answer names it: clients take it back by silence.
        progress=msgspec.structs.replace(state.progress, device_key=device.key if device else named),
        device=device,
        # One who changes their mind answers another challenge than was asked: what was kept for that one stays shut.
        secret=state.secret if state.challenge in (reply.challenge, reply.responses.get("ANSWER")) else b"",
        client_metadata=reply.client_metadata,
    )
    await journal.check_address(talk.entry, state.progress.method)
    if talk.user is None and state.is_choice_open:
        # The first request of the sign-in had no password by which another directory could be asked.
        talk = await migration.at_sign_in(talk, name, reply.responses.get("PASSWORD"), None)
    return await _check(talk, reply.challenge, reply.responses, state.spend)


async def resume(
    call: Call,
    pool: Pool,
    client: Client,
    user: User,
    *,
    confirmed_by: str | None = None,
    targets: tuple[int, ...] = (),
) -> Outcome:
    """Go on for a user who showed otherwise who they are: by the sign-up that this browser has just confirmed.

    Whatever a sign-in asks beyond that is asked all the same, but that a code to ``confirmed_by``, an attribute, counts
    as the second factor that such a code is (spec/http/07 §7.3). Raises as ``start``.
    """
    if not user.enabled or user.status != UserStatusType.CONFIRMED:
        raise NotAuthorizedException(INCORRECT)
    shown = confirmed_factors(pool, user, confirmed_by)
    progress = Progress(
        method=ChallengeNameType.PASSWORD,
        event_id=call.deps.random.uuid(),
        methods=frozenset({Method.PASSWORD, *(METHOD_OF[factor] for factor in shown)}),
        targets=targets,
    ).having(Proof.IDENTITY, *((Proof.SECOND_FACTOR,) if shown else ()))
    talk = Talk(call=call, pool=pool, client=client, user=user, name=user.username, progress=progress)
    await journal.check_address(talk.entry, progress.method)
    return await _go_on(talk, {}, partial(_check_standing, user=user))


async def finish_with_tokens(call: Call, signed_in: SignedIn) -> tokens.Tokens:
    """Return the tokens of a sign-in over the API, stored together with what its last step left to write."""
    pool, device = signed_in.pool, signed_in.device
    offered = devices.offer(call, pool) if device is None and signed_in.offers_device else None
    device_key = device.key if device else (offered.device_key if offered else None)
    session = tokens.open_session(
        call,
        pool,
        signed_in.client,
        signed_in.user,
        auth_time=signed_in.auth_time,
        event_id=signed_in.event_id,
        scopes=(API_SCOPE,),
        oauth=False,
        device_key=device_key,
    )
    session = msgspec.structs.replace(session, methods=tuple(sorted(signed_in.methods)), level=signed_in.level)
    made = await tokens.mint(
        call,
        pool,
        signed_in.client,
        signed_in.user,
        session,
        source=signed_in.source,
        client_metadata=signed_in.client_metadata,
    )

    def commit(tx: Tx) -> None:
        signed_in.commit(tx)
        if device is not None:
            devices.note_sign_in(tx, call, device)
        begin_session(tx, call, signed_in.pool, session)

    await call.store.write(commit)
    return msgspec.structs.replace(made, new_device=offered)


async def _begin_choice(talk: Talk, attempt: Attempt, given: Mapping[str, str]) -> Outcome:
    async with journal.watching(talk.entry):
        talk, writes = await user_auth.begin(talk, attempt.choice or Choice(), attempt.username)
    if _is_answered(talk.progress, given):
        return await _check(talk, talk.progress.method, given, *writes)
    if writes:
        writes = (partial(_check_standing, user=talk.user), *writes)
    return await _go_on(talk, given, *writes)


def _is_answered(progress: Progress, given: Mapping[str, str]) -> bool:
    """Whether a choice comes with what answers it."""
    return Proof.IDENTITY not in progress.proved and bool(given.get(ANSWERS.get(progress.method, "")))


async def _check(talk: Talk, challenge: ChallengeNameType, given: Mapping[str, str], *writes: Write) -> Outcome:
    if challenge is ChallengeNameType.CUSTOM_CHALLENGE:
        # A function judges a single answer to each question, also where it throws or somebody asks many times at once.
        required(given, "ANSWER")
        await talk.call.store.write(partial(_run, writes=writes))
        writes = ()
    async with journal.watching(talk.entry, talk.progress, challenge):
        proved = await CHALLENGES[challenge].check(talk, given)
    progress = custom_auth.passed(talk.progress.after(challenge, proved.progress), challenge)
    after = replace(talk, user=proved.user, progress=progress, secret=b"")
    if challenge is ChallengeNameType.SELECT_CHALLENGE and _is_answered(after.progress, given):
        return await _check(replace(after, secret=talk.secret), after.progress.method, given, *writes, *proved.writes)
    check_standing = partial(_check_standing, user=talk.user or proved.user)
    return await _go_on(after, given, check_standing, *writes, *proved.writes)


async def _go_on(talk: Talk, given: Mapping[str, str], *writes: Write) -> Outcome:
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
        writes, standing = (), (partial(_check_standing, user=talk.user),)
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


def _open_state(call: Call, reply: Reply) -> State:
    if reply.challenge in IN_BLOCKS:
        return open_block(call.deps.sealer, reply.challenge, required(reply.responses, "PASSWORD_CLAIM_SECRET_BLOCK"))
    if not reply.session:
        raise InvalidParameterException("Missing required parameter Session")
    return open_state(call.deps.sealer, reply.challenge, reply.session)


def _find_again(tx: Tx, pool: Pool, state: State, name: str) -> User | None:
    """Return the user of a sign-in under way, if ``name`` still means that one."""
    named = find_user(tx, pool, name)
    if state.user_id == 0:
        return None
    if named is None or named.id != state.user_id:
        raise NotAuthorizedException(INVALID_SESSION)
    return named


def _check_length(username: str) -> None:
    """Check that a name can be sealed into a ``Session``; raises InvalidParameterException."""
    if len(username) > LONGEST_NAME:
        raise InvalidParameterException(
            "1 validation error detected: Value at 'username' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LONGEST_NAME}"
        )


def _check_standing(tx: Tx, user: User | None) -> None:
    """Check in the write that ends a step that nobody barred the user since it began; raises NotAuthorizedException.

    Checking a password takes long enough for an administrator to act meanwhile.
    """
    if user is None:
        return
    present = tx.users.find_by_id(user.id)
    if present is None or not present.enabled or present.signed_out_at != user.signed_out_at:
        raise NotAuthorizedException(INCORRECT)
