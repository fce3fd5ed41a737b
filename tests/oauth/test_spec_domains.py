"""Domains with hosts to themselves, over https, as browsers see them (spec/http/01 §1.1–1.5, 03 §3.10)."""

import itertools
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from tests.conftest import PASSWORD, Server, make_settings
from tests.login.pages import Page
from tests.oauth.conftest import CALLBACK, LOGOUT, OAUTH_CLIENT, claims, query

PUBLIC = "https://id.test.example"
PARENT = "auth.test.example"
CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-4000-8000-000000000000"
USER = "ann@example.com"
_numbers = itertools.count(1)
DAY = r"\w{3}, \d\d-\w{3}-\d{4} [\d:]{8} GMT"


class ToServer(httpx.BaseTransport):
    """A proxy that ends TLS: whatever the host, requests go to the one server, with their ``Host`` as it was."""

    def __init__(self, server: Server) -> None:
        self._port = server.settings.port
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return self._inner.handle_request(
            httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        )


@pytest.fixture(scope="module")
def https_server(rsa_keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A strict server behind https, with a parent for prefix domains."""
    directory = tmp_path_factory.mktemp("https")
    settings = make_settings(
        f"sqlite:///{directory}/poolhouse.db", directory, public_url=PUBLIC, auth_domain=PARENT, strict=True
    )
    server = Server(settings)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cognito(https_server: Server):
    """boto3 at that server, which is reached by its port."""
    return https_server.boto(endpoint_url=f"http://127.0.0.1:{https_server.settings.port}")


@pytest.fixture
def browser(https_server: Server) -> Iterator[httpx.Client]:
    """A browser that keeps cookies by the rules of hosts and paths, and follows nothing."""
    with httpx.Client(transport=ToServer(https_server)) as client:
        yield client


@pytest.fixture
def pool_id(cognito) -> str:
    """A pool with one user."""
    made = cognito.create_user_pool(PoolName="p", UsernameAttributes=["email"], AutoVerifiedAttributes=["email"])
    pool_id = made["UserPool"]["Id"]
    verified = [{"Name": "email", "Value": USER}, {"Name": "email_verified", "Value": "true"}]
    cognito.admin_create_user(UserPoolId=pool_id, Username=USER, MessageAction="SUPPRESS", UserAttributes=verified)
    cognito.admin_set_user_password(UserPoolId=pool_id, Username=USER, Password=PASSWORD, Permanent=True)
    return pool_id


@pytest.fixture
def client_id(cognito, pool_id: str) -> str:
    """An app client of it with a style."""
    settings = OAUTH_CLIENT | {"AllowedOAuthScopes": ["openid", "email"]}
    client = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="c", **settings)["UserPoolClient"]
    cognito.create_managed_login_branding(
        UserPoolId=pool_id, ClientId=client["ClientId"], UseCognitoProvidedValues=True
    )
    return client["ClientId"]


def add_prefix(cognito, pool_id: str) -> str:
    """Give the pool a prefix domain; return its name."""
    name = f"shop-{next(_numbers)}"
    cognito.create_user_pool_domain(UserPoolId=pool_id, Domain=name, ManagedLoginVersion=2)
    return name


def add_custom(cognito, pool_id: str) -> str:
    """Give the pool a custom domain; return its name."""
    name = f"login-{next(_numbers)}.shop.example"
    cognito.create_user_pool_domain(
        UserPoolId=pool_id, Domain=name, ManagedLoginVersion=2, CustomDomainConfig={"CertificateArn": CERTIFICATE}
    )
    return name


def ask(client_id: str, **changes: str) -> str:
    """The query of an authorization request."""
    parameters = {"client_id": client_id, "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid email"}
    return "?" + urlencode(parameters | changes)


def sign_in(browser: httpx.Client, base: str, client_id: str) -> httpx.Response:
    """Go from the application to the sign-in page and send the form."""
    moved = browser.get(f"{base}/oauth2/authorize{ask(client_id)}")
    assert moved.headers["location"] == f"{base}/login{ask(client_id)}"
    page = Page(browser.get(moved.headers["location"]))
    url = str(httpx.URL(base).join(page.form.action))
    return browser.post(url, data=page.form.values | {"username": USER, "password": PASSWORD})


def cookie(answer: httpx.Response, name: str) -> list[str]:
    return [line for line in answer.headers.get_list("set-cookie") if line.startswith(f"{name}=")]


def document(browser: httpx.Client, pool_id: str) -> dict:
    return browser.get(f"{PUBLIC}/{pool_id}/.well-known/openid-configuration").json()


def test_sign_in_at_the_prefix_domain(browser, cognito, pool_id: str, client_id: str):
    """On its own host over https a domain has Cognito's URLs and cookies to the letter, from discovery to sign-out."""
    host = f"{add_prefix(cognito, pool_id)}.{PARENT}"
    base = f"https://{host}"
    found = document(browser, pool_id)
    assert found["issuer"] == f"{PUBLIC}/{pool_id}"
    assert found["authorization_endpoint"] == f"{base}/oauth2/authorize"
    assert found["end_session_endpoint"] == f"{base}/logout"

    first = browser.get(f"{base}/login{ask(client_id)}")
    [fresh] = cookie(first, "XSRF-TOKEN")
    assert re.fullmatch(r"XSRF-TOKEN=[0-9a-f-]{36}; Path=/; Secure; HttpOnly; SameSite=Lax", fresh)

    done = sign_in(browser, base, client_id)
    [session] = cookie(done, "cognito")
    value = r'(?:[\w-]+|"[\w=-]+"; Version=1)'
    expected = rf"cognito={value}; Domain={host}; Max-Age=3600; Expires={DAY}; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert re.fullmatch(expected, session)
    cleared, new = cookie(done, "XSRF-TOKEN")
    assert cleared == ('XSRF-TOKEN=""; Expires=Thu, 01-Jan-1970 00:00:10 GMT; Path=/; Secure; HttpOnly; SameSite=Lax')
    assert re.fullmatch(r"XSRF-TOKEN=[0-9a-f-]{36}; Path=/; Secure; HttpOnly; SameSite=Lax", new)

    code = query(done.headers["location"])["code"]
    form = {"grant_type": "authorization_code", "client_id": client_id, "redirect_uri": CALLBACK, "code": code}
    tokens = browser.post(f"{base}/oauth2/token", data=form).json()
    assert claims(tokens["id_token"])["iss"] == found["issuer"]
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert browser.get(f"{base}/oauth2/userInfo", headers=bearer).json()["email"] == USER

    assert browser.get(f"{base}/oauth2/authorize{ask(client_id)}").headers["location"].startswith(CALLBACK)
    out = browser.get(f"{base}/logout?" + urlencode({"client_id": client_id, "logout_uri": LOGOUT}))
    assert out.headers["location"] == LOGOUT
    assert cookie(out, "cognito") == [
        f'cognito=""; Domain={host}; Expires=Thu, 01-Jan-1970 00:00:10 GMT; Path=/; Secure; HttpOnly; SameSite=Lax'
    ]
    assert browser.get(f"{base}/oauth2/authorize{ask(client_id)}").headers["location"].startswith(f"{base}/login?")


def test_d5_both_domains_work(browser, cognito, pool_id: str, client_id: str):
    """With both kinds of domain both sign in, each with a session of its own; discovery names the custom one only."""
    prefix, custom = f"https://{add_prefix(cognito, pool_id)}.{PARENT}", f"https://{add_custom(cognito, pool_id)}"
    found = document(browser, pool_id)
    named = {urlsplit(value).hostname for name, value in found.items() if name.endswith("endpoint")}
    assert named == {urlsplit(custom).hostname}
    done = sign_in(browser, custom, client_id)
    assert f"Domain={urlsplit(custom).hostname};" in cookie(done, "cognito")[0]
    assert browser.get(f"{custom}/oauth2/authorize{ask(client_id)}").headers["location"].startswith(CALLBACK)
    other = sign_in(browser, prefix, client_id)
    assert other.headers["location"].startswith(CALLBACK)
    pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
    assert (f"https://{pool['Domain']}.{PARENT}", f"https://{pool['CustomDomain']}") == (prefix, custom)


def test_by_path_cookies_stay_below_the_domain(browser, cognito, pool_id: str, client_id: str):
    """The form by path works as well, its cookies are below ``/auth/<domain>`` and for no other host."""
    name = add_prefix(cognito, pool_id)
    base = f"{PUBLIC}/auth/{name}"
    done = sign_in(browser, base, client_id)
    [session] = cookie(done, "cognito")
    assert re.search(rf"; Max-Age=3600; Expires={DAY}; Path=/auth/{name}; Secure; HttpOnly; SameSite=Lax$", session)
    assert "Domain" not in session
    assert browser.get(f"{base}/oauth2/authorize{ask(client_id)}").headers["location"].startswith(CALLBACK)
    host = f"https://{name}.{PARENT}"
    assert browser.get(f"{host}/oauth2/authorize{ask(client_id)}").headers["location"].startswith(f"{host}/login")


def test_session_cookie_reaches_subdomains(browser, cognito, pool_id: str, client_id: str):
    """The SSO cookie goes to subdomains as Cognito's does; another pool there finds it worthless (spec/http/01 §1.3)."""
    custom = add_custom(cognito, pool_id)
    sign_in(browser, f"https://{custom}", client_id)
    other = cognito.create_user_pool(PoolName="q")["UserPool"]["Id"]
    cognito.create_user_pool_domain(
        UserPoolId=other,
        Domain=f"uk.{custom}",
        ManagedLoginVersion=2,
        CustomDomainConfig={"CertificateArn": CERTIFICATE},
    )
    settings = OAUTH_CLIENT | {"AllowedOAuthScopes": ["openid", "email"]}
    client = cognito.create_user_pool_client(UserPoolId=other, ClientName="c", **settings)["UserPoolClient"]
    asked = browser.build_request("GET", f"https://uk.{custom}/oauth2/authorize{ask(client['ClientId'])}")
    assert "cognito=" in asked.headers["cookie"]
    assert browser.send(asked).headers["location"].startswith(f"https://uk.{custom}/login?")


def test_d4_strict_mode_over_the_wire(browser, cognito, pool_id: str):
    """The strict server's document has the members of Cognito's, in their order, and none of ours."""
    add_prefix(cognito, pool_id)
    assert list(document(browser, pool_id)) == [
        "authorization_endpoint",
        "end_session_endpoint",
        "id_token_signing_alg_values_supported",
        "issuer",
        "jwks_uri",
        "response_types_supported",
        "revocation_endpoint",
        "scopes_supported",
        "subject_types_supported",
        "token_endpoint",
        "token_endpoint_auth_methods_supported",
        "userinfo_endpoint",
    ]


def test_a35_strict_mode_over_the_wire(browser, cognito, pool_id: str, client_id: str):
    """The strict server takes authorization requests by GET, and HEAD, only."""
    base = f"https://{add_prefix(cognito, pool_id)}.{PARENT}"
    form = dict(parse_qsl(ask(client_id)[1:]))
    refused = browser.post(f"{base}/oauth2/authorize", data=form)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert browser.get(f"{base}/oauth2/authorize{ask(client_id)}").status_code == 302


def test_changes_of_domains_show_at_once(browser, cognito, pool_id: str, client_id: str):
    """A domain that was taken away is gone at once, from its host and from discovery (spec/http/01 §1.2)."""
    prefix, custom = add_prefix(cognito, pool_id), add_custom(cognito, pool_id)
    assert browser.get(f"https://{custom}/login{ask(client_id)}").status_code == 200
    cognito.delete_user_pool_domain(UserPoolId=pool_id, Domain=custom)
    gone = browser.get(f"https://{custom}/login{ask(client_id)}")
    assert (gone.status_code, gone.headers["content-type"]) == (404, "application/json")
    assert document(browser, pool_id)["token_endpoint"] == f"https://{prefix}.{PARENT}/oauth2/token"
    cognito.delete_user_pool_domain(UserPoolId=pool_id, Domain=prefix)
    assert document(browser, pool_id)["token_endpoint"] == f"{PUBLIC}/{pool_id}/token"


def test_links_in_mail_lead_to_the_domain(browser, cognito, pool_id: str, client_id: str, https_server: Server):
    """The link that confirms names the canonical domain, and works as it stands."""
    template = {"DefaultEmailOption": "CONFIRM_WITH_LINK"}
    cognito.update_user_pool(UserPoolId=pool_id, AutoVerifiedAttributes=["email"], VerificationMessageTemplate=template)
    prefix = add_prefix(cognito, pool_id)
    name = "ann+link&x@example.com"
    cognito.sign_up(ClientId=client_id, Username=name, Password=PASSWORD)
    [message] = https_server.read(lambda tx: tx.outbox.list(to=name))
    link = re.search(r"href=[\"']?([^\"' >]+)", message.body)[1].replace("&amp;", "&")
    assert link.startswith(f"https://{prefix}.{PARENT}/confirmUser?client_id={client_id}&user_name=")
    assert list(query(link)) == ["client_id", "user_name", "confirmation_code"]
    assert browser.head(link).status_code == 405
    page = browser.get(link)
    assert page.status_code == 200
    assert "Your registration has been confirmed!" in page.text
    found = cognito.admin_get_user(UserPoolId=pool_id, Username=name)
    assert found["UserStatus"] == "CONFIRMED"
    assert {"Name": "email_verified", "Value": "true"} in found["UserAttributes"]
