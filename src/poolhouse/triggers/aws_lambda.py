"""The Lambda Invoke API: AWS itself, or what speaks it (LocalStack, SAM local)."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from poolhouse.core.aws_signature import Credentials, sign
from poolhouse.triggers.failure import NO_FUNCTION, UNAVAILABLE, FunctionFailed, NotInvoked
from poolhouse.triggers.http import Answer, HttpClient, read_json
from poolhouse.triggers.invocation import Invocation

# Emulators take any signature; LocalStack reads account 000000000000 from this key.
ANYBODY = Credentials("test", "test")
_ARN = re.compile(r"arn:[a-z-]+:lambda:([a-z0-9-]{1,32}):[0-9]{12}:function:[\w$:-]{1,170}", re.ASCII)
_ERROR = re.compile(r"[A-Za-z0-9]{1,64}")
# What an error without a type is called.
_BY_STATUS = {403: "AccessDeniedException", 404: NO_FUNCTION, 429: "TooManyRequestsException"}
# Errors that the SDKs of AWS try again, by their status or name (Lambda's API reference, "Invoke").
_PASSING = frozenset({"TooManyRequestsException", "ThrottlingException", "ResourceConflictException"})


class LambdaService(Struct, frozen=True, kw_only=True):
    """Where the Invoke API is, and who calls it. ``{region}`` in ``url`` stands for the Region of the function."""

    url: str
    credentials: Credentials = ANYBODY


class AwsLambda:
    """Runs functions through the Invoke API. ``now`` tells the time in milliseconds, for signatures."""

    def __init__(self, service: LambdaService, client: HttpClient, now: Callable[[], int]) -> None:
        self._service, self._client, self._now = service, client, now

    async def run(self, invocation: Invocation) -> Any:
        """Invoke a function by its ARN; see Runner."""
        named = _ARN.fullmatch(invocation.arn)
        if named is None:
            raise NotInvoked(NO_FUNCTION)
        base = self._service.url.rstrip("/").replace("{region}", named[1])
        url = httpx.URL(f"{base}/2015-03-31/functions/{quote(invocation.arn, safe='')}/invocations")
        headers = {
            "host": url.netloc.decode("ascii"),
            "content-type": "application/json",
            "x-amz-invocation-type": "Event" if invocation.notice else "RequestResponse",
        }
        body = msgspec.json.encode(invocation.event)
        path = url.raw_path.decode("ascii")
        by = self._service.credentials
        signed = sign(path, headers, body, credentials=by, region=named[1], service="lambda", now=self._now())
        answer = await self._client.post(url, signed, body)
        if answer.status // 100 != 2:
            raise _refusal(answer)
        if "x-amz-function-error" in answer.headers:
            raise FunctionFailed(_thrown(answer.body))
        return None if invocation.notice else read_json(answer.body)


def _refusal(answer: Answer) -> NotInvoked:
    name = _error_type(answer)
    passing = answer.status >= 500 or answer.status == 429 or name in _PASSING
    return NotInvoked(name, passing=passing)


def _error_type(answer: Answer) -> str:
    """Return the type of an error: of the header, of the body's ``__type``, or that of the status."""
    document = _document(answer.body)
    for given in (answer.headers.get("x-amzn-errortype"), document.get("__type"), document.get("Type")):
        # ``Name:http://…`` in the header, ``prefix#Name`` in the body; a bare ``Type`` tells User from Service.
        name = str(given or "").partition(":")[0].rpartition("#")[2]
        if _ERROR.fullmatch(name) and name.endswith("Exception"):
            return name
    return _BY_STATUS.get(answer.status, UNAVAILABLE)


def _thrown(body: bytes) -> str:
    """Return what a function threw: its message, or else its type."""
    document = _document(body)
    return str(document.get("errorMessage") or document.get("errorType") or "Unhandled")


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
