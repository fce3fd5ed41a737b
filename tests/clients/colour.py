"""Functions that lead a custom authentication: what they ask is the favourite colour."""

from typing import Any

from tests.functions import Functions

COLOUR = "blue"


def lambda_config(functions: Functions) -> dict[str, str]:
    """The triggers of a pool that asks for the colour."""
    return {
        "DefineAuthChallenge": functions.add(lead),
        "CreateAuthChallenge": functions.add(ask),
        "VerifyAuthChallengeResponse": functions.add(judge),
    }


def lead(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Ask for the password where its proof has begun, then for the challenge; a right answer is enough."""
    last = (event["request"]["session"] or [{"challengeName": None}])[-1]
    event["response"]["issueTokens"] = last["challengeName"] == "CUSTOM_CHALLENGE" and last["challengeResult"]
    proving = last["challengeName"] == "SRP_A"
    event["response"]["challengeName"] = "PASSWORD_VERIFIER" if proving else "CUSTOM_CHALLENGE"
    return event


def ask(event: dict[str, Any], _: Any) -> dict[str, Any]:
    event["response"]["publicChallengeParameters"] = {"question": "Which colour?"}
    event["response"]["privateChallengeParameters"] = {"answer": COLOUR}
    return event


def judge(event: dict[str, Any], _: Any) -> dict[str, Any]:
    expected = event["request"]["privateChallengeParameters"]["answer"]
    event["response"]["answerCorrect"] = event["request"]["challengeAnswer"] == expected
    return event
