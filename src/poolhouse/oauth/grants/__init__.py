"""The grants of the token endpoint, by ``grant_type``."""

from typing import Any

from poolhouse.oauth.grants import authorization_code, client_credentials, refresh_token, token_exchange
from poolhouse.oauth.grants.grant import Asked as Asked
from poolhouse.oauth.grants.grant import Grant as Grant

GRANTS: dict[str, Grant[Any]] = {
    "authorization_code": authorization_code.GRANT,
    "refresh_token": refresh_token.GRANT,
    "client_credentials": client_credentials.GRANT,
    token_exchange.GRANT_TYPE: token_exchange.GRANT,
}
