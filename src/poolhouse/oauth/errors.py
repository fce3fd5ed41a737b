"""The errors of the OAuth endpoints: one table from the model's errors, and the bodies (spec/http/02 §2.2.5)."""

from collections.abc import Sequence

import msgspec

from poolhouse.core.grants import OAuthError
from poolhouse.model import (
    InvalidLambdaResponseException,
    LimitExceededException,
    NotAuthorizedException,
    RefreshTokenReuseException,
    ResourceNotFoundException,
    ServiceError,
    TooManyRequestsException,
    UnauthorizedException,
    UnexpectedLambdaException,
    UnsupportedOperationException,
    UnsupportedTokenTypeException,
    UserLambdaValidationException,
    UserNotFoundException,
)
from poolhouse.web.responses import Header, Response, domain_json

# What a flow's refusal is called here. Refusals of a trigger are told in its words, the others by their code alone.
CODES: dict[type[ServiceError], str] = {
    NotAuthorizedException: "invalid_grant",
    RefreshTokenReuseException: "invalid_grant",
    ResourceNotFoundException: "invalid_grant",
    UserNotFoundException: "invalid_grant",
    UserLambdaValidationException: "invalid_grant",
    UnexpectedLambdaException: "invalid_grant",
    InvalidLambdaResponseException: "invalid_grant",
    UnsupportedOperationException: "invalid_request",
    UnsupportedTokenTypeException: "unsupported_token_type",
    UnauthorizedException: "unauthorized_client",
    TooManyRequestsException: "too_many_requests",
    LimitExceededException: "too_many_requests",
}
FLOW_ERRORS = tuple(CODES)
_TOLD = (UserLambdaValidationException, UnexpectedLambdaException, InvalidLambdaResponseException)
_STATUS = {"too_many_requests": 429, "server_error": 500}


class _Body(msgspec.Struct, frozen=True, omit_defaults=True):
    error: str
    error_description: str | None = None


def translate(error: ServiceError) -> OAuthError:
    """Return the OAuth error for an error of the flows, one of the table's."""
    return OAuthError(CODES[type(error)], error.message if isinstance(error, _TOLD) else None)


def error_response(
    error: OAuthError, *, request_id: str, status: int | None = None, extra: Sequence[Header] = ()
) -> Response:
    """Return the JSON answer for an error; its status is 400 where nothing says otherwise."""
    body = msgspec.json.encode(_Body(error.error, error.description))
    return domain_json(body, request_id=request_id, status=status or _STATUS.get(error.error, 400), extra=extra)
