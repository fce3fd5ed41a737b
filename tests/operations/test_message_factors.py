"""Signing in with codes by text message and mail as second factors, and choosing among factors (spec/api/04 §4, §9)."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.operations.owner import CONTACTS, EVERYTHING, ON, PREFERRED, TURNED_OFF, begin, refused, reply, respond
from tests.operations.talk import OTHER_PASSWORD, PASSWORD, listed, named, other, refusal, shown
from tests.operations.test_custom_senders import decrypt, sender, wait

RESPOND, PREFER = "RespondToAuthChallenge", "SetUserMFAPreference"
WRONG = ("CodeMismatchException", "Invalid code or auth state for the user.")
LOCKED = ("NotAuthorizedException", "Password attempts exceeded")
SPENT = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")
EXPIRED = ("NotAuthorizedException", "Invalid session for the user, session is expired.")
MAIL, PHONE = CONTACTS["email"], CONTACTS["phone_number"]
SMS_SHOWN = {"CODE_DELIVERY_DELIVERY_MEDIUM": "SMS", "CODE_DELIVERY_DESTINATION": "+****0100"}
EMAIL_SHOWN = {"CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL", "CODE_DELIVERY_DESTINATION": "a***@x***"}
BY_SMS, BY_MAIL = {"SMSMfaSettings": ON}, {"EmailMfaSettings": ON}


@pytest.fixture
def reached(owner, inbox):
    """A user with a telephone and a mailbox in a pool that offers every factor; ``wants`` turns factors on."""

    def make(wants=None, mfa="OPTIONAL", attributes=CONTACTS, **settings):
        ann = owner(mfa, EVERYTHING, attributes, **settings)
        if wants:
            ann.does(PREFER, **wants)
        ann.last = lambda to=PHONE: inbox(to)[-1]
        ann.messages = lambda: len(inbox(PHONE)) + len(inbox(MAIL))
        return ann

    return make


def attributes(ann):
    return named(shown(ann.call, ann.pool_id, ann.username)["UserAttributes"])


def test_a_text_message_is_asked_for(reached):
    """The code goes to the telephone in the pool's words, signs in, and verifies the number (spec/api/04 §4)."""
    ann = reached(BY_SMS)
    asked = begin(ann)
    assert (asked["ChallengeName"], asked["ChallengeParameters"]) == ("SMS_MFA", SMS_SHOWN)
    message = ann.last()
    assert len(message.code) == 6
    assert (message.body, message.template) == (f"Your authentication code is {message.code}. ", "Authentication")
    assert attributes(ann).get("phone_number_verified") != "true"
    done = respond(ann, asked, SMS_MFA_CODE=message.code)
    assert done["ChallengeParameters"] == {}
    assert done["AuthenticationResult"]["RefreshToken"]
    assert attributes(ann)["phone_number_verified"] == "true"


@pytest.mark.parametrize("named", [{}, {"ChallengeName": "EMAIL_MFA"}])
@pytest.mark.parametrize("name", ["EMAIL_OTP_CODE", "EMAIL_MFA_CODE"])
def test_a_mail_is_asked_for(reached, name, named):
    """The code goes to the mailbox in the words of EmailMfaConfiguration, and comes back under either name."""
    ann = reached(BY_MAIL)
    asked = begin(ann)
    assert (asked["ChallengeName"], asked["ChallengeParameters"]) == ("EMAIL_OTP", EMAIL_SHOWN)
    message = ann.last(MAIL)
    assert (message.subject, message.body) == ("Code", f"Code {message.code}")
    done = ann.call(RESPOND, **reply(ann, asked, **{name: message.code}) | named)
    assert done["AuthenticationResult"]["AccessToken"]


