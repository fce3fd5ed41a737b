"""What signed-in users do to themselves."""

import pytest

from tests.operations.talk import (
    EXPIRED,
    LIMIT,
    MISMATCH,
    NO_USER,
    OTHER_PASSWORD,
    PASSWORD,
    WRONG_PASSWORD,
    listed,
    named,
    other,
    refusal,
    sign_in,
    sign_in_refusal,
)

EMAIL_TAKEN = ("AliasExistsException", "An account with the given email already exists.")
UNAUTHORIZED = ("NotAuthorizedException", "A client attempted to write unauthorized attribute")
WAITING = {
    "AutoVerifiedAttributes": ["email"],
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
}


class Ann:
    """A signed-in user."""

    def __init__(self, call, client, pool_id, username):
        self.call, self.client, self.pool_id, self.username = call, client, pool_id, username
        self.token = sign_in(call, client, username)["AccessToken"]

    def does(self, operation, **members):
        return self.call(operation, AccessToken=self.token, **members)

    def may_not(self, operation, **members):
        return refusal(self.call, operation, AccessToken=self.token, **members)

    def writes(self, **attributes):
        return self.does("UpdateUserAttributes", UserAttributes=listed(**attributes))["CodeDeliveryDetailsList"]

    def may_not_write(self, **attributes):
        return self.may_not("UpdateUserAttributes", UserAttributes=listed(**attributes))

    @property
    def attributes(self):
        return named(self.does("GetUser")["UserAttributes"])


@pytest.fixture
def ann(call, pool, app, user):
    """A signed-in user of a new pool."""

    def make(client=None, attributes=None, **settings):
        pool_id = pool(**settings)
        username = user(pool_id, "ann" if "UsernameAttributes" not in settings else "ann@x.org", **attributes or {})
        return Ann(call, app(pool_id, **client or {}), pool_id, username)

    return make


# GetUser, DeleteUser, GlobalSignOut


def test_users_see_themselves(ann):
    """Name and attributes, sub first; no dates and no status."""
    me = ann(attributes={"email": "a@x.org", "name": "Ann"})
    shown = me.does("GetUser")

    assert shown.keys() == {"Username", "UserAttributes"}
    assert shown["Username"] == "ann"
    assert [attribute["Name"] for attribute in shown["UserAttributes"]] == ["sub", "email", "name"]


def test_clients_limit_what_is_seen(ann):
    """Only readable attributes are shown, and sub always."""
    me = ann(client={"ReadAttributes": ["email"]}, attributes={"email": "a@x.org", "name": "Ann"})

    assert me.attributes.keys() == {"sub", "email"}


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("GetUser", {}),
        ("UpdateUserAttributes", {"UserAttributes": listed(name="A")}),
        ("DeleteUserAttributes", {"UserAttributeNames": ["name"]}),
        ("GetUserAttributeVerificationCode", {"AttributeName": "email"}),
        ("VerifyUserAttribute", {"AttributeName": "email", "Code": "123456"}),
        ("DeleteUser", {}),
        ("GlobalSignOut", {}),
        ("ChangePassword", {"PreviousPassword": PASSWORD, "ProposedPassword": OTHER_PASSWORD}),
    ],
)
def test_a_token_is_needed(call, ann, operation, members):
    """Made-up tokens, and those of before a sign-out, open nothing."""
    invalid = ("NotAuthorizedException", "Invalid Access Token")
    assert refusal(call, operation, AccessToken="made.up.token", **members) == invalid
    me = ann()
    me.does("GlobalSignOut")
    assert me.may_not(operation, **members) == ("NotAuthorizedException", "Access Token has been revoked")


def test_users_delete_themselves(call, ann):
    """Afterwards there is no such user, also for the token."""
    me = ann()

    assert me.does("DeleteUser") == {}

    assert me.may_not("GetUser") == NO_USER
    assert refusal(call, "AdminGetUser", UserPoolId=me.pool_id, Username="ann") == NO_USER
    assert sign_in_refusal(call, me.client, "ann") == NO_USER


def test_signing_out_ends_every_session(call, ann):
    """All sessions of the user end, not only the one that asks."""
    me, elsewhere = ann(), None
    elsewhere = Ann(call, me.client, me.pool_id, "ann")

    assert me.does("GlobalSignOut") == {}

    assert elsewhere.may_not("GetUser") == ("NotAuthorizedException", "Access Token has been revoked")
    assert Ann(call, me.client, me.pool_id, "ann").attributes


