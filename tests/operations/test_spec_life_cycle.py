"""Dates of users, and codes and aliases whose user or address goes (spec/api/03 §6, §7, §10)."""

import pytest

from tests.operations.talk import (
    EXPIRED,
    MISMATCH,
    NO_COMBINATION,
    NO_USER,
    OTHER_PASSWORD,
    confirm,
    listed,
    named,
    refusal,
    shown,
    sign_in,
    sign_in_refusal,
    sign_up,
)

VERIFYING = {"AutoVerifiedAttributes": ["email"]}


# Dates


def test_dates(call, pool, app, inbox, server):
    """spec/api/01 §2.5, 03 §1.1: equal at creation; every change moves the later one on, a sign-in does not."""
    pool_id = pool(**VERIFYING)
    client = app(pool_id)
    sign_up(call, client, "ann", email="dates@x.org")
    seen = shown(call, pool_id, "ann")
    created = seen["UserCreateDate"]
    assert seen["UserLastModifiedDate"] == created
    ann = {"UserPoolId": pool_id, "Username": "ann"}

    def moves(change):
        before = shown(call, pool_id, "ann")["UserLastModifiedDate"]
        server.clock.advance(2)
        change()
        after = shown(call, pool_id, "ann")
        assert after["UserCreateDate"] == created
        return after["UserLastModifiedDate"] > before

    assert moves(lambda: confirm(call, client, "ann", inbox("dates@x.org")[-1].code))
    assert not moves(lambda: sign_in(call, client, "ann"))
    assert not moves(lambda: call("ForgotPassword", ClientId=client["ClientId"], Username="ann"))
    assert moves(lambda: call("AdminUpdateUserAttributes", **ann, UserAttributes=listed(name="Ann")))
    assert moves(lambda: call("AdminDeleteUserAttributes", **ann, UserAttributeNames=["name"]))
    assert moves(lambda: call("AdminSetUserPassword", **ann, Password=OTHER_PASSWORD, Permanent=True))
    assert moves(lambda: call("AdminDisableUser", **ann))
    assert not moves(lambda: call("AdminDisableUser", **ann))
    assert moves(lambda: call("AdminEnableUser", **ann))
    assert moves(lambda: call("AdminResetUserPassword", **ann))
    listed_date = call("ListUsers", UserPoolId=pool_id)["Users"][0]["UserLastModifiedDate"]
    assert listed_date == shown(call, pool_id, "ann")["UserLastModifiedDate"]


# Codes whose user goes, or whose address does


def test_a_user_deleted_while_codes_are_pending(call, pool, app, inbox):
    """spec/api/03 §10: the codes go too, and are worth nothing to the next user of the name, who has a new sub."""
    pool_id = pool(**VERIFYING)
    client = app(pool_id)
    first = sign_up(call, client, "ann", email="pending@x.org")["UserSub"]
    old = inbox("pending@x.org")[-1].code
    call("AdminDeleteUser", UserPoolId=pool_id, Username="ann")
    members = {"ClientId": client["ClientId"], "Username": "ann", "ConfirmationCode": old}
    assert refusal(call, "ConfirmSignUp", **members) == NO_COMBINATION

    second = sign_up(call, client, "ann", email="pending-2@x.org")["UserSub"]
    assert second != first
    if old != inbox("pending-2@x.org")[-1].code:
        assert refusal(call, "ConfirmSignUp", **members) == MISMATCH
    confirm(call, client, "ann", inbox("pending-2@x.org")[-1].code)
    assert named(shown(call, pool_id, "ann")["UserAttributes"])["sub"] == second
    assert refusal(call, "AdminGetUser", UserPoolId=pool_id, Username=first) == NO_USER


