"""The errors of the protocol itself: names that no operation declares (spec/api/01 §3.4)."""

from typing import ClassVar

from poolhouse.model import ServiceError


class ProtocolError(ServiceError):
    """An error before an operation starts."""


class UnknownOperationException(ProtocolError):
    """The target header is missing or names no operation. It has no message."""


class SerializationException(ProtocolError):
    """The body is not JSON, or holds a value of the wrong type."""


class RequestEntityTooLargeException(ProtocolError):
    """The body is over the limit."""

    status: ClassVar[int] = 413


class MissingAuthenticationTokenException(ProtocolError):
    """A signed operation was called without a signature."""


class IncompleteSignatureException(ProtocolError):
    """The Authorization header lacks a part."""


class UnrecognizedClientException(ProtocolError):
    """The access key is not known, or a session token was sent, which nobody issues."""


class InvalidSignatureException(ProtocolError):
    """The signature is wrong, old, or made for something else."""
