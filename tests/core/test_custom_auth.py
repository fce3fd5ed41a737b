"""Custom authentication: what functions are told, and what their answers mean."""

import pytest

from poolhouse.core import custom_auth
from poolhouse.core.custom_auth import Audience, Puzzle
from poolhouse.core.sign_in import Progress, Proof
from poolhouse.model import ChallengeNameType as Challenge
from poolhouse.model import InvalidLambdaResponseException
from tests.core.examples import make_client, make_pool, make_user

BEGUN = Progress(method=Challenge.CUSTOM_CHALLENGE, event_id="event")
ANN = make_user()


def test_what_functions_are_told():
    """Each hears of the user and of the challenges so far; members that say nothing are left out."""
    told = {"userAttributes": {"sub": ANN.sub, "cognito:user_status": "CONFIRMED"}}
    audience = Audience(pool=make_pool(), client=make_client(), user=ANN)
    progress = custom_auth.begun(BEGUN, with_srp=True)
    first = {"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}
    assert custom_auth.define_request(audience, BEGUN) == told | {"session": []}
    assert custom_auth.define_request(audience, progress) == told | {"session": [first]}
    progress = custom_auth.passed(progress.having_password(), Challenge.PASSWORD_VERIFIER)
    progress = custom_auth.passed(progress, Challenge.NEW_PASSWORD_REQUIRED)
    progress = custom_auth.answered(progress, Puzzle({}, {}, "hint"), right=False)
    session = [
        first,
        {"challengeName": "PASSWORD_VERIFIER", "challengeResult": True, "challengeMetadata": None},
        {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": False, "challengeMetadata": "hint"},
    ]
    assert custom_auth.create_request(audience, progress) == told | {
        "challengeName": "CUSTOM_CHALLENGE",
        "session": session,
    }
    concealing = make_client(prevent_user_existence_errors="ENABLED")
    nobody = Audience(pool=make_pool(), client=concealing, user=None, client_metadata={"k": "v"})
    assert custom_auth.verify_request(nobody, Puzzle({}, {"answer": "5"}), "6") == {
        "userAttributes": {},
        "privateChallengeParameters": {"answer": "5"},
        "challengeAnswer": "6",
        "clientMetadata": {"k": "v"},
        "userNotFound": True,
    }


def test_the_word_of_the_leading_function():
    """It ends the sign-in, lets the user in, or names a challenge; nobody is ever let in, and an end comes before all."""
    assert custom_auth.obey(BEGUN, {"issueTokens": True, "failAuthentication": None}, ANN).proved == {Proof.IDENTITY}
    assert custom_auth.obey(BEGUN, {"issueTokens": True}, None) is None
    assert custom_auth.obey(BEGUN, {"failAuthentication": True, "issueTokens": True}, ANN) is None
    for name, wanted in (
        ("CUSTOM_CHALLENGE", Challenge.CUSTOM_CHALLENGE),
        ("PASSWORD_VERIFIER", Challenge.PASSWORD_VERIFIER),
        ("SRP_A", Challenge.PASSWORD_VERIFIER),
    ):
        assert custom_auth.obey(BEGUN, {"challengeName": name, "issueTokens": False}, None).wanted is wanted


@pytest.mark.parametrize(
    "response",
    [
        {},
        {"issueTokens": False, "failAuthentication": False, "challengeName": None},
        {"challengeName": "SMS_MFA"},
        {"challengeName": ["CUSTOM_CHALLENGE"]},
        {"issueTokens": "true"},
        {"failAuthentication": 1, "challengeName": "CUSTOM_CHALLENGE"},
    ],
)
def test_a_word_that_says_nothing(response):
    """Neither an end nor a challenge that there is: unrecognizable, as are flags that are no booleans."""
    with pytest.raises(InvalidLambdaResponseException, match="Unrecognizable lambda output"):
        custom_auth.obey(BEGUN, response, ANN)


def test_challenges_that_functions_make():
    """Parameters are maps of texts, or left out; judgements are booleans, and silence is a no."""
    assert custom_auth.read_puzzle({"publicChallengeParameters": None}) == Puzzle({}, {})
    assert custom_auth.read_puzzle(
        {
            "publicChallengeParameters": {"hint": "h"},
            "privateChallengeParameters": {"answer": "a"},
            "challengeMetadata": "m",
        }
    ) == Puzzle({"hint": "h"}, {"answer": "a"}, "m")
    for wrong in (
        {"publicChallengeParameters": {"hint": 1}},
        {"privateChallengeParameters": ["a"]},
        {"challengeMetadata": {"m": "n"}},
    ):
        with pytest.raises(InvalidLambdaResponseException):
            custom_auth.read_puzzle(wrong)
    assert custom_auth.is_right({"answerCorrect": True})
    assert not custom_auth.is_right({"answerCorrect": None})
    with pytest.raises(InvalidLambdaResponseException):
        custom_auth.is_right({"answerCorrect": "yes"})
