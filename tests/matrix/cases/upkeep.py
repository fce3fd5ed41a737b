"""What pools have besides users and clients: sessions, replicas, limits, logs, risks, imports (spec/api/07, 08, 10)."""

import time

import httpx

from poolhouse.flows.upkeep import look_after
from tests.matrix.world import case

# Sessions of users (10 §1)

TRACKED = {"UserSessionTracking": "ENABLED", "TokenSession": {"MaxPerUser": 9}}


@case
def get_user_pool_session_configuration(world):
    """10 §1.1"""
    answer = yield world.pool
    shown = answer.get("UserPoolSessionConfiguration", answer)
    assert (shown["UserSessionTracking"], shown["TokenSession"]) == ("DISABLED", {"MaxPerUser": 20})


@case
def set_user_pool_session_configuration(world):
    """10 §1.1"""
    answer = yield world.pool | {"UserSessionTracking": "ENABLED", "TokenSession": {"MaxPerUser": 3}}
    assert world.call("GetUserPoolSessionConfiguration", **world.pool) == answer


@case
def get_user_pool_client_session_configuration(world):
    """10 §1.2"""
    answer = yield world.client_of_pool
    assert answer["SSOSession"] == {"MaxValidityMinutes": 60}


@case
def set_user_pool_client_session_configuration(world):
    """10 §1.2"""
    world.call("SetUserPoolSessionConfiguration", **world.pool, **TRACKED)
    answer = yield world.client_of_pool | {"SSOSession": {"MaxValidityMinutes": 5}}
    assert answer["SSOSession"] == {"MaxValidityMinutes": 5}
    assert world.call("GetUserPoolClientSessionConfiguration", **world.client_of_pool) == answer


# Replicas (10 §3)

KEY = "arn:aws:kms:us-east-1:000000000000:key/mrk-00000000000000000000000000000000"


def replicated(world, region: str | None = None):
    """Make a pool whose key allows replicas, with one that is ready where a Region is given."""
    key = {"KeyType": "CUSTOMER_MANAGED_KEY", "KmsKeyArn": KEY}
    pool = {"UserPoolId": world.new_pool(UserPoolTier="PLUS", KeyConfiguration=key)}
    if region:
        world.call("CreateUserPoolReplica", **pool, RegionName=region)
        world.server.run(look_after(world.server.deps))
    return pool


@case
def create_user_pool_replica(world):
    """10 §3"""
    pool = replicated(world)
    answer = yield pool | {"RegionName": "eu-west-1"}
    assert (answer["UserPoolReplica"]["RegionName"], answer["UserPoolReplica"]["Role"]) == ("eu-west-1", "SECONDARY")
    listed = world.names("ListUserPoolReplicas", "UserPoolReplicas", "RegionName", **pool)
    assert set(listed) == {"us-east-1", "eu-west-1"}


@case
def list_user_pool_replicas(world):
    """10 §3"""
    answer = yield replicated(world, "eu-west-1")
    roles = {replica["RegionName"]: replica["Role"] for replica in answer["UserPoolReplicas"]}
    assert roles == {"us-east-1": "PRIMARY", "eu-west-1": "SECONDARY"}


@case
def update_user_pool_replica(world):
    """10 §3"""
    pool = replicated(world, "eu-west-1")
    answer = yield pool | {"RegionName": "eu-west-1", "Status": "ACTIVE"}
    assert answer["UserPoolReplica"]["Status"] == "ACTIVE"


@case
def delete_user_pool_replica(world):
    """10 §3"""
    pool = replicated(world, "eu-west-1")
    answer = yield pool | {"RegionName": "eu-west-1"}
    assert answer["UserPoolReplica"]["Status"] == "DELETING"
    listed = world.call("ListUserPoolReplicas", **pool)["UserPoolReplicas"]
    assert [it["Status"] for it in listed if it["RegionName"] == "eu-west-1"] in ([], ["DELETING"])


# Limits (10 §8)

# A limit that was set stays, so it is one that no other test comes near.
LIMIT = {"LimitDefinition": {"LimitClass": "API_CATEGORY", "Attributes": {"Category": "UserFederation"}}}


@case
def get_provisioned_limit(world):
    """10 §8"""
    answer = yield LIMIT
    assert answer["Limit"]["LimitDefinition"] == LIMIT["LimitDefinition"]
    assert answer["Limit"]["ProvisionedLimitValue"] >= answer["Limit"]["FreeLimitValue"] > 0


@case
def update_provisioned_limit(world):
    """10 §8"""
    before = world.call("GetProvisionedLimit", **LIMIT)["Limit"]
    answer = yield LIMIT | {"RequestedLimitValue": before["FreeLimitValue"]}
    assert answer["Limit"]["ProvisionedLimitValue"] == before["FreeLimitValue"]


# Logs and risks (07 §2, §7)

LOGS = [
    {
        "LogLevel": "ERROR",
        "EventSource": "userNotification",
        "CloudWatchLogsConfiguration": {"LogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:users"},
    }
]


