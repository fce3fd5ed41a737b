"""The settings of an installation: flags over environment over one TOML file over defaults.

Each environment name is ``POOLHOUSE_`` and the field in capitals; ``…_FILE`` names a file that holds the value.
An unknown name is an error, so that a misspelt setting is not silently without effect.
"""

import difflib
import os
import pathlib
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta, Struct

PREFIX = "POOLHOUSE_"
SECRETS = frozenset({"root_secret_access_key", "master_key", "operator_password", "smtp_url", "sms_url", "database"})
# Where to find the file itself; not a setting of the file.
CONFIG = "CONFIG"


class SettingsError(Exception):
    """A setting that cannot be used; the text is for the operator."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set. Defaults start a private server on this machine."""

    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on (7665 spells POOL).")] = 7665
    database: Annotated[str, Meta(description="`sqlite:///path` or `postgresql://…`.")] = (
        "sqlite:///.poolhouse/poolhouse.db"
    )
    public_url: Annotated[
        str | None, Meta(description="Base of every URL and issuer handed out. Default: `http://localhost:<port>`.")
    ] = None
    region: Annotated[
        str, Meta(pattern=r"\A[a-z0-9-]{5,32}\Z", description="Region where a request's credential scope names none.")
    ] = "us-east-1"
    account_id: Annotated[str, Meta(pattern=r"\A[0-9]{12}\Z", description="Account number that appears in ARNs.")] = (
        "000000000000"
    )
    root_access_key_id: Annotated[
        str | None, Meta(description="First access key of the JSON API. Default: made at first start.")
    ] = None
    root_secret_access_key: Annotated[str | None, Meta(description="Its secret.")] = None
    master_key: Annotated[
        str | None,
        Meta(
            description="Seals keys and secrets at rest: 64 hexadecimal digits. "
            "Default: made at first start in the file `master.key` beside the database."
        ),
    ] = None
    operator_email: Annotated[
        str | None, Meta(description="The console's first operator. Default: a one-time set-up link is printed.")
    ] = None
    operator_password: Annotated[str | None, Meta(description="That operator's password.")] = None
    smtp_url: Annotated[
        str | None,
        Meta(description="`smtp://user:password@host:587` or `smtps://…`. Default: mail stays in the outbox."),
    ] = None
    mail_from: Annotated[str, Meta(description="Sender of mail where a pool names none.")] = "no-reply@localhost"
    sms_url: Annotated[
        str | None, Meta(description="HTTP gateway for text messages. Default: they stay in the outbox.")
    ] = None
    issuer: Annotated[
        str,
        Meta(
            description="The `iss` of tokens and discovery, a template of `{public_url}`, `{region}` and `{pool_id}`; "
            "`aws` stands for Cognito's own issuer URL."
        ),
    ] = "{public_url}/{pool_id}"
    auth_domain: Annotated[
        str | None, Meta(description="Parent host of prefix domains: `https://<prefix>.<auth domain>`.")
    ] = None
    trusted_proxies: Annotated[
        list[str], Meta(description="Peers (addresses or networks, comma-separated) whose forwarding headers count.")
    ] = []
    tls_cert: Annotated[str | None, Meta(description="Certificate file; with `tls_key` the server speaks HTTPS.")] = (
        None
    )
    tls_key: Annotated[str | None, Meta(description="Private key file of the certificate.")] = None
    workers: Annotated[int, Meta(ge=1, le=64, description="Worker processes, at most one per core.")] = 1
    database_connections: Annotated[
        int, Meta(ge=1, le=1000, description="PostgreSQL connections per worker, at most.")
    ] = 8
    password_threads: Annotated[int, Meta(ge=1, le=64, description="Threads that hash passwords, per worker.")] = 2
    argon2_memory_kib: Annotated[int, Meta(ge=8, description="Argon2id memory cost, in KiB.")] = 19456
    argon2_time: Annotated[int, Meta(ge=1, description="Argon2id time cost, in passes.")] = 2
    log_level: Annotated[
        str, Meta(pattern=r"\A(debug|info|warning|error)\Z", description="`debug`, `info`, `warning` or `error`.")
    ] = "info"
    strict: Annotated[bool, Meta(description="Leave out every addition that Cognito does not show.")] = False

    @property
    def base_url(self) -> str:
        """The public URL without a final slash."""
        scheme = "https" if self.tls_cert else "http"
        return (self.public_url or f"{scheme}://localhost:{self.port}").rstrip("/")

    @property
    def data_directory(self) -> pathlib.Path:
        """Where files beside the database go."""
        path = self.database.removeprefix("sqlite:///")
        if path in {self.database, ":memory:"}:
            return pathlib.Path(".poolhouse")
        return pathlib.Path(path).parent


