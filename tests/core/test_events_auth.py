"""What the triggers around signing in are told."""

import pytest

from poolhouse.core import events_auth
from poolhouse.core.client import Client
from poolhouse.core.groups import Group
from poolhouse.core.user import Factors, User
from poolhouse.model import ChallengeNameType, UserPoolClientType, UserStatusType
from tests.core.examples import make_pool, make_user

USER = User(
    pool_id="us-east-1_AbCdEfGhI",
    sub="sub",
    username="ann",
    status=UserStatusType.CONFIRMED,
    attributes={"email_verified": "true"},
    created_at=0,
    modified_at=0,
)
POOL = make_pool()
SHOWN = {"sub": "sub", "cognito:user_status": "CONFIRMED", "email_verified": "true"}


def client(conceals: str) -> Client:
    settings = UserPoolClientType(prevent_user_existence_errors=conceals)
    return Client(id="client", pool_id=USER.pool_id, settings=settings)


@pytest.mark.parametrize(("user", "attributes"), [(USER, SHOWN), (None, {})])
def test_concealing_clients_tell_whether_the_user_was_found(user: User | None, attributes: dict[str, str]):
    """userNotFound is there only for clients that conceal users from everyone else."""
    data = {"k": "v"}
    assert events_auth.pre_authentication(POOL, client("ENABLED"), user, data) == {
        "userAttributes": attributes,
        "validationData": data,
        "userNotFound": user is None,
    }
    assert "userNotFound" not in events_auth.pre_authentication(POOL, client("LEGACY"), user, None)


def test_metadata_is_there_only_where_the_request_had_some():
    """clientMetadata is left out, not empty."""
    assert events_auth.post_authentication(POOL, USER, None) == {"userAttributes": SHOWN, "newDeviceUsed": False}
    assert events_auth.post_authentication(POOL, USER, {"k": "v"})["clientMetadata"] == {"k": "v"}
    assert events_auth.post_authentication(POOL, USER, None, new_device=True)["newDeviceUsed"] is True
    assert "clientMetadata" not in events_auth.pre_token(POOL, USER, (), ["openid"], {})
    assert events_auth.pre_token(POOL, USER, (), ["openid"], {"k": "v"}) == {
        "userAttributes": SHOWN,
        "groupConfiguration": {"groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": None},
        "scopes": ["openid"],
        "clientMetadata": {"k": "v"},
    }


def test_the_first_version_hears_of_no_scopes():
    """Scopes are left out of the event of tokens where they are none of its business."""
    assert events_auth.pre_token(POOL, USER, (), None, None).keys() == {"userAttributes", "groupConfiguration"}


def test_triggers_see_aliases_and_second_factors():
    """Verified addresses of a pool with aliases are told as such, and that second factors are on."""
    attributes = {"email": "a@x.org", "email_verified": "true", "phone_number": "+15550100"}
    ann = make_user(attributes=attributes, factors=Factors(active=(ChallengeNameType.SOFTWARE_TOKEN_MFA,)))
    aliases = make_pool(alias_attributes=["email", "phone_number"])
    shown = {"sub": ann.sub, "cognito:user_status": "CONFIRMED", "cognito:mfa_enabled": "true"} | attributes
    assert events_auth.user_attributes(aliases, ann) == shown | {"cognito:email_alias": "a@x.org"}
    assert events_auth.user_attributes(make_pool(username_attributes=["email"]), ann) == shown


def test_groups_are_told_before_tokens_are_made():
    """The trigger learns what the claims would be."""
    groups = [
        Group(pool_id="p", name=name, role_arn=f"arn:{name}", precedence=rank, created_at=0, modified_at=0)
        for name, rank in (("a", 1), ("b", None))
    ]
    assert events_auth.pre_token(POOL, USER, groups, [], None)["groupConfiguration"] == {
        "groupsToOverride": ["a", "b"],
        "iamRolesToOverride": ["arn:a", "arn:b"],
        "preferredRole": "arn:a",
    }


def test_a_clients_own_token_has_no_user():
    """The request of client credentials names no user and no groups."""
    assert events_auth.machine_token(["rs/read"]) == {
        "userAttributes": {},
        "groupConfiguration": None,
        "scopes": ["rs/read"],
    }
