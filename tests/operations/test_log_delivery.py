"""What pools deliver as logs, and that it arrives (spec/api/07 §7)."""

import asyncio
import json
from datetime import UTC

import pytest
from msgspec.structs import replace

from poolhouse.delivery.logs import LogRoutes
from poolhouse.flows.log_delivery import LogDelivery, report_undelivered
from tests.operations.refusals import refused, unchecked
from tests.operations.talk import sign_in, sign_in_refusal
from tests.storage.builders import message

SET, GET = "SetLogDeliveryConfiguration", "GetLogDeliveryConfiguration"
PLUS = {"UserPoolTier": "PLUS"}
PROTECTED = PLUS | {"UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"}}
GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:/pools/{}"
LOGS = {"CloudWatchLogsConfiguration": {"LogGroupArn": GROUP.format("a")}}
BUCKET = {"S3Configuration": {"BucketArn": "arn:aws:s3:::bucket"}}
STREAM = {"FirehoseConfiguration": {"StreamArn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/s"}}
MAIL = {"EventSource": "userNotification", "LogLevel": "ERROR"}
EVENTS = {"EventSource": "userAuthEvents", "LogLevel": "INFO"}


def test_untouched_pool(call, pool):
    """It delivers nothing."""
    pool_id = pool()
    nothing = {"UserPoolId": pool_id, "LogConfigurations": []}
    assert call(GET, UserPoolId=pool_id)["LogDeliveryConfiguration"] == nothing


@pytest.mark.parametrize("where", [LOGS, BUCKET, STREAM])
def test_what_is_set_is_shown(call, pool, where):
    """The whole is replaced; an empty list ends all delivery."""
    pool_id = pool(**PLUS)
    for given in ([MAIL | LOGS, EVENTS | where], [EVENTS | where], [MAIL | LOGS], []):
        made = call(SET, UserPoolId=pool_id, LogConfigurations=given)["LogDeliveryConfiguration"]
        assert made == {"UserPoolId": pool_id, "LogConfigurations": given}
        assert call(GET, UserPoolId=pool_id)["LogDeliveryConfiguration"] == made


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([MAIL | LOGS, MAIL | LOGS], "Each EventSource can be configured only once."),
        ([MAIL | LOGS, EVENTS | LOGS, EVENTS | LOGS], "Member must have length less than or equal to 2"),
        ([MAIL | LOGS | {"LogLevel": "INFO"}], "LogLevel must be ERROR for EventSource userNotification."),
        ([EVENTS | LOGS | {"LogLevel": "ERROR"}], "LogLevel must be INFO for EventSource userAuthEvents."),
        ([MAIL], "EventSource userNotification needs a CloudWatchLogsConfiguration and no other."),
        ([MAIL | BUCKET], "EventSource userNotification needs a CloudWatchLogsConfiguration and no other."),
        ([MAIL | LOGS | STREAM], "EventSource userNotification needs a CloudWatchLogsConfiguration and no other."),
        ([EVENTS], "EventSource userAuthEvents needs exactly one of"),
        ([EVENTS | BUCKET | STREAM], "EventSource userAuthEvents needs exactly one of"),
        ([MAIL | {"CloudWatchLogsConfiguration": {}}], "The destination of EventSource userNotification has no ARN."),
        (
            [MAIL | {"CloudWatchLogsConfiguration": {"LogGroupArn": GROUP.format("a").replace("logs", "sns")}}],
            "The ARN of the destination is not that of a CloudWatch Logs log group.",
        ),
        (
            [EVENTS | {"FirehoseConfiguration": {"StreamArn": GROUP.format("a")}}],
            "The ARN of the destination is not that of a Data Firehose stream.",
        ),
        (
            [EVENTS | {"S3Configuration": {"BucketArn": "arn:aws:sns:::bucket"}}],
            "The ARN of the destination is not that of an S3 bucket.",
        ),
        ([MAIL | {"CloudWatchLogsConfiguration": {"LogGroupArn": "x" * 20}}], "Member must satisfy regular expression"),
        ([EVENTS | LOGS | {"EventSource": "all"}], "Member must satisfy enum value set"),
    ],
)
def test_constraints(server, call, pool, given, text):
    """Every refusal is an InvalidParameterException and changes nothing."""
    pool_id = pool(**PLUS)
    refusal = refused(unchecked(server), "InvalidParameterException", SET, UserPoolId=pool_id, LogConfigurations=given)
    assert text in refusal
    assert call(GET, UserPoolId=pool_id)["LogDeliveryConfiguration"]["LogConfigurations"] == []


def test_tiers_and_pools(call, pool):
    """Auth events need the Plus plan, messages none; both need a pool."""
    pool_id = pool()
    call(SET, UserPoolId=pool_id, LogConfigurations=[MAIL | LOGS])
    given = {"UserPoolId": pool_id, "LogConfigurations": [EVENTS | LOGS]}
    refused(call, "FeatureUnavailableInTierException", SET, **given)
    refused(call, "ResourceNotFoundException", SET, UserPoolId="us-east-1_nowhere", LogConfigurations=[])
    refused(call, "ResourceNotFoundException", GET, UserPoolId="us-east-1_nowhere")


