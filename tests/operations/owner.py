"""A user with an authenticator app, and the pools that ask for it."""

from tests.authenticator import one_time_code
from tests.operations.talk import PASSWORD, refusal, sign_in

ON, PREFERRED, TURNED_OFF = {"Enabled": True}, {"Enabled": True, "PreferredMfa": True}, {"Enabled": False}
SMS = {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms", "ExternalId": "x"}}
TOTP = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
SENDER = {
    "EmailSendingAccount": "DEVELOPER",
    "SourceArn": "arn:aws:ses:us-east-1:123456789012:identity/a@example.org",
}
EVERYTHING = TOTP | {
    "SmsMfaConfiguration": SMS,
    "EmailMfaConfiguration": {"Message": "Code {####}", "Subject": "Code"},
}
CONTACTS = {"phone_number": "+15550100", "email": "a@x.org", "email_verified": "true"}


class Owner:
    """A signed-in user and their authenticator app."""

    def __init__(self, server, call, client, pool_id, username):
        self.server, self.call, self.client, self.pool_id, self.username = server, call, client, pool_id, username
        self.token = sign_in(call, client, username)["AccessToken"]
        self.secret = None

    def does(self, operation, **members):
        return self.call(operation, AccessToken=self.token, **members)

    def may_not(self, operation, **members):
        return refusal(self.call, operation, AccessToken=self.token, **members)

    def associates(self):
        self.secret = self.does("AssociateSoftwareToken")["SecretCode"]
        return self.secret

    def code(self, secret=None, late=0):
        return one_time_code(secret or self.secret, self.server.clock.now() / 1000 + late)

    def has_an_app(self, **members):
        self.associates()
        return self.does("VerifySoftwareToken", UserCode=self.code(), **members)

    def admin(self, operation, **members):
        return self.call(operation, UserPoolId=self.pool_id, Username=self.username, **members)

    def settings(self):
        """What is asked for and what is preferred, as every operation that shows it agrees on."""
        names = ("UserMFASettingList", "PreferredMfaSetting")
        answers = [self.does("GetUser"), self.does("GetUserAuthFactors")]
        answers += [self.admin("AdminGetUser"), self.admin("AdminGetUserAuthFactors")]
        told = [tuple(answer.get(name) for name in names) for answer in answers]
        assert len({repr(each) for each in told}) == 1
        return told[0]

    def factors(self):
        own, seen = self.does("GetUserAuthFactors"), self.admin("AdminGetUserAuthFactors")
        assert own == seen
        return own["ConfiguredUserAuthFactors"]


def begin(ann, password=PASSWORD):
    """What a sign-in with the password leads to."""
    return ann.call(
        "InitiateAuth",
        ClientId=ann.client["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": ann.username, "PASSWORD": password},
    )


def reply(ann, asked, **responses):
    """The members of an answer to a challenge."""
    return {
        "ClientId": ann.client["ClientId"],
        "ChallengeName": asked["ChallengeName"],
        "Session": asked["Session"],
        "ChallengeResponses": {"USERNAME": ann.username} | responses,
    }


def respond(ann, asked, **responses):
    """What an answer to a challenge leads to."""
    return ann.call("RespondToAuthChallenge", **reply(ann, asked, **responses))


def refused(ann, asked, **responses):
    """What refuses an answer to a challenge."""
    return refusal(ann.call, "RespondToAuthChallenge", **reply(ann, asked, **responses))
