"""The settings of an installation: flags over environment over one TOML file over defaults.

Each environment name is ``POOLHOUSE_`` and the field in capitals; ``…_FILE`` names a file that holds the value.
An unknown name is an error, so that a misspelt setting is not silently without effect. An empty value counts as
none, since that is what container tools pass for a variable that is not set.
"""

import difflib
import ipaddress
import json
import os
import pathlib
import re
import string
import tomllib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from poolhouse.core.message_limits import MessageLimit, read_limit
from poolhouse.core.rates import MAXIMUM, Category

PREFIX = "POOLHOUSE_"
SECRETS = frozenset(
    {
        "root_secret_access_key", "master_key", "operator_password", "smtp_url", "sms_url", "database", "log_delivery",
        "lambda_secret_access_key", "lambda_session_token", "functions", "sender_keys",
    }
)  # fmt: skip
# Where to find the file itself; not a setting of the file.
CONFIG = "CONFIG"
# Names that are taken already; each says what it will be for.
LATER = {
    "tls": "a certificate authority for development",
}
SQLITE, MEMORY = "sqlite:///", ":memory:"
_PAIRS = (
    ("tls_cert", "tls_key"),
    ("root_access_key_id", "root_secret_access_key"),
    ("operator_email", "operator_password"),
    ("lambda_access_key_id", "lambda_secret_access_key"),
)
_FILE = "_file"
_LISTS = frozenset({"trusted_proxies", "rate_limits", "message_limits"})
_DOCUMENTS = frozenset({"log_delivery", "functions", "sender_keys"})
_ISSUER_WORDS = frozenset({"public_url", "region", "pool_id"})
# What msgspec adds to say which field it means.
_AT = re.compile(r" - at `\$\.(\w+)(?:\[.*\])?`\Z")


class SettingsError(Exception):
    """A setting that cannot be used; the text is for the operator."""


class LogCollector(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An HTTP collector of logs that needs headers of its own, for authentication say."""

    url: str
    headers: dict[str, str] = {}


class FunctionEndpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook in the place of a function; each request is signed with the secret."""

    url: str
    secret: str


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
        str | None,
        Meta(
            description="Gateway for text messages: `https://…`, `twilio://…`, `vonage://…` or `sns://…`, see "
            "[the how-to](../how-to/sms.md). Default: they stay in the outbox."
        ),
    ] = None
    lambda_url: Annotated[
        str | None,
        Meta(
            description="Where the functions of `LambdaConfig` are invoked: the Lambda API of AWS "
            "(`https://lambda.{region}.amazonaws.com`), LocalStack or SAM local. Default: nowhere."
        ),
    ] = None
    lambda_access_key_id: Annotated[
        str | None, Meta(description="Access key that signs invocations. Default: one that emulators take.")
    ] = None
    lambda_secret_access_key: Annotated[str | None, Meta(description="Its secret.")] = None
    lambda_session_token: Annotated[
        str | None, Meta(description="Session token that belongs to a temporary access key.")
    ] = None
    functions: Annotated[
        dict[str, str | FunctionEndpoint],
        Meta(
            description="Where the functions of `LambdaConfig` run: JSON of ARN patterns and `lambda`, "
            "`python:package.module:function` or a webhook, see [the how-to](../how-to/triggers.md). "
            "Default: at `POOLHOUSE_LAMBDA_URL`."
        ),
    ] = {}
    functions_path: Annotated[
        str | None, Meta(description="Directory of the modules of functions in Python, besides what is installed.")
    ] = None
    sender_keys: Annotated[
        dict[str, str],
        Meta(
            description="What encrypts the codes for custom senders: JSON of patterns of `KMSKeyID` and keys, 32 bytes "
            "to the base 64 or `kms`, see [the how-to](../how-to/custom-senders.md). Default: custom senders get no code."
        ),
    ] = {}
    kms_url: Annotated[
        str | None,
        Meta(description="Where `kms` in `sender_keys` is asked for data keys. Default: AWS, in the key's Region."),
    ] = None
    log_delivery: Annotated[
        dict[str, str | LogCollector],
        Meta(
            description="Where the logs go that pools deliver: JSON of ARN patterns and destinations, see "
            "[the how-to](../how-to/log-delivery.md). Default: standard output."
        ),
    ] = {}
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
    rate_limits: Annotated[
        list[str],
        Meta(
            description="Requests per second by category, such as `UserAuthentication=120,UserCreation=50`, in every "
            "Region where UpdateProvisionedLimit set no other. Default: no limits."
        ),
    ] = []
    failed_sign_ins_per_address: Annotated[
        int,
        Meta(
            ge=0,
            description="Wrong passwords from one public address, for whichever accounts, after which no more are "
            "looked at for the rest of an hour; 0 sets no limit.",
        ),
    ] = 300
    breached_passwords: Annotated[
        str | None,
        Meta(
            description="File of SHA-1 digests of breached passwords, sorted, as Have I Been Pwned has them; see "
            "[the how-to](../how-to/breached-passwords.md). Default: a short list that comes along."
        ),
    ] = None
    geoip: Annotated[
        str | None,
        Meta(description="MaxMind DB file of the places of addresses, for threat protection; takes the extra `geoip`."),
    ] = None
    message_limits: Annotated[
        list[str],
        Meta(
            description="Messages by channel, to one address or for one pool, such as `sms-destination=5/hour,"
            "sms-pool=1000/day,email-pool=5000/day`. Default: no limits."
        ),
    ] = []
    tls_cert: Annotated[str | None, Meta(description="Certificate file; with `tls_key` the server speaks HTTPS.")] = (
        None
    )
    tls_key: Annotated[str | None, Meta(description="Private key file of the certificate.")] = None
    seed: Annotated[
        str | None,
        Meta(description="JSON or TOML file of pools, clients and users, made at start where they are absent."),
    ] = None
    test_api: Annotated[
        bool, Meta(description="`/test/…` for test suites, on the loopback only: reset, messages, clock, failures.")
    ] = False
    workers: Annotated[int, Meta(ge=1, le=64, description="Worker processes, at most one per core.")] = 1
    database_connections: Annotated[
        int, Meta(ge=1, le=1000, description="PostgreSQL connections per worker, at most.")
    ] = 8
    password_threads: Annotated[
        int,
        Meta(ge=1, le=64, description="Threads that hash passwords, per worker: one for each of its cores at most."),
    ] = 2
    argon2_memory_kib: Annotated[int, Meta(ge=8, description="Argon2id memory cost, in KiB.")] = 19456
    argon2_time: Annotated[int, Meta(ge=1, description="Argon2id time cost, in passes.")] = 2
    batched_signatures: Annotated[
        bool,
        Meta(
            description="Sign the tokens of concurrent requests eight at a time, where the extra `batch` is installed "
            "and the processor has AVX-512 IFMA."
        ),
    ] = True
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
    def limits_by_category(self) -> dict[Category, int]:
        """The request rates of ``rate_limits``; raises SettingsError."""
        return dict(_read_limit(text) for text in self.rate_limits)

    @property
    def limits_on_messages(self) -> tuple[MessageLimit, ...]:
        """The limits of ``message_limits``; raises SettingsError."""
        return tuple(_read_message_limit(text) for text in self.message_limits)

    @property
    def sqlite_file(self) -> pathlib.Path | None:
        """The file of a SQLite database, None for any other."""
        path = self.database.removeprefix(SQLITE)
        return None if path in {self.database, MEMORY} else pathlib.Path(path)

    @property
    def data_directory(self) -> pathlib.Path:
        """Where files beside the database go."""
        return self.sqlite_file.parent if self.sqlite_file else pathlib.Path(".poolhouse")


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
        raise SettingsError(_explained(str(error))) from None
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
            (_spelled(field.name), str(default).lower() if default is False else str(default), meta.description)
        )
    return rows


