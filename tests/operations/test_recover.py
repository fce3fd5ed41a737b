"""ForgotPassword, ConfirmForgotPassword and AdminResetUserPassword."""

import pytest

from tests.operations.talk import (
    DISABLED,
    EXPIRED,
    LIMIT,
    MISMATCH,
    NO_COMBINATION,
    NO_USER,
    OTHER_PASSWORD,
    PASSWORD,
    named,
    other,
    refusal,
    sign_in,
    sign_in_refusal,
    sign_up,
)

NO_CONTACT = (
    "InvalidParameterException",
    "Cannot reset password for the user as there is no registered/verified email or phone_number",
)
WRONG_STATE = ("NotAuthorizedException", "User password cannot be reset in the current state.")
HIDING = {"PreventUserExistenceErrors": "ENABLED"}


def forgot(call, client, username):
    return call("ForgotPassword", ClientId=client["ClientId"], Username=username)["CodeDeliveryDetails"]


def forgot_refusal(call, client, username):
    return refusal(call, "ForgotPassword", ClientId=client["ClientId"], Username=username)


def recover(call, client, username, code, password=OTHER_PASSWORD):
    members = {"ClientId": client["ClientId"], "Username": username, "ConfirmationCode": code, "Password": password}
    return call("ConfirmForgotPassword", **members)


def recover_refusal(call, client, username, code, password=OTHER_PASSWORD):
    members = {"ClientId": client["ClientId"], "Username": username, "ConfirmationCode": code, "Password": password}
    return refusal(call, "ConfirmForgotPassword", **members)


def status_of(call, pool_id, username):
    return call("AdminGetUser", UserPoolId=pool_id, Username=username)["UserStatus"]


@pytest.fixture
def ann(pool, app, user):
    """A pool, a client, and a confirmed user with a verified address."""

    def make(email, client=None, **settings):
        pool_id = pool(**settings)
        return pool_id, app(pool_id, **client or {}), user(pool_id, "ann", email=email, email_verified="true")

    return make


def test_a_forgotten_password_is_replaced(call, ann, inbox):
    """The code sets a new password; until then the old one works, and tokens stay valid."""
    _, client, username = ann("forgot@x.org")
    tokens = sign_in(call, client, username)

    assert forgot(call, client, username) == {
        "AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "f***@x***",
    }  # fmt: skip
    [message] = inbox("forgot@x.org")
    assert message.subject == "Your password reset code"
    assert sign_in(call, client, username)
    assert recover(call, client, username, message.code) == {}

    assert sign_in(call, client, username, OTHER_PASSWORD)
    assert sign_in_refusal(call, client, username)[1] == "Incorrect username or password."
    assert call("GetUser", AccessToken=tokens["AccessToken"])["Username"] == username
    assert recover_refusal(call, client, username, message.code) == EXPIRED


def test_the_code_is_good_for_an_hour(call, ann, inbox, server):
    """Wrong codes mismatch, late ones have expired."""
    _, client, username = ann("late@x.org")
    forgot(call, client, username)
    code = inbox("late@x.org")[-1].code

    assert recover_refusal(call, client, username, other(code)) == MISMATCH
    server.clock.advance(3600)
    assert recover_refusal(call, client, username, code) == EXPIRED


def test_without_a_request_no_code_is_right(call, ann):
    """Nobody recovers who did not ask."""
    _, client, username = ann("unasked@x.org")

    assert recover_refusal(call, client, username, "123456") == EXPIRED


def test_a_refused_password_keeps_the_code(call, ann, inbox):
    """After a password against the policy or the history the same code still works."""
    policy = {"PasswordPolicy": {"MinimumLength": 8, "RequireNumbers": True, "PasswordHistorySize": 2}}
    _, client, username = ann("policy@x.org", Policies=policy)
    forgot(call, client, username)
    code = inbox("policy@x.org")[-1].code

    assert recover_refusal(call, client, username, code, "short1") == (
        "InvalidPasswordException", "Password does not conform to policy: Password not long enough",
    )  # fmt: skip
    assert recover_refusal(call, client, username, code, PASSWORD) == (
        "PasswordHistoryPolicyViolationException", "Password has previously been used",
    )  # fmt: skip
    recover(call, client, username, code)
    assert sign_in(call, client, username, OTHER_PASSWORD)


