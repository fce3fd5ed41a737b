"""What a pool asks of its identity providers, and what it makes of their answers."""

import json
import logging
from urllib.parse import parse_qsl, urlsplit

import pytest

from poolhouse.providers import ProviderRefused
from poolhouse.providers.http import MOST_BYTES
from tests.certificates import self_signed
from tests.federation.conftest import BACK, NONCE
from tests.federation.provider import CLIENT_ID, CLIENT_SECRET, PEOPLE, Answer, Provider
from tests.oauth.conftest import Site, http, site

__all__ = ["http", "site"]


def test_openid_connect(desk, provider: Provider):
    """A sign-in gives the token response, the ID token's claims and the user info; keys are read for each token."""
    myidp = desk()

    said = myidp.fetch()
    myidp.fetch()

    assert said.id_token["sub"] == "AbC"
    assert said.id_token["nonce"] == NONCE
    assert said.user_info == PEOPLE["OIDC"]
    assert said.token_response["token_type"] == "Bearer"
    roles = [request.role for request in provider.requests]
    assert roles == ["discovery", "token", "jwks", "userinfo", "token", "jwks", "userinfo"]
    token = provider.asked("token")[0]
    assert token.method == "POST"
    assert token.query == {}
    assert "authorization" not in token.headers
    assert token.form["client_secret"] == CLIENT_SECRET
    assert token.form["grant_type"] == "authorization_code"
    for request in provider.requests:
        assert request.headers["user-agent"] == "Amazon/Cognito"
        assert request.headers["accept-encoding"] == "identity"
    assert len({request.headers["x-amz-cognito-request-id"] for request in provider.requests}) == 7


def test_given_addresses(desk, provider: Provider):
    """Addresses of the details are used as they are, without discovery, and user info is asked for as they say."""
    urls = {"authorize_url": "authorize", "token_url": "token", "attributes_url": "userinfo", "jwks_uri": "jwks"}
    given = {key: f"{provider.url}/{path}" for key, path in urls.items()}
    myidp = desk(**given, attributes_request_method="POST")

    myidp.url()
    myidp.fetch()

    assert [request.role for request in provider.requests] == ["token", "jwks", "userinfo"]
    assert provider.asked("userinfo")[0].method == "POST"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("OIDC", ["login_hint", "prompt", "acr_values", "nonce"]),
        ("Google", ["prompt", "nonce"]),
        ("Facebook", ["prompt"]),
        ("LoginWithAmazon", ["prompt"]),
        ("SignInWithApple", ["prompt", "nonce", "response_mode"]),
    ],
)
def test_authorization_url(desk, provider: Provider, kind: str, expected: list[str]):
    """The browser's request has its parameters in Cognito's order, and each type those that it knows."""
    there = desk(kind)

    url = there.url(login_hint="a@b.example", prompt="none select_account", acr_values="gold")

    asked = dict(parse_qsl(urlsplit(url).query))
    assert list(asked) == ["client_id", "redirect_uri", "scope", "response_type", "state", *expected]
    assert asked["scope"] == provider.details(kind)["authorize_scopes"]
    assert (asked["client_id"], asked["redirect_uri"], asked["state"]) == (CLIENT_ID, BACK, "s 1")
    assert asked["prompt"] == "select_account"
    assert asked.get("response_mode", "form_post") == "form_post"
    if kind == "Facebook":
        assert "&scope=public_profile%2C+email&" in url
    assert "prompt" not in there.url(prompt="none")


def test_google(desk, provider: Provider):
    """Google's ID token may name it without a scheme; its People API is asked for fields of its own only, if any."""
    provider.person, provider.profile = PEOPLE["Google"], {"birthdays": [{"text": "x"}], "email": "unasked"}
    provider.claims = {"iss": "accounts.google.com"}

    said = desk("Google", mapping={"username": "sub", "email": "email", "birthdate": "birthdays"}).fetch()
    desk("Google", mapping={"username": "sub", "email": "email"}).fetch()

    assert said.id_token["email"] == "ann@gmail.example"
    assert said.user_info == {"birthdays": [{"text": "x"}]}
    assert [request.query for request in provider.asked("userinfo")] == [{"personFields": "birthdays"}]


