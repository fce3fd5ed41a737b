"""Settings: where they come from, which wins, and how a bad one is refused."""

import pathlib
import re

import pytest

from poolhouse.settings import LATER, SECRETS, FunctionEndpoint, LogCollector, Settings, SettingsError, describe, load

# The settings of the published interface that this version covers, by their defaults.
COVERED = {
    "POOLHOUSE_HOST": "127.0.0.1",
    "POOLHOUSE_PORT": 7665,
    "POOLHOUSE_DATABASE": "sqlite:///.poolhouse/poolhouse.db",
    "POOLHOUSE_PUBLIC_URL": None,
    "POOLHOUSE_REGION": "us-east-1",
    "POOLHOUSE_ACCOUNT_ID": "000000000000",
    "POOLHOUSE_ROOT_ACCESS_KEY_ID": None,
    "POOLHOUSE_ROOT_SECRET_ACCESS_KEY": None,
    "POOLHOUSE_MASTER_KEY": None,
    "POOLHOUSE_OPERATOR_EMAIL": None,
    "POOLHOUSE_OPERATOR_PASSWORD": None,
    "POOLHOUSE_SMTP_URL": None,
    "POOLHOUSE_MAIL_FROM": "no-reply@localhost",
    "POOLHOUSE_SMS_URL": None,
    "POOLHOUSE_LAMBDA_URL": None,
    "POOLHOUSE_ISSUER": "{public_url}/{pool_id}",
    "POOLHOUSE_TLS_CERT": None,
    "POOLHOUSE_TLS_KEY": None,
    "POOLHOUSE_SEED": None,
    "POOLHOUSE_TEST_API": False,
    "POOLHOUSE_AUTH_DOMAIN": None,
    "POOLHOUSE_TRUSTED_PROXIES": [],
    "POOLHOUSE_STRICT": False,
}


def refusal(environment: dict[str, str] | None = None, **flags: object) -> str:
    """The sentence with which the settings are refused."""
    with pytest.raises(SettingsError) as refused:
        load(flags, environment or {})
    text = str(refused.value)
    assert text.endswith((".", "?"))
    assert "\n" not in text
    return text


def of(**environment: str) -> Settings:
    """The settings that an environment gives."""
    return load({}, {f"POOLHOUSE_{name}": value for name, value in environment.items()})


@pytest.mark.parametrize("name", COVERED)
def test_every_setting_of_the_interface_has_its_default(name):
    """A published name exists, and without it the published default holds."""
    assert getattr(load({}, {}), name.removeprefix("POOLHOUSE_").lower()) == COVERED[name]
    assert name in {described for described, _, _ in describe()}


def test_every_setting_is_described():
    """Each has a meaning for the manual."""
    assert [name for name, _, meaning in describe() if not meaning.endswith((".", "`."))] == []
    assert set(Settings.__struct_fields__) >= SECRETS


def test_flags_win_over_environment_over_file_over_defaults(tmp_path: pathlib.Path):
    """Each source gives way to the one before it."""
    file = tmp_path / "poolhouse.toml"
    file.write_text('port = 1\nregion = "eu-west-1"\nhost = "file"\n')
    environment = {"POOLHOUSE_CONFIG": str(file), "POOLHOUSE_PORT": "2", "POOLHOUSE_HOST": "environment"}
    settings = load({"port": 3, "host": None}, environment)
    assert (settings.port, settings.host, settings.region) == (3, "environment", "eu-west-1")
    assert settings.account_id == "000000000000"
    assert load({}, environment).port == 2
    assert load({}, {"POOLHOUSE_CONFIG": str(file)}).port == 1
    other = tmp_path / "other.toml"
    other.write_text("port = 4\n")
    assert load({}, {"POOLHOUSE_CONFIG": str(file)}, file=str(other)).port == 4


