"""``/oauth2/token``: rows T of spec/http/09."""

import httpx
import pytest

from tests.conftest import PASSWORD
from tests.oauth.conftest import CALLBACK, CHALLENGE, MACHINE, OAUTH_CLIENT, VERIFIER, Site, claims, query


def error(answer: httpx.Response) -> dict[str, str]:
    """The body of a refusal."""
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    return answer.json()


INVALID_GRANT = {"error": "invalid_grant"}
INVALID_CLIENT = {"error": "invalid_client"}
INVALID_REQUEST = {"error": "invalid_request"}


def test_t1_code(site: Site):
    """A code gives all three tokens, in the order of captured answers."""
    answer = site.redeem(site.code())
    assert answer.status_code == 200
    assert list(answer.json()) == ["id_token", "access_token", "refresh_token", "expires_in", "token_type"]
    assert answer.json()["expires_in"] == 3600
    assert answer.json()["token_type"] == "Bearer"
    assert claims(answer.json()["access_token"])["version"] == 2


def test_t1_no_id_token_without_openid(site: Site):
    """Without ``openid`` there is no ID token."""
    assert list(site.tokens(scope="rs/read")) == ["access_token", "refresh_token", "expires_in", "token_type"]


def test_t1_pkce_and_nonce(site: Site):
    """The right verifier is accepted, and the nonce reaches the ID token."""
    code = site.code(code_challenge=CHALLENGE, code_challenge_method="S256", nonce="n")
    answer = site.redeem(code, code_verifier=VERIFIER)
    assert claims(answer.json()["id_token"])["nonce"] == "n"


def test_t2_code_again(site: Site):
    """A code works once."""
    code = site.code()
    assert site.redeem(code).status_code == 200
    assert error(site.redeem(code)) == INVALID_GRANT


@pytest.mark.usefixtures("still_clock")
def test_t3_late_code(site: Site):
    """A code lives for five minutes."""
    first, second = site.code(), site.code()
    site.server.clock.advance(299)
    assert site.redeem(first).status_code == 200
    site.server.clock.advance(2)
    assert error(site.redeem(second)) == INVALID_GRANT


def test_t4_code_of_another_client(site: Site):
    """A code belongs to its client, which may still use it."""
    code = site.code()
    assert error(site.redeem(code, site.b, (site.b, site.b_secret), client_id=None)) == INVALID_GRANT
    assert site.redeem(code).status_code == 200


def test_t5_redirect_uri_differs(site: Site):
    """The redirect URI has to be the one of the authorization request; another burns the code."""
    code = site.code()
    expected = {"error": "unauthorized_client", "error_description": "invalid_redirect"}
    assert error(site.redeem(code, redirect_uri=f"{CALLBACK}/")) == expected
    assert error(site.redeem(code)) == INVALID_GRANT


def test_t5_redirect_uri_missing(site: Site):
    """The redirect URI is required."""
    assert error(site.redeem(site.code(), redirect_uri=None)) == INVALID_REQUEST


def test_t6_wrong_verifier(site: Site):
    """A wrong verifier is refused and burns the code."""
    code = site.code(code_challenge=CHALLENGE, code_challenge_method="S256")
    assert error(site.redeem(code, code_verifier=VERIFIER[:-1] + "j")) == INVALID_GRANT
    assert error(site.redeem(code, code_verifier=VERIFIER)) == INVALID_GRANT


def test_t7_missing_verifier(site: Site):
    """A missing verifier is refused."""
    code = site.code(code_challenge=CHALLENGE, code_challenge_method="S256")
    assert error(site.redeem(code)) == INVALID_GRANT


def test_t8_no_secret(site: Site):
    """A confidential client has to prove itself."""
    code = site.code(site.b)
    assert error(site.redeem(code, site.b)) == INVALID_CLIENT
    assert error(site.redeem(code, site.b, client_secret="wrong")) == INVALID_CLIENT
    assert error(site.redeem(code, auth=(site.b, "wrong"), client_id=None)) == INVALID_CLIENT


def test_t9_basic(site: Site):
    """HTTP Basic proves a client."""
    answer = site.redeem(site.code(site.b), auth=(site.b, site.b_secret), client_id=None)
    assert answer.status_code == 200


def test_t9_basic_with_the_id_in_the_form_as_well(site: Site):
    """The client id may come twice if it agrees."""
    code = site.code(site.b)
    assert error(site.redeem(code, site.a, (site.b, site.b_secret))) == INVALID_CLIENT
    assert site.redeem(code, site.b, (site.b, site.b_secret)).status_code == 200


def test_t10_secret_in_the_form(site: Site):
    """The secret may come in the form, but not in both places."""
    code = site.code(site.b)
    twice = site.redeem(code, site.b, (site.b, site.b_secret), client_secret=site.b_secret)
    assert error(twice) == INVALID_REQUEST
    assert site.redeem(code, site.b, client_secret=site.b_secret).status_code == 200


