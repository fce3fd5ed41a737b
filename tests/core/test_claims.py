"""What tokens say: presence, types and order of every claim."""

import json

import pytest
from msgspec.structs import replace

from poolhouse.core.claims import (
    API_SCOPE,
    Minting,
    access_claims,
    at_hash,
    id_claims,
    machine_claims,
    userinfo_claims,
    visible,
)
from poolhouse.core.client import Client
from poolhouse.core.groups import Group
from poolhouse.core.pool import Pool
from poolhouse.core.schema import new_schema
from poolhouse.core.session import Session
from poolhouse.core.user import User
from poolhouse.model import (
    AttributeDataType,
    GetUserPoolMfaConfigResponse,
    RefreshTokenRotationType,
    SchemaAttributeType,
    UserPoolClientType,
    UserPoolType,
    UserStatusType,
)

CUSTOM = SchemaAttributeType(name="n", attribute_data_type=AttributeDataType.Number)
POOL = Pool(
    id="us-east-1_AbCdEfGhI",
    settings=UserPoolType(schema_attributes=new_schema([CUSTOM])),
    mfa=GetUserPoolMfaConfigResponse(),
    device_group_key="-v7w9UcY6",
)
CLIENT = Client(id="client", pool_id=POOL.id, settings=UserPoolClientType(enable_token_revocation=True))
USER = User(
    id=7,
    pool_id=POOL.id,
    sub="a1b2c3d4-7031-7069-06eb-0123456789ab",
    username="ann",
    status=UserStatusType.CONFIRMED,
    attributes={
        "email": "ann@example.com",
        "email_verified": "true",
        "given_name": "Ann",
        "phone_number": "+15550100",
        "phone_number_verified": "false",
        "custom:n": "42",
        "address": "1 High Street",
        "updated_at": "1700000000",
    },
    created_at=0,
    modified_at=0,
)
API_SESSION = Session(
    id="origin",
    pool_id=POOL.id,
    user_id=7,
    client_id="client",
    created_at=0,
    expires_at=1,
    auth_time=1000,
    scopes=(API_SCOPE,),
    oauth=False,
    event_id="event",
)
ISSUER = "http://localhost:7665/us-east-1_AbCdEfGhI"


def minting(**changes: object) -> Minting:
    given = {"pool": POOL, "client": CLIENT, "user": USER, "session": API_SESSION, "issuer": ISSUER, "now": 2000}
    return Minting(**{**given, **changes})


def oauth(*scopes: str, **changes: object) -> Session:
    return replace(API_SESSION, oauth=True, scopes=scopes, **changes)


def member(name: str, precedence: int | None, role: str | None) -> Group:
    arn = role and f"arn:aws:iam::1:role/{role}"
    return Group(pool_id=POOL.id, name=name, precedence=precedence, role_arn=arn, created_at=0, modified_at=0)


def group_claims(*groups: Group) -> tuple[object, ...]:
    """The groups, the roles and the preferred role of an ID token, roles without what they begin with."""
    claims = id_claims(minting(groups=groups), jti="jti")
    assert access_claims(minting(groups=groups), jti="jti").get("cognito:groups") == claims.get("cognito:groups")
    roles, preferred = claims.get("cognito:roles"), claims.get("cognito:preferred_role")
    short = [role.rpartition("/")[2] for role in roles] if isinstance(roles, list) else roles
    return claims.get("cognito:groups"), short, preferred.rpartition("/")[2] if isinstance(preferred, str) else None


def settings(**changes: object) -> Client:
    return replace(CLIENT, settings=replace(CLIENT.settings, **changes))


def test_id_token_of_the_api():
    """An ID token of the API has these claims, in this order and of these types, byte for byte."""
    assert json.dumps(id_claims(minting(), jti="jti")) == json.dumps(
        {
            "sub": USER.sub,
            "email_verified": True,
            "iss": ISSUER,
            "phone_number_verified": False,
            "cognito:username": "ann",
            "given_name": "Ann",
            "custom:n": "42",
            "address": {"formatted": "1 High Street"},
            "updated_at": 1700000000,
            "origin_jti": "origin",
            "aud": "client",
            "event_id": "event",
            "token_use": "id",
            "auth_time": 1000,
            "phone_number": "+15550100",
            "exp": 5600,
            "iat": 2000,
            "jti": "jti",
            "email": "ann@example.com",
        }
    )


