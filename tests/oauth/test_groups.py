"""What the tokens of the OAuth endpoints say of groups: row K9 of spec/http/09."""

import pytest

from tests.oauth.conftest import Site, claims, fragment

R1, R2 = "arn:aws:iam::123456789012:role/r1", "arn:aws:iam::123456789012:role/r2"


@pytest.fixture
def member(site: Site, call) -> Site:
    """A site whose user is in a group of precedence 2 and in one of precedence 1."""
    for name, precedence, role in (("a", 2, R2), ("b", 1, R1)):
        call("CreateGroup", UserPoolId=site.pool_id, GroupName=name, Precedence=precedence, RoleArn=role)
        call("AdminAddUserToGroup", UserPoolId=site.pool_id, GroupName=name, Username=site.username)
    return site


def said(tokens):
    """What tokens say of groups."""
    identity, access = claims(tokens["id_token"]), claims(tokens["access_token"])
    assert not {"cognito:roles", "cognito:preferred_role"} & access.keys()
    assert identity.get("cognito:groups") == access.get("cognito:groups")
    return tuple(identity.get(f"cognito:{name}") for name in ("groups", "roles", "preferred_role"))


@pytest.mark.parametrize("scope", ["openid", "openid email", "openid phone rs/read"])
def test_k9_code_and_refresh(member: Site, call, scope: str):
    """Whatever the scopes, the groups are named in order of precedence; a change shows at the next refresh."""
    tokens = member.tokens(scope=scope)
    assert said(tokens) == (["b", "a"], [R1, R2], R1)
    assert list(claims(tokens["access_token"]))[:4] == ["sub", "cognito:groups", "iss", "version"]
    call("UpdateGroup", UserPoolId=member.pool_id, GroupName="a", Precedence=1)
    assert said(member.refresh(tokens["refresh_token"]).json()) == (["a", "b"], [R2, R1], None)
    for name in ("a", "b"):
        call("AdminRemoveUserFromGroup", UserPoolId=member.pool_id, GroupName=name, Username=member.username)
    assert said(member.refresh(tokens["refresh_token"]).json()) == (None, None, None)


def test_k9_without_an_id_token(member: Site):
    """The access token names the groups by itself."""
    assert claims(member.tokens(scope="rs/read")["access_token"])["cognito:groups"] == ["b", "a"]


def test_k9_implicit(member: Site):
    """The tokens of the implicit grant name them too."""
    member.sign_in()
    answer = member.authorize(response_type="token", nonce="n")
    assert said(fragment(answer.headers["location"])) == (["b", "a"], [R1, R2], R1)


def test_k9_elsewhere(member: Site):
    """A client's own token names no groups, and neither does userInfo."""
    assert "cognito:groups" not in claims(member.machine().json()["access_token"])
    shown = member.userinfo(member.tokens()["access_token"]).json()
    assert not [name for name in shown if name.startswith("cognito:")]