def test_facebook(desk, provider: Provider):
    """Facebook's token is by GET, and who signed in is what it tells of the mapped fields."""
    provider.person = PEOPLE["Facebook"]

    said = desk("Facebook", mapping={"username": "id", "email": "email", "custom:t": "access_token"}).fetch(nonce=None)

    assert said.user_info == {"id": "2077", "email": "ann@facebook.example"}
    assert said.id_token == {}
    assert [(asked.method, asked.path) for asked in provider.requests] == [
        ("GET", "/v17.0/oauth/access_token"),
        ("GET", "/v17.0/me"),
    ]


def test_amazon(desk, provider: Provider):
    """Who signed in at Amazon is in the profile, whose address is used as it is."""
    provider.person = PEOPLE["LoginWithAmazon"]

    said = desk("LoginWithAmazon", mapping={"username": "user_id", "email": "email"}).fetch(nonce=None)

    assert said.user_info["user_id"] == "amzn1.account.K2"
    assert provider.asked("userinfo")[0].query == {}


@pytest.mark.parametrize("bare", [False, True])
def test_apple(desk, provider: Provider, bare: bool):
    """Apple's client secret is signed with the key of its file; the name beside the code is taken, no address is."""
    provider.person = PEOPLE["SignInWithApple"]
    key = provider.details("SignInWithApple")["private_key"]
    changes = {"private_key": "".join(key.split("\n")[1:-2])} if bare else {}
    user = {"name": {"firstName": "Ann", "lastName": "Lee", "x": 1}, "email": "victim@example.com"}

    said = desk("SignInWithApple", **changes).fetch(user=json.dumps(user))

    assert said.id_token["sub"] == PEOPLE["SignInWithApple"]["sub"]
    assert said.user_info == {"firstName": "Ann", "lastName": "Lee", "name": "Ann Lee"}
    assert provider.asked("userinfo") == []


@pytest.mark.parametrize("user", ["", "null", "[]", "{", '{"name":"Ann"}', '{"name":{"firstName":7}}', "[" * 5000])
def test_apple_names_of_no_use(desk, provider: Provider, user: str):
    """What is posted beside a code may be anything."""
    provider.person = PEOPLE["SignInWithApple"]

    assert desk("SignInWithApple").fetch(user=user).user_info == {}


def test_apple_key_of_no_use(desk, provider: Provider):
    """A private key that is none ends the sign-in, and nothing is sent."""
    refusal = desk("SignInWithApple", private_key="bm8ga2V5").refusal()

    assert refusal == "invalid_request: SignInWithApple Error - the private key cannot be used"
    assert provider.requests == []


STANDARD = {"error": "invalid_request", "error_description": "The request is missing a required parameter : x\r\ny"}


@pytest.mark.parametrize(
    ("kind", "answer", "told"),
    [
        ("OIDC", Answer(500, b"<html>"), "MyIdP Error - 500 error getting token"),
        ("OIDC", Answer(401, {"error": "invalid_client"}), "MyIdP Error - 401 invalid_client error getting token"),
        ("OIDC", Answer(200, {"error": "bad", "access_token": "x"}), "MyIdP Error - 200 bad error getting token"),
        ("OIDC", Answer(200, b"not JSON"), "MyIdP Error - 200 error getting token"),
        ("OIDC", Answer(200, b"[" * 100_000), "MyIdP Error - 200 error getting token"),
        ("OIDC", Answer(200, {"access_token": "a\r\nb"}), "MyIdP Error - 200 error getting token"),
        ("OIDC", Answer(200, b" " * (MOST_BYTES + 1)), "MyIdP Error - error getting token"),
        ("OIDC", Answer(307, headers={"Location": "/elsewhere"}), "MyIdP Error - 307 error getting token"),
        ("OIDC", Answer(200, {"access_token": "x"}), "Bad id_token"),
        (
            "Google",
            Answer(400, {"error": "invalid_grant", "error_description": "No"}),
            "Google Error - 400 invalid_grant",
        ),
        (
            "Facebook",
            Answer(400, {"error": {"type": "OAuthException", "message": "No."}}),
            "Facebook Error - 400 OAuthException No.",
        ),
        (
            "LoginWithAmazon",
            Answer(400, STANDARD),
            "LoginWithAmazon Error - 400 invalid_request The request is missing a required parameter : x  y",
        ),
    ],
)
def test_token_errors(desk, provider: Provider, kind: str, answer: Answer, told: str):
    """What the token endpoint says in the place of a token reaches the application, with the provider's name."""
    provider.answers["token"] = answer

    assert desk(kind).refusal() == f"invalid_request: {told}"
    assert len(provider.asked("token")) == 1
    assert provider.asked("nothing") == []


