"""What operations store goes with the user, the client and the pool that it belongs to (spec/api/02 §3, 03 §10)."""

import pytest

from poolhouse.api.registry import HANDLERS
from poolhouse.flows.upkeep import look_after
from tests.matrix.rows import FOR_EVER, Rows
from tests.matrix.world import CASES, World


def test_nothing_stays(call, inbox, server, functions, database_kind):
    """After every operation users, clients and pools are deleted, and leave no row behind in any table."""
    rows = Rows(server, database_kind)
    rows.sweep(FOR_EVER)
    before, others = rows.counts(), rows.pools()
    for operation in sorted(HANDLERS):
        case = CASES[operation](World(call, inbox, server, functions))
        answer = call(operation, **next(case))
        with pytest.raises(StopIteration):
            case.send(answer)
        server.clock.back_to_now()
    made = rows.pools() - others
    for pool_id in made:
        delete_users_and_clients(call, pool_id)
    rows.sweep()
    assert rows.orphans() == {}
    for pool_id in made:
        make_ready(call, pool_id)
    server.run(look_after(server.deps))
    for pool_id in made:
        call("DeleteUserPool", UserPoolId=pool_id)
    rows.sweep()
    assert rows.orphans() == {}
    rows.sweep(FOR_EVER)
    assert dict(rows.counts().items() - before.items()) == {}


def delete_users_and_clients(call, pool_id):
    for user in call("ListUsers", UserPoolId=pool_id)["Users"]:
        call("AdminDeleteUser", UserPoolId=pool_id, Username=user["Username"])
    for client in call("ListUserPoolClients", UserPoolId=pool_id, MaxResults=60)["UserPoolClients"]:
        call("DeleteUserPoolClient", UserPoolId=pool_id, ClientId=client["ClientId"])


def make_ready(call, pool_id):
    """Take away what stands in the way of deleting a pool."""
    pool = call("DescribeUserPool", UserPoolId=pool_id)["UserPool"]
    if "Domain" in pool:
        call("DeleteUserPoolDomain", UserPoolId=pool_id, Domain=pool["Domain"])
    replicas = call("ListUserPoolReplicas", UserPoolId=pool_id)["UserPoolReplicas"]
    for replica in [it for it in replicas if it["Role"] == "SECONDARY" and it["Status"] != "DELETING"]:
        named = {"UserPoolId": pool_id, "RegionName": replica["RegionName"]}
        if replica["Status"] == "ACTIVE":
            call("UpdateUserPoolReplica", **named, Status="INACTIVE")
        call("DeleteUserPoolReplica", **named)
    if pool["DeletionProtection"] == "ACTIVE":
        call("UpdateUserPool", UserPoolId=pool_id, DeletionProtection="INACTIVE", AutoVerifiedAttributes=["email"])