def test_values_from_files(tmp_path: pathlib.Path):
    """A name that ends in _FILE names a file with the value, in the environment and in the file of settings."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    for field in ("master_key", "smtp_url", "sms_url"):
        assert getattr(of(**{f"{field.upper()}_FILE": str(secret)}), field) == "hunter2"
    config = tmp_path / "poolhouse.toml"
    config.write_text(f'master_key_file = "{secret}"\n')
    assert load({}, {}, file=str(config)).master_key == "hunter2"
    missing = {"POOLHOUSE_MASTER_KEY_FILE": str(tmp_path / "nothing")}
    assert refusal(missing) == (
        f"POOLHOUSE_MASTER_KEY_FILE: cannot read {tmp_path}/nothing: No such file or directory."
    )
    both = {"POOLHOUSE_MASTER_KEY": "a", "POOLHOUSE_MASTER_KEY_FILE": str(secret)}
    assert refusal(both) == "Both POOLHOUSE_MASTER_KEY and POOLHOUSE_MASTER_KEY_FILE are given; one must go."
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    binary = {"POOLHOUSE_MASTER_KEY_FILE": str(tmp_path / "bytes")}
    assert refusal(binary) == f"POOLHOUSE_MASTER_KEY_FILE: {tmp_path}/bytes is not a text file."


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("POOLHOUSE_MASTERKEY", "Unknown setting POOLHOUSE_MASTERKEY. Did you mean POOLHOUSE_MASTER_KEY?"),
        ("POOLHOUSE_OPERATOR_MAIL", "Unknown setting POOLHOUSE_OPERATOR_MAIL. Did you mean POOLHOUSE_OPERATOR_EMAIL?"),
        ("POOLHOUSE_PROT_FILE", "Unknown setting POOLHOUSE_PROT_FILE. Did you mean POOLHOUSE_PORT?"),
        ("POOLHOUSE_QQQQQQ", "Unknown setting POOLHOUSE_QQQQQQ."),
    ],
)
def test_unknown_names(given, told):
    """A misspelt setting is an error that suggests the right name."""
    path = __file__ if given.endswith("_FILE") else "x"
    assert refusal({given: path}) == told


def test_unknown_names_in_the_file(tmp_path: pathlib.Path):
    """The suggestion is spelt as the file spells it."""
    file = tmp_path / "poolhouse.toml"
    file.write_text("prot = 1\n")
    assert refusal({"POOLHOUSE_CONFIG": str(file)}) == "Unknown setting prot. Did you mean port?"
    file.write_text("[server]\nport = 1\n")
    assert refusal({"POOLHOUSE_CONFIG": str(file)}) == "Unknown setting server."


@pytest.mark.parametrize("name", LATER)
@pytest.mark.parametrize("value", ["x", "false", "dev"])
def test_settings_of_later_versions(name, value):
    """A published name whose feature is not there yet is refused as such, neither unknown nor without effect."""
    told = refusal({f"POOLHOUSE_{name.upper()}": value})
    assert re.fullmatch(
        f"POOLHOUSE_{name.upper()} is for .+, which this version of Poolhouse does not have yet.", told
    ), told


def test_covered_and_later_are_the_whole_interface():
    """The names that are refused for now are those of the interface which are not covered."""
    assert set(LATER) == {"tls"}
    assert not set(LATER) & set(Settings.__struct_fields__)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "id.example.org", "localhost.example.org"])
def test_the_test_api_is_for_the_loopback(host):
    """A server that others can reach does not start with the test API."""
    told = refusal({"POOLHOUSE_TEST_API": "true", "POOLHOUSE_HOST": host})
    assert told == "POOLHOUSE_TEST_API is for the loopback only: POOLHOUSE_HOST must be 127.0.0.1 or ::1."
    assert of(HOST=host).test_api is False


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_the_test_api_on_the_loopback(host):
    """Every address of the loopback will do."""
    assert of(TEST_API="true", HOST=host).test_api


def test_the_test_api_has_one_worker():
    """Its state is in memory, so there cannot be two of it."""
    told = refusal({"POOLHOUSE_TEST_API": "true", "POOLHOUSE_WORKERS": "2"})
    assert told == "POOLHOUSE_TEST_API needs a single worker: leave POOLHOUSE_WORKERS at 1."


def test_other_variables_do_not_matter():
    """Only names with the prefix are settings; an empty value counts as none."""
    assert load({}, {"PATH": "x", "POOL": "y", "POOLHOUSE_SMTP_URL": "", "POOLHOUSE_PORT": ""}) == Settings()


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("10.0.0.1", ["10.0.0.1"]),
        ("10.0.0.0/8, ::1 ,fd00::/8", ["10.0.0.0/8", "::1", "fd00::/8"]),
        (" , ", []),
    ],
)
def test_lists(tmp_path: pathlib.Path, text, networks):
    """A list is comma-separated in the environment; in the file that or an array."""
    assert of(TRUSTED_PROXIES=text).trusted_proxies == networks
    file = tmp_path / "poolhouse.toml"
    for spelled in (f'"{text}"', str(networks)):
        file.write_text(f"trusted_proxies = {spelled}\n")
        assert load({}, {}, file=str(file)).trusted_proxies == networks


def test_rate_limits_are_read_by_category():
    """Each pair gives a category its limit."""
    assert of(RATE_LIMITS="UserToken=120, UserRead = 7").limits_by_category == {"UserToken": 120, "UserRead": 7}


def test_message_limits_are_read():
    """Each says how many messages of a channel, counted how, and in which time."""
    (limit,) = of(MESSAGE_LIMITS="sms-destination=5/hour").limits_on_messages
    assert (limit.channel, limit.scope, limit.most, limit.window) == ("SMS", "destination", 5, 3_600_000)
    with pytest.raises(SettingsError, match="POOLHOUSE_MESSAGE_LIMITS"):
        of(MESSAGE_LIMITS="sms=5")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_booleans(text, value):
    """True and false in words or figures."""
    assert of(STRICT=text).strict is value


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "http", "POOLHOUSE_PORT: expected int, got str."),
        ("PORT", "70000", "POOLHOUSE_PORT: expected int <= 65535."),
        ("PORT", "-1", "POOLHOUSE_PORT: expected int >= 0."),
        ("WORKERS", "0", "POOLHOUSE_WORKERS: expected int >= 1."),
        ("STRICT", "perhaps", "POOLHOUSE_STRICT: expected bool, got str."),
        ("LOG_LEVEL", "loud", "POOLHOUSE_LOG_LEVEL: expected str matching regex"),
        ("ACCOUNT_ID", "12", "POOLHOUSE_ACCOUNT_ID: expected str matching regex"),
        ("REGION", "US_EAST", "POOLHOUSE_REGION: expected str matching regex"),
        ("DATABASE", "mysql://x", "POOLHOUSE_DATABASE begins with sqlite:/// or postgresql://."),
        ("DATABASE", "sqlite:///", "POOLHOUSE_DATABASE names no file: sqlite:///path."),
        ("PUBLIC_URL", "id.example.org", "POOLHOUSE_PUBLIC_URL must look like https://host"),
        ("PUBLIC_URL", "ftp://id.example.org", "POOLHOUSE_PUBLIC_URL must look like https://host"),
        ("PUBLIC_URL", "https://id.example.org?x", "POOLHOUSE_PUBLIC_URL must look like https://host"),
        ("PUBLIC_URL", "https://id.example.org:x", "POOLHOUSE_PUBLIC_URL must look like https://host"),
        ("PUBLIC_URL", "https://me@id.example.org", "POOLHOUSE_PUBLIC_URL must look like https://host"),
        ("ISSUER", "https://id.example.org", "POOLHOUSE_ISSUER must contain {pool_id}"),
        ("ISSUER", "{url}/{pool_id}", "POOLHOUSE_ISSUER is 'aws' or a template that knows"),
        ("ISSUER", "{/{pool_id}", "POOLHOUSE_ISSUER is 'aws' or a template that knows"),
        ("ISSUER", "{pool_id.__class__}", "POOLHOUSE_ISSUER is 'aws' or a template that knows"),
        ("TRUSTED_PROXIES", "proxy", "POOLHOUSE_TRUSTED_PROXIES takes addresses and networks: 'proxy' does not"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "POOLHOUSE_TRUSTED_PROXIES takes addresses and networks: 10.0.0.1/8 has"),
        ("TRUSTED_PROXIES", "*", "POOLHOUSE_TRUSTED_PROXIES takes addresses and networks: '*' does not"),
        (
            "ROOT_ACCESS_KEY_ID",
            "AKIA",
            "POOLHOUSE_ROOT_ACCESS_KEY_ID and POOLHOUSE_ROOT_SECRET_ACCESS_KEY go together.",
        ),
        ("OPERATOR_EMAIL", "a@b", "POOLHOUSE_OPERATOR_EMAIL and POOLHOUSE_OPERATOR_PASSWORD go together."),
        ("RATE_LIMITS", "Everything=5", "POOLHOUSE_RATE_LIMITS: the categories are UserAuthentication, "),
        ("RATE_LIMITS", "UserToken", "POOLHOUSE_RATE_LIMITS takes <category>=<requests per second>, from 1 to"),
        ("RATE_LIMITS", "UserToken=5,UserRead=0", "POOLHOUSE_RATE_LIMITS takes"),
        ("RATE_LIMITS", "UserToken=100001", "POOLHOUSE_RATE_LIMITS takes"),
        ("TLS_KEY", "x", "POOLHOUSE_TLS_CERT and POOLHOUSE_TLS_KEY go together."),
    ],
)
def test_bad_values(name, value, told):
    """A value that cannot be used is refused in one sentence that begins with the setting's name."""
    assert refusal({f"POOLHOUSE_{name}": value}).startswith(told)