def test_access_token_of_the_api():
    """An access token of the API has the one scope, no version and no aud."""
    assert json.dumps(access_claims(minting(), jti="jti")) == json.dumps(
        {
            "sub": USER.sub,
            "iss": ISSUER,
            "client_id": "client",
            "origin_jti": "origin",
            "event_id": "event",
            "token_use": "access",
            "scope": "aws.cognito.signin.user.admin",
            "auth_time": 1000,
            "exp": 5600,
            "iat": 2000,
            "jti": "jti",
            "username": "ann",
        }
    )


def test_access_token_of_oauth():
    """OAuth tokens are version 2, have the granted scopes, and the resource as aud."""
    session = oauth("openid", "rs/read", resource="https://api.example", event_id=None)
    claims = access_claims(minting(session=session), jti="jti")
    assert list(claims) == [
        "sub",
        "iss",
        "version",
        "client_id",
        "aud",
        "origin_jti",
        "token_use",
        "scope",
        "auth_time",
        "exp",
        "iat",
        "jti",
        "username",
    ]
    assert "event_id" not in id_claims(minting(session=session), jti="jti")
    assert (claims["version"], claims["aud"], claims["scope"]) == (2, "https://api.example", "openid rs/read")


def test_id_token_of_oauth():
    """at_hash comes first, the nonce before origin_jti; scopes limit the attributes."""
    claims = id_claims(minting(session=oauth("openid", "email")), jti="jti", at_hash="hash", nonce="abc")
    assert list(claims) == [
        "at_hash",
        "sub",
        "email_verified",
        "iss",
        "cognito:username",
        "nonce",
        "origin_jti",
        "aud",
        "event_id",
        "token_use",
        "auth_time",
        "exp",
        "iat",
        "jti",
        "email",
    ]
    assert claims["nonce"] == "abc"


@pytest.mark.parametrize(
    ("client", "shown"),
    [
        (settings(enable_token_revocation=False), False),
        (
            settings(enable_token_revocation=False, refresh_token_rotation=RefreshTokenRotationType(feature="ENABLED")),
            True,
        ),
        (CLIENT, True),
    ],
)
def test_tokens_name_their_session_only_where_it_can_be_revoked(client: Client, shown: bool):
    """origin_jti needs revocation or rotation; without either the ID token has no jti, the access token has."""
    made = minting(client=client)
    assert [("origin_jti" in id_claims(made, jti="j")), ("jti" in id_claims(made, jti="j"))] == [shown, shown]
    assert [("origin_jti" in access_claims(made, jti="j")), ("jti" in access_claims(made, jti="j"))] == [shown, True]


@pytest.mark.parametrize(
    ("scopes", "names"),
    [
        (None, set(USER.attributes)),
        (["openid"], set(USER.attributes)),
        (["openid", "rs/read", API_SCOPE], set(USER.attributes)),
        (["openid", "email"], {"email", "email_verified"}),
        (["openid", "phone"], {"phone_number", "phone_number_verified"}),
        (["openid", "profile"], {"given_name", "custom:n", "updated_at"}),
        (["openid", "profile", "email"], {"given_name", "custom:n", "updated_at", "email", "email_verified"}),
        (["rs/read"], set()),
    ],
)
def test_scopes_choose_attributes(scopes: list[str] | None, names: set[str]):
    """openid by itself shows everything readable, with others their attributes; custom ones go with profile."""
    assert set(visible(POOL, CLIENT, USER, scopes)) == names


def test_what_a_client_may_not_read_is_never_shown():
    """Read permission comes before scopes, in tokens and in userInfo."""
    client = settings(read_attributes=["email", "custom:n"])
    made = minting(client=client, session=oauth("openid"))
    assert "given_name" not in id_claims(made, jti="j")
    assert userinfo_claims(POOL, client, USER, ["openid"]) == {
        "sub": USER.sub,
        "email": "ann@example.com",
        "custom:n": "42",
        "username": "ann",
    }


