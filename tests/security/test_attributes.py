"""Rows 29 and 30: what users may write of themselves, and what a filter may say."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import PASSWORD
from tests.oauth.conftest import claims
from tests.operations.talk import listed, named, refusal, sign_in, sign_in_refusal

UNAUTHORIZED = ("NotAuthorizedException", "A client attempted to write unauthorized attribute")
GUARDED = {
    "sub": "00000000-0000-4000-8000-000000000000", "email_verified": "true", "phone_number_verified": "true",
    "identities": "[]", "dev:custom:secret": "x", "dev:secret": "x",
}  # fmt: skip
UNKNOWN = {
    "cognito:user_status": "CONFIRMED", "cognito:username": "admin", "cognito:groups": "admin", "username": "admin",
    "status": "CONFIRMED", "enabled": "true", "custom:absent": "x", "Email_Verified": "true", "EMAIL_VERIFIED": "true",
    "email_verified ": "true", "emaıl_verified": "true", "__proto__": "x",
}  # fmt: skip
SCHEMA = [
    {"Name": "note", "AttributeDataType": "String", "Mutable": True},
    {"Name": "fixed", "AttributeDataType": "String", "Mutable": False},
    {"Name": "secret", "AttributeDataType": "String", "Mutable": True, "DeveloperOnlyAttribute": True},
]


@pytest.fixture
def signed_in(call, pool, app, user) -> Callable[..., tuple[str, dict[str, Any], str]]:
    """Make a pool, a client and a user; give the pool's id, the client and the user's access token."""

    def make(client: dict[str, Any] | None = None, **settings: Any) -> tuple[str, dict[str, Any], str]:
        pool_id = pool(**({"AutoVerifiedAttributes": ["email"], "Schema": SCHEMA} | settings))
        made = app(pool_id, **(client or {}))
        user(pool_id, "ann", email="ann29@example.com", email_verified="true", custom_fixed="f", custom_note="n")
        return pool_id, made, sign_in(call, made, "ann")["AccessToken"]

    return make


def seen(call, pool_id: str) -> dict[str, str]:
    return named(call("AdminGetUser", UserPoolId=pool_id, Username="ann")["UserAttributes"])


def test_29_guarded_attributes(call, signed_in):
    """Row 29: no user writes who they are, or what counts as verified, by any operation."""
    pool_id, client, token = signed_in()
    before = seen(call, pool_id)
    for name, value in (GUARDED | UNKNOWN).items():
        given = [{"Name": name, "Value": value}]
        for operation, request in (
            ("UpdateUserAttributes", {"AccessToken": token, "UserAttributes": given}),
            ("UpdateUserAttributes", {"AccessToken": token, "UserAttributes": [*listed(name="N"), *given]}),
            ("DeleteUserAttributes", {"AccessToken": token, "UserAttributeNames": [name]}),
            (
                "SignUp",
                {
                    "ClientId": client["ClientId"], "Username": "eve", "Password": PASSWORD,
                    "UserAttributes": [*listed(email="eve29@example.com"), *given],
                },
            ),
        ):  # fmt: skip
            code, message = refusal(call, operation, **request)
            assert code in {"NotAuthorizedException", "InvalidParameterException"}, (operation, name)
            if name in GUARDED and operation != "DeleteUserAttributes":
                assert (code, message) == UNAUTHORIZED
    assert seen(call, pool_id) == before
    assert refusal(call, "AdminGetUser", UserPoolId=pool_id, Username="eve")[0] == "UserNotFoundException"


def test_29_guarded_attributes_with_a_new_password(call, pool, app):
    """Row 29: nor does a user with a temporary password, who may add what is missing."""
    pool_id = pool(AutoVerifiedAttributes=["email"], Schema=SCHEMA)
    client = app(pool_id)
    attributes = listed(email="ann29@example.com")
    user = {"UserPoolId": pool_id, "Username": "ann"}
    call("AdminCreateUser", **user, MessageAction="SUPPRESS", TemporaryPassword=PASSWORD, UserAttributes=attributes)
    start = {
        "ClientId": client["ClientId"],
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD},
    }
    for name, value in (GUARDED | UNKNOWN | {"email": "eve29@example.com"}).items():
        responses = {"USERNAME": "ann", "NEW_PASSWORD": "Battery-Staple-2", f"userAttributes.{name}": value}
        request = {"ClientId": client["ClientId"], "ChallengeName": "NEW_PASSWORD_REQUIRED"}
        session = call("InitiateAuth", **start)["Session"]
        code, _ = refusal(call, "RespondToAuthChallenge", **request, Session=session, ChallengeResponses=responses)
        assert code in {"NotAuthorizedException", "InvalidParameterException"}, name
    assert seen(call, pool_id) == named(attributes) | {"sub": seen(call, pool_id)["sub"]}


def test_29_write_permissions(call, signed_in):
    """Row 29: users of a client write what the client may, and nothing else; what cannot change does not."""
    pool_id, _, token = signed_in(client={"WriteAttributes": ["name"], "ReadAttributes": ["name", "email"]})
    for name in ("custom:note", "email", "nickname"):
        given = [{"Name": name, "Value": "other@example.com"}]
        assert refusal(call, "UpdateUserAttributes", AccessToken=token, UserAttributes=given) == UNAUTHORIZED
        assert refusal(call, "DeleteUserAttributes", AccessToken=token, UserAttributeNames=[name]) == UNAUTHORIZED
    call("UpdateUserAttributes", AccessToken=token, UserAttributes=listed(name="Ann"))
    assert seen(call, pool_id)["name"] == "Ann"
    assert set(named(call("GetUser", AccessToken=token)["UserAttributes"])) == {"sub", "name", "email"}


def test_29_read_permissions_in_tokens(call, signed_in):
    """Row 29: what a client may not read is in no token of its."""
    _, client, _ = signed_in(client={"ReadAttributes": ["name"]})
    token = claims(sign_in(call, client, "ann")["IdToken"])
    assert not {"email", "email_verified", "custom:note", "custom:fixed", "dev:custom:secret"} & set(token)


def test_29_attributes_that_users_cannot_change(call, signed_in):
    """Row 29: attributes for developers only, and those that never change, stay as they are whatever users say."""
    pool_id, _, token = signed_in()
    given = [{"Name": "dev:custom:secret", "Value": "s"}]
    call("AdminUpdateUserAttributes", UserPoolId=pool_id, Username="ann", UserAttributes=given)
    before = seen(call, pool_id)
    assert before["dev:custom:secret"] == "s"
    for name in ("dev:custom:secret", "dev:secret", "custom:fixed"):
        changed = [{"Name": name, "Value": "mine"}]
        refusal(call, "UpdateUserAttributes", AccessToken=token, UserAttributes=changed)
        refusal(call, "DeleteUserAttributes", AccessToken=token, UserAttributeNames=[name])
    assert seen(call, pool_id) == before


def test_29_a_new_address_waits_for_its_proof(call, signed_in, inbox):
    """Row 29: where changes need verification, the old address stays, in tokens too, until the new one is proved."""
    verify = {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    pool_id, client, token = signed_in(UserAttributeUpdateSettings=verify, AliasAttributes=["email"])
    call("UpdateUserAttributes", AccessToken=token, UserAttributes=listed(email="new29@example.com"))
    assert seen(call, pool_id)["email"] == "ann29@example.com"
    assert seen(call, pool_id)["email_verified"] == "true"
    identity = claims(sign_in(call, client, "ann29@example.com")["IdToken"])
    assert (identity["email"], identity["email_verified"]) == ("ann29@example.com", True)
    assert sign_in_refusal(call, client, "new29@example.com")[0] in {"UserNotFoundException", "NotAuthorizedException"}
    # Recovery goes to the address that was proved.
    call("ForgotPassword", ClientId=client["ClientId"], Username="ann")
    assert inbox("ann29@example.com")[-1].template.startswith("ForgotPassword")
    assert not any(message.template.startswith("ForgotPassword") for message in inbox("new29@example.com"))
    code = inbox("new29@example.com")[-1].code
    call("VerifyUserAttribute", AccessToken=token, AttributeName="email", Code=code)
    assert seen(call, pool_id)["email"] == "new29@example.com"
    assert sign_in(call, client, "new29@example.com")
    assert sign_in_refusal(call, client, "ann29@example.com")[0] in {"UserNotFoundException", "NotAuthorizedException"}


def test_29_a_changed_address_is_not_verified(call, signed_in, inbox):
    """Row 29: an address that changes without proof is unverified, signs nobody in, and recovers nothing."""
    pool_id, client, token = signed_in(AliasAttributes=["email"])
    call("ForgotPassword", ClientId=client["ClientId"], Username="ann")
    code = inbox("ann29@example.com")[-1].code
    call("UpdateUserAttributes", AccessToken=token, UserAttributes=listed(email="thief29@example.com"))
    assert seen(call, pool_id)["email_verified"] == "false"
    assert sign_in_refusal(call, client, "thief29@example.com")[0] in {
        "UserNotFoundException",
        "NotAuthorizedException",
    }
    assert (
        refusal(call, "ForgotPassword", ClientId=client["ClientId"], Username="ann")[0] == "InvalidParameterException"
    )
    # The code that went to the old address is void with it.
    request = {
        "ClientId": client["ClientId"],
        "Username": "ann",
        "ConfirmationCode": code,
        "Password": "Battery-Staple-2",
    }
    assert refusal(call, "ConfirmForgotPassword", **request)[0] == "ExpiredCodeException"


def test_29_an_old_code_verifies_no_new_address(call, signed_in, inbox):
    """Row 29: a code that went to one address does not verify another."""
    pool_id, _, token = signed_in()
    call("UpdateUserAttributes", AccessToken=token, UserAttributes=listed(email="mine29@example.com"))
    code = inbox("mine29@example.com")[-1].code
    call("UpdateUserAttributes", AccessToken=token, UserAttributes=listed(email="victim29@example.com"))
    told = refusal(call, "VerifyUserAttribute", AccessToken=token, AttributeName="email", Code=code)[0]
    assert told in {"CodeMismatchException", "ExpiredCodeException"}
    assert seen(call, pool_id)["email_verified"] == "false"


def test_29_an_alias_is_taken_once(call, signed_in, user, app):
    """Row 29: nobody verifies, or signs up with, an address that is somebody else's sign-in name."""
    pool_id, client, _ = signed_in(AliasAttributes=["email"])
    user(pool_id, "eve", email="eve29@example.com", email_verified="true")
    token = sign_in(call, client, "eve")["AccessToken"]
    call("UpdateUserAttributes", AccessToken=token, UserAttributes=listed(email="ann29@example.com"))
    assert claims(sign_in(call, client, "ann29@example.com")["AccessToken"])["username"] == "ann"
    request = {"UserPoolId": pool_id, "Username": "eve"}
    verified = [{"Name": "email_verified", "Value": "true"}]
    told = refusal(call, "AdminUpdateUserAttributes", **request, UserAttributes=verified)[0]
    assert told == "AliasExistsException"