def test_codes_count_once(desk, provider: Provider):
    """A code that the provider does not know, or no more, signs nobody in."""
    myidp = desk()
    code = provider.code(BACK, NONCE)
    myidp.fetch(code=code)

    assert myidp.refusal(code=code) == "invalid_request: MyIdP Error - 400 invalid_grant Bad Request"


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("discovery", "Unable to contact well-known endpoint"),
        ("token", "Timeout occurred in calling IdP token endpoint"),
        ("jwks", "error_description=Timeout in calling jwks uri"),
        ("userinfo", "Timeout occurred in calling IdP userInfo endpoint"),
    ],
)
def test_slow_providers(desk, provider: Provider, role: str, told: str):
    """A provider that does not answer in time ends the sign-in."""
    provider.answers[role] = Answer(delay=1)

    assert desk(seconds=0.1).refusal() == f"invalid_request: {told}"


@pytest.mark.parametrize(
    ("role", "answer", "told"),
    [
        ("jwks", Answer(404), "MyIdP Error - 404 error getting keys"),
        ("jwks", Answer(200, b" " * (MOST_BYTES + 1)), "MyIdP Error - error getting keys"),
        ("jwks", Answer(200, {"keys": "none"}), "Bad id_token key"),
        ("jwks", Answer(200, {"keys": [7, {}, {"kid": "rsa", "kty": "RSA"}]}), "Bad id_token key"),
        ("userinfo", Answer(500, {"sub": "AbC"}), "MyIdP Error - 500 error getting user info"),
        ("userinfo", Answer(200, b"garbage"), "MyIdP Error - 200 error getting user info"),
        ("userinfo", Answer(302, headers={"Location": "/userinfo"}), "MyIdP Error - 302 error getting user info"),
        ("userinfo", Answer(200, {"sub": "somebody else"}), "Bad user info subject"),
        ("discovery", Answer(500), "Unable to contact well-known endpoint"),
        ("discovery", Answer(200, {"issuer": "https://other.example\n"}), "Bad issuer https://other.example"),
    ],
)
def test_broken_providers(desk, provider: Provider, role: str, answer: Answer, told: str):
    """Answers that are none, or of another, end the sign-in."""
    provider.answers[role] = answer

    assert desk().refusal() == f"invalid_request: {told}"


def test_nobody_listens(desk):
    """A provider that cannot be reached ends the sign-in, before the browser goes there where that shows."""
    gone = desk(oidc_issuer="http://127.0.0.1:9")

    with pytest.raises(ProviderRefused, match="Unable to contact well-known endpoint"):
        gone.url()


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://keys.example/jwks",
        "https://user:password@keys.example/jwks",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https://[::1",
        "https://keys.example/ä",
    ],
)
def test_addresses_that_lead_astray(desk, provider: Provider, address: str):
    """What a provider's document or a redirect names is followed to https only, never to what has no certificate."""
    document = {"issuer": provider.url, "authorization_endpoint": address, "token_endpoint": f"{provider.url}/token"}
    provider.answers["discovery"] = Answer(200, document)
    with pytest.raises(ProviderRefused, match="Unable to contact well-known endpoint"):
        desk().url()

    provider.answers["discovery"] = Answer(302, headers={"Location": address})
    with pytest.raises(ProviderRefused, match="Unable to contact well-known endpoint"):
        desk().url()


def test_public_documents_do_not_lead_into_the_machine(desk, provider: Provider):
    """A provider elsewhere cannot send requests to services of this machine."""
    issuer = "https://idp.example"
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{provider.url}/x",
    }
    provider.answers["discovery"] = Answer(200, document)
    elsewhere = desk(oidc_issuer=issuer)

    assert elsewhere.url().startswith(f"{issuer}/authorize?client_id=")
    assert elsewhere.refusal() == "invalid_request: Unable to contact well-known endpoint"
    assert [request.role for request in provider.requests] == ["discovery"]


