"""Signing in and staying so: starting, answering challenges, refreshing, revoking (spec/api/04)."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from poolhouse.api.registry import operation
from poolhouse.core.client import Client
from poolhouse.core.pool import Pool
from poolhouse.core.replica_rules import check_challenge
from poolhouse.core.sign_in import REFRESH_FLOWS, check_flow
from poolhouse.core.tiers import check_feature, tier_of
from poolhouse.flows import sign_in, tokens
from poolhouse.flows.calls import AdminCall, Call, PublicCall
from poolhouse.flows.challenges.talk import required
from poolhouse.flows.clients import check_secret_hash, get_app, is_proved
from poolhouse.flows.contexts import on_behalf
from poolhouse.flows.sign_in_loop import Ask, Outcome
from poolhouse.flows.sign_in_tokens import finish_with_tokens
from poolhouse.flows.tokens import Holder, Refreshing, Tokens
from poolhouse.flows.user_auth import Choice
from poolhouse.model import (
    AdminInitiateAuthRequest,
    AdminInitiateAuthResponse,
    AdminRespondToAuthChallengeRequest,
    AdminRespondToAuthChallengeResponse,
    AuthenticationResultType,
    AuthFlowType,
    ContextDataType,
    GetTokensFromRefreshTokenRequest,
    GetTokensFromRefreshTokenResponse,
    InitiateAuthRequest,
    InitiateAuthResponse,
    InvalidParameterException,
    NotAuthorizedException,
    RespondToAuthChallengeRequest,
    RespondToAuthChallengeResponse,
    RevokeAssociatedSessionsType,
    RevokeTokenRequest,
    RevokeTokenResponse,
    UnauthorizedException,
    UnsupportedOperationException,
    UserContextDataType,
)
from poolhouse.storage import Tx

App = tuple[Pool, Client]
Answer = TypeVar(
    "Answer",
    InitiateAuthResponse,
    AdminInitiateAuthResponse,
    RespondToAuthChallengeResponse,
    AdminRespondToAuthChallengeResponse,
)


@operation
async def initiate_auth(call: PublicCall, request: InitiateAuthRequest) -> InitiateAuthResponse:
    """Begin a sign-in, or refresh tokens.

    Differs from Cognito: where MFA is optional and every factor that a user has turned on goes to an address that the user
    has no more, the sign-in is refused with InvalidParameterException: no factor is skipped.
    Devices are tracked in sign-ins by any flow of either family; those on the pages of managed login are not.
    """
    return await _initiate(call, lambda tx: get_app(call, tx, request.client_id), request, InitiateAuthResponse)


@operation
async def admin_initiate_auth(call: AdminCall, request: AdminInitiateAuthRequest) -> AdminInitiateAuthResponse:
    """Begin a sign-in on behalf of a user, or refresh tokens.

    Differs from Cognito: as InitiateAuth.
    """
    return await _initiate(call, lambda tx: _get_own_app(tx, call, request), request, AdminInitiateAuthResponse)


@operation
async def respond_to_auth_challenge(
    call: PublicCall, request: RespondToAuthChallengeRequest
) -> RespondToAuthChallengeResponse:
    """Answer a challenge. Those of AdminInitiateAuth may be answered here as well.

    Differs from Cognito: a code by mail or text message is void once its address, or the factors that the user has
    turned on, have changed. MFA_SETUP takes a telephone number as PHONE_NUMBER, as it takes an e-mail address as EMAIL;
    neither replaces one that the client may not write. DEVICE_SRP_AUTH has to be answered with its Session, which shows
    that the password was right.
    """
    app = await call.store.read(lambda tx: get_app(call, tx, request.client_id))
    return await _respond(call, app, request, RespondToAuthChallengeResponse)


@operation
async def admin_respond_to_auth_challenge(
    call: AdminCall, request: AdminRespondToAuthChallengeRequest
) -> AdminRespondToAuthChallengeResponse:
    """Answer a challenge on behalf of a user.

    Differs from Cognito: as RespondToAuthChallenge.
    """
    app = await call.store.read(lambda tx: _get_own_app(tx, call, request))
    return await _respond(call, app, request, AdminRespondToAuthChallengeResponse)


@operation
async def get_tokens_from_refresh_token(
    call: PublicCall, request: GetTokensFromRefreshTokenRequest
) -> GetTokensFromRefreshTokenResponse:
    """Refresh tokens, with a new refresh token where the client's rotate (spec/http/04 §4.6)."""
    held = tokens.find_refreshing(call, request.refresh_token)
    (pool, client), holder = await call.store.read(
        lambda tx: _with_holder(tx, lambda tx: get_app(call, tx, request.client_id), held)
    )
    if not is_proved(call.deps, client, request.client_secret):
        raise NotAuthorizedException(f"Unable to verify client secret for client {client.id}")
    ours = holder is not None and holder.held.client_id == client.id
    if holder is None or not ours or not tokens.is_from_device(holder, request.device_key):
        raise NotAuthorizedException(f"{tokens.INVALID_REFRESH_TOKEN}.")
    made = await tokens.renew(
        call,
        pool,
        client,
        holder,
        device_key=request.device_key,
        client_metadata=request.client_metadata,
    )
    return GetTokensFromRefreshTokenResponse(authentication_result=_result(made))


