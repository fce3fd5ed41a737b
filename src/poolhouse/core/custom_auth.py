"""Custom authentication: what its functions are told, what they answer, and how the sign-in goes on (spec/api/06 §6).

The function for DefineAuthChallenge leads. It hears what was shown so far and says what to ask next, or that it is
enough; the others make the question and judge the answer. Nothing but its word signs the user in.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.client import Client
from poolhouse.core.events_auth import metadata_member, not_found_member, user_attributes
from poolhouse.core.pool import Pool
from poolhouse.core.sign_in import Facts, Progress, Proof, Result, next_step
from poolhouse.core.trigger_events import UNRECOGNIZABLE
from poolhouse.core.user import User
from poolhouse.model import ChallengeNameType as Challenge
from poolhouse.model import InvalidLambdaResponseException

DEFINE = "DefineAuthChallenge_Authentication"
CREATE = "CreateAuthChallenge_Authentication"
VERIFY = "VerifyAuthChallengeResponse_Authentication"
NOT_CONFIGURED = "Custom auth lambda trigger is not configured for the user pool."
# The first entry of ``session`` where the client brings its A along: nothing is shown by it yet.
SRP_A = "SRP_A"
# What the leading function may want asked. The guide names SRP_A in one place for what it calls PASSWORD_VERIFIER.
_WANTED = {
    Challenge.CUSTOM_CHALLENGE.value: Challenge.CUSTOM_CHALLENGE,
    Challenge.PASSWORD_VERIFIER.value: Challenge.PASSWORD_VERIFIER,
    SRP_A: Challenge.PASSWORD_VERIFIER,
}
# The challenges of the service itself whose results the functions hear of.
_TOLD = frozenset(
    {
        Challenge.PASSWORD_VERIFIER,
        Challenge.SMS_MFA,
        Challenge.SOFTWARE_TOKEN_MFA,
        Challenge.EMAIL_OTP,
        Challenge.DEVICE_SRP_AUTH,
        Challenge.DEVICE_PASSWORD_VERIFIER,
    }
)


class Puzzle(Struct, frozen=True, array_like=True):
    """A challenge that a function made. ``public`` is shown, the rest is kept under the seal for its answer."""

    public: dict[str, str]
    private: dict[str, str]
    metadata: str | None = None


class Audience(Struct, frozen=True, kw_only=True):
    """Whom the functions hear about, and what the request carried for them."""

    pool: Pool
    client: Client
    user: User | None
    client_metadata: dict[str, str] | None = None

    def request(self, **members: Any) -> dict[str, Any]:
        """Return a request with what all of them are told."""
        return {
            "userAttributes": user_attributes(self.pool, self.user),
            **members,
            **metadata_member(self.client_metadata),
            **not_found_member(self.client, self.user),
        }


def begun(progress: Progress, *, with_srp: bool) -> Progress:
    """Return the progress of a sign-in that begins; ``with_srp`` says that the client brings its A along."""
    return replace(progress, results=(Result(SRP_A, True),) if with_srp else ())


def is_word_due(facts: Facts, progress: Progress) -> bool:
    """Whether the leading function has to say what comes next: once nothing else is due."""
    return progress.wanted is None and next_step(facts, progress) is Challenge.CUSTOM_CHALLENGE


def passed(progress: Progress, challenge: Challenge) -> Progress:
    """Return the progress after a right answer to a challenge of the service itself, which is then told."""
    if not progress.is_led or challenge not in _TOLD:
        return progress
    return _with_result(progress, Result(challenge.value, True))


def answered(progress: Progress, puzzle: Puzzle, *, right: bool) -> Progress:
    """Return the progress after an answer to a challenge of the functions, which a wrong one does not end."""
    return _with_result(progress, Result(Challenge.CUSTOM_CHALLENGE.value, right, puzzle.metadata))


def define_request(audience: Audience, progress: Progress) -> dict[str, Any]:
    """Return the request that asks what to ask next."""
    return audience.request(session=_session(progress))


def create_request(audience: Audience, progress: Progress) -> dict[str, Any]:
    """Return the request for a challenge."""
    return audience.request(challengeName=Challenge.CUSTOM_CHALLENGE.value, session=_session(progress))


def verify_request(audience: Audience, puzzle: Puzzle, answer: str) -> dict[str, Any]:
    """Return the request to judge an answer."""
    return audience.request(privateChallengeParameters=puzzle.private, challengeAnswer=answer)


def obey(progress: Progress, response: Mapping[str, Any], user: User | None) -> Progress | None:
    """Return the progress after the word of the leading function; None where that ends the sign-in.

    What it says of users who do not exist counts, but for the end. Raises InvalidLambdaResponseException.
    """
    if _flag(response, "failAuthentication"):
        return None
    if _flag(response, "issueTokens"):
        return progress.having(Proof.IDENTITY) if user is not None else None
    name = response.get("challengeName")
    if not isinstance(name, str) or name not in _WANTED:
        raise InvalidLambdaResponseException(UNRECOGNIZABLE)
    return replace(progress, wanted=_WANTED[name])


def read_puzzle(response: Mapping[str, Any]) -> Puzzle:
    """Return the challenge that a function made; raises InvalidLambdaResponseException."""
    metadata = response.get("challengeMetadata")
    if metadata is not None and not isinstance(metadata, str):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE)
    public, private = (_texts(response, f"{kind}ChallengeParameters") for kind in ("public", "private"))
    return Puzzle(public, private, metadata)


def is_right(response: Mapping[str, Any]) -> bool:
    """Return how a function judges an answer; raises InvalidLambdaResponseException."""
    return _flag(response, "answerCorrect")


def _with_result(progress: Progress, result: Result) -> Progress:
    return replace(progress, results=(*progress.results, result), wanted=None)


def _session(progress: Progress) -> list[dict[str, Any]]:
    return [
        {"challengeName": result.challenge, "challengeResult": result.right, "challengeMetadata": result.metadata}
        for result in progress.results
    ]


def _flag(response: Mapping[str, Any], name: str) -> bool:
    flag = response.get(name) or False
    if not isinstance(flag, bool):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE)
    return flag


def _texts(response: Mapping[str, Any], name: str) -> dict[str, str]:
    texts = response.get(name)
    if texts is None:
        return {}
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE)
    return texts
