"""Storing many new users at once, by few statements: each costs PostgreSQL a round trip."""

# ruff: noqa: S608 - only our own names are put into SQL here

import functools
from collections.abc import Iterable, Sequence
from string import ascii_lowercase

from poolhouse.core.import_csv import Newcomer, Taken
from poolhouse.storage import counts
from poolhouse.storage.engine import Connection
from poolhouse.storage.users import SHARDS, new_values

# Values looked for by one statement, and their names in it.
WIDTH = 100
_PLACES = tuple(f"v_{first}{second}" for first in ascii_lowercase for second in ascii_lowercase)[:WIDTH]
_COLUMNS = (
    *("username", "sub", "status", "enabled", "created_at", "modified_at", "signed_out_at", "revision"),
    *("details", "names"),
)


class ManyUsers:
    """Users by the batch."""

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def find_taken(self, pool_id: str, newcomers: Sequence[Newcomer]) -> Taken:
        """Return which of the names that newcomers ask for are somebody's."""
        usernames = {name for newcomer in newcomers for name in newcomer.usernames}
        subs = {newcomer.name for newcomer in newcomers if newcomer.may_be_sub}
        aliases = {alias for newcomer in newcomers for alias in (*newcomer.wanted, *newcomer.names.aliases)}
        return Taken(
            usernames=self._find("users", "username", pool_id, usernames),
            subs=self._find("users", "sub", pool_id, subs),
            aliases=self._find("user_aliases", "alias", pool_id, aliases),
        )

    def insert(self, pool_id: str, newcomers: Sequence[Newcomer]) -> None:
        """Store new users of a pool, whose names are free."""
        if not newcomers:
            return
        values = [new_values(newcomer.user, newcomer.names) for newcomer in newcomers]
        rows = [(pool_id, *(value[name] for name in _COLUMNS)) for value in values]
        numbers = self._sql.insert_numbered("users", ("pool_id", *_COLUMNS), rows)
        numbered = list(zip(newcomers, numbers, strict=True))
        aliases = [(pool_id, alias, number) for newcomer, number in numbered for alias in newcomer.names.aliases]
        self._sql.insert_many("user_aliases", ("pool_id", "alias", "user_id"), aliases)
        found = [
            (pool_id, attribute, value, newcomer.user.username, number)
            for newcomer, number in numbered
            for attribute, value in newcomer.names.search.items()
        ]
        self._sql.insert_many("user_search", ("pool_id", "attribute", "value", "username", "user_id"), found)
        counts.add(self._sql, f"users:{pool_id}", len(newcomers), numbers[0] % SHARDS)

    def _find(self, table: str, column: str, pool_id: str, values: Iterable[str]) -> set[str]:
        found: set[str] = set()
        left = sorted(values)
        for start in range(0, len(left), WIDTH):
            some = left[start : start + WIDTH]
            # The same statement each time: what is missing is asked for twice.
            some += some[-1:] * (WIDTH - len(some))
            values = dict(zip(_PLACES, some, strict=True))
            rows = self._sql.rows(_search_statement(table, column), pool_id=pool_id, **values)
            found.update(value for (value,) in rows)
        return found


@functools.cache
def _search_statement(table: str, column: str) -> str:
    places = ", ".join(f":{place}" for place in _PLACES)
    return f"SELECT {column} FROM {table} WHERE pool_id = :pool_id AND {column} IN ({places})"