def test_bad_combinations():
    """Settings that do not fit each other are refused."""
    key = {"POOLHOUSE_ROOT_ACCESS_KEY_ID": "a/b", "POOLHOUSE_ROOT_SECRET_ACCESS_KEY": "x"}
    assert refusal(key).startswith("POOLHOUSE_ROOT_ACCESS_KEY_ID takes letters, digits and underscores")
    memory = {"POOLHOUSE_DATABASE": "sqlite:///:memory:", "POOLHOUSE_WORKERS": "2"}
    assert refusal(memory).startswith("An in-memory database serves one worker only")


def test_where_functions_are_invoked():
    """The address of the Lambda API is a base URL, in which the Region may have a place; a session needs its key."""
    for url in ("http://localstack:4566", "https://lambda.{region}.amazonaws.com"):
        assert of(LAMBDA_URL=url).lambda_url == url
    for url in ("localhost:4566", "http://", "https://user:pass@host", "https://host/?x", "http://{host}/ x"):
        assert refusal({"POOLHOUSE_LAMBDA_URL": url}).startswith("POOLHOUSE_LAMBDA_URL must look like http://host:port")
    pair = "POOLHOUSE_LAMBDA_ACCESS_KEY_ID and POOLHOUSE_LAMBDA_SECRET_ACCESS_KEY go together."
    assert refusal({"POOLHOUSE_LAMBDA_ACCESS_KEY_ID": "AKID"}) == pair
    told = refusal({"POOLHOUSE_LAMBDA_SESSION_TOKEN": "x"})
    assert told == "POOLHOUSE_LAMBDA_SESSION_TOKEN needs POOLHOUSE_LAMBDA_ACCESS_KEY_ID."


