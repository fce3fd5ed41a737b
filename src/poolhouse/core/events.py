"""The events of the triggers around signing up and recovering (spec/api/06 §1.1, §3, §4, §7)."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from poolhouse.core.client import Client
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.model import InvalidLambdaResponseException, InvalidParameterException

# What admin operations, which know no client, show in place of its id.
NO_CLIENT = "CLIENT_ID_NOT_APPLICABLE"
FLAGS = ("autoConfirmUser", "autoVerifyEmail", "autoVerifyPhone")


class Verdict(Struct, frozen=True, kw_only=True):
    """What the pre sign-up trigger decided."""

    confirmed: bool = False
    verified: frozenset[str] = frozenset()


def pre_sign_up_event(
    pool: Pool,
    client: Client | None,
    username: str,
    attributes: Mapping[str, str],
    validation_data: Mapping[str, str],
    client_metadata: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Return the event before a user is made, by the user (``client``) or by an administrator (None)."""
    source = "PreSignUp_SignUp" if client else "PreSignUp_AdminCreateUser"
    request = {"userAttributes": dict(attributes), "validationData": dict(validation_data) or None}
    return _envelope(pool, client, source, username, _with(request, client_metadata), dict.fromkeys(FLAGS, False))


def read_verdict(reply: dict[str, Any] | None, attributes: Mapping[str, str]) -> Verdict:
    """Return what the pre sign-up trigger's reply means for a user with these attributes.

    Raises InvalidLambdaResponseException; InvalidParameterException where it verifies what there is not.
    """
    flags = [(reply or {}).get(name) or False for name in FLAGS]
    if not all(isinstance(flag, bool) for flag in flags):
        raise InvalidLambdaResponseException("Unrecognizable lambda output")
    confirmed, email, phone = flags
    verified = frozenset(name for name, is_verified in (("email", email), ("phone_number", phone)) if is_verified)
    for name in verified:
        if not attributes.get(name):
            raise InvalidParameterException(f"Cannot verify {name}: the user has none.")
    return Verdict(confirmed=confirmed, verified=verified)


def post_confirmation_event(
    pool: Pool, client: Client | None, source: str, user: User, client_metadata: Mapping[str, str] | None
) -> dict[str, Any]:
    """Return the event after a user was confirmed or a password recovered."""
    return _envelope(pool, client, source, user.username, _with(_about(user), client_metadata), {})


def migration_event(
    pool: Pool, client: Client, username: str, client_metadata: Mapping[str, str] | None
) -> dict[str, Any]:
    """Return the event that asks for an unknown user whose password is to be recovered."""
    request = _with({"userAttributes": {}, "validationData": None}, client_metadata)
    response = dict.fromkeys(
        (
            "userAttributes",
            "forceAliasCreation",
            "enableSMSMFA",
            "finalUserStatus",
            "messageAction",
            "desiredDeliveryMediums",
        )
    )
    return _envelope(pool, client, "UserMigration_ForgotPassword", username, request, response)


def _about(user: User) -> dict[str, Any]:
    status = {"cognito:user_status": user.status.value}
    return {"userAttributes": {"sub": user.sub, **status, **user.attributes}}


def _with(request: dict[str, Any], client_metadata: Mapping[str, str] | None) -> dict[str, Any]:
    return request | {"clientMetadata": dict(client_metadata)} if client_metadata else request


def _envelope(
    pool: Pool, client: Client | None, source: str, username: str, request: dict[str, Any], response: dict[str, Any]
) -> dict[str, Any]:
    return {
        "version": "1",
        "triggerSource": source,
        "region": pool.region,
        "userPoolId": pool.id,
        "userName": username,
        "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": client.id if client else NO_CLIENT,
        },
        "request": request,
        "response": response,
    }
