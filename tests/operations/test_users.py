"""The Admin… operations on one user."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from poolhouse.core.aliases import names_of
from tests.operations.talk import (
    DISABLED,
    LIMIT,
    NO_USER,
    OTHER_PASSWORD,
    PASSWORD,
    WRONG_PASSWORD,
    listed,
    named,
    refusal,
    sign_in,
    sign_in_refusal,
    sign_up,
)

EMAIL_TAKEN = "An account with the given email already exists."
SUPPRESSED = {"MessageAction": "SUPPRESS"}


def create(call, pool_id, username, attributes=None, **members):
    return call(
        "AdminCreateUser",
        UserPoolId=pool_id,
        Username=username,
        UserAttributes=listed(**attributes or {}),
        **members,
    )["User"]


def create_refusal(call, pool_id, username="ann", attributes=None, **members):
    return refusal(
        call,
        "AdminCreateUser",
        UserPoolId=pool_id,
        Username=username,
        UserAttributes=listed(**attributes or {}),
        **members,
    )


def update(call, pool_id, username, **attributes):
    return call("AdminUpdateUserAttributes", UserPoolId=pool_id, Username=username, UserAttributes=listed(**attributes))


def update_refusal(call, pool_id, username, **attributes):
    return refusal(
        call, "AdminUpdateUserAttributes", UserPoolId=pool_id, Username=username, UserAttributes=listed(**attributes)
    )


def shown(call, pool_id, username):
    return call("AdminGetUser", UserPoolId=pool_id, Username=username)


def attributes_of(call, pool_id, username):
    return named(shown(call, pool_id, username)["UserAttributes"])


def age_password(pool_id, username, milliseconds, tx):
    """Make a password older than it is: signed requests do not follow the test's clock."""
    user = tx.users.find_by_username(pool_id, username)
    aged = replace(user.credentials, password_set_at=user.credentials.password_set_at - milliseconds)
    tx.users.save(replace(user, credentials=aged), names_of(tx.catalogue.find_pool(pool_id), user))


# AdminCreateUser