@pytest.fixture
def delivered(server, tmp_path):
    """Deliver what is due for an ARN, as the background work does; give all that has arrived there so far."""
    file = tmp_path / "logs.jsonl"

    def deliver(arn):
        delivery = LogDelivery(server.store, server.deps.clock, LogRoutes({arn: f"file:{file}", "*": "none"}))
        while server.run(delivery.deliver_due()):
            pass
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    return deliver


@pytest.fixture
def by_hand(server, monkeypatch):
    """Keep the server's own background work from delivering."""

    async def nothing():
        return 0

    monkeypatch.setattr(server.app._logs, "deliver_due", nothing)


def waiting(server):
    sql = "SELECT COUNT(*) FROM log_records"
    return server.read(lambda tx: tx.log_records._sql.row(sql))[0]


def test_auth_events_arrive(by_hand, server, call, pool, app, user, delivered):
    """In the documented example's shape, feedback too; nothing is left in the database."""
    pool_id = pool(**PROTECTED)
    client, name = app(pool_id), user(pool_id, "ann")
    arn = GROUP.format(pool_id)
    where = {"CloudWatchLogsConfiguration": {"LogGroupArn": arn}}
    call(SET, UserPoolId=pool_id, LogConfigurations=[EVENTS | where])
    sign_in(call, client, name)
    [record] = delivered(arn)
    [event] = call("AdminListUserAuthEvents", UserPoolId=pool_id, Username=name)["AuthEvents"]
    [sub] = [
        each["Value"]
        for each in call("AdminGetUser", UserPoolId=pool_id, Username=name)["UserAttributes"]
        if each["Name"] == "sub"
    ]
    assert abs(int(record.pop("eventTimestamp")) - server.clock.now()) < 60_000
    message = record.pop("message")
    assert record == {
        "eventSource": "USER_ACTIVITY",
        "logLevel": "INFO",
        "logSourceId": {"userPoolId": pool_id},
    }
    assert message.pop("requestId")
    assert message == {
        "version": "1",
        "eventId": event["EventId"],
        "eventType": "SignIn",
        "userSub": sub,
        "userName": "ann",
        "userPoolId": pool_id,
        "clientId": client["ClientId"],
        "creationDate": event["CreationDate"].astimezone(UTC).strftime("%a %b %d %H:%M:%S UTC %Y"),
        "eventResponse": "Pass",
        "riskLevel": "",
        "riskDecision": "PASS",
        "challenges": ["Password:Success"],
        "deviceName": event["EventContextData"]["DeviceName"],
        "ipAddress": "127.0.0.1",
        "idpName": "",
        "compromisedCredentialDetected": False,
        "city": None,
        "country": None,
        "eventFeedbackValue": "",
        "eventFeedbackDate": "",
        "eventFeedbackProvider": "",
        "hasContextData": "true",
    }
    ids = {"UserPoolId": pool_id, "Username": name, "EventId": event["EventId"]}
    call("AdminUpdateAuthEventFeedback", **ids, FeedbackValue="Invalid")
    sign_in_refusal(call, client, name, "wrong")
    _, judged, failed = delivered(arn)
    assert judged["message"]["eventFeedbackValue"] == "Invalid"
    assert judged["message"]["eventFeedbackProvider"] == "Admin"
    assert (failed["message"]["eventResponse"], failed["message"]["challenges"]) == ("Fail", ["Password:Failure"])
    assert waiting(server) == 0


def test_messages_that_did_not_arrive(by_hand, server, pool, call, delivered):
    """Told with a masked address and without a code, where the pool has that delivered."""
    pool_id = pool()
    arn = GROUP.format(pool_id)
    lost = replace(message("1"), user_pool_id=pool_id)
    server.run(report_undelivered(server.store, server.deps.clock, lost))
    assert waiting(server) == 0
    where = {"CloudWatchLogsConfiguration": {"LogGroupArn": arn}}
    call(SET, UserPoolId=pool_id, LogConfigurations=[MAIL | where])
    server.run(report_undelivered(server.store, server.deps.clock, lost))
    [record] = delivered(arn)
    assert record.pop("eventTimestamp")
    assert record == {
        "eventSource": "USER_NOTIFICATION",
        "logLevel": "ERROR",
        "message": {"details": f"EMAIL message {lost.template} to a***@e*** could not be delivered."},
        "logSourceId": {"userPoolId": pool_id},
    }


def test_nothing_waits_where_nothing_is_delivered(by_hand, server, call, pool, app, user):
    """Events of a pool without log delivery leave no records, nor those of one that has ended it."""
    pool_id = pool(**PROTECTED)
    client, name = app(pool_id), user(pool_id)
    sign_in(call, client, name)
    call(SET, UserPoolId=pool_id, LogConfigurations=[EVENTS | LOGS])
    call(SET, UserPoolId=pool_id, LogConfigurations=[])
    sign_in(call, client, name)
    assert waiting(server) == 0


def test_the_server_delivers_by_itself(server, call, pool, app, user, capsys):
    """Without a setting, to standard output."""
    pool_id = pool(**PROTECTED)
    client, name = app(pool_id), user(pool_id)
    call(SET, UserPoolId=pool_id, LogConfigurations=[EVENTS | LOGS])
    sign_in(call, client, name)

    async def settled():
        for _ in range(100):
            if not await server.store.read(lambda tx: tx.log_records.due(2**62, 1)):
                return
            await asyncio.sleep(0.05)

    server.run(settled())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"]["userName"] for line in lines if line["logSourceId"]["userPoolId"] == pool_id] == [name]
