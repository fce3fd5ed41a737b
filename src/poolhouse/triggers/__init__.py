"""Lambda triggers: how the functions that pools name are reached.

The flows consult them in the documented places (spec/api/06 §2); what the events hold is the flows' business.
"""

import asyncio
import logging
import time
import weakref
from dataclasses import dataclass
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


@dataclass(slots=True)
class Course:
    """How an invocation went, for the log."""

    tries: int = 0
    outcome: str = "answered"


class Triggers:
    """Invokes the functions that pools name by ARN; without routes there are none.

    Differs from Cognito (Lambda triggers): an ARN is a name, which the settings map to the Lambda API, a webhook or a
    function in Python. Where they map it to nothing, the step is refused with UnexpectedLambdaException, never taken
    without the function's consent.
    """

    def __init__(self, routes: Routes | None = None) -> None:
        self.routes = routes
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
        """Close connections, and end processes."""
        if self.routes is not None:
            await self.routes.close()

    async def _ask(self, trigger: str, arn: str, event: dict[str, Any], *, notice: bool) -> Any:
        course = Course()
        began = time.monotonic()
        try:
            return await self._run(arn, event, notice, course)
        except FunctionFailed as error:
            course.outcome = "threw"
            raise UserLambdaValidationException(f"{trigger} failed with error {error}.") from None
        except NotInvoked as error:
            course.outcome = f"failed: {error}"
            raise UnexpectedLambdaException(f"{trigger} invocation failed due to error {error.reason}.") from None
        except InvalidLambdaResponseException:
            course.outcome = "answered no JSON"
            raise
        except asyncio.CancelledError:
            course.outcome = "was given up"
            raise
        finally:
            source = event.get("triggerSource", trigger)
            level = logging.INFO if course.outcome == "answered" else logging.WARNING
            milliseconds = (time.monotonic() - began) * 1000
            log.log(level, "%s: %s %s (%d ms, tries: %d)", source, arn, course.outcome, milliseconds, course.tries)

    async def _run(self, arn: str, event: dict[str, Any], notice: bool, course: Course) -> Any:
        """Run a function, again where that may help; raises FunctionFailed and NotInvoked."""
        runner = self.routes.find(arn) if self.routes else None
        if self.routes is None or runner is None:
            raise NotInvoked(
                NO_FUNCTION, detail="neither POOLHOUSE_FUNCTIONS nor POOLHOUSE_LAMBDA_URL says where it runs"
            )
        invocation = Invocation(id=self.routes.make_id(), arn=arn, event=event, notice=notice)
        while True:
            course.tries += 1
            try:
                return await self._try(runner, invocation)
            except NotInvoked as error:
                if not error.passing or course.tries == TRIES:
                    raise
            await asyncio.sleep(PAUSE_SECONDS * 2 ** (course.tries - 1))

    async def _try(self, runner: Runner, invocation: Invocation) -> Any:
        places = self._places_of.setdefault(invocation.arn, asyncio.Semaphore(PLACES_OF_ONE))
        deadline = time.monotonic() + SECONDS
        try:
            async with asyncio.timeout(SECONDS), places, self._places:
                return await runner.run(invocation, deadline)
        except TimeoutError:
            raise NotInvoked(TIMED_OUT, passing=True) from None
