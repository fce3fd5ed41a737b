"""A user of choice-based sign-in, and their passkey."""

import json

from tests.authenticator import Authenticator
from tests.conftest import PASSWORD
from tests.operations.talk import refusal, sign_in

CHOICE = ["ALLOW_USER_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
RP = {"RelyingPartyId": "localhost"}
BOTH = RP | {"FactorConfiguration": "MULTI_FACTOR_WITH_USER_VERIFICATION"}


def first_factors(*factors):
    """The setting of a pool that allows these besides passwords."""
    return {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", *factors]}}}


class Chooser:
    """Signs in by USER_AUTH."""

    def __init__(self, call, client, username):
        self.call, self.client, self.username = call, client, username
        self.authenticator = None

    def request(self, preferred=None, session=None, **parameters):
        chosen = {"PREFERRED_CHALLENGE": preferred} if preferred else {}
        members = {
            "ClientId": self.client["ClientId"],
            "AuthFlow": "USER_AUTH",
            "AuthParameters": {"USERNAME": self.username, **chosen, **parameters},
        }
        return members | ({"Session": session} if session else {})

    def begins(self, preferred=None, session=None, **parameters):
        return self.call("InitiateAuth", **self.request(preferred, session, **parameters))

    def may_not_begin(self, preferred=None, session=None, **parameters):
        return refusal(self.call, "InitiateAuth", **self.request(preferred, session, **parameters))

    def reply(self, asked, challenge=None, **responses):
        return {
            "ClientId": self.client["ClientId"],
            "ChallengeName": challenge or asked["ChallengeName"],
            "Session": asked["Session"],
            "ChallengeResponses": {"USERNAME": self.username, **responses},
        }

    def answers(self, asked, challenge=None, **responses):
        return self.call("RespondToAuthChallenge", **self.reply(asked, challenge, **responses))

    def may_not_answer(self, asked, challenge=None, **responses):
        return refusal(self.call, "RespondToAuthChallenge", **self.reply(asked, challenge, **responses))

    def registers(self, authenticator=None):
        """Make a passkey; its password lets the user in first."""
        self.authenticator = authenticator or Authenticator()
        token = sign_in(self.call, self.client, self.username, PASSWORD)["AccessToken"]
        options = self.call("StartWebAuthnRegistration", AccessToken=token)["CredentialCreationOptions"]
        credential = self.authenticator.create(options)
        self.call("CompleteWebAuthnRegistration", AccessToken=token, Credential=credential)
        return token


def options_of(asked):
    """The options of a passkey challenge."""
    return json.loads(asked["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])
