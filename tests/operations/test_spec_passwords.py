"""Invitations, temporary passwords and recovery (spec/api/03 §7–8)."""

import re

import pytest

from tests.operations.talk import (
    EXPIRED,
    MISMATCH,
    OTHER_PASSWORD,
    PASSWORD,
    listed,
    other,
    refusal,
    sign_in,
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


def test_invitations_without_a_place_for_the_password(call, pool, inbox):
    """API reference of AdminCreateUser: not delivered to users who have one, until the template is mended."""
    told = {"AdminCreateUserConfig": {"InviteMessageTemplate": {"EmailMessage": "Welcome, {username}."}}}
    pool_id = pool(**told)
    members = {"UserPoolId": pool_id, "Username": "ann", "DesiredDeliveryMediums": ["EMAIL"]}
    made = call("AdminCreateUser", **members, UserAttributes=listed(email="no-place@x.org"))
    assert made["User"]["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert inbox("no-place@x.org") == []
    call("UpdateUserPool", UserPoolId=pool_id)
    call("AdminCreateUser", **members, MessageAction="RESEND")
    assert len(inbox("no-place@x.org")) == 1

    policies = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    members |= {"UserPoolId": pool(Policies=policies, **told), "UserAttributes": listed(email="welcome@x.org")}
    assert call("AdminCreateUser", **members)["User"]["UserStatus"] == "CONFIRMED"
    [message] = inbox("welcome@x.org")
    assert (message.body, message.code) == ("Welcome, ann.", None)


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


# Policies and history

LENIENT = {
    "RequireLowercase": False,
    "RequireNumbers": False,
    "RequireSymbols": False,
    "RequireUppercase": False,
}
REASONS = {
    "RequireLowercase": ("ABCDEFGH", "Password must have lowercase characters"),
    "RequireNumbers": ("abcdefgh", "Password must have numeric characters"),
    "RequireSymbols": ("abcdefgh", "Password must have symbol characters"),
    "RequireUppercase": ("abcdefgh", "Password must have uppercase characters"),
}


@pytest.mark.parametrize("rule", REASONS)
def test_each_rule_of_a_policy(call, pool, app, user, rule):
    """spec/api/03 §5.3: each requirement holds in every operation that sets a password, alone, with its reason."""
    password, reason = REASONS[rule]
    settings = {"PasswordPolicy": {"MinimumLength": 8, **LENIENT, rule: True}}
    pool_id = pool(Policies=settings)
    client = app(pool_id)
    user(pool_id, "ann")
    token = sign_in(call, client, "ann")["AccessToken"]
    at_creation = ("InvalidPasswordException", f"Password did not conform with policy: {reason}")
    later = ("InvalidPasswordException", f"Password does not conform to policy: {reason}")
    ids = {"UserPoolId": pool_id, "Username": "bob"}
    assert refusal(call, "AdminCreateUser", **ids, TemporaryPassword=password) == at_creation
    assert refusal(call, "SignUp", ClientId=client["ClientId"], Username="bob", Password=password) == at_creation
    assert refusal(call, "AdminSetUserPassword", UserPoolId=pool_id, Username="ann", Password=password) == later
    members = {"AccessToken": token, "PreviousPassword": PASSWORD, "ProposedPassword": password}
    assert refusal(call, "ChangePassword", **members) == later
    members = {"ClientId": client["ClientId"], "Username": "ann", "ConfirmationCode": "123456", "Password": password}
    assert refusal(call, "ConfirmForgotPassword", **members) == later
    call("UpdateUserPool", UserPoolId=pool_id, Policies={"PasswordPolicy": {"MinimumLength": 8, **LENIENT}})
    call("SignUp", ClientId=client["ClientId"], Username="bob", Password=password)


@pytest.mark.parametrize("length", [6, 20, 99])
def test_generated_passwords_fit_their_policy(call, pool, inbox, length):
    """spec/api/03 §8.2: an invitation's password is as long as the policy asks for, and eight characters at least."""
    address = f"length-{length}@x.org"
    pool_id = pool(Policies={"PasswordPolicy": {"MinimumLength": length}})
    call("AdminCreateUser", UserPoolId=pool_id, Username="ann", UserAttributes=listed(email=address))
    password = inbox(address)[-1].code
    assert len(password) == max(8, length)
    call("AdminSetUserPassword", UserPoolId=pool_id, Username="ann", Password=password, Permanent=True)


def test_history_everywhere(call, pool, app, user, inbox):
    """spec/api/03 §7.7: a password counts as used whoever set it, also a temporary one; a larger size needs no reset."""
    policy = {"PasswordPolicy": {"MinimumLength": 8, "PasswordHistorySize": 3}}
    pool_id = pool(Policies=policy)
    client = app(pool_id)
    user(pool_id, "ann", password="first-one-1", email="history@x.org", email_verified="true")
    ids = {"UserPoolId": pool_id, "Username": "ann"}
    used = ("PasswordHistoryPolicyViolationException", "Password has previously been used")
    call("AdminSetUserPassword", **ids, Password="second-one-2", Permanent=False)
    started = call(
        "InitiateAuth",
        ClientId=client["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": "second-one-2"},
    )

    def answer(password):
        return {
            "ClientId": client["ClientId"],
            "ChallengeName": "NEW_PASSWORD_REQUIRED",
            "Session": started["Session"],
            "ChallengeResponses": {"USERNAME": "ann", "NEW_PASSWORD": password},
        }

    for password in ("first-one-1", "second-one-2"):
        assert refusal(call, "RespondToAuthChallenge", **answer(password)) == used
    token = call("RespondToAuthChallenge", **answer("third-one-3"))["AuthenticationResult"]["AccessToken"]
    members = {"AccessToken": token, "PreviousPassword": "third-one-3"}
    assert refusal(call, "ChangePassword", **members, ProposedPassword="first-one-1") == used
    call("ForgotPassword", ClientId=client["ClientId"], Username="ann")
    code = inbox("history@x.org")[-1].code
    recovering = {"ClientId": client["ClientId"], "Username": "ann", "ConfirmationCode": code}
    assert refusal(call, "ConfirmForgotPassword", **recovering, Password="second-one-2") == used
    call("ConfirmForgotPassword", **recovering, Password="fourth-one-4")
    # Three are barred, the present one among them: the first is the fourth.
    assert refusal(call, "AdminSetUserPassword", **ids, Password="second-one-2", Permanent=True) == used
    call("AdminSetUserPassword", **ids, Password="first-one-1", Permanent=True)


# Messages


@pytest.mark.parametrize("by_link", [True, False])
def test_templates_of_a_sign_up(call, pool, app, inbox, by_link):
    """spec/api/06 §12, 02 §1.4: with both templates given, DefaultEmailOption says which one is sent."""
    template = {
        "DefaultEmailOption": "CONFIRM_WITH_LINK" if by_link else "CONFIRM_WITH_CODE",
        "EmailMessage": "foo {####} bar",
        "EmailMessageByLink": "Dear user, {##click here##}",
        "EmailSubject": "code {####}",
        "EmailSubjectByLink": "link",
    }
    pool_id = pool(AutoVerifiedAttributes=["email"], VerificationMessageTemplate=template)
    prefix = pool_id.lower().replace("_", "-")
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=prefix)
    client = app(pool_id)
    address = f"template-{by_link}@x.org"
    sign_up(call, client, "ann", email=address)
    call("ResendConfirmationCode", ClientId=client["ClientId"], Username="ann")
    for message in inbox(address):
        if by_link:
            assert message.subject == "link"
            assert re.fullmatch(r'Dear user, <a href="[^"]+">click here</a>', message.body)
            assert f"/{prefix}/confirmUser?" in message.body
        else:
            assert (message.subject, message.body) == (f"code {message.code}", f"foo {message.code} bar")
