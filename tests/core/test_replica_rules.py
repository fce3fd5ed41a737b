"""What can be asked of a replica, and what it may change of its pool (spec/api/10 §3)."""

import pytest
from msgspec.structs import replace

from poolhouse.core.pool import Pool
from poolhouse.core.replica import Reach, Regional, Replica, reach_of
from poolhouse.core.replica_rules import check_only_regional
from poolhouse.model import (
    OPERATIONS,
    Access,
    EmailConfigurationType,
    GetUserPoolMfaConfigResponse,
    InvalidParameterException,
    OperationNotEnabledException,
    ReplicaStatusType,
    UserPoolMfaType,
    UserPoolType,
)

HOME, AWAY = "us-east-1", "eu-west-1"
ARN = "arn:aws:cognito-idp:{}:000000000000:userpool/us-east-1_abc"


def pool(status=ReplicaStatusType.ACTIVE, **settings):
    return Pool(
        id="us-east-1_abc",
        settings=UserPoolType(arn=ARN.format(HOME), name="shop", user_pool_tags={"at": "home"}),
        mfa=GetUserPoolMfaConfigResponse(mfa_configuration=UserPoolMfaType.OFF),
        device_group_key="-k",
        replicas=(Replica(region=AWAY, status=status, settings=Regional(**settings)),),
    )


def test_what_signed_reads_and_users_do_reaches_replicas():
    """Nothing that changes a user, or what all replicas share, is open to a replica."""
    by_reach = {reach: {name for name in OPERATIONS if reach_of(name) is reach} for reach in Reach}
    changed = {name for name in by_reach[Reach.ALL] if OPERATIONS[name].access is not Access.ADMIN}
    assert changed == set()
    assert {"SignUp", "DeleteUser", "CreateGroup", "AdminCreateUser", "DeleteUserPoolReplica"} <= by_reach[
        Reach.PRIMARY
    ]
    assert {"UpdateUserPool", "DescribeUserPool", "AdminGetUser", "ListUserPoolReplicas"} <= by_reach[Reach.ALL]
    assert {"InitiateAuth", "AdminInitiateAuth", "GetUser", "RevokeToken"} <= by_reach[Reach.ACTIVE]
    altering = ("Create", "Delete", "Set", "Add", "Confirm", "Verify", "Change", "Forg", "Resend", "Associate", "Start")
    assert not [name for name in by_reach[Reach.ACTIVE] if name.startswith(altering)]
    assert reach_of("GetUserAttributeVerificationCode") is Reach.PRIMARY


def test_a_pool_is_seen_through_its_replica():
    """The ARN and the regional settings are the replica's, everything else the pool's."""
    mail = EmailConfigurationType(from_="away@example.org")
    there = pool(email_configuration=mail, user_pool_tags={}).seen_in(AWAY)
    assert there.settings == UserPoolType(
        arn=ARN.format(AWAY), name="shop", user_pool_tags={}, email_configuration=mail
    )
    assert (there.region, there.seat_region) == (HOME, AWAY)
    assert pool().seen_in("ap-south-1") is None
    assert pool().seen_in(HOME).seat is None


@pytest.mark.parametrize("status", ReplicaStatusType)
def test_only_an_active_replica_serves_users(status):
    """The primary serves everything; a replica that is not active configuration alone."""
    home, away = pool(status), pool(status).seen_in(AWAY)
    for reach in Reach:
        home.check_reach(reach)
    away.check_reach(Reach.ALL)
    with pytest.raises(OperationNotEnabledException):
        away.check_reach(Reach.PRIMARY)
    if status is ReplicaStatusType.ACTIVE:
        away.check_reach(Reach.ACTIVE)
    else:
        with pytest.raises(OperationNotEnabledException):
            away.check_reach(Reach.ACTIVE)


def test_what_all_share_must_match():
    """An update through a replica may change its own settings; the refusal names the others."""
    there = pool().seen_in(AWAY)
    tagged = replace(there.settings, user_pool_tags={"at": "away"}, last_modified_date=1.0)
    check_only_regional(there, replace(there, settings=tagged))
    with pytest.raises(InvalidParameterException, match="Name, UserPoolTier"):
        other = replace(tagged, name="other", user_pool_tier="PLUS")
        check_only_regional(there, replace(there, settings=other))