def test_t11_and_t12_two_secrets(site: Site):
    """Either active secret proves a client; one that was taken away does not."""
    client = {"UserPoolId": site.pool_id, "ClientId": site.b}
    second = site.call("AddUserPoolClientSecret", **client)["ClientSecretDescriptor"]["ClientSecretValue"]
    for secret in (site.b_secret, second):
        assert site.redeem(site.code(site.b), site.b, client_secret=secret).status_code == 200
        assert site.redeem(site.code(site.b), auth=(site.b, secret), client_id=None).status_code == 200
    first = site.call("ListUserPoolClientSecrets", **client)["ClientSecrets"][0]["ClientSecretId"]
    site.call("DeleteUserPoolClientSecret", **client, ClientSecretId=first)
    assert error(site.redeem(site.code(site.b), site.b, client_secret=site.b_secret)) == INVALID_CLIENT
    assert site.redeem(site.code(site.b), site.b, client_secret=second).status_code == 200


def test_t13_secret_of_a_public_client(site: Site):
    """A public client must not come with a secret; an empty one is none."""
    code = site.code()
    assert error(site.redeem(code, client_secret="x")) == INVALID_CLIENT
    assert error(site.redeem(code, auth=(site.a, ""), client_id=None)) == INVALID_CLIENT
    assert site.redeem(code, client_secret="").status_code == 200


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic YWJj", "Basic /w=="])
def test_malformed_basic(site: Site, header: str):
    """What is no HTTP Basic proves nothing."""
    answer = site.post("/oauth2/token", {"grant_type": "refresh_token"}, headers={"authorization": header})
    assert error(answer) == INVALID_CLIENT


def test_unknown_and_missing_clients(site: Site, pool, app):
    """A client has to be named, and to be one of this pool."""
    assert error(site.refresh("x", "nosuchclient")) == INVALID_CLIENT
    assert error(site.refresh("x", app(pool())["ClientId"])) == INVALID_CLIENT
    assert error(site.post("/oauth2/token", {"grant_type": "refresh_token"})) == INVALID_REQUEST


def test_t14_no_grant_type(site: Site):
    """The grant type is required."""
    assert error(site.post("/oauth2/token", {"client_id": site.a})) == INVALID_REQUEST


