"""Answers that leave on the beat, so that their time does not tell whether a user exists (docs/decisions/0019).

Equal work alone leaves a few per cent between a user's code that is stored and nobody's that is not: enough for whoever
asks a thousand times. Where no password has to be hashed, answers wait for the next beat after their work began; the
work is equal enough to end before the same one.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from poolhouse.core.client import Client
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import Call

P = ParamSpec("P")
R = TypeVar("R")

# Several times what the work takes, and less than anybody notices.
SECONDS = 0.025


def on_the_beat(
    flow: Callable[Concatenate[Call, Pool, Client, P], Awaitable[R]],
) -> Callable[Concatenate[Call, Pool, Client, P], Awaitable[R]]:
    """Let what a flow returns or raises wait for the beat, where its client conceals users."""

    @wraps(flow)
    async def paced(call: Call, pool: Pool, client: Client, /, *args: P.args, **kwargs: P.kwargs) -> R:
        async with keep_beat(client):
            return await flow(call, pool, client, *args, **kwargs)

    return paced


@contextlib.asynccontextmanager
async def keep_beat(client: Client) -> AsyncIterator[None]:
    """Let what is done inside end on the beat, where the client conceals users."""
    time = asyncio.get_running_loop().time
    begun = time()
    try:
        yield
    finally:
        if client.conceals_users:
            await asyncio.sleep(SECONDS - (time() - begun) % SECONDS)
