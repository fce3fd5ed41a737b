"""The console over HTTP: who may come in, and what its pages do."""

import contextlib
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.conftest import free_port, make_settings
from tests.console.conftest import OPERATOR, OPERATOR_PASSWORD, create_pool, csrf_of, sign_in


def test_strangers_are_sent_to_the_login_page(server, operator):
    """Without a session every page of the console leads to managed login, and none shows anything."""
    with httpx.Client(base_url=server.url) as stranger:
        for path in ("/console/", "/console/pools/new", "/console/pools/us-east-1_AAAAAAAAA/users"):
            answer = stranger.get(path)
            target = urlsplit(answer.headers["location"])
            assert answer.status_code == 302
            assert target.path == "/auth/poolhouse-console/oauth2/authorize"
            assert parse_qs(target.query)["code_challenge_method"] == ["S256"]


def test_operator_signs_in_through_managed_login(browser):
    """An operator sees the list of pools after signing in on the managed login page."""
    page = browser.get("/console/")

    assert page.status_code == 200
    assert "<h1>User pools</h1>" in page.text
    assert OPERATOR in page.text


def test_wrong_password_does_not_let_in(server, operator):
    """A wrong password leaves the visitor at the login page."""
    with contextlib.closing(sign_in(server, OPERATOR, "not-the-password-at-all")) as browser:
        assert urlsplit(str(browser.get("/console/").url)).path == "/auth/poolhouse-console/login"


def test_callback_of_another_browser_is_refused(server, browser):
    """A code that another browser started with gives no session (login CSRF)."""
    with httpx.Client(base_url=server.url) as victim:
        answer = victim.get("/console/callback?code=11111111-1111-4111-8111-111111111111&state=x")

    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


def test_forms_need_the_token_of_the_session(browser):
    """A form without the session's token changes nothing (CSRF)."""
    answer = create_pool(browser, csrf="0")

    assert answer.status_code == 403
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_pages_forbid_inline_code_and_framing(browser):
    """Every page carries a strict policy."""
    headers = browser.get("/console/").headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"


