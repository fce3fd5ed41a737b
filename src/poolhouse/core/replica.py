"""A replica: a user pool as it stands in a second Region, and what may be asked of it there (spec/api/10 §3)."""

import re
from enum import Enum

from msgspec import Struct

from poolhouse.model import (
    ChallengeNameType,
    EmailConfigurationType,
    LambdaConfigType,
    ReplicaStatusType,
    SmsConfigurationType,
)


class Regional(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings that each replica of a pool has for itself; the names are those of the pool's settings."""

    email_configuration: EmailConfigurationType | None = None
    sms_configuration: SmsConfigurationType | None = None
    lambda_config: LambdaConfigType | None = None
    user_pool_tags: dict[str, str] | None = None


class RiskSender(Struct, frozen=True, omit_defaults=True):
    """Who sends the mail about risky sign-ins: the identity of SES and the address of a NotifyConfiguration."""

    source_arn: str
    from_: str | None = None


class Replica(Struct, frozen=True, kw_only=True):
    """A secondary replica of a pool.

    ``risk_senders`` are its own, by client id, that of the whole pool under an empty one.
    """

    region: str
    status: ReplicaStatusType
    settings: Regional
    risk_senders: dict[str, RiskSender] = {}

    @property
    def is_active(self) -> bool:
        """Whether users may sign in there."""
        return self.status is ReplicaStatusType.ACTIVE


class Reach(Enum):
    """Where a pool with replicas can be asked for something."""

    PRIMARY = "PRIMARY"  # in the pool's own Region only
    ACTIVE = "ACTIVE"  # through active replicas too: what users do without becoming other users
    ALL = "ALL"  # through every replica: its own settings, and reading


_SIGNED_READS = re.compile(r"(Admin)?(Describe|Get|List)[A-Z]")
# What changes no more than the settings of one replica.
_OF_REPLICAS = frozenset(
    {"UpdateUserPool", "TagResource", "UntagResource", "UpdateUserPoolReplica", "SetRiskConfiguration"}
)
_OF_USERS = frozenset(
    {
        *("InitiateAuth", "RespondToAuthChallenge", "AdminInitiateAuth", "AdminRespondToAuthChallenge"),
        *("GetTokensFromRefreshToken", "GetClientToken", "GetDerivedToken"),
        *("RevokeToken", "GlobalSignOut", "RevokeUserSession", "ListUserSessions"),
        *("GetUser", "GetUserAuthFactors", "GetDevice", "ListDevices", "ListWebAuthnCredentials"),
    }
)
# These read by their name only: a code begins a change.
_ALTERING = frozenset({"GetUserAttributeVerificationCode"})
# Challenges whose answer alters the user.
ALTERING_CHALLENGES = frozenset({ChallengeNameType.NEW_PASSWORD_REQUIRED, ChallengeNameType.MFA_SETUP})


def reach_of(operation: str) -> Reach:
    """Return where an operation can be asked for.

    Operations that are not known to be open to replicas need the primary.
    """
    if operation in _OF_USERS:
        return Reach.ACTIVE
    if operation in _OF_REPLICAS or (_SIGNED_READS.match(operation) and operation not in _ALTERING):
        return Reach.ALL
    return Reach.PRIMARY
