"""CUSTOM_CHALLENGE: a question of the pool's functions, and their word on what follows (spec/api/06 §6).

Differs from Cognito (custom authentication): a pool without a function for CreateAuthChallenge or
VerifyAuthChallengeResponse is answered like one without DefineAuthChallenge, since what Cognito says is not known. After
a right password the functions are asked for their word once a new password, a device or a second factor has been shown,
and sign-in without a password in it asks for none of these. Where a client conceals users, one who is disabled or must
reset the password is nobody to the functions.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec

from poolhouse.core import custom_auth, srp
from poolhouse.core.custom_auth import Audience, Puzzle
from poolhouse.flows import journal
from poolhouse.flows.challenges.identity import INCORRECT, admit
from poolhouse.flows.challenges.nobody import shown_name
from poolhouse.flows.challenges.talk import Proved, Question, Talk, required
from poolhouse.flows.consult import consult
from poolhouse.model import InvalidParameterException, NotAuthorizedException

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Puzzle)


def begin(talk: Talk, username: str, given: Mapping[str, str], *, with_srp: bool) -> Talk:
    """Return a custom sign-in that begins, of the ``username`` that was given.

    ``with_srp`` says that it is to begin with the password.

    Raises NotAuthorizedException, UserNotConfirmedException or PasswordResetRequiredException for users who may not
    sign in, InvalidParameterException for A.
    """
    if with_srp:
        srp.read_public(required(given, "SRP_A"))
    return admit(replace(talk, progress=custom_auth.begun(talk.progress, with_srp=with_srp)), username)


async def follow(talk: Talk) -> Talk:
    """Ask the function that leads what comes next.

    Raises NotAuthorizedException where it ends the sign-in, or lets somebody in who does not exist;
    InvalidParameterException where there is no such function, and the errors of triggers.
    """
    async with journal.watching(talk.entry, talk.progress):
        response = await _consult(talk, custom_auth.DEFINE, partial(custom_auth.define_request, progress=talk.progress))
        progress = custom_auth.obey(talk.progress, response, talk.user)
        if progress is None:
            raise NotAuthorizedException(INCORRECT)
    return replace(talk, progress=progress)


async def ask(talk: Talk, _: Mapping[str, str]) -> Question:
    """Have a function make the question; what it keeps for the answer stays under the seal."""
    async with journal.watching(talk.entry, talk.progress):
        response = await _consult(talk, custom_auth.CREATE, partial(custom_auth.create_request, progress=talk.progress))
        puzzle = custom_auth.read_puzzle(response)
    kept = msgspec.structs.replace(puzzle, public={})
    return Question(puzzle.public | {"USERNAME": shown_name(talk)}, _ENCODER.encode(kept))


async def check(talk: Talk, answer: Mapping[str, str]) -> Proved:
    """Have a function judge the answer; a wrong one is told on, and refuses nothing by itself."""
    puzzle = _DECODER.decode(talk.secret)
    request = partial(custom_auth.verify_request, puzzle=puzzle, answer=required(answer, "ANSWER"))
    response = await _consult(talk, custom_auth.VERIFY, request)
    return Proved(talk.user, custom_auth.answered(talk.progress, puzzle, right=custom_auth.is_right(response)))


async def _consult(talk: Talk, source: str, make_request: Callable[[Audience], dict[str, Any]]) -> dict[str, Any]:
    audience = Audience(pool=talk.pool, client=talk.client, user=talk.user, client_metadata=talk.client_metadata)
    response = await consult(
        talk.call, talk.pool, source, partial(make_request, audience), username=talk.name, client=talk.client
    )
    if response is None:
        raise InvalidParameterException(custom_auth.NOT_CONFIGURED)
    return response
