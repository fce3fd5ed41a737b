"""What pools deliver as logs: the settings, and the shapes of records (spec/api/07 §7)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from poolhouse.core.auth_events import AuthEvent
from poolhouse.core.message import Message
from poolhouse.core.messages import mask
from poolhouse.core.tiers import PLUS, tier_of
from poolhouse.core.user import User
from poolhouse.model import (
    EventSourceName,
    FeatureUnavailableInTierException,
    InvalidParameterException,
    LogConfigurationType,
    LogDeliveryConfigurationType,
    LogLevel,
    RiskDecisionType,
    UserPoolType,
)

# Records that nobody takes are dropped after so many milliseconds.
KEPT = 7 * 86_400_000
_LEVELS = {EventSourceName.userNotification: LogLevel.ERROR, EventSourceName.userAuthEvents: LogLevel.INFO}
# How records spell decisions.
_DECISIONS = {
    RiskDecisionType.NoRisk: "PASS",
    RiskDecisionType.AccountTakeover: "ACCOUNT_TAKEOVER",
    RiskDecisionType.Block: "BLOCK",
}


def check_configurations(settings: UserPoolType, given: Sequence[LogConfigurationType]) -> None:
    """Check what a pool of these settings is asked to deliver.

    Raises InvalidParameterException, FeatureUnavailableInTierException.
    """
    sources = [each.event_source for each in given]
    if len(set(sources)) < len(sources):
        raise InvalidParameterException("Each EventSource can be configured only once.")
    for each in given:
        _check_configuration(each)
    tier = tier_of(settings)
    if EventSourceName.userAuthEvents in sources and tier is not PLUS:
        raise FeatureUnavailableInTierException(
            f"The following features need to be disabled for the {tier} tier configured: Log Delivery of userAuthEvents"
        )


def find_destination(configuration: LogDeliveryConfigurationType | None, source: EventSourceName) -> str | None:
    """Return the ARN that a pool's records of a source go to, None where they go nowhere."""
    for each in configuration.log_configurations if configuration else ():
        if each.event_source is source:
            return next(iter(_arns(each)), None)
    return None


def activity_record(event: AuthEvent, user: User, now: int) -> dict[str, Any]:
    """Return the record of an auth event, in the documented example's shape; null is what nobody looked at."""
    feedback = event.feedback
    message = {
        "version": "1",
        "eventId": event.id,
        "eventType": event.type,
        "userSub": user.sub,
        "userName": user.username,
        "userPoolId": event.pool_id,
        "clientId": event.client_id,
        "creationDate": _date(event.at),
        "eventResponse": event.response,
        "riskLevel": event.assessment.level or "",
        "riskDecision": _DECISIONS[event.assessment.decision],
        "challenges": [f"{name}:{outcome}" for name, outcome in event.challenges],
        "deviceName": event.device,
        "ipAddress": event.address,
        "requestId": event.request_id,
        "idpName": event.provider,
        "compromisedCredentialDetected": event.assessment.compromised,
        "city": event.city or None,
        "country": event.country or None,
        "eventFeedbackValue": feedback.value if feedback else "",
        "eventFeedbackDate": _date(feedback.at) if feedback else "",
        "eventFeedbackProvider": feedback.provider if feedback else "",
        "hasContextData": "true" if event.address else "false",
    }
    return _record("USER_ACTIVITY", LogLevel.INFO, event.pool_id, message, now)


def undelivered_record(message: Message, now: int) -> dict[str, Any]:
    """Return the record of a mail or text message that did not arrive; its address is masked."""
    details = f"{message.channel} message {message.template} to {mask(message.to)} could not be delivered."
    return _record("USER_NOTIFICATION", LogLevel.ERROR, message.user_pool_id, {"details": details}, now)


def _record(source: str, level: LogLevel, pool_id: str, message: dict[str, Any], now: int) -> dict[str, Any]:
    return {
        "eventTimestamp": str(now),
        "eventSource": source,
        "logLevel": level,
        "message": message,
        "logSourceId": {"userPoolId": pool_id},
    }


def _date(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")


def _check_configuration(given: LogConfigurationType) -> None:
    source, level = given.event_source, _LEVELS[given.event_source]
    if given.log_level is not level:
        raise InvalidParameterException(f"LogLevel must be {level} for EventSource {source}.")
    named = (given.cloud_watch_logs_configuration, given.s3_configuration, given.firehose_configuration)
    chosen = [each for each in named if each is not None]
    if source is EventSourceName.userNotification and chosen != [given.cloud_watch_logs_configuration]:
        raise InvalidParameterException(f"EventSource {source} needs a CloudWatchLogsConfiguration and no other.")
    if len(chosen) != 1:
        raise InvalidParameterException(
            f"EventSource {source} needs exactly one of CloudWatchLogsConfiguration, S3Configuration and "
            "FirehoseConfiguration."
        )
    arns = _arns(given)
    if not arns:
        raise InvalidParameterException(f"The destination of EventSource {source} has no ARN.")
    _check_service(given, arns[0])


def _check_service(given: LogConfigurationType, arn: str) -> None:
    """Check that an ARN is one of the kind of destination that it is given for."""
    service, resource = arn.split(":", 5)[2::3]
    if given.cloud_watch_logs_configuration is not None:
        right, kind = service == "logs" and resource.startswith("log-group:"), "a CloudWatch Logs log group"
    elif given.firehose_configuration is not None:
        right, kind = service == "firehose" and resource.startswith("deliverystream/"), "a Data Firehose stream"
    else:
        right, kind = service == "s3", "an S3 bucket"
    if not right:
        raise InvalidParameterException(f"The ARN of the destination is not that of {kind}.")


def _arns(given: LogConfigurationType) -> list[str]:
    logs, bucket, stream = given.cloud_watch_logs_configuration, given.s3_configuration, given.firehose_configuration
    arns = (
        logs.log_group_arn if logs else None,
        bucket.bucket_arn if bucket else None,
        stream.stream_arn if stream else None,
    )
    return [arn for arn in arns if arn is not None]
