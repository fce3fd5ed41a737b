"""Signing up: what is checked, in which order, and what may come along (spec/api/03 §2, §5, §11)."""

from uuid import UUID

import pytest

from tests.operations.refusals import unchecked
from tests.operations.talk import (
    OTHER_PASSWORD,
    PASSWORD,
    confirm,
    listed,
    named,
    refusal,
    secret_hash,
    shown,
    sign_in,
    sign_up,
)

VERIFYING = {"AutoVerifiedAttributes": ["email"]}
REQUIRED_NAME = {"Schema": [{"Name": "given_name", "Required": True}]}
PASSWORDLESS = {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}}


def test_the_order_of_checks_at_sign_up(call, pool, app):
    """spec/api/03 §2: constraints, client, secret, sign-up allowed, name, password, attributes, name taken."""
    pool_id = pool(AliasAttributes=["email"], **REQUIRED_NAME)
    client = app(pool_id, GenerateSecret=True)
    closed = app(pool(AdminCreateUserConfig={"AllowAdminCreateUserOnly": True}))

    def told(**members):
        return refusal(
            call, "SignUp", **{"ClientId": client["ClientId"], "Username": "a@x.org", "Password": "x"} | members
        )

    assert "validation error" in told(ClientId="1" * 26, Password=" x", SecretHash="wrong")[1]
    faults = {"Password": "xx", "UserAttributes": listed(custom_x="1")}
    assert told(ClientId="1" * 26, **faults)[0] == "ResourceNotFoundException"
    assert told(**faults)[1].endswith("is configured with secret but SECRET_HASH was not received")
    assert told(SecretHash="wrong", **faults)[1] == f"Unable to verify secret hash for client {client['ClientId']}"
    closing = told(ClientId=closed["ClientId"], **faults)
    assert closing == ("NotAuthorizedException", "SignUp is not permitted for this user pool")
    faults["SecretHash"] = secret_hash(client, "a@x.org")
    assert told(**faults)[1].startswith("Username cannot be of email format")
    faults |= {"Username": "ann", "SecretHash": secret_hash(client, "ann")}
    assert told(**faults) == (
        "InvalidPasswordException",
        "Password did not conform with policy: Password not long enough",
    )
    faults["Password"] = PASSWORD
    assert told(**faults)[1] == (
        "Attributes did not conform to the schema: given_name: The attribute is required\n"
        "custom:x: Attribute does not exist in the schema.\n"
    )
    faults["UserAttributes"] = listed(given_name="Ann")
    call("SignUp", ClientId=client["ClientId"], **faults)
    assert told(**faults) == ("UsernameExistsException", "User already exists")
    assert told(**faults | {"Password": "short"})[0] == "InvalidPasswordException"


@pytest.mark.parametrize("missing", [{}, {"Password": ""}, {"Password": None}])
def test_a_password_left_out_or_blank(server, pool, app, missing):
    """spec/api/03 §5.3, §5.11: blank counts as left out: fine where a code can stand in for it, else a violation."""
    call = unchecked(server)
    members = {"Username": "ann", "UserAttributes": listed(email="ann@x.org"), **missing}
    members = {name: value for name, value in members.items() if value is not None}

    assert refusal(call, "SignUp", ClientId=app(pool())["ClientId"], **members) == (
        "InvalidParameterException",
        "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null",
    )
    made = call("SignUp", ClientId=app(pool(**PASSWORDLESS))["ClientId"], **members)
    assert made["UserConfirmed"] is False


