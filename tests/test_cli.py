"""The commands that tend an installation, while its server runs."""

import base64
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from aws_encryption_sdk import EncryptionSDKClient
from botocore.exceptions import ClientError
from cyclopts import App

from poolhouse.cli import app as command_line
from poolhouse.cli import main
from poolhouse.core.message import Message
from tests.conftest import ACCESS_KEY, PASSWORD, SECRET_KEY, SENDER_KEY, SENDER_KEY_ARN, Server, make_settings
from tests.crypto.test_sender_keys import raw
from tests.delivery.test_smtp import serving
from tests.triggers.running import EXAMPLES, arn_of

BIN = pathlib.Path(sys.executable).parent
MEMBERS = ["id", "at", "channel", "to", "subject", "body", "code", "template", "user_pool_id", "username"]
ENVIRONMENT = {
    "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
}


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``poolhouse`` in this process; ``environment`` has the settings, without their prefix."""
    for name in list(os.environ):
        if name.startswith(("POOLHOUSE_", "AWS_")):
            monkeypatch.delenv(name)

    def run(*words: str, **environment: str) -> Said:
        for name, value in environment.items():
            monkeypatch.setenv(f"POOLHOUSE_{name}", value)
        monkeypatch.setattr(sys, "argv", ["poolhouse", *words])
        capsys.readouterr()
        code: Any = 0
        mask = os.umask(0o022)
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        finally:
            os.umask(mask)
        printed = capsys.readouterr()
        if isinstance(code, str):  # the interpreter prints it and ends with 1
            return Said(1, printed.out, printed.err + code + "\n")
        return Said(code, printed.out, printed.err)

    return run


def settings_for(server: Server) -> dict[str, str]:
    """What tells commands of a server's installation."""
    settings = server.settings
    return {"DATABASE": settings.database, "MASTER_KEY": settings.master_key or "", "PORT": str(settings.port)}


@pytest.fixture
def poolhouse(command: Command, own_server: Server) -> Callable[..., str]:
    """Run a command that succeeds beside a running server; give what it prints."""

    def run(*words: str, **environment: str) -> str:
        said = command(*words, **(settings_for(own_server) | environment))
        assert said.code == 0, said.err
        assert said.err == ""
        return said.out

    return run


@pytest.fixture
def refusal(command: Command, own_server: Server) -> Callable[..., str]:
    """Run a command that fails; give its one sentence."""

    def run(*words: str, **environment: str) -> str:
        said = command(*words, **(settings_for(own_server) | environment))
        assert (said.code, said.out) == (1, "")
        (sentence,) = said.err.splitlines()
        return sentence

    return run


