"""The styles of clients, built once and kept while their pool's configuration stays the same."""

from collections import OrderedDict

from poolhouse.flows.calls import Deps
from poolhouse.flows.links import CLASSIC
from poolhouse.login.branding import Style, build_style
from poolhouse.login.classic import build_classic_style
from poolhouse.storage import Tx

# A style holds its pictures, two megabytes of them at most.
KEPT = 32
# The style of managed login; CLASSIC is the other kind.
BRANDED = "theme"

DEFAULT_STYLE = build_style(None)


class Styles:
    """The most recently used styles of one process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str], tuple[int | None, Style | None]] = OrderedDict()

    async def find(self, deps: Deps, kind: str, pool_id: str, client_id: str) -> Style | None:
        """Return the style of a client for its managed login, which does not open without one, or classic pages."""
        key = (kind, pool_id, client_id)
        make = _make_classic if kind == CLASSIC else _make_branded

        def load(tx: Tx) -> tuple[int | None, Style | None]:
            generation = tx.catalogue.generation(pool_id)
            kept = self._kept.get(key)
            if kept is not None and kept[0] == generation:
                return kept
            return generation, make(tx, pool_id, client_id)

        found = await deps.store.read(load)
        self._kept[key] = found
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found[1]


def _make_branded(tx: Tx, _pool_id: str, client_id: str) -> Style | None:
    branding = tx.branding.find_by_client(client_id)
    return None if branding is None else build_style(branding)


def _make_classic(tx: Tx, pool_id: str, client_id: str) -> Style | None:
    style = tx.classic_styles.find_for(pool_id, client_id)
    return None if style is None else build_classic_style(style)
