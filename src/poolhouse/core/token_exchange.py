"""The rules of exchanging a token for another (RFC 8693; spec/api/10 §6.2). Times are seconds."""

from collections.abc import Collection, Iterable
from typing import Any

from msgspec import Struct, field

from poolhouse.core.claims import API_SCOPE, OPENID
from poolhouse.core.client import Client
from poolhouse.core.grants import RESERVED_SCOPES, known_scopes
from poolhouse.model import ExplicitAuthFlowsType as Flow
from poolhouse.model import InvalidParameterException, IssuedTokenTypeIdentifierType, ResourceServerType
from poolhouse.model import TokenTypeIdentifierType as TokenType

# So many parties may have handed a token on to each other.
LONGEST_CHAIN = 8


class Claims(Struct, frozen=True, kw_only=True):
    """The claims that count of a token presented for exchange, be it an ID or an access token, a user's or a client's.

    ``scope`` is an access token's; in an ID token it may be anything that a trigger added.
    ``act`` names who acts for the subject, and within who did before (RFC 8693 §4.1).
    """

    sub: str
    iss: str
    token_use: str
    exp: int
    iat: int
    auth_time: int = 0
    client_id: str | None = None
    aud: str | None = None
    scope: Any = ""
    version: int | None = None
    username: str | None = None
    id_username: str | None = field(name="cognito:username", default=None)
    origin_jti: str | None = None
    event_id: str | None = None
    act: dict[str, Any] | None = None

    @property
    def app(self) -> str:
        """The id of the client that the token was issued to."""
        return (self.aud if self.token_use == "id" else self.client_id) or ""

    @property
    def names_user(self) -> bool:
        """Whether the token is a user's rather than a client's own."""
        return (self.id_username if self.token_use == "id" else self.username) is not None


class Exchange(Struct, frozen=True, kw_only=True):
    """What a client asks for. ``scopes`` is None where it names none; ``audience`` and ``resource`` exclude each other.

    The providers are those whose tokens are presented, None for this pool itself.
    """

    subject_token: str
    subject_type: TokenType
    subject_provider: str | None = None
    actor_token: str | None = None
    actor_type: TokenType | None = None
    actor_provider: str | None = None
    scopes: tuple[str, ...] | None = None
    audience: str | None = None
    resource: str | None = None
    wanted: IssuedTokenTypeIdentifierType = IssuedTokenTypeIdentifierType.ACCESS_TOKEN

    @property
    def flow(self) -> Flow:
        """The flow that the client needs: with an actor the user is represented, without one impersonated."""
        if self.actor_token is None:
            return Flow.ALLOW_TOKEN_EXCHANGE_IMPERSONATION
        return Flow.ALLOW_TOKEN_EXCHANGE_DELEGATION


def check_exchange(exchange: Exchange) -> None:
    """Check what is wrong with a request whatever its tokens say; raises InvalidParameterException."""
    if exchange.audience is not None and exchange.resource is not None:
        raise InvalidParameterException("Audiences and Resources cannot be requested together.")
    actor = (exchange.actor_type, exchange.actor_provider)
    if exchange.actor_token is None and actor != (None, None):
        raise InvalidParameterException("ActorTokenType and ActorTokenProviderName need an ActorToken.")
    if exchange.actor_token is not None and exchange.actor_type is None:
        raise InvalidParameterException("ActorTokenType is required with ActorToken.")
    is_id = exchange.wanted is IssuedTokenTypeIdentifierType.ID_TOKEN
    if is_id and (exchange.audience is not None or exchange.resource is not None):
        # An ID token is for the client that asks; one for another would sign its holder in there.
        raise InvalidParameterException("Audiences and Resources are for access tokens.")


def granted_scopes(
    client: Client, servers: Iterable[ResourceServerType], requested: Collection[str] | None, subject: Collection[str]
) -> tuple[str, ...]:
    """Return the scopes of the new token: those asked for that the subject's token has and the client may have.

    Where none are asked for they are the subject's.
    """
    if requested is None:
        return tuple(subject)
    allowed = set(client.settings.allowed_oauth_scopes or ()) & (RESERVED_SCOPES | known_scopes(servers))
    return tuple(scope for scope in dict.fromkeys(requested) if scope in allowed and scope in subject)


def check_identity_scopes(scopes: Collection[str]) -> None:
    """Check that an ID token may be issued for these scopes, as at a sign-in; raises InvalidParameterException."""
    if OPENID not in scopes and API_SCOPE not in scopes:
        raise InvalidParameterException("An ID token needs the scope openid.")


def next_act(subject: Claims, actor: Claims | None) -> dict[str, Any] | None:
    """Return the ``act`` of the new token: the actor and those before it, None where nobody acts for the subject.

    Who acted before does not disappear where the next exchange has no actor. Raises InvalidParameterException where
    the chain grows too long.
    """
    if actor is None:
        return subject.act
    before, length = subject.act, 1
    while before is not None:
        before, length = before.get("act"), length + 1
    if length > LONGEST_CHAIN:
        raise InvalidParameterException(f"A token can name at most {LONGEST_CHAIN} actors.")
    return {"sub": actor.sub} | ({"act": subject.act} if subject.act is not None else {})


def end_of(subject: Claims, session_end: int | None, own_end: int) -> int:
    """Return when the new token expires: with the session it belongs to at the latest.

    Without a session nothing else ends it, so it must not outlive the token it came from: exchanging it again and
    again would go on for ever.
    """
    return min(own_end, subject.exp if session_end is None else session_end)
