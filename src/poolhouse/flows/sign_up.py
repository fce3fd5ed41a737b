"""Signing up, confirming and asking for the code again (spec/api/03 §5, §6)."""

import dataclasses
from collections.abc import Mapping
from functools import partial

from msgspec.structs import replace

from poolhouse.core import codes, events, passwords
from poolhouse.core.aliases import CONTACTS, choose_username, fold_username
from poolhouse.core.attributes import check_new, check_writable, from_wire
from poolhouse.core.client import Client
from poolhouse.core.codes import CodePurpose
from poolhouse.core.limits import Purpose
from poolhouse.core.messages import MEDIUM_OF, MessageKind, is_link
from poolhouse.core.pool import Pool
from poolhouse.core.session import ConfirmationCode
from poolhouse.core.user import Credentials, User
from poolhouse.flows import compromised, journal, sign_up_session
from poolhouse.flows.beat import answers_on_the_beat
from poolhouse.flows.calls import Call
from poolhouse.flows.codes import FreshCode, drop_codes, find_refusal, make_code
from poolhouse.flows.consult import consult
from poolhouse.flows.journal import Entry
from poolhouse.flows.limits import count_attempt, exceeded, find_asker
from poolhouse.flows.links import base_url_of
from poolhouse.flows.messages import commit_and_send, compose, send_code, simulate
from poolhouse.flows.passwords import make_credentials
from poolhouse.flows.sign_in_state import INVALID_SESSION
from poolhouse.flows.users import (
    CLASH_AT_CONFIRMATION,
    PREFERRED_TOO_EARLY,
    check_name_free,
    find_user,
    get_user_again,
    insert_user,
    release_aliases,
    save_user,
)
from poolhouse.model import (
    CodeDeliveryDetailsType,
    EventFilterType,
    EventResponseType,
    EventType,
    InvalidParameterException,
    NotAuthorizedException,
    ServiceError,
    SignUpRequest,
    SignUpResponse,
    UserNotFoundException,
    UserStatusType,
)
from poolhouse.storage import Tx

NO_COMBINATION = "Username/client id combination not found."


async def sign_up(call: Call, pool: Pool, client: Client, request: SignUpRequest) -> SignUpResponse:
    """Make a new user, unconfirmed unless the pre sign-up trigger says otherwise, and send the code.

    Raises UsernameExistsException, InvalidPasswordException, InvalidParameterException, NotAuthorizedException,
    LimitExceededException, CodeDeliveryFailureException; after these two the user exists (spec/api/03 §5.9).
    """
    new = _check_request(call, pool, client, request)
    await call.store.read(partial(check_name_free, pool=pool, name=request.username))
    entry = journal.begin(call, pool, client, None, EventType.SignUp)
    if request.password:
        entry = compromised.check(await compromised.look_up(entry, EventFilterType.SIGN_UP, request.password))
    validation_data = from_wire(request.validation_data)
    event = partial(events.pre_sign_up, new.attributes, validation_data, request.client_metadata)
    reply = await consult(call, pool, events.PRE_SIGN_UP, event, username=new.username, client=client)
    new = _apply(events.read_verdict(reply, new.attributes), new)
    if request.password:
        new = replace(new, credentials=await make_credentials(call, pool, new.username, request.password))
    code = _make_sign_up_code(call, pool, new)
    user = await call.store.write(partial(_insert, entry=entry, name=request.username, user=new, code=code))
    details = None
    if code:
        details = await send_code(
            call,
            pool,
            user,
            kind=MessageKind.SIGN_UP,
            attribute=code.stored.attribute,
            code=code,
            client=client,
            client_metadata=request.client_metadata,
        )
    if user.status == UserStatusType.CONFIRMED:
        await _announce(call, pool, client, user, request.client_metadata)
    confirmed = user.status == UserStatusType.CONFIRMED
    return SignUpResponse(
        user_confirmed=confirmed,
        user_sub=user.sub,
        code_delivery_details=details,
        session=None if confirmed else sign_up_session.seal(call, client, user),
    )


