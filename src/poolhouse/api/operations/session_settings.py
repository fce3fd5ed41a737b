"""How sessions are tracked: by pool, and by app client (spec/api/10 §1.1, §1.2)."""

from poolhouse.api.registry import operation
from poolhouse.core.session_settings import client_with_limit, pool_with_tracking
from poolhouse.flows.calls import AdminCall
from poolhouse.model import (
    ClientSSOSessionConfigType,
    GetUserPoolClientSessionConfigurationRequest,
    GetUserPoolClientSessionConfigurationResponse,
    GetUserPoolSessionConfigurationRequest,
    GetUserPoolSessionConfigurationResponse,
    InvalidParameterException,
    SetUserPoolClientSessionConfigurationRequest,
    SetUserPoolClientSessionConfigurationResponse,
    SetUserPoolSessionConfigurationRequest,
    SetUserPoolSessionConfigurationResponse,
)
from poolhouse.storage import Tx


@operation
async def get_user_pool_session_configuration(
    call: AdminCall, request: GetUserPoolSessionConfigurationRequest
) -> GetUserPoolSessionConfigurationResponse:
    """Return whether a pool tracks sessions, and how many a user can have."""
    pool = await call.store.read(lambda tx: call.pool(tx, request.user_pool_id))
    return pool.session_configuration


@operation
async def set_user_pool_session_configuration(
    call: AdminCall, request: SetUserPoolSessionConfigurationRequest
) -> SetUserPoolSessionConfigurationResponse:
    """Begin or cease to track sessions, and set how many token sessions a user can have.

    Differs from Cognito: while sessions are tracked the pool cannot change to the Lite plan.
    """

    def commit(tx: Tx) -> None:
        tx.pools.save(pool_with_tracking(call.pool(tx, request.user_pool_id), request))

    await call.store.write(commit)
    return SetUserPoolSessionConfigurationResponse(
        user_pool_id=request.user_pool_id,
        user_session_tracking=request.user_session_tracking,
        token_session=request.token_session,
    )


@operation
async def get_user_pool_client_session_configuration(
    call: AdminCall, request: GetUserPoolClientSessionConfigurationRequest
) -> GetUserPoolClientSessionConfigurationResponse:
    """Return for how long after a sign-in an app client is content with it."""
    client = await call.store.read(lambda tx: call.client(tx, request.user_pool_id, request.client_id))
    return GetUserPoolClientSessionConfigurationResponse(
        user_pool_id=client.pool_id,
        client_id=client.id,
        sso_session=ClientSSOSessionConfigType(max_validity_minutes=client.sso_minutes),
    )


@operation
async def set_user_pool_client_session_configuration(
    call: AdminCall, request: SetUserPoolClientSessionConfigurationRequest
) -> SetUserPoolClientSessionConfigurationResponse:
    """Set for how long after a sign-in an app client is content with it.

    Differs from Cognito: an SSO session lasts as long as the longest setting among the pool's clients was when it
    began, an hour at least; a longer setting counts from the next sign-in on, a shorter one at once.
    """

    def commit(tx: Tx) -> None:
        client = call.client(tx, request.user_pool_id, request.client_id)
        pool = call.pool(tx, client.pool_id)
        changed = client_with_limit(client, pool, request.sso_session)
        if not pool.tracks_sessions:
            raise InvalidParameterException("Session tracking is not enabled for the user pool.")
        tx.clients.save(changed)

    await call.store.write(commit)
    return SetUserPoolClientSessionConfigurationResponse(
        user_pool_id=request.user_pool_id, client_id=request.client_id, sso_session=request.sso_session
    )
