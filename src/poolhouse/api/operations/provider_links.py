"""Linking users to identities at providers, and taking them apart (spec/api/03 §10, spec/http/06 §6.5)."""

from msgspec.structs import replace

from poolhouse.api.registry import operation
from poolhouse.core.aliases import fold_username
from poolhouse.core.codes import CodePurpose
from poolhouse.core.identities import Identity
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.pool import Pool
from poolhouse.core.provider_links import (
    LOCAL,
    MAX_ATTRIBUTES,
    MAX_LINKS,
    SUBJECT,
    profile_name,
    read_attribute,
    read_name,
)
from poolhouse.core.user import User
from poolhouse.flows.calls import AdminCall
from poolhouse.flows.codes import drop_codes
from poolhouse.flows.identities import show_identities
from poolhouse.flows.passwords import without_password
from poolhouse.flows.users import end_sessions, save_user
from poolhouse.model import (
    AdminDisableProviderForUserRequest,
    AdminDisableProviderForUserResponse,
    AdminLinkProviderForUserRequest,
    AdminLinkProviderForUserResponse,
    AliasExistsException,
    InvalidParameterException,
    LimitExceededException,
    ProviderUserIdentifierType,
    UserNotFoundException,
    UserStatusType,
)
from poolhouse.storage import Tx

NO_USER = "User does not exist."
MERGING = "Merging is not currently supported, provide a SourceUser that has not been signed up in order to link"


@operation
async def admin_link_provider_for_user(
    call: AdminCall, request: AdminLinkProviderForUserRequest
) -> AdminLinkProviderForUserResponse:
    """Link a user to an identity at a provider, so that signing in there means this user.

    Differs from Cognito: a ProviderAttributeValue has at most 256 characters.
    """

    def commit(tx: Tx) -> None:
        pool = call.pool(tx, request.user_pool_id)
        user = _get_destination(tx, pool, request.destination_user)
        identity = _read_source(tx, pool, request.source_user, user, call.now)
        _check_limits(tx, identity)
        tx.identities.insert(identity)
        show_identities(tx, pool, user, call.now)

    await call.store.write(commit)
    return AdminLinkProviderForUserResponse()


@operation
async def admin_disable_provider_for_user(
    call: AdminCall, request: AdminDisableProviderForUserRequest
) -> AdminDisableProviderForUserResponse:
    """Unlink an identity at a provider from its user, or bar a user from signing in by password.

    Differs from Cognito: what becomes of a user whose password is barred is not documented; here
    the password goes and the status becomes EXTERNAL_PROVIDER, so that the user cannot recover one, and an
    administrator can set one. Tokens stay valid. A user who came into being by signing in at the provider is disabled
    as AdminDisableUser does it.
    """

    def commit(tx: Tx) -> None:
        pool = call.pool(tx, request.user_pool_id)
        name, value = read_name(request.user, "User")
        if name == LOCAL:
            _bar_password(tx, pool, request.user, call.now)
            return
        provider = _get_provider(tx, pool, name)
        identity = tx.identities.find(pool.id, name, read_attribute(request.user, provider), value)
        user = None if identity is None else tx.users.find_by_id(identity.user_id)
        if identity is None or user is None:
            raise UserNotFoundException(NO_USER)
        if identity.primary:
            end_sessions(tx, pool, user, call.now, enabled=False)
        else:
            tx.identities.delete(identity)
            show_identities(tx, pool, user, call.now)

    await call.store.write(commit)
    return AdminDisableProviderForUserResponse()


def _get_destination(tx: Tx, pool: Pool, given: ProviderUserIdentifierType) -> User:
    """Return the user to link to: by user name, or by the identity that it came into being with."""
    name, value = read_name(given, "DestinationUser")
    if name == LOCAL:
        return _get_local(tx, pool, value)
    identity = tx.identities.find(pool.id, _get_provider(tx, pool, name).name, SUBJECT, value)
    user = tx.users.find_by_id(identity.user_id) if identity is not None and identity.primary else None
    if user is None:
        raise UserNotFoundException(NO_USER)
    return user


def _get_local(tx: Tx, pool: Pool, username: str) -> User:
    # An alias is not a user name: it may come to mean somebody else.
    user = tx.users.find_by_username(pool.id, fold_username(pool, username))
    if user is None:
        raise UserNotFoundException(NO_USER)
    return user


def _read_source(tx: Tx, pool: Pool, given: ProviderUserIdentifierType, user: User, now: int) -> Identity:
    """Return the identity to link, which must not mean anybody yet."""
    name, value = read_name(given, "SourceUser")
    if name == LOCAL:
        raise InvalidParameterException("SourceUser must be a user of an external identity provider.")
    provider = _get_provider(tx, pool, name)
    attribute = read_attribute(given, provider)
    present = tx.identities.find(pool.id, name, attribute, value)
    profile = tx.users.find_by_username(pool.id, fold_username(pool, profile_name(name, value)))
    if (present is not None and present.primary) or (attribute == SUBJECT and profile is not None):
        raise InvalidParameterException(MERGING)
    if present is not None and present.user_id == user.id:
        raise InvalidParameterException("SourceUser is already linked to DestinationUser")
    if present is not None:
        raise AliasExistsException("SourceUser is already linked to another user")
    return Identity(pool_id=pool.id, provider=name, attribute=attribute, value=value, user_id=user.id, created_at=now)


def _get_provider(tx: Tx, pool: Pool, name: str) -> IdentityProvider:
    provider = tx.identity_providers.find(pool.id, name)
    # Held, so that what is linked now goes when the provider does.
    if provider is None or not tx.identity_providers.hold(pool.id, name):
        raise InvalidParameterException(f"The provider {name} does not exist for User Pool {pool.id}.")
    return provider


def _check_limits(tx: Tx, identity: Identity) -> None:
    held = (each for each in tx.identities.of_user(identity.user_id) if not each.primary)
    # What a deleted provider said is not swept yet, and does not count.
    if sum(tx.identity_providers.find(each.pool_id, each.provider) is not None for each in held) >= MAX_LINKS:
        raise LimitExceededException(f"A user can be linked to at most {MAX_LINKS} identities.")
    attributes = tx.identities.attributes(identity.pool_id, identity.provider, MAX_ATTRIBUTES)
    if len(attributes) >= MAX_ATTRIBUTES and identity.attribute not in attributes:
        raise LimitExceededException(f"At most {MAX_ATTRIBUTES} attributes can be linked by at one identity provider.")


def _bar_password(tx: Tx, pool: Pool, given: ProviderUserIdentifierType, now: int) -> None:
    if given.provider_attribute_name != SUBJECT:
        raise InvalidParameterException(f"ProviderAttributeName of a user of the user pool must be {SUBJECT}.")
    user = _get_local(tx, pool, given.provider_attribute_value or "")
    credentials = without_password(pool, user.credentials)
    drop_codes(tx, user, CodePurpose.RECOVER)
    save_user(
        tx, pool, replace(user, credentials=credentials, status=UserStatusType.EXTERNAL_PROVIDER, modified_at=now)
    )
