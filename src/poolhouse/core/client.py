"""An app client and what it may do."""

from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

from poolhouse.core.session_tracking import DEFAULT_SSO_MINUTES
from poolhouse.model import ExplicitAuthFlowsType as Flow
from poolhouse.model import PreventUserExistenceErrorTypes, TimeUnitsType, UserPoolClientType

# Spec: api/02 §5.1, the flows of a client that names none.
DEFAULT_FLOWS = frozenset({Flow.ALLOW_REFRESH_TOKEN_AUTH, Flow.ALLOW_USER_SRP_AUTH, Flow.ALLOW_CUSTOM_AUTH})
# The names before ALLOW_; such a list always implies refreshing.
LEGACY_FLOWS = {
    Flow.ADMIN_NO_SRP_AUTH: Flow.ALLOW_ADMIN_USER_PASSWORD_AUTH,
    Flow.CUSTOM_AUTH_FLOW_ONLY: Flow.ALLOW_CUSTOM_AUTH,
    Flow.USER_PASSWORD_AUTH: Flow.ALLOW_USER_PASSWORD_AUTH,
}
UNIT_SECONDS = {
    TimeUnitsType.seconds: 1,
    TimeUnitsType.minutes: 60,
    TimeUnitsType.hours: 3600,
    TimeUnitsType.days: 86400,
}
DEFAULT_REFRESH_DAYS = 30
# In ReadAttributes and WriteAttributes one name stands for all of these (spec/http/04 §4.2.1).
PROFILE = "oidc:profile"
PROFILE_ATTRIBUTES = frozenset(
    {
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
    }
)


class ClientSecret(Struct, frozen=True, kw_only=True):
    """A secret of a confidential client, sealed with the master key.

    ``id`` is the ClientSecretId; ``created_at`` is in milliseconds.
    """

    id: str
    sealed: bytes
    created_at: int


class Client(Struct, frozen=True, kw_only=True, dict=True):
    """An app client: its settings in the API's own shape, without the secret.

    ``sso_minutes`` counts while the pool tracks sessions: so long after a sign-in the client is content with it.
    """

    id: str
    pool_id: str
    settings: UserPoolClientType
    secrets: tuple[ClientSecret, ...] = ()
    revision: int = 0
    sso_minutes: int = DEFAULT_SSO_MINUTES

    @cached_property
    def flows(self) -> frozenset[Flow]:
        """The sign-in flows that the client may use, in their ALLOW_ spelling."""
        named = self.settings.explicit_auth_flows
        if not named:
            return DEFAULT_FLOWS
        flows = frozenset(LEGACY_FLOWS.get(flow, flow) for flow in named)
        if any(flow in LEGACY_FLOWS for flow in named):
            flows |= {Flow.ALLOW_REFRESH_TOKEN_AUTH}
        if not LEGACY_FLOWS.keys().isdisjoint(named) and Flow.CUSTOM_AUTH_FLOW_ONLY not in named:
            flows |= {Flow.ALLOW_USER_SRP_AUTH}
        return flows

    @cached_property
    def readable(self) -> frozenset[str] | None:
        """The names of the attributes that the client may read; None where it names none, which stands for all."""
        named = self.settings.read_attributes
        return None if named is None else attributes_of(named) | {"sub"}

    @cached_property
    def writable(self) -> frozenset[str] | None:
        """The names of the attributes that users may write through the client; None where it names none."""
        named = self.settings.write_attributes
        return None if named is None else attributes_of(named)

    @property
    def conceals_users(self) -> bool:
        """Whether answers must not tell if a user exists (PreventUserExistenceErrors)."""
        return self.settings.prevent_user_existence_errors == PreventUserExistenceErrorTypes.ENABLED

    @property
    def revocation_enabled(self) -> bool:
        """Whether tokens carry ``origin_jti`` and can be revoked."""
        return bool(self.settings.enable_token_revocation)

    @property
    def rotation_enabled(self) -> bool:
        """Whether each refresh gives a new refresh token."""
        rotation = self.settings.refresh_token_rotation
        return rotation is not None and rotation.feature == "ENABLED"

    @property
    def auth_session_seconds(self) -> int:
        """How long a challenge may wait for its answer."""
        return (self.settings.auth_session_validity or 3) * 60

    @property
    def access_token_seconds(self) -> int:
        """How long an access token is valid."""
        units = self.settings.token_validity_units
        return _seconds(self.settings.access_token_validity, units.access_token if units else None)

    @property
    def id_token_seconds(self) -> int:
        """How long an ID token is valid."""
        units = self.settings.token_validity_units
        return _seconds(self.settings.id_token_validity, units.id_token if units else None)

    @property
    def refresh_token_seconds(self) -> int:
        """How long a refresh token is valid, counted from the sign-in."""
        units = self.settings.token_validity_units
        unit = units.refresh_token if units else None
        value = self.settings.refresh_token_validity
        if not value:
            return DEFAULT_REFRESH_DAYS * 86400
        return value * UNIT_SECONDS[unit or TimeUnitsType.days]


def attributes_of(names: Iterable[str]) -> frozenset[str]:
    """Return the attributes that ReadAttributes or WriteAttributes name."""
    named = frozenset(names)
    return named - {PROFILE} | PROFILE_ATTRIBUTES if PROFILE in named else named


def _seconds(value: int | None, unit: TimeUnitsType | None) -> int:
    return (value or 1) * UNIT_SECONDS[unit or TimeUnitsType.hours]
