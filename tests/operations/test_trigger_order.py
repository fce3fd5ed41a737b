"""Which triggers run for which operation, in which order, and what of the request reaches them (spec/api/06 §2)."""

import pytest

from tests.operations.owner import SENDER
from tests.operations.talk import OTHER_PASSWORD, PASSWORD, listed, refusal, sign_in
from tests.operations.test_groups import claims

TRIGGERS = (
    "PreSignUp",
    "PostConfirmation",
    "PreAuthentication",
    "PostAuthentication",
    "DefineAuthChallenge",
    "CreateAuthChallenge",
    "VerifyAuthChallengeResponse",
    "PreTokenGeneration",
    "UserMigration",
    "CustomMessage",
)
FLOWS = [
    "ALLOW_CUSTOM_AUTH",
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
]
METADATA = {"m": "n"}
BEFORE, AFTER = "PreAuthentication_Authentication", "PostAuthentication_Authentication"
TOKENS = "TokenGeneration_Authentication"
DEFINE, CREATE, VERIFY = (f"{trigger}_Authentication" for trigger in TRIGGERS[4:7])
ADMINISTRATOR = "CLIENT_ID_NOT_APPLICABLE"


class House:
    """A pool in which one function is every trigger, and what it was asked since somebody looked."""

    def __init__(self, call, functions, pool, app):
        self.call, self.functions = call, functions
        self.arn = functions.add(self.run)
        self.pool_id = pool(
            LambdaConfig=dict.fromkeys(TRIGGERS, self.arn),
            AutoVerifiedAttributes=["email"],
            EmailConfiguration=SENDER,
        )
        self.client_id = app(self.pool_id, ExplicitAuthFlows=FLOWS)["ClientId"]
        self.confirms, self.seen = False, 0

    def run(self, event, context):
        response, trigger = event["response"], event["triggerSource"].partition("_")[0]
        if trigger == "PreSignUp":
            response["autoConfirmUser"] = self.confirms
        elif trigger == "DefineAuthChallenge":
            answered = bool(event["request"]["session"])
            response |= {"issueTokens": answered, "challengeName": None if answered else "CUSTOM_CHALLENGE"}
        elif trigger == "VerifyAuthChallengeResponse":
            response["answerCorrect"] = True
        elif trigger == "UserMigration" and event["userName"].startswith("old"):
            attributes = {"email": f"{event['userName']}@x.org", "email_verified": "true"}
            response |= {"userAttributes": attributes, "finalUserStatus": "CONFIRMED", "messageAction": "SUPPRESS"}
        return event

    def events(self):
        """The events since the last look."""
        events = self.functions.events(self.arn)
        fresh, self.seen = events[self.seen :], len(events)
        return fresh

    def by_user(self, operation, **members):
        """Call an operation of an app client; the events."""
        self.answer = self.call(operation, ClientId=self.client_id, **members)
        return self.events()

    def by_admin(self, operation, name="ann", **members):
        """Call an operation of administrators; the events."""
        self.answer = self.call(operation, UserPoolId=self.pool_id, Username=name, **members)
        return self.events()

    def starts(self, flow, name="ann", operation="InitiateAuth", **parameters):
        pool = {"UserPoolId": self.pool_id} if operation.startswith("Admin") else {}
        given = {"USERNAME": name} | parameters
        return self.by_user(operation, AuthFlow=flow, AuthParameters=given, ClientMetadata=METADATA, **pool)

    def responds(self, name="ann", **responses):
        asked = self.answer
        return self.by_user(
            "RespondToAuthChallenge",
            ChallengeName=asked["ChallengeName"],
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": name} | responses,
            ClientMetadata=METADATA,
        )


def told(events):
    """Each source, with what of the request's metadata it was told."""
    members = {"clientMetadata": "metadata", "validationData": "validation"}
    return [
        (event["triggerSource"], *(word for member, word in members.items() if event["request"].get(member)))
        for event in events
    ]


def clients(events):
    return {event["callerContext"]["clientId"] for event in events}


@pytest.fixture
def house(call, functions, pool, app):
    """A pool in which one function is every trigger."""
    return House(call, functions, pool, app)


