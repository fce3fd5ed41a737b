"""Making and changing user pools, where that is more than one row."""

import asyncio
from typing import Literal

from msgspec.structs import replace

from poolhouse.core.domain_rules import MANAGED_LOGIN
from poolhouse.core.names import new_device_group_key, new_pool_id
from poolhouse.core.pool import Pool
from poolhouse.core.pool_settings import new_pool, updated_pool
from poolhouse.core.replica_rules import check_key, check_only_regional
from poolhouse.core.signing_key import SigningKey
from poolhouse.core.tiers import LITE, tier_of
from poolhouse.flows.calls import AdminCall, Deps
from poolhouse.flows.import_jobs import check_no_import
from poolhouse.model import (
    CreateUserPoolRequest,
    ExplicitAuthFlowsType,
    InvalidParameterException,
    LimitExceededException,
    TierChangeNotAllowedException,
    UpdateUserPoolRequest,
)
from poolhouse.storage import Tx

MAX_POOLS = 10_000
USES: tuple[Literal["id"], Literal["access"]] = ("id", "access")
_PAGE = 200


class StockEmpty(Exception):
    """No signing key waits in stock."""


async def create_pool(call: AdminCall, request: CreateUserPoolRequest) -> Pool:
    """Make a user pool with its two signing keys and return it.

    Raises InvalidParameterException, LimitExceededException, tagging and tier errors.
    """
    draw = call.deps.random.text
    pool = new_pool(
        request,
        pool_id=new_pool_id(call.region, draw),
        account_id=call.deps.identity.account_id,
        device_group_key=new_device_group_key(draw),
        now=call.now,
    )

    def commit(tx: Tx, spare: dict[str, SigningKey] | None = None) -> None:
        if tx.pools.count(call.region) >= MAX_POOLS:
            raise LimitExceededException(f"A Region can have at most {MAX_POOLS} user pools.")
        tx.pools.insert(pool, call.now)
        for use in USES:
            if tx.signing_keys.claim(pool.id, use) is None:
                if spare is None:
                    raise StockEmpty
                tx.signing_keys.insert(replace(spare[use], pool_id=pool.id, state="active"))

    try:
        await call.store.write(commit)
    except StockEmpty:
        made = await make_keys(call.deps, call.now)
        await call.store.write(lambda tx: commit(tx, made))
    return pool


async def make_keys(deps: Deps, now: int) -> dict[str, SigningKey]:
    """Return a signing key for each use, made in threads since that takes long."""
    keys = await asyncio.gather(*(asyncio.to_thread(deps.keyring.make_key, use, now, deps.random) for use in USES))
    return {key.use: key for key in keys}


async def update_pool(call: AdminCall, request: UpdateUserPoolRequest) -> None:
    """Change a user pool.

    Raises ResourceNotFoundException, InvalidParameterException, ConcurrentModificationException,
    UserImportInProgressException, tagging and tier errors.
    """

    def commit(tx: Tx) -> None:
        before = call.pool(tx, request.user_pool_id)
        check_no_import(tx, before.id)
        after = updated_pool(before, request, call.now)
        if before.seat is not None:
            check_only_regional(before, after)
        if before.replicas:
            check_key(after.settings)
        if tier_of(after.settings) is LITE and tier_of(before.settings) is not LITE:
            _check_downgrade(tx, after)
        tx.pools.save(after)

    await call.store.write(commit)


def _check_downgrade(tx: Tx, pool: Pool) -> None:
    """Check that neither sessions, domains, clients nor replicas need what the Lite plan lacks.

    Raises TierChangeNotAllowedException.
    """
    if pool.replicas:
        raise TierChangeNotAllowedException("The user pool has replicas.")
    if pool.tracks_sessions:
        raise TierChangeNotAllowedException("The user pool tracks sessions.")
    for name in (pool.settings.domain, pool.settings.custom_domain):
        domain = tx.domains.find(name) if name else None
        if domain is not None and domain.description.managed_login_version == MANAGED_LOGIN:
            raise TierChangeNotAllowedException(f"The domain {name} uses managed login.")
    after: str | None = None
    while clients := tx.clients.page(pool.id, after=after, limit=_PAGE):
        for client in clients:
            if ExplicitAuthFlowsType.ALLOW_USER_AUTH in client.flows:
                raise TierChangeNotAllowedException(f"The app client {client.id} uses ALLOW_USER_AUTH.")
        after = clients[-1].id


async def delete_pool(call: AdminCall, pool_id: str) -> None:
    """Delete a user pool and everything in it.

    Raises ResourceNotFoundException, InvalidParameterException while it is protected, has a domain or replicas,
    UserImportInProgressException.
    """

    def commit(tx: Tx) -> None:
        pool = call.pool(tx, pool_id)
        settings = pool.settings
        check_no_import(tx, pool.id)
        if settings.deletion_protection == "ACTIVE":
            raise InvalidParameterException(
                "The user pool cannot be deleted because deletion protection is activated."
                " Deletion protection must be inactivated first."
            )
        if settings.domain or settings.custom_domain:
            raise InvalidParameterException(
                "User pool cannot be deleted. It has a domain configured that should be deleted first."
            )
        if pool.replicas:
            raise InvalidParameterException(
                "User pool cannot be deleted. It has replicas that should be deleted first."
            )
        tx.pools.delete(pool_id)

    await call.store.write(commit)