def test_userinfo_is_all_strings():
    """userInfo answers strings, the flags included."""
    assert userinfo_claims(POOL, CLIENT, USER, ["openid", "email"]) == {
        "sub": USER.sub,
        "email": "ann@example.com",
        "email_verified": "true",
        "username": "ann",
    }


def test_token_of_a_client_itself():
    """A client-credentials token is about the client, and names no user and no session."""
    claims = machine_claims(CLIENT, ["rs/read", "rs/write"], issuer=ISSUER, now=2000, jti="jti")
    assert json.dumps(claims) == json.dumps(
        {
            "sub": "client",
            "token_use": "access",
            "scope": "rs/read rs/write",
            "auth_time": 2000,
            "iss": ISSUER,
            "exp": 5600,
            "iat": 2000,
            "version": 2,
            "jti": "jti",
            "client_id": "client",
        }
    )


def test_at_hash_is_that_of_openid_connect():
    """at_hash is base64url of the left half of SHA-256; the vector is from OpenID Connect Core, appendix A.3."""
    token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert at_hash(token) == "77QmUPtjPfzWtF2AnpK9RQ"


def test_lifetimes_follow_the_client():
    """Each token has the life that the client gives it."""
    client = settings(id_token_validity=2, access_token_validity=3)
    made = minting(client=client)
    assert id_claims(made, jti="j")["exp"] == 2000 + 2 * 3600
    assert access_claims(made, jti="j")["exp"] == 2000 + 3 * 3600


def test_groups_stand_where_cognito_has_them():
    """The groups come after sub in both tokens, and the roles in the ID token only (spec/http/04 §4.2, §4.3)."""
    given = minting(groups=(member("a", 1, "R"),), session=oauth("openid"))
    names = list(id_claims(given, jti="jti", nonce="n"))
    assert names[:5] == ["sub", "cognito:groups", "email_verified", "cognito:preferred_role", "iss"]
    assert names[names.index("origin_jti") + 1 :][:2] == ["cognito:roles", "aud"]
    names = list(access_claims(given, jti="jti"))
    assert names[:4] == ["sub", "cognito:groups", "iss", "version"]
    assert "cognito:roles" not in names
    assert "cognito:preferred_role" not in names


def test_the_preferred_role_is_that_of_the_lowest_precedence():
    """The vector of spec/api/05 §3.1, and that of spec/http/09 K9."""
    a, b, c = member("A", 1, "R1"), member("B", 1, "R1"), member("C", None, "R3")
    assert group_claims(a, b, c) == (["A", "B", "C"], ["R1", "R3"], "R1")
    assert group_claims(a, member("B", 1, "R2"), c) == (["A", "B", "C"], ["R1", "R2", "R3"], None)
    assert group_claims(member("A", 1, "r1"), member("B", 2, "r2")) == (["A", "B"], ["r1", "r2"], "r1")


@pytest.mark.parametrize(
    ("groups", "roles", "preferred"),
    [
        ([(0, "R")], ["R"], "R"),
        ([(None, "R")], ["R"], "R"),
        ([(None, "R"), (None, "S")], ["R", "S"], None),
        ([(2**31 - 1, "R"), (None, "S")], ["R", "S"], "R"),
        ([(1, None), (1, "R")], ["R"], "R"),
        ([(1, None), (2, "R")], ["R"], None),
        ([(1, None)], None, None),
        ([(1, "R"), (2, "R")], ["R"], "R"),
    ],
)
def test_roles_of_groups(groups, roles, preferred):
    """A group without a role gives none; where it counts most, no role is preferred."""
    members = [member(str(number), *each) for number, each in enumerate(groups)]
    assert group_claims(*members)[1:] == (roles, preferred)


def test_who_is_in_no_group_has_no_claims_of_groups():
    """The claims are left out, not empty."""
    assert group_claims() == (None, None, None)
