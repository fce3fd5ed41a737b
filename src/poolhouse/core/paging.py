"""Pages of long lists: the content of page tokens. ``flows.paging`` seals them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

Row = TypeVar("Row")


class Place(Struct, frozen=True, array_like=True):
    """How far a caller has read: the sort key of the last item given out, and when, in milliseconds."""

    after: tuple[str, ...]
    at: int


def binding(operation: str, *parameters: object) -> bytes:
    """Return what a token is bound to: it continues this list with these parameters only (spec/api/01 §7)."""
    return msgspec.json.encode([operation, *parameters])


def page_of(
    rows: Sequence[Row], after: tuple[str, ...] | None, limit: int, place: Callable[[Row], tuple[str, ...]]
) -> tuple[list[Row], tuple[str, ...] | None]:
    """Return a page of a short list that is read as a whole, sorted by place, and the place to go on after.

    The place is None at the end.
    """
    left = [row for row in rows if after is None or place(row) > after]
    page = left[:limit]
    return page, place(page[-1]) if len(left) > limit else None


def cut(rows: Sequence[Row], limit: int, key: Callable[[Row], str]) -> tuple[list[Row], str | None]:
    """Split rows, of which one more than ``limit`` was asked for, into a page and the key to go on after.

    The key is None at the end, so that clients' loops end exactly.
    """
    page = list(rows[:limit])
    return page, key(page[-1]) if len(rows) > limit else None
