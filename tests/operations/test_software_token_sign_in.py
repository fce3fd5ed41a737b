"""Signing in with an authenticator app, and setting one up on the way (spec/api/04 §4 and §9)."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.operations.owner import CONTACTS, EVERYTHING, ON, PREFERRED, TOTP, begin, reply
from tests.operations.talk import OTHER_PASSWORD, PASSWORD, other, refusal

WRONG = ("CodeMismatchException", "Invalid code received for user")
USED = ("ExpiredCodeException", "Your software token has already been used once.")
LOCKED = ("NotAuthorizedException", "Password attempts exceeded")
INVALID = ("NotAuthorizedException", "Invalid session for the user.")
SPENT = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")
EXPIRED = ("NotAuthorizedException", "Invalid session for the user, session is expired.")
NOT_VERIFIED = ("EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA")
NO_TOKEN = ("SoftwareTokenMFANotFoundException", "No software token was associated with the user.")
NOT_SET_UP = ("InvalidParameterException", "User has not set up software token mfa")
ASSOCIATE, VERIFY, RESPOND = "AssociateSoftwareToken", "VerifySoftwareToken", "RespondToAuthChallenge"


def answer(ann, asked, code):
    return ann.call(RESPOND, **reply(ann, asked, SOFTWARE_TOKEN_MFA_CODE=code))


def refused(ann, asked, code):
    return refusal(ann.call, RESPOND, **reply(ann, asked, SOFTWARE_TOKEN_MFA_CODE=code))


@pytest.fixture
def protected(owner):
    """A user whose sign-ins ask for the app; the step of the code that set it up is over."""

    def make(**members):
        ann = owner()
        ann.has_an_app(**members)
        ann.does("SetUserMFAPreference", SoftwareTokenMfaSettings=PREFERRED)
        ann.server.clock.advance(60)
        return ann

    return make


def test_the_app_is_asked_for(protected):
    """After the password comes the code; the device is named where it has a name."""
    ann = protected(FriendlyDeviceName="Ann's phone")
    asked = begin(ann)
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert asked["ChallengeParameters"] == {"FRIENDLY_DEVICE_NAME": "Ann's phone"}
    assert "AuthenticationResult" not in asked
    done = answer(ann, asked, ann.code())
    assert done["ChallengeParameters"] == {}
    assert {"AccessToken", "IdToken", "RefreshToken"} <= done["AuthenticationResult"].keys()


def test_administrators_are_told_the_user(protected):
    """By the admin family the user name is shown too, and the challenge is answered there."""
    ann = protected()
    ids = {"UserPoolId": ann.pool_id, "ClientId": ann.client["ClientId"]}
    asked = ann.call(
        "AdminInitiateAuth",
        **ids,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": ann.username, "PASSWORD": PASSWORD},
    )
    assert asked["ChallengeParameters"] == {"USER_ID_FOR_SRP": ann.username}
    members = reply(ann, asked, SOFTWARE_TOKEN_MFA_CODE=ann.code())
    assert ann.call("AdminRespondToAuthChallenge", **ids | members)["AuthenticationResult"]["AccessToken"]


def test_wrong_codes(protected):
    """A wrong code, or what is none, leaves the session for another try; a missing one is missed."""
    ann = protected()
    asked = begin(ann)
    for code in (other(ann.code()), "12345", "1234567", "abcdef"):
        assert refused(ann, asked, code) == WRONG
    missing = ("InvalidParameterException", "Missing required parameter SOFTWARE_TOKEN_MFA_CODE")
    assert refusal(ann.call, RESPOND, **reply(ann, asked)) == missing
    assert answer(ann, asked, ann.code(late=-30))["AuthenticationResult"]


def test_a_code_counts_once(protected):
    """The same code again is refused in another sign-in, the next step's is not."""
    ann = protected()
    first, second = begin(ann), begin(ann)
    code = ann.code()
    answer(ann, first, code)
    assert refused(ann, first, ann.code(late=30)) == SPENT
    assert refused(ann, second, code) == USED
    assert answer(ann, second, ann.code(late=30))["AuthenticationResult"]


def test_the_code_of_the_set_up_does_not_sign_in(owner):
    """The code that verified the app was seen once already."""
    ann = owner()
    ann.has_an_app()
    ann.does("SetUserMFAPreference", SoftwareTokenMfaSettings=ON)
    assert refused(ann, begin(ann), ann.code()) == USED
    assert answer(ann, begin(ann), ann.code(late=30))["AuthenticationResult"]


