"""Users who sign in by an identity provider: what is made of its word, and who may come in (spec/http/06 §6.4).

A user is the one whom an administrator linked the identity to, or who came into being with it; whose addresses it has
never counts.

Differs from Cognito (federation): a user who came into being by signing in at a provider answers to the user name
alone, also with a verified address in a pool of aliases. A contact that a function verifies and that is not there is
passed over. An unconfirmed user to whom an identity is linked has to confirm first. Once a provider was deleted, its
users are known again if it comes back with its name, its type and its issuer.
"""

from functools import partial

from msgspec.structs import replace

from poolhouse.core import events_auth, events_federation
from poolhouse.core.client import Client
from poolhouse.core.federation import (
    Assertion,
    changed_attributes,
    read_level,
    read_methods,
    read_subject,
    read_visitor,
    session_to_end,
)
from poolhouse.core.grants import OAuthError
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.pool import Pool
from poolhouse.core.saml import refused_attributes
from poolhouse.core.user import User
from poolhouse.flows import journal
from poolhouse.flows.arrivals import Arrival
from poolhouse.flows.calls import Call
from poolhouse.flows.codes import drop_outdated_codes
from poolhouse.flows.consult import TRIGGER_FAILURES, consult
from poolhouse.flows.federated_sign_up import sign_up
from poolhouse.flows.sign_in_loop import SignedIn, check_standing
from poolhouse.flows.users import get_user_again, save_user
from poolhouse.model import (
    AliasExistsException,
    EventResponseType,
    InvalidParameterException,
    NotAuthorizedException,
    OperationNotEnabledException,
    ServiceError,
    UsernameExistsException,
    UserNotFoundException,
    UserStatusType,
)
from poolhouse.storage import Tx

REFUSED = "invalid_request"
DISABLED = "User is disabled."
_REFUSALS = (
    InvalidParameterException,
    AliasExistsException,
    UsernameExistsException,
    NotAuthorizedException,
    UserNotFoundException,
    OperationNotEnabledException,
)


async def arrive(call: Call, pool: Pool, client: Client, provider: IdentityProvider, assertion: Assertion) -> SignedIn:
    """Return who signs in by what a provider says: a new user, or one who came this way before or was linked.

    Raises OAuthError with what the application is told (spec/http/02 §2.1.5); so does the ``commit`` of what is
    returned, where the user was barred meanwhile.
    """
    try:
        arrival = await _receive(call, pool, client, provider, assertion)
        user = await call.store.read(arrival.find_user)
        is_new = False
        if user is None:
            user, is_new = await sign_up(arrival)
        if not is_new:
            user = await _sign_in(arrival, user)
    except TRIGGER_FAILURES as error:
        raise OAuthError(REFUSED, f"{error.message} ") from error
    except _REFUSALS as error:
        raise _refused(provider, error) from error
    return SignedIn(
        pool=pool,
        client=client,
        user=user,
        auth_time=call.now // 1000,
        event_id=arrival.event_id,
        commit=partial(_commit, user=user, note=arrival.entry(user).at(EventResponseType.Pass)),
        source=events_auth.TokenSource.HOSTED,
        offers_device=False,
        methods=read_methods(assertion),
        provider=provider.name,
        vouched=read_level(provider, assertion),
        at_provider=session_to_end(provider, assertion),
    )


def _refused(provider: IdentityProvider, error: ServiceError) -> OAuthError:
    if provider.is_saml and isinstance(error, InvalidParameterException):
        told = refused_attributes(error)
        if told is not None:
            return OAuthError("server_error", told)
    return OAuthError(REFUSED, error.message.replace("\n", " "))


async def _receive(call: Call, pool: Pool, client: Client, provider: IdentityProvider, assertion: Assertion) -> Arrival:
    """Return the arrival that a provider's word means once the pool's function has heard it."""
    claims, kind = assertion.claims, provider.settings.provider_type
    subject = read_subject(provider, claims)
    if subject is None or kind is None:
        raise InvalidParameterException("attributes required: [username]")
    request = partial(events_federation.inbound, provider.name, kind.value, assertion)
    reply = await consult(call, pool, events_federation.INBOUND, request, username=subject, client=client)
    heard = events_federation.read_claims(reply, claims)
    return Arrival(
        call=call,
        pool=pool,
        client=client,
        provider=provider,
        visitor=read_visitor(provider, heard, read_subject(provider, heard) or subject),
        event_id=call.deps.random.uuid(),
    )


async def _sign_in(arrival: Arrival, user: User) -> User:
    """Let in a user who is known, with what the provider says now; the functions of a sign-in may refuse."""
    pool = arrival.pool
    async with journal.watching(arrival.entry(user)):
        if not user.enabled:
            raise NotAuthorizedException(DISABLED)
        if user.status is UserStatusType.UNCONFIRMED:
            raise NotAuthorizedException("User is not confirmed.")
        before = partial(events_auth.pre_authentication, pool, arrival.client, user, None)
        await arrival.consult(events_auth.PRE_AUTHENTICATION, before, user.username)
        user = await _update(arrival, user)
        after = partial(events_auth.post_authentication, pool, user, None)
        await arrival.consult(events_auth.POST_AUTHENTICATION, after, user.username)
    return user


async def _update(arrival: Arrival, user: User) -> User:
    """Return the user with what the provider says now; nothing is written where that is nothing new."""
    # Users are not changed through a replica (spec/api/10 §3).
    if arrival.pool.seat is not None or _changed(arrival, user) is None:
        return user

    def write(tx: Tx) -> User:
        present = get_user_again(tx, user)
        changed = _changed(arrival, present)
        if changed is None:
            return present
        saved = save_user(tx, arrival.pool, changed)
        drop_outdated_codes(tx, saved)
        return saved

    return await arrival.call.store.write(write)


def _changed(arrival: Arrival, user: User) -> User | None:
    """Return what the provider's word makes of a user, None where that is nothing new."""
    said = arrival.visitor.attributes
    attributes = changed_attributes(arrival.pool, arrival.client, user.attributes, said)
    if attributes == user.attributes:
        return None
    # What waited to be verified is overtaken.
    pending = {name: value for name, value in user.pending.items() if name not in said}
    return replace(user, attributes=attributes, pending=pending, modified_at=arrival.call.now)


def _commit(tx: Tx, *, user: User, note: journal.Write) -> None:
    try:
        check_standing(tx, user)
    except NotAuthorizedException as error:
        raise OAuthError(REFUSED, DISABLED) from error
    note(tx)
