"""What a grant is: a policy, what it reads and how it authorises. Everything else is the token endpoint's."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from msgspec import Struct

from poolhouse.core.client import Client
from poolhouse.core.parameters import Parameters
from poolhouse.core.pool import Pool
from poolhouse.core.rates import Category
from poolhouse.core.signing_key import PoolKeys
from poolhouse.flows.calls import PublicCall
from poolhouse.flows.token_exchange import Derived
from poolhouse.flows.tokens import Tokens
from poolhouse.model import ResourceServerType
from poolhouse.storage import Tx

T = TypeVar("T")


class Asked(Struct, Generic[T], frozen=True, kw_only=True):
    """A token request whose client is known, with what was read for it, all at once.

    ``found`` is what the grant's own ``load`` returned.
    """

    call: PublicCall
    form: Parameters
    pool: Pool
    client: Client
    keys: PoolKeys
    servers: tuple[ResourceServerType, ...]
    found: T


class Grant(Struct, Generic[T], frozen=True, kw_only=True):
    """A grant type: the parameters it needs, the clients it is open to, what it reads and what it does.

    ``category`` is what requests count as, None for what follows a sign-in that was counted.
    ``load`` prepares the reading of what a request is about, before anything is known of the client;
    ``authorise`` raises OAuthError or an error of the model.
    """

    required: tuple[str, ...] = ()
    category: Category | None = None
    is_open_to: Callable[[Client], bool]
    load: Callable[[PublicCall, Parameters], Callable[[Tx], T]]
    authorise: Callable[[Asked[T]], Awaitable[Tokens | Derived]]
