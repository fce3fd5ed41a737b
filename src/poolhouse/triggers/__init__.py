"""Lambda triggers: how the functions that pools name are reached.

The flows consult them in the documented places (spec/api/06 §2); what the events hold is the flows' business.
"""

import asyncio
import logging
import time
import weakref
from typing import Any

from poolhouse.model import InvalidLambdaResponseException, UnexpectedLambdaException, UserLambdaValidationException
from poolhouse.triggers.failure import NO_FUNCTION, TIMED_OUT, FunctionFailed, NotInvoked
from poolhouse.triggers.invocation import Invocation, Runner
from poolhouse.triggers.routes import Routes

log = logging.getLogger(__name__)

# Time limit of one try, waiting for a place included, and how many there are (spec/api/06 §1).
SECONDS, TRIES = 5.0, 3
# What lies between two tries, doubled each time: a throttled function needs a moment.
PAUSE_SECONDS = 0.1
# Invocations at a time, per process: connections stay far below the usual 1024 open files. One function gets a
# quarter of them at most, so that those which hang leave room for those which answer.
PLACES, PLACES_OF_ONE = 256, 64


class Triggers:
    """Invokes the functions that pools name by ARN; without routes there are none."""

    def __init__(self, routes: Routes | None = None) -> None:
        self._routes = routes
        self._places = asyncio.Semaphore(PLACES)
        # A function's own places are there as long as somebody uses them.
        self._places_of: weakref.WeakValueDictionary[str, asyncio.Semaphore] = weakref.WeakValueDictionary()

    async def invoke(self, trigger: str, arn: str, event: dict[str, Any]) -> Any:
        """Return what a function returns for an event; ``trigger`` is the name that errors call it.

        Raises UserLambdaValidationException, UnexpectedLambdaException and InvalidLambdaResponseException
        (spec/api/06 §1.2).
        """
        return await self._ask(trigger, arn, event, notice=False)

    async def notify(self, trigger: str, arn: str, event: dict[str, Any]) -> None:
        """Hand an event to a function whose answer nobody waits for, as Cognito does to custom senders.

        Raises UserLambdaValidationException and UnexpectedLambdaException where it was not taken.
        """
        await self._ask(trigger, arn, event, notice=True)

    async def close(self) -> None:
        """Close connections."""
        if self._routes is not None:
            await self._routes.close()

    async def _ask(self, trigger: str, arn: str, event: dict[str, Any], *, notice: bool) -> Any:
        runner = self._routes.find(arn) if self._routes else None
        if self._routes is None or runner is None:
            raise _unexpected(trigger, NO_FUNCTION)
        invocation = Invocation(id=self._routes.make_id(), arn=arn, event=event, notice=notice)
        began = time.monotonic()
        tries = 0
        outcome = "answered"
        try:
            while True:
                tries += 1
                try:
                    return await self._try(runner, invocation)
                except NotInvoked as error:
                    if not error.passing or tries == TRIES:
                        raise
                await asyncio.sleep(PAUSE_SECONDS * 2 ** (tries - 1))
        except FunctionFailed as error:
            outcome = "threw"
            raise UserLambdaValidationException(f"{trigger} failed with error {error}.") from None
        except NotInvoked as error:
            outcome = f"failed: {error}"
            raise _unexpected(trigger, str(error)) from None
        except InvalidLambdaResponseException:
            outcome = "answered no JSON"
            raise
        except asyncio.CancelledError:
            outcome = "was given up"
            raise
        finally:
            source = event.get("triggerSource", trigger)
            level = logging.INFO if outcome == "answered" else logging.WARNING
            milliseconds = (time.monotonic() - began) * 1000
            log.log(level, "%s: %s %s (%d ms, tries: %d)", source, arn, outcome, milliseconds, tries)

    async def _try(self, runner: Runner, invocation: Invocation) -> Any:
        places = self._places_of.setdefault(invocation.arn, asyncio.Semaphore(PLACES_OF_ONE))
        try:
            async with asyncio.timeout(SECONDS), places, self._places:
                return await runner.run(invocation)
        except TimeoutError:
            raise NotInvoked(TIMED_OUT, passing=True) from None


def _unexpected(trigger: str, reason: str) -> UnexpectedLambdaException:
    return UnexpectedLambdaException(f"{trigger} invocation failed due to error {reason}.")
