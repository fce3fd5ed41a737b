"""The pytest plugin, as the tests of other projects use it."""

import json
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from tests.seeds.conftest import DOCUMENT
from tests.test_docs import blocks, text_of

pytest_plugins = ["pytester"]

# An installation that is older than the entry point needs to be told.
IS_INSTALLED = any(each.value == "poolhouse.testing.plugin" for each in entry_points(group="pytest11"))
PLUGIN = () if IS_INSTALLED else ("-p", "poolhouse.testing.plugin")

SUITE = """
import os
import urllib.request

import boto3
import pytest
from poolhouse.testing import Refused

PERSON = {"Username": "ann", "Password": "Correct-Horse-1"}


def test_people_sign_up(cognito_idp, user_pool, app_client, outbox):
    address = [{"Name": "email", "Value": "ann@example.org"}]
    cognito_idp.sign_up(ClientId=app_client["ClientId"], UserAttributes=address, **PERSON)
    code = outbox.code("ann@example.org")
    assert [message["code"] for message in outbox.messages()] == [code]
    cognito_idp.confirm_sign_up(ClientId=app_client["ClientId"], Username="ann", ConfirmationCode=code)
    found = cognito_idp.admin_get_user(UserPoolId=user_pool["Id"], Username="ann")
    assert found["UserStatus"] == "CONFIRMED"
    os.environ["LEFT"] = user_pool["Id"]


def test_pools_and_messages_are_of_one_test(cognito_idp, user_pool, outbox):
    assert user_pool["Id"] != os.environ["LEFT"]
    with pytest.raises(cognito_idp.exceptions.ResourceNotFoundException):
        cognito_idp.describe_user_pool(UserPoolId=os.environ["LEFT"])
    assert outbox.messages() == []
    with pytest.raises(Refused, match="no message to ann@example.org within 0.1 seconds"):
        outbox.wait("ann@example.org", timeout=0.1)


def test_a_test_may_delete_its_pool(cognito_idp, user_pool):
    cognito_idp.delete_user_pool(UserPoolId=user_pool["Id"])


def test_the_seed_is_there(poolhouse_server, monkeypatch):
    for name, value in poolhouse_server.environment.items():
        monkeypatch.setenv(name, value)
    tokens = boto3.client("cognito-idp").initiate_auth(
        ClientId="web", AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ann", "PASSWORD": "Correct-Horse-1"}
    )
    assert tokens["AuthenticationResult"]["IdToken"]


def test_a_test_changes_clock_and_answers(poolhouse_server, cognito_idp):
    poolhouse_server.advance(3600)
    poolhouse_server.set_time("2030-01-01T00:00:00Z")
    assert cognito_idp.create_user_pool(PoolName="later")["UserPool"]["CreationDate"].year == 2030
    poolhouse_server.fail("ListUserPools", "TooManyRequestsException", times=9)
    poolhouse_server.fail("/oauth2/token", "server_error", status=500)
    with pytest.raises(cognito_idp.exceptions.TooManyRequestsException):
        poolhouse_server.client(config=boto3.session.Config(retries={"total_max_attempts": 1})).list_user_pools(MaxResults=1)
    with pytest.raises(Refused, match="There is no operation Nothing."):
        poolhouse_server.fail("Nothing", status=500)


def test_and_it_is_put_right_afterwards(poolhouse_server, cognito_idp):
    assert cognito_idp.create_user_pool(PoolName="now")["UserPool"]["CreationDate"].year < 2030
    assert len(cognito_idp.list_user_pools(MaxResults=10)["UserPools"]) == 3
    poolhouse_server.reset()
    assert len(cognito_idp.list_user_pools(MaxResults=10)["UserPools"]) == 1


def test_settings_of_the_suite_count(poolhouse_server):
    assert poolhouse_server.settings["ACCOUNT_ID"] == "123456789012"
    assert ":123456789012:" in poolhouse_server.client().describe_user_pool(UserPoolId="us-east-1_People001")["UserPool"]["Arn"]
"""
CONFTEST = """
import pytest


@pytest.fixture(scope="session")
def poolhouse_settings():
    return {"ACCOUNT_ID": "123456789012"}
"""


def test_the_fixtures(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """A suite of another project signs people up, reads codes, moves the clock and orders failures, test by test."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("POOLHOUSE_PORT", "1")
    pytester.makefile(".json", seed=json.dumps(DOCUMENT))
    pytester.makeini("[pytest]\npoolhouse_seed = seed.json\n")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_suite=SUITE, test_manual=example_of_the_manual())

    done = pytester.runpytest_subprocess(*PLUGIN, "-p", "no:cacheprovider")

    done.assert_outcomes(passed=9)


def example_of_the_manual() -> str:
    """The tests on the page about CI that use the fixtures."""
    (example,) = [block for _, block in blocks(text_of("how-to/ci.md"), "python") if "poolhouse_server" in block]
    return example


def test_a_server_that_does_not_start_says_why(pytester: pytest.Pytester):
    """A wrong seed is an error of the fixture, with the server's own sentence."""
    pytester.makefile(".json", seed='{"UserPools": [{"Id": "us-east-1_People001"}]}')
    pytester.makeini("[pytest]\npoolhouse_seed = seed.json\n")
    pytester.makepyfile("def test_one(poolhouse_server): pass")

    done = pytester.runpytest_subprocess(*PLUGIN, "-p", "no:cacheprovider")

    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(
        ["*Poolhouse did not start: *The seed *seed.json: UserPools?0? (us-east-1_People001): PoolName is missing."]
    )


def test_who_does_not_use_it_pays_little():
    """Loading the plugin neither imports boto3 nor the server."""
    code = (
        "import sys, poolhouse.testing.plugin;"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in {'boto3', 'botocore', 'uvicorn', 'msgspec'}))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
