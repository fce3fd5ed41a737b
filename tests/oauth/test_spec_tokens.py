"""What tokens say, as issued over the wire: rows K of spec/http/09, and the facts of spec/http/04."""

import base64
import hashlib
import json
import re

import pytest
from botocore.exceptions import ClientError

from tests.conftest import PASSWORD
from tests.oauth.conftest import (
    CHALLENGE,
    OAUTH_CLIENT,
    VERIFIER,
    Site,
    claims,
    decoded,
    fragment,
    header,
)

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def api_tokens(site: Site, client: str, username: str | None = None) -> dict[str, str]:
    """The tokens of a sign-in over the API."""
    answer = site.call(
        "InitiateAuth",
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": username or site.email, "PASSWORD": PASSWORD},
    )
    return answer["AuthenticationResult"]


@pytest.fixture
def rich(site: Site, call, pool, app, user) -> Site:
    """The same cast in a pool whose user has an attribute of every kind."""
    pool_id = pool(
        UsernameAttributes=["email"],
        Schema=[
            {"Name": "n", "AttributeDataType": "Number", "Mutable": True},
            {"Name": "yes", "AttributeDataType": "Boolean", "Mutable": True},
            {"Name": "when", "AttributeDataType": "DateTime", "Mutable": True},
        ],
    )
    site.pool_id, site.prefix = pool_id, f"r{site.prefix}"
    call("CreateUserPoolDomain", UserPoolId=pool_id, Domain=site.prefix, ManagedLoginVersion=2)
    site.a = app(pool_id, **(OAUTH_CLIENT | {"AllowedOAuthScopes": ["openid", "email", "phone", "profile"]}))[
        "ClientId"
    ]
    site.email = f"rich-{site.email}"
    site.username = user(
        pool_id,
        site.email,
        email=site.email,
        email_verified="true",
        phone_number="+14325551212",
        address="12 High Street\nTown",
        updated_at="1700000000",
        given_name="Ann",
        custom_n="7",
        custom_yes="true",
        custom_when="2026-11-23T00:00:00Z",
    )
    return site


def test_k1_header_of_every_token(site: Site):
    """Every JWT's header has ``kid`` and ``alg``, in this order, and nothing else."""
    tokens, api = site.tokens(), api_tokens(site, site.a)
    every = [tokens["id_token"], tokens["access_token"], api["IdToken"], api["AccessToken"]]
    every.append(site.machine().json()["access_token"])
    for token in every:
        assert list(header(token)) == ["kid", "alg"]
        assert header(token)["alg"] == "RS256"
        assert len(header(token)["kid"]) == 44


def test_k2_audience_and_client(site: Site):
    """An ID token names its audience, an access token its client."""
    tokens = site.tokens()
    identity, access = claims(tokens["id_token"]), claims(tokens["access_token"])
    assert (identity["aud"], identity["token_use"]) == (site.a, "id")
    assert (access["client_id"], access["token_use"]) == (site.a, "access")
    assert "client_id" not in identity
    assert "aud" not in access


def test_k3_access_token_of_oauth(site: Site):
    """An access token of the OAuth side, member by member, in the documented order."""
    access = claims(site.tokens(scope="email rs/read openid")["access_token"])
    assert list(access) == [
        "sub",
        "iss",
        "version",
        "client_id",
        "origin_jti",
        "event_id",
        "token_use",
        "scope",
        "auth_time",
        "exp",
        "iat",
        "jti",
        "username",
    ]
    assert access["version"] == 2
    assert access["username"] == site.username
    assert set(access["scope"].split(" ")) == {"email", "rs/read", "openid"}
    assert access["exp"] - access["iat"] == 3600
    for name in ("sub", "origin_jti", "event_id", "jti"):
        assert UUID.fullmatch(access[name]), name


def test_k4_access_token_of_the_api(site: Site):
    """A token of the API has its one scope, and no version."""
    access = claims(api_tokens(site, site.a)["AccessToken"])
    assert access["scope"] == "aws.cognito.signin.user.admin"
    assert "version" not in access
    assert "at_hash" not in claims(api_tokens(site, site.a)["IdToken"])


def test_k5_flags_are_booleans(rich: Site):
    """The flags of contacts are JSON booleans; one that was never set is not there."""
    identity = claims(rich.tokens(scope="openid email phone")["id_token"])
    assert identity["email_verified"] is True
    assert "phone_number_verified" not in identity
    rich.call(
        "AdminUpdateUserAttributes",
        UserPoolId=rich.pool_id,
        Username=rich.username,
        UserAttributes=[{"Name": "phone_number_verified", "Value": "false"}],
    )
    assert claims(rich.tokens(scope="openid phone")["id_token"])["phone_number_verified"] is False


