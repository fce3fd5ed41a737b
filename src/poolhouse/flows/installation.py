"""What a fresh installation needs before its first request: a master key that fits, an access key, signing keys."""

import asyncio
import hmac

from poolhouse.core.access_key import AccessKey
from poolhouse.flows.calls import Deps
from poolhouse.storage import Tx

ROOT = "root"
KEY_CHECK = "master-key-check"
# So many signing keys wait in stock that making a pool need not wait for one (two each).
STOCK = 6
_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SECRET_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ACCESS_KEY_PURPOSE = "access-key"


class WrongMasterKey(Exception):
    """The database was sealed with another master key."""


async def check_master_key(deps: Deps) -> None:
    """Compare the master key with the one that the database was sealed with; the first start records it.

    Raises WrongMasterKey.
    """
    mark = deps.sealer.digest(KEY_CHECK)

    def commit(tx: Tx) -> bytes:
        stored = tx.settings.find(KEY_CHECK)
        if stored is None:
            tx.settings.put(KEY_CHECK, mark)
        return stored or mark

    if not hmac.compare_digest(await deps.store.write(commit), mark):
        raise WrongMasterKey("This database was sealed with another master key.")


async def ensure_root_key(deps: Deps, given: tuple[str, str] | None) -> None:
    """Store the root access key that the settings give, or make one where there is none."""
    fresh = given or (
        "AKPH" + deps.random.text(16, _ID_ALPHABET),
        deps.random.text(40, _SECRET_ALPHABET),
    )
    now = deps.clock.now()

    def commit(tx: Tx) -> None:
        roots = [key for key in tx.access_keys.list() if key.name == ROOT]
        if given is None and roots:
            return
        for key in roots:
            tx.access_keys.delete(key.id)
        tx.access_keys.insert(seal_access_key(deps, *fresh, name=ROOT, now=now))

    await deps.store.write(commit)


def seal_access_key(deps: Deps, key_id: str, secret: str, *, name: str, now: int) -> AccessKey:
    """Return the row of an access key, its secret sealed and bound to its id."""
    sealed = deps.sealer.seal(_ACCESS_KEY_PURPOSE, secret.encode(), key_id.encode())
    return AccessKey(id=key_id, name=name, sealed_secret=sealed, created_at=now, enabled=True)


def open_access_key(deps: Deps, key: AccessKey) -> str:
    """Return the secret of an access key."""
    return deps.sealer.open(_ACCESS_KEY_PURPOSE, key.sealed_secret, key.id.encode()).decode()


async def make_access_key(deps: Deps, name: str) -> tuple[str, str]:
    """Make a further access key; return its id and secret."""
    key_id, secret = "AKPH" + deps.random.text(16, _ID_ALPHABET), deps.random.text(40, _SECRET_ALPHABET)
    row = seal_access_key(deps, key_id, secret, name=name, now=deps.clock.now())
    await deps.store.write(lambda tx: tx.access_keys.insert(row))
    return key_id, secret


async def find_root_key(deps: Deps) -> tuple[str, str] | None:
    """Return the id and secret of the root access key."""
    keys = await deps.store.read(lambda tx: [key for key in tx.access_keys.list() if key.name == ROOT])
    return (keys[0].id, open_access_key(deps, keys[0])) if keys else None


async def fill_key_stock(deps: Deps, wanted: int = STOCK) -> None:
    """Make signing keys, one after the other in a thread, until as many wait in stock."""
    while await deps.store.read(lambda tx: tx.signing_keys.stock_count()) < wanted:
        key = await asyncio.to_thread(deps.keyring.make_key, "id", deps.clock.now(), deps.random)
        await deps.store.write(lambda tx, key=key: tx.signing_keys.add_stock(key))  # type: ignore[misc]
