"""What the triggers around signing up and recovering are told, and what they answer (spec/api/06 §3, §4)."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from poolhouse.core.events_auth import metadata_member, user_attributes
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.model import InvalidLambdaResponseException, InvalidParameterException

PRE_SIGN_UP = "PreSignUp_SignUp"
PRE_CREATE = "PreSignUp_AdminCreateUser"
CONFIRMED = "PostConfirmation_ConfirmSignUp"
RECOVERED = "PostConfirmation_ConfirmForgotPassword"
FLAGS = ("autoConfirmUser", "autoVerifyEmail", "autoVerifyPhone")


class Verdict(Struct, frozen=True, kw_only=True):
    """What the pre sign-up trigger decided."""

    confirmed: bool = False
    verified: frozenset[str] = frozenset()


def pre_sign_up(
    attributes: Mapping[str, str], validation_data: Mapping[str, str], client_metadata: Mapping[str, str] | None
) -> dict[str, Any]:
    """Return the request before a user is made, by the user or by an administrator."""
    return {
        "userAttributes": dict(attributes),
        "validationData": dict(validation_data) or None,
        **metadata_member(client_metadata),
    }


def read_verdict(
    reply: Mapping[str, Any] | None, attributes: Mapping[str, str], *, overlooks_absent: bool = False
) -> Verdict:
    """Return what the pre sign-up trigger's reply means for a user with these attributes.

    Raises InvalidLambdaResponseException; InvalidParameterException where it verifies what there is not, unless
    ``overlooks_absent``.
    """
    flags = [(reply or {}).get(name) or False for name in FLAGS]
    if not all(isinstance(flag, bool) for flag in flags):
        raise InvalidLambdaResponseException("Unrecognizable lambda output")
    confirmed, email, phone = flags
    verified = frozenset(name for name, flag in (("email", email), ("phone_number", phone)) if flag)
    absent = sorted(name for name in verified if not attributes.get(name))
    if absent and not overlooks_absent:
        raise InvalidParameterException(f"Cannot verify {absent[0]}: the user has none.")
    return Verdict(confirmed=confirmed, verified=verified.difference(absent))


def post_confirmation(pool: Pool, user: User, client_metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the request after a user was confirmed or a password recovered."""
    return {"userAttributes": user_attributes(pool, user), **metadata_member(client_metadata)}