def test_k6_custom_attributes_are_strings(rich: Site):
    """Whatever the schema says, custom attributes are text; ``updated_at`` is a number, ``address`` an object."""
    identity = claims(rich.tokens(scope="openid")["id_token"])
    assert identity["custom:n"] == "7"
    assert identity["custom:yes"] == "true"
    assert identity["custom:when"] == "2026-11-23T00:00:00Z"
    assert identity["updated_at"] == 1700000000
    assert identity["address"] == {"formatted": "12 High Street\nTown"}
    assert identity["cognito:username"] == rich.username


def test_userinfo_is_flat_text(rich: Site):
    """In ``userInfo`` each of them is text, by scope."""
    body = rich.userinfo(rich.tokens(scope="openid")["access_token"]).json()
    assert body == {
        "sub": body["sub"],
        "email": rich.email,
        "email_verified": "true",
        "phone_number": "+14325551212",
        "address": "12 High Street\nTown",
        "updated_at": "1700000000",
        "given_name": "Ann",
        "custom:n": "7",
        "custom:yes": "true",
        "custom:when": "2026-11-23T00:00:00Z",
        "username": rich.username,
    }
    profile = rich.userinfo(rich.tokens(scope="openid profile")["access_token"]).json()
    custom = {"custom:n", "custom:yes", "custom:when"}
    assert profile.keys() == {"sub", "username", "given_name", "updated_at"} | custom


@pytest.mark.parametrize(
    ("scope", "shown"),
    [
        ("openid email", {"email", "email_verified"}),
        ("openid phone", {"phone_number"}),
        ("openid email phone", {"email", "email_verified", "phone_number"}),
        ("openid profile", {"given_name", "updated_at", "custom:n", "custom:yes", "custom:when"}),
    ],
)
def test_scopes_choose_claims(rich: Site, scope: str, shown: set[str]):
    """An ID token shows what its scopes name, and nothing more of the user."""
    identity = claims(rich.tokens(scope=scope)["id_token"])
    own = {"email", "email_verified", "phone_number", "given_name", "updated_at", "address"}
    assert {name for name in identity if name in own or name.startswith("custom:")} == shown


def test_k7_refresh_token(site: Site):
    """A refresh token looks like the JWE that Cognito's is."""
    for token in (site.tokens()["refresh_token"], api_tokens(site, site.a)["RefreshToken"]):
        parts = token.split(".")
        assert len(parts) == 5
        assert parts[0] == "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIiwiYWxnIjoiUlNBLU9BRVAifQ"
        assert json.loads(decoded(parts[0])) == {"cty": "JWT", "enc": "A256GCM", "alg": "RSA-OAEP"}
        assert len(decoded(parts[1])) == 256
        assert re.fullmatch(r"[A-Za-z0-9-_=.]+", token)


def test_k8_without_revocation(site: Site):
    """A client whose tokens cannot be revoked has none of the claims for it."""
    tokens = site.tokens(site.app(EnableTokenRevocation=False)["ClientId"])
    assert not {"origin_jti", "jti"} & claims(tokens["id_token"]).keys()
    assert "origin_jti" not in claims(tokens["access_token"])


def test_k10_nonce(site: Site):
    """The nonce is copied as it was; without one there is none, and a refresh has none."""
    tokens = site.tokens(nonce="a b/ä=&")
    assert claims(tokens["id_token"])["nonce"] == "a b/ä=&"
    assert "nonce" not in claims(site.tokens()["id_token"])
    assert "nonce" not in claims(site.refresh(tokens["refresh_token"]).json()["id_token"])


@pytest.mark.parametrize("resource", ["https://api.example", "http://localhost:8000/mcp", "myapp://api"])
def test_k11_resource(site: Site, resource: str):
    """An access token is bound to the resource, after a refresh too; the ID token is not."""
    tokens = site.tokens(resource=resource)
    renewed = site.refresh(tokens["refresh_token"]).json()
    for answer in (tokens, renewed):
        assert claims(answer["access_token"])["aud"] == resource
        assert claims(answer["id_token"])["aud"] == site.a
    implicit = fragment(site.authorize(response_type="token", resource=resource).headers["location"])
    assert claims(implicit["access_token"])["aud"] == resource


def test_k12_resource_of_a_machine(site: Site):
    """A machine's token is bound to no resource."""
    answer = site.machine(resource="https://api.example")
    assert answer.status_code == 200
    assert "aud" not in claims(answer.json()["access_token"])


