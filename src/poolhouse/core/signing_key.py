"""A signing key of a pool, as stored."""

from typing import Literal

from msgspec import Struct


class SigningKey(Struct, frozen=True, kw_only=True):
    """An RSA key that signs a pool's tokens.

    ``sealed`` is the private key under the master key; ``public`` is its JWK (RFC 7517 §4).
    ID and access tokens have different keys (spec/http/04 §4.1). A key of the stock has no pool yet.
    ``certificate`` is DER; ``created_at`` is in milliseconds.
    """

    kid: str
    pool_id: str | None = None
    use: Literal["id", "access"]
    state: Literal["stock", "active", "retired"]
    sealed: bytes
    public: dict[str, str]
    certificate: bytes | None = None
    created_at: int


class PoolKeys(Struct, frozen=True, kw_only=True):
    """The keys of one pool: the two that sign now, and earlier ones whose tokens may still be alive."""

    id: SigningKey
    access: SigningKey
    retired: tuple[SigningKey, ...] = ()