def test_create_user_pool_sets_what_the_dialog_says(browser, call):
    """The dialog makes pool, domain, client and style, and shows how to set up the application."""
    page = create_pool(browser)
    pool_id, client_id = re.search(r"/pools/([^/]+)/clients/([^/]+)/setup", str(page.url)).groups()

    pool = call("DescribeUserPool", UserPoolId=pool_id)["UserPool"]
    client = call("DescribeUserPoolClient", UserPoolId=pool_id, ClientId=client_id)["UserPoolClient"]
    required = {entry["Name"] for entry in pool["SchemaAttributes"] if entry["Required"]}
    assert page.status_code == 200
    assert pool["UsernameAttributes"] == ["email"]
    assert pool["Domain"] == pool_id.lower().replace("_", "")
    assert required == {"sub", "email", "name"}
    assert client["CallbackURLs"] == ["https://app.example/cb"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["ClientSecret"] in page.text
    call("DescribeManagedLoginBrandingByClient", UserPoolId=pool_id, ClientId=client_id)


def test_failed_creation_leaves_nothing_behind(browser, call):
    """A return URL that the API refuses is said on the form, and no pool stays."""
    before = {pool["Id"] for pool in call("ListUserPools", MaxResults=60)["UserPools"]}

    page = create_pool(browser, return_url="http://app.example/cb")

    after = {pool["Id"] for pool in call("ListUserPools", MaxResults=60)["UserPools"]}
    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert 'value="http://app.example/cb"' in page.text
    assert after == before


def test_client_page_folds_the_secret_away(browser):
    """The page of a client shows the login page's URL and keeps the secret in a closed disclosure."""
    setup = str(create_pool(browser).url)
    page = browser.get(setup.removesuffix("/setup"))

    assert '<details class="secret">' in page.text
    assert "/login?client_id=" in page.text
    assert (
        "response_type=code&amp;scope=email+openid+phone&amp;redirect_uri=https%3A%2F%2Fapp.example%2Fcb" in page.text
    )


def test_further_app_clients(browser, call):
    """Another app client is made as the dialog says; one that fails leaves nothing behind."""
    pool_id = re.search(r"/pools/([^/]+)/", str(create_pool(browser).url))[1]
    path = f"/console/pools/{pool_id}/clients/new"
    form = {"csrf": csrf_of(browser.get(path)), "application_type": "machine", "client_name": "Nightly job"}

    made = browser.post(path, data=form)
    refused = browser.post(path, data=form | {"application_type": "spa", "return_url": "http://app.example/"})

    clients = call("ListUserPoolClients", UserPoolId=pool_id)["UserPoolClients"]
    assert "Set up your machine-to-machine application" in made.text
    assert refused.status_code == 400
    assert {client["ClientName"] for client in clients} == {"Shop", "Nightly job"}


def test_editing_keeps_what_the_form_does_not_show(browser, call):
    """Saving other URLs changes nothing else of an app client."""
    page = create_pool(browser)
    pool_id, client_id = re.search(r"/pools/([^/]+)/clients/([^/]+)/setup", str(page.url)).groups()
    before = call("DescribeUserPoolClient", UserPoolId=pool_id, ClientId=client_id)["UserPoolClient"]
    path = f"/console/pools/{pool_id}/clients/{client_id}/edit"
    form = {"csrf": csrf_of(browser.get(path)), "client_name": "Shop", "callback_urls": "https://b.example/cb"}

    browser.post(path, data=form)

    after = call("DescribeUserPoolClient", UserPoolId=pool_id, ClientId=client_id)["UserPoolClient"]
    assert after["CallbackURLs"] == ["https://b.example/cb"]
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == {"CallbackURLs", "LastModifiedDate"}


def test_users_are_created_and_found(browser, inbox):
    """A user created in the console gets an invitation and is found by the beginning of the address."""
    pool_id = re.search(r"/pools/([^/]+)/", str(create_pool(browser).url))[1]
    path = f"/console/pools/{pool_id}/users"
    form = {"csrf": csrf_of(browser.get(f"{path}/new")), "email": "gina@example.org", "email_verified": "on"}

    made = browser.post(f"{path}/new", data=form | {"invitation": "EMAIL"})
    again = browser.post(f"{path}/new", data=form | {"invitation": "EMAIL"})

    assert made.status_code == 200
    assert "gina@example.org" in browser.get(path, params={"by": "email", "text": "gi"}).text
    assert "No user matches" in browser.get(path, params={"by": "email", "text": 'x" or'}).text
    assert inbox("gina@example.org")[-1].code
    assert again.status_code == 400
    assert "An account with the given email already exists." in again.text


def test_unknown_pool_is_not_found(browser):
    """A pool that is not there, or of another Region, is said to be missing."""
    assert browser.get("/console/pools/us-east-1_AAAAAAAAA").status_code == 404
    assert browser.get("/console/pools/nonsense").status_code in {400, 404}


def test_signing_out_ends_both_sessions(browser):
    """After signing out the console asks for the password again."""
    csrf = csrf_of(browser.get("/console/"))

    page = browser.post("/console/sign-out", data={"csrf": csrf})

    assert "You are signed out" in page.text
    assert urlsplit(str(browser.get("/console/").url)).path == "/auth/poolhouse-console/login"


def test_removed_operator_is_out_at_once(server):
    """A session ends with the operator's account."""
    from poolhouse.flows import operators

    server.run(operators.ensure_operator(server.deps, "leaver@example.org", OPERATOR_PASSWORD))
    with contextlib.closing(sign_in(server, "leaver@example.org", OPERATOR_PASSWORD)) as browser:
        assert browser.get("/console/").status_code == 200
        server.run(operators.remove(server.deps, "leaver@example.org"))
        assert urlsplit(str(browser.get("/console/").url)).path == "/auth/poolhouse-console/login"


def test_set_up_link_works_once(server):
    """The one-time link makes one operator; a forged or used one makes none."""
    from poolhouse.flows import operators

    link = urlsplit(server.run(operators.invite(server.deps)))
    token = parse_qs(link.query)["token"][0]
    with httpx.Client(base_url=server.url, follow_redirects=True) as browser:
        assert browser.get(f"{link.path}?{link.query}").status_code == 200
        form = {"token": token, "email": "second@example.org", "password": OPERATOR_PASSWORD}
        short = browser.post("/console/welcome", data=form | {"password": "short"})
        first = browser.post("/console/welcome", data=form)
        second = browser.post("/console/welcome", data=form | {"email": "third@example.org"})
        forged = browser.post("/console/welcome", data=form | {"token": token[:-4] + "AAAA"})

    assert short.status_code == 400
    assert first.status_code == 200
    assert "This link was used already." in second.text
    assert forged.status_code == 400
    assert "third@example.org" not in server.run(operators.list_operators(server.deps))


def test_built_in_pool_is_hidden_from_the_api(server, call, cognito):
    """No operation of the API sees the pool of operators."""
    from poolhouse.flows.operators import operators_pool_id

    pool_id = operators_pool_id(server.deps)
    pools = call("ListUserPools", MaxResults=60)["UserPools"]

    assert pool_id not in {pool["Id"] for pool in pools}
    for operation in ("DescribeUserPool", "ListUsers", "ListUserPoolClients", "DeleteUserPool"):
        with pytest.raises(cognito.exceptions.ResourceNotFoundException):
            call(operation, UserPoolId=pool_id)
    assert call("DescribeUserPoolDomain", Domain="poolhouse-console")["DomainDescription"] == {}


def test_operator_of_the_settings_is_made_at_start(tmp_path, rsa_keys):
    """POOLHOUSE_OPERATOR_EMAIL and its password make the first operator; where there is none, the console says how to begin."""
    from poolhouse.flows import operators
    from tests.conftest import Server

    settings = make_settings(
        f"sqlite:///{tmp_path}/poolhouse.db",
        tmp_path,
        port=free_port(),
        operator_email=OPERATOR,
        operator_password=OPERATOR_PASSWORD,
    )
    server = Server(settings)
    server.start()
    try:
        with contextlib.closing(sign_in(server, OPERATOR, OPERATOR_PASSWORD)) as browser:
            assert browser.get("/console/").status_code == 200
            server.run(operators.remove(server.deps, OPERATOR))
            page = browser.get("/console/")
            assert (page.status_code, "poolhouse operators invite" in page.text) == (403, True)
            assert "default-src 'none'" in page.headers["content-security-policy"]
    finally:
        server.stop()