def test_a_recovery_code_of_a_deleted_user(call, pool, app, user, inbox):
    """spec/api/03 §10: a code of the former user of a name sets no password of the present one."""
    pool_id = pool()
    client = app(pool_id)
    user(pool_id, "ann", email="former-ann@x.org", email_verified="true")
    call("ForgotPassword", ClientId=client["ClientId"], Username="ann")
    code = inbox("former-ann@x.org")[-1].code
    token = sign_in(call, client, "ann")["AccessToken"]
    call("AdminDeleteUser", UserPoolId=pool_id, Username="ann")
    user(pool_id, "ann", email="other-ann@x.org", email_verified="true")

    members = {"ClientId": client["ClientId"], "Username": "ann", "ConfirmationCode": code, "Password": OTHER_PASSWORD}
    assert refusal(call, "ConfirmForgotPassword", **members) == EXPIRED
    assert refusal(call, "GetUser", AccessToken=token) == NO_USER
    assert sign_in(call, client, "ann")


def test_a_code_sent_before_an_address_changed(call, pool, app, inbox):
    """spec/api/03 §6: the code confirms the user still, but verifies only the address that it was sent to."""
    pool_id = pool(**VERIFYING)
    client = app(pool_id)
    sign_up(call, client, "ann", email="early@x.org")
    changed = listed(email="later@x.org")
    call("AdminUpdateUserAttributes", UserPoolId=pool_id, Username="ann", UserAttributes=changed)

    confirm(call, client, "ann", inbox("early@x.org")[-1].code)

    seen = shown(call, pool_id, "ann")
    assert seen["UserStatus"] == "CONFIRMED"
    attributes = named(seen["UserAttributes"])
    assert (attributes["email"], attributes["email_verified"]) == ("later@x.org", "false")


@pytest.mark.parametrize("ending", ["taken", "unverified", "deleted"])
def test_a_recovery_code_to_an_address_lost(call, pool, app, user, inbox, ending):
    """spec/api/03 §6–7: an alias that moved, or counts as verified no more, recovers its former owner no more."""
    pool_id = pool(AliasAttributes=["email"])
    client = app(pool_id)
    address = f"lost-{ending}@x.org"
    user(pool_id, "ann", email=address, email_verified="true")
    call("ForgotPassword", ClientId=client["ClientId"], Username="ann")
    ann = {"UserPoolId": pool_id, "Username": "ann"}
    if ending == "taken":
        verified = listed(email=address, email_verified="true")
        members = {"UserPoolId": pool_id, "Username": "bob", "UserAttributes": verified, "MessageAction": "SUPPRESS"}
        call("AdminCreateUser", **members, ForceAliasCreation=True)
    elif ending == "unverified":
        call("AdminUpdateUserAttributes", **ann, UserAttributes=listed(email_verified="false"))
    else:
        call("AdminDeleteUserAttributes", **ann, UserAttributeNames=["email"])

    members = {"ClientId": client["ClientId"], "Username": "ann", "Password": OTHER_PASSWORD}
    code = inbox(address)[-1].code
    assert refusal(call, "ConfirmForgotPassword", **members, ConfirmationCode=code) == EXPIRED
    assert sign_in(call, client, "ann")
    assert named(shown(call, pool_id, "ann")["UserAttributes"]).get("email_verified") in {"false", None}


def test_a_recovery_code_outlives_other_changes(call, pool, app, user, inbox):
    """spec/api/03 §7.3: what happens to the other contact, or to the name, does not void a code."""
    pool_id = pool()
    client = app(pool_id)
    user(pool_id, "ann", email="kept@x.org", email_verified="true", phone_number="+12025550111")
    call("ForgotPassword", ClientId=client["ClientId"], Username="ann")
    changes = listed(phone_number="+12025550112", phone_number_verified="true", name="Ann")
    call("AdminUpdateUserAttributes", UserPoolId=pool_id, Username="ann", UserAttributes=changes)

    code = inbox("kept@x.org")[-1].code
    members = {"ClientId": client["ClientId"], "Username": "ann", "Password": OTHER_PASSWORD}
    call("ConfirmForgotPassword", **members, ConfirmationCode=code)
    assert sign_in(call, client, "ann", OTHER_PASSWORD)


# Aliases that move