def test_refusals_do_not_quote_secrets():
    """What is wrong with a secret is told without it."""
    for field in SECRETS:
        for value in ("hunter2\x00", "hunter2"):
            try:
                of(**{field.upper(): value})
            except SettingsError as error:
                assert "hunter2" not in str(error)


def test_unreadable_files(tmp_path: pathlib.Path):
    """A file of settings that is missing or no TOML is named."""
    assert refusal({"POOLHOUSE_CONFIG": "/nowhere.toml"}) == (
        "Cannot read the settings file /nowhere.toml: No such file or directory."
    )
    file = tmp_path / "poolhouse.toml"
    for content in (b"port : 1", b"\xff"):
        file.write_bytes(content)
        assert refusal({"POOLHOUSE_CONFIG": str(file)}).startswith(f"The settings file {file} is not TOML: ")


def test_base_url_and_data_directory():
    """The public URL follows from the port unless it is given; the master key lies beside a SQLite file."""
    assert of(PORT="8000").base_url == "http://localhost:8000"
    assert of(TLS_CERT="c", TLS_KEY="k").base_url == "https://localhost:7665"
    assert of(PUBLIC_URL="https://id.example.org/").base_url == "https://id.example.org"
    assert of(PUBLIC_URL="https://example.org/id").base_url == "https://example.org/id"
    assert of(DATABASE="sqlite:////var/lib/poolhouse/p.db").data_directory == pathlib.Path("/var/lib/poolhouse")
    assert of(DATABASE="sqlite:///p.db").data_directory == pathlib.Path()
    assert of(DATABASE="postgresql://h/d").data_directory == pathlib.Path(".poolhouse")
    assert of(DATABASE="postgresql://h/d").sqlite_file is None
    assert of(DATABASE="sqlite:///:memory:").sqlite_file is None