def test_29_a_taken_address_is_not_verified_by_its_code(call, signed_in, user, inbox):
    """Row 29: even with the right code an address that is another user's alias stays with that user."""
    pool_id, client, _ = signed_in(AliasAttributes=["email"])
    user(pool_id, "eve", email="eve29c@example.com", email_verified="true")
    token = sign_in(call, client, "eve")["AccessToken"]
    call("UpdateUserAttributes", AccessToken=token, UserAttributes=listed(email="ann29@example.com"))
    code = inbox("ann29@example.com")[-1].code
    told = refusal(call, "VerifyUserAttribute", AccessToken=token, AttributeName="email", Code=code)[0]
    assert told == "AliasExistsException"
    assert claims(sign_in(call, client, "ann29@example.com")["AccessToken"])["username"] == "ann"


# Row 30: filters.

INJECTIONS = (
    'email = "x" or "1"="1"', 'email = "x" OR sub = "y"', "email = 'x'", 'email ^= "%"', 'email ^= "_"', 'email ^= "*"',
    'email = "%"', 'email = "ann29@example.com\\"', 'email = "x\\" or \\"1\\"=\\"1"', 'email = "x"; DROP TABLE users; --',
    'email = "x" --', 'email = "x" /*', 'email = "\' OR \'1\'=\'1"', 'email) = "x"', 'u.details ^= ""',
    'details ^= ""', 'password ^= ""', 'pool_id = "x"', 'email ^= "a" UNION SELECT 1', 'email = "\\u0000"',
    'email =~ ".*"', 'email != "x"', 'email > ""', '1 = "1"', '"email" = "x"', 'email ^= "\x00"', 'email ^= "\U0010ffff"',
    'name = "${jndi:ldap://evil}"', 'name = "{{7*7}}"', 'email ^= "' + "x" * 200 + '"',
)  # fmt: skip


def test_30_filters_are_one_condition(call, signed_in, user, cognito):
    """Row 30: no filter finds users that its one condition does not name."""
    pool_id, _, _ = signed_in()
    user(pool_id, "per%cent", email="per%cent@example.com")
    user(pool_id, "under_score", email="under_score@example.com")
    found = {}
    for text in INJECTIONS:
        try:
            answer = call("ListUsers", UserPoolId=pool_id, Filter=text)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "InvalidParameterException", text
            continue
        found[text] = [entry["Username"] for entry in answer["Users"]]
    assert set(map(tuple, found.values())) <= {()}, found
    for text, expected in (('email ^= "per%"', ["per%cent"]), ('username ^= "under_"', ["under_score"])):
        assert [u["Username"] for u in call("ListUsers", UserPoolId=pool_id, Filter=text)["Users"]] == expected