def sign_up(server: Server, *names: str) -> str:
    """Make a pool where people sign up with e-mail addresses, and let some; give its id."""
    cognito = server.boto()
    pool_id = cognito.create_user_pool(
        PoolName="people", UsernameAttributes=["email"], AutoVerifiedAttributes=["email"]
    )["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool_id, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    )
    for name in names:
        cognito.sign_up(ClientId=client["UserPoolClient"]["ClientId"], Username=name, Password=PASSWORD)
    return pool_id


def client_of(server: Server, pool_id: str) -> str:
    """The id of a pool's only client."""
    (client,) = server.boto().list_user_pool_clients(UserPoolId=pool_id)["UserPoolClients"]
    return client["ClientId"]


# env


def test_env_in_three_formats(poolhouse, own_server):
    """Shell lines, dotenv lines and JSON say the same four things."""
    expected = {
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": own_server.url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    assert set(expected) == ENVIRONMENT
    assert json.loads(poolhouse("env", "--format", "json")) == expected
    dotenv = [line.partition("=") for line in poolhouse("env", "--format", "dotenv").splitlines()]
    assert {name: value for name, _, value in dotenv} == expected
    shell = [shlex.split(line) for line in poolhouse("env").splitlines()]
    assert {words[1].partition("=")[0]: words[1].partition("=")[2] for words in shell} == expected
    assert {words[0] for words in shell} == {"export"}
    assert poolhouse("env", "--format", "shell") == poolhouse("env")


def test_env_follows_region_and_public_url(poolhouse):
    """Settings that say something themselves win over what the server was started with."""
    told = poolhouse("env", "--format", "json", REGION="eu-west-1", PUBLIC_URL="https://id.example.org/")
    assert json.loads(told)["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert json.loads(told)["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] == "https://id.example.org"


def test_env_knows_where_the_server_answers(command, own_server):
    """A server whose port was a flag is found without that flag, and keeps its own callbacks."""
    where = settings_for(own_server)
    del where["PORT"]
    said = command("env", "--format", "json", **where)
    assert json.loads(said.out)["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] == own_server.url
    link = command("operators", "invite").out
    assert link.startswith(f"{own_server.url}/console/welcome?token=")


@pytest.mark.clients
def test_eval_of_env_makes_the_aws_cli_work(own_server):
    """``eval "$(poolhouse env)"`` is all that the AWS CLI needs."""
    own_server.boto().create_user_pool(PoolName="found by the AWS CLI")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POOLHOUSE_"))}
    settings = {f"POOLHOUSE_{name}": value for name, value in settings_for(own_server).items()}
    script = f'eval "$({BIN}/poolhouse env)" && {BIN}/aws cognito-idp list-user-pools --max-results 10 --output json'
    done = subprocess.run(
        ["bash", "-c", script], env=clean | settings | {"AWS_PAGER": ""}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [pool["Name"] for pool in json.loads(done.stdout)["UserPools"]] == ["found by the AWS CLI"]


# outbox


def test_outbox_as_json(poolhouse, own_server):
    """An array of messages with exactly the documented members, newest last; the code is bare."""
    pool_id = sign_up(own_server, "ann@example.com", "bob@example.com")
    first, second = json.loads(poolhouse("outbox", "--json"))
    assert [first["to"], second["to"]] == ["ann@example.com", "bob@example.com"]
    assert list(first) == MEMBERS
    assert first["channel"] == "EMAIL"
    assert first["user_pool_id"] == pool_id
    assert abs(first["at"] - time.time() * 1000) < 60_000
    assert first["at"] <= second["at"]
    assert re.fullmatch(r"\d{6}", first["code"])
    assert first["code"] in first["body"]
    own_server.boto().confirm_sign_up(
        ClientId=client_of(own_server, pool_id), Username="ann@example.com", ConfirmationCode=first["code"]
    )


def test_outbox_of_one_address(poolhouse, own_server):
    """--to chooses an address, --last the newest message, and both together the newest to that address."""
    pool_id = sign_up(own_server, "ann@example.com", "bob@example.com")
    client_id = client_of(own_server, pool_id)
    own_server.boto().resend_confirmation_code(ClientId=client_id, Username="ann@example.com")

    def recipients(*words: str) -> list[str]:
        return [message["to"] for message in json.loads(poolhouse("outbox", "--json", *words))]

    assert recipients() == ["ann@example.com", "bob@example.com", "ann@example.com"]
    assert recipients("--to", "ann@example.com") == ["ann@example.com", "ann@example.com"]
    assert recipients("--last") == ["ann@example.com"]
    assert recipients("--to", "bob@example.com", "--last") == ["bob@example.com"]
    assert recipients("--to", "nobody@example.com") == []
    newest = json.loads(poolhouse("outbox", "--json"))[-1]
    assert json.loads(poolhouse("outbox", "--last", "--to", "ann@example.com", "--json")) == [newest]


def test_outbox_for_people(poolhouse, own_server):
    """Without --json each message shows when, how, to whom, and its words."""
    assert poolhouse("outbox") == ""
    sign_up(own_server, "ann@example.com")
    told = poolhouse("outbox", "--last")
    assert re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\+00:00  EMAIL  ann@example\.com  \S", told)
    assert re.search(r"\n    .*\d{6}", told)
    link = Message(
        id="l", at=own_server.clock.now(), channel="EMAIL", to="bob@example.com", subject="Confirm", template="SignUp",
        body='Please <a href="http://localhost/confirmUser?a=1&amp;b=2">confirm</a>.<br>Thanks',
        user_pool_id="us-east-1_AbCdEfGhI", username="bob",
    )  # fmt: skip
    own_server.write(lambda tx: tx.outbox.add(link))
    told = poolhouse("outbox", "--last")
    assert told.endswith("\n    Please confirm (http://localhost/confirmUser?a=1&b=2).\n    Thanks\n")


def test_a_test_message(poolhouse, refusal, own_server):
    """It leaves as the settings say, or stays in the outbox; what went wrong is told, and is one sentence."""
    assert poolhouse("messages", "test", "+15551230199") == (
        "POOLHOUSE_SMS_URL is not set: the message is in the outbox.\n"
    )
    assert json.loads(poolhouse("outbox", "--json", "--last"))[0]["to"] == "+15551230199"
    with serving() as (inbox, port):
        told = poolhouse("messages", "test", "ann@example.com", SMTP_URL=f"smtp://127.0.0.1:{port}")
    assert told == "Mail to ann@example.com was taken.\n"
    assert inbox.parsed()["Subject"] == "Test message"
    away = f"smtp://127.0.0.1:{port}"
    assert refusal("messages", "test", "ann@example.com", SMTP_URL=away) == (
        "poolhouse: the message did not leave: 127.0.0.1: SMTPConnectError"
    )


# migrate, check, version


@pytest.fixture
def fresh_database(database_kind: str, tmp_path: pathlib.Path) -> Iterator[str]:
    """A database that nobody has opened yet."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path}/fresh/poolhouse.db"
    else:
        from tests.postgres import postgres_url

        with postgres_url() as url:
            yield url


def test_migrate(command, fresh_database):
    """A new database gets its schema; a second time there is nothing to do."""
    for _ in range(2):
        assert command("migrate", DATABASE=fresh_database) == Said(0, "The database is up to date.\n", "")


def test_a_command_may_come_before_the_server(command, fresh_database, tmp_path, monkeypatch):
    """On a new database a command makes the installation, says so aside, and the same key is found again."""
    monkeypatch.chdir(tmp_path)
    first = command("env", "--format", "json", DATABASE=fresh_database)
    assert first.code == 0, first.err
    if fresh_database.startswith("sqlite:"):
        assert first.err == f"poolhouse: made a new database, {tmp_path}/fresh/poolhouse.db\n"
    second = command("env", "--format", "json")
    assert second == Said(0, first.out, "")
    assert json.loads(second.out).keys() == ENVIRONMENT


def test_check(poolhouse, own_server):
    """Everything is opened and reported, nothing is sent."""
    sign_up(own_server)
    told = poolhouse("check")
    assert f"settings    ok ({own_server.url})\n" in told
    assert "database    ok (sqlite, 1 user pools in us-east-1)\n" in told
    assert "mail        outbox: nothing is sent\n" in told
    assert "mail        SMTP\n" in poolhouse("check", SMTP_URL="smtp://mail.example.org:25")


# triggers


def function_pool(server: Server, **functions: str) -> str:
    """Make a pool that names functions; give its id."""
    return server.boto().create_user_pool(PoolName="p", LambdaConfig=functions)["UserPool"]["Id"]


FUNCTIONS = {
    "FUNCTIONS": json.dumps({"*:sign-up": "python:pre_sign_up:lambda_handler", "*:lost": "python:nowhere:f"}),
    "FUNCTIONS_PATH": str(EXAMPLES),
}


def test_triggers_are_listed(poolhouse, refusal, own_server):
    """Each function of each pool, and where it runs; a check tells of those that run nowhere, or cannot."""
    pool_id = function_pool(own_server, PreSignUp=arn_of("sign-up"), PostConfirmation=arn_of("other"))
    known = {"FUNCTIONS": '{"*:sign-up": "python:pre_sign_up:lambda_handler"}', "FUNCTIONS_PATH": str(EXAMPLES)}
    expected = {"PreSignUp": "Python function pre_sign_up:lambda_handler", "PostConfirmation": "nothing"}
    listed = json.loads(poolhouse("triggers", "list", "--json", **known))
    assert {(one["user_pool_id"], one["region"]) for one in listed} == {(pool_id, "us-east-1")}
    assert {one["trigger"]: one["runs"] for one in listed} == expected
    assert f"{pool_id}  us-east-1  PreSignUp  {arn_of('sign-up')}\n    Python function" in poolhouse("triggers", "list")
    assert "functions   1 of 2 that pools name run nowhere: poolhouse triggers list\n" in poolhouse("check")
    assert "functions   ok (pools name 2)\n" in poolhouse("check", LAMBDA_URL="http://127.0.0.1:9")
    told = "poolhouse: Python function nowhere:f: Unable to import module 'nowhere': No module named 'nowhere'."
    assert refusal("check", **FUNCTIONS) == told
    bad = "poolhouse: POOLHOUSE_FUNCTIONS: a function in Python is named as python:package.module:function."
    assert refusal("check", FUNCTIONS='{"*": "python:x"}') == bad


def test_triggers_are_tried(poolhouse, refusal, command, own_server, tmp_path):
    """A sample event, or one of a file, goes to a function; its response, or the error in Cognito's words, is told."""
    pool_id = function_pool(own_server, PreSignUp=arn_of("sign-up"))
    confirmed = {"autoConfirmUser": True, "autoVerifyEmail": True, "autoVerifyPhone": True}
    said = poolhouse("triggers", "test", "PreSignUp_SignUp", "--user-pool-id", pool_id, **FUNCTIONS)
    first, _, rest = said.partition("\n")
    assert re.fullmatch(r"Python function pre_sign_up:lambda_handler answered after \d+ ms", first)
    assert json.loads(rest) == confirmed
    file = tmp_path / "event.json"
    file.write_text('{"request": {"userAttributes": {}}, "response": {"mine": 1}}')
    with_file = ("triggers", "test", "PreSignUp_SignUp", "--arn", arn_of("sign-up"), "--event", str(file))
    assert json.loads(poolhouse(*with_file, "--json"))["response"] == {"mine": 1, "autoConfirmUser": True}
    file.write_text('{"request": {}, "response": {}}')
    said = command(*with_file, "--json")
    report = json.loads(said.out)
    assert (said.code, report["arn"], report["response"]) == (1, arn_of("sign-up"), None)
    assert report["error"] == {
        "type": "UserLambdaValidationException",
        "message": "PreSignUp failed with error 'userAttributes'.",
    }
    text = "poolhouse: UserLambdaValidationException: PreSignUp failed with error 'userAttributes'. ("
    assert refusal(*with_file).startswith(text)
    file.write_text("[]")
    assert refusal(*with_file) == f"poolhouse: {file} holds no JSON object"


KEEPER = """
import json, pathlib

def handler(event, context):
    pathlib.Path(__file__).with_name("event.json").write_text(json.dumps(event))
"""


def test_senders_are_tried_with_a_code(poolhouse, refusal, own_server, tmp_path):
    """The function of a pool's own sender gets a code under the pool's key, as it will be; without a key that is told."""
    sender = {"LambdaVersion": "V1_0", "LambdaArn": arn_of("send")}
    pool_id = function_pool(own_server, CustomEmailSender=sender, KMSKeyID=SENDER_KEY_ARN)
    (tmp_path / "keeper.py").write_text(KEEPER)
    settings = {"FUNCTIONS": '{"*": "python:keeper:handler"}', "FUNCTIONS_PATH": str(tmp_path)}
    keys = {"SENDER_KEYS": json.dumps({SENDER_KEY_ARN: base64.b64encode(SENDER_KEY).decode()})}
    words = ("triggers", "test", "CustomEmailSender_SignUp", "--user-pool-id", pool_id, "--json")
    assert json.loads(poolhouse(*words, **settings, **keys))["error"] is None
    sealed = base64.b64decode(json.loads((tmp_path / "event.json").read_text())["request"]["code"])
    plain, _ = EncryptionSDKClient().decrypt(source=sealed, key_provider=raw(SENDER_KEY, SENDER_KEY_ARN))
    assert plain == b"123456"
    assert (
        refusal(*words, **settings, SENDER_KEYS="{}")
        == f"poolhouse: POOLHOUSE_SENDER_KEYS holds no key for {SENDER_KEY_ARN}"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["PreSignUp"], "there is no trigger source PreSignUp; there are PreSignUp_SignUp, "),
        (["PreSignUp_SignUp"], "give either --user-pool-id or --arn"),
        (["PreSignUp_SignUp", "--arn", "a", "--user-pool-id", "b"], "give either --user-pool-id or --arn"),
        (["PreSignUp_SignUp", "--user-pool-id", "us-east-1_Nobody"], "user pool us-east-1_Nobody does not exist"),
        (["PreSignUp_SignUp", "--arn", "a", "--event", "/nowhere"], "/nowhere: No such file or directory"),
        (["PreSignUp_SignUp", "--arn", "a"], "UnexpectedLambdaException: PreSignUp invocation failed due to error Res"),
    ],
)
def test_triggers_that_cannot_be_tried(command, tmp_path, words, told):
    """What is missing is said."""
    said = command("triggers", "test", *words, DATABASE=f"sqlite:///{tmp_path}/p.db")
    assert said.code == 1
    assert f"poolhouse: {told}" in said.err


def test_version(command, fresh_database):
    """Versions of Poolhouse, Python and the engine of the configured database, for people and for scripts."""
    from poolhouse import __version__

    said = command("version", "--json", DATABASE=fresh_database)
    told = json.loads(said.out)
    assert told["poolhouse"] == __version__
    assert told["python"] == ".".join(map(str, sys.version_info[:3]))
    assert re.fullmatch(r"(SQLite \d+\.\d+\.\d+|PostgreSQL \d+\.\d+)", told["database"])
    assert told["database"].startswith("PostgreSQL" if fresh_database.startswith("postgres") else "SQLite")
    line = f"Poolhouse {__version__}, Python {told['python']}, {told['database']}\n"
    assert command("version") == Said(0, line, "")
    assert command("--version").out.strip() == __version__


def test_version_without_its_database(command):
    """A database server that is away keeps nobody from asking for the version."""
    said = command("version", "--json", DATABASE="postgresql://127.0.0.1:1/poolhouse")
    assert json.loads(said.out)["database"] == "PostgreSQL (does not answer)"


# backup, restore


def test_backup_while_serving_and_restore(command, own_server, fresh_database, tmp_path, rsa_keys):
    """A copy made under load holds everything; tokens from before go on working where it is restored."""
    pool_id = sign_up(own_server, "ann@example.com")
    cognito, client_id = own_server.boto(), client_of(own_server, pool_id)
    cognito.admin_confirm_sign_up(UserPoolId=pool_id, Username="ann@example.com")
    signed_in = cognito.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann@example.com", "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    file = tmp_path / "poolhouse.backup"
    where = settings_for(own_server)
    assert command("backup", str(file), **where) == Said(0, f"Wrote {file}.\n", "")
    assert file.stat().st_mode & 0o777 == 0o600
    cognito.admin_delete_user(UserPoolId=pool_id, Username="ann@example.com")

    done = command("restore", str(file), "--database", fresh_database)
    assert done == Said(0, f"Restored {file}.\n", "")
    again = command("restore", str(file), "--database", fresh_database)
    assert (again.code, again.err) == (
        1,
        "poolhouse: The database is not empty; a backup is restored into an empty one only.\n",
    )
    settings = make_settings(fresh_database, tmp_path, public_url=own_server.url, master_key=where["MASTER_KEY"])
    restored = Server(settings)
    restored.start()
    try:
        there = restored.boto(endpoint_url=f"http://localhost:{settings.port}")
        assert there.get_user(AccessToken=signed_in["AccessToken"])["UserAttributes"]
        token = {"REFRESH_TOKEN": signed_in["RefreshToken"]}
        fresh = there.initiate_auth(ClientId=client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=token)
        assert fresh["AuthenticationResult"]["AccessToken"]
    finally:
        restored.stop()


def test_backup_and_restore_refuse(refusal, poolhouse, own_server, tmp_path):
    """A file that exists is not written over, and one that is missing or something else is not restored."""
    file = tmp_path / "file"
    file.write_text("something else")
    empty = f"sqlite:///{tmp_path}/empty/poolhouse.db"
    assert refusal("backup", str(file)) == f"poolhouse: {file} exists; choose another name"
    assert refusal("backup", f"{tmp_path}/no/file").startswith(f"poolhouse: Cannot write {tmp_path}/no/file: ")
    assert refusal("restore", f"{tmp_path}/none") == f"poolhouse: {tmp_path}/none does not exist"
    assert refusal("restore", str(file), "--database", empty) == f"poolhouse: {file} is not a backup of Poolhouse."
    poolhouse("backup", f"{tmp_path}/copy")
    assert refusal("restore", f"{tmp_path}/copy").startswith("poolhouse: The database is not empty; ")


# keys, credentials, operators


def test_keys(poolhouse, refusal, own_server):
    """The keys of a pool are those it publishes."""
    pool_id = sign_up(own_server)
    published = httpx.get(f"{own_server.url}/{pool_id}/.well-known/jwks.json").json()["keys"]
    listed = json.loads(poolhouse("keys", "list", pool_id, "--json"))
    assert {key["kid"] for key in listed} == {key["kid"] for key in published}
    assert {(key["use"], key["state"]) for key in listed} == {("id", "active"), ("access", "active")}
    lines = poolhouse("keys", "list", pool_id).splitlines()
    assert [line.split() for line in lines] == [[key["kid"], key["use"], key["state"]] for key in listed]
    assert refusal("keys", "list", "us-east-1_None") == "poolhouse: user pool us-east-1_None does not exist"


def test_credentials(poolhouse, refusal, own_server):
    """A key that was made signs requests; one that was deleted is refused at once."""
    printed = dict(line.split("=", 1) for line in poolhouse("credentials", "create", "ci").splitlines())
    made = json.loads(poolhouse("credentials", "create", "laptop", "--json"))
    assert made.keys() == {"id", "name", "secret"}
    first = own_server.boto(
        aws_access_key_id=printed["AWS_ACCESS_KEY_ID"], aws_secret_access_key=printed["AWS_SECRET_ACCESS_KEY"]
    )
    second = own_server.boto(aws_access_key_id=made["id"], aws_secret_access_key=made["secret"])
    for client in (first, second):
        assert client.list_user_pools(MaxResults=1)["UserPools"] == []

    listed = json.loads(poolhouse("credentials", "list", "--json"))
    assert [key["name"] for key in listed] == ["root", "ci", "laptop"]
    assert listed[0].keys() == {"id", "name", "created_at"}
    lines = [line.split() for line in poolhouse("credentials", "list").splitlines()]
    assert lines == [[key["id"], key["name"]] for key in listed]
    assert made["secret"] not in poolhouse("credentials", "list", "--json")

    assert poolhouse("credentials", "delete", made["id"]) == ""
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        second.list_user_pools(MaxResults=1)
    assert first.list_user_pools(MaxResults=1)["UserPools"] == []
    assert refusal("credentials", "delete", made["id"]) == f"poolhouse: there is no access key {made['id']}"
    assert refusal("credentials", "create", "root") == "poolhouse: root is the name of the first key; choose another"


def test_operators(poolhouse, refusal, own_server):
    """An invitation's link opens the set-up page; the operator it makes is listed, and can be removed."""
    link = poolhouse("operators", "invite").strip()
    assert link.startswith(f"{own_server.url}/console/welcome?token=")
    page = httpx.get(link)
    assert page.status_code == 200
    assert poolhouse("operators", "list") == ""
    with httpx.Client() as browser:
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', browser.get(link).text))
        form = hidden | {"email": "ann@example.org", "password": "a-long-password", "password2": "a-long-password"}
        assert browser.post(link, data=form).status_code < 400
    assert poolhouse("operators", "list") == "ann@example.org\n"
    assert json.loads(poolhouse("operators", "list", "--json")) == [{"email": "ann@example.org"}]
    assert poolhouse("operators", "remove", "ann@example.org") == ""
    assert json.loads(poolhouse("operators", "list", "--json")) == []
    assert refusal("operators", "remove", "ann@example.org") == "poolhouse: there is no operator ann@example.org"


# help and errors


def command_paths(app: App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of each command and group of commands."""
    yield path
    for name in app:
        if not name.startswith("-"):
            yield from command_paths(app[name], (*path, name))


PATHS = list(command_paths(command_line))


def test_every_command_of_the_interface_is_there():
    """The names that scripts rely on."""
    assert {path[0] for path in PATHS if path} == {
        *("serve", "env", "outbox", "messages", "migrate", "check", "backup", "restore"),
        *("keys", "credentials", "operators", "imports", "seed", "triggers", "version"),
    }


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_has_an_example(command, path):
    """Every --help shows an example, and the example is a command that is understood."""
    said = command(*path, "--help")
    assert said.code == 0
    text = re.sub(r"[│╭╮╰╯─\s]+", " ", said.out)
    found = re.search(r'Example: (?:eval "\$\()?poolhouse ([^)│]*?)(?: \)| ?"| Commands|\)"| Parameters)', text)
    assert found, said.out
    words = found[1].split()
    assert tuple(words[: len(path)]) == path
    command_line.parse_args(words, exit_on_error=False, print_error=False)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sevre"], 'poolhouse: Unknown command "sevre". '),
        (["credentials", "destroy"], 'poolhouse: Unknown command "destroy". '),
        (["serve", "--prot", "1"], "poolhouse: Unknown option: --prot. Did you mean --port?"),
        (["serve", "--port", "http"], 'poolhouse: Invalid value for --port: unable to convert "http" into int.'),
        (["serve", "--port", "70000"], "poolhouse: POOLHOUSE_PORT: expected int <= 65535."),
        (["serve", "--workers", "0"], "poolhouse: POOLHOUSE_WORKERS: expected int >= 1."),
        (["serve", "--database", "oracle://x"], "poolhouse: POOLHOUSE_DATABASE begins with sqlite:/// or postgresql"),
        (["serve", "--config", "/nowhere"], "poolhouse: Cannot read the settings file /nowhere: No such file"),
        (["credentials", "delete"], 'poolhouse: Command "credentials delete" parameter --access-key-id requires'),
        (["env", "--format", "yaml"], "poolhouse: Invalid value"),
        (["outbox", "more"], "poolhouse: Unused Tokens"),
    ],
)
def test_errors_are_one_sentence(command, words, told):
    """What is wrong is one sentence on standard error, and the exit code is not zero."""
    said = command(*words)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(told)
    assert len(said.err.splitlines()) == 1


def test_a_reader_that_leaves(own_server):
    """A pipe that is closed early ends the command without a traceback."""
    settings = {f"POOLHOUSE_{name}": value for name, value in settings_for(own_server).items()}
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {BIN}/poolhouse outbox --help | true; {BIN}/poolhouse env | true"],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
