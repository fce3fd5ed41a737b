"""Request rates: who is over the limit of a category. Processes share a budget by taking small shares of it.

Where no limit is set nothing is looked at but a dictionary. See docs/decisions/0008-rate-limits.md.
"""

import asyncio
from collections.abc import Mapping

from poolhouse.core import rates
from poolhouse.core.rates import CHALLENGES_PER_SIGN_IN, SECOND, SHARES, Category, Use
from poolhouse.model import ConcurrentModificationException, TooManyRequestsException
from poolhouse.storage import Store, Tx

# Milliseconds. A share that is not used by then is lost; who was refused asks the database again no sooner.
SHARE_LASTS = 1000
_PAUSE = 1000 // SHARES
_NANOSECONDS = 1_000_000


class _Share:
    """What this process holds of one budget: requests that it may answer without asking."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.size = 1
        self.left = 0
        self.until = 0
        self.asked_again_at = 0

    def use(self, now: int) -> bool:
        """Use one request of the share, if there is one left."""
        if self.left == 0 or now >= self.until:
            return False
        self.left -= 1
        return True

    def is_closed(self, now: int) -> bool:
        """Tell whether asking the database again would be too soon. A clock that was set back counts as late."""
        return now < self.asked_again_at <= now + SHARE_LASTS + _PAUSE

    def fill(self, now: int, granted: int) -> None:
        """Hold what the budget gave."""
        self.left, self.size, self.until = granted, granted, now + SHARE_LASTS


class RateLimiter:
    """The limits in force, and this process's shares of their budgets.

    ``everywhere`` holds for each Region that has no limit of its own.
    """

    def __init__(self, store: Store, everywhere: Mapping[Category, int] | None = None) -> None:
        self._store = store
        self._everywhere = dict(everywhere or {})
        self._set: dict[tuple[str, str], int] = {}
        self._shares: dict[tuple[str, str], _Share] = {}

    @property
    def is_idle(self) -> bool:
        """Tell whether no category has a limit anywhere."""
        return not (self._set or self._everywhere)

    def find(self, region: str, category: Category) -> int | None:
        """Return the limit of a category, in requests per second; None where there is none."""
        return self._set.get((region, category)) or self._everywhere.get(category)

    def take_over(self, limits: dict[tuple[str, str], int]) -> None:
        """Put limits, by Region and category, in the place of those known so far."""
        self._set = limits

    async def check(self, region: str, use: Use, now: int) -> None:
        """Count a request; raises TooManyRequestsException where it is over the limit. ``now`` is in milliseconds."""
        if not self.is_idle and not await self.admit(region, use, now):
            raise TooManyRequestsException("Rate exceeded")

    async def admit(self, region: str, use: Use, now: int) -> bool:
        """Count a request; False where it is over the limit.

        An answer to a challenge counts against a budget of its own, then against the sign-ins' (spec/api/09 §1).
        """
        rate = self.find(region, use.category)
        if rate is None:
            return True
        if use.challenge:
            name = f"{use.category.value}/challenges"
            if await self._admit(region, name, rate * CHALLENGES_PER_SIGN_IN, now):
                return True
        return await self._admit(region, use.category.value, rate, now)

    async def _admit(self, region: str, name: str, rate: int, now: int) -> bool:
        share = self._shares.get((region, name))
        if share is None:
            share = self._shares[region, name] = _Share()
        if share.use(now):
            return True
        async with share.lock:
            # Whoever waited finds what the one before brought, or what it was refused.
            if not share.use(now):
                if share.is_closed(now):
                    return False
                await self._refill(share, region, name, rate, now)
                return share.use(now)
            return True

    async def _refill(self, share: _Share, region: str, name: str, rate: int, now: int) -> None:
        wanted = rates.next_share(rate, share.size, share.size - share.left)

        def commit(tx: Tx) -> rates.Grant:
            at = now * _NANOSECONDS
            given = rates.grant(tx.rates.spent_until(region, name), at, rate, wanted)
            if given.requests:
                tx.rates.spend(region, name, given.spent_until)
            return given

        try:
            given = await self._store.write(commit)
        except ConcurrentModificationException:
            return  # so many take shares at once that this one is refused; the client tries again
        if given.requests:
            share.fill(now, given.requests)
            return
        share.left = 0
        free_at = (given.spent_until + SECOND // rate - SECOND) // _NANOSECONDS
        share.asked_again_at = max(now + _PAUSE, min(free_at, now + SHARE_LASTS))
