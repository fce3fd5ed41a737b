"""Invitations, temporary passwords and recovery (spec/api/03 §7–8)."""

import pytest

from tests.operations.talk import (
    EXPIRED,
    MISMATCH,
    OTHER_PASSWORD,
    PASSWORD,
    listed,
    other,
    refusal,
    sign_up,
)

# Invitations


def test_mediums(call, pool, inbox):
    """spec/api/03 §8.4: each named medium gets the same password; a blank list is the default."""
    contacts = listed(email="both@x.org", phone_number="+12025550121")
    members = {"UserPoolId": pool(), "UserAttributes": contacts}
    call("AdminCreateUser", **members, Username="ann", DesiredDeliveryMediums=["EMAIL", "SMS", "EMAIL"])
    mails, texts = inbox("both@x.org"), inbox("+12025550121")
    assert [len(mails), len(texts)] == [1, 1]
    assert mails[0].code == texts[0].code
    call("AdminCreateUser", **members, Username="bob", DesiredDeliveryMediums=[])
    assert [len(inbox("both@x.org")), len(inbox("+12025550121"))] == [1, 2]


def test_invitations_in_the_pools_words(call, pool, inbox):
    """spec/api/06 §12, 02 §1.4: the template of AdminCreateUserConfig is used, until an update resets it."""
    template = {
        "EmailMessage": "Hello {username}, it is {####}.",
        "EmailSubject": "For {username}",
        "SMSMessage": "{username}: {####}",
    }
    pool_id = pool(UsernameAttributes=["email"], AdminCreateUserConfig={"InviteMessageTemplate": template})
    contacts = listed(phone_number="+12025550131")
    members = {"UserPoolId": pool_id, "Username": "words@x.org", "DesiredDeliveryMediums": ["EMAIL", "SMS"]}
    call("AdminCreateUser", **members, UserAttributes=contacts, TemporaryPassword=PASSWORD)
    (mail,), (text,) = inbox("words@x.org"), inbox("+12025550131")
    assert (mail.subject, mail.body) == ("For words@x.org", f"Hello words@x.org, it is {PASSWORD}.")
    assert (text.subject, text.body) == (None, f"words@x.org: {PASSWORD}")

    call("UpdateUserPool", UserPoolId=pool_id)
    call("AdminCreateUser", **members, MessageAction="RESEND", TemporaryPassword=OTHER_PASSWORD)
    mail = inbox("words@x.org")[-1]
    assert mail.subject == "Your temporary password"
    assert mail.body == f"Your username is words@x.org and temporary password is {OTHER_PASSWORD}. "


@pytest.mark.parametrize("setting", ["policy", "older", "default"])
def test_days_of_a_temporary_password(call, pool, app, user, server, setting):
    """spec/api/03 §8.6: TemporaryPasswordValidityDays, or the older setting, or 7; an update counts at once."""
    days = {"policy": 2, "older": 3, "default": 7}[setting]
    settings = {
        "policy": {"Policies": {"PasswordPolicy": {"TemporaryPasswordValidityDays": 2}}},
        "older": {"AdminCreateUserConfig": {"UnusedAccountValidityDays": 3}},
        "default": {},
    }[setting]
    pool_id = pool(**settings)
    client = app(pool_id)
    members = {"UserPoolId": pool_id, "Username": "ann", "MessageAction": "SUPPRESS"}
    call("AdminCreateUser", **members, TemporaryPassword=PASSWORD)
    started = {
        "ClientId": client["ClientId"],
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD},
    }
    server.clock.advance(days * 86_400 - 60)
    assert call("InitiateAuth", **started)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    server.clock.advance(120)
    expired = ("NotAuthorizedException", "Temporary password has expired and must be reset by an administrator.")
    assert refusal(call, "InitiateAuth", **started) == expired
    longer = {"PasswordPolicy": {"TemporaryPasswordValidityDays": 30}}
    server.clock.back_to_now()
    call("UpdateUserPool", UserPoolId=pool_id, Policies=longer)
    server.clock.advance(days * 86_400 + 60)
    assert call("InitiateAuth", **started)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