def _spelled(field: str) -> str:
    return PREFIX + field.upper()


def _from_file(path: pathlib.Path) -> dict[str, Any]:
    try:
        return _fields(tomllib.loads(path.read_text("utf-8")), str)
    except OSError as error:
        raise SettingsError(f"Cannot read the settings file {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise SettingsError(f"The settings file {path} is not TOML: {error}.") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    given = {
        variable.removeprefix(PREFIX).lower(): value
        for variable, value in environment.items()
        if variable.startswith(PREFIX) and variable != PREFIX + CONFIG
    }
    return _fields(given, _spelled)


def _fields(given: Mapping[str, Any], spelled: Callable[[str], str]) -> dict[str, Any]:
    """Return values by field: names checked, files read, lists split. ``spelled`` gives a name as its author wrote it."""
    values: dict[str, Any] = {}
    for name, value in given.items():
        if value == "":
            continue
        field = name
        if name.endswith(_FILE):
            field = name.removesuffix(_FILE)
            if field in given:
                raise SettingsError(f"Both {spelled(field)} and {spelled(name)} are given; one must go.")
            value = _read_value(spelled(name), value)
        _check_name(field, spelled(name))
        values[field] = _parsed(field, value, spelled(name)) if isinstance(value, str) else value
    return values


def _parsed(field: str, text: str, spelled: str) -> Any:
    """Return the value that a text stands for."""
    if field in _LISTS:
        return _split(text)
    if field not in _DOCUMENTS:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise SettingsError(f"{spelled} is not JSON.") from None


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _read_value(name: str, path: Any) -> str:
    try:
        return pathlib.Path(str(path)).read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}: cannot read {path}: {error.strerror}.") from None
    except UnicodeError:
        raise SettingsError(f"{name}: {path} is not a text file.") from None


def _check_name(field: str, spelled: str) -> None:
    known = Settings.__struct_fields__
    if field in known:
        return
    if field in LATER:
        raise SettingsError(f"{spelled} is for {LATER[field]}, which this version of Poolhouse does not have yet.")
    close = difflib.get_close_matches(field, known, n=1, cutoff=0.65)
    hint = f" Did you mean {_spelled(close[0]) if spelled.startswith(PREFIX) else close[0]}?" if close else ""
    raise SettingsError(f"Unknown setting {spelled}.{hint}")


