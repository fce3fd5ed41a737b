"""Attributes: what changing, verifying and deleting them does (spec/api/03 §9)."""

import pytest

from tests.operations.talk import (
    EXPIRED,
    MISMATCH,
    PASSWORD,
    listed,
    named,
    other,
    refusal,
    shown,
    sign_in,
    sign_in_refusal,
)

WAITING = {
    "AutoVerifiedAttributes": ["email"],
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
}


class Ann:
    """A signed-in user with a verified address."""

    def __init__(self, call, pool_id, client, user, address, **attributes):
        self.call, self.pool_id, self.client = call, pool_id, client
        named_by = {} if attributes.pop("by_address", False) else {"username": "ann"}
        self.username = user(pool_id, named_by.get("username", address), email=address, email_verified="true")
        if attributes:
            self.update_as_administrator(**attributes)
        self.token = sign_in(call, client, self.username)["AccessToken"]

    def update(self, **attributes):
        members = {"AccessToken": self.token, "UserAttributes": listed(**attributes)}
        return self.call("UpdateUserAttributes", **members)["CodeDeliveryDetailsList"]

    def update_as_administrator(self, **attributes):
        members = {"UserPoolId": self.pool_id, "Username": self.username, "UserAttributes": listed(**attributes)}
        assert self.call("AdminUpdateUserAttributes", **members) == {}

    def verify(self, code, attribute="email"):
        members = {"AccessToken": self.token, "AttributeName": attribute, "Code": code}
        assert self.call("VerifyUserAttribute", **members) == {}

    def verify_refusal(self, code, attribute="email"):
        members = {"AccessToken": self.token, "AttributeName": attribute, "Code": code}
        return refusal(self.call, "VerifyUserAttribute", **members)

    @property
    def attributes(self):
        return named(shown(self.call, self.pool_id, self.username)["UserAttributes"])


@pytest.fixture
def ann(call, pool, app, user):
    """Make a pool with these settings, and Ann in it."""

    def make(address, settings=WAITING, **attributes):
        pool_id = pool(**settings)
        return Ann(call, pool_id, app(pool_id), user, address, **attributes)

    return make


