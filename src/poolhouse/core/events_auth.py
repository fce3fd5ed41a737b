"""The events of the triggers around signing in (spec/api/06 §1.1, §5, §6, §8)."""

from enum import StrEnum
from typing import Any

from poolhouse.core.client import Client
from poolhouse.core.pool import Pool
from poolhouse.core.session import Session
from poolhouse.core.user import User

MACHINE_NAME = "ClientCredentials"
EVENT_VERSIONS = {"V1_0": "1", "V2_0": "2", "V3_0": "3"}


class TokenSource(StrEnum):
    """Why tokens are made: the source that the pre token generation trigger sees."""

    HOSTED = "TokenGeneration_HostedAuth"
    SIGN_IN = "TokenGeneration_Authentication"
    NEW_PASSWORD = "TokenGeneration_NewPasswordChallenge"
    DEVICE = "TokenGeneration_AuthenticateDevice"
    REFRESH = "TokenGeneration_RefreshTokens"
    CLIENT_CREDENTIALS = "TokenGeneration_ClientCredentials"


def pre_authentication_event(
    pool: Pool, client: Client, username: str, user: User | None, validation_data: dict[str, str] | None
) -> dict[str, Any]:
    """Return the event before anything of a sign-in is checked; ``user`` is None where the client conceals that."""
    request: dict[str, Any] = {"userAttributes": user_attributes(user), "validationData": validation_data}
    if client.conceals_users:
        request["userNotFound"] = user is None
    return _envelope(pool, client, "PreAuthentication_Authentication", username, request, {})


def post_authentication_event(
    pool: Pool, client: Client, user: User, client_metadata: dict[str, str] | None
) -> dict[str, Any]:
    """Return the event after a sign-in whose every step is passed."""
    request: dict[str, Any] = {"userAttributes": user_attributes(user), "newDeviceUsed": False}
    if client_metadata:
        request["clientMetadata"] = client_metadata
    return _envelope(pool, client, "PostAuthentication_Authentication", user.username, request, {})


def define_challenge_event(pool: Pool, client: Client, username: str, user: User | None) -> dict[str, Any]:
    """Return the first event of custom authentication, which asks what to ask."""
    request: dict[str, Any] = {"userAttributes": user_attributes(user), "session": []}
    if client.conceals_users:
        request["userNotFound"] = user is None
    response = {"challengeName": None, "issueTokens": None, "failAuthentication": None}
    return _envelope(pool, client, "DefineAuthChallenge_Authentication", username, request, response)


def pre_token_event(
    pool: Pool,
    client: Client,
    user: User | None,
    session: Session | None,
    source: str,
    client_metadata: dict[str, str] | None,
) -> dict[str, Any]:
    """Return the event before tokens are made. ``user`` and ``session`` are None for client credentials."""
    configured = pool.settings.lambda_config and pool.settings.lambda_config.pre_token_generation_config
    version = EVENT_VERSIONS[configured.lambda_version] if configured else "1"
    groups = {"groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": None} if user else None
    request: dict[str, Any] = {"userAttributes": user_attributes(user), "groupConfiguration": groups}
    if version != "1" and session:
        request["scopes"] = list(session.scopes)
    if client_metadata:
        request["clientMetadata"] = client_metadata
    response = {"claimsOverrideDetails" if version == "1" else "claimsAndScopeOverrideDetails": None}
    username = user.username if user else MACHINE_NAME
    return _envelope(pool, client, source, username, request, response) | {"version": version}


def user_attributes(user: User | None) -> dict[str, str]:
    """Return a user's attributes as triggers see them: strings, with ``sub`` and the status; none for no user."""
    if user is None:
        return {}
    return {"sub": user.sub, "cognito:user_status": user.status.value} | user.attributes


def _envelope(
    pool: Pool, client: Client, source: str, username: str, request: dict[str, Any], response: dict[str, Any]
) -> dict[str, Any]:
    return {
        "version": "1",
        "triggerSource": source,
        "region": pool.region,
        "userPoolId": pool.id,
        "userName": username,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client.id},
        "request": request,
        "response": response,
    }
