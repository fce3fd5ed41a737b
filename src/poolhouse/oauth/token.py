"""``POST /oauth2/token``: the phases that all grants share (spec/http/02 §2.2)."""

from collections.abc import Callable
from typing import Any

import msgspec

from poolhouse.core.grants import OAuthError
from poolhouse.core.parameters import Parameters
from poolhouse.flows.token_exchange import Derived
from poolhouse.flows.tokens import Tokens
from poolhouse.model import IssuedTokenTypeIdentifierType
from poolhouse.oauth.clients import Presented, check_client, find_client, find_presented
from poolhouse.oauth.grants import GRANTS, Asked
from poolhouse.oauth.grants.token_exchange import issued_type
from poolhouse.oauth.request import OAuthRequest
from poolhouse.storage import Tx
from poolhouse.web.requests import read_form
from poolhouse.web.responses import CORS, Response, domain_json


class TokenBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer, its members in the order of captured ones (spec/http/02 §2.2.3)."""

    id_token: str | None = None
    access_token: str
    refresh_token: str | None = None
    expires_in: int
    token_type: str


class DerivedBody(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an exchange; the new token is called ``access_token`` whatever it is (RFC 8693 §2.2.1)."""

    access_token: str
    issued_token_type: str
    token_type: str
    expires_in: int
    scope: str


_ENCODER = msgspec.json.Encoder()


async def token(request: OAuthRequest) -> Response:
    """Authenticate the client, find the grant, check its policy, let it authorise, respond."""
    form = await read_form(request.headers, request.receive)
    if form.repeated:
        raise OAuthError("invalid_request")
    presented = find_presented(request.headers.get("authorization", ""), form)
    grant = GRANTS.get(form.get("grant_type") or "")
    load = None if grant is None else grant.load(request.call, form)
    asked = await request.call.store.read(lambda tx: _ask(tx, request, form, presented, load))
    check_client(request.call.deps, asked.client, presented)
    if grant is not None and grant.category is not None:
        await request.count(grant.category)
    if form.get("grant_type") is None:
        raise OAuthError("invalid_request")
    if grant is None:
        raise OAuthError("unsupported_grant_type")
    if not grant.is_open_to(asked.client):
        raise OAuthError("unauthorized_client")
    if any(form.get(name) is None for name in grant.required):
        raise OAuthError("invalid_request")
    tokens = await grant.authorise(asked)
    body = encode_derived(tokens) if isinstance(tokens, Derived) else encode(tokens)
    return domain_json(body, request_id=request.id, extra=[CORS])


def _ask(
    tx: Tx, request: OAuthRequest, form: Parameters, presented: Presented, load: Callable[[Tx], Any] | None
) -> Asked[Any]:
    """Read all that any grant needs. What ``load`` reads comes first: it tells the pool's generation as well."""
    found = None if load is None else load(tx)
    pool = request.domain(tx).pool
    return Asked(
        call=request.call,
        form=form,
        pool=pool,
        client=find_client(tx, pool, presented),
        keys=tx.catalogue.signing_keys(pool.id),
        servers=tx.catalogue.resource_servers(pool.id),
        found=found,
    )


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


def encode_derived(derived: Derived) -> bytes:
    """Return the JSON of the answer to an exchange. Only an access token is one to bear."""
    is_access = derived.type is IssuedTokenTypeIdentifierType.ACCESS_TOKEN
    body = DerivedBody(
        access_token=derived.token,
        issued_token_type=issued_type(derived.type),
        token_type="Bearer" if is_access else "N_A",
        expires_in=derived.expires_in,
        scope=" ".join(derived.scopes),
    )
    return _ENCODER.encode(body)
