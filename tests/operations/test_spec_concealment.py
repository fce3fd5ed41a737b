"""Which operations tell that a user does not exist, and which conceal it (spec/api/03 §4)."""

import base64
import re
from uuid import UUID

import pytest

from tests.operations.talk import (
    DISABLED,
    EXPIRED,
    MISMATCH,
    NO_COMBINATION,
    NO_USER,
    OTHER_PASSWORD,
    PASSWORD,
    WRONG_PASSWORD,
    refusal,
    sign_in_refusal,
    sign_up,
)

POOL = {"AutoVerifiedAttributes": ["email"]}
SRP_A = "a" * 700
NOT_CONFIRMED = ("UserNotConfirmedException", "User is not confirmed.")
INVALID_SESSION = ("NotAuthorizedException", "Invalid session for the user.")
RESET_NEEDED = ("PasswordResetRequiredException", "Password reset required for the user")


@pytest.fixture
def telling(pool, app):
    """A pool, a client that tells who exists, and one that conceals it."""
    pool_id = pool(**POOL)
    return pool_id, app(pool_id), app(pool_id, PreventUserExistenceErrors="ENABLED")


def start(client, flow, username="nobody", **parameters):
    return {
        "ClientId": client["ClientId"],
        "AuthFlow": flow,
        "AuthParameters": {"USERNAME": username, **parameters},
    }


def of(client, **members):
    return {"ClientId": client["ClientId"], "Username": "nobody", **members}