@operation
async def revoke_token(call: PublicCall, request: RevokeTokenRequest) -> RevokeTokenResponse:
    """Revoke a refresh token and the access tokens that came with it; unknown ones are no error.

    With RevokeAssociatedSessions LINKED the SSO session that they came through ends as well.
    """
    app = await call.store.read(lambda tx: tx.catalogue.find_app(request.client_id))
    if app is None or not is_proved(call.deps, app[1], request.client_secret):
        raise UnauthorizedException(f"Unable to verify client {request.client_id}")
    linked = request.revoke_associated_sessions is RevokeAssociatedSessionsType.LINKED
    await tokens.revoke(call, call.here(app[0]), app[1], request.token, linked=linked)
    return RevokeTokenResponse()


async def _initiate(
    call: Call,
    load: Callable[[Tx], App],
    request: InitiateAuthRequest | AdminInitiateAuthRequest,
    answer: type[Answer],
) -> Answer:
    given = request.auth_parameters or {}
    if request.auth_flow in REFRESH_FLOWS:
        return answer(authentication_result=_result(await _refresh(call, load, request)), challenge_parameters={})
    pool, client = await call.store.read(load)
    username = required(given, "USERNAME")
    check_secret_hash(call.deps, client, username, given.get("SECRET_HASH"))
    if request.auth_flow is AuthFlowType.USER_AUTH:
        check_feature(tier_of(pool.settings), "Choice-Based Sign-In")
    elif request.session is not None:
        raise InvalidParameterException(f"Session is for the flow {AuthFlowType.USER_AUTH} only.")
    check_flow(client, request.auth_flow, admin=isinstance(request, AdminInitiateAuthRequest))
    call = on_behalf(call, pool, client, _context(request))
    attempt = sign_in.Attempt(
        flow=request.auth_flow,
        username=username,
        password=given.get("PASSWORD"),
        srp_a=given.get("SRP_A"),
        # The guide and SDKs write it the first way, the API reference the other (spec/api/04 §2).
        with_srp="SRP_A" in (given.get("CHALLENGE_NAME"), given.get("ChallengeName")),
        device_key=given.get("DEVICE_KEY"),
        client_metadata=request.client_metadata,
        choice=Choice(
            preferred=given.get("PREFERRED_CHALLENGE"),
            target_acr_values=given.get("TARGET_ACR_VALUES"),
            max_age=given.get("MAX_AGE"),
            access_token=given.get("ACCESS_TOKEN"),
            session=request.session,
        ),
    )
    return await _answer(call, await sign_in.start(call, pool, client, attempt), answer)


