"""Events of nobody in particular, with which operators try their functions (spec/api/06 §2–§11)."""

from typing import Any

from poolhouse.core.events_federation import INBOUND, PRE_SIGN_UP, inbound, pre_sign_up
from poolhouse.core.federation import Assertion
from poolhouse.core.trigger_events import trigger_of

USERNAME = "ann"
CLIENT_ID = "sampleclientsampleclient12"
POOL_ID = "us-east-1_SamplePoo"
_SENT = (
    "SignUp", "ResendCode", "ForgotPassword", "UpdateUserAttribute", "VerifyUserAttribute", "AdminCreateUser",
    "Authentication",
)  # fmt: skip
# Every source there is.
SOURCES = (
    "PreSignUp_SignUp",
    "PreSignUp_AdminCreateUser",
    PRE_SIGN_UP,
    "PostConfirmation_ConfirmSignUp",
    "PostConfirmation_ConfirmForgotPassword",
    "PreAuthentication_Authentication",
    "PostAuthentication_Authentication",
    "DefineAuthChallenge_Authentication",
    "CreateAuthChallenge_Authentication",
    "VerifyAuthChallengeResponse_Authentication",
    "TokenGeneration_HostedAuth",
    "TokenGeneration_Authentication",
    "TokenGeneration_NewPasswordChallenge",
    "TokenGeneration_AuthenticateDevice",
    "TokenGeneration_RefreshTokens",
    "TokenGeneration_ClientCredentials",
    "UserMigration_Authentication",
    "UserMigration_ForgotPassword",
    *(f"CustomMessage_{reason}" for reason in _SENT),
    *(f"CustomEmailSender_{reason}" for reason in (*_SENT, "AccountTakeOverNotification")),
    *(f"CustomSMSSender_{reason}" for reason in _SENT),
    INBOUND,
)
_NEW = {"email": "ann@example.com", "phone_number": "+12025550182"}
_USER = {
    "sub": "11111111-2222-4333-8444-555555555555",
    "cognito:user_status": "CONFIRMED",
    "email_verified": "true",
    "phone_number_verified": "true",
    **_NEW,
}
_NOTIFICATION = {
    "EVENT_ID": "66666666-7777-4888-9999-000000000000",
    "USER_NAME": USERNAME,
    "IP_ADDRESS": "192.0.2.1",
    "ACCOUNT_TAKE_OVER_ACTION": "NO_ACTION",
    "LOGIN_TIME": "2026-01-01T00:00:00Z",
    "DEVICE_NAME": "Firefox on Linux",
}
_REQUESTS: dict[str, dict[str, Any]] = {
    "PreSignUp": {"userAttributes": _NEW, "validationData": None},
    "PreAuthentication": {"validationData": None},
    "PostAuthentication": {"newDeviceUsed": False},
    "DefineAuthChallenge": {"session": []},
    "CreateAuthChallenge": {"challengeName": "CUSTOM_CHALLENGE", "session": []},
    "VerifyAuthChallengeResponse": {"privateChallengeParameters": {"answer": "5"}, "challengeAnswer": "5"},
    "PreTokenGeneration": {
        "groupConfiguration": {"groupsToOverride": ["readers"], "iamRolesToOverride": [], "preferredRole": None},
        "scopes": ["aws.cognito.signin.user.admin"],
    },
    "UserMigration": {"validationData": None, "userAttributes": None},
    "CustomMessage": {"codeParameter": "{####}", "linkParameter": "{##Click Here##}", "usernameParameter": None},
    "CustomEmailSender": {"type": "customEmailSenderRequestV1", "code": None},
    "CustomSMSSender": {"type": "customSMSSenderRequestV1", "code": None},
    "InboundFederation": inbound(
        "Example",
        "OIDC",
        Assertion(
            token_response={"access_token": "5f3a", "token_type": "Bearer", "expires_in": 3600},
            id_token={"iss": "https://example.com", "aud": "1", "sub": "1", "email": "ann@example.com"},
            user_info={"sub": "1", "email": "ann@example.com", "given_name": "Ann"},
        ),
    ),
}
# What one source has that the others of its trigger have not.
_MORE: dict[str, dict[str, Any]] = {
    PRE_SIGN_UP: pre_sign_up({"email": "ann@example.com", "email_verified": "false"}),
    "UserMigration_Authentication": {"password": "Correct-Horse-1"},
    "CustomMessage_AdminCreateUser": {"usernameParameter": "{username}"},
    "CustomEmailSender_AccountTakeOverNotification": {"userAttributes": _NOTIFICATION},
    "TokenGeneration_ClientCredentials": {"userAttributes": {}, "groupConfiguration": None, "scopes": ["api/read"]},
}
# Those that are asked before anything is known of the user.
_NOBODY = frozenset({"UserMigration", "InboundFederation"})


def sample_request(source: str) -> dict[str, Any]:
    """Return the ``request`` of an event of one of the SOURCES, without codes of senders: those are encrypted."""
    trigger = trigger_of(source)
    user = {} if trigger in _NOBODY else {"userAttributes": _USER}
    return user | _REQUESTS.get(trigger, {}) | _MORE.get(source, {})


def sample_secret(source: str) -> str | None:
    """Return what the ``code`` of an event stands for, encrypted for the pool's sender; None where there is none."""
    if not trigger_of(source).endswith("Sender") or source.endswith("_AccountTakeOverNotification"):
        return None
    return "Temporary-1" if source.endswith("_AdminCreateUser") else "123456"
