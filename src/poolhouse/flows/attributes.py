"""Changing, deleting and verifying attributes, by users and by administrators (spec/api/03 §9)."""

from collections.abc import Callable, Iterable
from functools import partial

from poolhouse.core import codes
from poolhouse.core.aliases import alias_key
from poolhouse.core.attribute_changes import (
    Change,
    decide_changes,
    decide_deletion,
    find_value_to_verify,
    find_verified,
)
from poolhouse.core.attributes import check_changes, check_deletable
from poolhouse.core.client import Client
from poolhouse.core.codes import VERIFY
from poolhouse.core.deliveries import recipient_of
from poolhouse.core.limits import Purpose
from poolhouse.core.messages import MessageKind
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.flows.calls import Call
from poolhouse.flows.codes import FreshCode, drop_codes, drop_outdated_codes, find_refusal, make_code
from poolhouse.flows.limits import count_attempt
from poolhouse.flows.message_limits import check_room
from poolhouse.flows.messages import send_code
from poolhouse.flows.users import check_owner, check_preferred_name, get_user_again, save_user
from poolhouse.model import CodeDeliveryDetailsType, InvalidParameterException, ServiceError
from poolhouse.storage import Tx

FindUser = Callable[[Tx], User]


async def update(
    call: Call,
    pool: Pool,
    client: Client | None,
    get_user: FindUser,
    changes: dict[str, str],
    client_metadata: dict[str, str] | None,
) -> list[CodeDeliveryDetailsType]:
    """Change attributes and send the codes that the new values need; return where those went.

    ``client`` is None where an administrator changes them.
    Raises InvalidParameterException, AliasExistsException, CodeDeliveryFailureException.
    """
    checked = check_changes(pool, changes)

    def commit(tx: Tx) -> tuple[User, list[FreshCode]]:
        before = get_user(tx)
        change = decide_changes(pool, before, checked, call.now)
        _check_unclaimed(tx, pool, before, change)
        user = save_user(tx, pool, change.user)
        drop_outdated_codes(tx, user)
        return user, [_new_code(call, tx, pool, user, contact) for contact in change.to_verify]

    user, fresh = await call.store.write(commit)
    send = partial(_send, call, pool, client, user, MessageKind.UPDATE_USER_ATTRIBUTE, client_metadata)
    return [await send(code) for code in fresh]


async def delete(call: Call, pool: Pool, get_user: FindUser, names: Iterable[str]) -> None:
    """Delete attributes; absent ones do not matter. Raises InvalidParameterException."""
    stored = check_deletable(pool, names)

    def commit(tx: Tx) -> None:
        drop_outdated_codes(tx, save_user(tx, pool, decide_deletion(get_user(tx), stored, call.now)))

    await call.store.write(commit)


async def request_code(
    call: Call, pool: Pool, client: Client, user: User, attribute: str, client_metadata: dict[str, str] | None
) -> CodeDeliveryDetailsType:
    """Send a code that verifies a contact of the signed-in user.

    Raises InvalidParameterException, LimitExceededException, CodeDeliveryFailureException.
    """
    _check_verifiable(attribute)

    def commit(tx: Tx) -> tuple[User, FreshCode]:
        present = get_user_again(tx, user)
        if not find_value_to_verify(present, attribute):
            raise InvalidParameterException(f"User has no {attribute} to verify.")
        count_attempt(tx, call.now, pool, user.username, Purpose.SEND_ATTRIBUTE_CODE)
        # A code that may not leave is not to void the one that was sent before.
        check_room(tx, call, pool.id, recipient_of(present, MessageKind.VERIFY_USER_ATTRIBUTE, attribute))
        return present, _new_code(call, tx, pool, present, attribute)

    present, code = await call.store.write(commit)
    return await _send(call, pool, client, present, MessageKind.VERIFY_USER_ATTRIBUTE, client_metadata, code)


async def verify(call: Call, pool: Pool, user: User, attribute: str, given: str) -> None:
    """Verify a contact of the signed-in user with the code that was sent; a waiting value becomes the present one.

    Raises CodeMismatchException, ExpiredCodeException, AliasExistsException, InvalidParameterException,
    LimitExceededException.
    """
    _check_verifiable(attribute)
    purpose = VERIFY[attribute]

    def commit(tx: Tx) -> ServiceError | None:
        present = get_user_again(tx, user)
        count_attempt(tx, call.now, pool, user.username, Purpose.VERIFY_ATTRIBUTE)
        stored = tx.confirmation_codes.find(present.id, purpose)
        refusal = find_refusal(call, pool, present, stored, purpose, given)
        verified = find_verified(present, stored, call.now) if stored else None
        if refusal or verified is None:
            return refusal or codes.expired()
        drop_codes(tx, present, purpose)
        drop_outdated_codes(tx, save_user(tx, pool, verified))
        return None

    refusal = await call.store.write(commit)
    if refusal is not None:
        raise refusal


def _check_verifiable(attribute: str) -> None:
    if attribute not in VERIFY:
        raise InvalidParameterException("Invalid attribute name. Only phone_number and email can be verified.")


def _check_unclaimed(tx: Tx, pool: Pool, before: User, change: Change) -> None:
    """Check what the unique indexes cannot: values that still wait, and user names wished for as an alias."""
    for contact, value in change.user.pending.items():
        if contact in pool.username_attributes:
            owner = tx.users.find_by_alias(pool.id, alias_key(pool, contact, value))
            check_owner(before, owner, contact)
    if change.user.attributes.get("preferred_username") != before.attributes.get("preferred_username"):
        check_preferred_name(tx, pool, change.user)


def _new_code(call: Call, tx: Tx, pool: Pool, user: User, contact: str) -> FreshCode:
    destination = find_value_to_verify(user, contact) or ""
    code = make_code(call, pool, user.sub, VERIFY[contact], contact, destination)
    tx.confirmation_codes.put(user.id, code.stored)
    return code


async def _send(
    call: Call,
    pool: Pool,
    client: Client | None,
    user: User,
    kind: MessageKind,
    client_metadata: dict[str, str] | None,
    code: FreshCode,
) -> CodeDeliveryDetailsType:
    return await send_code(
        call,
        pool,
        user,
        kind=kind,
        attribute=code.stored.attribute,
        code=code,
        client=client,
        client_metadata=client_metadata,
    )
