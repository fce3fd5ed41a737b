"""The examples of the manual, run."""

import json
import re
import subprocess
import tomllib

import pytest

from poolhouse.core.seed import read_seed
from poolhouse.flows.seeds.application import Plan
from tests.test_docs import blocks, text_of


@pytest.mark.any_database
def test_the_examples_of_the_test_api_run(suite, ask):
    """Every line with curl on the page is answered, and with JSON."""
    lines = [line for _, block in blocks(text_of("how-to/test-api.md"), "sh") for line in block.splitlines()]
    commands = [line.replace("localhost:7665", f"localhost:{suite.settings.port}") for line in lines if "curl" in line]
    assert len(commands) > 15

    script = "set -e\n" + "\necho\n".join(commands)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(commands)
    assert answers[0] == {"status": "ok"}
    assert answers[7]["moved"] == 3600
    assert ask("GET", "failures") == []


def test_the_example_of_a_seed_is_one():
    """The file on the page about seeds can be read, and names what the page says."""
    ((_, text),) = blocks(text_of("how-to/seed.md"), "toml")

    assert tomllib.loads(text)["UserPools"][0]["Id"] == "us-east-1_People001"
    assert len(Plan(read_seed(text)).items) == 6


def test_every_member_of_its_own_is_told():
    """The page names every member that a seed has besides the API's."""
    from msgspec import structs

    from poolhouse.core.seed import SeedClient, SeedGroup, SeedKey, SeedPool, SeedStyle, SeedUser
    from poolhouse.model import GroupType, UserPoolClientType, UserPoolType, UserType

    page = text_of("how-to/seed.md")
    pairs = [(SeedPool, UserPoolType), (SeedClient, UserPoolClientType), (SeedGroup, GroupType), (SeedUser, UserType)]
    own = {
        field.encode_name
        for kind, known in [*pairs, (SeedStyle, None), (SeedKey, None)]
        for field in structs.fields(kind)
        if known is None or field.encode_name not in {each.encode_name for each in structs.fields(known)}
    }
    unsaid = {"GenerateSecret", "PasswordSetDate", "PasswordHistory", "Kid"}  # of exported files
    assert {name for name in own - unsaid if not re.search(rf"`{name}(\[\])?`", page)} == set()
