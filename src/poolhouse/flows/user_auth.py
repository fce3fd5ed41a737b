"""How choice-based sign-ins (USER_AUTH) begin (spec/api/04 §5, spec/api/10 §9).

Differs from Cognito (choice-based sign-in): a user who has nothing to begin with is offered passwords, as nobody would
be. ConfirmSignUp gives a Session only to who brings the one of SignUp along, or could begin a sign-in with such a code.
"""

from dataclasses import dataclass, replace

from msgspec.structs import replace as changed

from poolhouse.core import acr
from poolhouse.core.acr import Method, Methods
from poolhouse.core.claims import API_SCOPE
from poolhouse.core.pool import Pool
from poolhouse.core.session import Session
from poolhouse.core.sign_in import Progress, Proof
from poolhouse.core.step_up import credit
from poolhouse.flows import sign_up_session
from poolhouse.flows.bearer import INVALID, read_access_token
from poolhouse.flows.challenges.choice import find_choices, find_facts
from poolhouse.flows.challenges.identity import admit
from poolhouse.flows.challenges.select_challenge import choose
from poolhouse.flows.challenges.talk import Talk, Write
from poolhouse.model import InvalidParameterException, NotAuthorizedException


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the first request says beyond the user's name: AuthParameters as they came, and the ``Session``.

    ``shown`` is what the user of a browser's SSO session has shown in it.
    """

    preferred: str | None = None
    target_acr_values: str | None = None
    max_age: str | None = None
    access_token: str | None = None
    session: str | None = None
    shown: Methods | None = None


async def begin(talk: Talk, choice: Choice, username: str) -> tuple[Talk, tuple[Write, ...]]:
    """Return a sign-in as it begins, and what the first step has to write.

    ``username`` is the name as it was given.
    Raises NotAuthorizedException, UserNotConfirmedException, PasswordResetRequiredException, UserNotFoundException
    (of the access token), InvalidParameterException.
    """
    targets = _read_targets(talk.pool, choice) or talk.progress.targets
    progress = changed(talk.progress, choosing=True, targets=targets)
    age = _read_age(choice.max_age)
    talk = admit(replace(talk, progress=progress), username)
    writes: tuple[Write, ...] = ()
    if choice.session is not None:
        signed_up = sign_up_session.get_confirmed(talk.call, talk.pool, talk.client, talk.user, choice.session)
        known = changed(talk.progress.having(Proof.IDENTITY), methods=signed_up.methods)
        talk, writes = replace(talk, progress=known), (signed_up.spend,)
    elif choice.access_token is not None:
        talk = replace(talk, progress=await _credit(talk, choice.access_token, age))
    elif choice.shown is not None:
        talk = replace(talk, progress=credit(find_facts(talk), talk.progress, choice.shown))
    preferred = choose(find_choices(talk) or [], choice.preferred)
    if preferred is not None:
        talk = replace(talk, progress=changed(talk.progress, method=preferred))
    return talk, writes


def _read_targets(pool: Pool, choice: Choice) -> tuple[int, ...]:
    if choice.target_acr_values is None:
        if choice.access_token is not None:
            raise InvalidParameterException("ACCESS_TOKEN requires TARGET_ACR_VALUES.")
        return ()
    levels = acr.find_levels(pool, choice.target_acr_values)
    if not levels:
        raise InvalidParameterException("None of the TARGET_ACR_VALUES is valid.")
    return levels


def _read_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        raise InvalidParameterException("MAX_AGE must be a number of seconds.")
    return int(text)


async def _credit(talk: Talk, token: str, max_age: int | None) -> Progress:
    """Return the progress with what the sign-in behind an access token has shown, if that brings the level nearer."""
    bearer = await read_access_token(talk.call, token)
    ours = talk.user is not None and bearer.user.id == talk.user.id
    if not ours or (bearer.pool.id, bearer.client.id) != (talk.pool.id, talk.client.id):
        raise NotAuthorizedException(INVALID)
    if API_SCOPE not in bearer.scopes:
        raise NotAuthorizedException("Access Token does not have required scopes")
    session = bearer.session
    if session is None or _is_old(talk, session, max_age):
        return talk.progress
    return credit(find_facts(talk), talk.progress, frozenset(Method(name) for name in session.methods))


def _is_old(talk: Talk, session: Session, max_age: int | None) -> bool:
    return max_age is not None and talk.call.now // 1000 - session.auth_time > max_age
