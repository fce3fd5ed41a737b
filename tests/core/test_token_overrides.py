"""What replies of the pre token generation trigger make of tokens."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.core.token_overrides import (
    FIXED,
    GROUPS,
    MAX_CHANGES,
    OF_GROUPS,
    PREFERRED_ROLE,
    ROLES,
    change_access_claims,
    change_id_claims,
    read_overrides,
)
from poolhouse.model import InvalidLambdaResponseException

IN_GROUPS = {GROUPS: ["a"], ROLES: ["arn:a"], PREFERRED_ROLE: "arn:a"}
# Tokens that have every claim there is.
ID = dict.fromkeys(FIXED, "fixed") | IN_GROUPS | {"cognito:username": "ann", "email": "ann@example.com", "dev:x": "y"}
ACCESS = dict.fromkeys(FIXED, "fixed") | {"client_id": "client", GROUPS: ["a"], "scope": "openid rs/read"}
OWNED = {"cognito:username", "scope"} | FIXED | OF_GROUPS

names = st.sampled_from([*sorted(OWNED), "cognito:x", "email", "dev:x", "aws:x", "plan", "custom:x"])
texts = st.dictionaries(names, st.text(max_size=3))
values = st.dictionaries(names, st.recursive(st.none() | st.booleans() | st.integers(), st.lists, max_leaves=3))
suppressed = st.lists(names, max_size=4)
words = st.lists(st.sampled_from(["openid", "rs/read", "rs/write", "x"]), max_size=3)


def told(details: Any, version: str = "2"):
    """What a reply changes."""
    return read_overrides(
        {"claimsOverrideDetails" if version == "1" else "claimsAndScopeOverrideDetails": details}, version
    )


def changed(details: Any, version: str = "2", *, id: dict = ID, access: dict = ACCESS) -> tuple[dict, dict]:
    """The claims of an ID and of an access token after a reply."""
    overrides, pair = told(details, version), (copy.deepcopy(id), copy.deepcopy(access))
    assert overrides is not None
    change_id_claims(overrides, pair[0])
    change_access_claims(overrides, pair[1])
    return pair


@given(add=values, suppress=suppressed, more=words, fewer=words)
def test_the_laws_of_changing_claims(add, suppress, more, fewer):
    """Suppressing wins over adding, what cannot be modified stays, and nothing else changes than what was named."""
    section = {"claimsToAddOrOverride": add, "claimsToSuppress": suppress}
    scopes = {"scopesToAdd": more, "scopesToSuppress": fewer}
    identity, access = changed({"idTokenGeneration": section, "accessTokenGeneration": section | scopes})
    assert set(access.pop("scope").split()) == ({"openid", "rs/read"} | set(more)) - set(fewer)
    for before, after, reserved in ((ID, identity, ("dev:",)), (ACCESS, access, ("dev:", "aws:"))):
        assert all(after.get(name) == before.get(name) for name in FIXED)
        assert after.get("cognito:username") == before.get("cognito:username")
        assert "cognito:x" not in after
        for name in {*before, *add, *after} - OWNED - {"cognito:x"}:
            if name in suppress:
                assert name not in after
            elif add.get(name) is not None and not name.startswith(reserved):
                assert after[name] == add[name]
            else:
                assert after.get(name) == before.get(name)
        for name in OF_GROUPS:
            gone = name in suppress or GROUPS in suppress
            assert after.get(name) == (None if gone else before.get(name))


@given(add=texts, suppress=suppressed)
def test_the_first_version_leaves_access_tokens_alone(add, suppress):
    """Version 1 changes claims of the ID token, and none of the access token's."""
    identity, access = changed({"claimsToAddOrOverride": add, "claimsToSuppress": suppress}, "1")
    assert access == ACCESS
    assert identity.get("plan") == (None if "plan" in suppress else add.get("plan"))


GROUPS_GIVEN = {"groupsToOverride": ["x"], "iamRolesToOverride": ["arn:x", "arn:y"], "preferredRole": "arn:y"}


@pytest.mark.parametrize("version", ["1", "2", "3"])
@pytest.mark.parametrize(
    ("details", "groups", "roles", "preferred"),
    [
        ({}, ["a"], ["arn:a"], "arn:a"),
        ({"groupOverrideDetails": {}}, None, None, None),
        ({"groupOverrideDetails": None}, None, None, None),
        ({"groupOverrideDetails": {"groupsToOverride": []}}, None, None, None),
        ({"groupOverrideDetails": dict.fromkeys(GROUPS_GIVEN)}, None, None, None),
        ({"groupOverrideDetails": GROUPS_GIVEN}, ["x"], ["arn:x", "arn:y"], "arn:y"),
        ({"groupOverrideDetails": {"groupsToOverride": ["x"]}}, ["x"], None, None),
    ],
)
def test_groups_are_replaced_as_a_whole(version, details, groups, roles, preferred):
    """Groups change in both tokens, roles in the ID token; what is not said stays, what is empty goes."""
    identity, access = changed(details, version)
    assert tuple(map(identity.get, (GROUPS, ROLES, PREFERRED_ROLE))) == (groups, roles, preferred)
    assert tuple(map(access.get, (GROUPS, ROLES, PREFERRED_ROLE))) == (groups, None, None)


def test_a_clients_own_token_gets_claims_and_no_groups():
    """Where there is no user there is nobody who could be in a group, or be made one."""
    machine = {"sub": "client", "client_id": "client", "scope": "rs/read"}
    section = {"claimsToAddOrOverride": {"tier": 1, "username": "ann", "device_key": "k", "origin_jti": "j"}}
    details = {"accessTokenGeneration": section, "groupOverrideDetails": GROUPS_GIVEN}
    assert changed(details, "3", access=machine)[1] == machine | {"tier": 1}


