"""``GET /oauth2/userInfo`` (OpenID Connect Core §5.3; spec/http/02 §2.3)."""

import msgspec

from poolhouse.core.claims import OPENID, userinfo_claims
from poolhouse.core.grants import OAuthError
from poolhouse.core.rates import Category
from poolhouse.flows.bearer import Bearer, check_bearer, find_bearer, open_access_token
from poolhouse.model import NotAuthorizedException, UserNotFoundException
from poolhouse.oauth.errors import error_response
from poolhouse.oauth.request import OAuthRequest
from poolhouse.web.requests import is_form, read_form
from poolhouse.web.responses import CORS, Response, domain_json

BAD_REQUEST = "Bad OAuth2 request at UserInfo Endpoint"
BAD_TOKEN = "Access token is expired, disabled, or deleted, or the user has globally signed out."
NO_OPENID = "Access token does not contain openid scope"
_ENCODER = msgspec.json.Encoder()


async def userinfo(request: OAuthRequest) -> Response:
    """Return what the scopes of the bearer's access token show of the user, every value as text.

    Differs from Cognito (``/oauth2/userInfo``): the path is found in any case, and POST is accepted with the token in
    the form (RFC 6750 §2.2).
    """
    token = await _find_token(request)
    if token is None:
        await request.get_domain()
        return _refusal(request, 400, OAuthError("invalid_request", BAD_REQUEST))
    await request.count(Category.USER_READ)
    try:
        bearer = await _read_bearer(request, token)
    except (NotAuthorizedException, UserNotFoundException):
        await request.get_domain()
        return _refusal(request, 401, OAuthError("invalid_token", BAD_TOKEN))
    if OPENID not in bearer.scopes:
        error = OAuthError("invalid_token", NO_OPENID)
        return error_response(error, request_id=request.id, status=401, extra=[CORS])
    claims = userinfo_claims(bearer.pool, bearer.client, bearer.user, bearer.scopes)
    return domain_json(_ENCODER.encode(claims), request_id=request.id, extra=[CORS])


async def _read_bearer(request: OAuthRequest, token: str) -> Bearer:
    """Return who calls, in the same read as the domain."""
    opened = open_access_token(token)
    found, domain = await request.call.store.read(lambda tx: (find_bearer(tx, opened), request.domain(tx)))
    bearer = check_bearer(request.call, opened, found)
    if bearer.pool.id != domain.pool.id:
        raise NotAuthorizedException(BAD_TOKEN)
    return bearer


async def _find_token(request: OAuthRequest) -> str | None:
    """Return the token in ``Authorization``, or in the form of a POST (RFC 6750 §2.1, §2.2)."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None
    if request.method == "POST" and is_form(request.headers):
        form = await read_form(request.headers, request.receive)
        return None if "access_token" in form.repeated else form.get("access_token")
    return None


def _refusal(request: OAuthRequest, status: int, error: OAuthError) -> Response:
    # Cognito: the header has no scheme before its parameters (spec/http/02 §2.3).
    challenge = f'error="{error.error}", error_description="{error.description}"'.encode("ascii")
    extra = [(b"www-authenticate", challenge), CORS]
    return error_response(error, request_id=request.id, status=status, extra=extra)