async def _refresh(
    call: Call, load: Callable[[Tx], App], request: InitiateAuthRequest | AdminInitiateAuthRequest
) -> Tokens:
    """Refresh by the flow that comes without rotation: one read, no write."""
    given = request.auth_parameters or {}
    held = tokens.find_refreshing(call, required(given, "REFRESH_TOKEN"))
    (pool, client), holder = await call.store.read(lambda tx: _with_holder(tx, load, held))
    _check_owners_hash(call, client, holder, given)
    if client.rotation_enabled:
        raise UnsupportedOperationException(
            f"{request.auth_flow} is not available while refresh tokens rotate, use GetTokensFromRefreshToken"
        )
    check_flow(client, request.auth_flow, admin=isinstance(request, AdminInitiateAuthRequest))
    # Cognito: ClientMetadata does not get to the trigger from here (documentation of InitiateAuth).
    return await tokens.renew(call, pool, client, holder, device_key=given.get("DEVICE_KEY"))


def _check_owners_hash(call: Call, client: Client, holder: Holder | None, given: Mapping[str, str]) -> None:
    """Check SECRET_HASH, which is over the user name of the token's owner (spec/api/03 §3)."""
    presented = given.get("SECRET_HASH")
    owner = holder.user if holder else None
    # Without an owner there is nothing to compare with, and the token is refused anyway.
    if owner is not None or presented is None:
        check_secret_hash(call.deps, client, owner.username if owner else "", presented)


async def _respond(
    call: Call,
    app: App,
    request: RespondToAuthChallengeRequest | AdminRespondToAuthChallengeRequest,
    answer: type[Answer],
) -> Answer:
    pool, client = app
    check_challenge(pool, request.challenge_name)
    given = request.challenge_responses or {}
    check_secret_hash(call.deps, client, required(given, "USERNAME"), given.get("SECRET_HASH"))
    call = on_behalf(call, pool, client, _context(request))
    reply = sign_in.Reply(
        challenge=request.challenge_name,
        session=request.session,
        responses=given,
        client_metadata=request.client_metadata,
    )
    return await _answer(call, await sign_in.answer(call, pool, client, reply), answer)


async def _answer(call: Call, outcome: Outcome, answer: type[Answer]) -> Answer:
    if isinstance(outcome, Ask):
        return answer(
            challenge_name=outcome.challenge,
            session=outcome.session,
            challenge_parameters=outcome.parameters,
            available_challenges=outcome.available,
        )
    made = await finish_with_tokens(call, outcome)
    return answer(authentication_result=_result(made), challenge_parameters={})


def _context(
    request: InitiateAuthRequest
    | AdminInitiateAuthRequest
    | RespondToAuthChallengeRequest
    | AdminRespondToAuthChallengeRequest,
) -> ContextDataType | UserContextDataType | None:
    if isinstance(request, AdminInitiateAuthRequest | AdminRespondToAuthChallengeRequest):
        return request.context_data
    return request.user_context_data


def _result(made: Tokens) -> AuthenticationResultType:
    return AuthenticationResultType(
        access_token=made.access_token,
        expires_in=made.expires_in,
        id_token=made.id_token,
        new_device_metadata=made.new_device,
        refresh_token=made.refresh_token,
        token_type="Bearer",
    )


def _get_own_app(
    tx: Tx, call: AdminCall, request: AdminInitiateAuthRequest | AdminRespondToAuthChallengeRequest
) -> App:
    pool = call.pool(tx, request.user_pool_id)
    return pool, call.client(tx, pool.id, request.client_id)


def _with_holder(tx: Tx, load: Callable[[Tx], App], held: Refreshing | None) -> tuple[App, Holder | None]:
    holder = tokens.find_holder(tx, held)
    return load(tx), holder
