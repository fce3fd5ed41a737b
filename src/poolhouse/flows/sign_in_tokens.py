"""The tokens that a sign-in over the API ends in."""

from msgspec.structs import replace

from poolhouse.core.claims import API_SCOPE
from poolhouse.flows import devices, tokens
from poolhouse.flows.calls import Call
from poolhouse.flows.session_tracking import begin_session
from poolhouse.flows.sign_in_loop import SignedIn
from poolhouse.storage import Tx


async def finish_with_tokens(call: Call, signed_in: SignedIn) -> tokens.Tokens:
    """Return the tokens of a sign-in, stored together with what its last step left to write.

    Raises NotAuthorizedException where that step was taken by somebody else meanwhile, and the errors of the trigger.
    """
    pool, device = signed_in.pool, signed_in.device
    offered = devices.offer(call, pool) if device is None and signed_in.offers_device else None
    device_key = device.key if device else (offered.device_key if offered else None)
    session = tokens.open_session(
        call,
        pool,
        signed_in.client,
        signed_in.user,
        auth_time=signed_in.auth_time,
        event_id=signed_in.event_id,
        scopes=(API_SCOPE,),
        oauth=False,
        device_key=device_key,
    )
    session = replace(session, methods=tuple(sorted(signed_in.methods)), level=signed_in.level)
    made = await tokens.mint(
        call,
        pool,
        signed_in.client,
        signed_in.user,
        session,
        source=signed_in.source,
        client_metadata=signed_in.client_metadata,
    )

    def commit(tx: Tx) -> None:
        signed_in.commit(tx)
        if device is not None:
            devices.note_sign_in(tx, call, device)
        begin_session(tx, call, signed_in.pool, session)

    await call.store.write(commit)
    return replace(made, new_device=offered)
