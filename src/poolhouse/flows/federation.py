"""Users who come from an identity provider: who they are here, and what is kept of what the provider says of them."""

from poolhouse.core.client import Client
from poolhouse.core.federation import Assertion
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import Call
from poolhouse.flows.sign_in_loop import SignedIn


async def arrive(call: Call, pool: Pool, client: Client, provider: IdentityProvider, assertion: Assertion) -> SignedIn:
    """Return who signs in by what a provider says: a new user, or one who came this way before or was linked.

    Raises OAuthError with what the application is told (spec/http/02 §2.1.5).
    """
    raise NotImplementedError
