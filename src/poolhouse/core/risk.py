"""Risk configurations: what they may say, and which addresses they bar (spec/api/07 §2, §3)."""

from collections.abc import Iterable
from ipaddress import IPv6Network, ip_network

from msgspec.structs import replace

from poolhouse.core.addresses import read_address
from poolhouse.core.pool import Pool
from poolhouse.core.pool_checks import check_mailbox
from poolhouse.core.replica import RiskSender
from poolhouse.model import (
    AccountTakeoverActionsType,
    AccountTakeoverActionType,
    AccountTakeoverEventActionType,
    AccountTakeoverRiskConfigurationType,
    CompromisedCredentialsEventActionType,
    CompromisedCredentialsRiskConfigurationType,
    EventFilterType,
    InvalidParameterException,
    NotifyConfigurationType,
    RiskConfigurationType,
    RiskExceptionConfigurationType,
    RiskLevelType,
    SetRiskConfigurationRequest,
)

# What a configuration says of compromised credentials that names no events.
ALL_EVENTS = [EventFilterType.SIGN_IN, EventFilterType.PASSWORD_CHANGE, EventFilterType.SIGN_UP]
_NO_ACTION = AccountTakeoverActionType(notify=False, event_action=AccountTakeoverEventActionType.NO_ACTION)
_BLOCK = AccountTakeoverActionType(notify=False, event_action=AccountTakeoverEventActionType.BLOCK)


def new_configuration(request: SetRiskConfigurationRequest) -> RiskConfigurationType | None:
    """Return the configuration that a request asks for, None where it asks for the defaults.

    Raises InvalidParameterException.
    """
    credentials, takeover = (
        request.compromised_credentials_risk_configuration,
        request.account_takeover_risk_configuration,
    )
    exceptions = request.risk_exception_configuration
    if credentials is None and takeover is None and exceptions is None:
        return None
    if takeover is not None:
        _check_takeover(takeover)
    if exceptions is not None:
        _check_exceptions(exceptions)
    return RiskConfigurationType(
        user_pool_id=request.user_pool_id,
        client_id=request.client_id,
        compromised_credentials_risk_configuration=credentials and _completed(credentials),
        account_takeover_risk_configuration=takeover,
        risk_exception_configuration=exceptions,
    )


def seen_through(
    configuration: RiskConfigurationType | None, sender: RiskSender | None
) -> RiskConfigurationType | None:
    """Return a configuration as it is in a Region with a sender of its own for the mail about risks (spec/api/10 §3)."""
    if configuration is None or sender is None or find_sender(configuration) is None:
        return configuration
    return _with_sender(configuration, sender)


def find_sender(configuration: RiskConfigurationType | None) -> RiskSender | None:
    """Return who sends the mail about risks, None where nobody does."""
    takeover = configuration and configuration.account_takeover_risk_configuration
    notify = takeover and takeover.notify_configuration
    return RiskSender(notify.source_arn, notify.from_) if notify else None


def check_only_sender(kept: RiskConfigurationType | None, made: RiskConfigurationType | None) -> RiskSender:
    """Return the sender that a request through a replica asks for; all the rest must be as it is.

    Raises InvalidParameterException (API reference of SetRiskConfiguration).
    """
    before, after = find_sender(kept), find_sender(made)
    if kept is not None and made is not None and before is not None and after is not None:
        wanted = replace(_with_sender(made, before), last_modified_date=kept.last_modified_date)
        if wanted == kept:
            return after
    raise InvalidParameterException(
        "In a secondary Region only SourceArn and From of the NotifyConfiguration can be changed; "
        "all other settings must match the existing ones."
    )


def _with_sender(configuration: RiskConfigurationType, sender: RiskSender) -> RiskConfigurationType:
    takeover = configuration.account_takeover_risk_configuration
    assert takeover is not None
    assert takeover.notify_configuration is not None
    notify = replace(takeover.notify_configuration, source_arn=sender.source_arn, from_=sender.from_)
    return replace(configuration, account_takeover_risk_configuration=replace(takeover, notify_configuration=notify))


