"""Where the CSV file of a user import job is sent: what a pre-signed URL of S3 is in Cognito (spec/api/08 §1)."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from poolhouse.core.import_jobs import MAX_FILE
from poolhouse.flows import import_files
from poolhouse.flows.calls import Deps
from poolhouse.flows.import_files import NotWanted, TooLarge
from poolhouse.flows.import_urls import BadSignature, UrlExpired, check_url
from poolhouse.storage.errors import Busy
from poolhouse.web.requests import RequestRefused, headers, request_id
from poolhouse.web.responses import Response, respond

# No length that is longer needs to be read.
_DIGITS = 18
# S3's codes and texts.
_WRONG_METHOD = (405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
_WRONG_SIGNATURE = (
    403,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
)
_EXPIRED = (403, "AccessDenied", "Request has expired")
_TOO_LARGE = (400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
_NOT_WANTED = (409, "OperationAborted", "The user import job does not take this file any more.")
_INCOMPLETE = (400, "IncompleteBody", "The request body terminated unexpectedly")
_BUSY = (503, "SlowDown", "Please reduce your request rate.")


class ImportUploads:
    """Takes files by ``PUT /user-import/<pool id>/<job id>?…``, and stores them as they come."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one upload."""
        refusal = await self._find_refusal(scope, receive)
        id = request_id(scope, self._deps)
        if refusal is None:
            await respond(send, Response(200, [*_id_headers(id), (b"content-length", b"0")]))
        else:
            await respond(send, _error(*refusal, id))

    async def _find_refusal(self, scope: Scope, body: Receive) -> tuple[int, str, str] | None:
        """Take the file; return status, code and text where it is refused."""
        if scope["method"] != "PUT":
            return _WRONG_METHOD
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        try:
            pool_id, job_id = check_url(self._deps, scope["path"], query, self._deps.clock.now())
        except BadSignature:
            return _WRONG_SIGNATURE
        except UrlExpired:
            return _EXPIRED
        length = headers(scope).get("content-length", "")
        if len(length) > _DIGITS or (length.isdecimal() and int(length) > MAX_FILE):
            return _TOO_LARGE
        try:
            await import_files.receive(self._deps, pool_id, job_id, _parts(body))
        except TooLarge:
            return _TOO_LARGE
        except NotWanted:
            return _NOT_WANTED
        except RequestRefused:
            return _INCOMPLETE
        except Busy:
            return _BUSY
        return None


async def _parts(body: Receive) -> AsyncIterator[bytes]:
    """Yield a request's body as it comes; raises RequestRefused where the client went away."""
    more = True
    while more:
        event = await body()
        if event["type"] == "http.disconnect":
            raise RequestRefused(400, "The request ended early.")
        more = event.get("more_body", False)
        yield event.get("body", b"")


def _error(status: int, code: str, text: str, id: str) -> Response:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{text}</Message>'
        f"<RequestId>{id}</RequestId></Error>"
    ).encode()
    length = (b"content-length", str(len(body)).encode("ascii"))
    return Response(status, [(b"content-type", b"application/xml"), *_id_headers(id), length], body)


def _id_headers(id: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-amz-request-id", id.encode("ascii"))]