def test_sending_and_guessing_share_a_limit(call, ann, inbox, server):
    """Between five and twenty calls an hour pass, whichever of the two operations they are."""
    _, client, username = ann("limit@x.org")
    passed = 0
    for _ in range(4):
        forgot(call, client, username)
        passed += 1
    code = inbox("limit@x.org")[-1].code
    while (answer := recover_refusal(call, client, username, other(code))) == MISMATCH:
        passed += 1
        assert passed <= 20

    assert answer == LIMIT
    assert passed >= 5
    assert forgot_refusal(call, client, username) == LIMIT
    assert recover_refusal(call, client, username, code) == LIMIT
    server.clock.advance(3600)
    forgot(call, client, username)


@pytest.mark.parametrize("by", ["user", "administrator"])
def test_a_new_password_ends_a_recovery(call, ann, inbox, by):
    """A code that was asked for before the password was changed or set is void, and the new password stays."""
    mail = f"ended-{by}@x.org"
    pool_id, client, username = ann(mail)
    token = sign_in(call, client, username)["AccessToken"]
    forgot(call, client, username)
    if by == "user":
        call("ChangePassword", AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword=OTHER_PASSWORD)
    else:
        members = {"UserPoolId": pool_id, "Username": username, "Permanent": True}
        call("AdminSetUserPassword", **members, Password=OTHER_PASSWORD)
    code = inbox(mail)[0].code
    assert recover_refusal(call, client, username, code, "Third-Horse-3") == EXPIRED
    assert sign_in(call, client, username, OTHER_PASSWORD)


@pytest.mark.usefixtures("still_clock")
def test_recovery_lifts_the_lock(call, ann, inbox):
    """Too many wrong passwords lock the sign-in; a recovered password opens it."""
    _, client, username = ann("lock@x.org")
    for _ in range(6):
        sign_in_refusal(call, client, username, "Wrong-Horse-1")
    assert sign_in_refusal(call, client, username) == ("NotAuthorizedException", "Password attempts exceeded")
    forgot(call, client, username)

    recover(call, client, username, inbox("lock@x.org")[-1].code)

    assert sign_in(call, client, username, OTHER_PASSWORD)


def test_states_that_do_not_recover(call, pool, app, user):
    """Invited users have no password to forget."""
    pool_id = pool()
    client = app(pool_id)
    user(pool_id, "new", password=None, email="new@x.org", email_verified="true")

    assert forgot_refusal(call, client, "new") == WRONG_STATE


def test_no_verified_contact(call, pool, app, user):
    """Without a verified contact there is nowhere to send a code: told, or concealed."""
    pool_id = pool()
    user(pool_id, "bob", email="bob@x.org")
    sign_up(call, app(pool_id), "eve", email="eve@x.org")

    assert forgot_refusal(call, app(pool_id), "bob") == NO_CONTACT
    assert forgot_refusal(call, app(pool_id), "eve") == NO_CONTACT
    assert forgot(call, app(pool_id, **HIDING), "bob")["DeliveryMedium"] == "EMAIL"


def test_disabled_users(call, ann):
    """LEGACY tells that a user is disabled; ENABLED does not."""
    pool_id, client, username = ann("off@x.org", client={})
    call("AdminDisableUser", UserPoolId=pool_id, Username=username)

    assert forgot_refusal(call, client, username) == DISABLED
    assert recover_refusal(call, client, username, "123456") == DISABLED


def test_disabled_users_can_be_concealed(call, ann, inbox):
    """A disabled user looks like an unknown one."""
    pool_id, client, username = ann("hidden@x.org", client=HIDING)
    call("AdminDisableUser", UserPoolId=pool_id, Username=username)

    assert recover_refusal(call, client, username, "123456") == EXPIRED
    assert forgot(call, client, username)
    assert recover_refusal(call, client, username, "123456") == MISMATCH
    assert inbox("hidden@x.org") == []


def test_unknown_users_are_told(call, pool, app):
    """LEGACY says that there is no such user."""
    client = app(pool())

    assert forgot_refusal(call, client, "nobody") == NO_COMBINATION
    assert recover_refusal(call, client, "nobody", "123456") == NO_COMBINATION


def test_unknown_users_can_be_concealed(call, pool, app, server):
    """ENABLED answers for a user who is not there as for one who is: sent, then wrong, then late."""
    client = app(pool(), **HIDING)

    assert recover_refusal(call, client, "nobody", "123456") == EXPIRED
    assert forgot(call, client, "nobody") == forgot(call, client, "nobody")
    assert forgot(call, client, "ann@x.org")["Destination"] == "a***@x***"
    assert recover_refusal(call, client, "nobody", "123456") == MISMATCH
    server.clock.advance(3600)
    assert recover_refusal(call, client, "nobody", "123456") == EXPIRED


