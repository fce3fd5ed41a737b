"""Levels of authentication: asked for, reached, and told by tokens (spec/api/10 §9, spec/http/04 §4.11)."""

import pytest

from poolhouse.core.claims import API_SCOPE
from tests.authenticator import Authenticator
from tests.conftest import PASSWORD
from tests.operations.chooser import CHOICE, RP, Chooser, first_factors, options_of
from tests.operations.owner import ON, TOTP, Owner
from tests.operations.test_groups import claims

L1, L2, L3, L4 = (f"urn:cognito:loa:{level}" for level in range(1, 5))
INVALID = ("NotAuthorizedException", "Invalid Access Token")


@pytest.fixture
def stepper(server, call, pool, app, user):
    """A user with a password, a passkey and an authenticator app."""

    server.clock.advance(31 - server.clock.now() // 1000 % 30)

    def make(**settings):
        pool_id = pool(**first_factors("WEB_AUTHN"), **settings)
        call("SetUserPoolMfaConfig", UserPoolId=pool_id, MfaConfiguration="OPTIONAL", WebAuthnConfiguration=RP, **TOTP)
        ann = Chooser(call, app(pool_id, ExplicitAuthFlows=CHOICE), user(pool_id))
        ann.pool_id, ann.token = pool_id, ann.registers()
        ann.owner = Owner(server, call, ann.client, pool_id, ann.username)
        ann.owner.has_an_app()
        return ann

    return make


def told(answer):
    """What both tokens say of the level and the methods."""
    made = answer["AuthenticationResult"]
    access, identity = claims(made["AccessToken"]), claims(made["IdToken"])
    assert access.get("acr") == identity.get("acr")
    assert access.get("amr") == identity.get("amr")
    return access.get("acr"), access.get("amr")


def by_passkey(ann, asked):
    return ann.answers(asked, CREDENTIAL=ann.authenticator.get(options_of(asked)))


def test_tokens_tell_the_level_that_was_asked_about(stepper, call):
    """They name level and methods where the sign-in named levels, however few it reached, and so do refreshed ones."""
    ann = stepper(AcrConfiguration={"Level3": {"AcrValue": "urn:x:strong"}})
    assert told(ann.begins("PASSWORD", PASSWORD=PASSWORD)) == (None, None)
    assert told(ann.begins("PASSWORD", PASSWORD=PASSWORD, TARGET_ACR_VALUES=L1)) == (L1, ["pwd"])
    made = by_passkey(ann, ann.begins("WEB_AUTHN", TARGET_ACR_VALUES=f"nonsense {L2}"))
    assert told(made) == ("urn:x:strong", ["swk"])
    refresh = {"REFRESH_TOKEN": made["AuthenticationResult"]["RefreshToken"]}
    members = {"ClientId": ann.client["ClientId"], "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": refresh}
    assert told(call("InitiateAuth", **members)) == ("urn:x:strong", ["swk"])
    # Without a second factor that is on, the fourth level is out of reach, and the next one wanted is what counts.
    assert told(ann.begins("PASSWORD", PASSWORD=PASSWORD, TARGET_ACR_VALUES=f"{L4} {L1}")) == (L1, ["pwd"])


def test_tokens_tell_what_kind_of_passkey_it_was(stepper, call):
    """One that is carried along is hwk, one of the device itself swk (spec/http/04 §4.11)."""
    ann = stepper()
    assert told(by_passkey(ann, ann.begins("WEB_AUTHN", TARGET_ACR_VALUES=L3))) == (L3, ["swk"])
    ann.authenticator = Authenticator()
    options = call("StartWebAuthnRegistration", AccessToken=ann.token)["CredentialCreationOptions"]
    roaming = ann.authenticator.create(options, authenticatorAttachment="cross-platform")
    call("CompleteWebAuthnRegistration", AccessToken=ann.token, Credential=roaming)
    assert told(by_passkey(ann, ann.begins("WEB_AUTHN", TARGET_ACR_VALUES=L3))) == (L3, ["hwk"])


def test_a_level_decides_what_is_asked(stepper, server):
    """Only what leads to the level is there to choose, and the factor that reaches it is asked for."""
    ann = stepper()
    ann.owner.does("SetUserMFAPreference", SoftwareTokenMfaSettings=ON)
    asked = ann.begins("WEB_AUTHN", TARGET_ACR_VALUES=f"{L4} {L3}")
    assert (asked["ChallengeName"], asked["AvailableChallenges"]) == ("SELECT_CHALLENGE", ["PASSWORD_SRP", "PASSWORD"])
    asked = ann.answers(asked, ANSWER="PASSWORD", PASSWORD=PASSWORD)
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    made = ann.answers(asked, SOFTWARE_TOKEN_MFA_CODE=ann.owner.code(late=30))
    assert told(made) == (L4, ["pwd", "otp", "mfa"])


def test_an_access_token_spares_what_it_shows(stepper, server):
    """Who has shown the password is asked for the app only; the tokens are new, and of now."""
    ann = stepper()
    ann.owner.does("SetUserMFAPreference", SoftwareTokenMfaSettings=ON)
    first = claims(ann.token)
    server.clock.advance(60)
    wanted = {"ACCESS_TOKEN": ann.token, "TARGET_ACR_VALUES": L4}
    asked = ann.begins(**wanted)
    assert (asked["ChallengeName"], "AvailableChallenges" in asked) == ("SOFTWARE_TOKEN_MFA", False)
    made = ann.answers(asked, SOFTWARE_TOKEN_MFA_CODE=ann.owner.code())
    assert told(made) == (L4, ["pwd", "otp", "mfa"])
    second = claims(made["AuthenticationResult"]["AccessToken"])
    assert second["auth_time"] - first["auth_time"] >= 60
    assert second["origin_jti"] != first["origin_jti"]
    assert made["AuthenticationResult"]["RefreshToken"]
    asked = ann.begins(**wanted, MAX_AGE="3600")
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert ann.begins(**wanted, MAX_AGE="59")["ChallengeName"] == "SELECT_CHALLENGE"


def test_an_access_token_never_spares_everything(stepper):
    """One that has reached the level counts for nothing, or a stolen one would live for ever."""
    ann = stepper()
    asked = ann.begins(ACCESS_TOKEN=ann.token, TARGET_ACR_VALUES=L1)
    assert asked["ChallengeName"] == "SELECT_CHALLENGE"
    asked = ann.begins("WEB_AUTHN", ACCESS_TOKEN=ann.token, TARGET_ACR_VALUES=L3)
    assert asked["AvailableChallenges"] == ["WEB_AUTHN"]
    assert told(by_passkey(ann, asked)) == (L3, ["pwd", "swk", "mfa"])


def bared(event, context):
    """A function that takes the scope of the API from tokens where the client asks for that."""
    if event["request"].get("clientMetadata"):
        changes = {"accessTokenGeneration": {"scopesToSuppress": [API_SCOPE]}}
        event["response"]["claimsAndScopeOverrideDetails"] = changes
    return event


def test_whose_access_token_it_is(stepper, call, app, server, functions):
    """It is the user's own, of this client, unexpired, and with the scope of the API."""
    function = {"LambdaVersion": "V2_0", "LambdaArn": functions.add(bared)}
    ann = stepper(LambdaConfig={"PreTokenGenerationConfig": function})
    wanted = {"TARGET_ACR_VALUES": L4}
    answer = ann.reply(ann.begins(), ANSWER="PASSWORD", PASSWORD=PASSWORD)
    bare = ann.call("RespondToAuthChallenge", **answer, ClientMetadata={"scope": "none"})["AuthenticationResult"]
    unscoped = ("NotAuthorizedException", "Access Token does not have required scopes")
    assert ann.may_not_begin(ACCESS_TOKEN=bare["AccessToken"], **wanted) == unscoped
    other = Chooser(call, app(ann.pool_id, ExplicitAuthFlows=CHOICE), ann.username)
    theirs = other.begins("PASSWORD", PASSWORD=PASSWORD)["AuthenticationResult"]["AccessToken"]
    stranger = stepper()
    for token in (theirs, stranger.token, "a.b.c"):
        assert ann.may_not_begin(ACCESS_TOKEN=token, **wanted) == INVALID
    call("AdminUserGlobalSignOut", UserPoolId=ann.pool_id, Username=ann.username)
    revoked = ("NotAuthorizedException", "Access Token has been revoked")
    assert ann.may_not_begin(ACCESS_TOKEN=ann.token, **wanted) == revoked
    server.clock.advance(3601)
    expired = ("NotAuthorizedException", "Access Token has expired")
    assert stranger.may_not_begin(ACCESS_TOKEN=stranger.token, **wanted) == expired


def test_parameters_that_are_wrong(stepper):
    """A token needs levels, at least one of them known; an age is a number."""
    ann = stepper()
    for parameters in (
        {"ACCESS_TOKEN": ann.token},
        {"TARGET_ACR_VALUES": "nonsense"},
        {"TARGET_ACR_VALUES": L1, "MAX_AGE": "soon"},
        {"TARGET_ACR_VALUES": L1, "MAX_AGE": "-1"},
    ):
        assert ann.may_not_begin(**parameters)[0] == "InvalidParameterException"