def test_an_administrator_makes_a_user(call, pool):
    """The answer shows the user, waiting for a password of its own."""
    pool_id = pool()
    made = create(call, pool_id, "ann", {"email": "a@x.org"}, **SUPPRESSED)

    assert made["Username"] == "ann"
    assert made["Enabled"] is True
    assert made["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert [attribute["Name"] for attribute in made["Attributes"]] == ["sub", "email"]
    assert made["UserCreateDate"] == made["UserLastModifiedDate"]
    assert abs(made["UserCreateDate"].timestamp() - time.time()) < 60
    found = shown(call, pool_id, "ann")
    assert found["UserAttributes"] == made["Attributes"]
    assert found["UserCreateDate"] == made["UserCreateDate"]


def test_the_invitation_holds_a_password(call, pool, app, inbox):
    """The temporary password that was sent signs in, and asks for another."""
    pool_id = pool()
    create(call, pool_id, "ann", {"email": "invited@x.org"}, DesiredDeliveryMediums=["EMAIL"])
    [message] = inbox("invited@x.org")

    assert message.subject == "Your temporary password"
    answer = call(
        "InitiateAuth",
        ClientId=app(pool_id)["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": message.code},
    )
    assert answer["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


@pytest.mark.parametrize(
    ("attributes", "mediums", "reached"),
    [
        ({"phone_number": "+12065550120", "email": "m1@x.org"}, None, ["+12065550120"]),
        ({"email": "m2@x.org"}, None, ["m2@x.org"]),
        ({"phone_number": "+12065550121", "email": "m3@x.org"}, ["EMAIL"], ["m3@x.org"]),
        ({"phone_number": "+12065550122", "email": "m4@x.org"}, ["EMAIL", "SMS"], ["+12065550122", "m4@x.org"]),
    ],
)
def test_where_the_invitation_goes(call, pool, inbox, attributes, mediums, reached):
    """To the telephone unless told otherwise, to the address where there is no telephone."""
    create(call, pool(), "ann", attributes, **{"DesiredDeliveryMediums": mediums} if mediums else {})

    assert [to for to in attributes.values() if inbox(to)] == reached


def test_an_unreachable_medium_is_refused(call, pool):
    """A medium that was asked for must reach the user, or nobody is made."""
    pool_id = pool()

    assert create_refusal(call, pool_id, DesiredDeliveryMediums=["EMAIL"])[0] == "InvalidParameterException"
    assert refusal(call, "AdminGetUser", UserPoolId=pool_id, Username="ann") == NO_USER
    assert create(call, pool_id, "ann")["UserStatus"] == "FORCE_CHANGE_PASSWORD"


def test_a_suppressed_invitation_is_not_sent(call, pool, inbox):
    """SUPPRESS sends nothing."""
    create(call, pool(), "ann", {"email": "quiet@x.org"}, **SUPPRESSED)

    assert inbox("quiet@x.org") == []


def test_an_invitation_is_sent_again(call, pool, app, inbox, server):
    """RESEND gives a new password and starts its time anew; the old one is void."""
    pool_id = pool()
    client = app(pool_id)
    create(call, pool_id, "ann", {"email": "twice@x.org"})
    server.write(partial(age_password, pool_id, "ann", 8 * 86_400_000))
    old = inbox("twice@x.org")[-1].code
    expired = "Temporary password has expired and must be reset by an administrator."
    assert sign_in_refusal(call, client, "ann", old)[1] == expired

    made = create(call, pool_id, "ann", {"name": "ignored"}, MessageAction="RESEND")

    assert "name" not in named(made["Attributes"])
    new = inbox("twice@x.org")[-1].code
    assert sign_in_refusal(call, client, "ann", old) == WRONG_PASSWORD
    parameters = {"USERNAME": "ann", "PASSWORD": new}
    members = {"ClientId": client["ClientId"], "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
    assert call("InitiateAuth", **members)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_an_invitation_too_many(call, pool, app, inbox, limited):
    """The user is made nevertheless, as where a mail cannot be delivered; asking again leaves the password that was sent."""
    pool_id = pool()
    client, address = app(pool_id), "invited-often@x.org"
    limited("email-destination=1/hour")
    contacts = {"attributes": {"email": address}, "DesiredDeliveryMediums": ["EMAIL"]}
    create(call, pool_id, "ann", **contacts, TemporaryPassword=PASSWORD)
    assert create_refusal(call, pool_id, "bob", **contacts) == LIMIT
    assert call("AdminGetUser", UserPoolId=pool_id, Username="bob")["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    again = {"MessageAction": "RESEND", "TemporaryPassword": OTHER_PASSWORD}
    assert create_refusal(call, pool_id, "ann", **contacts, **again) == LIMIT
    assert len(inbox(address)) == 1
    parameters = {"USERNAME": "ann", "PASSWORD": PASSWORD}
    begun = call("InitiateAuth", ClientId=client["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    assert begun["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_an_invitation_by_one_of_two_ways(call, pool, inbox, limited):
    """What cannot leave by one medium leaves by the other all the same, and the answer tells."""
    limited("sms-pool=1/day")
    number, pool_id = "+15551230199", pool()
    for name in ("ann", "bob"):
        contacts = {"phone_number": number, "email": f"{name}@two-ways.example"}
        members = {"attributes": contacts, "DesiredDeliveryMediums": ["SMS", "EMAIL"]}
        if name == "ann":
            create(call, pool_id, name, **members)
        else:
            assert create_refusal(call, pool_id, name, **members) == LIMIT
        assert len(inbox(f"{name}@two-ways.example")) == 1
    assert len(inbox(number)) == 1


def test_invitations_that_cannot_be_sent_again(call, pool, user):
    """Only users who still have to choose a password are invited again."""
    pool_id = pool()
    user(pool_id, "ann")

    assert create_refusal(call, pool_id, MessageAction="RESEND") == (
        "UnsupportedUserStateException", "Resend not possible. ann status is not FORCE_CHANGE_PASSWORD",
    )  # fmt: skip
    assert create_refusal(call, pool_id, "nobody", MessageAction="RESEND") == NO_USER


def test_taken_names(call, pool):
    """A name, a sub and a user-name attribute belong to one user."""
    plain, by_email = pool(), pool(UsernameAttributes=["email"])
    sub = create(call, plain, "ann", **SUPPRESSED)["Attributes"][0]["Value"]
    made = create(call, by_email, "a@x.org", **SUPPRESSED)

    taken = ("UsernameExistsException", "User account already exists")
    assert create_refusal(call, plain) == taken
    assert create_refusal(call, plain, sub) == taken
    assert made["Username"] == named(made["Attributes"])["sub"]
    assert create_refusal(call, by_email, "a@x.org") == ("UsernameExistsException", EMAIL_TAKEN)
    assert create_refusal(call, by_email, "ann") == ("InvalidParameterException", "Username should be an email.")


def test_temporary_passwords_meet_the_policy(call, pool):
    """A given one is checked with the wording of sign-up."""
    assert create_refusal(call, pool(), TemporaryPassword="abcdef1!") == (
        "InvalidPasswordException",
        "Password did not conform with policy: Password must have uppercase characters",
    )


def test_a_given_temporary_password_is_used(call, pool, app):
    """It signs in until its days are over."""
    pool_id = pool()
    create(call, pool_id, "ann", TemporaryPassword=PASSWORD, **SUPPRESSED)
    parameters = {"USERNAME": "ann", "PASSWORD": PASSWORD}
    members = {"ClientId": app(pool_id)["ClientId"], "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}

    assert call("InitiateAuth", **members)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_passwordless_users_are_confirmed(call, pool, inbox):
    """Where codes are a first factor a user needs no password, so there is none to send."""
    policy = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}

    made = create(call, pool(Policies=policy), "ann", {"email": "no-password@x.org"})

    assert made["UserStatus"] == "CONFIRMED"
    assert inbox("no-password@x.org") == []


def test_the_schema_holds_for_administrators(call, pool):
    """Required attributes may be missing; unknown and malformed ones are refused."""
    pool_id = pool(Schema=[{"Name": "given_name", "Required": True}])

    assert create(call, pool_id, "ann", **SUPPRESSED)["Username"] == "ann"
    assert create_refusal(call, pool_id, "bob", {"custom_x": "1"})[1] == (
        "Attributes did not conform to the schema: custom:x: Attribute does not exist in the schema.\n"
    )
    assert create_refusal(call, pool_id, "bob", {"email": "x"})[1] == "Invalid email address format."
    assert create_refusal(call, pool_id, "bob", {"email_verified": "true"})[0] == "InvalidParameterException"


def test_a_verified_alias_moves_only_by_force(call, pool):
    """A new user takes a verified alias only with ForceAliasCreation."""
    pool_id = pool(AliasAttributes=["email"])
    verified = {"email": "one@x.org", "email_verified": "true"}
    create(call, pool_id, "ann", verified, **SUPPRESSED)

    assert create_refusal(call, pool_id, "bob", verified, **SUPPRESSED) == ("AliasExistsException", EMAIL_TAKEN)
    create(call, pool_id, "bob", verified, ForceAliasCreation=True, **SUPPRESSED)
    assert shown(call, pool_id, "one@x.org")["Username"] == "bob"
    assert attributes_of(call, pool_id, "ann")["email_verified"] == "false"
    create(call, pool_id, "eve", {"email": "one@x.org"}, **SUPPRESSED)


def test_creation_consults_the_trigger(call, pool):
    """PreSignUp runs for administrators too."""
    pool_id = pool(LambdaConfig={"PreSignUp": "arn:aws:lambda:us-east-1:123456789012:function:f"})

    assert create_refusal(call, pool_id)[0] == "UnexpectedLambdaException"


# AdminGetUser


def test_a_user_is_found_by_every_name(call, pool):
    """By user name, sub and verified alias; the answer has the real name."""
    pool_id = pool(AliasAttributes=["email", "phone_number", "preferred_username"])
    attributes = {
        "email": "all@x.org", "email_verified": "true", "preferred_username": "annie", "phone_number": "+12065550130",
    }  # fmt: skip
    made = create(call, pool_id, "ann", attributes, **SUPPRESSED)

    for name in ("ann", named(made["Attributes"])["sub"], "all@x.org", "annie"):
        assert shown(call, pool_id, name)["Username"] == "ann"
    assert refusal(call, "AdminGetUser", UserPoolId=pool_id, Username="+12065550130") == NO_USER
    assert refusal(call, "AdminGetUser", UserPoolId=pool_id, Username="Ann") == NO_USER


def test_users_of_other_pools_are_not_found(call, pool, user):
    """A user belongs to one pool, a pool to one Region."""
    pool_id, other = pool(), pool()
    user(pool_id, "ann")

    assert refusal(call, "AdminGetUser", UserPoolId=other, Username="ann") == NO_USER
    assert refusal(call, "AdminGetUser", UserPoolId="us-east-1_nothing00", Username="ann") == (
        "ResourceNotFoundException", "User pool us-east-1_nothing00 does not exist.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("AdminGetUser", {}),
        ("AdminConfirmSignUp", {}),
        ("AdminSetUserPassword", {"Password": PASSWORD}),
        ("AdminResetUserPassword", {}),
        ("AdminUpdateUserAttributes", {"UserAttributes": listed(name="A")}),
        ("AdminDeleteUserAttributes", {"UserAttributeNames": ["name"]}),
        ("AdminEnableUser", {}),
        ("AdminDisableUser", {}),
        ("AdminDeleteUser", {}),
        ("AdminUserGlobalSignOut", {}),
    ],
)
def test_unknown_users_and_pools(call, pool, operation, members):
    """Every operation on one user names what is missing."""
    assert refusal(call, operation, UserPoolId=pool(), Username="nobody", **members) == NO_USER
    assert refusal(call, operation, UserPoolId="us-east-1_nothing00", Username="nobody", **members) == (
        "ResourceNotFoundException", "User pool us-east-1_nothing00 does not exist.",
    )  # fmt: skip


# AdminSetUserPassword


def test_a_permanent_password(call, pool, app):
    """It confirms users of every status."""
    pool_id = pool()
    client = app(pool_id)
    sign_up(call, client, "unconfirmed")
    create(call, pool_id, "invited", **SUPPRESSED)

    for username in ("unconfirmed", "invited"):
        members = {"UserPoolId": pool_id, "Username": username, "Password": OTHER_PASSWORD, "Permanent": True}
        assert call("AdminSetUserPassword", **members) == {}
        assert shown(call, pool_id, username)["UserStatus"] == "CONFIRMED"
        assert sign_in(call, client, username, OTHER_PASSWORD)


def test_a_temporary_password(call, pool, app, user, server):
    """It has to be replaced at the next sign-in, within its days."""
    pool_id = pool()
    client = app(pool_id)
    user(pool_id, "ann")
    call("AdminSetUserPassword", UserPoolId=pool_id, Username="ann", Password=OTHER_PASSWORD)

    assert shown(call, pool_id, "ann")["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert sign_in_refusal(call, client, "ann") == WRONG_PASSWORD
    server.clock.advance(7 * 86400)
    assert sign_in_refusal(call, client, "ann", OTHER_PASSWORD) == (
        "NotAuthorizedException", "Temporary password has expired and must be reset by an administrator.",
    )  # fmt: skip


def test_set_passwords_meet_policy_and_history(call, pool, user):
    """Administrators are held to both."""
    policy = {"PasswordPolicy": {"MinimumLength": 8, "PasswordHistorySize": 2}}
    pool_id = pool(Policies=policy)
    user(pool_id, "ann")
    members = {"UserPoolId": pool_id, "Username": "ann", "Permanent": True}

    assert refusal(call, "AdminSetUserPassword", **members, Password="short") == (
        "InvalidPasswordException", "Password does not conform to policy: Password not long enough",
    )  # fmt: skip
    used = ("PasswordHistoryPolicyViolationException", "Password has previously been used")
    assert refusal(call, "AdminSetUserPassword", **members, Password=PASSWORD) == used
    call("AdminSetUserPassword", **members, Password=OTHER_PASSWORD)
    assert refusal(call, "AdminSetUserPassword", **members, Password=PASSWORD) == used
    call("AdminSetUserPassword", **members, Password="Third-Password-3")
    call("AdminSetUserPassword", **members, Password=PASSWORD)


def test_setting_a_password_keeps_tokens(call, pool, app, user):
    """Tokens stay valid, and disabled users can be given a password."""
    pool_id = pool()
    client = app(pool_id)
    user(pool_id, "ann")
    token = sign_in(call, client, "ann")["AccessToken"]
    members = {"UserPoolId": pool_id, "Username": "ann", "Password": OTHER_PASSWORD, "Permanent": True}

    call("AdminSetUserPassword", **members)
    assert call("GetUser", AccessToken=token)["Username"] == "ann"
    call("AdminDisableUser", UserPoolId=pool_id, Username="ann")
    call("AdminSetUserPassword", **members)


# Attributes


def test_administrators_write_what_users_may_not(call, pool, app, user, inbox):
    """Client permissions do not count, verified flags are writable, and nothing is sent with them."""
    pool_id = pool(AutoVerifiedAttributes=["email"], Schema=[
        {"Name": "grade", "AttributeDataType": "String", "DeveloperOnlyAttribute": True},
    ])  # fmt: skip
    app(pool_id, WriteAttributes=["name"])
    user(pool_id, "ann")
    before = shown(call, pool_id, "ann")["UserLastModifiedDate"]
    time.sleep(0.01)

    assert update(call, pool_id, "ann", email="w@x.org", email_verified="True", nickname="An") == {}
    update(call, pool_id, "ann", **{"dev:grade": "1"})

    attributes = attributes_of(call, pool_id, "ann")
    assert attributes["email_verified"] == "true"
    assert attributes["nickname"] == "An"
    assert attributes["dev:custom:grade"] == "1"
    assert inbox("w@x.org") == []
    assert shown(call, pool_id, "ann")["UserLastModifiedDate"] > before


def test_an_unverified_change_is_to_be_verified(call, pool, user, inbox):
    """Without the flag a new address is unverified, and gets a code where the pool verifies it."""
    pool_id = pool(AutoVerifiedAttributes=["email"])
    user(pool_id, "ann", email="old@x.org", email_verified="true")

    update(call, pool_id, "ann", email="code@x.org")

    assert attributes_of(call, pool_id, "ann")["email_verified"] == "false"
    assert len(inbox("code@x.org")) == 1


def test_updates_that_are_refused(call, pool, user):
    """Immutable, unknown, malformed and null attributes."""
    pool_id = pool(Schema=[
        {"Name": "role", "AttributeDataType": "String", "Mutable": False},
        {"Name": "given_name", "Required": True},
    ])  # fmt: skip
    user(pool_id, "ann", given_name="Ann")

    def text(**attributes):
        code, message = update_refusal(call, pool_id, "ann", **attributes)
        assert code == "InvalidParameterException"
        return message

    assert text(custom_role="x") == "user.custom:role: Attribute cannot be updated.\n"
    assert text(sub="x") == "user.sub: Attribute cannot be updated.\n"
    assert text(custom_x="x") == "user.custom:x: Attribute does not exist in the schema.\n"
    assert text(email="x") == "Invalid email address format."
    assert text(given_name="") == "Invalid user attributes: given_name: Required attribute cannot be deleted.\n"
    assert refusal(
        call, "AdminUpdateUserAttributes", UserPoolId=pool_id, Username="ann", UserAttributes=[{"Name": "picture"}]
    ) == ("InvalidParameterException", "Attribute value for picture must not be null")


def test_names_cannot_be_taken_by_an_update(call, pool):
    """A user-name attribute, an alias and a preferred user name belong to one user."""
    by_email, aliases = pool(UsernameAttributes=["email"]), pool(AliasAttributes=["email", "preferred_username"])
    for name in ("a@x.org", "b@x.org"):
        create(call, by_email, name, **SUPPRESSED)
    create(
        call,
        aliases,
        "ann",
        {"email": "a@x.org", "email_verified": "true", "preferred_username": "annie"},
        **SUPPRESSED,
    )
    create(call, aliases, "bob", **SUPPRESSED)

    clash = ("AliasExistsException", EMAIL_TAKEN)
    assert update_refusal(call, by_email, "b@x.org", email="a@x.org") == clash
    assert update_refusal(call, aliases, "bob", email="a@x.org", email_verified="true") == clash
    update(call, aliases, "bob", email="a@x.org")
    clash = ("AliasExistsException", "An account with the given preferred_username already exists.")
    assert update_refusal(call, aliases, "bob", preferred_username="annie") == clash
    assert update_refusal(call, aliases, "bob", preferred_username="ann") == clash


def test_attributes_are_deleted(call, pool, user):
    """An address goes with its verification; what is not there may go too."""
    pool_id = pool()
    user(pool_id, "ann", email="gone@x.org", email_verified="true", name="Ann", nickname="An")
    update(call, pool_id, "ann", nickname="")

    members = {"UserPoolId": pool_id, "Username": "ann", "UserAttributeNames": ["email", "picture"]}
    assert call("AdminDeleteUserAttributes", **members) == {}

    assert attributes_of(call, pool_id, "ann").keys() == {"sub", "name"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("custom:foo", "Invalid user attributes: user.custom:foo: Attribute does not exist in the schema.\n"),
        ("given_name", "Invalid user attributes: given_name: Required attribute cannot be deleted.\n"),
        ("sub", "Invalid user attributes: sub: Required attribute cannot be deleted.\n"),
    ],
)
def test_deletions_that_are_refused(call, pool, user, name, text):
    """Unknown and required attributes."""
    pool_id = pool(Schema=[{"Name": "given_name", "Required": True}])
    user(pool_id, "ann", given_name="Ann")

    members = {"UserPoolId": pool_id, "Username": "ann", "UserAttributeNames": [name]}
    assert refusal(call, "AdminDeleteUserAttributes", **members) == ("InvalidParameterException", text)


# Enabling, signing out, deleting


def test_a_disabled_user_is_locked_out_at_once(call, pool, app, user):
    """Every token is revoked and stays so; enabling lets the user sign in again."""
    pool_id = pool()
    client = app(pool_id)
    user(pool_id, "ann")
    tokens = sign_in(call, client, "ann")
    members = {"UserPoolId": pool_id, "Username": "ann"}

    for _ in range(2):
        assert call("AdminDisableUser", **members) == {}
    assert shown(call, pool_id, "ann")["Enabled"] is False
    assert refusal(call, "GetUser", AccessToken=tokens["AccessToken"])[0] == "NotAuthorizedException"
    assert sign_in_refusal(call, client, "ann") == DISABLED
    for _ in range(2):
        assert call("AdminEnableUser", **members) == {}
    assert shown(call, pool_id, "ann")["Enabled"] is True
    assert refusal(call, "GetUser", AccessToken=tokens["AccessToken"]) == (
        "NotAuthorizedException", "Access Token has been revoked",
    )  # fmt: skip
    assert sign_in(call, client, "ann")


def test_signing_out_everywhere(call, pool, app, user):
    """Access and refresh tokens of before are void."""
    pool_id = pool()
    client = app(pool_id)
    user(pool_id, "ann")
    tokens = sign_in(call, client, "ann")

    assert call("AdminUserGlobalSignOut", UserPoolId=pool_id, Username="ann") == {}

    assert refusal(call, "GetUser", AccessToken=tokens["AccessToken"]) == (
        "NotAuthorizedException", "Access Token has been revoked",
    )  # fmt: skip
    members = {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": tokens["RefreshToken"]}}
    assert refusal(call, "InitiateAuth", ClientId=client["ClientId"], **members)[0] == "NotAuthorizedException"


def test_a_deleted_name_is_free_again(call, pool, app):
    """Deleting needs no disabling; a new user of the name has another sub, and old tokens are nobody's."""
    pool_id = pool(UsernameAttributes=["email"])
    client = app(pool_id)
    first = create(call, pool_id, "d@x.org", **SUPPRESSED)["Username"]
    members = {"UserPoolId": pool_id, "Username": "d@x.org"}
    call("AdminSetUserPassword", **members, Password=PASSWORD, Permanent=True)
    token = sign_in(call, client, "d@x.org")["AccessToken"]

    assert call("AdminDeleteUser", **members) == {}

    assert refusal(call, "GetUser", AccessToken=token) == NO_USER
    assert refusal(call, "AdminGetUser", **members) == NO_USER
    assert create(call, pool_id, "d@x.org", **SUPPRESSED)["Username"] != first


def test_simultaneous_updates_lose_nothing(call, pool, user):
    """Updates of one user at the same time either count or are refused for being simultaneous."""
    pool_id = pool(Schema=[{"Name": f"n{number}", "AttributeDataType": "String"} for number in range(8)])
    user(pool_id, "ann")

    def attempt(number):
        try:
            update(call, pool_id, "ann", **{f"custom_n{number}": "x"})
        except ClientError as error:
            return error.response["Error"]["Code"]
        return number

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(attempt, range(8)))

    written = {answer for answer in answers if isinstance(answer, int)}
    assert written
    assert set(answers) - written <= {"ConcurrentModificationException"}
    assert {f"custom:n{number}" for number in written} <= attributes_of(call, pool_id, "ann").keys()


def test_nobody_signs_up_under_the_sub_of_another(call, pool, app, user):
    """A ``sub`` in other letters is no free name where case does not matter: who had it would be found for its owner."""
    pool_id = pool(UsernameConfiguration={"CaseSensitive": False})
    user(pool_id, "ann")
    sub = named(shown(call, pool_id, "ann")["UserAttributes"])["sub"]
    client = app(pool_id)["ClientId"]
    for name in (sub, sub.upper()):
        taken = refusal(call, "SignUp", ClientId=client, Username=name, Password=PASSWORD)
        assert taken == ("UsernameExistsException", "User already exists")
        assert shown(call, pool_id, name)["Username"] == "ann"