def test_one_code_signs_in_once_at_once(protected):
    """Of several sign-ins that show the same code at the same time, one succeeds."""
    ann = protected()
    code, asked = ann.code(), [begin(ann) for _ in range(4)]

    def show(each):
        try:
            return "tokens" if answer(ann, each, code)["AuthenticationResult"] else "none"
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(show, asked)) == [*["ExpiredCodeException"] * 3, "tokens"]


@pytest.mark.usefixtures("still_clock")
def test_guesses_lock(protected):
    """The fifth wrong code locks, in every session; a right password does not forgive, a right code does.

    The lock doubles with each further one (spec/api/03 §12 and §13).
    """
    ann = protected()
    asked = begin(ann)
    for seconds in (0, 0, 0, 0, 0, 1.1, 2.1, 4.1):
        ann.server.clock.advance(seconds)
        assert refused(ann, asked, other(ann.code())) == WRONG
    again = begin(ann)
    assert refused(ann, again, ann.code()) == LOCKED
    assert refused(ann, asked, other(ann.code())) == LOCKED
    ann.server.clock.advance(8)
    assert answer(ann, again, ann.code())["AuthenticationResult"]
    ann.server.clock.advance(60)
    third = begin(ann)
    assert refused(ann, third, other(ann.code())) == WRONG
    assert answer(ann, third, ann.code())["AuthenticationResult"]


def test_an_app_that_is_gone_under_way(protected):
    """Whose app an administrator takes away starts again, without it where MFA is optional."""
    ann = protected()
    asked = begin(ann)
    ann.admin("AdminDeleteSoftwareToken")
    assert refused(ann, asked, ann.code())[0] == "MFAMethodNotFoundException"
    assert begin(ann)["AuthenticationResult"]


def test_which_factor_is_asked_for(owner, call):
    """A pool without MFA asks for none; an app stays where the pool offers none any more; no other factor is skipped."""
    ann = owner(offered=EVERYTHING, attributes=CONTACTS)
    ann.has_an_app()
    assert begin(ann)["AuthenticationResult"]
    both = {"SoftwareTokenMfaSettings": ON, "SMSMfaSettings": ON}
    ann.does("SetUserMFAPreference", **both)
    assert begin(ann)["ChallengeName"] == "SELECT_MFA_TYPE"
    ann.does("SetUserMFAPreference", **both | {"SoftwareTokenMfaSettings": PREFERRED})
    assert begin(ann)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    ann.does("SetUserMFAPreference", **both | {"SMSMfaSettings": PREFERRED})
    assert begin(ann)["ChallengeName"] == "SMS_MFA"
    sms = {"SmsMfaConfiguration": EVERYTHING["SmsMfaConfiguration"]}
    ann.does("SetUserMFAPreference", SMSMfaSettings={"Enabled": False})
    call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, MfaConfiguration="OPTIONAL", **sms)
    assert begin(ann)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id)
    assert begin(ann)["AuthenticationResult"]


# MFA_SETUP


@pytest.fixture
def newcomer(owner, call):
    """A user without any factor in a pool that requires one."""

    def make():
        ann = owner()
        call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, MfaConfiguration="ON", **TOTP)
        return ann

    return make


def set_up(ann, session, **members):
    """Associate and verify in a session; give the session that answers the challenge."""
    given = ann.call(ASSOCIATE, Session=session)
    ann.secret = given["SecretCode"]
    done = ann.call(VERIFY, Session=given["Session"], UserCode=ann.code(), **members)
    assert done["Status"] == "SUCCESS"
    return done["Session"]


def test_an_app_is_set_up_on_the_way(newcomer):
    """Associate, verify and answer: tokens come, and the next sign-in asks for the app by its name."""
    ann = newcomer()
    asked = begin(ann)
    assert asked["ChallengeName"] == "MFA_SETUP"
    assert {name: json.loads(value) for name, value in asked["ChallengeParameters"].items()} == {
        "MFAS_CAN_SETUP": ["SOFTWARE_TOKEN_MFA"]
    }
    session = set_up(ann, asked["Session"], FriendlyDeviceName="phone")
    assert ann.call(RESPOND, **reply(ann, asked | {"Session": session}))["AuthenticationResult"]["AccessToken"]
    assert ann.settings() == (["SOFTWARE_TOKEN_MFA"], None)
    assert ann.factors() == ["PASSWORD", "SOFTWARE_TOKEN"]
    again = begin(ann)
    assert again["ChallengeParameters"] == {"FRIENDLY_DEVICE_NAME": "phone"}
    assert refused(ann, again, ann.code()) == USED
    assert answer(ann, again, ann.code(late=30))["AuthenticationResult"]