# UpdateUserAttributes, DeleteUserAttributes


def test_users_write_attributes(ann):
    """Plain attributes change without further ado; blank ones go."""
    me = ann(attributes={"nickname": "An"})

    assert me.writes(name="Ann", nickname="") == []
    assert me.attributes.keys() == {"sub", "name"}


@pytest.mark.parametrize("name", ["email_verified", "phone_number_verified", "sub", "identities", "dev:grade"])
def test_users_do_not_write_what_is_not_theirs(ann, name):
    """Nobody verifies themselves."""
    assert ann(attributes={"email": "a@x.org"}).may_not_write(**{name: "true"}) == UNAUTHORIZED


def test_clients_limit_what_is_written(ann):
    """Attributes outside the client's list are neither written nor deleted."""
    me = ann(client={"WriteAttributes": ["name"]})

    assert me.may_not_write(nickname="A") == UNAUTHORIZED
    assert me.may_not("DeleteUserAttributes", UserAttributeNames=["nickname"]) == UNAUTHORIZED
    assert me.writes(name="Ann") == []


def test_writes_that_are_refused(ann):
    """Immutable, unknown, malformed, null and required attributes have their texts."""
    me = ann(attributes={"given_name": "Ann"}, Schema=[
        {"Name": "role", "AttributeDataType": "String", "Mutable": False},
        {"Name": "given_name", "Required": True},
    ])  # fmt: skip
    texts = {
        "custom_role": "user.custom:role: Attribute cannot be updated.\n",
        "custom_x": "user.custom:x: Attribute does not exist in the schema.\n",
        "email": "Invalid email address format.",
        "phone_number": "Invalid phone number format.",
    }

    for name, text in texts.items():
        assert me.may_not_write(**{name: "x"}) == ("InvalidParameterException", text)
    required = "Invalid user attributes: given_name: Required attribute cannot be deleted.\n"
    assert me.may_not_write(given_name="") == ("InvalidParameterException", required)
    assert me.may_not("UpdateUserAttributes", UserAttributes=[{"Name": "picture"}])[1] == (
        "Attribute value for picture must not be null"
    )
    assert me.may_not("DeleteUserAttributes", UserAttributeNames=["given_name"])[1] == required
    assert me.may_not("DeleteUserAttributes", UserAttributeNames=["custom:foo"])[1] == (
        "Invalid user attributes: user.custom:foo: Attribute does not exist in the schema.\n"
    )


def test_users_delete_attributes(ann):
    """Also ones that they have not."""
    me = ann(attributes={"name": "Ann", "email": "a@x.org", "email_verified": "true"})

    assert me.does("DeleteUserAttributes", UserAttributeNames=["email", "nickname"]) == {}
    assert me.attributes.keys() == {"sub", "name"}


def test_a_new_address_is_unverified(ann):
    """Without auto-verification nothing is sent."""
    me = ann(attributes={"email": "old@x.org", "email_verified": "true"})

    assert me.writes(email="new@x.org") == []
    assert me.attributes["email_verified"] == "false"


def test_the_same_address_stays_verified(ann, inbox):
    """Writing what is there sends nothing and unverifies nothing."""
    me = ann(attributes={"email": "same@x.org", "email_verified": "true"}, AutoVerifiedAttributes=["email"])

    assert me.writes(email="same@x.org") == []
    assert me.attributes["email_verified"] == "true"
    assert inbox("same@x.org") == []


def test_both_contacts_get_codes(ann, inbox):
    """Each new contact gets its own code, and each code verifies its contact."""
    me = ann(AutoVerifiedAttributes=["email", "phone_number"])

    details = me.writes(email="both-me@x.org", phone_number="+12065550140")

    assert {detail["AttributeName"]: detail["Destination"] for detail in details} == {
        "email": "b***@x***", "phone_number": "+*******0140",
    }  # fmt: skip
    me.does("VerifyUserAttribute", AttributeName="phone_number", Code=inbox("+12065550140")[-1].code)
    assert me.attributes["phone_number_verified"] == "true"
    assert me.attributes["email_verified"] == "false"
    me.does("VerifyUserAttribute", AttributeName="email", Code=inbox("both-me@x.org")[-1].code)
    assert me.attributes["email_verified"] == "true"