async def confirm(
    call: Call,
    pool: Pool,
    client: Client,
    username: str,
    code: str,
    force_alias: bool,
    client_metadata: dict[str, str] | None,
    session: str | None = None,
) -> str | None:
    """Confirm a user with the code that was sent, and let who signed up go on with a ``Session`` (spec/api/03 §5.10).

    Raises CodeMismatchException, ExpiredCodeException, AliasExistsException, NotAuthorizedException,
    LimitExceededException, UserNotFoundException.
    """
    signed_up = sign_up_session.find(call, pool, client, session)

    def commit(tx: Tx) -> tuple[User, str] | ServiceError:
        user = find_user(tx, pool, username)
        count_attempt(
            tx, call.now, pool, user.username if user else fold_username(pool, username), Purpose.CONFIRM_SIGN_UP
        )
        if user is None or (not user.enabled and client.conceals_users):
            return codes.expired() if client.conceals_users else UserNotFoundException(NO_COMBINATION)
        check_unconfirmed(user)
        stored = tx.confirmation_codes.find(user.id, CodePurpose.SIGN_UP)
        entry = journal.begin(call, pool, client, user, EventType.SignUp)
        refusal = find_refusal(call, pool, user, stored, CodePurpose.SIGN_UP, code)
        if refusal or stored is None:
            journal.settle(tx, entry, user.created_at, EventResponseType.Fail)
            return refusal or codes.expired()
        if signed_up is not None and not signed_up.is_of(user):
            return NotAuthorizedException(INVALID_SESSION)
        journal.settle(tx, entry, user.created_at, EventResponseType.Pass)
        confirmed = _confirmed_by(stored, user, call.now)
        if force_alias:
            release_aliases(tx, pool, confirmed, call.now)
        drop_codes(tx, user, CodePurpose.SIGN_UP)
        return save_user(tx, pool, confirmed, clash=CLASH_AT_CONFIRMATION), stored.attribute

    outcome = await call.store.write(commit)
    if isinstance(outcome, ServiceError):
        raise outcome
    user, confirmed_by = outcome
    await _announce(call, pool, client, user, client_metadata)
    if signed_up is None and confirmed_by not in passwords.passwordless_contacts(pool):
        return None
    return sign_up_session.seal(call, client, user, sign_up_session.METHODS[confirmed_by])


@answers_on_the_beat
async def resend(
    call: Call, pool: Pool, client: Client, username: str, client_metadata: dict[str, str] | None
) -> CodeDeliveryDetailsType:
    """Send a new sign-up code, which voids the earlier one.

    Raises InvalidParameterException, NotAuthorizedException, LimitExceededException, UserNotFoundException,
    CodeDeliveryFailureException.
    """
    user, is_left = await call.store.read(
        partial(find_asker, now=call.now, pool=pool, username=username, purpose=Purpose.RESEND_CODE)
    )
    entry = journal.begin(call, pool, client, user, EventType.ResendCode, fold_username(pool, username))
    async with journal.watching(entry):
        code = _find_resent_code(call, pool, client, user)
    if not is_left:
        raise exceeded()

    def commit(tx: Tx) -> None:
        count_attempt(tx, call.now, pool, entry.name, Purpose.RESEND_CODE)
        if user and code:
            get_user_again(tx, user)
            tx.confirmation_codes.put(user.id, code.stored)
            entry.at(EventResponseType.Pass)(tx)

    if user and code:
        composed = await compose(
            call,
            pool,
            user,
            kind=MessageKind.RESEND_CODE,
            attribute=code.stored.attribute,
            code=code,
            client=client,
            client_metadata=client_metadata,
        )
        return await commit_and_send(call, commit, composed)
    if client.conceals_users:
        return await commit_and_send(call, commit, simulate(call, pool, username))
    await call.store.write(commit)
    raise UserNotFoundException(NO_COMBINATION)


async def confirm_by_admin(call: Call, pool: Pool, username: str, client_metadata: dict[str, str] | None) -> None:
    """Confirm a user without a code, which verifies nothing; raises NotAuthorizedException, UserNotFoundException."""

    def commit(tx: Tx) -> User:
        user = find_user(tx, pool, username)
        if user is None:
            raise UserNotFoundException("User does not exist.")
        check_unconfirmed(user)
        drop_codes(tx, user, CodePurpose.SIGN_UP)
        entry = journal.begin(call, pool, None, user, EventType.SignUp)
        journal.settle(tx, entry, user.created_at, EventResponseType.Pass)
        return save_user(tx, pool, replace(user, status=UserStatusType.CONFIRMED, modified_at=call.now))

    await _announce(call, pool, None, await call.store.write(commit), client_metadata)


def check_unconfirmed(user: User) -> None:
    """Check that a user still waits to be confirmed; raises NotAuthorizedException."""
    if not user.enabled:
        raise NotAuthorizedException("User is disabled.")
    if user.status != UserStatusType.UNCONFIRMED:
        raise NotAuthorizedException(f"User cannot be confirmed. Current status is {user.status}")