def test_a_blank_temporary_password(call, pool, inbox):
    """spec/api/03 §8.2: blank counts as left out: one is generated, or the user needs none."""
    members = {"Username": "ann", "UserAttributes": listed(email="blank@x.org"), "TemporaryPassword": ""}

    made = call("AdminCreateUser", UserPoolId=pool(), **members)["User"]
    assert made["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert len(inbox("blank@x.org")) == 1
    made = call("AdminCreateUser", UserPoolId=pool(**PASSWORDLESS), **members)["User"]
    assert made["UserStatus"] == "CONFIRMED"
    assert len(inbox("blank@x.org")) == 1


def test_blank_passwords_elsewhere(server, pool, app, user):
    """spec/api/01 §4.5: other operations do not take a blank password."""
    call = unchecked(server)
    pool_id = pool()
    client = app(pool_id)
    user(pool_id, "ann")
    token = sign_in(call, client, "ann")["AccessToken"]
    for operation, members in (
        ("AdminSetUserPassword", {"UserPoolId": pool_id, "Username": "ann", "Password": ""}),
        ("ChangePassword", {"AccessToken": token, "PreviousPassword": PASSWORD, "ProposedPassword": ""}),
    ):
        code, text = refusal(call, operation, **members)
        assert code == "InvalidParameterException"
        assert "Member must satisfy regular expression pattern: ^[\\S]+.*[\\S]+$" in text


@pytest.mark.parametrize("attribute", ["email", "phone_number"])
def test_a_name_that_contradicts_its_attribute(call, pool, app, attribute):
    """spec/api/03 §5.2: the attribute of a user-name attribute is left out, or the very name."""
    pool_id = pool(UsernameAttributes=[attribute])
    name, another = {"email": ("a@x.org", "b@x.org"), "phone_number": ("+12025550101", "+12025550102")}[attribute]
    attributes = listed(**{attribute: another})
    told = (
        "InvalidParameterException",
        f"User {attribute} should be empty or same as username, since username attribute is {attribute}.",
    )
    members = {"Username": name, "UserAttributes": attributes}
    assert refusal(call, "SignUp", ClientId=app(pool_id)["ClientId"], Password=PASSWORD, **members) == told
    assert refusal(call, "AdminCreateUser", UserPoolId=pool_id, **members) == told


def test_nobody_chooses_a_sub(call, pool, app):
    """spec/api/03 §5.4, §9.2: the sub is the service's, at creation and afterwards."""
    pool_id = pool()
    client = app(pool_id)
    forged = listed(sub="11111111-1111-4111-8111-111111111111")
    told = "Attributes did not conform to the schema: sub: Attribute cannot be updated.\n"
    members = {"UserPoolId": pool_id, "Username": "ann"}
    assert refusal(call, "AdminCreateUser", **members, UserAttributes=forged)[1] == told
    signing_up = {"ClientId": client["ClientId"], "Username": "ann", "Password": PASSWORD}
    unauthorized = ("NotAuthorizedException", "A client attempted to write unauthorized attribute")
    assert refusal(call, "SignUp", **signing_up, UserAttributes=forged) == unauthorized

    made = named(call("AdminCreateUser", **members, MessageAction="SUPPRESS")["User"]["Attributes"])
    assert str(UUID(made["sub"])) == made["sub"]
    told = ("InvalidParameterException", "user.sub: Attribute cannot be updated.\n")
    assert refusal(call, "AdminUpdateUserAttributes", **members, UserAttributes=forged) == told


def test_what_may_come_along(call, pool, app, inbox):
    """spec/api/03 §5: contexts, validation data, client metadata and nulls are accepted and leave no trace."""
    pool_id = pool(**VERIFYING)
    client = app(pool_id)["ClientId"]
    along = {
        "UserContextData": {"EncodedData": "abc", "IpAddress": "192.0.2.1"},
        "AnalyticsMetadata": {"AnalyticsEndpointId": "e"},
        "ClientMetadata": {"a": "b", "": ""},
    }
    members = {"ClientId": client, "Username": "ann", **along}
    made = call(
        "SignUp",
        **members,
        Password=PASSWORD,
        UserAttributes=listed(email="along@x.org"),
        ValidationData=[{"Name": "invitation", "Value": "42"}],
    )
    assert made.keys() == {"UserConfirmed", "UserSub", "CodeDeliveryDetails"}
    call("ResendConfirmationCode", **members)
    call("ConfirmSignUp", **members, ConfirmationCode=inbox("along@x.org")[-1].code)
    call("ForgotPassword", **members)
    code = inbox("along@x.org")[-1].code
    call("ConfirmForgotPassword", **members, ConfirmationCode=code, Password=OTHER_PASSWORD)
    call(
        "InitiateAuth",
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": OTHER_PASSWORD},
        **along,
    )
    attributes = named(shown(call, pool_id, "ann")["UserAttributes"])
    assert attributes == {"sub": made["UserSub"], "email": "along@x.org", "email_verified": "true"}


def test_names_in_another_case(call, pool, app, inbox):
    """spec/api/03 §11: where case does not matter, one user answers to every spelling, in every operation."""
    pool_id = pool(UsernameConfiguration={"CaseSensitive": False}, AliasAttributes=["preferred_username"], **VERIFYING)
    client = app(pool_id)
    sign_up(call, client, "AnnE", email="Ann-Case@x.org")
    taken = ("UsernameExistsException", "User already exists")
    for spelling in ("anne", "ANNE", "AnnE"):
        assert refusal(call, "SignUp", ClientId=client["ClientId"], Username=spelling, Password=PASSWORD) == taken
    taken = ("UsernameExistsException", "User account already exists")
    assert refusal(call, "AdminCreateUser", UserPoolId=pool_id, Username="ANNE") == taken

    call("ResendConfirmationCode", ClientId=client["ClientId"], Username="aNNe")
    confirm(call, client, "ANNE", inbox("Ann-Case@x.org")[-1].code)
    token = sign_in(call, client, "anNE")["AccessToken"]

    me = call("GetUser", AccessToken=token)
    assert me["Username"] == shown(call, pool_id, "ANNE")["Username"] == "anne"
    assert named(me["UserAttributes"])["email"] == "Ann-Case@x.org"
    call("UpdateUserAttributes", AccessToken=token, UserAttributes=listed(preferred_username="Annie"))
    assert sign_in(call, client, "ANNIE")
    clash = ("UsernameExistsException", "User already exists")
    assert refusal(call, "SignUp", ClientId=client["ClientId"], Username="annie", Password=PASSWORD) == clash
    assert named(shown(call, pool_id, "annIE")["UserAttributes"])["preferred_username"] == "Annie"


def test_addresses_in_another_case(call, pool, app):
    """spec/api/03 §11: where case does not matter, an address is one name in every spelling, kept as it was given."""
    pool_id = pool(UsernameAttributes=["email"], UsernameConfiguration={"CaseSensitive": False})
    client = app(pool_id)
    made = sign_up(call, client, "Ann@Case.org")
    taken = ("UsernameExistsException", "An account with the given email already exists.")
    for spelling in ("ann@case.org", "ANN@CASE.ORG"):
        assert refusal(call, "SignUp", ClientId=client["ClientId"], Username=spelling, Password=PASSWORD) == taken
        assert refusal(call, "AdminCreateUser", UserPoolId=pool_id, Username=spelling) == taken
        seen = shown(call, pool_id, spelling)
        assert seen["Username"] == made["UserSub"]
        assert named(seen["UserAttributes"])["email"] == "Ann@Case.org"
    bob = sign_up(call, client, "bob@case.org")["UserSub"]
    changed = listed(email="ANN@case.org")
    clash = ("AliasExistsException", "An account with the given email already exists.")
    members = {"UserPoolId": pool_id, "Username": bob, "UserAttributes": changed}
    assert refusal(call, "AdminUpdateUserAttributes", **members) == clash


def test_addresses_where_case_matters(call, pool, app):
    """spec/api/03 §11: without UsernameConfiguration two spellings of an address are two users."""
    client = app(pool(UsernameAttributes=["email"]))
    assert sign_up(call, client, "Ann@two.org")["UserSub"] != sign_up(call, client, "ann@two.org")["UserSub"]
