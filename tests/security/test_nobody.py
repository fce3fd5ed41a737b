"""Row 28, by chance: the same wrong sign-ins about a user and about nobody are answered alike, whatever their order."""

import base64
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from tests.operations.chooser import first_factors
from tests.operations.owner import SENDER
from tests.operations.test_custom_auth import TRIGGERS, ask_for_color, compare, three_tries

STEPS = 12
SRP_A, NO_DEVICE = "a" * 700, "us-east-1_00000000-0000-4000-8000-000000000000"
STRANGER = "zed@x.org"
# As long as what they stand for, and as different for each.
MADE_UP = ("SALT", "SRP_B", "SECRET_BLOCK", "USERNAME", "USER_ID_FOR_SRP")
PROOF = {
    "PASSWORD": "Wrong-Horse-1",
    "SRP_A": SRP_A,
    "EMAIL_OTP_CODE": "00000000",
    "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(bytes(32)).decode(),
    "TIMESTAMP": "Tue Feb 3 04:05:06 UTC 2026",
}
FLOWS = ("USER_PASSWORD_AUTH", "USER_SRP_AUTH", "CUSTOM_AUTH", "USER_AUTH", "USER_AUTH")
FIRST = ("PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN")
OTHER_CHALLENGES = ("SELECT_CHALLENGE", "PASSWORD_VERIFIER", "CUSTOM_CHALLENGE", "NEW_PASSWORD_REQUIRED", "SMS_MFA")


@dataclass
class Guesser:
    """Somebody who signs in by a name and knows nothing else."""

    raw: Any
    client_id: str
    name: str
    asked: list[dict[str, Any]] = field(default_factory=list)

    def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """The answer, also where it is a refusal."""
        answer = self.raw.post(operation, {"ClientId": self.client_id, **members}).document
        if "ChallengeName" in answer:
            self.asked.append(answer)
        return answer

    def begin(self, chance: Random) -> dict[str, Any]:
        """Begin a sign-in in some way."""
        flow, given = chance.choice(FLOWS), {"PASSWORD": "Wrong-Horse-1", "SRP_A": chance.choice([SRP_A, SRP_A, "0"])}
        if flow == "CUSTOM_AUTH" and chance.random() < 0.5:
            given["CHALLENGE_NAME"] = "SRP_A"
        if flow == "USER_AUTH":
            given = given if chance.random() < 0.5 else {}
            given["PREFERRED_CHALLENGE"] = chance.choice([*FIRST, "NONE"])
        if chance.random() < 0.2:
            given["DEVICE_KEY"] = chance.choice([NO_DEVICE, "none"])
        return self.call("InitiateAuth", AuthFlow=flow, AuthParameters={"USERNAME": self.name} | given)

    def go_on(self, chance: Random) -> dict[str, Any]:
        """Answer something that was asked, rightly in form or not, by some name."""
        asked = chance.choice(self.asked)
        shown = asked["ChallengeParameters"]
        by = chance.choice([self.name, self.name, shown.get("USER_ID_FOR_SRP", self.name), STRANGER, "nobody"])
        given = PROOF if chance.random() < 0.8 else {}
        block = {"PASSWORD_CLAIM_SECRET_BLOCK": shown["SECRET_BLOCK"]} if "SECRET_BLOCK" in shown else {}
        return self.call(
            "RespondToAuthChallenge",
            ChallengeName=asked["ChallengeName"] if chance.random() < 0.8 else chance.choice(OTHER_CHALLENGES),
            ChallengeResponses={"USERNAME": by, "ANSWER": chance.choice([*FIRST, "red"])} | given | block,
            **({"Session": asked["Session"]} if "Session" in asked else {}),
        )

    def told(self, answer: dict[str, Any]) -> dict[str, Any]:
        """An answer without what differs for everybody."""
        told = json.loads(json.dumps(answer))
        told["Session"] = len(told.get("Session", ""))
        parameters = told.get("ChallengeParameters", {})
        for name in parameters.keys() & set(MADE_UP):
            parameters[name] = parameters[name] == self.name
        return told


@pytest.mark.any_database
@pytest.mark.usefixtures("still_clock")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("state", ["confirmed", "disabled", "reset"])
def test_a_user_is_answered_as_nobody_is(call, raw, functions, pool, app, user, server, state, seed):
    """No order of wrong requests tells who exists: not what is asked, not how it is refused, not when it locks."""
    arns = [functions.add(handler) for handler in (three_tries, ask_for_color, compare)]
    pool_id = pool(
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        EmailConfiguration=SENDER,
        DeviceConfiguration={"ChallengeRequiredOnNewDevice": True},
        LambdaConfig=dict(zip(TRIGGERS, arns, strict=True)),
        **first_factors("EMAIL_OTP"),
    )
    flows = [f"ALLOW_{flow}" for flow in {*FLOWS, "REFRESH_TOKEN_AUTH"}]
    client_id = app(pool_id, ExplicitAuthFlows=flows, PreventUserExistenceErrors="ENABLED")["ClientId"]
    for name in ("ann@x.org", STRANGER):
        user(pool_id, name, email_verified="true")
    if state != "confirmed":
        ending = {"disabled": "AdminDisableUser", "reset": "AdminResetUserPassword"}[state]
        call(ending, UserPoolId=pool_id, Username="ann@x.org")

    def choices(name):
        return Guesser(raw, client_id, name).call(
            "InitiateAuth", AuthFlow="USER_AUTH", AuthParameters={"USERNAME": name}
        )["AvailableChallenges"]

    known = Guesser(raw, client_id, "ann@x.org")
    # What nobody can choose from differs by name, as it does for users: take one who seems to have as much.
    alike = (name for name in (f"a{number}@x.org" for number in range(99)) if choices(name) == choices(known.name))
    unknown, chance = Guesser(raw, client_id, next(alike)), Random(seed)
    for _ in range(STEPS):
        begins, draw = not known.asked or chance.random() < 0.3, chance.random()
        about = []
        for guesser in (known, unknown):
            step = guesser.begin if begins else guesser.go_on
            about.append(guesser.told(step(Random(draw))))
        assert about[0] == about[1]
        if chance.random() < 0.2:
            server.clock.advance(chance.choice([1, 20, 200]))
