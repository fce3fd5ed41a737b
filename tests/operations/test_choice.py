"""Choice-based sign-in over the wire (spec/api/04 §5)."""

import pytest
from pycognito.aws_srp import AWSSRP

from tests.conftest import PASSWORD
from tests.operations.chooser import CHOICE, RP, Chooser, first_factors
from tests.operations.owner import EVERYTHING, SENDER
from tests.operations.talk import NO_USER, OTHER_PASSWORD, WRONG_PASSWORD, refusal, sign_up

PASSWORDS = ["PASSWORD_SRP", "PASSWORD"]
INVALID = ("NotAuthorizedException", "Invalid session for the user.")
SPENT = ("NotAuthorizedException", "Invalid session for the user, session can only be used once.")
EXPIRED = ("NotAuthorizedException", "Invalid session for the user, session is expired.")


@pytest.fixture
def chooser(call, pool, app, user):
    """A user with a password in a new pool; ``given`` are settings of the pool."""

    def make(pool_id=None, attributes=None, conceal=False, username=None, **given):
        pool_id = pool_id or pool(**given)
        told = {"PreventUserExistenceErrors": "ENABLED"} if conceal else {}
        client = app(pool_id, ExplicitAuthFlows=CHOICE, **told)
        ann = Chooser(call, client, username or user(pool_id, **attributes or {}))
        ann.pool_id = pool_id
        return ann

    return make


def srp(ann, password=PASSWORD):
    return AWSSRP(
        username=ann.username,
        password=password,
        pool_id=ann.pool_id,
        client_id=ann.client["ClientId"],
        client=object(),
    )


def proof(ann, asked, client):
    responses = client.process_challenge(asked["ChallengeParameters"], {"USERNAME": ann.username})
    return {name: value for name, value in responses.items() if name != "USERNAME"}


def test_a_choice_by_password(chooser):
    """Without a preference the user is asked which; the password goes with the choice, or follows it."""
    ann = chooser()
    asked = ann.begins()
    assert (asked["ChallengeName"], asked["ChallengeParameters"]) == ("SELECT_CHALLENGE", {})
    assert asked["AvailableChallenges"] == PASSWORDS
    done = ann.answers(asked, ANSWER="PASSWORD", PASSWORD=PASSWORD)
    assert done["AuthenticationResult"]["RefreshToken"]
    assert done["ChallengeParameters"] == {}
    assert "AvailableChallenges" not in done
    assert ann.may_not_answer(asked, ANSWER="PASSWORD", PASSWORD=PASSWORD) == SPENT

    asked = ann.answers(ann.begins(), ANSWER="PASSWORD")
    assert (asked["ChallengeName"], asked["AvailableChallenges"]) == ("PASSWORD", PASSWORDS)
    assert ann.may_not_answer(asked, PASSWORD=OTHER_PASSWORD) == WRONG_PASSWORD
    assert ann.answers(asked, PASSWORD=PASSWORD)["AuthenticationResult"]


def test_a_choice_by_srp(chooser):
    """SRP_A goes with the choice, or follows it; the second half comes with a Session, and needs none."""
    ann = chooser()
    client = srp(ann)
    first_half = client.get_auth_params()["SRP_A"]
    for begun in (
        ann.begins("PASSWORD_SRP", SRP_A=first_half),
        ann.answers(ann.begins(), ANSWER="PASSWORD_SRP", SRP_A=first_half),
        ann.answers(ann.answers(ann.begins(), ANSWER="PASSWORD_SRP"), SRP_A=first_half),
    ):
        assert begun["ChallengeName"] == "PASSWORD_VERIFIER"
        assert begun["AvailableChallenges"] == PASSWORDS
        responses = proof(ann, begun, client)
        assert ann.answers(begun, **responses)["AuthenticationResult"]
    asked = ann.begins("PASSWORD_SRP", SRP_A=first_half)
    reply = ann.reply(asked, **proof(ann, asked, client))
    del reply["Session"]
    assert ann.call("RespondToAuthChallenge", **reply)["AuthenticationResult"]
    assert ann.may_not_begin("PASSWORD_SRP", SRP_A="0")[0] == "InvalidParameterException"


def test_a_preference(chooser, call):
    """A usable one goes straight there, with its data to the end; any other is asked about."""
    ann = chooser(**first_factors("WEB_AUTHN"))
    assert ann.begins("PASSWORD", PASSWORD=PASSWORD)["AuthenticationResult"]
    assert ann.may_not_begin("PASSWORD", PASSWORD=OTHER_PASSWORD) == WRONG_PASSWORD
    for name in ("PASSWORD", "PASSWORD_SRP"):
        asked = ann.begins(name)
        assert (asked["ChallengeName"], asked["AvailableChallenges"]) == (name, PASSWORDS)
    for name in ("WEB_AUTHN", "EMAIL_OTP", "SMS_MFA", "nonsense"):
        asked = ann.begins(name)
        assert (asked["ChallengeName"], asked["AvailableChallenges"]) == ("SELECT_CHALLENGE", PASSWORDS)
    assert ann.may_not_answer(asked, ANSWER="EMAIL_OTP")[0] == "InvalidParameterException"
    assert ann.may_not_answer(asked) == ("InvalidParameterException", "Missing required parameter ANSWER")
    admin = ann.request("PASSWORD", PASSWORD=PASSWORD)
    assert call("AdminInitiateAuth", UserPoolId=ann.pool_id, **admin)["AuthenticationResult"]


