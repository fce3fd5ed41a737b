"""The Lambda Invoke API: AWS itself, or what speaks it (LocalStack, SAM local)."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

from poolhouse.core.aws_signature import Credentials, sign
from poolhouse.triggers.failure import NO_FUNCTION, UNAVAILABLE, FunctionFailed, NotInvoked
from poolhouse.triggers.http import BY_STATUS, Answer, HttpClient
from poolhouse.triggers.invocation import Invocation, read_json, read_object

# Emulators take any signature; LocalStack reads account 000000000000 from this key.
ANYBODY = Credentials("test", "test")
_ARN = re.compile(r"arn:[a-z-]+:lambda:([a-z0-9-]{1,32}):[0-9]{12}:function:[\w$:-]{1,170}", re.ASCII)
_ERROR = re.compile(r"[A-Za-z0-9]{1,64}")


class LambdaService(Struct, frozen=True, kw_only=True):
    """Where the Invoke API is, and who calls it. ``{region}`` in ``url`` stands for the Region of the function."""

    url: str
    credentials: Credentials = ANYBODY


class AwsLambda:
    """Runs functions through the Invoke API. ``now`` tells the time in milliseconds, for signatures."""

    def __init__(self, service: LambdaService, client: HttpClient, now: Callable[[], int]) -> None:
        self._service, self._client, self._now = service, client, now

    def __str__(self) -> str:
        return f"Lambda at {self._service.url}"

    async def run(self, invocation: Invocation, deadline: float) -> Any:  # noqa: ARG002
        """Invoke a function by its ARN; see Runner."""
        named = _ARN.fullmatch(invocation.arn)
        if named is None:
            raise NotInvoked(NO_FUNCTION, detail="not the ARN of a function")
        base = urlsplit(self._service.url.replace("{region}", named[1]))
        path = f"{base.path.rstrip('/')}/2015-03-31/functions/{quote(invocation.arn, safe='')}/invocations"
        headers = {
            "host": base.netloc,
            "content-type": "application/json",
            "x-amz-invocation-type": "Event" if invocation.notice else "RequestResponse",
        }
        body = msgspec.json.encode(invocation.event)
        by = self._service.credentials
        signed = sign(path, headers, body, credentials=by, region=named[1], service="lambda", now=self._now())
        answer = await self._client.post(f"{base.scheme}://{base.netloc}{path}", signed, body)
        if answer.status // 100 != 2:
            detail = f"{base.netloc} answered {answer.status}"
            # The developer guide: Cognito does not repeat a call that Invoke answers with 500 to 599.
            raise NotInvoked(_error_type(answer), detail=detail, passing=answer.throttled)
        if "x-amz-function-error" in answer.headers:
            thrown = read_object(answer.body)
            raise FunctionFailed(thrown.get("errorMessage") or thrown.get("errorType") or "Unhandled")
        return None if invocation.notice else read_json(answer.body)

    async def check(self) -> None:
        """Do nothing: whether a function is there shows when it is invoked."""


def _error_type(answer: Answer) -> str:
    """Return the type of an error: of the header, of the body's ``__type``, or that of the status."""
    document = read_object(answer.body)
    for given in (answer.headers.get("x-amzn-errortype"), document.get("__type"), document.get("Type")):
        # ``Name:http://…`` in the header, ``prefix#Name`` in the body; a bare ``Type`` tells User from Service.
        name = str(given or "").partition(":")[0].rpartition("#")[2]
        if _ERROR.fullmatch(name) and name.endswith("Exception"):
            return name
    return BY_STATUS.get(answer.status, UNAVAILABLE)