def _explained(refusal: str) -> str:
    """Return the sentence for msgspec's, which never quotes the value."""
    field = _AT.search(refusal)
    if field is None:
        return f"Bad setting: {refusal}."
    return f"{_spelled(field[1])}: {_AT.sub('', refusal)[:1].lower()}{_AT.sub('', refusal)[1:].replace('`', '')}."


def _check(settings: Settings) -> None:
    for pair in _PAIRS:
        if len({bool(getattr(settings, field)) for field in pair}) > 1:
            raise SettingsError(f"{_spelled(pair[0])} and {_spelled(pair[1])} go together.")
    if not settings.database.startswith((SQLITE, "postgresql://", "postgres://")):
        raise SettingsError(f"POOLHOUSE_DATABASE begins with {SQLITE} or postgresql://.")
    if settings.database == SQLITE:
        raise SettingsError(f"POOLHOUSE_DATABASE names no file: {SQLITE}path.")
    if settings.workers > 1 and settings.database == SQLITE + MEMORY:
        raise SettingsError("An in-memory database serves one worker only: leave POOLHOUSE_WORKERS at 1.")
    # It stands between slashes in the credential scope of a signature.
    if not re.fullmatch(r"\w{1,128}", settings.root_access_key_id or "none", re.ASCII):
        raise SettingsError("POOLHOUSE_ROOT_ACCESS_KEY_ID takes letters, digits and underscores, at most 128.")
    if settings.test_api:
        _check_test_api(settings)
    if settings.public_url is not None:
        _check_public_url(settings.public_url)
    _check_issuer(settings.issuer)
    _check_functions(settings)
    for limit in settings.rate_limits:
        _read_limit(limit)
    for limit in settings.message_limits:
        _read_message_limit(limit)
    for proxy in settings.trusted_proxies:
        _check_network(proxy)


def _check_test_api(settings: Settings) -> None:
    try:
        loopback = settings.host == "localhost" or ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise SettingsError("POOLHOUSE_TEST_API is for the loopback only: POOLHOUSE_HOST must be 127.0.0.1 or ::1.")
    if settings.workers > 1:
        raise SettingsError("POOLHOUSE_TEST_API needs a single worker: leave POOLHOUSE_WORKERS at 1.")


def _check_public_url(text: str) -> None:
    if not _is_base(text):
        raise SettingsError("POOLHOUSE_PUBLIC_URL must look like https://host, https://host:port or https://host/path.")


def _check_functions(settings: Settings) -> None:
    if settings.lambda_session_token and not settings.lambda_access_key_id:
        raise SettingsError("POOLHOUSE_LAMBDA_SESSION_TOKEN needs POOLHOUSE_LAMBDA_ACCESS_KEY_ID.")
    if settings.lambda_url is not None and not _is_base(settings.lambda_url.replace("{region}", "region")):
        raise SettingsError(
            "POOLHOUSE_LAMBDA_URL must look like http://host:port or https://lambda.{region}.amazonaws.com."
        )


def _is_base(text: str) -> bool:
    """Whether a text is a URL that paths can be added to."""
    try:
        url = urlsplit(text)
        usable = url.scheme in {"http", "https"} and url.hostname and url.port != 0 and not url.username
    except ValueError:
        return False
    return bool(usable) and not url.query and not url.fragment and text.isprintable() and " " not in text


def _check_issuer(template: str) -> None:
    if template == "aws":
        return
    try:
        words = {word for _, word, _, _ in string.Formatter().parse(template) if word is not None}
    except ValueError:
        words = {""}
    if not words <= _ISSUER_WORDS:
        known = ", ".join(f"{{{word}}}" for word in sorted(_ISSUER_WORDS))
        raise SettingsError(f"POOLHOUSE_ISSUER is 'aws' or a template that knows {known}.")
    if "pool_id" not in words:
        raise SettingsError("POOLHOUSE_ISSUER must contain {pool_id}, so that each pool has its own issuer.")


def _read_limit(text: str) -> tuple[Category, int]:
    name, _, number = (part.strip() for part in text.partition("="))
    if name not in set(Category):
        known = ", ".join(Category)
        raise SettingsError(f"POOLHOUSE_RATE_LIMITS: the categories are {known}.")
    if not re.fullmatch(r"[0-9]{1,6}", number, re.ASCII) or not 0 < int(number) <= MAXIMUM:
        raise SettingsError(f"POOLHOUSE_RATE_LIMITS takes <category>=<requests per second>, from 1 to {MAXIMUM}.")
    return Category(name), int(number)


def _read_message_limit(text: str) -> MessageLimit:
    try:
        return read_limit(text)
    except ValueError as error:
        raise SettingsError(f"POOLHOUSE_MESSAGE_LIMITS: {error}.") from None


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise SettingsError(f"POOLHOUSE_TRUSTED_PROXIES takes addresses and networks: {error}.") from None