def test_a_temporary_password_comes_first(newcomer, call):
    """An invited user sets a password, then an app, and then has tokens."""
    ann = newcomer()
    ids = {"UserPoolId": ann.pool_id, "Username": ann.username}
    call("AdminSetUserPassword", **ids, Password=PASSWORD, Permanent=False)
    asked = begin(ann)
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    asked = ann.call(RESPOND, **reply(ann, asked, NEW_PASSWORD=OTHER_PASSWORD))
    assert asked["ChallengeName"] == "MFA_SETUP"
    session = set_up(ann, asked["Session"])
    assert ann.call(RESPOND, **reply(ann, asked | {"Session": session}))["AuthenticationResult"]


def test_nothing_is_answered_before_the_app_is_verified(newcomer):
    """The sessions before the right code do not answer the challenge, and stay usable."""
    ann = newcomer()
    asked = begin(ann)
    assert refusal(ann.call, RESPOND, **reply(ann, asked)) == NOT_SET_UP
    assert refusal(ann.call, VERIFY, Session=asked["Session"], UserCode="123456") == NO_TOKEN
    given = ann.call(ASSOCIATE, Session=asked["Session"])
    ann.secret = given["SecretCode"]
    assert refusal(ann.call, RESPOND, **reply(ann, asked | {"Session": given["Session"]})) == NOT_SET_UP
    wrong = other(ann.code())
    assert refusal(ann.call, VERIFY, Session=given["Session"], UserCode=wrong) == NOT_VERIFIED
    done = ann.call(VERIFY, Session=given["Session"], UserCode=ann.code())
    assert ann.settings() == (None, None)
    assert ann.call(RESPOND, **reply(ann, asked | {"Session": done["Session"]}))["AuthenticationResult"]


def test_sessions_count_once(newcomer):
    """Each step of the set-up uses its session up; a second association begins anew."""
    ann = newcomer()
    asked = begin(ann)
    given = ann.call(ASSOCIATE, Session=asked["Session"])
    assert refusal(ann.call, ASSOCIATE, Session=asked["Session"]) == SPENT
    anew = ann.call(ASSOCIATE, Session=given["Session"])
    assert anew["SecretCode"] != given["SecretCode"]
    assert refusal(ann.call, VERIFY, Session=given["Session"], UserCode=ann.code(given["SecretCode"])) == SPENT
    code = ann.code(anew["SecretCode"])
    done = ann.call(VERIFY, Session=anew["Session"], UserCode=code)
    assert refusal(ann.call, VERIFY, Session=anew["Session"], UserCode=code) == SPENT
    answered = reply(ann, asked | {"Session": done["Session"]})
    ann.call(RESPOND, **answered)
    assert refusal(ann.call, RESPOND, **answered)[0] == "NotAuthorizedException"


def test_a_set_up_is_void(newcomer, protected, call):
    """A session of another challenge, one that ran out, and one of a user who was barred meanwhile are refused."""
    ann, bob = newcomer(), protected()
    assert refusal(call, ASSOCIATE, Session=begin(bob)["Session"]) == INVALID
    late, barred = begin(ann), begin(ann)
    ann.admin("AdminUserGlobalSignOut")
    assert refusal(call, ASSOCIATE, Session=barred["Session"]) == INVALID
    barred = begin(ann)
    ann.admin("AdminDisableUser")
    assert refusal(call, ASSOCIATE, Session=barred["Session"]) == INVALID
    ann.server.clock.advance(181)
    assert refusal(call, ASSOCIATE, Session=late["Session"]) == EXPIRED
    carl = newcomer()
    asked = begin(carl)
    call("SetUserPoolMfaConfig", UserPoolId=carl.pool_id)
    assert refusal(call, ASSOCIATE, Session=asked["Session"])[0] == "SoftwareTokenMFANotFoundException"


def test_a_second_set_up_does_not_replace_the_first(newcomer):
    """Whoever is late with a set-up of their own gets no tokens, and does not take the app's place."""
    ann = newcomer()
    mine, theirs = begin(ann), begin(ann)
    late = set_up(ann, theirs["Session"])
    session = set_up(ann, mine["Session"])
    secret = ann.secret
    assert ann.call(RESPOND, **reply(ann, mine | {"Session": session}))["AuthenticationResult"]
    assert refusal(ann.call, RESPOND, **reply(ann, theirs | {"Session": late})) == INVALID
    asked = begin(ann)
    assert answer(ann, asked, ann.code(secret, late=30))["AuthenticationResult"]
