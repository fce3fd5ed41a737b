"""Codes by mail and text message as a first factor (spec/api/04 §5)."""

import pytest

from tests.conftest import PASSWORD
from tests.operations.chooser import CHOICE, Chooser, first_factors
from tests.operations.owner import ON, SENDER, SMS, TOTP, Owner
from tests.operations.talk import sign_up
from tests.operations.test_step_up import L2, L3, L4, told

MISMATCH = ("CodeMismatchException", "Invalid code or auth state for the user.")
PASSWORDS = ["PASSWORD_SRP", "PASSWORD"]


@pytest.fixture
def coded(call, pool, app, user):
    """A user of a pool that takes codes: by default one with a verified address."""
    made = []

    def make(pool_id=None, username=None, **attributes):
        settings = {"EmailConfiguration": SENDER, **SMS, "AutoVerifiedAttributes": ["email"]}
        pool_id = pool_id or pool(**first_factors("EMAIL_OTP", "SMS_OTP"), **settings)
        client = app(pool_id, ExplicitAuthFlows=CHOICE, PreventUserExistenceErrors="ENABLED")
        made.append(f"{pool_id}-{len(made)}@x.org".lower())
        mail = {"email": made[-1], "email_verified": "true"}
        ann = Chooser(call, client, username or user(pool_id, **(attributes or mail)))
        ann.pool_id, ann.address = pool_id, attributes.get("phone_number", made[-1])
        return ann

    return make


@pytest.mark.parametrize(
    ("name", "attributes"), [("EMAIL_OTP", {}), ("SMS_OTP", {"phone_number": "+15550177"})], ids=["mail", "text"]
)
def test_a_code_signs_in(coded, inbox, name, attributes):
    """Preferred or chosen, the code goes out and gives tokens; a wrong one does not."""
    ann = coded(**attributes)
    for begin in (lambda: ann.begins(name), lambda: ann.answers(ann.begins(), ANSWER=name)):
        asked = begin()
        assert (asked["ChallengeName"], asked["AvailableChallenges"]) == (name, [*PASSWORDS, name])
        code = inbox(ann.address)[-1].code
        assert ann.may_not_answer(asked, **{f"{name}_CODE": code[::-1] + "0"}) == MISMATCH
        assert ann.answers(asked, **{f"{name}_CODE": code})["AuthenticationResult"]


def test_no_second_factor_follows(coded, call, inbox, server):
    """A code is enough where MFA is optional; levels say otherwise where one is wanted that it does not lead to."""
    server.clock.advance(31 - server.clock.now() // 1000 % 30)
    ann = coded()
    call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, MfaConfiguration="OPTIONAL", **TOTP)
    owner = Owner(server, call, ann.client, ann.pool_id, ann.username)
    owner.has_an_app()
    owner.does("SetUserMFAPreference", SoftwareTokenMfaSettings=ON)
    asked = ann.begins("EMAIL_OTP", TARGET_ACR_VALUES=L2)
    made = ann.answers(asked, EMAIL_OTP_CODE=inbox(ann.address)[-1].code)
    assert told(made) == (L2, ["email_otp"])
    assert ann.begins("EMAIL_OTP", TARGET_ACR_VALUES=f"{L4} {L2}")["AvailableChallenges"] == PASSWORDS
    token = made["AuthenticationResult"]["AccessToken"]
    asked = ann.begins(ACCESS_TOKEN=token, TARGET_ACR_VALUES=L3)
    assert asked["AvailableChallenges"] == PASSWORDS
    made = ann.answers(asked, ANSWER="PASSWORD", PASSWORD=PASSWORD)
    assert made["ChallengeName"] == "SOFTWARE_TOKEN_MFA"


def test_codes_for_nobody(coded):
    """Whom nobody knows is told that a code went out, and no code is right."""
    ann = coded()
    nobody = coded(ann.pool_id, username="nobody@x.org")
    asked = nobody.begins("EMAIL_OTP")
    assert asked["ChallengeName"] == "EMAIL_OTP"
    assert asked["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == "n***@x***"
    assert nobody.may_not_answer(asked, EMAIL_OTP_CODE="12345678") == MISMATCH
    assert len(asked["Session"]) == len(nobody.begins("EMAIL_OTP")["Session"])


def test_levels_of_nobody(coded, call):
    """Some whom nobody knows seem to have a second factor: else what a level leaves to choose would tell who has one."""
    ann = coded()
    call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, MfaConfiguration="OPTIONAL", **TOTP)
    nobodies = [Chooser(call, ann.client, f"nobody-{number}@x.org") for number in range(20)]

    def may_use_codes(**parameters):
        return {"EMAIL_OTP" in each.begins(**parameters)["AvailableChallenges"] for each in nobodies}

    assert may_use_codes() == {True}
    assert may_use_codes(TARGET_ACR_VALUES=L4) == {True, False}


def test_a_user_without_a_password(coded, call, inbox):
    """Who signed up without one has a code to sign in with, and nothing else to choose.

    Where codes are first factors, that of the sign-up signs in without the Session of SignUp, which Amplify keeps.
    """
    ann = coded()
    made = call(
        "SignUp",
        ClientId=ann.client["ClientId"],
        Username="bare",
        UserAttributes=[{"Name": "email", "Value": "b@x.org"}],
    )
    confirming = {"ClientId": ann.client["ClientId"], "Username": "bare", "Session": made["Session"]}
    session = call("ConfirmSignUp", **confirming, ConfirmationCode=inbox("b@x.org")[-1].code)["Session"]
    bare = Chooser(call, ann.client, "bare")
    asked = bare.begins("PASSWORD")
    assert (asked["ChallengeName"], asked["AvailableChallenges"]) == ("SELECT_CHALLENGE", ["EMAIL_OTP"])
    assert told(bare.begins(session=session, TARGET_ACR_VALUES=L2)) == (L2, ["email_otp"])
    assert "Session" in sign_up(call, ann.client, "other", email="o@x.org")
    confirming = {"ClientId": ann.client["ClientId"], "Username": "other"}
    session = call("ConfirmSignUp", **confirming, ConfirmationCode=inbox("o@x.org")[-1].code)["Session"]
    assert Chooser(call, ann.client, "other").begins(session=session)["AuthenticationResult"]
