"""Bringing users over from another directory when they first sign in or recover a password (spec/api/06 §7).

Whatever goes wrong looks as if there were no such user. The log says what it was.

Differs from Cognito (user migration): the welcome message never tells a password. It is sent where the invitation of
the pool has no place for one, as to users whom an administrator makes without a password. Required attributes that the
function does not give are missing, where Cognito fills in a text of its own.
"""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from msgspec.structs import replace as changed

from poolhouse.core import migration
from poolhouse.core.aliases import fold_username
from poolhouse.core.client import Client
from poolhouse.core.limits import Purpose
from poolhouse.core.migration import Migrant
from poolhouse.core.pool import Pool
from poolhouse.core.trigger_events import find_function
from poolhouse.core.user import User
from poolhouse.flows import limits
from poolhouse.flows.calls import Call
from poolhouse.flows.challenges import password as wrong_password
from poolhouse.flows.challenges.talk import Talk
from poolhouse.flows.consult import TRIGGER_FAILURES, consult
from poolhouse.flows.invitations import choose_contacts, invite
from poolhouse.flows.passwords import make_credentials
from poolhouse.flows.users import find_user, insert_user, release_aliases
from poolhouse.model import (
    AliasExistsException,
    InvalidParameterException,
    ServiceError,
    UsernameExistsException,
    UserNotFoundException,
    UserStatusType,
)
from poolhouse.storage import Tx

log = logging.getLogger(__name__)

_REFUSALS = (
    *TRIGGER_FAILURES,
    InvalidParameterException,
    AliasExistsException,
)


def is_asked(pool: Pool) -> bool:
    """Whether another directory is asked about users that the pool does not know."""
    # Users are not made through a replica (spec/api/10 §3).
    return pool.seat is None and find_function(pool.settings.lambda_config, "UserMigration") is not None


async def at_sign_in(talk: Talk, username: str, password: str | None, validation_data: dict[str, str] | None) -> Talk:
    """Return a talk with the user whom the pool's function knows by this name and password, if it does.

    Guesses count as those of a password do: the other directory is not open to more of them.
    Raises UserNotFoundException where there is nobody and the client does not conceal that; NotAuthorizedException
    while the name is locked, and for a wrong password where it does.
    """
    call, pool, client = talk.call, talk.pool, talk.client
    tried = bool(password) and is_asked(pool)
    if password and tried:
        check_open = partial(limits.check_not_locked, now=call.now, pool=pool, username=talk.name)
        await call.store.read(lambda tx: limits.check_guess(tx, call, pool, talk.name))
        request = partial(migration.sign_in_request, password, validation_data, talk.client_metadata)
        user = await _migrate(
            call, pool, client, username, migration.AT_SIGN_IN, request, password=password, check=check_open
        )
        if user is not None:
            return replace(talk, user=user, name=user.username)
        if client.conceals_users:
            # As any wrong password, also where the request goes on to ask for something else.
            await wrong_password.check(talk, {"PASSWORD": password})
    if client.conceals_users:
        return talk
    if tried:
        await call.store.write(lambda tx: limits.record_failure(tx, call.now, pool, talk.name))
    raise UserNotFoundException("User does not exist.")


async def at_recovery(
    call: Call, pool: Pool, client: Client, username: str, client_metadata: dict[str, str] | None
) -> User | None:
    """Return the user whom the pool's function knows by this name, None where it knows nobody.

    It is asked as often as codes can be: beyond that the caller refuses anyway.
    """
    name = fold_username(pool, username)
    if not is_asked(pool) or not await call.store.read(
        lambda tx: limits.is_attempt_left(tx, call.now, pool, name, Purpose.RECOVER)
    ):
        return None
    request = partial(migration.recovery_request, client_metadata)
    return await _migrate(call, pool, client, username, migration.AT_RECOVERY, request)


async def _migrate(
    call: Call,
    pool: Pool,
    client: Client,
    username: str,
    source: str,
    request: Callable[[], dict[str, Any]],
    *,
    password: str | None = None,
    check: Callable[[Tx], None] | None = None,
) -> User | None:
    """Ask the function and store whom it describes; ``check`` may refuse in the write. None where that fails."""
    try:
        response = await consult(call, pool, source, request, username=username, client=client)
        migrant = migration.read_migrant(response or {})
        if migrant is None:
            return None
        user = migration.user_of(pool, username, migrant, sub=call.deps.random.uuid(), now=call.now)
        if password is not None and user.status is UserStatusType.CONFIRMED:
            user = changed(user, credentials=await make_credentials(call, pool, user.username, password))
        stored = await call.store.write(partial(_insert, call=call, pool=pool, user=user, migrant=migrant, check=check))
    except UsernameExistsException:
        # Somebody else has just brought the same user over.
        return await call.store.read(lambda tx: find_user(tx, pool, username))
    except _REFUSALS as error:
        log.warning("%s brought nobody over to %s: %s", source, pool.id, error.message)
        return None
    await _welcome(call, pool, stored, migrant)
    return stored


def _insert(
    tx: Tx, *, call: Call, pool: Pool, user: User, migrant: Migrant, check: Callable[[Tx], None] | None
) -> User:
    if check is not None:
        # A lock that came meanwhile holds for this guess too.
        check(tx)
    if migrant.takes_aliases:
        release_aliases(tx, pool, user, call.now)
    return insert_user(tx, pool, user)


async def _welcome(call: Call, pool: Pool, user: User, migrant: Migrant) -> None:
    if not migrant.welcome:
        return
    # The user is there, and is not kept out because a message does not arrive.
    with contextlib.suppress(ServiceError):
        await invite(call, pool, user, choose_contacts(migrant.mediums, user), None, None)