def test_administrators_are_told_the_user(reached):
    """By the admin family the user name is shown too, for the choice and for the code."""
    ann = reached(BY_SMS | BY_MAIL)
    ids, name = {"UserPoolId": ann.pool_id, "ClientId": ann.client["ClientId"]}, {"USER_ID_FOR_SRP": ann.username}
    given = {"USERNAME": ann.username, "PASSWORD": PASSWORD}
    asked = ann.call("AdminInitiateAuth", **ids, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=given)
    assert asked["ChallengeParameters"] == {"MFAS_CAN_CHOOSE": '["SMS_MFA","EMAIL_OTP"]'} | name
    asked = ann.call("AdminRespondToAuthChallenge", **ids | reply(ann, asked, ANSWER="SMS_MFA"))
    assert asked["ChallengeParameters"] == SMS_SHOWN | name
    done = ann.call("AdminRespondToAuthChallenge", **ids | reply(ann, asked, SMS_MFA_CODE=ann.last().code))
    assert done["AuthenticationResult"]["AccessToken"]


def test_wrong_codes(reached):
    """A wrong code leaves the session for another try, that of another sign-in is wrong, and the right one counts once."""
    ann = reached(BY_SMS)
    begin(ann)
    earlier = ann.last().code
    asked = begin(ann)
    code = ann.last().code
    for wrong in (other(code), code[:-1], f" {code}", *([earlier] if earlier != code else [])):
        assert refused(ann, asked, SMS_MFA_CODE=wrong) == WRONG
    missing = ("InvalidParameterException", "Missing required parameter SMS_MFA_CODE")
    assert refused(ann, asked, EMAIL_OTP_CODE=code) == missing
    assert respond(ann, asked, SMS_MFA_CODE=code)["AuthenticationResult"]
    assert refused(ann, asked, SMS_MFA_CODE=code) == SPENT


@pytest.mark.usefixtures("still_clock")
def test_a_code_lives_as_long_as_its_session(reached, call):
    """AuthSessionValidity is the life of both (spec/api/03 §12)."""
    ann = reached(BY_MAIL)
    late, asked = begin(ann), begin(ann)
    code = ann.last(MAIL).code
    ann.server.clock.advance(179)
    assert respond(ann, asked, EMAIL_OTP_CODE=code)["AuthenticationResult"]
    ann.server.clock.advance(2)
    assert refused(ann, late, EMAIL_OTP_CODE=code) == EXPIRED


def test_a_code_signs_in_once_at_once(reached):
    """Of several answers with the right code at the same time, one succeeds."""
    ann = reached(BY_SMS)
    asked = begin(ann)
    code = ann.last().code

    def show(_):
        try:
            return "tokens" if respond(ann, asked, SMS_MFA_CODE=code)["AuthenticationResult"] else "none"
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(show, range(4))) == [*["NotAuthorizedException"] * 3, "tokens"]


@pytest.mark.usefixtures("still_clock")
def test_guesses_lock(reached):
    """The fifth wrong code locks every code of the user, in every sign-in; a right one forgives (spec/api/03 §12)."""
    ann = reached(BY_SMS | BY_MAIL)
    by_text, by_mail = (respond(ann, begin(ann), ANSWER=name) for name in ("SMS_MFA", "EMAIL_OTP"))
    text, mail = ann.last().code, ann.last(MAIL).code
    for _ in range(3):
        assert refused(ann, by_text, SMS_MFA_CODE=other(text)) == WRONG
    for _ in range(2):
        assert refused(ann, by_mail, EMAIL_OTP_CODE=other(mail)) == WRONG
    assert refused(ann, by_text, SMS_MFA_CODE=text) == LOCKED
    assert begin(ann)["ChallengeName"] == "SELECT_MFA_TYPE"
    ann.server.clock.advance(1)
    assert respond(ann, by_text, SMS_MFA_CODE=text)["AuthenticationResult"]
    for _ in range(4):
        assert refused(ann, by_mail, EMAIL_OTP_CODE=other(mail)) == WRONG
    assert respond(ann, by_mail, EMAIL_OTP_CODE=mail)["AuthenticationResult"]


