"""Where the function of an ARN runs."""

from collections.abc import Callable

from poolhouse.triggers.aws_lambda import AwsLambda, LambdaService
from poolhouse.triggers.http import HttpClient
from poolhouse.triggers.invocation import Runner


class Routes:
    """Which runner an ARN stands for. ``now`` is the time in milliseconds, ``make_id`` names invocations."""

    def __init__(self, *, service: LambdaService | None, now: Callable[[], int], make_id: Callable[[], str]) -> None:
        self.make_id = make_id
        self._client = HttpClient() if service else None
        self._default = AwsLambda(service, self._client, now) if service and self._client else None

    def find(self, arn: str) -> Runner | None:  # noqa: ARG002
        """Return what runs the function of an ARN; None where nothing does."""
        return self._default

    async def close(self) -> None:
        """Close what the runners hold open."""
        if self._client is not None:
            await self._client.close()
