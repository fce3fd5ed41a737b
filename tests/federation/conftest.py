"""A pool's side of providers, without a pool."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from poolhouse.core.federation import Assertion
from poolhouse.core.provider_details import full_details
from poolhouse.model import IdentityProviderType
from poolhouse.model import IdentityProviderTypeType as Kind
from poolhouse.providers import ProviderRefused, Providers
from tests.federation.provider import Provider, Roads

BACK = "https://pool.example/oauth2/idpresponse"
NONCE = "n-0S6_WzA2Mj"
_ids = itertools.count(1)


def wall() -> int:
    return time.time_ns() // 1_000_000


class Desk:
    """One provider as a pool knows it, and what the pool asks of it."""

    def __init__(self, run: Callable[[Any], Any], providers: Providers, provider: Provider, kind: str, **changes: Any):
        self._run, self._providers, self._provider = run, providers, provider
        mapping = changes.pop("mapping", None)
        self.settings = IdentityProviderType(
            user_pool_id="us-east-1_AbCdEfGhI",
            provider_name="MyIdP" if kind == "OIDC" else kind,
            provider_type=Kind[kind],
            provider_details=full_details(Kind[kind], provider.details(kind)) | changes,
            attribute_mapping=mapping,
        )

    def url(self, **options: Any) -> str:
        """Where a browser goes."""
        return self._run(
            self._providers.authorization_url(self.settings, redirect_uri=BACK, state="s 1", nonce=NONCE, **options)
        )

    def fetch(self, *, code: str | None = None, nonce: str | None = NONCE, **options: Any) -> Assertion:
        """What the provider says of somebody who has just signed in there."""
        code = code or self._provider.code(BACK, nonce)
        return self._run(
            self._providers.fetch(
                self.settings, **{"code": code, "redirect_uri": BACK, "nonce": NONCE, "now": wall()} | options
            )
        )

    def refusal(self, **options: Any) -> str:
        """The error and text that a sign-in must end in."""
        with pytest.raises(ProviderRefused) as refused:
            self.fetch(**options)
        return f"{refused.value.error}: {refused.value.description}"


@pytest.fixture
def desk(provider: Provider) -> Iterator[Callable[..., Desk]]:
    """Make a provider known to a pool; give the pool's side of it. Requests may take ``seconds``, and go over the real ``network``."""
    with asyncio.Runner() as runner:
        opened: list[Providers] = []

        def make(kind: str = "OIDC", seconds: float = 5.0, *, network: bool = False, **changes: Any) -> Desk:
            road = None if network else Roads
            made = Providers(wall=wall, make_id=lambda: f"id-{next(_ids)}", seconds=seconds, transport=road)
            opened.append(made)
            return Desk(runner.run, made, provider, kind, **changes)

        yield make
        for providers in opened:
            runner.run(providers.close())
