"""Lists of users as ListUsers gives them out: the columns that are shown, and nothing made of them in between."""

# ruff: noqa: S608 - the only thing put into SQL here are lists of columns

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct

from poolhouse.core.user import NO_FACTORS, Factors
from poolhouse.model import UserStatusType
from poolhouse.storage.documents import Column
from poolhouse.storage.engine import Connection, Row
from poolhouse.storage.errors import CorruptRow
from poolhouse.storage.users import STATUSES

T = TypeVar("T")
# Makes what is listed of user name, sub, status, whether the user is enabled, when it was made and changed
# (milliseconds), attributes and factors.
Show = Callable[[str, str, UserStatusType, bool, int, int, dict[str, str], Factors], T]
Place = tuple[str, str]

_SHOWN = "u.username, u.sub, u.status, u.enabled, u.created_at, u.modified_at, u.details"
# These are searched by the user's own columns.
_OWN_COLUMNS = frozenset({"username", "sub"})
# Comes after every other text in both engines' order, but for those that begin with it.
LAST = chr(0x10FFFF)


class _Details(Struct, frozen=True, gc=False):
    """The part of a user's document that is shown; the rest is skipped unread."""

    attributes: dict[str, str]
    factors: Factors = NO_FACTORS


_DETAILS = Column("users", "details", _Details)


class UserLists:
    """Pages of users. Each method returns what ``show`` makes of them, and the place to go on after, if there is more.

    A place is the value that the list is sorted by, and the user name.
    """

    def __init__(self, connection: Connection) -> None:
        self._sql = connection

    def page(self, pool_id: str, show: Show[T], *, after: Place | None, limit: int) -> tuple[list[T], Place | None]:
        """List a pool's users by name."""
        rows = self._sql.rows(
            f"SELECT u.username, {_SHOWN} FROM users AS u WHERE u.pool_id = :pool_id AND u.username > :after"
            " ORDER BY u.username LIMIT :limit",
            pool_id=pool_id,
            after=after[1] if after else "",
            limit=limit + 1,
        )
        return _shown(rows, limit, show)

    def search(
        self,
        pool_id: str,
        attribute: str,
        value: str,
        show: Show[T],
        *,
        prefix: bool,
        after: Place | None,
        limit: int,
    ) -> tuple[list[T], Place | None]:
        """List users whose folded attribute is, or begins with, a value: by value and name."""
        start = (value, "") if after is None else max(after, (value, ""))
        if attribute in _OWN_COLUMNS:
            rows = self._search_own(pool_id, attribute, value, prefix=prefix, start=start, limit=limit + 1)
        else:
            rows = self._search_index(pool_id, attribute, value, prefix=prefix, start=start, limit=limit + 1)
        return _shown(rows, limit, show)

    def _search_index(
        self, pool_id: str, attribute: str, value: str, *, prefix: bool, start: Place, limit: int
    ) -> list[Row]:
        sql = f"SELECT s.value, {_SHOWN} FROM user_search AS s JOIN users AS u ON u.id = s.user_id"
        if prefix:
            sql += (
                " WHERE s.pool_id = :pool_id AND s.attribute = :attribute AND (s.value, s.username) > (:value, :name)"
                " AND s.value < :ceiling ORDER BY s.value, s.username LIMIT :limit"
            )
            limits = {"value": start[0], "name": start[1], "ceiling": after_prefix(value)}
        else:
            sql += (
                " WHERE s.pool_id = :pool_id AND s.attribute = :attribute AND s.value = :value AND s.username > :name"
                " ORDER BY s.username LIMIT :limit"
            )
            limits = {"value": value, "name": start[1] if start[0] == value else LAST}
        return self._sql.rows(sql, pool_id=pool_id, attribute=attribute, limit=limit, **limits)

    def _search_own(
        self, pool_id: str, column: str, value: str, *, prefix: bool, start: Place, limit: int
    ) -> list[Row]:
        sql = f"SELECT u.{column}, {_SHOWN} FROM users AS u WHERE u.pool_id = :pool_id AND u.{column}"
        first = start[1] == ""
        if not prefix:
            found = first and start[0] == value
            return self._sql.rows(f"{sql} = :value", pool_id=pool_id, value=value) if found else []
        return self._sql.rows(
            f"{sql} {'>=' if first else '>'} :value AND u.{column} < :ceiling ORDER BY u.{column} LIMIT :limit",
            pool_id=pool_id,
            value=start[0],
            ceiling=after_prefix(value),
            limit=limit,
        )


def _shown(rows: Sequence[Row], limit: int, show: Show[T]) -> tuple[list[T], Place | None]:
    """Return what is made of the first rows; raises CorruptRow."""
    page, shown = rows[:limit], []
    documents = _DETAILS.decode_all([row[-1] for row in page], [row[1] for row in page])
    for row, document in zip(page, documents, strict=True):
        _, username, sub, status, enabled, created_at, modified_at, _ = row
        known = STATUSES.get(status)
        if known is None:
            raise CorruptRow("users", "status", username)
        # By place: this runs for every user of every page.
        shown.append(
            show(username, sub, known, bool(enabled), created_at, modified_at, document.attributes, document.factors)
        )
    return shown, page[-1][:2] if len(rows) > limit else None


def after_prefix(prefix: str) -> str:
    """Return the first text that comes after all that begin with ``prefix``, in the order of code points."""
    for end in range(len(prefix), 0, -1):
        code = ord(prefix[end - 1]) + 1
        if code == 0xD800:  # surrogates are no text
            code = 0xE000
        if code <= ord(LAST):
            return prefix[: end - 1] + chr(code)
    return LAST
