"""Tokens that no user signs in for: a client's own, and those exchanged for others (spec/api/10 §6)."""

from poolhouse.api.registry import operation
from poolhouse.core.client import Client
from poolhouse.core.grants import OAuthError, machine_scopes
from poolhouse.core.pool import Pool
from poolhouse.core.token_exchange import Exchange
from poolhouse.flows.calls import PublicCall
from poolhouse.flows.clients import get_app, is_proved, is_secret
from poolhouse.flows.consult import TRIGGER_FAILURES
from poolhouse.flows.token_exchange import derive
from poolhouse.flows.tokens import client_credentials
from poolhouse.model import (
    ClientAuthenticationResultType,
    ExplicitAuthFlowsType,
    GetClientTokenRequest,
    GetClientTokenResponse,
    GetDerivedTokenRequest,
    GetDerivedTokenResponse,
    InvalidParameterException,
    IssuedTokenTypeIdentifierType,
    NotAuthorizedException,
    OAuthTokenTypeType,
    ResourceServerType,
)
from poolhouse.storage import Tx


@operation
async def get_client_token(call: PublicCall, request: GetClientTokenRequest) -> GetClientTokenResponse:
    """Return an access token for an app client itself.

    Differs from Cognito: where the pre token generation trigger refuses, the answer is NotAuthorizedException with
    the trigger's text, since the operation declares no error of triggers.
    """

    def load(tx: Tx) -> tuple[Pool, Client, tuple[ResourceServerType, ...]]:
        pool, client = get_app(call, tx, request.client_id)
        return pool, client, tx.catalogue.resource_servers(pool.id)

    pool, client, servers = await call.store.read(load)
    if not is_secret(call.deps, client, request.secret):
        raise NotAuthorizedException(f"Unable to verify client secret for client {client.id}")
    _check_flow(client, ExplicitAuthFlowsType.ALLOW_CLIENT_TOKEN_AUTH)
    try:
        scopes = machine_scopes(client, servers, " ".join(request.scopes) if request.scopes else None)
        made = await client_credentials(call, pool, client, scopes, client_metadata=request.client_metadata)
    except OAuthError:
        raise InvalidParameterException("Invalid scope requested") from None
    except TRIGGER_FAILURES as error:
        raise NotAuthorizedException(error.message) from None
    return GetClientTokenResponse(
        client_authentication_result=ClientAuthenticationResultType(
            access_token=made.access_token, expires_in=made.expires_in, token_type=OAuthTokenTypeType.Bearer
        )
    )


@operation
async def get_derived_token(call: PublicCall, request: GetDerivedTokenRequest) -> GetDerivedTokenResponse:
    """Exchange a token of the pool for another one.

    Differs from Cognito: tokens of other identity providers and SAML assertions are refused with
    InvalidParameterException; what else is decided here is told under token exchange. A signature is looked at only
    where a client that has a secret does not give it.
    """
    pool, client = await call.store.read(lambda tx: get_app(call, tx, request.client_id))
    is_signed = call.signed_in is not None and call.signed_in == pool.region and not pool.builtin
    if not (is_proved(call.deps, client, request.client_secret) or (is_signed and request.client_secret is None)):
        raise NotAuthorizedException(f"Unable to verify client secret for client {client.id}")
    exchange = _exchange(request)
    _check_flow(client, exchange.flow)
    made = await derive(call, pool, client, exchange)
    is_id = made.type is IssuedTokenTypeIdentifierType.ID_TOKEN
    return GetDerivedTokenResponse(
        issued_token=made.token,
        issued_token_type=made.type,
        token_type=OAuthTokenTypeType.N_A if is_id else OAuthTokenTypeType.Bearer,
        expires_in=made.expires_in,
        scopes=list(made.scopes),
    )


def _exchange(request: GetDerivedTokenRequest) -> Exchange:
    return Exchange(
        subject_token=request.subject_token,
        subject_type=request.subject_token_type,
        subject_provider=request.subject_token_provider_name,
        actor_token=request.actor_token,
        actor_type=request.actor_token_type,
        actor_provider=request.actor_token_provider_name,
        scopes=tuple(request.scopes) if request.scopes else None,
        audience=request.audiences[0] if request.audiences else None,
        resource=request.resources[0] if request.resources else None,
        wanted=request.requested_token_type or IssuedTokenTypeIdentifierType.ACCESS_TOKEN,
    )


def _check_flow(client: Client, flow: ExplicitAuthFlowsType) -> None:
    if flow not in client.flows:
        raise NotAuthorizedException(f"{flow} is not enabled for the client.")