def test_machine_token_has_the_documented_members(site: Site):
    """Client credentials: the token, member by member (spec/http/04 §4.3.1)."""
    token = claims(site.machine().json()["access_token"])
    assert list(token) == [
        "sub",
        "token_use",
        "scope",
        "auth_time",
        "iss",
        "exp",
        "iat",
        "version",
        "jti",
        "client_id",
    ]
    assert (token["sub"], token["iss"], token["scope"]) == (site.m, site.issuer, "rs/read rs/write")
    assert token["auth_time"] == token["iat"] == token["exp"] - 3600


def test_k20_at_hash(site: Site):
    """``at_hash`` is the left half of the access token's hash, in the code flow, the implicit flow and a refresh."""
    tokens = site.tokens()
    implicit = fragment(site.authorize(response_type="token").headers["location"])
    for answer in (tokens, site.refresh(tokens["refresh_token"]).json(), implicit):
        half = hashlib.sha256(answer["access_token"].encode()).digest()[:16]
        identity = claims(answer["id_token"])
        assert identity["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        assert next(iter(identity)) == "at_hash"


def test_k21_unreadable_attributes(site: Site):
    """What the client may not read is in no token and not in ``userInfo``."""
    client = site.app(ReadAttributes=["email", "email_verified"])["ClientId"]
    tokens = site.tokens(client, scope="openid")
    for shown in (
        claims(tokens["id_token"]),
        site.userinfo(tokens["access_token"]).json(),
        claims(api_tokens(site, client)["IdToken"]),
    ):
        assert shown["email"] == site.email
        assert not {"name", "custom:x"} & shown.keys()


def test_id_token_has_the_captured_order(site: Site):
    """The ID token of a code, member by member, in the order of the capture of 2021."""
    assert list(claims(site.tokens()["id_token"])) == [
        "at_hash",
        "sub",
        "email_verified",
        "iss",
        "cognito:username",
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


def test_one_sign_in_has_one_time_and_event(site: Site):
    """Silent sign-ins tell the time and the event of the interactive one; each has a session of its own."""
    first = site.tokens()
    site.server.clock.advance(100)
    second = site.tokens(site.app()["ClientId"])
    before, after = claims(first["id_token"]), claims(second["id_token"])
    assert (before["auth_time"], before["event_id"]) == (after["auth_time"], after["event_id"])
    assert after["iat"] - before["iat"] in {100, 101}
    assert before["origin_jti"] != after["origin_jti"]


def test_refreshing_at_the_other_door(site: Site):
    """A refresh token of the code flow works over the API, and its tokens stay those of OAuth; so the other way."""
    tokens = site.tokens(scope="openid email rs/read")
    answer = site.call(
        "InitiateAuth",
        ClientId=site.a,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": tokens["refresh_token"]},
    )["AuthenticationResult"]
    before, after = claims(tokens["access_token"]), claims(answer["AccessToken"])
    for name in ("scope", "version", "auth_time", "origin_jti", "event_id", "username", "sub"):
        assert before[name] == after[name], name
    assert "RefreshToken" not in answer
    assert site.userinfo(answer["AccessToken"]).status_code == 200
    api = site.refresh(api_tokens(site, site.a)["RefreshToken"]).json()
    assert "version" not in claims(api["access_token"])
    assert "at_hash" not in claims(api["id_token"])


def test_pkce_of_a_confidential_client(site: Site):
    """A confidential client may use PKCE as well, and then has to prove both."""

    def code() -> str:
        return site.code(site.b, code_challenge=CHALLENGE, code_challenge_method="S256")

    auth = (site.b, site.b_secret)
    assert site.redeem(code(), site.b, auth).json() == {"error": "invalid_grant"}
    assert site.redeem(code(), site.b, code_verifier=VERIFIER).json() == {"error": "invalid_client"}
    assert site.redeem(code(), site.b, auth, code_verifier=VERIFIER).status_code == 200


def test_t25_scope_of_another_resource_server(site: Site):
    """A scope of a resource server that the client was never given is refused."""
    scopes = [{"ScopeName": "read", "ScopeDescription": "read"}]
    site.call("CreateResourceServer", UserPoolId=site.pool_id, Identifier="other", Name="other", Scopes=scopes)
    answer = site.machine(scope="other/read")
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


def test_scope_that_its_server_lost_and_got_back(site: Site, call):
    """A scope taken from its resource server is left out, not refused, and revives with it (spec/http/04 §4.10)."""

    def set_scopes(*names: str) -> None:
        scopes = [{"ScopeName": name, "ScopeDescription": name} for name in names]
        call("UpdateResourceServer", UserPoolId=site.pool_id, Identifier="rs", Name="rs", Scopes=scopes)

    set_scopes("write")
    assert claims(site.machine(scope="rs/read rs/write").json()["access_token"])["scope"] == "rs/write"
    assert claims(site.tokens(scope="openid rs/read")["access_token"])["scope"] == "openid"
    set_scopes("read", "write")
    assert claims(site.tokens(scope="openid rs/read")["access_token"])["scope"] == "openid rs/read"


def test_lifetimes_of_the_client(site: Site):
    """``expires_in`` is the access token's life; the ID token has its own."""
    units = {"AccessToken": "minutes", "IdToken": "hours", "RefreshToken": "hours"}
    client = site.app(AccessTokenValidity=7, IdTokenValidity=2, RefreshTokenValidity=3, TokenValidityUnits=units)[
        "ClientId"
    ]
    tokens = site.tokens(client)
    access, identity = claims(tokens["access_token"]), claims(tokens["id_token"])
    assert tokens["expires_in"] == access["exp"] - access["iat"] == 420
    assert identity["exp"] - identity["iat"] == 7200
    site.server.clock.advance(3 * 3600 - 5)
    assert site.refresh(tokens["refresh_token"], client).status_code == 200
    site.server.clock.advance(10)
    assert site.refresh(tokens["refresh_token"], client).json() == {"error": "invalid_grant"}


def test_machine_authenticates_either_way(site: Site):
    """A machine proves itself by HTTP Basic or in the form; the id may come twice, the secret may not."""
    grant, auth = {"grant_type": "client_credentials"}, (site.m, site.m_secret)
    assert site.post("/oauth2/token", grant, auth=auth).status_code == 200
    assert site.post("/oauth2/token", grant | {"client_id": site.m}, auth=auth).status_code == 200
    other = site.post("/oauth2/token", grant | {"client_id": site.a}, auth=auth)
    assert (other.status_code, other.json()) == (400, {"error": "invalid_client"})


@pytest.mark.parametrize("kind", ["ORIGINAL", "UPDATED"])
def test_d14_tokens_of_the_aws_issuers(aws_issuer_server, http, kind: str):
    """With the issuer ``aws``, tokens and document name Cognito's own host, the one that the pool is set to."""
    cognito = aws_issuer_server.boto()
    pool_id = cognito.create_user_pool(PoolName="p", IssuerConfiguration={"Type": kind})["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool_id, ClientName="c", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool_id, Username="ann", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool_id, Username="ann", Password=PASSWORD, Permanent=True)
    answer = cognito.initiate_auth(
        ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD}
    )["AuthenticationResult"]
    host = {"ORIGINAL": "cognito-idp", "UPDATED": "issuer-cognito-idp"}[kind]
    issuer = f"https://{host}.us-east-1.amazonaws.com/{pool_id}"
    document = http.get(f"{aws_issuer_server.url}/{pool_id}/.well-known/openid-configuration").json()
    assert document["issuer"] == claims(answer["IdToken"])["iss"] == claims(answer["AccessToken"])["iss"] == issuer
    assert document["jwks_uri"] == f"{issuer}/.well-known/jwks.json"
    assert cognito.get_user(AccessToken=answer["AccessToken"])["Username"] == "ann"


def test_machine_without_oauth_flows(site: Site):
    """``ALLOW_CLIENT_TOKEN_AUTH`` alone opens the grant too, to a client with a secret (spec/http/05 §5.6)."""
    machine = site.make_app(
        site.pool_id,
        GenerateSecret=True,
        ExplicitAuthFlows=["ALLOW_CLIENT_TOKEN_AUTH"],
        AllowedOAuthScopes=["rs/read"],
    )
    auth = (machine["ClientId"], machine["ClientSecret"])
    answer = site.post("/oauth2/token", {"grant_type": "client_credentials"}, auth=auth)
    assert claims(answer.json()["access_token"])["scope"] == "rs/read"


def test_refresh_validity_of_zero(site: Site):
    """A refresh token validity of 0 stands for thirty days (spec/http/04 §4.5)."""
    client = site.app(RefreshTokenValidity=0)["ClientId"]
    token = site.tokens(client)["refresh_token"]
    site.server.clock.advance(30 * 86_400 - 60)
    assert site.refresh(token, client).status_code == 200
    site.server.clock.advance(120)
    assert site.refresh(token, client).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("seconds", [299, 86_401])
@pytest.mark.parametrize("token", ["AccessToken", "IdToken"])
def test_k19_lives_out_of_range(site: Site, token: str, seconds: int):
    """ID and access tokens live for five minutes to a day; settings beyond are refused."""
    with pytest.raises(ClientError) as caught:
        site.app(**{f"{token}Validity": seconds, "TokenValidityUnits": {token: "seconds"}})
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