def _check_request(call: Call, pool: Pool, client: Client, request: SignUpRequest) -> User:
    """Return the user that a request asks for, after every check that needs no other user."""
    config = pool.settings.admin_create_user_config
    if config and config.allow_admin_create_user_only:
        raise NotAuthorizedException("SignUp is not permitted for this user pool")
    sub = call.deps.random.uuid()
    given = from_wire(request.user_attributes)
    username, named = choose_username(pool, request.username, given, sub)
    _check_password(pool, request.password, named)
    check_writable(pool, client, given)
    attributes = check_new(pool, named, complete=True)
    if "preferred_username" in attributes and "preferred_username" in pool.alias_attributes:
        raise InvalidParameterException(PREFERRED_TOO_EARLY)
    return User(
        pool_id=pool.id,
        sub=sub,
        username=username,
        status=UserStatusType.UNCONFIRMED,
        attributes=attributes,
        credentials=Credentials(),
        created_at=call.now,
        modified_at=call.now,
    )


def _check_password(pool: Pool, password: str | None, attributes: Mapping[str, str]) -> None:
    if password:
        passwords.check_policy(pool, password, new_user=True)
    elif not any(attributes.get(contact) for contact in passwords.passwordless_contacts(pool)):
        raise InvalidParameterException(
            "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null"
        )


def _apply(verdict: events.Verdict, user: User) -> User:
    flags = {
        f"{contact}_verified": "true" if contact in verdict.verified else "false"
        for contact in CONTACTS
        if contact in user.attributes
    }
    status = UserStatusType.CONFIRMED if verdict.confirmed else user.status
    return replace(user, attributes=user.attributes | flags, status=status)


def _make_sign_up_code(call: Call, pool: Pool, user: User) -> FreshCode | None:
    """Return the code to send; None for a user who is confirmed already, or has nothing to verify."""
    contact = codes.find_auto_verified(pool, user.attributes)
    if contact is None or user.status == UserStatusType.CONFIRMED:
        return None
    if is_link(pool, MessageKind.SIGN_UP, MEDIUM_OF[contact]) and base_url_of(call.deps.identity, pool) is None:
        raise InvalidParameterException("A user pool needs a domain to confirm users with a link.")
    return make_code(call, pool, user.sub, CodePurpose.SIGN_UP, contact, user.attributes[contact])


def _find_resent_code(call: Call, pool: Pool, client: Client, user: User | None) -> FreshCode | None:
    """Return the code for a user who waits for one; None where there is nobody, or nobody may tell."""
    if user is None or (not user.enabled and client.conceals_users):
        return None
    if not user.enabled:
        raise NotAuthorizedException("User is disabled.")
    if user.status != UserStatusType.UNCONFIRMED:
        raise InvalidParameterException("User is already confirmed.")
    code = _make_sign_up_code(call, pool, user)
    if code is None:
        raise NotAuthorizedException("Cannot resend codes. Auto verification not turned on.")
    return code


def _insert(tx: Tx, *, entry: Entry, name: str, user: User, code: FreshCode | None) -> User:
    pool = entry.pool
    check_name_free(tx, pool, name)
    release_aliases(tx, pool, user, entry.call.now)
    stored = insert_user(tx, pool, user)
    confirmed = stored.status == UserStatusType.CONFIRMED
    dataclasses.replace(entry, user=stored).at(EventResponseType.Pass if confirmed else EventResponseType.InProgress)(
        tx
    )
    if code:
        tx.confirmation_codes.put(stored.id, code.stored)
    return stored


def _confirmed_by(stored: ConfirmationCode, user: User, now: int) -> User:
    """Return a user as the right code leaves it: confirmed, with what the code went to verified."""
    attributes = user.attributes
    if attributes.get(stored.attribute) == stored.destination:
        attributes = attributes | {f"{stored.attribute}_verified": "true"}
    return replace(user, status=UserStatusType.CONFIRMED, attributes=attributes, modified_at=now)


async def _announce(
    call: Call, pool: Pool, client: Client | None, user: User, client_metadata: dict[str, str] | None
) -> None:
    """Tell the post confirmation trigger. Its failure is the caller's error; the user stays confirmed."""
    await consult(
        call,
        pool,
        events.CONFIRMED,
        partial(events.post_confirmation, pool, user, client_metadata),
        username=user.username,
        client=client,
    )