def test_an_address_waits_for_its_verification(call, ann, inbox):
    """Until the code is given the old address stays the sign-in name, afterwards the new one is."""
    me = ann(attributes={"email": "was@x.org", "email_verified": "true"}, AliasAttributes=["email"], **WAITING)

    for address in ("first@x.org", "will@x.org"):
        assert me.writes(email=address)[0]["AttributeName"] == "email"
    assert me.attributes["email"] == "was@x.org"
    assert sign_in(call, me.client, "was@x.org")
    [stale] = inbox("first@x.org")
    code = inbox("will@x.org")[-1].code
    if stale.code != code:
        assert me.may_not("VerifyUserAttribute", AttributeName="email", Code=stale.code) == MISMATCH

    me.does("VerifyUserAttribute", AttributeName="email", Code=code)

    assert me.attributes["email"] == "will@x.org"
    assert me.attributes["email_verified"] == "true"
    assert sign_in(call, me.client, "will@x.org")
    assert sign_in_refusal(call, me.client, "was@x.org") == NO_USER


def test_taken_names_are_refused(call, ann, user):
    """In username-attribute pools an address of another user is refused at once, waiting or not."""
    for settings in ({}, WAITING):
        me = ann(UsernameAttributes=["email"], **settings)
        user(me.pool_id, "bob@x.org")

        assert me.may_not_write(email="bob@x.org") == EMAIL_TAKEN
        assert me.writes(email="free@x.org") is not None


def test_preferred_names_are_unique(ann, user, call):
    """A preferred user name that is an alias belongs to one user, and is no other's user name."""
    me = ann(AliasAttributes=["preferred_username"])
    user(me.pool_id, "bob", preferred_username="bobby")
    clash = ("AliasExistsException", "An account with the given preferred_username already exists.")

    assert me.may_not_write(preferred_username="bobby") == clash
    assert me.may_not_write(preferred_username="bob") == clash
    me.writes(preferred_username="annie")
    assert sign_in(call, me.client, "annie")


# GetUserAttributeVerificationCode, VerifyUserAttribute


def test_users_verify_a_contact(ann, inbox, server):
    """A code is sent on demand; wrong and late ones are refused, the right one verifies once."""
    me = ann(attributes={"email": "demand@x.org"})
    answer = me.does("GetUserAttributeVerificationCode", AttributeName="email")
    code = inbox("demand@x.org")[-1].code

    assert answer["CodeDeliveryDetails"] == {
        "AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "d***@x***",
    }  # fmt: skip
    assert me.may_not("VerifyUserAttribute", AttributeName="email", Code=other(code)) == MISMATCH
    assert me.may_not("VerifyUserAttribute", AttributeName="phone_number", Code=code) == EXPIRED
    assert me.does("VerifyUserAttribute", AttributeName="email", Code=code) == {}
    assert me.attributes["email_verified"] == "true"
    assert me.may_not("VerifyUserAttribute", AttributeName="email", Code=code) == EXPIRED


def test_verification_codes_run_out(ann, inbox, server, call):
    """After a day."""
    me = ann(attributes={"email": "day@x.org"}, client={"AccessTokenValidity": 24})
    me.does("GetUserAttributeVerificationCode", AttributeName="email")
    code = inbox("day@x.org")[-1].code
    server.clock.advance(24 * 3600)
    me.token = sign_in(call, me.client, "ann")["AccessToken"]

    assert me.may_not("VerifyUserAttribute", AttributeName="email", Code=code) == EXPIRED


def test_a_code_is_void_once_the_address_changes(ann, inbox):
    """A code proves only the address that it was sent to."""
    me = ann(attributes={"email": "one-me@x.org"})
    me.does("GetUserAttributeVerificationCode", AttributeName="email")
    me.writes(email="two-me@x.org")
    code = inbox("one-me@x.org")[-1].code

    assert me.may_not("VerifyUserAttribute", AttributeName="email", Code=code) == EXPIRED
    assert me.attributes["email_verified"] == "false"


def test_only_contacts_are_verified(ann):
    """Other attributes, and contacts that are not there, cannot be verified."""
    me = ann()
    text = "Invalid attribute name. Only phone_number and email can be verified."

    for operation, members in {
        "GetUserAttributeVerificationCode": {},
        "VerifyUserAttribute": {"Code": "123456"},
    }.items():
        refused = me.may_not(operation, AttributeName="name", **members)
        assert refused == ("InvalidParameterException", text)
    assert me.may_not("GetUserAttributeVerificationCode", AttributeName="email")[0] == "InvalidParameterException"


