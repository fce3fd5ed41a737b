"""Users who come from an identity provider for the first time (spec/http/06 §6.2, §6.4)."""

from functools import partial

from msgspec.structs import replace

from poolhouse.core import events, events_federation
from poolhouse.core.federation import new_attributes, new_username
from poolhouse.core.groups import Group
from poolhouse.core.identities import Identity, is_known_by, with_identities
from poolhouse.core.provider_links import SUBJECT, show
from poolhouse.core.replica import Reach
from poolhouse.core.user import User
from poolhouse.flows.arrivals import Arrival
from poolhouse.flows.users import get_user_again, insert_user
from poolhouse.model import InvalidParameterException, UsernameExistsException, UserStatusType
from poolhouse.storage import Tx


async def sign_up(arrival: Arrival) -> tuple[User, bool]:
    """Make the user, and tell the functions of a sign-up; False for one who is there already.

    That is who comes twice at once, or whose provider was deleted and made again.
    Raises InvalidParameterException, UsernameExistsException, OperationNotEnabledException, and the errors of triggers.
    """
    call, pool, visitor = arrival.call, arrival.pool, arrival.visitor
    pool.check_reach(Reach.PRIMARY)
    username = new_username(pool, arrival.provider, visitor.subject)
    present = await call.store.read(lambda tx: _find_present(tx, arrival, username))
    if present is not None:
        return await call.store.write(partial(_restore, arrival=arrival, user=present)), False
    attributes = new_attributes(pool, arrival.client, visitor.attributes)
    request = partial(events_federation.pre_sign_up, attributes)
    reply = await arrival.consult(events_federation.PRE_SIGN_UP, request, username)
    verified = events.read_verdict(reply, attributes, overlooks_absent=True).verified
    new = User(
        pool_id=pool.id,
        sub=call.deps.random.uuid(),
        username=username,
        status=UserStatusType.EXTERNAL_PROVIDER,
        attributes=attributes | {f"{contact}_verified": "true" for contact in verified},
        created_at=call.now,
        modified_at=call.now,
    )
    user, is_new = await call.store.write(partial(_insert, arrival=arrival, new=new))
    if is_new:
        confirmed = partial(events.post_confirmation, pool, user, None)
        await arrival.consult(events.CONFIRMED, confirmed, username)
    return user, is_new


def _find_present(tx: Tx, arrival: Arrival, username: str) -> User | None:
    """Return the user of this name who shows this very identity, though it is not stored any more."""
    user = tx.users.find_by_username(arrival.pool.id, username)
    identity = show(_identity_of(arrival), arrival.provider)
    return user if user is not None and is_known_by(user.attributes, identity) else None


def _restore(tx: Tx, *, arrival: Arrival, user: User) -> User:
    """Store the identity of a user again whose provider is back."""
    _hold_provider(tx, arrival)
    present = get_user_again(tx, user)
    if arrival.find_user(tx) is None:
        tx.identities.insert(replace(_identity_of(arrival), user_id=user.id, created_at=user.created_at))
    return present


def _insert(tx: Tx, *, arrival: Arrival, new: User) -> tuple[User, bool]:
    """Store a new user with its identity and in the group of its provider; False where it is there already."""
    _hold_provider(tx, arrival)
    pool, provider, identity = arrival.pool, arrival.provider, _identity_of(arrival)
    taken = f"Already found an entry for username {new.username}"
    found = arrival.find_user(tx)
    if found is not None:
        if is_known_by(found.attributes, show(identity, provider)):
            return found, False
        # Linked by the function that was just asked: the next attempt will find it (spec/http/06 §6.5).
        raise UsernameExistsException(taken)
    attributes = with_identities(new.attributes, [show(identity, provider)])
    user = insert_user(tx, pool, replace(new, attributes=attributes), taken=taken)
    tx.identities.insert(replace(identity, user_id=user.id))
    tx.groups.add(_group_of(tx, arrival), user)
    return get_user_again(tx, user), True


def _hold_provider(tx: Tx, arrival: Arrival) -> None:
    """Have what is stored now go when the provider does, and first arrivals come one after the other."""
    pool_id, name = arrival.pool.id, arrival.provider.name
    if not tx.identity_providers.hold(pool_id, name):
        raise InvalidParameterException(f"The provider {name} does not exist for User Pool {pool_id}.")


def _identity_of(arrival: Arrival) -> Identity:
    return Identity(
        pool_id=arrival.pool.id,
        provider=arrival.provider.name,
        attribute=SUBJECT,
        value=arrival.visitor.subject,
        user_id=0,
        primary=True,
        created_at=arrival.call.now,
    )


def _group_of(tx: Tx, arrival: Arrival) -> Group:
    """Return the group of all who came from the provider; the first of them has it made."""
    pool_id, provider, now = arrival.pool.id, arrival.provider.name, arrival.call.now
    name = f"{pool_id}_{provider}"
    return tx.groups.find(pool_id, name) or tx.groups.insert(
        Group(
            pool_id=pool_id,
            name=name,
            description=f"Autogenerated group for users who sign in using {provider}",
            created_at=now,
            modified_at=now,
        )
    )
