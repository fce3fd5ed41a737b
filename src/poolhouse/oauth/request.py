"""A request to an OAuth endpoint, as every endpoint gets it."""

from dataclasses import dataclass

from starlette.types import Receive

from poolhouse.flows.calls import PublicCall
from poolhouse.web.domains import DomainContext
from poolhouse.web.requests import Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthRequest:
    """One request to a pool domain. ``query`` is the query string as it came; the body waits in ``receive``."""

    call: PublicCall
    domain: DomainContext
    method: str
    headers: Headers
    query: str
    receive: Receive

    @property
    def id(self) -> str:
        """The request id, which every answer carries."""
        return self.call.origin.request_id