@pytest.mark.parametrize("name", ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code"])
def test_t15_unknown_grant_type(site: Site, name: str):
    """Other grants do not exist."""
    answer = site.post("/oauth2/token", {"client_id": site.a, "grant_type": name})
    assert error(answer) == {"error": "unsupported_grant_type"}


def test_t16_no_code(site: Site):
    """The code is required, and so is the refresh token of the other grant."""
    form = {"client_id": site.a, "grant_type": "authorization_code", "redirect_uri": CALLBACK}
    assert error(site.post("/oauth2/token", form)) == INVALID_REQUEST
    assert error(site.refresh("")) == INVALID_REQUEST


def test_t17_refresh(site: Site):
    """A refresh keeps the refresh token, the sign-in's time and its session, and makes new tokens."""
    first = site.tokens()
    site.server.clock.advance(10)
    answer = site.refresh(first["refresh_token"])
    assert answer.status_code == 200
    second = answer.json()
    assert list(second) == ["id_token", "access_token", "expires_in", "token_type"]
    for name in ("id_token", "access_token"):
        before, after = claims(first[name]), claims(second[name])
        assert {key: before[key] for key in ("auth_time", "origin_jti", "sub")} == {
            key: after[key] for key in ("auth_time", "origin_jti", "sub")
        }
        assert before["jti"] != after["jti"]
        # The clock goes on by itself, too: a second may end between the two.
        assert 10 <= after["iat"] - before["iat"] <= 15
        assert after["exp"] - before["exp"] == after["iat"] - before["iat"]
    assert site.refresh(first["refresh_token"]).status_code == 200


def rotating(site: Site, grace: int, **settings) -> str:
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": grace}
    return site.app(ExplicitAuthFlows=flows, RefreshTokenRotation=rotation, **settings)["ClientId"]


def test_t18_rotation(site: Site):
    """With rotation, each refresh gives a new refresh token and ends the old one; its reuse ends the family."""
    client = rotating(site, 0)
    first = site.tokens(client)["refresh_token"]
    answer = site.refresh(first, client).json()
    assert list(answer) == ["id_token", "access_token", "refresh_token", "expires_in", "token_type"]
    assert answer["refresh_token"] != first
    assert error(site.refresh(first, client)) == INVALID_GRANT
    assert error(site.refresh(answer["refresh_token"], client)) == INVALID_GRANT
    assert site.userinfo(answer["access_token"]).status_code == 401


@pytest.mark.usefixtures("still_clock")
def test_t19_grace_period(site: Site):
    """A retry within the grace period is answered."""
    client = rotating(site, 60)
    first = site.tokens(client)["refresh_token"]
    second = site.refresh(first, client).json()["refresh_token"]
    site.server.clock.advance(59)
    assert site.refresh(first, client).status_code == 200
    assert site.refresh(second, client).status_code == 200


def test_t20_a_rotated_token_lives_no_longer(site: Site):
    """A rotated token expires when the first one would have."""
    client = rotating(site, 0, RefreshTokenValidity=1, TokenValidityUnits={"RefreshToken": "days"})
    first = site.tokens(client)["refresh_token"]
    site.server.clock.advance(86_000)
    second = site.refresh(first, client).json()["refresh_token"]
    site.server.clock.advance(401)
    assert error(site.refresh(second, client)) == INVALID_GRANT


def test_t21_refresh_token_of_another_client(site: Site):
    """A refresh token belongs to its client."""
    token = site.tokens()["refresh_token"]
    answer = site.refresh(token, site.app()["ClientId"])
    assert error(answer) == INVALID_GRANT


@pytest.mark.parametrize("operation", ["AdminUserGlobalSignOut", "AdminDisableUser", "AdminDeleteUser"])
def test_t22_refresh_after_the_end(site: Site, call, operation: str):
    """After a global sign-out, and for disabled and deleted users, refresh tokens are void."""
    token = site.tokens()["refresh_token"]
    call(operation, UserPoolId=site.pool_id, Username=site.username)
    assert error(site.refresh(token)) == INVALID_GRANT


def test_t22_refresh_after_revocation(site: Site):
    """A revoked refresh token is void."""
    token = site.tokens()["refresh_token"]
    assert site.revoke(token).status_code == 200
    assert error(site.refresh(token)) == INVALID_GRANT


@pytest.mark.parametrize("token", ["x", "a.b.c.d.e", "ä", "." * 4])
def test_t22_garbage(site: Site, token: str):
    """What is no refresh token is void."""
    assert error(site.refresh(token)) == INVALID_GRANT


def test_refresh_token_of_the_api(site: Site):
    """A refresh token of the API works here too, and its tokens stay what they were."""
    signed_in = site.call(
        "InitiateAuth",
        ClientId=site.a,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": site.email, "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    answer = site.refresh(signed_in["RefreshToken"])
    assert answer.status_code == 200
    assert claims(answer.json()["access_token"])["scope"] == "aws.cognito.signin.user.admin"


def test_code_of_a_client_that_lost_the_flow(site: Site, call):
    """The grant has to be enabled when the code is exchanged."""
    client = site.app()["ClientId"]
    code = site.code(client)
    call("UpdateUserPoolClient", UserPoolId=site.pool_id, ClientId=client)
    assert error(site.redeem(code, client)) == {"error": "unauthorized_client"}


def test_a_client_that_is_barred_from_oauth(site: Site):
    """Flows, scopes and URLs are kept and worth nothing until AllowedOAuthFlowsUserPoolClient (spec/http/05 §5.1)."""
    client = site.app(AllowedOAuthFlowsUserPoolClient=False)["ClientId"]
    refused = site.authorize(client)
    assert refused.headers["location"].startswith(f"{site.base}/error?")
    machine = site.app(**(MACHINE | {"AllowedOAuthFlowsUserPoolClient": False}))
    proof = {"client_id": machine["ClientId"], "client_secret": machine["ClientSecret"]}
    assert error(site.machine(**proof)) == {"error": "unauthorized_client"}
    ids = {"UserPoolId": site.pool_id, "ClientId": client}
    site.call("UpdateUserPoolClient", **ids, **OAUTH_CLIENT)
    assert site.code(client)


def test_t23_machine(site: Site):
    """Client credentials give an access token with all custom scopes of the client, and nothing else."""
    answer = site.machine()
    assert list(answer.json()) == ["access_token", "expires_in", "token_type"]
    assert claims(answer.json()["access_token"])["scope"] == "rs/read rs/write"


def test_t24_machine_with_a_scope(site: Site):
    """A machine can ask for fewer scopes."""
    assert claims(site.machine(scope="rs/read").json()["access_token"])["scope"] == "rs/read"


def test_t25_scope_of_others(site: Site):
    """A scope that exists but is not the client's is refused."""
    assert error(site.machine(scope="rs/hidden")) == INVALID_GRANT


@pytest.mark.parametrize("scope", ["nosuch/x", "rs/nosuch", "openid", "rs/read nosuch/x"])
def test_t26_unknown_scope(site: Site, scope: str):
    """A scope that does not exist is refused, and so are those of users."""
    assert error(site.machine(scope=scope)) == {"error": "invalid_scope"}


def test_t27_client_credentials_not_enabled(site: Site):
    """A client without the flow gets no token of its own."""
    answer = site.post("/oauth2/token", {"grant_type": "client_credentials", "client_id": site.a})
    assert error(answer) == {"error": "unauthorized_client"}


def test_t28_machine_token(site: Site):
    """A machine's token names the client as its subject, and no user."""
    token = claims(site.machine(resource="https://api.example").json()["access_token"])
    assert token["sub"] == token["client_id"] == site.m
    assert token["version"] == 2
    assert not {"username", "origin_jti", "aud"} & token.keys()


def test_machine_metadata(site: Site):
    """Metadata for triggers is an object of texts."""
    assert site.machine(aws_client_metadata='{"k":"v"}').status_code == 200
    for text in ("x", "[]", '{"k":1}'):
        assert error(site.machine(aws_client_metadata=text)) == INVALID_REQUEST


def test_t30_unreadable_scope(site: Site):
    """A scope gives nothing where the client may not read all of its attributes."""
    client = site.app(ReadAttributes=["email"])["ClientId"]
    assert error(site.redeem(site.code(client), client)) == INVALID_GRANT


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/revoke", "/oauth2/userInfo"])
def test_t31_preflight(site: Site, path: str):
    """Scripts of any origin may call the three endpoints that speak JSON."""
    answer = site.http.options(
        site.base + path, headers={"origin": "https://app.example", "access-control-request-method": "POST"}
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "Authorization, Content-Type"


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/logout"])
def test_t31_no_preflight_elsewhere(site: Site, path: str):
    """No script may call the endpoints that browsers visit."""
    answer = site.http.options(site.base + path, headers={"origin": "https://app.example"})
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in site.get(path).headers


def test_t32_get(site: Site):
    """The endpoint is for POST, and reads nothing from the query."""
    answer = site.get("/oauth2/token")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    text = f"?grant_type=client_credentials&client_id={site.m}&client_secret={site.m_secret}"
    assert error(site.post(f"/oauth2/token{text}", {"x": "y"})) == INVALID_REQUEST


def test_t33_json_body(site: Site):
    """A JSON body is no form."""
    form = {"grant_type": "client_credentials", "client_id": site.m, "client_secret": site.m_secret}
    assert error(site.http.post(f"{site.base}/oauth2/token", json=form)) == INVALID_REQUEST
    assert error(site.http.post(f"{site.base}/oauth2/token")) == INVALID_REQUEST


def test_malformed_forms(site: Site):
    """Repeated parameters, broken UTF-8, too many parameters and too long bodies are refused."""
    url, kind = f"{site.base}/oauth2/token", {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    start = f"grant_type=client_credentials&client_id={site.m}&client_secret={site.m_secret}"
    assert site.http.post(url, content=start, headers=kind).status_code == 200
    for text in (f"{start}&client_id={site.m}", f"{start}&scope=%ff", start + "&a=b" * 200):
        assert error(site.http.post(url, content=text, headers=kind)) == INVALID_REQUEST
    answer = site.http.post(url, content=start + "&x=" + "y" * 200_000, headers=kind)
    assert (answer.status_code, answer.json()) == (413, INVALID_REQUEST)


def test_t34_headers_of_errors(site: Site):
    """Errors carry the headers of the domain and are open to scripts."""
    answer = site.refresh("x")
    assert answer.headers["cache-control"] == "no-cache, no-store, max-age=0, must-revalidate"
    assert answer.headers["expires"] == "0"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "x-amz-cognito-request-id" in answer.headers


@pytest.mark.parametrize("operation", ["AdminDisableUser", "AdminDeleteUser"])
def test_code_of_somebody_gone(site: Site, call, operation: str):
    """A code of a disabled or deleted user gives nothing."""
    code = site.code()
    call(operation, UserPoolId=site.pool_id, Username=site.username)
    assert error(site.redeem(code)) == INVALID_GRANT


def test_the_scopes_of_a_code_are_kept(site: Site):
    """The tokens have the scopes that were authorized, whatever the token request says."""
    answer = site.redeem(site.code(scope="openid rs/read"), scope="openid email phone")
    assert claims(answer.json()["access_token"])["scope"] == "openid rs/read"


def test_a_code_is_not_guessable_from_its_row(site: Site):
    """What is stored of a code does not give the code away."""
    code = query(site.authorize().headers["location"]).get("code") or site.code()
    from poolhouse.flows.authorization_answers import code_digest
    from poolhouse.flows.calls import Origin, PublicCall

    deps = site.server.deps
    digest = code_digest(PublicCall(deps=deps, now=0, origin=Origin(request_id="")), code)
    stored, spent_on = site.server.read(lambda tx: tx.authorization_codes.find(digest))
    assert spent_on is None
    assert code not in str(stored)
