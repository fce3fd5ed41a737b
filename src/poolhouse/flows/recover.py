"""Forgotten passwords (spec/api/03 §7), and the administrator's reset of one."""

from functools import partial

from msgspec.structs import replace

from poolhouse.core import codes, events, passwords, recovery
from poolhouse.core.aliases import fold_username
from poolhouse.core.client import Client
from poolhouse.core.codes import CodePurpose
from poolhouse.core.limits import Purpose
from poolhouse.core.messages import MessageKind
from poolhouse.core.pool import Pool
from poolhouse.core.session import ConfirmationCode
from poolhouse.core.user import User
from poolhouse.flows import compromised, journal, limits, migration
from poolhouse.flows.beat import answers_on_the_beat
from poolhouse.flows.calls import Call
from poolhouse.flows.codes import FreshCode, drop_codes, find_refusal, make_code
from poolhouse.flows.consult import consult
from poolhouse.flows.journal import Entry
from poolhouse.flows.messages import Composed, commit_and_send, compose, simulate
from poolhouse.flows.passwords import check_history, make_credentials, without_password
from poolhouse.flows.users import find_user, get_user, get_user_again, save_user
from poolhouse.model import (
    CodeDeliveryDetailsType,
    EventFilterType,
    EventResponseType,
    EventType,
    InvalidParameterException,
    InvalidPasswordException,
    NotAuthorizedException,
    ServiceError,
    UserNotFoundException,
    UserStatusType,
)
from poolhouse.storage import Tx

NO_COMBINATION = "Username/client id combination not found."
UNRECOVERABLE = frozenset({UserStatusType.FORCE_CHANGE_PASSWORD, UserStatusType.EXTERNAL_PROVIDER})


@answers_on_the_beat
async def forgot(
    call: Call, pool: Pool, client: Client, username: str, client_metadata: dict[str, str] | None
) -> CodeDeliveryDetailsType:
    """Send a recovery code. Neither the status nor the password changes.

    Raises UserNotFoundException, NotAuthorizedException, InvalidParameterException, LimitExceededException,
    CodeDeliveryFailureException.
    """
    recovery.check_recoverable(pool)
    user, is_left = await call.store.read(
        partial(limits.find_asker, now=call.now, pool=pool, username=username, purpose=Purpose.RECOVER)
    )
    if user is None:
        user = await migration.at_recovery(call, pool, client, username, client_metadata)
    name = user.username if user else fold_username(pool, username)
    entry = journal.begin(call, pool, client, user, EventType.ForgotPassword, name)
    async with journal.watching(entry):
        code = _find_recovery_code(call, pool, client, user)
    if not is_left:
        raise limits.exceeded()

    def commit(tx: Tx) -> None:
        limits.count_attempt(tx, call.now, pool, name, Purpose.RECOVER)
        if user and code:
            get_user_again(tx, user)
            tx.confirmation_codes.put(user.id, code.stored)
            entry.at(EventResponseType.InProgress)(tx)
        elif client.conceals_users:
            limits.pretend_code(tx, call.now, pool, name)

    if user and code:
        return await commit_and_send(call, commit, await _compose(call, pool, client, user, code, client_metadata))
    if client.conceals_users:
        return await commit_and_send(call, commit, simulate(call, pool, username))
    await call.store.write(commit)
    raise UserNotFoundException(NO_COMBINATION)


@answers_on_the_beat
async def confirm_forgot(
    call: Call,
    pool: Pool,
    client: Client,
    username: str,
    code: str,
    password: str,
    client_metadata: dict[str, str] | None,
) -> None:
    """Set a new password with the code that was sent. A refused password leaves the code as it was.

    Raises InvalidPasswordException, PasswordHistoryPolicyViolationException, CodeMismatchException,
    ExpiredCodeException, UserNotFoundException, NotAuthorizedException, LimitExceededException.
    """
    passwords.check_policy(pool, password)

    def check_code(tx: Tx) -> User | ServiceError:
        user = find_user(tx, pool, username)
        name = user.username if user else fold_username(pool, username)
        limits.count_attempt(tx, call.now, pool, name, Purpose.RECOVER)
        if user is None or not user.enabled:
            return _missing(tx, call, pool, client, name, user)
        stored = tx.confirmation_codes.find(user.id, CodePurpose.RECOVER)
        if stored is None and client.conceals_users and limits.is_code_pretended(tx, call.now, pool, name):
            return codes.mismatch()
        refusal = find_refusal(call, pool, user, stored, CodePurpose.RECOVER, code)
        if refusal:
            _settle(
                tx, journal.begin(call, pool, client, user, EventType.ForgotPassword), stored, EventResponseType.Fail
            )
        return refusal or user

    found = await call.store.write(check_code)
    if isinstance(found, ServiceError):
        raise found
    entry = await compromised.look_up(
        journal.begin(call, pool, client, found, EventType.ForgotPassword), EventFilterType.PASSWORD_CHANGE, password
    )
    await _check_password(entry, found)
    await check_history(call, pool, found.credentials, password)
    credentials = await make_credentials(call, pool, found.username, password, found.credentials)

    def commit(tx: Tx) -> User:
        user = get_user_again(tx, found)
        stored = tx.confirmation_codes.find(user.id, CodePurpose.RECOVER)
        refusal = find_refusal(call, pool, user, stored, CodePurpose.RECOVER, code)
        if refusal:
            raise refusal
        _settle(tx, entry, stored, EventResponseType.Pass)
        drop_codes(tx, user, CodePurpose.RECOVER)
        limits.reset(tx, pool, user.username)
        recovered = replace(user, status=UserStatusType.CONFIRMED, credentials=credentials, modified_at=call.now)
        return save_user(tx, pool, recovered)

    user = await call.store.write(commit)
    await consult(
        call,
        pool,
        events.RECOVERED,
        partial(events.post_confirmation, pool, user, client_metadata),
        username=user.username,
        client=client,
    )