def test_changing_ones_mind(chooser):
    """As long as nothing is shown, another challenge may be chosen with the session of the one before."""
    ann = chooser()
    asked = ann.begins("PASSWORD_SRP")
    assert ann.answers(asked, "SELECT_CHALLENGE", ANSWER="PASSWORD", PASSWORD=PASSWORD)["AuthenticationResult"]
    asked = ann.begins("PASSWORD")
    assert ann.may_not_answer(asked, "PASSWORD_SRP", SRP_A="ff") == INVALID


def test_what_follows_a_password(chooser, call):
    """A temporary password is replaced, and a pool that requires a second factor asks for it."""
    ann = chooser()
    call("AdminSetUserPassword", UserPoolId=ann.pool_id, Username=ann.username, Password=PASSWORD, Permanent=False)
    asked = ann.begins("PASSWORD", PASSWORD=PASSWORD)
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert "AvailableChallenges" not in asked
    assert ann.may_not_answer(asked, "SELECT_CHALLENGE", ANSWER="PASSWORD", PASSWORD=PASSWORD) == INVALID
    totp = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
    call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, MfaConfiguration="ON", **totp)
    assert ann.answers(asked, NEW_PASSWORD=OTHER_PASSWORD)["ChallengeName"] == "MFA_SETUP"


def test_what_there_is_to_choose(chooser, call):
    """What the pool allows and the user has: mail goes to a verified address, and not before a password is one's own."""
    contacts = {"email": "a@x.org", "email_verified": "true", "phone_number": "+15550100"}
    sms = {"SmsConfiguration": EVERYTHING["SmsMfaConfiguration"]["SmsConfiguration"], "EmailConfiguration": SENDER}
    ann = chooser(attributes=contacts, **first_factors("EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"), **sms)
    assert ann.begins()["AvailableChallenges"] == [*PASSWORDS, "EMAIL_OTP", "SMS_OTP"]
    ids = {"UserPoolId": ann.pool_id, "Username": ann.username}
    call("AdminUpdateUserAttributes", **ids, UserAttributes=[{"Name": "email_verified", "Value": "false"}])
    assert ann.begins()["AvailableChallenges"] == [*PASSWORDS, "SMS_OTP"]
    call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, WebAuthnConfiguration=RP)
    ann.registers()
    assert ann.begins()["AvailableChallenges"] == [*PASSWORDS, "SMS_OTP", "WEB_AUTHN"]
    call("AdminSetUserPassword", **ids, Password=PASSWORD, Permanent=False)
    assert ann.begins("SMS_OTP")["AvailableChallenges"] == PASSWORDS


def test_who_may_not_sign_in(chooser, call):
    """A client that tells says why; one that conceals asks as it asks nobody, and the right password is wrong."""
    ann = chooser()
    bob = chooser(ann.pool_id, conceal=True, username=ann.username)
    call("AdminDisableUser", UserPoolId=ann.pool_id, Username=ann.username)
    assert ann.may_not_begin() == ("NotAuthorizedException", "User is disabled.")
    asked = bob.begins()
    assert asked["AvailableChallenges"] == PASSWORDS
    assert bob.may_not_answer(asked, ANSWER="PASSWORD", PASSWORD=PASSWORD) == WRONG_PASSWORD
    assert bob.may_not_begin("PASSWORD", PASSWORD=PASSWORD) == WRONG_PASSWORD
    sign_up(call, ann.client, "carl")
    for client in (ann.client, bob.client):
        told = Chooser(call, client, "carl").may_not_begin()
        assert told == ("UserNotConfirmedException", "User is not confirmed.")


def test_nobody_is_asked_as_somebody_is(chooser, pool):
    """Whom nobody knows has challenges to choose from, always the same, different ones by name; none lets them in."""
    pool_id = pool(**first_factors("WEB_AUTHN"), EmailConfiguration=SENDER)
    nobody = [chooser(pool_id, conceal=True, username=f"nobody-{number}") for number in range(12)]
    told = [who.begins()["AvailableChallenges"] for who in nobody]
    assert told == [who.begins()["AvailableChallenges"] for who in nobody]
    assert {tuple(each) for each in told} == {tuple(PASSWORDS), (*PASSWORDS, "WEB_AUTHN")}
    who = nobody[0]
    assert who.may_not_begin("PASSWORD", PASSWORD=PASSWORD) == WRONG_PASSWORD
    asked = who.begins("PASSWORD_SRP", SRP_A="ab" * 380)
    assert asked["Session"]
    assert who.may_not_answer(asked, **proof(who, asked, srp(who))) == WRONG_PASSWORD
    assert chooser(pool_id, username="nobody").may_not_begin() == NO_USER


