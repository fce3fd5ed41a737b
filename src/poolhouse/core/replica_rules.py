"""Making, changing and deleting replicas, and what a replica may change of its pool (spec/api/10 §3)."""

import re

from msgspec.structs import replace

from poolhouse.core.names import arn_in
from poolhouse.core.pool import NOT_ENABLED, Pool
from poolhouse.core.replica import ALTERING_CHALLENGES, Regional, Replica
from poolhouse.core.tags import find_tag_fault
from poolhouse.core.tiers import check_feature, tier_of
from poolhouse.model import (
    ChallengeNameType,
    CreateUserPoolReplicaRequest,
    EncryptionKeyType,
    InvalidParameterException,
    LimitExceededException,
    OperationNotEnabledException,
    ReplicaRoleType,
    ReplicaStatusType,
    ResourceNotFoundException,
    UpdateReplicaStatusType,
    UserPoolReplicaType,
    UserPoolTaggingException,
    UserPoolType,
)

MAX_REPLICAS = 10
FEATURE = "Multi-Region Replication"
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{4,31}")
_MULTI_REGION_KEY = re.compile(r"arn:[^:]+:kms:[^:]*:[0-9]+:key/mrk-[0-9a-f]+")
_STATUS = {
    UpdateReplicaStatusType.ACTIVE: ReplicaStatusType.ACTIVE,
    UpdateReplicaStatusType.INACTIVE: ReplicaStatusType.INACTIVE,
}


def regional(settings: UserPoolType) -> Regional:
    """Return those settings of a pool that each replica has for itself."""
    return Regional(**{name: getattr(settings, name) for name in Regional.__struct_fields__})


def new_replica(pool: Pool, request: CreateUserPoolReplicaRequest) -> Replica:
    """Return the replica that a request asks for: tags of its own, the rest as the pool has it now.

    Raises InvalidParameterException, LimitExceededException, tagging and tier errors.
    """
    check_feature(tier_of(pool.settings), FEATURE)
    check_key(pool.settings)
    if not _REGION.fullmatch(request.region_name):
        raise InvalidParameterException(f"{request.region_name} is not the name of a Region.")
    if pool.seen_in(request.region_name) is not None:
        raise InvalidParameterException(f"The user pool has a replica in {request.region_name} already.")
    fault = find_tag_fault(request.user_pool_tags or {})
    if fault is not None:
        raise UserPoolTaggingException(fault)
    if len(pool.replicas) >= MAX_REPLICAS:
        raise LimitExceededException(f"A user pool can have at most {MAX_REPLICAS} replicas.")
    settings = replace(regional(pool.settings), user_pool_tags=request.user_pool_tags or {})
    return Replica(region=request.region_name, status=ReplicaStatusType.CREATING, settings=settings)


def check_key(settings: UserPoolType) -> None:
    """Check that a pool's key exists in several Regions; raises InvalidParameterException."""
    key = settings.key_configuration
    managed = key is not None and key.key_type is EncryptionKeyType.CUSTOMER_MANAGED_KEY
    if not managed or key is None or not _MULTI_REGION_KEY.fullmatch(key.kms_key_arn or ""):
        raise InvalidParameterException(
            "A user pool with replicas needs a KeyConfiguration of CUSTOMER_MANAGED_KEY with a multi-Region key."
        )


def get_replica(pool: Pool, region: str) -> Replica:
    """Return a secondary replica.

    Raises InvalidParameterException for the primary's Region, ResourceNotFoundException where there is none.
    """
    if region == pool.region:
        raise InvalidParameterException("The primary replica cannot be changed.")
    for replica in pool.replicas:
        if replica.region == region:
            return replica
    raise ResourceNotFoundException(f"User pool {pool.id} has no replica in {region}.")


def switched(replica: Replica, status: UpdateReplicaStatusType) -> Replica:
    """Return a replica with another status; raises InvalidParameterException while it is being made or deleted."""
    if replica.status not in _STATUS.values():
        raise InvalidParameterException(f"The replica cannot be updated while it is {replica.status}.")
    return replace(replica, status=_STATUS[status])


def doomed(replica: Replica) -> Replica:
    """Return a replica that is about to be deleted; raises InvalidParameterException unless it is inactive."""
    if replica.status is not ReplicaStatusType.INACTIVE:
        raise InvalidParameterException("Only a replica in the INACTIVE status can be deleted.")
    return replace(replica, status=ReplicaStatusType.DELETING)


def check_only_regional(before: Pool, after: Pool) -> None:
    """Check that an update through a replica leaves the settings of all replicas alone.

    Raises InvalidParameterException: they must be given, and match (API reference of UpdateUserPool).
    """
    shared = set(UserPoolType.__struct_fields__) - set(Regional.__struct_fields__) - {"last_modified_date"}
    names = sorted(name for name in shared if getattr(before.settings, name) != getattr(after.settings, name))
    if not names and before.mfa.mfa_configuration == after.mfa.mfa_configuration:
        return
    spelled = ", ".join(_wire_name(name) for name in names) or "MfaConfiguration"
    raise InvalidParameterException(f"In a secondary Region these settings must match the existing ones: {spelled}.")


def check_challenge(pool: Pool, challenge: ChallengeNameType) -> None:
    """Check that the answer to a challenge does not alter a user through a replica.

    Raises OperationNotEnabledException.
    """
    if pool.seat is not None and challenge in ALTERING_CHALLENGES:
        raise OperationNotEnabledException(NOT_ENABLED)


def describe(pool: Pool, replica: Replica) -> UserPoolReplicaType:
    """Return a secondary replica as the API shows it."""
    return UserPoolReplicaType(
        region_name=replica.region,
        status=replica.status,
        role=ReplicaRoleType.SECONDARY,
        user_pool_arn=arn_in(replica.region, pool.settings.arn or ""),
    )


def describe_all(pool: Pool) -> list[UserPoolReplicaType]:
    """Return all replicas as the API shows them, the primary first."""
    primary = UserPoolReplicaType(
        region_name=pool.region,
        status=ReplicaStatusType.ACTIVE,
        role=ReplicaRoleType.PRIMARY,
        user_pool_arn=arn_in(pool.region, pool.settings.arn or ""),
    )
    return [primary, *(describe(pool, replica) for replica in pool.replicas)]


def _wire_name(field: str) -> str:
    encoded = dict(zip(UserPoolType.__struct_fields__, UserPoolType.__struct_encode_fields__, strict=True))
    return encoded[field]
