"""What the items of a seed have in common: how each is recognised in the database, prepared and made.

A pool, a client, a user, … is there when something of its id or name is, whatever its settings: nothing is overwritten.
"""

import contextlib
from collections.abc import Iterator

import msgspec

from poolhouse.core.pool import Pool
from poolhouse.core.seed import SeedError, SeedPool, told
from poolhouse.core.seed_parts import pool_of
from poolhouse.flows.calls import AdminCall
from poolhouse.model import LimitExceededException, ModelError
from poolhouse.storage import Tx
from poolhouse.storage.errors import AlreadyExists


class NotPrepared(Exception):
    """An item went from the database while others were prepared."""


class Home:
    """The pool of the file that items belong to."""

    def __init__(self, seed: SeedPool) -> None:
        self.seed, self.id = seed, seed.id
        self._future: Pool | None = None

    def find(self, tx: Tx) -> Pool | None:
        """Return the pool as it is in the database."""
        return tx.catalogue.find_pool(self.id)

    def get(self, tx: Tx) -> Pool:
        """Return the pool, whose own item comes before those of what is in it."""
        pool = self.find(tx)
        assert pool is not None
        return pool

    def future(self, call: AdminCall) -> Pool:
        """Return the pool as the file will make it, for what needs to be known of it before."""
        if self._future is None:
            account_id = call.deps.identity.account_id
            self._future = pool_of(self.seed, account_id=account_id, device_group_key="-", now=call.now)
        return self._future


class Item:
    """Something that a seed names. ``place`` is where it stands in the file, ``name`` what it is called."""

    def __init__(self, place: str, name: str, home: Home) -> None:
        self.place, self.name, self.home = place, name, home

    def __str__(self) -> str:
        """Return place and name."""
        return f"{self.place} ({self.name})"

    def is_there(self, tx: Tx) -> bool:
        """Whether the database has it."""
        raise NotImplementedError

    async def prepare(self, call: AdminCall, *, rehearsal: bool) -> None:
        """Do what is too slow for a transaction. In a rehearsal nothing is kept, so a stand-in will do."""

    def put(self, tx: Tx, call: AdminCall) -> None:
        """Make it."""
        raise NotImplementedError


@contextlib.contextmanager
def at(item: Item) -> Iterator[None]:
    """Turn what an item is refused for into a SeedError that says where it stands."""
    try:
        yield
    except msgspec.ValidationError as error:
        raise SeedError(told(error, item.place)) from None
    except AlreadyExists as error:
        raise SeedError(f"{item}: its {error.what.partition(':')[0].replace('_', ' ')} is taken.") from None
    except ModelError as error:
        raise SeedError(f"{item}: {' '.join(error.message.split()).rstrip('.')}.") from None


def check_room(count: int, most: int, what: str) -> None:
    """Check that one more fits; raises LimitExceededException."""
    if count >= most:
        raise LimitExceededException(f"A user pool can have at most {most} {what}.")
