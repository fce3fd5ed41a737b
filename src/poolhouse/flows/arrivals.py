"""Somebody who comes from an identity provider, and who that is here (spec/http/06 §6.4, §6.5)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from poolhouse.core.client import Client
from poolhouse.core.federation import Visitor
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.pool import Pool
from poolhouse.core.user import User
from poolhouse.flows.calls import Call
from poolhouse.flows.consult import consult
from poolhouse.flows.identities import find_user_of
from poolhouse.flows.journal import Entry
from poolhouse.model import EventType
from poolhouse.storage import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Somebody who comes from a provider. ``event_id`` names the sign-in in tokens and the journal."""

    call: Call
    pool: Pool
    client: Client
    provider: IdentityProvider
    visitor: Visitor
    event_id: str

    def entry(self, user: User) -> Entry:
        """Return the entry of the journal for the sign-in."""
        return Entry(
            call=self.call,
            pool=self.pool,
            client=self.client,
            user=user,
            name=user.username,
            type=EventType.SignIn,
            id=self.event_id,
            provider=self.provider.name,
        )

    def find_user(self, tx: Tx) -> User | None:
        """Return who it is here: the one that it became, or was linked to."""
        return find_user_of(tx, self.provider, self.visitor.subject, self.visitor.attributes)

    async def consult(self, source: str, request: Callable[[], dict[str, Any]], username: str) -> dict[str, Any] | None:
        """Ask a function of the pool about it; returns and raises as ``flows.consult``."""
        return await consult(self.call, self.pool, source, request, username=username, client=self.client)