def test_recovery_can_be_left_to_administrators(call, ann):
    """With admin_only nobody recovers, not even by an administrator's reset."""
    setting = {"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]}
    pool_id, client, username = ann("only@x.org", AccountRecoverySetting=setting)
    refused = ("NotAuthorizedException", "Contact administrator to reset password.")

    assert forgot_refusal(call, client, username) == refused
    assert forgot_refusal(call, client, "nobody") == refused
    assert refusal(call, "AdminResetUserPassword", UserPoolId=pool_id, Username=username) == refused


def test_the_pool_chooses_the_destination(call, ann):
    """The contact of the first priority is used."""
    setting = {
        "RecoveryMechanisms": [
            {"Name": "verified_phone_number", "Priority": 1},
            {"Name": "verified_email", "Priority": 2},
        ]
    }
    pool_id, client, username = ann("prio@x.org", AccountRecoverySetting=setting)
    assert forgot(call, client, username)["AttributeName"] == "email"
    contact = [{"Name": "phone_number", "Value": "+12065550155"}, {"Name": "phone_number_verified", "Value": "true"}]
    call("AdminUpdateUserAttributes", UserPoolId=pool_id, Username=username, UserAttributes=contact)

    assert forgot(call, client, username) == {
        "AttributeName": "phone_number", "DeliveryMedium": "SMS", "Destination": "+*******0155",
    }  # fmt: skip


def test_recovery_confirms(call, pool, app, inbox):
    """Who proves a verified contact needs no other confirmation."""
    pool_id = pool()
    client = app(pool_id)
    sign_up(call, client, "ann", email="unconfirmed@x.org")
    flag = [{"Name": "email_verified", "Value": "true"}]
    call("AdminUpdateUserAttributes", UserPoolId=pool_id, Username="ann", UserAttributes=flag)
    forgot(call, client, "ann")

    recover(call, client, "ann", inbox("unconfirmed@x.org")[-1].code)

    assert status_of(call, pool_id, "ann") == "CONFIRMED"


def test_a_code_to_a_former_address_is_void(call, ann, inbox):
    """After the address has changed the code sent to the old one sets no password."""
    pool_id, client, username = ann("former@x.org")
    forgot(call, client, username)
    contact = [{"Name": "email", "Value": "present@x.org"}, {"Name": "email_verified", "Value": "true"}]
    call("AdminUpdateUserAttributes", UserPoolId=pool_id, Username=username, UserAttributes=contact)

    assert recover_refusal(call, client, username, inbox("former@x.org")[-1].code) == EXPIRED


def test_an_administrator_resets_a_password(call, ann, inbox):
    """The old password is void at once, and the code that is sent sets a new one."""
    pool_id, client, username = ann("reset@x.org")
    members = {"UserPoolId": pool_id, "Username": username}

    assert call("AdminResetUserPassword", **members) == {}

    assert status_of(call, pool_id, username) == "RESET_REQUIRED"
    assert sign_in_refusal(call, client, username) == (
        "PasswordResetRequiredException", "Password reset required for the user",
    )  # fmt: skip
    call("AdminResetUserPassword", **members)
    assert len(inbox("reset@x.org")) == 2
    recover(call, client, username, inbox("reset@x.org")[-1].code)
    assert status_of(call, pool_id, username) == "CONFIRMED"
    assert sign_in(call, client, username, OTHER_PASSWORD)


def test_resets_that_make_no_sense(call, ann, user):
    """Unknown, disabled, invited and unreachable users are not reset."""
    pool_id, _, username = ann("sense-reset@x.org")
    user(pool_id, "new", password=None)
    user(pool_id, "bob")
    call("AdminDisableUser", UserPoolId=pool_id, Username=username)

    def reset_refusal(name):
        return refusal(call, "AdminResetUserPassword", UserPoolId=pool_id, Username=name)

    assert reset_refusal("nobody") == NO_USER
    assert reset_refusal(username) == DISABLED
    assert reset_refusal("new") == WRONG_STATE
    assert reset_refusal("bob") == NO_CONTACT


def test_aliases_recover(call, pool, app, user, inbox):
    """A verified alias stands for the user name in both calls."""
    pool_id = pool(AliasAttributes=["email"])
    client = app(pool_id)
    user(pool_id, "ann", email="by-alias@x.org", email_verified="true")
    forgot(call, client, "by-alias@x.org")

    recover(call, client, "by-alias@x.org", inbox("by-alias@x.org")[-1].code)

    token = sign_in(call, client, "ann", OTHER_PASSWORD)["AccessToken"]
    assert named(call("GetUser", AccessToken=token)["UserAttributes"])["email"] == "by-alias@x.org"
