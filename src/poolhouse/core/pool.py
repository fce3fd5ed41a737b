"""A user pool as the rest of the program sees it."""

from functools import cached_property

from msgspec import Struct
from msgspec.structs import asdict, replace

from poolhouse.core.names import arn_in
from poolhouse.core.replica import Reach, Replica
from poolhouse.core.session_tracking import default_configuration
from poolhouse.model import (
    GetUserPoolMfaConfigResponse,
    GetUserPoolSessionConfigurationResponse,
    OperationNotEnabledException,
    SchemaAttributeType,
    UserPoolType,
    UserSessionTrackingType,
)

NOT_ENABLED = "Operation is not enabled in this Region for the user pool."


class Pool(Struct, frozen=True, kw_only=True, dict=True):
    """A user pool: its settings in the API's own shapes.

    ``settings`` is what DescribeUserPool answers, less the counter ``EstimatedNumberOfUsers``;
    ``mfa`` is what GetUserPoolMfaConfig answers, ``tracking`` what GetUserPoolSessionConfiguration does once it was
    set.
    ``builtin`` marks the pool of console operators, which shows in no list and no count.
    ``replicas`` are its secondary ones by Region. ``seat`` is the one through which the pool is looked at, None for
    the pool itself; its settings then are those of that replica.
    """

    id: str
    settings: UserPoolType
    mfa: GetUserPoolMfaConfigResponse
    device_group_key: str
    builtin: bool = False
    revision: int = 0
    replicas: tuple[Replica, ...] = ()
    seat: Replica | None = None
    tracking: GetUserPoolSessionConfigurationResponse | None = None

    @property
    def session_configuration(self) -> GetUserPoolSessionConfigurationResponse:
        """What GetUserPoolSessionConfiguration answers."""
        return self.tracking or default_configuration(self.id)

    @property
    def tracks_sessions(self) -> bool:
        """Whether sessions are recorded, listed and limited in number (spec/api/10 §1)."""
        return self.tracking is not None and self.tracking.user_session_tracking is UserSessionTrackingType.ENABLED

    @property
    def most_sessions(self) -> int:
        """How many tracked token sessions a user can have."""
        limit = self.session_configuration.token_session
        assert limit is not None
        return limit.max_per_user

    @property
    def region(self) -> str:
        """The Region that the pool was created in: the part of its id before the underscore."""
        return self.id.rpartition("_")[0]

    @property
    def seat_region(self) -> str:
        """The Region that the pool is looked at in: its own, or the replica's."""
        return self.region if self.seat is None else self.seat.region

    def seen_in(self, region: str) -> "Pool | None":
        """Return the pool as it is in a Region, None where it is not."""
        return self if region == self.seat_region else self._elsewhere.get(region)

    def check_reach(self, reach: Reach) -> None:
        """Check that something can be asked for here; raises OperationNotEnabledException (spec/api/10 §3)."""
        seat = self.seat
        if seat is None or reach is Reach.ALL or (reach is Reach.ACTIVE and seat.is_active):
            return
        raise OperationNotEnabledException(NOT_ENABLED)

    @cached_property
    def _elsewhere(self) -> dict[str, "Pool"]:
        return {replica.region: self._through(replica) for replica in self.replicas}

    def _through(self, replica: Replica) -> "Pool":
        own, sms = asdict(replica.settings), self.mfa.sms_mfa_configuration
        settings = replace(self.settings, arn=arn_in(replica.region, self.settings.arn or ""), **own)
        if sms is not None:
            sms = replace(sms, sms_configuration=replica.settings.sms_configuration)
        return replace(self, settings=settings, mfa=replace(self.mfa, sms_mfa_configuration=sms), seat=replica)

    @property
    def srp_name(self) -> str:
        """The part of the id after the underscore, an input of SRP (spec/api/04 §7)."""
        return self.id.rpartition("_")[2]

    @property
    def case_sensitive(self) -> bool:
        """Whether user names are told apart by case; the API's default is yes (spec/api/03 §11)."""
        configuration = self.settings.username_configuration
        return configuration is None or configuration.case_sensitive

    @property
    def tracks_devices(self) -> bool:
        """Whether users' devices are tracked: DeviceConfiguration is set (spec/api/04 §8)."""
        return self.settings.device_configuration is not None

    @cached_property
    def schema(self) -> dict[str, SchemaAttributeType]:
        """The attributes that users may have, by name and in the pool's order."""
        return {entry.name: entry for entry in self.settings.schema_attributes or () if entry.name}

    @cached_property
    def readable(self) -> frozenset[str]:
        """What clients may read that name no attributes: all of them."""
        return frozenset(self.schema) | {"sub", "identities"}

    @property
    def username_attributes(self) -> frozenset[str]:
        """The attributes that users sign in with in place of a user name."""
        return frozenset(self.settings.username_attributes or ())

    @property
    def alias_attributes(self) -> frozenset[str]:
        """The attributes that users sign in with besides their user name."""
        return frozenset(self.settings.alias_attributes or ())

    @property
    def auto_verified(self) -> frozenset[str]:
        """The attributes that a code is sent to on sign-up and on change."""
        return frozenset(self.settings.auto_verified_attributes or ())
