"""Where the function of an ARN runs: the setting POOLHOUSE_FUNCTIONS, and Lambda for what it does not name."""

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from poolhouse.triggers.aws_lambda import AwsLambda, LambdaService
from poolhouse.triggers.failure import BadMapping
from poolhouse.triggers.http import HttpClient
from poolhouse.triggers.invocation import Runner
from poolhouse.triggers.python import Python
from poolhouse.triggers.webhook import Webhook

_LAMBDA, _PYTHON = "lambda", "python:"


class Endpoint(Protocol):
    """A webhook as the settings describe it."""

    @property
    def url(self) -> str:
        """Where it is."""
        ...

    @property
    def secret(self) -> str:
        """What its requests are signed with; see Webhook."""
        ...


class Routes:
    """Which runner an ARN stands for: that of the first pattern that fits, or else Lambda, where there is one."""

    def __init__(
        self,
        mapped: Mapping[str, str | Endpoint],
        *,
        service: LambdaService | None,
        path: str | None,
        region: str,
        now: Callable[[], int],
        make_id: Callable[[], str],
    ) -> None:
        """Take the settings, the time in milliseconds, and what names invocations; raises BadMapping.

        ``path`` is the directory of functions in Python, ``region`` the one that they find themselves in.
        """
        self.make_id = make_id
        self._now, self._path, self._region = now, path, region
        self._client: HttpClient | None = None
        self._lambda = AwsLambda(service, self._shared_client(), now) if service else None
        runners: dict[object, Runner] = {}
        self._routes: list[tuple[re.Pattern[str], Runner]] = []
        for pattern, meaning in mapped.items():
            key = meaning if isinstance(meaning, str) else (meaning.url, meaning.secret)
            runner = runners.get(key) or runners.setdefault(key, self._runner(meaning))
            fitting = ".*".join(map(re.escape, pattern.split("*")))
            self._routes.append((re.compile(fitting, re.DOTALL), runner))
        self.runners: list[Runner] = list(runners.values())
        """Those that the settings name."""

    def find(self, arn: str) -> Runner | None:
        """Return what runs the function of an ARN; None where nothing does."""
        return next((runner for pattern, runner in self._routes if pattern.fullmatch(arn)), self._lambda)

    async def close(self) -> None:
        """Close what the runners hold open."""
        for runner in self.runners:
            if isinstance(runner, Python):
                await runner.close()
        if self._client is not None:
            await self._client.close()

    def _runner(self, meaning: str | Endpoint) -> Runner:
        if not isinstance(meaning, str):
            return Webhook(meaning.url, meaning.secret, self._shared_client(), self._now)
        if meaning.startswith(_PYTHON):
            return Python(meaning.removeprefix(_PYTHON), self._path, self._region)
        if meaning == _LAMBDA:
            if self._lambda is None:
                raise BadMapping("POOLHOUSE_FUNCTIONS names lambda, and POOLHOUSE_LAMBDA_URL does not say where it is.")
            return self._lambda
        raise BadMapping(
            "POOLHOUSE_FUNCTIONS maps ARNs to lambda, python:package.module:function or an object with url and secret."
        )

    def _shared_client(self) -> HttpClient:
        self._client = self._client or HttpClient()
        return self._client