def test_the_user_chooses(reached):
    """Two factors of which none is preferred are offered in their order; only the chosen one's code is sent."""
    ann = reached(BY_SMS | BY_MAIL)
    ann.has_an_app()
    ann.does(PREFER, SoftwareTokenMfaSettings=ON)
    ann.server.clock.advance(60)
    before, asked = ann.messages(), begin(ann)
    assert asked["ChallengeName"] == "SELECT_MFA_TYPE"
    assert json.loads(asked["ChallengeParameters"]["MFAS_CAN_CHOOSE"]) == ["SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP"]
    missing = ("InvalidParameterException", "Missing required parameter ANSWER")
    assert refused(ann, asked) == missing
    assert refused(ann, asked, ANSWER="PASSWORD")[0] == "InvalidParameterException"
    ann.does(PREFER, SMSMfaSettings=TURNED_OFF)
    assert refused(ann, asked, ANSWER="SMS_MFA")[0] == "MFAMethodNotFoundException"
    by_app = respond(ann, asked, ANSWER="SOFTWARE_TOKEN_MFA")
    assert (by_app["ChallengeName"], ann.messages()) == ("SOFTWARE_TOKEN_MFA", before)
    assert respond(ann, by_app, SOFTWARE_TOKEN_MFA_CODE=ann.code())["AuthenticationResult"]
    by_mail = respond(ann, begin(ann), ANSWER="EMAIL_MFA")
    assert (by_mail["ChallengeName"], by_mail["ChallengeParameters"]) == ("EMAIL_OTP", EMAIL_SHOWN)
    assert respond(ann, by_mail, EMAIL_OTP_CODE=ann.last(MAIL).code)["AuthenticationResult"]
    ann.does(PREFER, EmailMfaSettings=PREFERRED)
    assert begin(ann)["ChallengeName"] == "EMAIL_OTP"


def test_a_temporary_password_comes_first(reached):
    """An invited user sets a password, then shows the telephone that the pool requires without any set-up."""
    ann = reached()
    ann.call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, MfaConfiguration="ON", **EVERYTHING)
    ann.admin("AdminSetUserPassword", Password=PASSWORD, Permanent=False)
    asked = begin(ann)
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    asked = respond(ann, asked, NEW_PASSWORD=OTHER_PASSWORD)
    assert asked["ChallengeName"] == "SMS_MFA"
    assert respond(ann, asked, SMS_MFA_CODE=ann.last().code)["AuthenticationResult"]
    assert ann.admin("AdminGetUser").get("UserMFASettingList") is None


def test_what_changed_under_way(reached):
    """A code is void once the address has changed, or what the user wants to be asked; without an address, nothing is."""
    ann = reached(BY_SMS | {"EmailMfaSettings": {"Enabled": False}})
    asked, code = begin(ann), ann.last().code
    ann.does(PREFER, EmailMfaSettings=ON)
    assert refused(ann, asked, SMS_MFA_CODE=code) == WRONG
    ann.does(PREFER, EmailMfaSettings=TURNED_OFF)
    ann.admin("AdminUpdateUserAttributes", UserAttributes=listed(phone_number="+15550199"))
    assert refused(ann, asked, SMS_MFA_CODE=code) == WRONG
    ann.admin("AdminDeleteUserAttributes", UserAttributeNames=["phone_number"])
    assert refused(ann, asked, SMS_MFA_CODE=code)[0] == "MFAMethodNotFoundException"
    nowhere = ("InvalidParameterException", "User does not have delivery config set to turn on SMS_MFA")
    initiate = {"ClientId": ann.client["ClientId"], "AuthFlow": "USER_PASSWORD_AUTH"}
    given = {"USERNAME": ann.username, "PASSWORD": PASSWORD}
    assert refusal(ann.call, "InitiateAuth", **initiate, AuthParameters=given) == nowhere
    ann.admin("AdminSetUserMFAPreference", SMSMfaSettings=TURNED_OFF)
    assert begin(ann)["AuthenticationResult"]


