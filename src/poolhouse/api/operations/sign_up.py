"""Signing up and forgotten passwords, as app clients ask for them."""

from poolhouse.api.registry import operation
from poolhouse.core.client import Client
from poolhouse.core.pool import Pool
from poolhouse.flows import recover
from poolhouse.flows import sign_up as flow
from poolhouse.flows.calls import PublicCall
from poolhouse.flows.clients import check_secret_hash, get_app
from poolhouse.flows.contexts import on_behalf
from poolhouse.model import (
    ConfirmForgotPasswordRequest,
    ConfirmForgotPasswordResponse,
    ConfirmSignUpRequest,
    ConfirmSignUpResponse,
    ForgotPasswordRequest,
    ForgotPasswordResponse,
    ResendConfirmationCodeRequest,
    ResendConfirmationCodeResponse,
    SignUpRequest,
    SignUpResponse,
)

Request = (
    SignUpRequest
    | ConfirmSignUpRequest
    | ResendConfirmationCodeRequest
    | ForgotPasswordRequest
    | ConfirmForgotPasswordRequest
)


@operation
async def sign_up(call: PublicCall, request: SignUpRequest) -> SignUpResponse:
    """Make a user who still has to prove an e-mail address or a telephone number.

    Differs from Cognito: without a mail server or a text message gateway the code stays in the outbox;
    AnalyticsMetadata is ignored.
    """
    call, pool, client = await _app_of(call, request)
    return await flow.sign_up(call, pool, client, request)


@operation
async def confirm_sign_up(call: PublicCall, request: ConfirmSignUpRequest) -> ConfirmSignUpResponse:
    """Confirm a user with the code that was sent.

    Differs from Cognito: the answer holds a Session for InitiateAuth where the request brings that of SignUp, or where
    such a code is a first factor of the pool, so that nobody else is signed in by the code alone; one of SignUp that
    has run out is no error, and leads to none.
    """
    call, pool, client = await _app_of(call, request)
    session = await flow.confirm(
        call,
        pool,
        client,
        request.username,
        request.confirmation_code,
        bool(request.force_alias_creation),
        request.client_metadata,
        request.session,
    )
    return ConfirmSignUpResponse(session=session)


@operation
async def resend_confirmation_code(
    call: PublicCall, request: ResendConfirmationCodeRequest
) -> ResendConfirmationCodeResponse:
    """Send a new sign-up code; the earlier one is void."""
    call, pool, client = await _app_of(call, request)
    details = await flow.resend(call, pool, client, request.username, request.client_metadata)
    return ResendConfirmationCodeResponse(code_delivery_details=details)


@operation
async def forgot_password(call: PublicCall, request: ForgotPasswordRequest) -> ForgotPasswordResponse:
    """Send a code that lets the user set a new password."""
    call, pool, client = await _app_of(call, request)
    details = await recover.forgot(call, pool, client, request.username, request.client_metadata)
    return ForgotPasswordResponse(code_delivery_details=details)


@operation
async def confirm_forgot_password(
    call: PublicCall, request: ConfirmForgotPasswordRequest
) -> ConfirmForgotPasswordResponse:
    """Set a new password with the code that was sent."""
    call, pool, client = await _app_of(call, request)
    await recover.confirm_forgot(
        call,
        pool,
        client,
        request.username,
        request.confirmation_code,
        request.password,
        request.client_metadata,
    )
    return ConfirmForgotPasswordResponse()


async def _app_of(call: PublicCall, request: Request) -> tuple[PublicCall, Pool, Client]:
    """Return the call, as on behalf of its user, and the pool and client of a request whose secret hash is right."""
    pool, client = await call.store.read(lambda tx: get_app(call, tx, request.client_id))
    check_secret_hash(call.deps, client, request.username, request.secret_hash)
    return on_behalf(call, pool, client, request.user_context_data), pool, client
