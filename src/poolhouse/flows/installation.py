"""What a fresh installation needs before its first request: a master key that fits, an access key, signing keys."""

import asyncio
import hmac

from poolhouse.core.access_key import AccessKey
from poolhouse.flows.calls import Deps
from poolhouse.storage import Tx

ROOT = "root"
KEY_CHECK = "master-key-check"
ROOT_MARK = "root-access-key"
PUBLIC_URL = "public-url"
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

    stored = await deps.store.read(lambda tx: tx.settings.find(KEY_CHECK))
    if stored is None:
        stored = await deps.store.write(commit)
    if not hmac.compare_digest(stored, mark):
        raise WrongMasterKey("This database was sealed with another master key: give it the one it was made with.")


async def ensure_root_key(deps: Deps, given: tuple[str, str] | None) -> None:
    """Store the root access key that the settings give, or make one where there is none."""
    present = await find_root_key(deps)
    if present is not None and given in {None, present}:
        return
    key_id, secret = given or _new_access_key(deps)
    now = deps.clock.now()

    def commit(tx: Tx) -> None:
        roots = _roots(tx)
        if given is None and roots:
            return
        # Two nodes that start at once each see no key yet: writing one row makes them take turns.
        tx.settings.put(ROOT_MARK, key_id.encode())
        for key in roots:
            tx.access_keys.delete(key.id)
        tx.access_keys.insert(seal_access_key(deps, key_id, secret, name=ROOT, now=now))

    await deps.store.write(commit)


async def remember_url(deps: Deps) -> None:
    """Keep the public URL that the server runs with, for commands that are not told of it."""
    url = deps.identity.public_url.encode()
    if await deps.store.read(lambda tx: tx.settings.find(PUBLIC_URL)) != url:
        await deps.store.write(lambda tx: tx.settings.put(PUBLIC_URL, url))


async def find_url(deps: Deps) -> str | None:
    """Return the public URL that the server was started with last; None before the first start."""
    url = await deps.store.read(lambda tx: tx.settings.find(PUBLIC_URL))
    return None if url is None else url.decode()


def seal_access_key(deps: Deps, key_id: str, secret: str, *, name: str, now: int) -> AccessKey:
    """Return the row of an access key, its secret sealed and bound to its id."""
    sealed = deps.sealer.seal(_ACCESS_KEY_PURPOSE, secret.encode(), key_id.encode())
    return AccessKey(id=key_id, name=name, sealed_secret=sealed, created_at=now, enabled=True)


def open_access_key(deps: Deps, key: AccessKey) -> str:
    """Return the secret of an access key."""
    return deps.sealer.open(_ACCESS_KEY_PURPOSE, key.sealed_secret, key.id.encode()).decode()


async def make_access_key(deps: Deps, name: str) -> tuple[str, str]:
    """Make a further access key; return its id and secret."""
    key_id, secret = _new_access_key(deps)
    row = seal_access_key(deps, key_id, secret, name=name, now=deps.clock.now())
    await deps.store.write(lambda tx: tx.access_keys.insert(row))
    return key_id, secret


async def find_root_key(deps: Deps) -> tuple[str, str] | None:
    """Return the id and secret of the root access key."""
    keys = await deps.store.read(_roots)
    return (keys[0].id, open_access_key(deps, keys[0])) if keys else None


async def fill_key_stock(deps: Deps, wanted: int = STOCK) -> None:
    """Make signing keys, one after the other in a thread, until as many wait in stock."""
    while await deps.store.read(lambda tx: tx.signing_keys.stock_count()) < wanted:
        key = await asyncio.to_thread(deps.keyring.make_key, "id", deps.clock.now(), deps.random)
        await deps.store.write(lambda tx, key=key: tx.signing_keys.add_stock(key))  # type: ignore[misc]


def _new_access_key(deps: Deps) -> tuple[str, str]:
    return "AKPH" + deps.random.text(16, _ID_ALPHABET), deps.random.text(40, _SECRET_ALPHABET)


def _roots(tx: Tx) -> list[AccessKey]:
    return [key for key in tx.access_keys.list() if key.name == ROOT]
