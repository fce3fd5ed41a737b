"""``POST /oauth2/token``: the phases that all grants share (spec/http/02 §2.2)."""

import msgspec

from poolhouse.core.grants import OAuthError
from poolhouse.core.parameters import Parameters
from poolhouse.flows.tokens import Tokens
from poolhouse.oauth.clients import authenticate
from poolhouse.oauth.grants import GRANTS, Asked, Grant
from poolhouse.oauth.request import OAuthRequest
from poolhouse.web.requests import read_form
from poolhouse.web.responses import CORS, Response, domain_json


class TokenBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer, its members in the order of captured ones (spec/http/02 §2.2.3)."""

    id_token: str | None = None
    access_token: str
    refresh_token: str | None = None
    expires_in: int
    token_type: str


_ENCODER = msgspec.json.Encoder()


async def token(request: OAuthRequest) -> Response:
    """Authenticate the client, find the grant, check its policy, let it authorise, respond."""
    form = await read_form(request.headers, request.receive)
    if form.repeated:
        raise OAuthError("invalid_request")
    client = await authenticate(request, form)
    grant = get_grant(form)
    if not grant.is_open_to(client):
        raise OAuthError("unauthorized_client")
    if any(form.get(name) is None for name in grant.required):
        raise OAuthError("invalid_request")
    tokens = await grant.authorise(Asked(request.call, request.domain.pool, client, form))
    return domain_json(encode(tokens), request_id=request.id, extra=[CORS])


def get_grant(form: Parameters) -> Grant:
    """Return the grant that a form names; raises OAuthError."""
    name = form.get("grant_type")
    if name is None:
        raise OAuthError("invalid_request")
    grant = GRANTS.get(name)
    if grant is None:
        raise OAuthError("unsupported_grant_type")
    return grant


def encode(tokens: Tokens) -> bytes:
    """Return the JSON of the answer. It names no scope (spec/http/02 §2.2.3)."""
    body = TokenBody(
        id_token=tokens.id_token,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_in=tokens.expires_in,
        token_type="Bearer",
    )
    return _ENCODER.encode(body)
