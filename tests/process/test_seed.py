"""``poolhouse serve`` with a seed and with the test API."""

import json

import httpx
import pytest

from tests.process.program import Program
from tests.seeds.conftest import DOCUMENT, PASSWORD, POOL_ID


def with_seed(install, database: str, document: object, **settings: str) -> Program:
    program = install(database, SEED="seed.json", **settings)
    (program.directory / "seed.json").write_text(json.dumps(document))
    return program


def test_workers_start_with_a_seed(install, own_database):
    """A server of several workers makes the seed once, and every one of them knows it."""
    program = with_seed(install, own_database, DOCUMENT).start("--workers", "2")

    for _ in range(6):
        cognito = program.boto()
        given = {"USERNAME": "ann", "PASSWORD": PASSWORD}
        answer = cognito.initiate_auth(ClientId="web", AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
        assert "AuthenticationResult" in answer
    assert cognito.describe_user_pool(UserPoolId=POOL_ID)["UserPool"]["EstimatedNumberOfUsers"] == 4
    assert program.told.count("seed: made 21 of 21 things that seed.json names") == 1
    assert program.stop() == 0


@pytest.mark.any_database
def test_a_wrong_seed_ends_the_server(install, own_database):
    """The server does not start, says one sentence, and exits with 1."""
    program = with_seed(install, own_database, {"UserPools": [{"Id": "us-east-1_People001"}]}, PORT="0")
    sentence = "poolhouse: The seed seed.json: UserPools[0] (us-east-1_People001): PoolName is missing."

    assert program.refusal("serve") == sentence
    assert program.refusal("serve", "--workers", "2") == sentence
    assert program.refusal("check") == sentence


@pytest.mark.any_database
def test_the_test_api_is_announced_and_guarded(install, own_database):
    """The greeting tells of the test API; it starts neither for others than this machine nor with several workers."""
    program = install(own_database, TEST_API="true")
    assert "loopback only" in program.refusal("serve", "--host", "0.0.0.0")
    assert "single worker" in program.refusal("serve", "--workers", "2")
    program.start()
    assert f"  Test API        {program.url}/test/" in program.told
    assert httpx.get(f"{program.url}/test/clock").json()["moved"] == 0
