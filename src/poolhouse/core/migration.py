"""Users whom a function brings over from another directory: what it is told and what it answers (spec/api/06 §7)."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from poolhouse.core.aliases import (
    alias_key,
    alias_keys_for,
    choose_username,
    find_username_attribute,
    fold_username,
)
from poolhouse.core.attributes import check_new
from poolhouse.core.events_auth import metadata_member
from poolhouse.core.factors import PHONE_NUMBER, SMS
from poolhouse.core.pool import Pool
from poolhouse.core.trigger_events import UNRECOGNIZABLE
from poolhouse.core.user import NO_FACTORS, Factors, User
from poolhouse.model import (
    DeliveryMediumType,
    InvalidLambdaResponseException,
    InvalidParameterException,
    MessageActionType,
    UserStatusType,
)
from poolhouse.model.shapes import UsernameType

# Not an attribute, but written among them.
USERNAME = "username"
AT_SIGN_IN = "UserMigration_Authentication"
AT_RECOVERY = "UserMigration_ForgotPassword"


class Migrant(Struct, frozen=True, kw_only=True):
    """A user as the function describes it. ``mediums`` are those for the welcome message, None leaves them open."""

    attributes: dict[str, str]
    status: UserStatusType = UserStatusType.RESET_REQUIRED
    welcome: bool = True
    mediums: tuple[DeliveryMediumType, ...] | None = None
    takes_aliases: bool = False
    sms_mfa: bool = False


def sign_in_request(
    password: str, validation_data: Mapping[str, str] | None, client_metadata: Mapping[str, str] | None
) -> dict[str, Any]:
    """Return the request that asks for an unknown user who signs in with a password."""
    return {"password": password, **_request(validation_data, client_metadata)}


def recovery_request(client_metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the request that asks for an unknown user whose password is to be recovered."""
    return _request(None, client_metadata)


def _request(validation_data: Mapping[str, str] | None, client_metadata: Mapping[str, str] | None) -> dict[str, Any]:
    # Nobody's attributes are known yet, but the member is there.
    return {"validationData": validation_data or None, "userAttributes": None, **metadata_member(client_metadata)}


def read_migrant(response: Mapping[str, Any]) -> Migrant | None:
    """Return whom a reply describes, None where it describes nobody; raises InvalidLambdaResponseException."""
    attributes = response.get("userAttributes")
    if not attributes:
        return None
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE)
    mediums = response.get("desiredDeliveryMediums")
    if mediums is not None and not isinstance(mediums, list):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE)
    action = _named(response, "messageAction", (MessageActionType.SUPPRESS,))
    status = _named(response, "finalUserStatus", (UserStatusType.CONFIRMED, UserStatusType.RESET_REQUIRED))
    return Migrant(
        attributes=attributes,
        status=UserStatusType(status or UserStatusType.RESET_REQUIRED),
        welcome=action is None,
        mediums=None if mediums is None else tuple(_medium(medium) for medium in mediums),
        takes_aliases=_flag(response, "forceAliasCreation"),
        sms_mfa=_flag(response, "enableSMSMFA"),
    )


def user_of(pool: Pool, name: str, migrant: Migrant, *, sub: str, now: int) -> User:
    """Return the new user of a name that was given, without a password.

    A user who signs in with an alias gets the user name that the function says, as the ``username`` among the
    attributes; for anybody else it can say only the name that was given.
    Raises InvalidParameterException where it says another, the attributes do not conform to the schema, or that is
    missing which the name stands for; and for SMS MFA without a telephone number.
    """
    described = {attribute: value for attribute, value in migrant.attributes.items() if attribute != USERNAME}
    attribute = find_username_attribute(pool, name)
    if attribute is not None and attribute not in described:
        raise InvalidParameterException(f"The attribute {attribute}, which the user signs in with, is missing.")
    said = migrant.attributes.get(USERNAME)
    if said and _is_alias(pool, name, described):
        name = said
    elif said and fold_username(pool, said) != fold_username(pool, name):
        raise InvalidParameterException("The username is not the name that the user signs in with.")
    if not pool.username_attributes:
        _check_name(name)
    username, attributes = choose_username(pool, name, described, sub)
    if migrant.sms_mfa and not attributes.get(PHONE_NUMBER):
        raise InvalidParameterException("SMS MFA needs a phone_number.")
    return User(
        pool_id=pool.id,
        sub=sub,
        username=username,
        status=migrant.status,
        attributes=check_new(pool, attributes, complete=False),
        factors=Factors(active=(SMS,)) if migrant.sms_mfa else NO_FACTORS,
        created_at=now,
        modified_at=now,
    )


def _is_alias(pool: Pool, name: str, attributes: Mapping[str, str]) -> bool:
    keys = {alias_key(pool, alias, attributes[alias]) for alias in pool.alias_attributes & attributes.keys()}
    return not keys.isdisjoint(alias_keys_for(pool, name))


def _check_name(name: str) -> None:
    try:
        msgspec.convert(name, UsernameType)
    except msgspec.ValidationError:
        raise InvalidParameterException("The user name has not the form of one.") from None


def _named(response: Mapping[str, Any], member: str, names: tuple[str, ...]) -> str | None:
    name = response.get(member)
    if name is not None and name not in names:
        raise InvalidLambdaResponseException(UNRECOGNIZABLE)
    return name


def _medium(name: Any) -> DeliveryMediumType:
    try:
        return DeliveryMediumType(name)
    except ValueError:
        raise InvalidLambdaResponseException(UNRECOGNIZABLE) from None


def _flag(response: Mapping[str, Any], member: str) -> bool:
    flag = response.get(member) or False
    if not isinstance(flag, bool):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE)
    return flag
