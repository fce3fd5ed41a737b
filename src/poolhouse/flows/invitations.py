"""Users made by an administrator: creation, and the invitation with a temporary password (spec/api/03 §8)."""

from collections.abc import Collection
from functools import partial

from msgspec.structs import replace

from poolhouse.core import events, passwords
from poolhouse.core.aliases import choose_username
from poolhouse.core.attributes import check_new, from_wire
from poolhouse.core.deliveries import recipient_of
from poolhouse.core.messages import MEDIUM_OF, MessageKind
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.flows.calls import Call
from poolhouse.flows.consult import consult
from poolhouse.flows.message_limits import check_room
from poolhouse.flows.messages import send_code
from poolhouse.flows.passwords import make_credentials
from poolhouse.flows.users import check_name_free, get_user, get_user_again, insert_user, release_aliases, save_user
from poolhouse.model import (
    AdminCreateUserRequest,
    CodeDeliveryFailureException,
    DeliveryMediumType,
    InvalidParameterException,
    LimitExceededException,
    MessageActionType,
    ServiceError,
    UnsupportedUserStateException,
    UserStatusType,
)
from poolhouse.storage import Tx

TAKEN = "User account already exists"


async def create(call: Call, pool: Pool, request: AdminCreateUserRequest) -> User:
    """Make a user with a temporary password, and invite the user unless the request says not to.

    Raises UsernameExistsException, AliasExistsException, InvalidPasswordException, InvalidParameterException,
    LimitExceededException, CodeDeliveryFailureException; after these two the user exists, as at Cognito, whose
    maintainers say that it is meant to be so.
    """
    if request.temporary_password:
        passwords.check_policy(pool, request.temporary_password, new_user=True)
    if request.message_action == MessageActionType.RESEND:
        return await _invite_again(call, pool, request)
    user = _user_of(call, pool, request)
    invites = request.message_action != MessageActionType.SUPPRESS
    contacts = choose_contacts(request.desired_delivery_mediums, user) if invites else []
    await call.store.read(partial(check_name_free, pool=pool, name=request.username, taken=TAKEN))
    validation_data = from_wire(request.validation_data)
    event = partial(events.pre_sign_up, user.attributes, validation_data, request.client_metadata)
    await consult(call, pool, events.PRE_CREATE, event, username=user.username)
    password = _choose_password(call, pool, request)
    if password is not None:
        credentials = await make_credentials(call, pool, user.username, password)
        user = replace(user, credentials=credentials, status=UserStatusType.FORCE_CHANGE_PASSWORD)

    def commit(tx: Tx) -> User:
        check_name_free(tx, pool, request.username, taken=TAKEN)
        if request.force_alias_creation:
            release_aliases(tx, pool, user, call.now)
        return insert_user(tx, pool, user, taken=TAKEN)

    made = await call.store.write(commit)
    await invite(call, pool, made, contacts, password, request.client_metadata)
    return made


async def _invite_again(call: Call, pool: Pool, request: AdminCreateUserRequest) -> User:
    """Send the invitation once more, with a new temporary password whose time begins now."""
    found = await call.store.read(lambda tx: get_user(tx, pool, request.username))
    _check_invited(found, request)
    contacts = choose_contacts(request.desired_delivery_mediums, found)
    password = request.temporary_password or passwords.make_temporary(pool, call.deps.random.text)
    credentials = await make_credentials(call, pool, found.username, password, found.credentials)

    def commit(tx: Tx) -> User:
        user = get_user_again(tx, found)
        _check_invited(user, request)
        for contact in contacts:
            # Otherwise the password would be void that was sent before, and the new one known to nobody.
            check_room(tx, call, pool.id, recipient_of(user, MessageKind.ADMIN_CREATE_USER, contact))
        return save_user(tx, pool, replace(user, credentials=credentials, modified_at=call.now))

    user = await call.store.write(commit)
    await invite(call, pool, user, contacts, password, request.client_metadata)
    return user


def _check_invited(user: User, request: AdminCreateUserRequest) -> None:
    if user.status != UserStatusType.FORCE_CHANGE_PASSWORD:
        raise UnsupportedUserStateException(
            f"Resend not possible. {request.username} status is not FORCE_CHANGE_PASSWORD"
        )


def _user_of(call: Call, pool: Pool, request: AdminCreateUserRequest) -> User:
    """Return the user that a request asks for, still without a password."""
    sub = call.deps.random.uuid()
    username, named = choose_username(pool, request.username, from_wire(request.user_attributes), sub)
    return User(
        pool_id=pool.id,
        sub=sub,
        username=username,
        status=UserStatusType.CONFIRMED,
        attributes=check_new(pool, named, complete=False),
        created_at=call.now,
        modified_at=call.now,
    )


def _choose_password(call: Call, pool: Pool, request: AdminCreateUserRequest) -> str | None:
    """Return the temporary password; None where users of the pool can do without (spec/api/03 §8.2)."""
    if request.temporary_password:
        return request.temporary_password
    if passwords.passwordless_contacts(pool):
        return None
    return passwords.make_temporary(pool, call.deps.random.text)


def choose_contacts(wanted: Collection[DeliveryMediumType] | None, user: User) -> list[str]:
    """Return the attributes that the invitation goes to, which may be none where no medium was asked for.

    Raises InvalidParameterException for a medium that does not reach the user (spec/api/03 §8.4).
    """
    if not wanted:
        return [contact for contact in ("phone_number", "email") if user.attributes.get(contact)][:1]
    contacts = [_contact_of(medium) for medium in dict.fromkeys(wanted)]
    for contact in contacts:
        if not user.attributes.get(contact):
            raise InvalidParameterException(f"The user has no {contact} to deliver the invitation to.")
    return contacts


def _contact_of(medium: DeliveryMediumType) -> str:
    return next(contact for contact, own in MEDIUM_OF.items() if own == medium)


async def invite(
    call: Call,
    pool: Pool,
    user: User,
    contacts: list[str],
    password: str | None,
    client_metadata: dict[str, str] | None,
) -> None:
    """Send the invitation to each of these addresses; ``password`` is None for a user without one.

    Raises what ``send_code`` raises, in the end: one that does not leave keeps no other back.
    """
    failures: list[ServiceError] = []
    for contact in contacts:
        try:
            await send_code(
                call,
                pool,
                user,
                kind=MessageKind.ADMIN_CREATE_USER,
                attribute=contact,
                code=password,
                client_metadata=client_metadata,
            )
        except (CodeDeliveryFailureException, LimitExceededException) as error:
            failures.append(error)
    if failures:
        raise failures[0]
