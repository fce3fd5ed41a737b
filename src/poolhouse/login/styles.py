"""The styles of clients, built once and kept while their pool's configuration stays the same."""

from collections import OrderedDict

from poolhouse.flows.calls import Deps
from poolhouse.login.branding import Style, build_style
from poolhouse.storage import Tx

# A style holds its pictures, two megabytes of them at most.
KEPT = 32

DEFAULT_STYLE = build_style(None)


class Styles:
    """The most recently used styles of one process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int | None, Style | None]] = OrderedDict()

    async def find(self, deps: Deps, pool_id: str, client_id: str) -> Style | None:
        """Return the style of a client; None where it has none, and so no managed login pages."""

        def load(tx: Tx) -> tuple[int | None, Style | None]:
            generation = tx.catalogue.generation(pool_id)
            kept = self._kept.get(client_id)
            if kept is not None and kept[0] == generation:
                return kept
            branding = tx.branding.find_by_client(client_id)
            return generation, None if branding is None else build_style(branding)

        found = await deps.store.read(load)
        self._kept[client_id] = found
        self._kept.move_to_end(client_id)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found[1]
