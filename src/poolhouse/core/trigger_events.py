"""The event that a function of a pool gets, and where in a reply its answer is (spec/api/06 §1)."""

import re
from collections.abc import Mapping
from typing import Any

from poolhouse.core.pool import Pool
from poolhouse.model import InvalidLambdaResponseException, LambdaConfigType

# What stands for the client of an administrator's request.
NO_CLIENT = "CLIENT_ID_NOT_APPLICABLE"
UNKNOWN_SDK = "aws-sdk-unknown-unknown"
UNRECOGNIZABLE = "Unrecognizable lambda output"
# Triggers by the name that errors call them, the members of LambdaConfig that name the function (the one that counts
# first), and the ``response`` that the function finds in its event.
MEMBERS: dict[str, tuple[str, ...]] = {
    "PreSignUp": ("pre_sign_up",),
    "PostConfirmation": ("post_confirmation",),
    "PreAuthentication": ("pre_authentication",),
    "PostAuthentication": ("post_authentication",),
    "DefineAuthChallenge": ("define_auth_challenge",),
    "CreateAuthChallenge": ("create_auth_challenge",),
    "VerifyAuthChallengeResponse": ("verify_auth_challenge_response",),
    "PreTokenGeneration": ("pre_token_generation_config", "pre_token_generation"),
    "UserMigration": ("user_migration",),
    "CustomMessage": ("custom_message",),
    "CustomEmailSender": ("custom_email_sender",),
    "CustomSMSSender": ("custom_sms_sender",),
    "InboundFederation": ("inbound_federation",),
}
_RESPONSES: dict[str, dict[str, Any]] = {
    "PreSignUp": {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
    "DefineAuthChallenge": {"challengeName": None, "issueTokens": None, "failAuthentication": None},
    "CreateAuthChallenge": {
        "publicChallengeParameters": None,
        "privateChallengeParameters": None,
        "challengeMetadata": None,
    },
    "VerifyAuthChallengeResponse": {"answerCorrect": None},
    "PreTokenGeneration": {"claimsOverrideDetails": None},
    "UserMigration": {
        "userAttributes": None,
        "forceAliasCreation": None,
        "enableSMSMFA": None,
        "finalUserStatus": None,
        "messageAction": None,
        "desiredDeliveryMediums": None,
    },
    "CustomMessage": {"smsMessage": None, "emailMessage": None, "emailSubject": None},
    "InboundFederation": {"userAttributesToMap": {}},
}
# The part of a trigger source before its underscore, where errors call the trigger by another name.
_NAMES = {"TokenGeneration": "PreTokenGeneration"}
# Versions 2 and 3 of pre token generation answer in another member.
_LATER_RESPONSE = {"claimsAndScopeOverrideDetails": None}
# SDKs call themselves ``aws-sdk-js/3.100.0`` or ``Boto3/1.35.0``; only the former is a name that Cognito shows.
_SDK = re.compile(r"\b(aws-sdk-[a-z0-9-]{1,30})/(\d[\w.+-]{0,30})", re.ASCII)


def trigger_of(source: str) -> str:
    """Return the trigger of a source such as ``PreSignUp_SignUp``, by the name that errors call it."""
    prefix = source.partition("_")[0]
    return _NAMES.get(prefix, prefix)


def find_function(configuration: LambdaConfigType | None, trigger: str) -> str | None:
    """Return the ARN of the function that a pool has for a trigger such as ``PreSignUp``; None without one."""
    for member in MEMBERS[trigger]:
        named = getattr(configuration, member, None)
        if named:
            arn: str = getattr(named, "lambda_arn", named)
            return arn
    return None


def pre_token_version(configuration: LambdaConfigType | None) -> str:
    """Return the version of the pre token generation event that a pool asks for: ``1``, ``2`` or ``3``."""
    configured = configuration and configuration.pre_token_generation_config
    return configured.lambda_version.removeprefix("V").partition("_")[0] if configured else "1"


def make_event(
    pool: Pool,
    source: str,
    request: Mapping[str, Any],
    *,
    username: str | None,
    client_id: str | None,
    user_agent: str = "",
) -> dict[str, Any]:
    """Return the whole event of a trigger source around its ``request``, with an answer that changes nothing.

    ``username`` is the stored user name, or the name given where there is no user yet. ``client_id`` is None where
    an administrator asks.
    """
    of_tokens = trigger_of(source) == "PreTokenGeneration"
    return fill_event(
        source,
        request,
        version=pre_token_version(pool.settings.lambda_config) if of_tokens else "1",
        region=pool.seat_region,
        pool_id=pool.id,
        username=username,
        client_id=client_id,
        user_agent=user_agent,
    )


def fill_event(
    source: str,
    request: Mapping[str, Any],
    *,
    version: str,
    region: str,
    pool_id: str,
    username: str | None,
    client_id: str | None,
    user_agent: str = "",
) -> dict[str, Any]:
    """Return an event as ``make_event`` does, where there need not be a pool."""
    sdk = _SDK.search(user_agent[:512])
    return {
        "version": version,
        "triggerSource": source,
        "region": region,
        "userPoolId": pool_id,
        "userName": username,
        "callerContext": {
            "awsSdkVersion": f"{sdk[1]}-{sdk[2]}" if sdk else UNKNOWN_SDK,
            "clientId": client_id or NO_CLIENT,
        },
        "request": dict(request),
        "response": dict(_LATER_RESPONSE if version != "1" else _RESPONSES.get(trigger_of(source), {})),
    }


def response_of(reply: Any) -> dict[str, Any]:
    """Return the ``response`` of what a function returned, which must be the event (spec/api/06 §1.2).

    Raises InvalidLambdaResponseException.
    """
    response = reply.get("response") if isinstance(reply, dict) else None
    if not isinstance(response, dict):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE)
    return response
