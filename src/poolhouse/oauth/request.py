"""A request to an OAuth endpoint, as every endpoint gets it."""

from msgspec import Struct
from starlette.types import Receive

from poolhouse.core.rates import Category, Use
from poolhouse.flows.calls import PublicCall
from poolhouse.storage import Tx
from poolhouse.web.domains import Address, DomainContext
from poolhouse.web.requests import Headers


class NoSuchDomain(Exception):
    """There is no pool domain at the address of the request."""


class OAuthRequest(Struct, frozen=True, kw_only=True):
    """One request to a pool domain. ``query`` is the query string as it came; the body waits in ``receive``."""

    call: PublicCall
    address: Address
    method: str
    headers: Headers
    query: str
    receive: Receive

    @property
    def id(self) -> str:
        """The request id, which every answer carries."""
        return self.call.origin.request_id

    def domain(self, tx: Tx) -> DomainContext:
        """Return the pool domain in the read that the answer makes anyway; raises NoSuchDomain."""
        found = self.address.find(tx, self.call.deps.identity)
        if found is None:
            raise NoSuchDomain
        return found

    async def count(self, category: Category) -> None:
        """Count the request; raises TooManyRequestsException where it is over the limit of its category."""
        deps = self.call.deps
        await deps.rates.check(deps.identity.region, Use(category), self.call.now)

    async def get_domain(self) -> DomainContext:
        """Return the pool domain by a read of its own; raises NoSuchDomain."""
        return await self.call.store.read(self.domain)