def test_an_alias_of_another_user_is_not_verified(ann, user, inbox):
    """Who verifies an address as second does not get it."""
    me = ann(attributes={"email": "second@x.org"}, AliasAttributes=["email"])
    user(me.pool_id, "bob", email="second@x.org", email_verified="true")
    me.does("GetUserAttributeVerificationCode", AttributeName="email")

    code = inbox("second@x.org")[-1].code
    assert me.may_not("VerifyUserAttribute", AttributeName="email", Code=code) == EMAIL_TAKEN
    assert "email_verified" not in me.attributes


def test_codes_and_guesses_are_limited(ann, inbox):
    """Five codes and fifteen guesses an hour."""
    me = ann(attributes={"email": "often@x.org"})
    for _ in range(5):
        me.does("GetUserAttributeVerificationCode", AttributeName="email")
    code = inbox("often@x.org")[-1].code

    assert me.may_not("GetUserAttributeVerificationCode", AttributeName="email") == LIMIT
    for _ in range(15):
        assert me.may_not("VerifyUserAttribute", AttributeName="email", Code=other(code)) == MISMATCH
    assert me.may_not("VerifyUserAttribute", AttributeName="email", Code=code) == LIMIT


def test_a_code_that_may_not_leave_voids_no_other(ann, inbox, limited):
    """What was sent before goes on to work."""
    me = ann(attributes={"email": "once@x.org"})
    limited("email-pool=1/day")
    me.does("GetUserAttributeVerificationCode", AttributeName="email")
    assert me.may_not("GetUserAttributeVerificationCode", AttributeName="email")[0] == "LimitExceededException"
    (message,) = inbox("once@x.org")
    me.does("VerifyUserAttribute", AttributeName="email", Code=message.code)
    assert me.attributes["email_verified"] == "true"


# ChangePassword


def change(password=OTHER_PASSWORD, previous=PASSWORD):
    return {"PreviousPassword": previous, "ProposedPassword": password}


def test_users_change_their_password(call, ann):
    """The new one signs in, the old one does not, and tokens stay valid."""
    me = ann()

    assert me.does("ChangePassword", **change()) == {}

    assert me.attributes
    assert sign_in(call, me.client, "ann", OTHER_PASSWORD)
    assert sign_in_refusal(call, me.client, "ann") == WRONG_PASSWORD


def test_passwords_that_are_refused(ann):
    """A wrong present one, and new ones against policy or history."""
    me = ann(Policies={"PasswordPolicy": {"MinimumLength": 8, "PasswordHistorySize": 1}})

    assert me.may_not("ChangePassword", **change(previous="Wrong-Horse-1")) == WRONG_PASSWORD
    assert me.may_not("ChangePassword", ProposedPassword=OTHER_PASSWORD) == WRONG_PASSWORD
    assert me.may_not("ChangePassword", **change("short1")) == (
        "InvalidPasswordException", "Password does not conform to policy: Password not long enough",
    )  # fmt: skip
    assert me.may_not("ChangePassword", **change(PASSWORD)) == (
        "PasswordHistoryPolicyViolationException", "Password has previously been used",
    )  # fmt: skip


def test_password_changes_are_limited(ann, server, call):
    """Five calls an hour, right ones included."""
    me = ann(client={"AccessTokenValidity": 24})
    for _ in range(5):
        assert me.may_not("ChangePassword", **change(previous="Wrong-Horse-1")) == WRONG_PASSWORD

    assert me.may_not("ChangePassword", **change()) == LIMIT
    server.clock.advance(3600)
    assert me.does("ChangePassword", **change()) == {}


def test_codes_of_changed_addresses_are_limited(call, pool, app, user, inbox):
    """Ten an hour; then the change is made, and the answer says that its code did not leave."""
    pool_id = pool(AutoVerifiedAttributes=["email"])
    name = user(pool_id, email="first@changes.example")
    token = sign_in(call, app(pool_id), name)["AccessToken"]
    for number in range(11):
        changed = [{"Name": "email", "Value": f"new{number}@changes.example"}]
        members = {"AccessToken": token, "UserAttributes": changed}
        if number < 10:
            assert len(call("UpdateUserAttributes", **members)["CodeDeliveryDetailsList"]) == 1
        else:
            assert refusal(call, "UpdateUserAttributes", **members)[0] == "CodeDeliveryFailureException"
    assert inbox("new10@changes.example") == []
    stored = call("GetUser", AccessToken=token)["UserAttributes"]
    assert {"Name": "email", "Value": "new10@changes.example"} in stored