async def reset_by_admin(call: Call, pool: Pool, username: str, client_metadata: dict[str, str] | None) -> None:
    """Void a user's password and send a recovery code (spec/api/03 §7.4).

    Raises UserNotFoundException, NotAuthorizedException, InvalidParameterException.
    """
    user = await call.store.read(lambda tx: get_user(tx, pool, username))
    if not user.enabled:
        raise NotAuthorizedException("User is disabled.")
    if user.status not in {UserStatusType.CONFIRMED, UserStatusType.RESET_REQUIRED}:
        raise NotAuthorizedException("User password cannot be reset in the current state.")
    recovery.check_recoverable(pool)
    code = _recovery_code(call, pool, user)
    reset = replace(user, status=UserStatusType.RESET_REQUIRED)
    composed = await _compose(call, pool, None, reset, code, client_metadata)

    def commit(tx: Tx) -> None:
        fresh = get_user_again(tx, user)
        tx.confirmation_codes.put(fresh.id, code.stored)
        credentials = without_password(pool, fresh.credentials)
        save_user(tx, pool, replace(fresh, status=reset.status, credentials=credentials, modified_at=call.now))

    await commit_and_send(call, commit, composed)


def _find_recovery_code(call: Call, pool: Pool, client: Client, user: User | None) -> FreshCode | None:
    """Return the code for a user who may recover; None where there is nobody, or nobody may tell.

    Raises NotAuthorizedException and InvalidParameterException, as far as the client does not conceal users.
    """
    if user is None:
        return None
    if user.status in UNRECOVERABLE:
        raise NotAuthorizedException("User password cannot be reset in the current state.")
    if not user.enabled:
        if client.conceals_users:
            return None
        raise NotAuthorizedException("User is disabled.")
    try:
        return _recovery_code(call, pool, user)
    except InvalidParameterException:
        if client.conceals_users:
            return None
        raise


def _recovery_code(call: Call, pool: Pool, user: User) -> FreshCode:
    attribute = recovery.get_recovery_attribute(pool, user)
    return make_code(call, pool, user.sub, CodePurpose.RECOVER, attribute, user.attributes[attribute])


async def _check_password(entry: Entry, user: User) -> None:
    """Check a new password that was looked up; raises InvalidPasswordException, and records that."""
    try:
        compromised.check(entry)
    except InvalidPasswordException:
        await entry.call.store.write(
            lambda tx: _settle(
                tx, entry, tx.confirmation_codes.find(user.id, CodePurpose.RECOVER), EventResponseType.Fail
            )
        )
        raise


def _settle(tx: Tx, entry: Entry, stored: ConfirmationCode | None, response: EventResponseType) -> None:
    """Record how a recovery goes on that began when the code was made."""
    begun_at = stored.expires_at - codes.LIFETIMES[CodePurpose.RECOVER] if stored else entry.call.now
    journal.settle(tx, entry, begun_at, response)


def _missing(tx: Tx, call: Call, pool: Pool, client: Client, name: str, user: User | None) -> ServiceError:
    """Return the answer for a user who is not there, or disabled: as if there were one, where that is concealed."""
    if client.conceals_users:
        return codes.mismatch() if limits.is_code_pretended(tx, call.now, pool, name) else codes.expired()
    if user is None:
        return UserNotFoundException(NO_COMBINATION)
    return NotAuthorizedException("User is disabled.")


async def _compose(
    call: Call,
    pool: Pool,
    client: Client | None,
    user: User,
    code: FreshCode,
    client_metadata: dict[str, str] | None,
) -> Composed:
    return await compose(
        call,
        pool,
        user,
        kind=MessageKind.FORGOT_PASSWORD,
        attribute=code.stored.attribute,
        code=code,
        client=client,
        client_metadata=client_metadata,
    )