def test_somebody_elses_alias_is_no_hindrance(reached, user):
    """A number that is another user's verified alias is a factor all the same, and stays unverified."""
    ann = reached(BY_SMS, AliasAttributes=["phone_number"])
    bob = user(ann.pool_id, phone_number=PHONE, phone_number_verified="true")
    asked = begin(ann)
    assert respond(ann, asked, SMS_MFA_CODE=ann.last().code)["AuthenticationResult"]
    assert attributes(ann).get("phone_number_verified") != "true"
    assert shown(ann.call, ann.pool_id, PHONE)["Username"] == bob


def test_a_function_words_the_message(reached, functions):
    """CustomMessage_Authentication is asked, with the metadata of an answer only, and may change the text."""

    def word(event, _):
        event["response"]["smsMessage"] = f"Ours: {event['request']['codeParameter']}"
        return event

    arn = functions.add(word)
    ann = reached(BY_SMS | BY_MAIL, LambdaConfig={"CustomMessage": arn})
    asked = ann.call(
        "InitiateAuth",
        ClientId=ann.client["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": ann.username, "PASSWORD": PASSWORD},
        ClientMetadata={"from": "start"},
    )
    ann.call(RESPOND, **reply(ann, asked, ANSWER="SMS_MFA"), ClientMetadata={"from": "answer"})
    assert ann.last().body == f"Ours: {ann.last().code}"
    ann.does(PREFER, SMSMfaSettings=PREFERRED)
    ann.call(
        "InitiateAuth",
        ClientId=ann.client["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": ann.username, "PASSWORD": PASSWORD},
        ClientMetadata={"from": "start"},
    )
    events = [event for event in functions.events(arn) if event["triggerSource"] == "CustomMessage_Authentication"]
    assert [event["request"].get("clientMetadata") for event in events] == [{"from": "answer"}, None]
    assert events[0]["callerContext"]["clientId"] == ann.client["ClientId"]
    assert ann.last().code not in json.dumps(events)


def test_a_function_sends_the_message(reached, functions, inbox):
    """A code for signing in reaches the pool's own sender, encrypted, with the metadata of an answer only; it signs in."""
    arn, sent = functions.add(), len(inbox(PHONE))
    ann = reached(BY_SMS | BY_MAIL, LambdaConfig=sender("CustomSMSSender", arn))
    asked = ann.call(RESPOND, **reply(ann, begin(ann), ANSWER="SMS_MFA"), ClientMetadata={"from": "answer"})
    (event,) = wait(lambda: functions.events(arn))
    assert (event["triggerSource"], event["request"]["clientMetadata"]) == (
        "CustomSMSSender_Authentication",
        {"from": "answer"},
    )
    assert event["callerContext"]["clientId"] == ann.client["ClientId"]
    code, _ = decrypt(event["request"]["code"])
    assert respond(ann, asked, SMS_MFA_CODE=code)["AuthenticationResult"]
    assert len(inbox(PHONE)) == sent


def test_the_choice_can_be_made_again(reached):
    """SELECT_MFA_TYPE answers what it led to: the same factor sends another code, another one is asked for instead."""
    ann = reached(BY_SMS | BY_MAIL)
    asked = respond(ann, begin(ann), ANSWER="SMS_MFA")
    first, again = ann.last().code, {"ChallengeName": "SELECT_MFA_TYPE"}
    asked = respond(ann, asked | again, ANSWER="SMS_MFA")
    assert asked["ChallengeName"] == "SMS_MFA"
    if first != ann.last().code:
        assert refusal(ann.call, RESPOND, **reply(ann, asked, SMS_MFA_CODE=first)) == WRONG
    asked = respond(ann, asked | again, ANSWER="EMAIL_OTP")
    refused = reply(ann, asked | again, ANSWER="SOFTWARE_TOKEN_MFA")
    assert refusal(ann.call, RESPOND, **refused)[0] == "MFAMethodNotFoundException"
    assert refusal(ann.call, RESPOND, **reply(ann, asked | {"ChallengeName": "MFA_SETUP"}, EMAIL="b@x.org")) == (
        "NotAuthorizedException",
        "Invalid session for the user.",
    )
    assert respond(ann, asked, EMAIL_OTP_CODE=ann.last(MAIL).code)["AuthenticationResult"]
