"""aws-amplify from npm, unmodified: userPoolEndpoint is the only setting beside the pool and the client."""

import pytest

from tests.clients.colour import COLOUR, lambda_config
from tests.clients.conftest import ROTATING
from tests.conftest import PASSWORD
from tests.operations.chooser import RP, first_factors
from tests.operations.owner import EVERYTHING, SENDER
from tests.operations.talk import refusal

WITH_APP = ["CONFIRM_SIGN_IN_WITH_TOTP_CODE", "DONE"]
CHOOSE, CHOOSE_SECOND = "CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION", "CONTINUE_SIGN_IN_WITH_MFA_SELECTION"
SIGNED_OUT = ("NotAuthorizedException", "Access Token has been revoked")
pytestmark = pytest.mark.clients


@pytest.fixture
def everything(pool, app, call):
    """Make a pool that offers every factor, with a client whose refresh tokens rotate."""

    def make(**settings):
        pool_id = pool(EmailConfiguration=SENDER, AutoVerifiedAttributes=["email"], **settings)
        offered = EVERYTHING | {"WebAuthnConfiguration": RP}
        call("SetUserPoolMfaConfig", UserPoolId=pool_id, MfaConfiguration="OPTIONAL", **offered)
        return pool_id, app(pool_id, **ROTATING)["ClientId"]

    return make


def test_amplify_signs_in(node, server, everything, user, answers, call, functions):
    """Amplify signs in in every way but choice, remembers its device, rotates its tokens and signs out everywhere."""
    pool_id, client_id = everything(
        LambdaConfig=lambda_config(functions),
        DeviceConfiguration={"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": True},
    )
    ann, bob = user(pool_id, email="ann@example.org"), user(pool_id)

    ids = (pool_id, client_id, ann, bob)
    found = node("amplify.mjs", server.url, *ids, PASSWORD, COLOUR, dialogue=answers)

    assert (found["srp"], found["username"]) == (["DONE"], ann)
    assert found["attributes"]["email"] == "ann@example.org"
    assert len(set(found["tokens"])) == 3
    assert found["totp"] == WITH_APP
    assert len(found["devices"]) == 1
    assert found["remembered"] == [
        ["DONE"],
        ["RevokeToken", "InitiateAuth", "PASSWORD_VERIFIER", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"],
    ]
    assert found["password"] == [
        ["DONE"],
        ["RevokeToken", "InitiateAuth", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"],
    ]
    assert found["forgotten"] == WITH_APP
    assert found["custom"] == [["CONFIRM_SIGN_IN_WITH_CUSTOM_CHALLENGE", "DONE"]] * 2
    access, refresh = found["signedOut"]
    assert refusal(call, "GetUser", AccessToken=access) == SIGNED_OUT
    for token in (refresh, *found["tokens"]):
        members = {"ClientId": client_id, "RefreshToken": token}
        assert refusal(call, "GetTokensFromRefreshToken", **members)[0] == "NotAuthorizedException"


def test_amplify_chooses_how_to_sign_in(node, server, everything, user, answers):
    """Amplify signs up and in at once, chooses among first and second factors, makes a passkey and signs in by it."""
    pool_id, client_id = everything(**first_factors("EMAIL_OTP", "WEB_AUTHN"))
    dan = user(pool_id, email="dan-cora@example.org", email_verified="true", phone_number="+15550172")

    people = ("cora", dan, PASSWORD, "cora@example.org", "+15550172")
    found = node("amplify_choice.mjs", server.url, pool_id, client_id, *people, dialogue=answers)

    assert found["joined"] == ["CONFIRM_SIGN_UP", "COMPLETE_AUTO_SIGN_IN", "DONE", "InitiateAuth"]
    assert found["joinedByPassword"] == [*found["joined"], "PASSWORD_VERIFIER"]
    assert found["offered"] == ["PASSWORD_SRP", "PASSWORD", "EMAIL_OTP"]
    assert found["chosen"] == {
        "EMAIL_OTP": [CHOOSE, "CONFIRM_SIGN_IN_WITH_EMAIL_CODE", "DONE"],
        "PASSWORD": [CHOOSE, "CONFIRM_SIGN_IN_WITH_PASSWORD", "DONE"],
        "PASSWORD_SRP": [CHOOSE, "CONFIRM_SIGN_IN_WITH_PASSWORD", "DONE"],
    }
    assert found["preferred"] == {
        "EMAIL_OTP": ["CONFIRM_SIGN_IN_WITH_EMAIL_CODE", "DONE"],
        "PASSWORD": ["DONE"],
        "PASSWORD_SRP": ["DONE"],
    }
    [passkey] = found["passkeys"]
    assert passkey["relyingPartyId"] == RP["RelyingPartyId"]
    assert found["passkey"] == [["DONE"], [CHOOSE, "DONE"]]
    assert found["second"] == [
        [CHOOSE_SECOND, "CONFIRM_SIGN_IN_WITH_SMS_CODE", "DONE"],
        [CHOOSE_SECOND, "CONFIRM_SIGN_IN_WITH_EMAIL_CODE", "DONE"],
        ["CONFIRM_SIGN_IN_WITH_SMS_CODE", "DONE"],
    ]
