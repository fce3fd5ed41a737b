"""Finding and storing users, and how the API shows them."""

from collections.abc import Mapping

from msgspec.structs import replace

from poolhouse.core.aliases import (
    CLASH,
    CONTACTS,
    alias_key,
    alias_keys_for,
    find_username_attribute,
    fold_username,
    names_of,
)
from poolhouse.core.attributes import to_wire
from poolhouse.core.factors import options_of
from poolhouse.core.identities import is_profile
from poolhouse.core.pool import Pool
from poolhouse.core.user import Factors, User
from poolhouse.flows.codes import drop_outdated_codes
from poolhouse.model import (
    AliasExistsException,
    InvalidParameterException,
    UsernameExistsException,
    UserNotFoundException,
    UserStatusType,
    UserType,
)
from poolhouse.storage import Tx
from poolhouse.storage.errors import AlreadyExists

TAKEN = "User already exists"
PREFERRED_TOO_EARLY = "Preferred username can't be provided while the account is not confirmed"
# What AliasExistsException says where a user is confirmed (spec/api/11 §3).
CLASH_AT_CONFIRMATION = "An account with the {} already exists."


def find_user(tx: Tx, pool: Pool, name: str) -> User | None:
    """Return the user whom a name means: a user name, a ``sub``, or an alias (spec/api/03 §11)."""
    # Of both in one form: a ``sub`` in other letters must not be free to become a user name.
    folded = fold_username(pool, name)
    return tx.users.lookup(pool.id, folded, folded, alias_keys_for(pool, name))


def get_user(tx: Tx, pool: Pool, name: str) -> User:
    """Return the user whom a name means; raises UserNotFoundException."""
    user = find_user(tx, pool, name)
    if user is None:
        raise UserNotFoundException("User does not exist.")
    return user


def get_user_again(tx: Tx, user: User) -> User:
    """Return a user as stored now; raises UserNotFoundException where it was deleted meanwhile."""
    found = tx.users.find_by_id(user.id)
    if found is None:
        raise UserNotFoundException("User does not exist.")
    return found


def check_name_free(tx: Tx, pool: Pool, name: str, *, taken: str = TAKEN) -> None:
    """Check that no user answers to the name that a new one asks for; raises UsernameExistsException.

    A ``sub`` or an alias of somebody counts too: who signed up with it would be found in the other's place.
    """
    attribute = find_username_attribute(pool, name)
    if attribute is not None and tx.users.find_by_alias(pool.id, alias_key(pool, attribute, name)):
        raise UsernameExistsException(CLASH.format(attribute))
    if attribute is None and find_user(tx, pool, name):
        raise UsernameExistsException(taken)


def check_preferred_name(tx: Tx, pool: Pool, user: User) -> None:
    """Check a preferred user name that is an alias: it is for confirmed users, and no name of somebody else.

    Raises InvalidParameterException (spec/api/03 §5.2), AliasExistsException.
    """
    wished = user.attributes.get("preferred_username")
    if not wished or "preferred_username" not in pool.alias_attributes or is_profile(user.attributes):
        return
    if user.status == UserStatusType.UNCONFIRMED:
        raise InvalidParameterException(PREFERRED_TOO_EARLY)
    check_owner(user, tx.users.find_by_username(pool.id, fold_username(pool, wished)), "preferred_username")


def check_owner(user: User, owner: User | None, attribute: str) -> None:
    """Check that an alias which a user asks for is not somebody else's; raises AliasExistsException."""
    if owner is not None and owner.id != user.id:
        raise AliasExistsException(CLASH.format(attribute))


def insert_user(tx: Tx, pool: Pool, user: User, *, taken: str = TAKEN) -> User:
    """Store a new user and return it with its id.

    Raises UsernameExistsException, with the text ``taken`` for the name itself;
    AliasExistsException for a verified alias, or a preferred user name, that belongs to somebody else.
    """
    check_preferred_name(tx, pool, user)
    try:
        return tx.users.insert(user, names_of(pool, user))
    except AlreadyExists as clash:
        attribute = _clashing_attribute(clash)
        if attribute is None:
            raise UsernameExistsException(taken) from None
        if attribute in pool.username_attributes:
            raise UsernameExistsException(CLASH.format(attribute)) from None
        raise AliasExistsException(CLASH.format(attribute)) from None


def save_user(tx: Tx, pool: Pool, user: User, *, clash: str = CLASH) -> User:
    """Store a changed user and bring the indexes in line.

    Raises AliasExistsException with the text ``clash``; ConcurrentModificationException.
    """
    try:
        return tx.users.save(user, names_of(pool, user))
    except AlreadyExists as error:
        raise AliasExistsException(clash.format(_clashing_attribute(error))) from None


def release_aliases(tx: Tx, pool: Pool, user: User, now: int) -> None:
    """Take the verified aliases that a user is about to have from their present owners.

    Their attributes become unverified (spec/api/03 §6). Names of username-attribute pools never move.
    """
    for contact in pool.alias_attributes & set(CONTACTS):
        if user.attributes.get(f"{contact}_verified") != "true" or contact not in user.attributes:
            continue
        owner = tx.users.find_by_alias(pool.id, alias_key(pool, contact, user.attributes[contact]))
        if owner is not None and owner.id != user.id:
            changed = {**owner.attributes, f"{contact}_verified": "false"}
            drop_outdated_codes(tx, save_user(tx, pool, replace(owner, attributes=changed, modified_at=now)))


def end_sessions(tx: Tx, pool: Pool, user: User, now: int, *, enabled: bool | None = None) -> User:
    """Revoke every token and authorization code of a user, and set whether the user is enabled where that is given.

    SSO sessions on record end as well; a cookie without a record ends where the user is disabled (spec/http/03 §3.11).
    """
    tx.sessions.delete_of_user(user.id)
    tx.sso_sessions.delete_of_user(user.id)
    tx.authorization_codes.delete_of_user(user.id)
    changed = replace(user, signed_out_at=now, disabled_at=now if enabled is False else user.disabled_at)
    if enabled is not None and enabled != user.enabled:
        changed = replace(changed, enabled=enabled, modified_at=now)
    return save_user(tx, pool, changed)


def enable(tx: Tx, pool: Pool, user: User, now: int) -> User:
    """Let a user sign in again. Tokens from before stay revoked, since their sessions are gone."""
    return user if user.enabled else save_user(tx, pool, replace(user, enabled=True, modified_at=now))


def describe(user: User) -> UserType:
    """Return a user as lists show it."""
    return show(
        user.username,
        user.sub,
        user.status,
        user.enabled,
        user.created_at,
        user.modified_at,
        user.attributes,
        user.factors,
    )


def show(
    username: str,
    sub: str,
    status: UserStatusType,
    enabled: bool,
    created_at: int,
    modified_at: int,
    attributes: Mapping[str, str],
    factors: Factors,
    names: frozenset[str] | None = None,
) -> UserType:
    """Return what lists show of a user; ``names`` limits the attributes. This is the hot path of ListUsers."""
    return UserType(
        username=username,
        attributes=to_wire(sub, attributes, names),
        user_create_date=created_at / 1000,
        user_last_modified_date=modified_at / 1000,
        enabled=enabled,
        user_status=status,
        mfa_options=options_of(factors),
    )


def _clashing_attribute(clash: AlreadyExists) -> str | None:
    kind, _, rest = clash.what.partition(":")
    return rest.partition(":")[0] if kind == "alias" else None