def test_who_has_just_signed_up(chooser, call, inbox, server):
    """SignUp, ConfirmSignUp and InitiateAuth hand on a session that gives tokens: once, in time, to the same client."""
    ann = chooser(AutoVerifiedAttributes=["email"])

    def signs_up(name, client=ann.client):
        made = sign_up(call, client, name, email=f"{name}@x.org")
        return made["Session"], inbox(f"{name}@x.org")[-1].code

    def confirms(name, code, session, client=ann.client):
        given = {"Session": session} if session else {}
        members = {"ClientId": client["ClientId"], "Username": name, "ConfirmationCode": code}
        return call("ConfirmSignUp", **members, **given).get("Session")

    new = Chooser(call, ann.client, "new")
    session, code = signs_up("new")
    assert new.may_not_begin(session=session) == ("UserNotConfirmedException", "User is not confirmed.")
    confirmed = confirms("new", code, session)
    assert new.may_not_begin(session=session) == INVALID
    assert ann.may_not_begin(session=confirmed) == INVALID
    other = chooser(ann.pool_id, username="new")
    assert other.may_not_begin(session=confirmed) == INVALID
    assert refusal(call, "RespondToAuthChallenge", **new.reply({"Session": confirmed}, "PASSWORD")) == INVALID
    assert new.begins(session=confirmed)["AuthenticationResult"]["IdToken"]
    assert new.may_not_begin(session=confirmed) == SPENT

    session, code = signs_up("late")
    theirs, _ = signs_up("theirs")
    members = {"ClientId": ann.client["ClientId"], "Username": "late", "ConfirmationCode": code}
    assert refusal(call, "ConfirmSignUp", **members, Session=theirs) == INVALID
    assert refusal(call, "ConfirmSignUp", **members, Session="x" * 30) == INVALID
    confirmed = confirms("late", code, session)
    server.clock.advance(181)
    assert Chooser(call, ann.client, "late").may_not_begin(session=confirmed) == EXPIRED

    session, code = signs_up("ended")
    confirmed = confirms("ended", code, session)
    call("AdminUserGlobalSignOut", UserPoolId=ann.pool_id, Username="ended")
    assert Chooser(call, ann.client, "ended").may_not_begin(session=confirmed) == INVALID

    session, code = signs_up("slow")
    server.clock.advance(181)
    assert confirms("slow", code, session) is None
    _, code = signs_up("plain")
    assert confirms("plain", code, None) is None


def test_a_new_user_where_a_factor_is_required(chooser, call, inbox):
    """The session of a sign-up spares the first factor only."""
    ann = chooser(AutoVerifiedAttributes=["email"])
    totp = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
    call("SetUserPoolMfaConfig", UserPoolId=ann.pool_id, MfaConfiguration="ON", **totp)
    session = sign_up(call, ann.client, "new", email="new-mfa@x.org")["Session"]
    members = {"ClientId": ann.client["ClientId"], "Username": "new", "Session": session}
    session = call("ConfirmSignUp", **members, ConfirmationCode=inbox("new-mfa@x.org")[-1].code)["Session"]
    assert Chooser(call, ann.client, "new").begins(session=session)["ChallengeName"] == "MFA_SETUP"


def test_who_may_not_choose(chooser, call, app, pool):
    """The plan of the pool comes first, then the client's flows; a Session is for this flow only."""
    ann = chooser()
    lite = pool(UserPoolTier="LITE")
    begin = {"AuthFlow": "USER_AUTH", "AuthParameters": {"USERNAME": "ann"}}
    code, _ = refusal(call, "InitiateAuth", ClientId=app(lite)["ClientId"], **begin)
    assert code == "FeatureUnavailableInTierException"
    plain = app(ann.pool_id)
    assert refusal(call, "InitiateAuth", ClientId=plain["ClientId"], **begin) == (
        "InvalidParameterException",
        "USER_AUTH is not enabled for the client.",
    )
    members = {"ClientId": plain["ClientId"], "AuthFlow": "USER_PASSWORD_AUTH", "Session": "x" * 20}
    members["AuthParameters"] = {"USERNAME": ann.username, "PASSWORD": PASSWORD}
    assert refusal(call, "InitiateAuth", **members)[0] == "InvalidParameterException"
    assert "Session" not in sign_up(call, plain, "bob")
