"""Which app client a request comes from, and whether it is that client (spec/http/02 §2.2.1)."""

from base64 import b64decode
from urllib.parse import unquote

from msgspec import Struct

from poolhouse.core.client import Client
from poolhouse.core.grants import OAuthError
from poolhouse.core.parameters import Parameters
from poolhouse.core.pool import Pool
from poolhouse.flows.calls import Deps
from poolhouse.flows.clients import is_secret
from poolhouse.storage import Tx


class Presented(Struct, frozen=True):
    """What a request says of its client. ``secret`` is None where none came; ``basic`` tells how it came."""

    client_id: str
    secret: str | None
    basic: bool = False


def find_client(tx: Tx, pool: Pool, presented: Presented) -> Client:
    """Return the client that a request names; raises OAuthError where the pool has none of that id."""
    found = tx.catalogue.find_app(presented.client_id)
    if found is None or found[0].id != pool.id:
        raise OAuthError("invalid_client")
    return found[1]


def check_client(deps: Deps, client: Client, presented: Presented) -> None:
    """Check that a request comes from the client it names: by its secret, or a public one by its id alone.

    Raises OAuthError.
    """
    if client.secrets:
        genuine = presented.secret is not None and is_secret(deps, client, presented.secret)
    else:
        genuine = presented.secret is None and not presented.basic
    if not genuine:
        raise OAuthError("invalid_client")


def find_presented(authorization: str, form: Parameters) -> Presented:
    """Return what a request says of its client, by HTTP Basic or by the form.

    Raises OAuthError: invalid_request where it names none, or says it twice; invalid_client.
    """
    named, secret = form.get("client_id"), form.get("client_secret")
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        if named is None:
            raise OAuthError("invalid_request")
        return Presented(named, secret)
    client_id, password = _open_basic(credentials)
    if secret is not None:
        # RFC 6749 §2.3: one way at a time.
        raise OAuthError("invalid_request")
    if named not in {None, client_id}:
        raise OAuthError("invalid_client")
    return Presented(client_id, password, basic=True)


def _open_basic(credentials: str) -> tuple[str, str | None]:
    """Return the id and the password of HTTP Basic; they may be percent-encoded (RFC 6749 §2.3.1).

    Ids and secrets contain no percent sign, and their plus signs mean themselves.
    """
    try:
        text = b64decode(credentials.strip(), validate=True).decode()
    except ValueError:
        raise OAuthError("invalid_client") from None
    client_id, colon, password = text.partition(":")
    if not colon:
        raise OAuthError("invalid_client")
    return unquote(client_id), unquote(password) or None