def test_around_signing_up(house, inbox):
    """From the sign-up to its confirmation, by users and by administrators; each is announced once."""
    confirmed = "PostConfirmation_ConfirmSignUp"
    ann = {"Username": "ann", "ClientMetadata": METADATA}
    mail = listed(email="order@x.org")
    validation = listed(k="v")
    events = house.by_user("SignUp", **ann, Password=PASSWORD, UserAttributes=mail, ValidationData=validation)
    assert told(events) == [("PreSignUp_SignUp", "metadata", "validation"), ("CustomMessage_SignUp", "metadata")]
    assert events[0]["request"]["userAttributes"] == {"email": "order@x.org"}
    assert clients(events) == {house.client_id}
    assert events[1]["request"]["userAttributes"].items() >= {
        ("cognito:user_status", "UNCONFIRMED"),
        ("email_verified", "false"),
    }
    assert told(house.by_user("ResendConfirmationCode", **ann)) == [("CustomMessage_ResendCode", "metadata")]
    code = inbox("order@x.org")[-1].code
    events = house.by_user("ConfirmSignUp", **ann, ConfirmationCode=code)
    assert told(events) == [(confirmed, "metadata")]
    assert events[0]["request"]["userAttributes"]["cognito:user_status"] == "CONFIRMED"
    refusal(house.call, "ConfirmSignUp", ClientId=house.client_id, **ann, ConfirmationCode=code)
    assert house.events() == []
    house.confirms = True
    bob = {"Username": "bob", "Password": PASSWORD, "UserAttributes": mail}
    events = house.by_user("SignUp", **bob)
    assert told(events) == [("PreSignUp_SignUp",), (confirmed,)]
    assert events[0]["request"]["validationData"] is None
    assert "clientMetadata" not in events[0]["request"]
    house.confirms = False
    house.by_user("SignUp", **bob | {"Username": "eve"})
    events = house.by_admin("AdminConfirmSignUp", "eve", ClientMetadata=METADATA)
    assert told(events) == [(confirmed, "metadata")]
    assert clients(events) == {ADMINISTRATOR}


