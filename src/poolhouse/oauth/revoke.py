"""``POST /oauth2/revoke`` (RFC 7009; spec/http/02 §2.4)."""

from poolhouse.core.client import Client
from poolhouse.core.grants import OAuthError
from poolhouse.core.pool import Pool
from poolhouse.core.rates import Category
from poolhouse.flows import tokens
from poolhouse.oauth.clients import Presented, check_client, find_client, find_presented
from poolhouse.oauth.errors import error_response
from poolhouse.oauth.request import OAuthRequest
from poolhouse.storage import Tx
from poolhouse.web.requests import read_form
from poolhouse.web.responses import CORS, Response, domain_empty


async def revoke(request: OAuthRequest) -> Response:
    """End the session of a refresh token. A token that is none, or revoked already, is no error."""
    form = await read_form(request.headers, request.receive)
    if form.repeated:
        raise OAuthError("invalid_request")
    try:
        presented = find_presented(request.headers.get("authorization", ""), form)
        pool, client = await request.call.store.read(lambda tx: _load(tx, request, presented))
        check_client(request.call.deps, client, presented)
    except OAuthError as error:
        await request.get_domain()
        status = 401 if error.error == "invalid_client" else None
        return error_response(error, request_id=request.id, status=status, extra=[CORS])
    await request.count(Category.USER_TOKEN)
    token = form.get("token")
    if token is None:
        raise OAuthError("invalid_request")
    await tokens.revoke(request.call, pool, client, token)
    return domain_empty(request_id=request.id, extra=[CORS])


def _load(tx: Tx, request: OAuthRequest, presented: Presented) -> tuple[Pool, Client]:
    pool = request.domain(tx).pool
    return pool, find_client(tx, pool, presented)
