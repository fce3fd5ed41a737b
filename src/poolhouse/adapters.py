"""Adapters as the settings want them: what a setting names and cannot be used is told by the setting's name."""

import pathlib
from collections.abc import Callable

from poolhouse.core.aws_signature import Credentials
from poolhouse.crypto.sender_keys import BadSenderKeys, SenderKeys
from poolhouse.datafiles.breached import BadList, BreachedPasswords, check_list
from poolhouse.datafiles.places import NoPlaces, Places
from poolhouse.delivery import Courier, Report
from poolhouse.delivery.failure import BadSetting
from poolhouse.delivery.logs import LogRoutes
from poolhouse.delivery.outbox import Keep
from poolhouse.settings import Settings, SettingsError
from poolhouse.triggers import Triggers
from poolhouse.triggers.aws_lambda import ANYBODY, LambdaService
from poolhouse.triggers.failure import BadMapping
from poolhouse.triggers.routes import Routes


def open_breached(settings: Settings) -> BreachedPasswords:
    """Open the list of breached passwords: the operator's, or the short one that comes along; raises SettingsError."""
    if settings.breached_passwords is None:
        return BreachedPasswords()
    path = pathlib.Path(settings.breached_passwords)
    try:
        check_list(path)
    except OSError as error:
        raise SettingsError(f"POOLHOUSE_BREACHED_PASSWORDS: cannot read {path}: {error.strerror}.") from None
    except BadList as error:
        raise SettingsError(f"POOLHOUSE_BREACHED_PASSWORDS: {path} cannot be used: {error}.") from None
    return BreachedPasswords(path)


def open_places(settings: Settings) -> Places:
    """Open the file of places of addresses, if there is one; raises SettingsError."""
    try:
        return Places(pathlib.Path(settings.geoip) if settings.geoip else None)
    except NoPlaces as error:
        raise SettingsError(f"POOLHOUSE_GEOIP: {settings.geoip} cannot be used: {error}.") from None


def build_courier(settings: Settings, *, keep: Keep, report: Report, now: Callable[[], int]) -> Courier:
    """Return what sends messages; ``now`` is the time that others check signatures by. Raises SettingsError."""
    try:
        return Courier(
            keep,
            now=now,
            smtp_url=settings.smtp_url,
            mail_from=settings.mail_from,
            sms_url=settings.sms_url,
            report=report,
        )
    except BadSetting as error:
        raise SettingsError(str(error)) from None


def build_triggers(settings: Settings, *, now: Callable[[], int], make_id: Callable[[], str]) -> Triggers:
    """Return what invokes functions; ``now`` is the time that others check signatures by. Raises SettingsError."""
    service = None
    if settings.lambda_url:
        key_id, secret = settings.lambda_access_key_id, settings.lambda_secret_access_key
        signer = Credentials(key_id, secret, settings.lambda_session_token) if key_id and secret else ANYBODY
        service = LambdaService(url=settings.lambda_url, credentials=signer)
    try:
        routes = Routes(
            settings.functions,
            service=service,
            path=settings.functions_path,
            region=settings.region,
            now=now,
            make_id=make_id,
        )
    except BadMapping as error:
        raise SettingsError(str(error)) from None
    return Triggers(routes)


def build_sender_keys(settings: Settings) -> SenderKeys:
    """Return the keys that codes are encrypted with for custom senders; raises SettingsError."""
    try:
        return SenderKeys(settings.sender_keys, settings.kms_url)
    except BadSenderKeys as error:
        raise SettingsError(str(error)) from None


def build_log_routes(settings: Settings) -> LogRoutes:
    """Return where the logs of pools go; raises SettingsError."""
    try:
        return LogRoutes(settings.log_delivery)
    except BadSetting as error:
        raise SettingsError(str(error)) from None