@pytest.mark.parametrize(
    ("before", "section", "after"),
    [
        ({}, {"claimsToAddOrOverride": {"aud": "client"}}, "client"),
        ({}, {"claimsToAddOrOverride": {"aud": "other"}}, None),
        ({}, {"claimsToAddOrOverride": {"aud": ["client"]}}, None),
        ({}, {"claimsToAddOrOverride": {"aud": "client"}, "claimsToSuppress": ["aud"]}, None),
        ({"aud": "https://api.example"}, {"claimsToAddOrOverride": {"aud": "client"}}, "https://api.example"),
        ({"aud": "https://api.example"}, {"claimsToSuppress": ["aud"]}, "https://api.example"),
    ],
)
def test_the_audience_of_an_access_token(before, section, after):
    """It may be the client, where the token is bound to no resource (spec/http/04 §4.8)."""
    access = {"client_id": "client", "scope": "", "username": "ann"} | before
    assert changed({"accessTokenGeneration": section}, access=access)[1].get("aud") == after


def test_scopes_keep_their_order_and_come_once():
    """Added scopes follow the others; a scope that is suppressed as well does not come."""
    section = {"scopesToAdd": ["x", "openid", "y", "x"], "scopesToSuppress": ["rs/read", "y", "nothing"]}
    assert changed({"accessTokenGeneration": section})[1]["scope"] == "openid x"
    everything = {"scopesToSuppress": ["openid", "rs/read"]}
    assert changed({"accessTokenGeneration": everything})[1]["scope"] == ""


def test_an_id_token_may_have_a_claim_called_scope():
    """Only in access tokens does it have a meaning that claims cannot change."""
    section = {"claimsToAddOrOverride": {"scope": "x"}, "claimsToSuppress": ["scope"]}
    assert changed({"accessTokenGeneration": section})[1]["scope"] == "openid rs/read"
    assert changed({"claimsToAddOrOverride": {"scope": "x"}}, "1")[0]["scope"] == "x"


@pytest.mark.parametrize(
    ("response", "version"),
    [
        ({}, "1"),
        ({"claimsOverrideDetails": None}, "1"),
        ({"claimsAndScopeOverrideDetails": {}}, "1"),
        ({"claimsAndScopeOverrideDetails": None}, "3"),
        ({"claimsOverrideDetails": {"claimsToAddOrOverride": {"a": "b"}}}, "2"),
    ],
)
def test_replies_that_change_nothing(response, version):
    """A reply without the member of its version changes nothing, whatever else it has."""
    assert read_overrides(response, version) is None


def test_members_that_are_null_say_nothing():
    """Typed languages write null for what they leave out."""
    sections = ("idTokenGeneration", "accessTokenGeneration")
    lists = dict.fromkeys(("claimsToAddOrOverride", "claimsToSuppress", "scopesToAdd", "scopesToSuppress"))
    for details in (dict.fromkeys(sections), dict.fromkeys(sections, lists), {"unknown": 1}):
        assert changed(details) == (ID, ACCESS)
    assert changed(dict.fromkeys(("claimsToAddOrOverride", "claimsToSuppress")), "1") == (ID, ACCESS)


ADD = "claimsToAddOrOverride"
TOO_DEEP: Any = []
for _ in range(3000):
    TOO_DEEP = [TOO_DEEP]


@pytest.mark.parametrize(
    ("details", "version"),
    [
        ("text", "1"),
        ([], "1"),
        ({ADD: {"a": 1}}, "1"),
        ({ADD: {"a": {"b": "c"}}}, "1"),
        ({ADD: {"a": None}}, "1"),
        ({ADD: ["a"]}, "1"),
        ({"claimsToSuppress": "email"}, "1"),
        ({"claimsToSuppress": [1]}, "1"),
        ({"groupOverrideDetails": []}, "1"),
        ({"groupOverrideDetails": {"groupsToOverride": "a"}}, "1"),
        ({"groupOverrideDetails": {"groupsToOverride": ["a", None]}}, "2"),
        ({"groupOverrideDetails": {"preferredRole": ["a"]}}, "2"),
        ({"idTokenGeneration": []}, "2"),
        ({"idTokenGeneration": {ADD: {"address": {"street_address": "a"}}}}, "2"),
        ({"accessTokenGeneration": {ADD: {"email_verified": ["true"]}}}, "2"),
        ({"accessTokenGeneration": {"scopesToAdd": "a"}}, "3"),
        ({"accessTokenGeneration": {"scopesToAdd": ["a b"]}}, "3"),
        ({"accessTokenGeneration": {"scopesToAdd": [""]}}, "3"),
        ({"accessTokenGeneration": {"scopesToSuppress": [1]}}, "3"),
        ({"accessTokenGeneration": {ADD: {"a": "x" * MAX_CHANGES}}}, "3"),
        ({"accessTokenGeneration": {ADD: {"a": "\ud800"}}}, "3"),
        ({"accessTokenGeneration": {ADD: {"a": TOO_DEEP}}}, "3"),
    ],
)
def test_replies_of_another_form(details, version):
    """What has another form, or is more than a token holds, is no recognizable output."""
    with pytest.raises(InvalidLambdaResponseException, match=r"^Unrecognizable lambda output$"):
        told(details, version)


def test_claims_of_the_later_versions_have_any_form():
    """Numbers, truth values, lists and objects reach both tokens as they are (spec/api/06 §8)."""
    add = {
        "n": 1.5,
        "b": False,
        "l": [1, {"x": None}],
        "realm_access": {"roles": ["admin"]},
        "address": "1 High Street",
    }
    section = {ADD: add | {"nothing": None}}
    for token in changed({"idTokenGeneration": section, "accessTokenGeneration": section}):
        assert {name: token[name] for name in add} == add
        assert "nothing" not in token