def test_users_made_by_administrators(house):
    """The function before is asked, but what it says of confirming is not heard; the invitation follows."""
    house.confirms = True
    events = house.by_admin(
        "AdminCreateUser",
        ClientMetadata=METADATA,
        ValidationData=listed(k="v"),
        UserAttributes=listed(email="made@x.org"),
        DesiredDeliveryMediums=["EMAIL"],
        TemporaryPassword=PASSWORD,
    )
    sources = [("PreSignUp_AdminCreateUser", "metadata", "validation"), ("CustomMessage_AdminCreateUser", "metadata")]
    assert told(events) == sources
    assert clients(events) == {ADMINISTRATOR}
    assert house.answer["User"]["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert told(house.starts("USER_PASSWORD_AUTH", PASSWORD=PASSWORD)) == [(BEFORE, "validation")]
    made = house.responds(NEW_PASSWORD=OTHER_PASSWORD)
    assert told(made) == [(AFTER, "metadata"), ("TokenGeneration_NewPasswordChallenge", "metadata")]


def test_around_signing_in(house, call):
    """Passwords, refreshing, custom challenges: metadata of the start is validation data, that of answers is passed on."""
    house.by_admin("AdminCreateUser", MessageAction="SUPPRESS")
    house.by_admin("AdminSetUserPassword", Password=PASSWORD, Permanent=True)
    by_password = [(BEFORE, "validation"), (AFTER,), (TOKENS,)]
    assert told(house.starts("USER_PASSWORD_AUTH", PASSWORD=PASSWORD)) == by_password
    refresh = house.answer["AuthenticationResult"]["RefreshToken"]
    admin = house.starts("ADMIN_USER_PASSWORD_AUTH", operation="AdminInitiateAuth", PASSWORD=PASSWORD)
    assert told(admin) == by_password
    assert clients(admin) == {house.client_id}
    again = house.by_user("InitiateAuth", AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": refresh})
    assert told(again) == [("TokenGeneration_RefreshTokens",)]
    wrong = {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "ann", "PASSWORD": OTHER_PASSWORD}}
    refusal(call, "InitiateAuth", ClientId=house.client_id, **wrong)
    assert told(house.events()) == [(BEFORE,)]
    assert told(house.starts("CUSTOM_AUTH")) == [(BEFORE, "validation"), (DEFINE,), (CREATE,)]
    answered = [(VERIFY, "metadata"), (DEFINE, "metadata"), (AFTER, "metadata"), (TOKENS, "metadata")]
    assert told(house.responds(ANSWER="x")) == answered


def test_users_who_come_from_elsewhere(house):
    """The other directory is asked before anything else; nobody hears of a sign-up."""
    moved = [("UserMigration_Authentication", "validation"), (BEFORE, "validation"), (AFTER,), (TOKENS,)]
    events = house.starts("USER_PASSWORD_AUTH", "old-ann", PASSWORD="x")
    assert told(events) == moved
    assert events[0]["request"]["password"] == "x"
    events = house.by_user("ForgotPassword", Username="old-bob", ClientMetadata=METADATA)
    assert told(events) == [("UserMigration_ForgotPassword", "metadata"), ("CustomMessage_ForgotPassword", "metadata")]
    assert "password" not in events[0]["request"]


def test_around_passwords_and_addresses(house, inbox, call):
    """Codes for recovery and for new addresses, asked for by users and by administrators."""
    contact = listed(email="codes@x.org", email_verified="true")
    house.by_admin("AdminCreateUser", MessageAction="SUPPRESS", UserAttributes=contact)
    house.by_admin("AdminSetUserPassword", Password=PASSWORD, Permanent=True)
    message = "CustomMessage_ForgotPassword"
    events = house.by_user("ForgotPassword", Username="ann", ClientMetadata=METADATA)
    assert told(events) == [(message, "metadata")]
    code = {"Username": "ann", "ConfirmationCode": inbox("codes@x.org")[-1].code, "Password": OTHER_PASSWORD}
    events = house.by_user("ConfirmForgotPassword", **code, ClientMetadata=METADATA)
    assert told(events) == [("PostConfirmation_ConfirmForgotPassword", "metadata")]
    events = house.by_admin("AdminResetUserPassword", ClientMetadata=METADATA)
    assert told(events) == [(message, "metadata")]
    assert clients(events) == {ADMINISTRATOR}
    house.by_admin("AdminSetUserPassword", Password=PASSWORD, Permanent=True)
    token = {"AccessToken": sign_in(call, {"ClientId": house.client_id}, "ann")["AccessToken"]}
    house.events()
    call("UpdateUserAttributes", **token, UserAttributes=listed(email="new@x.org"), ClientMetadata=METADATA)
    call("GetUserAttributeVerificationCode", **token, AttributeName="email", ClientMetadata=METADATA)
    events = house.events()
    update, verify = (
        ("CustomMessage_UpdateUserAttribute", "metadata"),
        ("CustomMessage_VerifyUserAttribute", "metadata"),
    )
    assert told(events) == [update, verify]
    assert clients(events) == {house.client_id}
    events = house.by_admin(
        "AdminUpdateUserAttributes", UserAttributes=listed(email="c@x.org"), ClientMetadata=METADATA
    )
    assert told(events) == [update]
    assert clients(events) == {ADMINISTRATOR}


def test_no_tokens_against_a_function_after_the_sign_in(house, call):
    """What PostAuthentication throws is the answer, and no session is kept."""
    house.by_admin("AdminCreateUser", MessageAction="SUPPRESS")
    house.by_admin("AdminSetUserPassword", Password=PASSWORD, Permanent=True)

    def deny(event, context):
        if event["triggerSource"] == AFTER:
            raise PermissionError("not today")
        return event

    house.functions.change(house.arn, deny)
    given = {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD}}
    refused = refusal(call, "InitiateAuth", ClientId=house.client_id, **given)
    assert refused == ("UserLambdaValidationException", "PostAuthentication failed with error not today.")
    assert [event["triggerSource"] for event in house.events()][-1] == AFTER


def test_new_devices_are_told(call, functions, pool, app, user):
    """newDeviceUsed is true until the device is known."""
    arn = functions.add()
    tracking = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": False}
    pool_id = pool(LambdaConfig={"PostAuthentication": arn}, DeviceConfiguration=tracking)
    client, name = app(pool_id), user(pool_id)
    made = sign_in(call, client, name)
    key = made["NewDeviceMetadata"]["DeviceKey"]
    call("ConfirmDevice", AccessToken=made["AccessToken"], DeviceKey=key)
    given = {"USERNAME": name, "PASSWORD": PASSWORD, "DEVICE_KEY": key}
    again = call("InitiateAuth", ClientId=client["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)[
        "AuthenticationResult"
    ]
    assert claims(again["AccessToken"])["device_key"] == key
    assert [event["request"]["newDeviceUsed"] for event in functions.events(arn)] == [True, False]