def test_log_delivery_is_a_document(tmp_path):
    """JSON in the environment or a file, a table in the settings file; each destination a text or an object."""
    given = '{"arn:*": "stdout", "*": {"url": "https://x.example/", "headers": {"A": "b"}}}'
    expected = {"arn:*": "stdout", "*": LogCollector(url="https://x.example/", headers={"A": "b"})}
    assert of(LOG_DELIVERY=given).log_delivery == expected
    (tmp_path / "log.json").write_text(given)
    assert of(LOG_DELIVERY_FILE=str(tmp_path / "log.json")).log_delivery == expected
    assert refusal({"POOLHOUSE_LOG_DELIVERY": "{"}) == "POOLHOUSE_LOG_DELIVERY is not JSON."
    for bad in ("[]", '{"*": 1}', '{"*": {"headers": {}}}', '{"*": {"url": "x", "token": "y"}}'):
        assert refusal({"POOLHOUSE_LOG_DELIVERY": bad}).startswith("POOLHOUSE_LOG_DELIVERY: ")


def test_functions_are_a_document(tmp_path):
    """JSON in the environment, a table in the settings file; what is wrong is told without the secret."""
    given = '{"*:a": "python:hooks:f", "*": {"url": "https://x.example/", "secret": "whsec_x"}}'
    expected = {"*:a": "python:hooks:f", "*": FunctionEndpoint(url="https://x.example/", secret="whsec_x")}
    assert of(FUNCTIONS=given).functions == expected
    file = tmp_path / "poolhouse.toml"
    file.write_text(
        'functions_path = "/srv/functions"\n[functions]\n'
        '"*:a" = "python:hooks:f"\n"*" = {url = "https://x.example/", secret = "whsec_x"}\n'
    )
    settings = load({}, {}, str(file))
    assert (settings.functions, settings.functions_path) == (expected, "/srv/functions")
    for bad in ("[]", '{"*": 1}', '{"*": {"url": "x"}}', '{"*": {"url": "x", "secret": "whsec_x", "more": ""}}'):
        told = refusal({"POOLHOUSE_FUNCTIONS": bad})
        assert told.startswith("POOLHOUSE_FUNCTIONS: ")
        assert "whsec" not in told


def test_documents_in_a_settings_file(tmp_path):
    """A table of TOML is the same document."""
    file = tmp_path / "poolhouse.toml"
    file.write_text(
        '[log_delivery]\n"arn:*" = "file:/x"\n"*" = {url = "https://x.example/"}\n[sender_keys]\n"*" = "kms"\n'
    )
    expected = {"arn:*": "file:/x", "*": LogCollector(url="https://x.example/")}
    settings = load({}, {}, str(file))
    assert (settings.log_delivery, settings.sender_keys) == (expected, {"*": "kms"})
    assert of(SENDER_KEYS='{"*": "kms"}').sender_keys == settings.sender_keys
