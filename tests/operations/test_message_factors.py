"""Signing in with codes by text message and mail as second factors (spec/api/04 §4 and §9)."""

import pytest

from tests.operations.owner import CONTACTS, EVERYTHING, ON, begin, reply
from tests.operations.talk import named, refusal, shown

RESPOND = "RespondToAuthChallenge"
PREFER = "SetUserMFAPreference"
WRONG = ("CodeMismatchException", "Invalid code or auth state for the user.")
LOCKED = ("NotAuthorizedException", "Password attempts exceeded")
INVALID = ("NotAuthorizedException", "Invalid session for the user.")
SPENT = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")
EXPIRED = ("NotAuthorizedException", "Invalid session for the user, session is expired.")
MAIL, PHONE = CONTACTS["email"], CONTACTS["phone_number"]
SMS_SHOWN = {"CODE_DELIVERY_DELIVERY_MEDIUM": "SMS", "CODE_DELIVERY_DESTINATION": "+****0100"}
EMAIL_SHOWN = {"CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL", "CODE_DELIVERY_DESTINATION": "a***@x***"}


@pytest.fixture
def reached(owner, inbox):
    """A user with a telephone and a mailbox in a pool that offers every factor; ``wants`` turns factors on."""

    def make(wants=None, mfa="OPTIONAL", attributes=CONTACTS, **settings):
        ann = owner(mfa, EVERYTHING, attributes, **settings)
        if wants:
            ann.does(PREFER, **wants)
        ann.last = lambda to=PHONE: inbox(to)[-1]
        return ann

    return make


def respond(ann, asked, **responses):
    return ann.call(RESPOND, **reply(ann, asked, **responses))


def refused(ann, asked, **responses):
    return refusal(ann.call, RESPOND, **reply(ann, asked, **responses))


def test_a_text_message_is_asked_for(reached):
    """The code goes to the telephone in the pool's words, signs in, and verifies the number (spec/api/04 §4)."""
    ann = reached({"SMSMfaSettings": ON})
    asked = begin(ann)
    assert (asked["ChallengeName"], asked["ChallengeParameters"]) == ("SMS_MFA", SMS_SHOWN)
    message = ann.last()
    assert len(message.code) == 6
    assert (message.body, message.template) == (f"Your authentication code is {message.code}. ", "Authentication")
    assert named(shown(ann.call, ann.pool_id, ann.username)["UserAttributes"]).get("phone_number_verified") != "true"
    done = respond(ann, asked, SMS_MFA_CODE=message.code)
    assert done["ChallengeParameters"] == {}
    assert done["AuthenticationResult"]["RefreshToken"]
    assert named(shown(ann.call, ann.pool_id, ann.username)["UserAttributes"])["phone_number_verified"] == "true"


@pytest.mark.parametrize("name", ["EMAIL_OTP_CODE", "EMAIL_MFA_CODE"])
def test_a_mail_is_asked_for(reached, name):
    """The code goes to the mailbox in the words of EmailMfaConfiguration, and comes back under either name."""
    ann = reached({"EmailMfaSettings": ON})
    asked = begin(ann)
    assert (asked["ChallengeName"], asked["ChallengeParameters"]) == ("EMAIL_OTP", EMAIL_SHOWN)
    message = ann.last(MAIL)
    assert (message.subject, message.body) == ("Code", f"Code {message.code}")
    assert respond(ann, asked, **{name: message.code})["AuthenticationResult"]["AccessToken"]
