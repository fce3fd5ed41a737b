"""A user pool as the rest of the program sees it."""

from functools import cached_property

from msgspec import Struct

from poolhouse.model import GetUserPoolMfaConfigResponse, SchemaAttributeType, UserPoolType


class Pool(Struct, frozen=True, kw_only=True, dict=True):
    """A user pool: its settings in the API's own shapes.

    ``settings`` is what DescribeUserPool answers, less the counter ``EstimatedNumberOfUsers``;
    ``mfa`` is what GetUserPoolMfaConfig answers.
    ``builtin`` marks the pool of console operators, which shows in no list and no count.
    """

    id: str
    settings: UserPoolType
    mfa: GetUserPoolMfaConfigResponse
    device_group_key: str
    builtin: bool = False
    revision: int = 0

    @property
    def region(self) -> str:
        """The Region that the pool was created in: the part of its id before the underscore."""
        return self.id.rpartition("_")[0]

    @property
    def srp_name(self) -> str:
        """The part of the id after the underscore, an input of SRP (spec/api/04 §7)."""
        return self.id.rpartition("_")[2]

    @property
    def case_sensitive(self) -> bool:
        """Whether user names are told apart by case; the API's default is yes (spec/api/03 §11)."""
        configuration = self.settings.username_configuration
        return configuration is None or configuration.case_sensitive

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
