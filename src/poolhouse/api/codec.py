"""Bodies: requests in, answers and error documents out (spec/api/01 §1–3).

Timestamps are ``milliseconds / 1000``: the shortest text of such a double has at most three decimals.
"""

import functools
import re
from typing import Any

import msgspec
from msgspec import Struct
from msgspec import inspect as mi

from poolhouse.api.errors import SerializationException
from poolhouse.api.explain import explain
from poolhouse.model import Operation, ServiceError

Headers = list[tuple[bytes, bytes]]

CONTENT_TYPE = "application/x-amz-json-1.1"
# Deeper documents could not be written back where the stack is a little fuller than it was when they were read.
MAX_DEPTH = 100
# The message is repeated in a header, where clients set limits of their own.
MAX_HEADER_MESSAGE = 1024
_PARAMETERS = ("AuthParameters", "ChallengeResponses")
# spec/api/04 §1: the documentation has a second name for a challenge that the enumeration has under one.
_SECOND_NAMES = {"EMAIL_MFA": "EMAIL_OTP"}

_CORS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"),
]
_ALLOWED_HEADERS = (
    b"*, Authorization, Date, X-Amz-Date, X-Amz-Security-Token, X-Amz-Target, content-type, x-amz-content-sha256, "
    b"x-amz-user-agent, x-amzn-platform-id, x-amzn-trace-id, cache-control, amz-sdk-invocation-id, amz-sdk-request"
)
_JSON = (b"content-type", CONTENT_TYPE.encode())
_NOT_PLAIN = re.compile(r"[^\x21-\x7e]+")

# Structures are declared in the order of their wire names; maps are put in order here (spec/api/01 §2.4).
_encoder = msgspec.json.Encoder(order="deterministic")


class RequestDecoder:
    """Reads the requests of one operation. Built once."""

    def __init__(self, row: Operation) -> None:
        self._request = row.request
        self._decoder = msgspec.json.Decoder(row.request)

    @functools.cached_property
    def _documents(self) -> list[tuple[str, bool]]:
        """Members of free form, and whether they are required: the types say nothing of their presence and depth."""
        info = mi.type_info(self._request)
        assert isinstance(info, mi.StructType)
        return [(f.name, f.required) for f in info.fields if isinstance(f.type, mi.AnyType)]

    def decode(self, body: bytes) -> Struct:
        """Return the request; raises SerializationException or the InvalidParameterException of its constraints."""
        body = body or b"{}"
        try:
            if not body.isascii():
                # The decoder skips unknown members without looking at their bytes.
                body.decode()
            request = self._read(body)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            # Its text would quote the body.
            raise explain(self._request, body) from None
        for name, required in self._documents:
            document = getattr(request, name)
            if document is None and required:
                raise explain(self._request, body)
            if is_too_deep(document):
                raise SerializationException
        return request

    def _read(self, body: bytes) -> Struct:
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError:
            restated = _restate(body)
            if restated is None:
                raise
            return self._decoder.decode(restated)

    def check(self, request: Struct) -> Struct:
        """Return a request that the program made itself, checked as one that came from outside."""
        return self.decode(msgspec.json.encode(request))


def _restate(body: bytes) -> bytes | None:
    """Return a request for a sign-in as the types have it, None where it is not another way of saying that.

    Parameters that are null are left out: amazon-cognito-identity-js takes DEVICE_KEY back in this way.
    """
    document = msgspec.json.decode(body)
    if not isinstance(document, dict):
        return None
    restated: dict[str, Any] = {}
    for name in _PARAMETERS:
        given = document.get(name)
        if isinstance(given, dict) and None in given.values():
            restated[name] = {key: value for key, value in given.items() if value is not None}
    challenge = document.get("ChallengeName")
    if isinstance(challenge, str) and challenge in _SECOND_NAMES:
        restated["ChallengeName"] = _SECOND_NAMES[challenge]
    return msgspec.json.encode(document | restated) if restated else None


def is_too_deep(document: Any) -> bool:
    """Whether a document of free form is nested too deeply to be kept."""
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [
            member
            for value in level
            if isinstance(value, dict | list)
            for member in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


def encode(response: Struct | None) -> bytes:
    """Return the body of an answer: compact, members in alphabetical order; nothing where there is no output."""
    return b"" if response is None else _encoder.encode(response)


def success_headers(request_id: str, body: bytes) -> Headers:
    """Return the headers of an answer."""
    return [
        _JSON,
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", request_id.encode()),
        *_CORS,
    ]


def error_body(error: ServiceError) -> bytes:
    """Return ``{"__type": …, "message": …}``; an error without text has no message (spec/api/01 §3)."""
    document = {"__type": error.code}
    if error.message:
        document["message"] = error.message
    return _encoder.encode(document)


def error_headers(error: ServiceError, request_id: str, body: bytes) -> Headers:
    """Return the headers of an error; SDKs for JavaScript read the type from here."""
    headers = [*success_headers(request_id, body), (b"x-amzn-errortype", f"{error.code}:".encode())]
    if error.message:
        headers.append((b"x-amzn-errormessage", header_text(error.message).encode()))
    return headers


def header_text(message: str) -> str:
    """Return a message as one line of plain ASCII."""
    return _NOT_PLAIN.sub(" ", message)[:MAX_HEADER_MESSAGE].strip()


def preflight_headers(requested: str | None) -> Headers:
    """Return the answer to a browser's question whether it may call (spec/api/01 §1.5)."""
    return [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", requested.encode("latin-1") if requested else _ALLOWED_HEADERS),
        (b"access-control-max-age", b"172800"),
        (b"content-length", b"0"),
    ]