def test_password_sign_in(call, telling):
    """spec/api/03 §4: unknown users are told by LEGACY, and have a wrong password by ENABLED."""
    pool_id, legacy, concealing = telling
    for client, told in ((legacy, NO_USER), (concealing, WRONG_PASSWORD)):
        members = start(client, "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)
        assert refusal(call, "InitiateAuth", **members) == told
        members = start(client, "ADMIN_USER_PASSWORD_AUTH", PASSWORD=PASSWORD)
        assert refusal(call, "AdminInitiateAuth", UserPoolId=pool_id, **members) == told


def test_srp_sign_in(call, telling):
    """spec/api/03 §4: ENABLED asks for a proof with a salt and an id that stay the same, B does not."""
    _, legacy, concealing = telling
    assert refusal(call, "InitiateAuth", **start(legacy, "USER_SRP_AUTH", SRP_A=SRP_A)) == NO_USER

    one, two, other = (
        call("InitiateAuth", **start(concealing, "USER_SRP_AUTH", name, SRP_A=SRP_A))
        for name in ("nobody", "nobody", "else")
    )

    assert one["ChallengeName"] == "PASSWORD_VERIFIER"
    first, again, another = (answer["ChallengeParameters"] for answer in (one, two, other))
    assert first["SALT"] == again["SALT"] != another["SALT"]
    assert first["USER_ID_FOR_SRP"] == again["USER_ID_FOR_SRP"] != another["USER_ID_FOR_SRP"]
    assert first["SRP_B"] != again["SRP_B"]
    assert str(UUID(first["USER_ID_FOR_SRP"])) == first["USER_ID_FOR_SRP"] == first["USERNAME"]
    responses = {
        "USERNAME": first["USER_ID_FOR_SRP"],
        "PASSWORD_CLAIM_SECRET_BLOCK": first["SECRET_BLOCK"],
        "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(bytes(32)).decode(),
        "TIMESTAMP": "Tue Feb 3 04:05:06 UTC 2026",
    }
    members = {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": responses}
    assert refusal(call, "RespondToAuthChallenge", ClientId=concealing["ClientId"], **members) == WRONG_PASSWORD


@pytest.fixture
def concealed(call, pool, app, user):
    """A client that conceals the users of a pool of addresses, and the names of one user, a disabled one and nobody."""
    pool_id = pool(UsernameAttributes=["email"], UsernameConfiguration={"CaseSensitive": False})
    for name in ("ann@x.org", "off@x.org"):
        user(pool_id, name, email_verified="true")
    call("AdminDisableUser", UserPoolId=pool_id, Username="off@x.org")
    flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    return app(pool_id, ExplicitAuthFlows=flows, PreventUserExistenceErrors="ENABLED")


def proof_of(parameters):
    """A wrong proof of the password, in its right form."""
    return {
        "PASSWORD_CLAIM_SECRET_BLOCK": parameters["SECRET_BLOCK"],
        "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(bytes(32)).decode(),
        "TIMESTAMP": "Tue Feb 3 04:05:06 UTC 2026",
    }


@pytest.mark.parametrize("name", ["ann@x.org", "off@x.org", "bob@x.org"])
def test_nobody_has_no_other_names(call, concealed, name):
    """spec/api/04 §6: a sign-in goes on by names of its user only, whether or not there is such a user."""
    by_srp = call("InitiateAuth", **start(concealed, "USER_SRP_AUTH", name, SRP_A=SRP_A))
    by_choice = call("InitiateAuth", **start(concealed, "USER_AUTH", name))

    def told(asked, username, **responses):
        session = {"Session": asked["Session"]} if "Session" in asked else {}
        members = {"ClientId": concealed["ClientId"], "ChallengeName": asked["ChallengeName"], **session}
        return refusal(
            call, "RespondToAuthChallenge", **members, ChallengeResponses={"USERNAME": username, **responses}
        )

    parameters = by_srp["ChallengeParameters"]
    for username in (name, name.upper(), parameters["USER_ID_FOR_SRP"]):
        assert told(by_srp, username, **proof_of(parameters)) == WRONG_PASSWORD
    assert told(by_choice, name, ANSWER="PASSWORD", PASSWORD=OTHER_PASSWORD) == WRONG_PASSWORD
    for username in ("nobody@x.org", "else", name.replace(name[0], "c", 1)):
        assert told(by_srp, username, **proof_of(parameters)) == INVALID_SESSION
        assert told(by_choice, username, ANSWER="PASSWORD", PASSWORD=PASSWORD) == INVALID_SESSION


@pytest.mark.parametrize("name", ["ann@x.org", "off@x.org", "bob@x.org"])
def test_srp_tells_one_story(call, concealed, name):
    """spec/api/03 §4: name and salt are the same in each flow, of users who may not sign in as of nobody."""
    by_srp = call("InitiateAuth", **start(concealed, "USER_SRP_AUTH", name, SRP_A=SRP_A))
    chosen = {"PREFERRED_CHALLENGE": "PASSWORD_SRP", "SRP_A": SRP_A}
    by_choice = call("InitiateAuth", **start(concealed, "USER_AUTH", name, **chosen))
    for part in ("SALT", "USERNAME", "USER_ID_FOR_SRP"):
        assert by_srp["ChallengeParameters"][part] == by_choice["ChallengeParameters"][part]


def test_recovery(call, telling):
    """spec/api/03 §4: ENABLED answers a delivery, then a wrong code; without a request the code is late."""
    _, legacy, concealing = telling
    confirming = {"ConfirmationCode": "123456", "Password": OTHER_PASSWORD}
    assert refusal(call, "ForgotPassword", **of(legacy)) == NO_COMBINATION
    assert refusal(call, "ConfirmForgotPassword", **of(legacy, **confirming)) == NO_COMBINATION

    assert refusal(call, "ConfirmForgotPassword", **of(concealing, **confirming)) == EXPIRED
    details = call("ForgotPassword", **of(concealing))["CodeDeliveryDetails"]
    assert details["AttributeName"] == "email"
    assert details["DeliveryMedium"] == "EMAIL"
    assert re.fullmatch(r"[a-z]\*\*\*@[a-z]\*\*\*", details["Destination"])
    assert refusal(call, "ConfirmForgotPassword", **of(concealing, **confirming)) == MISMATCH


def test_confirmation(call, telling):
    """spec/api/03 §4: ENABLED answers a delivery for a resend, and a late code for a confirmation."""
    _, legacy, concealing = telling
    assert refusal(call, "ResendConfirmationCode", **of(legacy)) == NO_COMBINATION
    assert refusal(call, "ConfirmSignUp", **of(legacy, ConfirmationCode="123456")) == NO_COMBINATION

    details = call("ResendConfirmationCode", **of(concealing))["CodeDeliveryDetails"]
    assert details == call("ForgotPassword", **of(concealing))["CodeDeliveryDetails"]
    assert refusal(call, "ConfirmSignUp", **of(concealing, ConfirmationCode="123456")) == EXPIRED


def test_a_taken_name_is_always_told(call, telling):
    """spec/api/03 §4: SignUp says that a name is taken to every client."""
    for number, client in enumerate(telling[1:]):
        sign_up(call, client, f"taken-{number}")
        members = {"ClientId": client["ClientId"], "Username": f"taken-{number}", "Password": PASSWORD}
        assert refusal(call, "SignUp", **members) == ("UsernameExistsException", "User already exists")


@pytest.mark.parametrize(
    ("state", "legacy_says", "concealing_says"),
    [
        ("unconfirmed", NOT_CONFIRMED, NOT_CONFIRMED),
        ("reset", RESET_NEEDED, WRONG_PASSWORD),
        ("disabled", DISABLED, WRONG_PASSWORD),
    ],
)
def test_states_at_sign_in(call, telling, user, state, legacy_says, concealing_says):
    """spec/api/03 §1.2 and §4: states are told before the password counts; ENABLED conceals all but one."""
    pool_id, legacy, concealing = telling
    if state == "unconfirmed":
        sign_up(call, legacy, "ann")
    else:
        user(pool_id, "ann", email="ann@x.org", email_verified="true")
        operation = "AdminResetUserPassword" if state == "reset" else "AdminDisableUser"
        call(operation, UserPoolId=pool_id, Username="ann")

    for password in (PASSWORD, OTHER_PASSWORD):
        assert sign_in_refusal(call, legacy, "ann", password) == legacy_says
        assert sign_in_refusal(call, concealing, "ann", password) == concealing_says


def test_disabled_users_everywhere(call, telling, user):
    """spec/api/03 §1.2 and §4: a disabled user is told, or looks like one who is not there."""
    pool_id, legacy, concealing = telling
    user(pool_id, "ann", email="ann@x.org", email_verified="true")
    call("AdminDisableUser", UserPoolId=pool_id, Username="ann")
    ann = {"Username": "ann"}
    confirming = {"ConfirmationCode": "123456", "Password": OTHER_PASSWORD}

    assert refusal(call, "ForgotPassword", **of(legacy, **ann)) == DISABLED
    assert refusal(call, "ConfirmForgotPassword", **of(legacy, **ann, **confirming)) == DISABLED
    assert refusal(call, "ConfirmSignUp", **of(legacy, **ann, ConfirmationCode="123456")) == DISABLED
    assert refusal(call, "ResendConfirmationCode", **of(legacy, **ann)) == DISABLED
    assert call("ForgotPassword", **of(concealing, **ann))["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    assert refusal(call, "ConfirmForgotPassword", **of(concealing, **ann, **confirming)) == MISMATCH
    assert refusal(call, "ConfirmSignUp", **of(concealing, **ann, ConfirmationCode="123456")) == EXPIRED
    assert call("ResendConfirmationCode", **of(concealing, **ann))["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    assert refusal(call, "AdminResetUserPassword", UserPoolId=pool_id, **ann) == DISABLED
    assert refusal(call, "AdminConfirmSignUp", UserPoolId=pool_id, **ann) == DISABLED
    call("AdminSetUserPassword", UserPoolId=pool_id, **ann, Password=OTHER_PASSWORD, Permanent=True)
    shown = call("AdminGetUser", UserPoolId=pool_id, **ann)
    assert (shown["Enabled"], shown["UserStatus"]) == (False, "CONFIRMED")
    listed = call("ListUsers", UserPoolId=pool_id, Filter='status = "Disabled"')["Users"]
    assert [it["Username"] for it in listed] == ["ann"]


def test_simulated_deliveries_follow_the_name(call, pool, app):
    """spec/api/03 §4: a name that is an address seems to get the code, masked as a real one would be."""
    pool_id = pool(UsernameAttributes=["email", "phone_number"], AutoVerifiedAttributes=["email", "phone_number"])
    client = app(pool_id, PreventUserExistenceErrors="ENABLED")
    for name, expected in (
        ("bob@example.com", {"AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "b***@e***"}),
        ("+12025550134", {"AttributeName": "phone_number", "DeliveryMedium": "SMS", "Destination": "+*******0134"}),
    ):
        for operation in ("ForgotPassword", "ResendConfirmationCode"):
            assert call(operation, **of(client, Username=name))["CodeDeliveryDetails"] == expected


@pytest.mark.usefixtures("still_clock")
def test_unknown_users_are_locked_alike(call, telling, user):
    """spec/api/03 §4, §13: five wrong passwords lock a concealed unknown name as they lock a user."""
    pool_id, _, concealing = telling
    user(pool_id, "ann")
    for name in ("ann", "nobody"):
        for _ in range(5):
            assert sign_in_refusal(call, concealing, name, OTHER_PASSWORD) == WRONG_PASSWORD
        locked = ("NotAuthorizedException", "Password attempts exceeded")
        assert sign_in_refusal(call, concealing, name, OTHER_PASSWORD) == locked
