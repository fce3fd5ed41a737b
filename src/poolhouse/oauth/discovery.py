"""The documents at a pool's issuer: ``openid-configuration`` and ``jwks.json`` (spec/http/01 §1.5, §1.6)."""

import msgspec
from msgspec import Struct

from poolhouse.core.pool import Pool
from poolhouse.core.signing_key import PoolKeys
from poolhouse.flows.calls import Deps, Identity
from poolhouse.flows.tokens import issuer_of
from poolhouse.storage import Tx
from poolhouse.web.domains import base_url_of
from poolhouse.web.responses import CORS, Response, json_response

CONFIGURATION, KEYS = "openid-configuration", "jwks.json"
_CACHED_POOLS = 4096
_KEY_MEMBERS = ("alg", "e", "kid", "kty", "n", "use")


class _Documents(Struct):
    """The answers for a pool, what they were made from, and the database's version when that was last seen to hold."""

    pool: Pool
    keys: PoolKeys
    answers: dict[str, Response]
    version: int | None = None


class Discovery:
    """Answers from bytes made once per pool and generation; not even a read where the database stayed as it was."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._made: dict[str, _Documents] = {}

    async def find(self, pool_id: str, document: str) -> Response:
        """Return a document of a pool, or 404."""
        made, version = self._made.get(pool_id), self._deps.store.version()
        if made is not None and version is not None and made.version == version:
            return made.answers[document]
        found = await self._deps.store.read(lambda tx: _load(tx, pool_id))
        if found is None:
            return json_response(404, {"message": f"User pool {pool_id} does not exist."}, [CORS])
        # The catalogue gives the same objects until something of the pool is written.
        if made is None or made.pool is not found[0] or made.keys is not found[1]:
            made = self._make(*found)
        made.version = version
        return made.answers[document]

    def _make(self, pool: Pool, keys: PoolKeys) -> _Documents:
        answers = {
            CONFIGURATION: _answer(configuration(self._deps.identity, pool)),
            KEYS: _answer(key_set(keys)),
        }
        if len(self._made) >= _CACHED_POOLS:
            self._made.clear()
        made = self._made[pool.id] = _Documents(pool, keys, answers)
        return made


def configuration(identity: Identity, pool: Pool) -> dict[str, object]:
    """Return the OpenID configuration of a pool. Without a domain its endpoints are named below the issuer.

    Differs from Cognito (discovery): ``code_challenge_methods_supported`` is added, since some clients use PKCE only
    where it is announced; under POOLHOUSE_STRICT it is left out.
    """
    issuer = issuer_of(identity, pool)
    domain = base_url_of(identity, pool)
    oauth = issuer if domain is None else f"{domain}/oauth2"
    document: dict[str, object] = {
        "authorization_endpoint": f"{oauth}/authorize",
        "end_session_endpoint": f"{domain or issuer}/logout",
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "response_types_supported": ["code", "token"],
        "revocation_endpoint": f"{oauth}/revoke",
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
        "token_endpoint": f"{oauth}/token",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "userinfo_endpoint": f"{oauth}/userInfo",
    }
    if not identity.strict:
        document["code_challenge_methods_supported"] = ["S256"]
    return document


def key_set(keys: PoolKeys) -> dict[str, object]:
    """Return the JSON Web Key Set of a pool: its two keys, then those whose tokens may still be about."""
    public = [key.public for key in (keys.id, keys.access, *keys.retired)]
    return {"keys": [{name: key[name] for name in _KEY_MEMBERS} for key in public]}


def _load(tx: Tx, pool_id: str) -> tuple[Pool, PoolKeys] | None:
    pool = tx.catalogue.find_pool(pool_id)
    return None if pool is None else (pool, tx.catalogue.signing_keys(pool_id))


def _answer(document: dict[str, object]) -> Response:
    body = msgspec.json.encode(document)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"cache-control", b"public, max-age=86400"),
        CORS,
    ]
    return Response(200, headers, body)