# Recovery


@pytest.mark.parametrize(
    ("mechanisms", "medium"),
    [
        (None, "EMAIL"),
        ([("verified_phone_number", 1), ("verified_email", 2)], "SMS"),
        ([("verified_phone_number", 2), ("verified_email", 1)], "EMAIL"),
        ([("verified_phone_number", 1)], "SMS"),
        ([], "SMS"),
    ],
)
def test_recovery_priorities(call, pool, app, user, mechanisms, medium):
    """spec/api/03 §7.1: the lowest priority whose contact is verified; without a setting the telephone."""
    setting = {}
    if mechanisms is not None:
        named_ones = [{"Name": name, "Priority": priority} for name, priority in mechanisms]
        setting = {"AccountRecoverySetting": {"RecoveryMechanisms": named_ones} if mechanisms else {}}
    pool_id = pool(**setting)
    client = app(pool_id)
    contacts = {"email": "which@x.org", "phone_number": "+12025550141"}
    user(pool_id, "ann", **contacts, email_verified="true", phone_number_verified="true")
    details = call("ForgotPassword", ClientId=client["ClientId"], Username="ann")["CodeDeliveryDetails"]
    assert details["DeliveryMedium"] == medium
    user(pool_id, "bob", **contacts, email_verified="true")
    if mechanisms == [("verified_phone_number", 1)]:
        told = refusal(call, "ForgotPassword", ClientId=client["ClientId"], Username="bob")
        assert told == (
            "InvalidParameterException",
            "Cannot reset password for the user as there is no registered/verified email or phone_number",
        )
    else:
        details = call("ForgotPassword", ClientId=client["ClientId"], Username="bob")["CodeDeliveryDetails"]
        assert details["DeliveryMedium"] == "EMAIL"


def test_a_new_recovery_code_voids_the_old(call, pool, app, user, inbox):
    """spec/api/03 §12: only the newest code counts, once."""
    pool_id = pool()
    client = app(pool_id)
    user(pool_id, "ann", email="newest@x.org", email_verified="true")
    members = {"ClientId": client["ClientId"], "Username": "ann"}
    call("ForgotPassword", **members)
    call("ForgotPassword", **members)
    old, new = (message.code for message in inbox("newest@x.org"))
    confirming = {**members, "Password": OTHER_PASSWORD}
    if old != new:
        assert refusal(call, "ConfirmForgotPassword", **confirming, ConfirmationCode=old) == MISMATCH
    assert refusal(call, "ConfirmForgotPassword", **confirming, ConfirmationCode=other(new)) == MISMATCH
    call("ConfirmForgotPassword", **confirming, ConfirmationCode=new)
    assert refusal(call, "ConfirmForgotPassword", **confirming, ConfirmationCode=new) == EXPIRED


def test_refused_states_of_recovery(call, pool, app, user):
    """spec/api/03 §7.2, §7.4, 09: invited and unconfirmed users have their own refusals."""
    pool_id = pool()
    client = app(pool_id)
    invited = {"UserPoolId": pool_id, "Username": "invited", "MessageAction": "SUPPRESS"}
    call("AdminCreateUser", **invited, UserAttributes=listed(email="i@x.org", email_verified="true"))
    sign_up(call, client, "new", email="n@x.org")
    state = ("NotAuthorizedException", "User password cannot be reset in the current state.")
    assert refusal(call, "ForgotPassword", ClientId=client["ClientId"], Username="invited") == state
    told = refusal(call, "ForgotPassword", ClientId=client["ClientId"], Username="new")
    assert told[0] == "InvalidParameterException"
    for name in ("invited", "new"):
        assert refusal(call, "AdminResetUserPassword", UserPoolId=pool_id, Username=name) == state
