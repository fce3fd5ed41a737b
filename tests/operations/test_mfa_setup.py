"""Setting up codes by mail and text message in the middle of a sign-in (spec/api/04 §4); apps have tests beside theirs."""

import itertools
import json

import pytest

from tests.operations.owner import EVERYTHING, SMS, TOTP, begin, refused, reply, respond
from tests.operations.talk import listed, named, other, refusal, shown

RESPOND = "RespondToAuthChallenge"
WRONG = ("CodeMismatchException", "Invalid code or auth state for the user.")
INVALID = ("NotAuthorizedException", "Invalid session for the user.")
NOT_SET_UP = ("InvalidParameterException", "User has not set up software token mfa")
UNWRITABLE = ("NotAuthorizedException", "A client attempted to write unauthorized attribute")
_numbers = itertools.count(1)


@pytest.fixture
def newcomer(owner, call, inbox):
    """A user without any factor in a pool that requires one."""

    def make(offered=EVERYTHING, attributes=None, **settings):
        ann = owner(attributes=attributes, **settings)
        call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, MfaConfiguration="ON", **offered)
        ann.address = f"new-{next(_numbers)}@example.org"
        ann.last = lambda to: inbox(to)[-1]
        return ann

    return make


def seen(ann):
    """The attributes, and the factors that are on."""
    user = shown(ann.call, ann.pool_id, ann.username)
    return named(user["UserAttributes"]), user.get("UserMFASettingList")


def test_a_mailbox_is_set_up(newcomer):
    """The code goes to the new address, which is the user's, verified and a factor, once the code was right."""
    ann = newcomer()
    asked = begin(ann)
    assert json.loads(asked["ChallengeParameters"]["MFAS_CAN_SETUP"]) == ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "SMS_MFA"]
    asked = respond(ann, asked, EMAIL=ann.address)
    assert (asked["ChallengeName"], asked["ChallengeParameters"]) == (
        "EMAIL_OTP",
        {"CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL", "CODE_DELIVERY_DESTINATION": "n***@e***"},
    )
    code = ann.last(ann.address).code
    assert refused(ann, asked, EMAIL_OTP_CODE=other(code)) == WRONG
    attributes, factors = seen(ann)
    assert ("email" in attributes, factors) == (False, None)
    assert respond(ann, asked, EMAIL_OTP_CODE=code)["AuthenticationResult"]["AccessToken"]
    attributes, factors = seen(ann)
    assert (attributes["email"], attributes["email_verified"], factors) == (ann.address, "true", ["EMAIL_OTP"])
    assert begin(ann)["ChallengeName"] == "EMAIL_OTP"


def test_a_telephone_is_set_up(newcomer):
    """PHONE_NUMBER does the same for text messages, by the admin family too."""
    ann = newcomer(offered={"SmsMfaConfiguration": SMS})
    ids = {"UserPoolId": ann.pool_id, "ClientId": ann.client["ClientId"]}
    asked = begin(ann)
    assert json.loads(asked["ChallengeParameters"]["MFAS_CAN_SETUP"]) == ["SMS_MFA"]
    asked = ann.call("AdminRespondToAuthChallenge", **ids | reply(ann, asked, PHONE_NUMBER="+15550123"))
    assert asked["ChallengeParameters"]["USER_ID_FOR_SRP"] == ann.username
    code = ann.last("+15550123").code
    done = ann.call("AdminRespondToAuthChallenge", **ids | reply(ann, asked, SMS_MFA_CODE=code))
    assert done["AuthenticationResult"]
    attributes, factors = seen(ann)
    assert (attributes["phone_number_verified"], factors) == ("true", ["SMS_MFA"])


def test_addresses_that_are_none(newcomer):
    """A malformed address, a factor that the pool does not offer, and no answer at all are refused; the session stays."""
    ann = newcomer(offered=TOTP | {"SmsMfaConfiguration": SMS})
    asked = begin(ann)
    for given, text in (
        ({"PHONE_NUMBER": "12345"}, "Invalid phone number format."),
        ({"EMAIL": ann.address}, "Email MFA is not enabled for the userPool"),
        ({"PHONE_NUMBER": "+" + "1" * 400}, "PHONE_NUMBER can have at most 320 characters."),
        ({}, "User has not set up software token mfa"),
    ):
        assert refused(ann, asked, **given) == ("InvalidParameterException", text)
    assert respond(ann, asked, PHONE_NUMBER="+15550123")["ChallengeName"] == "SMS_MFA"


def test_a_code_is_no_app(newcomer):
    """What is kept of a code is not taken for an app, whatever else the answer names."""
    ann = newcomer()
    asked = respond(ann, begin(ann), EMAIL=ann.address)
    answer = reply(ann, asked | {"ChallengeName": "MFA_SETUP"}, ANSWER="EMAIL_OTP")
    assert refusal(ann.call, RESPOND, **answer) == NOT_SET_UP


def test_an_address_in_use_is_replaced_by_those_who_may(newcomer, app):
    """What a client may not write, a sign-in through it does not replace; the present address can become a factor."""
    ann = newcomer(attributes={"email": "old@example.org"})
    ann.client = app(ann.pool_id, WriteAttributes=["name"])
    asked = begin(ann)
    assert refused(ann, asked, EMAIL=ann.address) == UNWRITABLE
    asked = respond(ann, asked, EMAIL="old@example.org")
    assert respond(ann, asked, EMAIL_OTP_CODE=ann.last("old@example.org").code)["AuthenticationResult"]
    assert seen(ann)[0]["email_verified"] == "true"


def test_an_address_of_somebody_else(newcomer, user):
    """Where addresses sign in, one that is another user's is refused at the end, and nothing has changed."""
    ann = newcomer(AliasAttributes=["email"])
    user(ann.pool_id, email=ann.address, email_verified="true")
    asked = respond(ann, begin(ann), EMAIL=ann.address)
    taken = ("AliasExistsException", "An account with the given email already exists.")
    assert refused(ann, asked, EMAIL_OTP_CODE=ann.last(ann.address).code) == taken
    attributes, factors = seen(ann)
    assert ("email" in attributes, factors) == (False, None)


def test_of_two_set_ups_the_first_counts(newcomer):
    """Whoever is late with an address of their own gets no tokens, and does not replace what is there."""
    ann = newcomer()
    mine, theirs, asked = begin(ann), begin(ann), begin(ann)
    theirs = respond(ann, theirs, EMAIL="thief@example.org")
    mine = respond(ann, mine, EMAIL=ann.address)
    assert respond(ann, mine, EMAIL_OTP_CODE=ann.last(ann.address).code)["AuthenticationResult"]
    assert refused(ann, theirs, EMAIL_OTP_CODE=ann.last("thief@example.org").code) == WRONG
    assert refused(ann, asked, EMAIL="thief@example.org") == INVALID
    assert seen(ann)[0]["email"] == ann.address


def test_a_telephone_that_was_given_meanwhile_comes_first(newcomer):
    """Where an administrator gives the user a number, the code of another address proves nothing any more."""
    ann = newcomer()
    asked = respond(ann, begin(ann), EMAIL=ann.address)
    ann.admin("AdminUpdateUserAttributes", UserAttributes=listed(phone_number="+15550124"))
    assert refused(ann, asked, EMAIL_OTP_CODE=ann.last(ann.address).code) == INVALID
    assert begin(ann)["ChallengeName"] == "SMS_MFA"
