"""Uses of tracked sessions on their way into the database.

A refresh must not wait for a write that only says that it happened. So uses are collected, the last one of each
session, and written a few hundred at a time in the background (spec/api/10 §1.3: lists are eventually consistent).
A crash loses the uses of the last seconds, which only makes a session look as if it had been used a little less
recently.
"""

from functools import partial
from itertools import islice

from poolhouse.core.session_tracking import SSO, Activity
from poolhouse.storage import Store, Tx

# How long a use waits to be written.
SECONDS = 2
# Rows of one write: others must not wait long for theirs.
ROWS = 500
# Sessions that may wait to be written. Past that the database is far behind, and further uses are not recorded.
MOST = 50_000


class RecentUses:
    """The uses that this process has yet to write, by the id of the token or SSO session."""

    def __init__(self) -> None:
        self._waiting: dict[str, Activity] = {}

    def note(self, session_id: str, activity: Activity) -> None:
        """Have a use written soon."""
        if len(self._waiting) < MOST or session_id in self._waiting:
            self._waiting[session_id] = activity

    async def write(self, store: Store) -> None:
        """Write what waits. What cannot be written waits on; raises StorageError."""
        for _ in range(0, len(self._waiting), ROWS):
            uses = dict(islice(self._waiting.items(), ROWS))
            await store.write(partial(_write, uses=uses))
            for id, activity in uses.items():
                if self._waiting[id] is activity:  # not used again meanwhile
                    del self._waiting[id]


def _write(tx: Tx, uses: dict[str, Activity]) -> None:
    sso = {id: activity for id, activity in uses.items() if id.startswith(SSO)}
    tx.sessions.note({id: activity for id, activity in uses.items() if id not in sso})
    tx.sso_sessions.note(sso)