def is_blocked(configuration: RiskConfigurationType | None, address: str) -> bool:
    """Whether sign-ins from an address are barred, whatever their risk, and whatever other list it is on."""
    exceptions = configuration and configuration.risk_exception_configuration
    return _is_within((exceptions and exceptions.blocked_ip_range_list) or (), address)


def is_skipped(configuration: RiskConfigurationType | None, address: str) -> bool:
    """Whether nothing assesses what is done from an address."""
    exceptions = configuration and configuration.risk_exception_configuration
    return _is_within((exceptions and exceptions.skipped_ip_range_list) or (), address)


def find_action(configuration: RiskConfigurationType | None, level: RiskLevelType) -> AccountTakeoverActionType:
    """Return what is to be done about sign-ins of a level of risk.

    Where nothing is set at all, every level is blocked, as by Cognito's own defaults (spec/api/07 §2); of what is set,
    a level that is left out is let pass.
    """
    if configuration is None:
        return _BLOCK
    takeover = configuration.account_takeover_risk_configuration
    actions = takeover.actions if takeover else AccountTakeoverActionsType()
    chosen = {
        RiskLevelType.Low: actions.low_action,
        RiskLevelType.Medium: actions.medium_action,
        RiskLevelType.High: actions.high_action,
    }[level]
    return chosen or _NO_ACTION


def is_password_barred(configuration: RiskConfigurationType | None, event: EventFilterType) -> bool:
    """Whether compromised passwords are refused at an event; everywhere, where nothing is set at all."""
    if configuration is None:
        return True
    credentials = configuration.compromised_credentials_risk_configuration
    if credentials is None or credentials.actions.event_action is CompromisedCredentialsEventActionType.NO_ACTION:
        return False
    return event in (credentials.event_filter or ALL_EVENTS)


def find_notice(pool: Pool, configuration: RiskConfigurationType | None) -> NotifyConfigurationType | None:
    """Return the words and senders of mail about risks in the Region that a pool is seen in, None without any."""
    if configuration is not None and pool.seat is not None:
        configuration = seen_through(configuration, pool.seat.risk_senders.get(configuration.client_id or ""))
    takeover = configuration.account_takeover_risk_configuration if configuration else None
    return takeover.notify_configuration if takeover else None


def _is_within(ranges: Iterable[str], address: str) -> bool:
    found = read_address(address) if ranges else None
    return found is not None and any(found in ip_network(each, strict=False) for each in ranges)


def _completed(
    credentials: CompromisedCredentialsRiskConfigurationType,
) -> CompromisedCredentialsRiskConfigurationType:
    return replace(credentials, event_filter=list(dict.fromkeys(credentials.event_filter or ALL_EVENTS)))


def _check_takeover(takeover: AccountTakeoverRiskConfigurationType) -> None:
    actions = (takeover.actions.low_action, takeover.actions.medium_action, takeover.actions.high_action)
    notify = takeover.notify_configuration
    if notify is not None:
        check_mailbox("From", notify.from_)
        check_mailbox("ReplyTo", notify.reply_to)
    if notify is None and any(action.notify for action in actions if action is not None):
        raise InvalidParameterException("NotifyConfiguration is required when an action has Notify set to true.")


def _check_exceptions(exceptions: RiskExceptionConfigurationType) -> None:
    _check_ranges("BlockedIPRangeList", exceptions.blocked_ip_range_list or ())
    _check_ranges("SkippedIPRangeList", exceptions.skipped_ip_range_list or ())


def _check_ranges(name: str, ranges: Iterable[str]) -> None:
    for given in ranges:
        _, slash, length = given.partition("/")
        try:
            network = ip_network(given, strict=False)
        except ValueError:
            network = None
        scoped = isinstance(network, IPv6Network) and "%" in given
        if network is None or scoped or not slash or not (length.isascii() and length.isdigit()):
            raise InvalidParameterException(f"{name} must contain IP address ranges in CIDR notation.")