def test_a_waiting_address(call, ann, inbox):
    """spec/api/03 §9.1: the old address stays in use, for messages too, until the new one is verified."""
    it = ann("old-w@x.org", WAITING | {"UsernameAttributes": ["email"]}, by_address=True)
    details = it.update(email="new-w@x.org")
    assert details == [{"AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "n***@x***"}]
    assert (it.attributes["email"], it.attributes["email_verified"]) == ("old-w@x.org", "true")
    assert sign_in(call, it.client, "old-w@x.org")
    assert sign_in_refusal(call, it.client, "new-w@x.org")[0] == "UserNotFoundException"
    call("ForgotPassword", ClientId=it.client["ClientId"], Username="old-w@x.org")
    assert len(inbox("old-w@x.org")) == 1
    it.verify(inbox("new-w@x.org")[-1].code)
    assert (it.attributes["email"], it.attributes["email_verified"]) == ("new-w@x.org", "true")
    assert sign_in(call, it.client, "new-w@x.org")
    assert sign_in_refusal(call, it.client, "old-w@x.org")[0] == "UserNotFoundException"


def test_a_second_waiting_address(ann, inbox):
    """spec/api/03 §9.1: a second update takes the place of the first, whose code is void."""
    it = ann("old-s@x.org")
    it.update(email="first-s@x.org")
    it.update(email="second-s@x.org")
    first, second = inbox("first-s@x.org")[-1].code, inbox("second-s@x.org")[-1].code
    if first != second:
        assert it.verify_refusal(first) == MISMATCH
    it.verify(second)
    assert it.attributes["email"] == "second-s@x.org"
    assert it.verify_refusal(second) == EXPIRED


@pytest.mark.parametrize("way", ["same", "blank", "administrator"])
def test_a_waiting_address_given_up(ann, inbox, way):
    """spec/api/03 §9.1–2: going back to the old value, deleting it or an administrator's word void the new one."""
    it = ann(f"old-{way}@x.org")
    it.update(email=f"new-{way}@x.org")
    if way == "same":
        assert it.update(email="old-same@x.org") == []
    elif way == "blank":
        it.update(email="")
    else:
        it.update_as_administrator(email="by-administrator@x.org", email_verified="true")
    expected = {"same": "old-same@x.org", "blank": None, "administrator": "by-administrator@x.org"}[way]
    assert it.verify_refusal(inbox(f"new-{way}@x.org")[-1].code) == EXPIRED
    assert it.attributes.get("email") == expected
    assert it.attributes.get("email_verified") == ("true" if expected else None)


def test_an_administrator_waits_too(ann, inbox):
    """spec/api/03 §9.2: without the flag an administrator's new address waits as a user's does."""
    it = ann("old-a@x.org")
    it.update_as_administrator(email="new-a@x.org", name="Ann")
    assert (it.attributes["email"], it.attributes["name"]) == ("old-a@x.org", "Ann")
    it.verify(inbox("new-a@x.org")[-1].code)
    assert it.attributes["email"] == "new-a@x.org"


def test_a_new_code_for_a_waiting_address(call, ann, inbox):
    """spec/api/03 §9.4: a code asked for goes to the address that waits, and voids the earlier one."""
    it = ann("old-n@x.org")
    it.update(email="new-n@x.org")
    details = call("GetUserAttributeVerificationCode", AccessToken=it.token, AttributeName="email")
    assert details["CodeDeliveryDetails"]["Destination"] == "n***@x***"
    first, second = (message.code for message in inbox("new-n@x.org"))
    if first != second:
        assert it.verify_refusal(first) == MISMATCH
    it.verify(second)
    assert it.attributes["email"] == "new-n@x.org"


def test_an_address_taken_while_it_waits(call, ann, user, inbox):
    """spec/api/03 §9.4: who verifies a sign-in name second does not get it, and keeps the old one."""
    it = ann("old-t@x.org", WAITING | {"UsernameAttributes": ["email"]}, by_address=True)
    it.update(email="wanted@x.org")
    user(it.pool_id, "wanted@x.org")
    clash = ("AliasExistsException", "An account with the given email already exists.")
    assert it.verify_refusal(inbox("wanted@x.org")[0].code) == clash
    assert it.attributes["email"] == "old-t@x.org"


@pytest.mark.parametrize("verifying", [True, False])
def test_an_address_that_changes_at_once(call, ann, inbox, verifying):
    """spec/api/03 §9.1: without the setting the new value counts, unverified; the alias rests until it is verified."""
    settings = {"AliasAttributes": ["email"]} | ({"AutoVerifiedAttributes": ["email"]} if verifying else {})
    it = ann(f"old-{verifying}@x.org", settings)
    details = it.update(email=f"new-{verifying}@x.org")
    assert len(details) == len(inbox(f"new-{verifying}@x.org")) == verifying
    assert (it.attributes["email"], it.attributes["email_verified"]) == (f"new-{verifying}@x.org", "false")
    for address in (f"old-{verifying}@x.org", f"new-{verifying}@x.org"):
        assert sign_in_refusal(call, it.client, address)[0] == "UserNotFoundException"
    if not verifying:
        call("GetUserAttributeVerificationCode", AccessToken=it.token, AttributeName="email")
    it.verify(inbox(f"new-{verifying}@x.org")[-1].code)
    assert sign_in(call, it.client, f"new-{verifying}@x.org")


def test_the_settings_of_updates(call, pool):
    """spec/api/02 §1.1, §1.4, §2: attributes that wait are auto-verified ones; the setting shows once it was made."""
    told = (
        "InvalidParameterException",
        "All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes",
    )
    settings = WAITING["UserAttributeUpdateSettings"]
    assert refusal(call, "CreateUserPool", PoolName="p", UserAttributeUpdateSettings=settings) == told
    pool_id = pool(**WAITING)
    assert refusal(call, "UpdateUserPool", UserPoolId=pool_id, PoolName="q") == told
    empty = {"AttributesRequireVerificationBeforeUpdate": []}
    call("UpdateUserPool", UserPoolId=pool_id, UserAttributeUpdateSettings=empty)
    assert call("DescribeUserPool", UserPoolId=pool_id)["UserPool"]["UserAttributeUpdateSettings"] == empty


def test_both_contacts_at_once(ann, inbox):
    """spec/api/03 §9.1: each new contact has its own code, which verifies that contact alone."""
    settings = {"AutoVerifiedAttributes": ["email", "phone_number"]}
    it = ann("old-b@x.org", settings)
    details = it.update(email="new-b@x.org", phone_number="+12025550161")
    assert [one["AttributeName"] for one in details] == ["email", "phone_number"]
    mail, text = inbox("new-b@x.org")[-1].code, inbox("+12025550161")[-1].code
    if mail != text:
        assert it.verify_refusal(text) == MISMATCH
    it.verify(text, "phone_number")
    assert (it.attributes["email_verified"], it.attributes["phone_number_verified"]) == ("false", "true")
    assert it.verify_refusal(other(mail)) == MISMATCH
    it.verify(mail)
    assert it.attributes["email_verified"] == "true"


def test_codes_in_the_pools_words(call, ann, inbox):
    """spec/api/06 §12: verification codes use the verification template, as codes even where sign-up has links."""
    template = {
        "DefaultEmailOption": "CONFIRM_WITH_LINK",
        "EmailMessage": "code {####}",
        "EmailSubject": "a code",
        "EmailMessageByLink": "link {##here##}",
        "SmsMessage": "text {####}",
    }
    it = ann("words-c@x.org", WAITING | {"VerificationMessageTemplate": template})
    it.update(email="words-d@x.org")
    message = inbox("words-d@x.org")[-1]
    assert (message.subject, message.body) == ("a code", f"code {message.code}")
    it.update(phone_number="+12025550171")
    call("GetUserAttributeVerificationCode", AccessToken=it.token, AttributeName="phone_number")
    message = inbox("+12025550171")[-1]
    assert message.body == f"text {message.code}"
    call("ForgotPassword", ClientId=it.client["ClientId"], Username="ann")
    message = inbox("words-c@x.org")[-1]
    assert (message.subject, message.body) == ("a code", f"code {message.code}")


def test_deleted_contacts(call, ann, inbox):
    """spec/api/03 §9.3: a contact goes with its flag, what waits and its alias; codes to it are void."""
    it = ann("old-d@x.org", WAITING | {"AliasAttributes": ["email"]})
    it.update(email="new-d@x.org")
    call("DeleteUserAttributes", AccessToken=it.token, UserAttributeNames=["email"])
    assert not it.attributes.keys() & {"email", "email_verified"}
    assert sign_in_refusal(call, it.client, "old-d@x.org")[0] == "UserNotFoundException"
    assert it.verify_refusal(inbox("new-d@x.org")[-1].code) == EXPIRED
    code, _ = refusal(call, "GetUserAttributeVerificationCode", AccessToken=it.token, AttributeName="email")
    assert code == "InvalidParameterException"


def test_refusals_have_their_texts(call, pool, app, user):
    """spec/api/03 §9.1–3, 11 §2: each refused change says what is wrong, for users and administrators."""
    schema = [
        {"Name": "role", "AttributeDataType": "String", "Mutable": False},
        {"Name": "email", "Required": True},
    ]
    pool_id = pool(Schema=schema)
    client = app(pool_id)
    user(pool_id, "ann", email="a@x.org", custom_role="r")
    token = sign_in(call, client, "ann", PASSWORD)["AccessToken"]
    for attributes, text in (
        (listed(custom_role="x"), "user.custom:role: Attribute cannot be updated.\n"),
        (listed(custom_no="x"), "user.custom:no: Attribute does not exist in the schema.\n"),
        (listed(email=""), "Invalid user attributes: email: Required attribute cannot be deleted.\n"),
        (listed(email="a"), "Invalid email address format."),
        (listed(phone_number="1"), "Invalid phone number format."),
        ([{"Name": "picture"}], "Attribute value for picture must not be null"),
    ):
        told = ("InvalidParameterException", text)
        assert refusal(call, "UpdateUserAttributes", AccessToken=token, UserAttributes=attributes) == told
        members = {"UserPoolId": pool_id, "Username": "ann", "UserAttributes": attributes}
        assert refusal(call, "AdminUpdateUserAttributes", **members) == told
    for name, text in (
        ("custom:no", "Invalid user attributes: user.custom:no: Attribute does not exist in the schema.\n"),
        ("email", "Invalid user attributes: email: Required attribute cannot be deleted.\n"),
    ):
        told = ("InvalidParameterException", text)
        assert refusal(call, "DeleteUserAttributes", AccessToken=token, UserAttributeNames=[name]) == told
        members = {"UserPoolId": pool_id, "Username": "ann", "UserAttributeNames": [name]}
        assert refusal(call, "AdminDeleteUserAttributes", **members) == told


def test_developers_attributes(call, pool, app, user):
    """spec/api/02 §1.2, §5.3: administrators write them by either name, users do not."""
    schema = [{"Name": "level", "AttributeDataType": "Number", "DeveloperOnlyAttribute": True}]
    pool_id = pool(Schema=schema)
    client = app(pool_id)
    user(pool_id, "ann")
    for name, value in (("dev:level", "1"), ("dev:custom:level", "2")):
        attributes = [{"Name": name, "Value": value}]
        call("AdminUpdateUserAttributes", UserPoolId=pool_id, Username="ann", UserAttributes=attributes)
        assert named(shown(call, pool_id, "ann")["UserAttributes"])["dev:custom:level"] == value
        token = sign_in(call, client, "ann")["AccessToken"]
        unauthorized = ("NotAuthorizedException", "A client attempted to write unauthorized attribute")
        assert refusal(call, "UpdateUserAttributes", AccessToken=token, UserAttributes=attributes) == unauthorized
    told = ("InvalidParameterException", "Invalid write attributes specified while creating a client")
    members = {"UserPoolId": pool_id, "ClientName": "c", "WriteAttributes": ["dev:custom:level"]}
    assert refusal(call, "CreateUserPoolClient", **members) == told