@case
def get_log_delivery_configuration(world):
    """07 §7"""
    answer = yield world.pool
    assert answer["LogDeliveryConfiguration"] == world.pool | {"LogConfigurations": []}


@case
def set_log_delivery_configuration(world):
    """07 §7"""
    answer = yield world.pool | {"LogConfigurations": LOGS}
    assert answer["LogDeliveryConfiguration"] == world.pool | {"LogConfigurations": LOGS}
    assert world.call("GetLogDeliveryConfiguration", **world.pool) == answer


@case
def describe_risk_configuration(world):
    """07 §2"""
    answer = yield world.pool
    assert answer["RiskConfiguration"]["UserPoolId"] == world.pool_id


@case
def set_risk_configuration(world):
    """07 §2"""
    ranges = {"BlockedIPRangeList": ["203.0.113.0/24"]}
    answer = yield world.client_of_pool | {"RiskExceptionConfiguration": ranges}
    assert answer["RiskConfiguration"]["RiskExceptionConfiguration"] == ranges
    shown = world.call("DescribeRiskConfiguration", **world.client_of_pool)
    assert shown["RiskConfiguration"]["RiskExceptionConfiguration"] == ranges


# Imports (08)

ROLE = "arn:aws:iam::000000000000:role/import"


def job(world) -> dict:
    """Make an import job; give the members that name it."""
    made = world.call("CreateUserImportJob", **world.pool, JobName="import", CloudWatchLogsRoleArn=ROLE)
    return world.pool | {"JobId": made["UserImportJob"]["JobId"]}


def uploaded(world, users: int = 1) -> dict:
    """Make an import job with a file that brings users."""
    named = job(world)
    url = world.call("DescribeUserImportJob", **named)["UserImportJob"]["PreSignedUrl"]
    header = world.call("GetCSVHeader", **world.pool)["CSVHeader"]
    row = {"email_verified": "TRUE", "cognito:mfa_enabled": "FALSE", "phone_number_verified": "FALSE"}
    lines = [",".join(header)]
    for number in range(users):
        name = f"imported-{number}"
        row |= {"cognito:username": name, "email": f"{name}@matrix.example"}
        lines.append(",".join(row.get(column, "") for column in header))
    file = "\n".join(lines) + "\n"
    sent = httpx.put(url, content=file, headers={"x-amz-server-side-encryption": "aws:kms"}, timeout=30)
    assert sent.status_code == 200, sent.text
    return named


def started(world, users: int = 1) -> dict:
    """Make an import job and start it, once none is active: the installation has one at a time."""
    named = uploaded(world, users)
    deadline = time.monotonic() + 30
    while world.refused("StartUserImportJob", **named):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return named


def ended(world, named: dict) -> str:
    """Wait for an import job to end; give its status."""
    deadline = time.monotonic() + 30
    while (status := world.call("DescribeUserImportJob", **named)["UserImportJob"]["Status"]) in ACTIVE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return status


ACTIVE = {"Pending", "InProgress", "Stopping"}
# So many take longer than the next call.
MANY = 3000


@case
def get_csv_header(world):
    """08 §3"""
    answer = yield world.pool
    assert answer["UserPoolId"] == world.pool_id
    assert {"cognito:username", "cognito:mfa_enabled", "email_verified"} <= set(answer["CSVHeader"])


@case
def create_user_import_job(world):
    """08 §1"""
    answer = yield world.pool | {"JobName": "import", "CloudWatchLogsRoleArn": ROLE}
    made = answer["UserImportJob"]
    assert made["Status"] == "Created"
    shown = world.call("DescribeUserImportJob", **world.pool, JobId=made["JobId"])["UserImportJob"]
    assert (shown["JobId"], shown["JobName"], shown["ImportedUsers"]) == (made["JobId"], "import", 0)


@case
def describe_user_import_job(world):
    """08 §1"""
    named = job(world)
    answer = yield named
    assert answer["UserImportJob"]["JobId"] == named["JobId"]


@case
def list_user_import_jobs(world):
    """08 §1: newest first."""
    made = []
    for _ in range(2):
        made.append(job(world)["JobId"])
        world.server.clock.advance(2)
    answer = yield world.pool | {"MaxResults": 10}
    assert [it["JobId"] for it in answer["UserImportJobs"]] == made[::-1]


@case
def start_user_import_job(world):
    """08 §1"""
    ended(world, started(world))
    named = uploaded(world, users=2)
    answer = yield named
    assert answer["UserImportJob"]["Status"] in {"Pending", "InProgress", "Succeeded"}
    assert "StartDate" in answer["UserImportJob"]
    # The name of one user was imported before.
    assert ended(world, named) == "Succeeded"
    assert world.shown("imported-1")["UserStatus"] == "RESET_REQUIRED"


@case
def stop_user_import_job(world):
    """08 §1–2"""
    named = started(world, MANY)
    answer = yield named
    assert answer["UserImportJob"]["Status"] in {"Stopping", "Stopped"}
    assert ended(world, named) == "Stopped"
