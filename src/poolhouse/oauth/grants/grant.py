"""What a grant is: a policy and how it authorises. Everything else is the token endpoint's."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from poolhouse.core.client import Client
from poolhouse.core.parameters import Parameters
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import PublicCall
from poolhouse.flows.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Asked:
    """A token request whose client is known."""

    call: PublicCall
    pool: Pool
    client: Client
    form: Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant type: the parameters it needs, the clients it is open to, and what it does.

    ``authorise`` raises OAuthError or an error of the model.
    """

    required: tuple[str, ...] = ()
    is_open_to: Callable[[Client], bool]
    authorise: Callable[[Asked], Awaitable[Tokens]]