def test_an_alias_taken_by_force(call, pool, app, user, inbox):
    """spec/api/03 §6: the former owner keeps the address, unverified, and the name; the alias means the new owner."""
    pool_id = pool(AliasAttributes=["email"], **VERIFYING)
    client = app(pool_id)
    user(pool_id, "ann", email="moved@x.org", email_verified="true")
    before = shown(call, pool_id, "moved@x.org")
    assert before["Username"] == "ann"
    sign_up(call, client, "bob", email="moved@x.org")
    code = inbox("moved@x.org")[-1].code
    members = {"ClientId": client["ClientId"], "Username": "bob", "ConfirmationCode": code}
    clash = ("AliasExistsException", "An account with the email already exists.")
    assert refusal(call, "ConfirmSignUp", **members) == clash
    assert refusal(call, "ConfirmSignUp", **members, ForceAliasCreation=False) == clash
    assert sign_in_refusal(call, client, "bob")[0] == "UserNotConfirmedException"

    call("ConfirmSignUp", **members, ForceAliasCreation=True)

    assert shown(call, pool_id, "moved@x.org")["Username"] == "bob"
    ann = shown(call, pool_id, "ann")
    assert named(ann["UserAttributes"])["email_verified"] == "false"
    assert ann["UserLastModifiedDate"] >= before["UserLastModifiedDate"]
    assert sign_in(call, client, "ann")
    found = call("ListUsers", UserPoolId=pool_id, Filter='email = "moved@x.org"')["Users"]
    assert [it["Username"] for it in found] == ["ann", "bob"]
    told = refusal(call, "ForgotPassword", ClientId=client["ClientId"], Username="ann")
    assert told[1].startswith("Cannot reset password for the user as there is no registered/verified")


def test_user_name_attributes_never_move(call, pool, user):
    """spec/api/03 §8.5: ForceAliasCreation does not take a sign-in name that is nobody's alias."""
    pool_id = pool(UsernameAttributes=["email"])
    user(pool_id, "owner@x.org", email_verified="true")
    verified = listed(email="owner@x.org", email_verified="true")
    members = {"UserPoolId": pool_id, "Username": "owner@x.org", "UserAttributes": verified}
    told = ("UsernameExistsException", "An account with the given email already exists.")
    assert refusal(call, "AdminCreateUser", **members, ForceAliasCreation=True) == told


def test_force_needs_a_verified_flag(call, pool, user):
    """spec/api/03 §8.5: an address that is not verified takes no alias, with or without force."""
    pool_id = pool(AliasAttributes=["email"])
    user(pool_id, "ann", email="unforced@x.org", email_verified="true")
    members = {"UserPoolId": pool_id, "Username": "bob", "UserAttributes": listed(email="unforced@x.org")}
    call("AdminCreateUser", **members, ForceAliasCreation=True, MessageAction="SUPPRESS")
    assert shown(call, pool_id, "unforced@x.org")["Username"] == "ann"
    assert named(shown(call, pool_id, "ann")["UserAttributes"])["email_verified"] == "true"


def test_preferred_names(call, pool, app):
    """spec/api/03 §5.2, §9.1: an alias for confirmed users only; nobody's user name, nor another's preferred one."""
    pool_id = pool(AliasAttributes=["preferred_username"])
    sign_up(call, app(pool_id), "ann")
    preferred = listed(preferred_username="annie")
    ann = {"UserPoolId": pool_id, "Username": "ann"}
    early = (
        "InvalidParameterException",
        "Preferred username can't be provided while the account is not confirmed",
    )
    assert refusal(call, "AdminUpdateUserAttributes", **ann, UserAttributes=preferred) == early
    call("AdminConfirmSignUp", **ann)
    call("AdminUpdateUserAttributes", **ann, UserAttributes=preferred)
    assert shown(call, pool_id, "annie")["Username"] == "ann"
    clash = ("AliasExistsException", "An account with the given preferred_username already exists.")
    for name in ("ann", "annie"):
        members = {"UserPoolId": pool_id, "Username": "bob", "UserAttributes": listed(preferred_username=name)}
        assert refusal(call, "AdminCreateUser", **members) == clash
