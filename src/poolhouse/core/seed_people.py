"""What the people of a seed become: groups, users and what they prove themselves by.

Functions here raise what those of ``seed_parts`` raise.
"""

import re
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from poolhouse.core.aliases import choose_username, fold_username
from poolhouse.core.attributes import check_new, from_wire
from poolhouse.core.factors import FACTORS, TOTP
from poolhouse.core.groups import Group, new_group
from poolhouse.core.identities import Identity
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.passkeys import Passkey
from poolhouse.core.passwords import check_policy
from poolhouse.core.pool import Pool
from poolhouse.core.provider_links import read_attribute, read_name
from poolhouse.core.seed import (
    SeedGroup,
    SeedIdentity,
    SeedPasskey,
    SeedUser,
)
from poolhouse.core.seed_parts import milliseconds, owner_of, request_of
from poolhouse.core.srp import PRIME_HEX_DIGITS
from poolhouse.core.user import Credentials, Factors, SoftwareToken, User
from poolhouse.model import (
    CreateGroupRequest,
    InvalidParameterException,
    UserStatusType,
)

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX = re.compile(rf"[0-9a-fA-F]{{1,{PRIME_HEX_DIGITS}}}")
_PERMANENT = frozenset({UserStatusType.CONFIRMED, UserStatusType.UNCONFIRMED, UserStatusType.RESET_REQUIRED})


def group_of(pool: Pool, seed: SeedGroup, now: int) -> Group:
    """Return a group, without its members."""
    request = request_of(CreateGroupRequest, seed, **owner_of(pool, seed.user_pool_id))
    return replace(
        new_group(request, now),
        created_at=milliseconds(seed.creation_date, now),
        modified_at=milliseconds(seed.last_modified_date, now),
    )


def sub_of(seed: SeedUser) -> str | None:
    """Return the ``sub`` that a user is to have; None where the file leaves it open."""
    sub = from_wire(_attributes(seed)).get("sub")
    if sub is not None and not _UUID.fullmatch(sub):
        raise InvalidParameterException("The attribute sub must be a UUID in lower case.")
    return sub


def user_of(pool: Pool, seed: SeedUser, *, sub: str, credentials: Credentials, now: int) -> User:
    """Return a user with its credentials."""
    given = {name: value for name, value in from_wire(_attributes(seed)).items() if name != "sub"}
    if pool.username_attributes and (seed.username == sub or _is_from_provider(seed)):
        username = fold_username(pool, seed.username)  # as lists show such a user
    else:
        username, given = choose_username(pool, seed.username, given, sub)
    return User(
        pool_id=pool.id,
        sub=sub,
        username=username,
        status=_status(seed),
        enabled=seed.enabled,
        attributes=check_new(pool, given, complete=False),
        credentials=credentials,
        created_at=milliseconds(seed.user_create_date, now),
        modified_at=milliseconds(seed.user_last_modified_date, now),
    )


def identity_of(seed: SeedIdentity, provider: IdentityProvider, user: User, now: int) -> Identity:
    """Return an identity of a user at a provider."""
    return Identity(
        pool_id=user.pool_id,
        provider=provider.name,
        attribute=read_attribute(seed, provider),
        value=read_name(seed, "An identity")[1],
        user_id=user.id,
        primary=seed.primary,
        created_at=milliseconds(seed.creation_date, now),
    )


def passkey_of(seed: SeedPasskey, now: int) -> Passkey:
    """Return a passkey."""
    return Passkey(
        id=seed.credential_id,
        public_key=seed.public_key,
        sign_count=seed.sign_count,
        rp_id=seed.relying_party_id,
        name=seed.friendly_credential_name,
        attachment=seed.authenticator_attachment,
        transports=seed.authenticator_transports,
        aaguid=seed.aaguid,
        backed_up=seed.backed_up,
        created_at=milliseconds(seed.created_at, now),
    )


def exported_passkey(passkey: Passkey) -> SeedPasskey:
    """Return what ``passkey_of`` makes a passkey of."""
    return SeedPasskey(
        credential_id=passkey.id,
        public_key=passkey.public_key,
        sign_count=passkey.sign_count,
        relying_party_id=passkey.rp_id,
        friendly_credential_name=passkey.name,
        authenticator_attachment=passkey.attachment,
        authenticator_transports=passkey.transports,
        aaguid=passkey.aaguid,
        backed_up=passkey.backed_up,
        created_at=passkey.created_at / 1000,
    )


def factors_of(seed: SeedUser, token: SoftwareToken | None) -> Factors:
    """Return the second factors of a user. Whether the pool offers them at present does not matter to who has them."""
    active, preferred = frozenset(seed.user_mfa_setting_list), seed.preferred_mfa_setting
    unknown = active - set(FACTORS)
    if unknown:
        raise InvalidParameterException(f"{min(unknown)} is no second factor.")
    if TOTP in active and token is None:
        raise InvalidParameterException(f"{TOTP} needs a SoftwareToken.")
    if preferred is not None and preferred not in active:
        raise InvalidParameterException(f"{preferred} cannot be the preferred MFA method unless it is enabled.")
    if seed.passkey_mfa and not active:
        raise InvalidParameterException("Passkey MFA needs another MFA method of the user that is enabled.")
    return Factors(
        active=tuple(factor for factor in FACTORS if factor in active),
        preferred=preferred,
        software_token=token,
        passkey_mfa=seed.passkey_mfa,
    )


def plain_password(pool: Pool, seed: SeedUser) -> str | None:
    """Return the password that a user is to have in plain, checked; None where there is none."""
    given = [seed.password, seed.temporary_password, seed.password_hash]
    if sum(each is not None for each in given) > 1:
        raise InvalidParameterException("Only one of Password, TemporaryPassword and PasswordHash can be given.")
    plain = seed.temporary_password if seed.password is None else seed.password
    if plain is not None:
        check_policy(pool, plain, new_user=True)
    return plain


def check_verifier(seed: SeedUser) -> None:
    """Check that what SRP needs is whole, and only beside a hash."""
    pair = (seed.srp_salt, seed.srp_verifier)
    if pair == (None, None):
        return
    if None in pair or seed.password_hash is None:
        raise InvalidParameterException("SrpSalt and SrpVerifier go together, and with a PasswordHash.")
    if not all(_HEX.fullmatch(each or "") for each in pair):
        raise InvalidParameterException("SrpSalt and SrpVerifier must be hexadecimal digits.")


def _is_from_provider(seed: SeedUser) -> bool:
    return seed.user_status == UserStatusType.EXTERNAL_PROVIDER or any(each.primary for each in seed.identities)


def _status(seed: SeedUser) -> UserStatusType:
    given, temporary = seed.user_status, UserStatusType.FORCE_CHANGE_PASSWORD
    if seed.temporary_password is not None and given not in {None, temporary}:
        raise InvalidParameterException("A user with a TemporaryPassword has the UserStatus FORCE_CHANGE_PASSWORD.")
    if seed.password is not None and given not in {None, *_PERMANENT}:
        raise InvalidParameterException(f"A user of UserStatus {given} has no Password.")
    if given is not None and given not in {*_PERMANENT, temporary, UserStatusType.EXTERNAL_PROVIDER}:
        raise InvalidParameterException(f"A user cannot be made with the UserStatus {given}.")
    return given or (UserStatusType.CONFIRMED if seed.temporary_password is None else temporary)


def _attributes(seed: SeedUser) -> Sequence[Any]:
    if seed.user_attributes is not None and seed.attributes is not None:
        raise InvalidParameterException("UserAttributes and Attributes cannot both be given.")
    return seed.user_attributes or seed.attributes or ()
