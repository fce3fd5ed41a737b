"""Running functions as the server does, in a loop of the test's own."""

import asyncio
import itertools
import pathlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from poolhouse.model import ServiceError
from poolhouse.triggers import Triggers
from poolhouse.triggers.aws_lambda import LambdaService
from poolhouse.triggers.routes import Routes

EXAMPLES = pathlib.Path(__file__).parent.parent / "functions_examples"
EVENT = {
    "version": "1",
    "triggerSource": "PreSignUp_SignUp",
    "userName": "Grüße 🔑",
    "request": {"userAttributes": {}},
    "response": {},
}
_ids = itertools.count(1)


def arn_of(name: str) -> str:
    """The ARN of a function."""
    return f"arn:aws:lambda:us-east-1:000000000000:function:{name}"


def routes(mapped: Mapping[str, Any], service: LambdaService | None = None, path: pathlib.Path | None = None) -> Routes:
    """Routes of settings."""
    return Routes(
        mapped,
        service=service,
        path=str(path) if path else None,
        region="eu-west-1",
        now=lambda: time.time_ns() // 1_000_000,
        make_id=lambda: f"id-{next(_ids)}",
    )


def run(
    talk: Callable[[Triggers], Awaitable[Any]],
    mapped: Mapping[str, Any] | None = None,
    service: LambdaService | None = None,
    path: pathlib.Path | None = None,
) -> Any:
    """What a talk with triggers gives."""

    async def whole() -> Any:
        triggers = Triggers(routes(mapped or {}, service, path))
        try:
            return await talk(triggers)
        finally:
            await triggers.close()

    return asyncio.run(whole())


def refusal(talk: Callable[[Triggers], Awaitable[Any]], *settings: Any) -> str:
    """The code and text of the error that a talk must end in."""
    with pytest.raises(ServiceError) as error:
        run(talk, *settings)
    return f"{error.value.code}: {error.value}"