def test_public_documents_may_move(desk, provider: Provider):
    """Redirects of keys are followed, twenty at most."""
    moved = desk(jwks_uri=f"{provider.url}/keys")
    provider.answers["nothing"] = Answer(302, headers={"Location": "/jwks"})
    assert moved.fetch().id_token["sub"] == "AbC"

    provider.answers["nothing"] = Answer(302, headers={"Location": "/around"})
    assert moved.refusal() == "invalid_request: MyIdP Error - error getting keys"
    assert len(provider.asked("nothing")) == 1 + 21


def test_certificates(desk, provider: Provider, tmp_path, monkeypatch):
    """A provider by https shows a certificate that this machine trusts, or gets no secret."""
    secure = Provider(self_signed(tmp_path))
    try:
        distrusting = desk(network=True, token_url=f"{secure.url}/token", jwks_uri=f"{secure.url}/jwks")
        assert distrusting.refusal() == "invalid_request: MyIdP Error - error getting token"
        assert secure.requests == []

        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        trusting = desk(network=True, jwks_uri=f"{secure.url}/jwks")
        assert trusting.fetch().id_token["sub"] == "AbC"
        assert [request.role for request in secure.requests] == ["jwks"]
    finally:
        secure.close()


def test_cookies_are_not_kept(desk, provider: Provider):
    """What a provider sets for one user does not come back with the next one's request."""
    myidp = desk()
    provider.answers["token"] = Answer(400, headers={"Set-Cookie": "session=of-one-user; Path=/"})
    myidp.refusal()
    del provider.answers["token"]

    myidp.fetch()

    assert [request.role for request in provider.requests if "cookie" in request.headers] == []


def test_a_provider_that_names_itself(desk, provider: Provider):
    """Who promises to say with each answer who it is (RFC 9207) is not believed without."""
    document = {
        "issuer": provider.url,
        "token_endpoint": f"{provider.url}/token",
        "jwks_uri": f"{provider.url}/jwks",
        "authorization_response_iss_parameter_supported": True,
    }
    provider.answers["discovery"] = Answer(200, document)
    ours = desk()

    assert ours.refusal() == "invalid_request: Bad issuer"
    assert ours.refusal(issuer="https://other.example") == "invalid_request: Bad issuer https://other.example"
    assert provider.asked("token") == []
    assert ours.fetch(issuer=provider.url).id_token


def test_provider_without_user_info(desk, provider: Provider):
    """A provider may tell everything in its ID token."""
    document = {
        "issuer": provider.url,
        "token_endpoint": f"{provider.url}/token",
        "jwks_uri": f"{provider.url}/jwks",
    }
    provider.answers["discovery"] = Answer(200, document)

    said = desk().fetch()

    assert said.id_token["email"] == "ann@example.com"
    assert said.user_info == {}


def test_nothing_secret_is_logged(desk, provider: Provider, caplog):
    """The operator learns which provider failed and how, but no secret, code, token or address of a person."""
    caplog.set_level(logging.DEBUG)
    provider.answers["userinfo"] = Answer(503)
    code = provider.code(BACK, NONCE)

    desk().refusal(code=code)

    told = [record.getMessage() for record in caplog.records if record.name.startswith("poolhouse")]
    assert told == ["identity provider MyIdP of us-east-1_AbCdEfGhI: MyIdP Error - 503 error getting user info"]
    for secret in (CLIENT_SECRET, code, "access-", "ann@example.com"):
        assert secret not in "".join(told)


def test_poolhouse_as_provider(desk, site: Site):
    """A pool of Poolhouse is a provider like any other."""
    client = site.app(GenerateSecret=True, CallbackURLs=[BACK])
    details = {
        "client_id": client["ClientId"],
        "client_secret": client["ClientSecret"],
        "oidc_issuer": site.issuer,
        "authorize_scopes": "openid email",
    }
    there = desk(**details)
    site.sign_in()

    back = site.http.get(there.url(), headers={"cookie": f'cognito="{site.cookie}"'}).headers["location"]
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    said = there.fetch(code=code)

    assert said.id_token["email"] == said.user_info["email"] == site.email
    assert said.id_token["sub"] == said.user_info["sub"]
