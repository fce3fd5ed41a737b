"""Token sessions, authorization codes and confirmation codes, as stored. Times are milliseconds."""

from msgspec import Struct

from poolhouse.core.user import User


class Session(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one sign-in gave: the life of a refresh token and of all tokens that descend from it.

    ``id`` is the ``origin_jti`` of its tokens. A session that is not stored any more is revoked.
    ``auth_time`` is in seconds. ``oauth`` tells tokens of the OAuth endpoints (``version`` 2) from
    those of the API. ``generation`` counts rotations of the refresh token, ``rotated_at`` is the time
    of the last one. ``resource`` becomes ``aud`` of the access token (spec/http/04 §4.9).
    ``device_key`` is the device that was signed in from, where the pool tracked devices. ``origin`` is the tracked
    SSO session that the sign-in came through. ``methods`` are those that the sign-in has shown; ``level`` is what they
    reached where it asked for one, 0 where tokens are not to tell (``core.acr``).
    ``signed_out_at`` is what the user's was at the sign-in.
    """

    id: str
    pool_id: str
    user_id: int
    client_id: str
    created_at: int
    expires_at: int
    auth_time: int
    scopes: tuple[str, ...]
    oauth: bool
    event_id: str | None = None
    resource: str | None = None
    generation: int = 0
    rotated_at: int = 0
    device_key: str | None = None
    origin: str | None = None
    methods: tuple[str, ...] = ()
    level: int = 0
    signed_out_at: int = 0


class AuthorizationCode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an authorization code stands for (RFC 6749 §4.1.2). ``auth_time`` is in seconds.

    ``origin`` is the tracked SSO session that it came through. ``methods``, ``level`` and ``signed_out_at`` are those of
    ``Session``.
    """

    pool_id: str
    client_id: str
    user_id: int
    redirect_uri: str
    scopes: tuple[str, ...]
    auth_time: int
    expires_at: int
    code_challenge: str | None = None
    nonce: str | None = None
    resource: str | None = None
    event_id: str | None = None
    origin: str | None = None
    methods: tuple[str, ...] = ()
    level: int = 0
    signed_out_at: int = 0


def is_over(of: Session | AuthorizationCode, user: User) -> bool:
    """Whether the user was signed out everywhere since the sign-in.

    What ends sessions deletes them; but one that was being stored meanwhile is not seen yet, and its time tells nothing
    where requests overlap.
    """
    return of.signed_out_at != user.signed_out_at


class ConfirmationCode(Struct, frozen=True, kw_only=True):
    """A code that was sent to a user. ``digest`` is keyed, so the stored row does not give the code away.

    ``attribute`` is what the code was sent to (``email`` or ``phone_number``), ``destination`` its value then.
    """

    purpose: str
    digest: bytes
    attribute: str
    destination: str
    expires_at: int


class Attempts(Struct, frozen=True, kw_only=True):
    """A counter behind an attempt limit or a lock-out."""

    count: int
    since: int
    locked_until: int = 0
