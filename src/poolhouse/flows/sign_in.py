"""Signing in: how a sign-in begins and is gone on with; ``flows.sign_in_loop`` is what follows.

What was shown so far travels sealed in the ``Session`` string (or the SECRET_BLOCK of SRP), so asking needs no
stored state. A ``Session`` counts once: the step that succeeds spends its nonce in the write it makes anyway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import msgspec

from poolhouse.core import events_auth
from poolhouse.core.acr import METHOD_OF, Method
from poolhouse.core.aliases import fold_username
from poolhouse.core.client import Client
from poolhouse.core.devices import Device
from poolhouse.core.factors import confirmed_factors
from poolhouse.core.pool import Pool
from poolhouse.core.sign_in import METHODS, Progress, Proof
from poolhouse.core.user import User
from poolhouse.flows import devices, journal, migration, user_auth
from poolhouse.flows.beat import refuses_on_the_beat
from poolhouse.flows.calls import Call
from poolhouse.flows.challenges import custom
from poolhouse.flows.challenges.identity import INCORRECT, check_state, conceal
from poolhouse.flows.challenges.nobody import is_called
from poolhouse.flows.challenges.talk import Talk, required
from poolhouse.flows.consult import consult
from poolhouse.flows.sign_in_loop import Outcome, check, check_standing, go_on, is_answered
from poolhouse.flows.sign_in_state import (
    IN_BLOCKS,
    INVALID_SESSION,
    State,
    open_block,
    open_state,
)
from poolhouse.flows.user_auth import Choice
from poolhouse.flows.users import find_user
from poolhouse.model import (
    AuthFlowType,
    ChallengeNameType,
    InvalidParameterException,
    NotAuthorizedException,
    UserStatusType,
)
from poolhouse.storage import Tx

# No user name and no alias is longer.
LONGEST_NAME = 2048
# What the first request of a sign-in must bring along for its method.
BROUGHT = {ChallengeNameType.PASSWORD: "PASSWORD", ChallengeNameType.PASSWORD_VERIFIER: "SRP_A"}
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

    @property
    def answered(self) -> str:
        """The challenge that is answered: a choice of one may come with its answer."""
        chosen = self.responses.get("ANSWER") if self.challenge is ChallengeNameType.SELECT_CHALLENGE else None
        return chosen or self.challenge


@refuses_on_the_beat
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
    if talk.user is None and not _awaits_password(pool, attempt):
        password = attempt.password if method in WITH_PASSWORD else None
        talk = await migration.at_sign_in(talk, attempt.username, password, attempt.client_metadata)
    event = partial(events_auth.pre_authentication, pool, client, talk.user, attempt.client_metadata)
    async with journal.watching(talk.entry):
        await consult(call, pool, events_auth.PRE_AUTHENTICATION, event, username=talk.name, client=client)
    if attempt.flow is AuthFlowType.USER_AUTH:
        return await _begin_choice(talk, attempt, given)
    if method == ChallengeNameType.PASSWORD:
        return await check(talk, method, given)
    if method == ChallengeNameType.CUSTOM_CHALLENGE:
        talk = custom.begin(talk, attempt.username, given, with_srp=attempt.with_srp)
    if method == ChallengeNameType.PASSWORD_VERIFIER:
        talk = conceal(talk, attempt.username)
    return await go_on(talk, given)


@refuses_on_the_beat
async def answer(call: Call, pool: Pool, client: Client, reply: Reply) -> Outcome:
    """Go on with a sign-in; raises as ``start``, and what the challenge refuses an answer with."""
    name = required(reply.responses, "USERNAME")
    state = _open_state(call, reply)
    if (state.pool_id, state.client_id) != (pool.id, client.id):
        raise NotAuthorizedException(INVALID_SESSION)
    state.check_open(call)
    named = devices.find_named_key(pool, reply.responses.get("DEVICE_KEY"))

    def load(tx: Tx) -> tuple[User | None, Device | None]:
        user = _find_again(tx, call, pool, state, name)
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
        secret=state.secret if reply.answered == state.challenge else b"",
        client_metadata=reply.client_metadata,
    )
    await journal.check_address(talk.entry, state.progress.method)
    if talk.user is None and state.progress.is_choice_open:
        # The first request of the sign-in had no password by which another directory could be asked.
        talk = await migration.at_sign_in(talk, name, reply.responses.get("PASSWORD"), None)
    return await check(talk, reply.challenge, reply.responses, state.spend)


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
    return await go_on(talk, {}, partial(check_standing, user=user))


def _awaits_password(pool: Pool, attempt: Attempt) -> bool:
    """Whether a choice-based sign-in may yet bring the password by which another directory knows its user."""
    preferred = attempt.choice.preferred if attempt.choice else None
    is_open = attempt.flow is AuthFlowType.USER_AUTH and preferred in {None, ChallengeNameType.PASSWORD}
    return is_open and attempt.password is None and migration.is_asked(pool)


async def _begin_choice(talk: Talk, attempt: Attempt, given: Mapping[str, str]) -> Outcome:
    async with journal.watching(talk.entry):
        talk, writes = await user_auth.begin(talk, attempt.choice or Choice(), attempt.username)
    if is_answered(talk.progress, given):
        return await check(talk, talk.progress.method, given, *writes)
    if writes:
        writes = (partial(check_standing, user=talk.user), *writes)
    return await go_on(talk, given, *writes)


def _open_state(call: Call, reply: Reply) -> State:
    if reply.challenge in IN_BLOCKS:
        return open_block(call.deps.sealer, reply.challenge, required(reply.responses, "PASSWORD_CLAIM_SECRET_BLOCK"))
    if not reply.session:
        raise InvalidParameterException("Missing required parameter Session")
    return open_state(call.deps.sealer, reply.challenge, reply.session)


def _find_again(tx: Tx, call: Call, pool: Pool, state: State, name: str) -> User | None:
    """Return the user of a sign-in under way, if ``name`` still means that one; raises NotAuthorizedException."""
    named = find_user(tx, pool, name)
    if state.user_id == 0:
        meant = is_called(call, pool, state.name, name)
    else:
        meant = named is not None and named.id == state.user_id
    if not meant:
        raise NotAuthorizedException(INVALID_SESSION)
    return named if state.user_id else None


def _check_length(username: str) -> None:
    """Check that a name can be sealed into a ``Session``; raises InvalidParameterException."""
    if len(username) > LONGEST_NAME:
        raise InvalidParameterException(
            "1 validation error detected: Value at 'username' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LONGEST_NAME}"
        )