def load(
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] = os.environ,
    file: str | None = None,
) -> Settings:
    """Gather the settings. ``flags`` holds fields by name, None meaning not given.

    Raises SettingsError.
    """
    file = file or environment.get(PREFIX + CONFIG)
    values: dict[str, Any] = _from_file(pathlib.Path(file)) if file else {}
    values |= _from_environment(environment)
    values |= {name: value for name, value in (flags or {}).items() if value is not None}
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"Bad setting: {error}") from None
    _check(settings)
    return settings


def describe() -> list[tuple[str, str, str]]:
    """Return (environment name, default, meaning) of each setting, for ``docs/reference/settings.md``."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(Settings):
        meta = hints[field.name].__metadata__[0]
        default = "" if field.default is None or field.default is msgspec.NODEFAULT else field.default
        rows.append(
            (PREFIX + field.name.upper(), str(default).lower() if default is False else str(default), meta.description)
        )
    return rows


def _from_file(path: pathlib.Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsError(f"Cannot read the settings file {path}: {error.strerror}.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {path} is not TOML: {error}.") from None
    for name in values:
        _check_name(name, name)
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, value in environment.items():
        name = variable.removeprefix(PREFIX)
        if name in {variable, CONFIG}:
            continue
        if name.endswith("_FILE"):
            name = name.removesuffix("_FILE")
            value = _from_secret_file(variable, value)
        field = name.lower()
        _check_name(field, variable)
        values[field] = (
            [part.strip() for part in value.split(",") if part.strip()] if field == "trusted_proxies" else value
        )
    return values


def _from_secret_file(variable: str, path: str) -> str:
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError as error:
        raise SettingsError(f"{variable}: cannot read {path}: {error.strerror}.") from None


def _check_name(field: str, spelled: str) -> None:
    known = Settings.__struct_fields__
    if field in known:
        return
    close = difflib.get_close_matches(field, known, n=1)
    hint = f" Did you mean {PREFIX}{close[0].upper()}?" if close else ""
    raise SettingsError(f"Unknown setting {spelled}.{hint}")


def _check(settings: Settings) -> None:
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise SettingsError("POOLHOUSE_TLS_CERT and POOLHOUSE_TLS_KEY go together.")
    if bool(settings.root_access_key_id) != bool(settings.root_secret_access_key):
        raise SettingsError("POOLHOUSE_ROOT_ACCESS_KEY_ID and POOLHOUSE_ROOT_SECRET_ACCESS_KEY go together.")
    if bool(settings.operator_email) != bool(settings.operator_password):
        raise SettingsError("POOLHOUSE_OPERATOR_EMAIL and POOLHOUSE_OPERATOR_PASSWORD go together.")
    if settings.issuer != "aws" and "{pool_id}" not in settings.issuer:
        raise SettingsError("POOLHOUSE_ISSUER must contain {pool_id}, so that each pool has its own issuer.")
    if settings.workers > 1 and settings.database.endswith(":memory:"):
        raise SettingsError("An in-memory database serves one worker only.")
