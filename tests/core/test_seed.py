"""Reading a seed: JSON and TOML, the shapes of the API, and sentences about what is wrong."""

import json

import pytest

from poolhouse.core.seed import SeedError, dump_seed, read_seed

POOL = {"Id": "us-east-1_People", "PoolName": "people"}


def refusal(document: object) -> str:
    """The sentence with which a document is refused."""
    with pytest.raises(SeedError) as refused:
        read_seed(document if isinstance(document, str) else json.dumps(document))
    text = str(refused.value)
    assert text.endswith((".", "?"))
    assert "\n" not in text
    return text


def test_toml_says_the_same_as_json():
    """Both forms of a file give the same seed."""
    toml = """
[[UserPools]]
Id = "us-east-1_People"
PoolName = "people"
CreationDate = 1700000000

[[UserPools.Clients]]
ClientId = "web"
ClientName = "web"

[[UserPools.SigningKeys]]
Use = "id"
PrivateKey = '''
-----BEGIN PRIVATE KEY-----
-----END PRIVATE KEY-----
'''
"""
    key = {"Use": "id", "PrivateKey": "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"}
    parts = {"Clients": [{"ClientId": "web", "ClientName": "web"}], "SigningKeys": [key], "CreationDate": 1700000000}
    assert read_seed(toml) == read_seed("\ufeff" + json.dumps({"UserPools": [POOL | parts]}))


def test_a_dumped_seed_reads_back():
    """What is written is read as what it was."""
    style = {"CSS": ".banner-customizable { }", "ImageFile": "aGk="}
    seed = read_seed(json.dumps({"UserPools": [POOL | {"UICustomization": style}]}))
    assert read_seed(dump_seed(seed)) == seed
    assert seed.user_pools[0].ui_customization.image_file == b"hi"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({}, "the member UserPools is missing."),
        ("", "the member UserPools is missing."),
        ({"Pools": []}, "there is no member Pools. Did you mean UserPools?"),
        ({"UserPools": {}}, "UserPools: expected array, got object."),
        ({"UserPools": [{}]}, "UserPools[0]: the member Id is missing."),
        ({"UserPools": [POOL, POOL | {"Id": "x"}]}, "UserPools[1].Id: expected str matching regex "),
        ({"UserPools": [POOL | {"Users": [{"UserName": "x"}]}]}, "UserPools[0].Users[0]: there is no member UserName."),
        (
            {"UserPools": [POOL | {"Policies": {"PasswordPolicy": {"MinimumLenght": 8}}}]},
            "UserPools[0].Policies.PasswordPolicy: there is no member MinimumLenght. Did you mean MinimumLength?",
        ),
        (
            {"UserPools": [POOL | {"Policies": {"PasswordPolicy": {"MinimumLength": 3}}}]},
            "UserPools[0].Policies.PasswordPolicy.MinimumLength: expected int >= 6.",
        ),
        (
            {"UserPools": [POOL | {"Clients": [{"ClientId": "a", "ClientName": "a", "ClientSecret": "short"}]}]},
            "UserPools[0].Clients[0].ClientSecret: expected str of length >= 24.",
        ),
        ("{", "it is not JSON: Input data was truncated."),
        ("UserPools:\n- Id: x", "it is neither JSON, which begins with a brace, nor TOML: "),
    ],
)
def test_a_wrong_file_is_told_by_its_place(document, told):
    """The sentence names the place in the file, and the member that is likely meant."""
    assert refusal(document).startswith(told)


def test_no_value_is_quoted():
    """A sentence about a secret does not repeat it."""
    client = {"ClientId": "a", "ClientName": "a", "ClientSecret": "not a secret: spaces are not allowed"}
    assert "spaces are" not in refusal({"UserPools": [POOL | {"Clients": [client]}]})
