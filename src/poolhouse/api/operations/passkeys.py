"""Passkeys of the signed-in user (spec/api/04 §10)."""

from poolhouse.api.registry import operation
from poolhouse.core.paging import binding, page_of
from poolhouse.core.passkeys import MAX_PASSKEYS, describe
from poolhouse.flows import passkeys
from poolhouse.flows.calls import UserCall
from poolhouse.flows.paging import open_place, seal_place
from poolhouse.flows.users import get_user_again
from poolhouse.model import (
    CompleteWebAuthnRegistrationRequest,
    CompleteWebAuthnRegistrationResponse,
    DeleteWebAuthnCredentialRequest,
    DeleteWebAuthnCredentialResponse,
    ListWebAuthnCredentialsRequest,
    ListWebAuthnCredentialsResponse,
    ResourceNotFoundException,
    StartWebAuthnRegistrationRequest,
    StartWebAuthnRegistrationResponse,
)
from poolhouse.storage import Tx


@operation
async def start_web_authn_registration(
    call: UserCall,
    request: StartWebAuthnRegistrationRequest,  # noqa: ARG001 - the token is read
) -> StartWebAuthnRegistrationResponse:
    """Return what the browser needs to make a passkey for the user."""
    return StartWebAuthnRegistrationResponse(credential_creation_options=await passkeys.start(call))


@operation
async def complete_web_authn_registration(
    call: UserCall, request: CompleteWebAuthnRegistrationRequest
) -> CompleteWebAuthnRegistrationResponse:
    """Register the passkey that the browser has made."""
    await passkeys.complete(call, request.credential)
    return CompleteWebAuthnRegistrationResponse()


@operation
async def list_web_authn_credentials(
    call: UserCall, request: ListWebAuthnCredentialsRequest
) -> ListWebAuthnCredentialsResponse:
    """Return the user's passkeys, the oldest first."""
    bound = binding("ListWebAuthnCredentials", call.pool.id, call.user.sub)
    place = open_place(call, bound, request.next_token)
    registered = await call.store.read(lambda tx: tx.passkeys.of_user(call.user))
    page, after = page_of(registered, place, request.max_results or MAX_PASSKEYS, lambda passkey: passkey.place)
    return ListWebAuthnCredentialsResponse(
        credentials=[describe(passkey) for passkey in page],
        next_token=seal_place(call, bound, *after) if after else None,
    )


@operation
async def delete_web_authn_credential(
    call: UserCall, request: DeleteWebAuthnCredentialRequest
) -> DeleteWebAuthnCredentialResponse:
    """Delete a passkey of the user."""

    def commit(tx: Tx) -> None:
        if not tx.passkeys.delete(get_user_again(tx, call.user), request.credential_id):
            raise ResourceNotFoundException("The passkey was not found.")

    await call.store.write(commit)
    return DeleteWebAuthnCredentialResponse()
