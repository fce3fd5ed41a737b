"""The bytes of answers: header sets, methods, and queries that travel unchanged (spec/http/01 §1.4, 02 §2.0, §2.1)."""

import re
from urllib.parse import quote, quote_plus, urlencode, urlsplit

import httpx
import pytest

from tests.oauth.conftest import CALLBACK, LOGOUT, Site, query

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
JSON = "application/json;charset=UTF-8"
HTML = "text/html;charset=UTF-8"
COMMON = {
    "cache-control": "no-cache, no-store, max-age=0, must-revalidate",
    "pragma": "no-cache",
    "strict-transport-security": "max-age=31536000 ; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-xss-protection": "0",
    "server": "Server",
}


def asked(site: Site, **changes: str | None) -> str:
    """The query of an authorization request."""
    parameters = {"response_type": "code", "client_id": site.a, "redirect_uri": CALLBACK, "scope": "openid"} | changes
    return "?" + urlencode({name: value for name, value in parameters.items() if value is not None})


# What is asked, and the status and type of the answer; None for an answer without a body.
ANSWERS = [
    ("GET", "/oauth2/authorize{asked}", 302, None),
    ("GET", "/oauth2/authorize", 302, None),
    ("POST", "/oauth2/authorize", 302, None),
    ("PUT", "/oauth2/authorize", 405, None),
    ("OPTIONS", "/oauth2/authorize", 405, None),
    ("POST", "/oauth2/token", 400, JSON),
    ("GET", "/oauth2/token", 405, None),
    ("DELETE", "/oauth2/token", 405, None),
    ("OPTIONS", "/oauth2/token", 200, None),
    ("GET", "/oauth2/userInfo", 400, JSON),
    ("DELETE", "/oauth2/userInfo", 405, None),
    ("OPTIONS", "/oauth2/userInfo", 200, None),
    ("POST", "/oauth2/revoke", 400, JSON),
    ("GET", "/oauth2/revoke", 405, None),
    ("OPTIONS", "/oauth2/revoke", 200, None),
    ("GET", "/logout", 302, None),
    ("POST", "/logout", 405, None),
    ("GET", "/login{asked}", 200, HTML),
    ("GET", "/login", 302, None),
    ("POST", "/login{asked}", 415, HTML),
    ("DELETE", "/login", 405, None),
    ("OPTIONS", "/login", 405, None),
    ("GET", "/signup{asked}", 200, HTML),
    ("GET", "/forgotPassword{asked}", 200, HTML),
    ("GET", "/confirm{asked}", 302, None),
    ("GET", "/error?error=redirect_mismatch", 400, HTML),
    ("POST", "/error", 405, None),
    ("GET", "/confirmUser", 400, HTML),
    ("GET", "/favicon.ico", 404, JSON),
    ("POST", "/favicon.ico", 404, JSON),
    ("GET", "/static/login/0/login.css", 404, JSON),
    ("GET", "/", 404, JSON),
    ("GET", "", 404, JSON),
    ("GET", "/Login{asked}", 404, JSON),
    ("GET", "/oauth2/login{asked}", 404, JSON),
    ("GET", "/oauth2/logout", 404, JSON),
    ("POST", "/oauth2/introspect", 404, JSON),
    ("POST", "/oauth2/par", 404, JSON),
    ("POST", "/oauth2/register", 404, JSON),
    ("POST", "/oauth2/device_authorization", 404, JSON),
    ("GET", "/.well-known/jwks.json", 404, JSON),
]


@pytest.mark.parametrize(("method", "path", "status", "kind"), ANSWERS)
def test_headers_of_every_answer(site: Site, method: str, path: str, status: int, kind: str | None):
    """Whatever a pool domain answers, it has the whole set of headers, once each; only redirects have no expiry."""
    answer = site.http.request(method, site.base + path.format(asked=asked(site)))
    assert answer.status_code == status, answer.text
    for name, value in COMMON.items():
        assert answer.headers.get_list(name) == [value], name
    [request_id] = answer.headers.get_list("x-amz-cognito-request-id")
    assert UUID.fullmatch(request_id)
    assert answer.headers.get_list("expires") == ([] if status == 302 else ["0"])
    assert answer.headers.get("content-type") == kind
    assert answer.headers["content-length"] == str(len(answer.content))
    assert bool(answer.content) is (kind is not None)
    if status == 302:
        assert urlsplit(answer.headers["location"]).scheme in {"http", "https"}
    if status == 405:
        assert method not in answer.headers["allow"].split(", ")
    if kind == HTML:
        assert answer.headers["content-language"] == "en-US"


def test_headers_of_files(site: Site):
    """Files of the pages may be kept for ever, so they differ in what says the contrary; nothing else is missing."""
    page = site.get("/login" + asked(site)).text
    found = re.findall(r'(?:href|src)="([^"]*/static/[^"]+)"', page)
    kinds = {"css": "text/css;charset=UTF-8", "js": "text/javascript;charset=UTF-8"}
    assert len(found) == 3
    for path in found:
        answer = site.http.get(site.server.url + path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == kinds[path.rpartition(".")[2]]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert not {"pragma", "expires", "set-cookie"} & set(answer.headers)
        for name in COMMON.keys() - {"cache-control", "pragma"}:
            assert answer.headers[name] == COMMON[name]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"grant_type": "authorization_code", "client_id": "nosuch"},
        {"grant_type": "password", "client_id": "{a}"},
        {"grant_type": "client_credentials", "client_id": "{a}"},
        {"grant_type": "refresh_token", "client_id": "{a}", "refresh_token": "x"},
        {"grant_type": "client_credentials", "client_id": "{m}", "client_secret": "{secret}", "scope": "nosuch/x"},
    ],
)
def test_t34_headers_of_every_token_error(site: Site, form: dict[str, str]):
    """Each refusal of the token endpoint is 400 and JSON, with the domain's headers, and open to scripts."""
    answer = site.post(
        "/oauth2/token",
        {name: value.format(a=site.a, m=site.m, secret=site.m_secret) for name, value in form.items()},
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == JSON
    assert {name: answer.headers[name] for name in COMMON} == COMMON
    assert answer.headers["expires"] == "0"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.content == b'{"error":"%s"}' % answer.json()["error"].encode()


def test_success_of_the_token_endpoint(site: Site):
    """Tokens come with the same headers, and are not to be kept."""
    answer = site.machine()
    assert answer.headers["content-type"] == JSON
    assert {name: answer.headers[name] for name in COMMON} == COMMON
    assert answer.headers["expires"] == "0"
    assert answer.content.startswith(b'{"access_token":"')
    assert answer.content.endswith(b'","expires_in":3600,"token_type":"Bearer"}')


@pytest.mark.parametrize(
    "path",
    [
        "/oauth2/authorize{asked}",
        "/login{asked}",
        "/signup{asked}",
        "/forgotPassword{asked}",
        "/logout?client_id={a}&logout_uri=https://app.example/out",
        "/error?error=x",
        "/oauth2/userInfo",
        "/favicon.ico",
    ],
)
def test_head_answers_as_get_does(site: Site, path: str):
    """HEAD has the status and headers of GET, and no body."""
    url = site.base + path.format(asked=asked(site), a=site.a)
    get, head = site.http.get(url), site.http.head(url)
    assert head.status_code == get.status_code
    assert head.content == b""
    changing = {"x-amz-cognito-request-id", "date", "set-cookie"}
    kept = [{n: v for n, v in answer.headers.items() if n not in changing} for answer in (get, head)]
    assert kept[0] == kept[1]


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/revoke", "/confirmUser"])
def test_head_where_get_is_not(site: Site, path: str):
    """What GET does not answer HEAD does not either; and the link in a message confirms nobody by being tested."""
    assert site.http.head(site.base + path).status_code == 405


def test_head_of_the_documents(site: Site):
    """The documents at the issuer can be asked for without their bodies."""
    for name in ("jwks.json", "openid-configuration"):
        url = f"{site.issuer}/.well-known/{name}"
        get, head = site.http.get(url), site.http.head(url)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(get.content))
        assert head.headers["content-type"] == "application/json"


# Spellings of a query that a rewriting would change.
SPELLINGS = [
    "state=a+b%20c",
    "state=%7E~%2A*%2a",
    "state=%E4%B8%AD%c3%a4",
    "state=%0D%0ASet-Cookie%3A%20x",
    "x=1&x=2&&x=",
    "x&=y&=",
    "x=a=b=c&y=?/:@!$'()*,;",
    "scope=openid%20email&login_hint=a%2Bb%40c.d",
    "x-client-SKU=MSAL.js&x-client-VER=2.0&response_mode=fragment&claims=%7B%22id_token%22%3A%7B%7D%7D",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a1_queries_travel_verbatim(site: Site, spelling: str):
    """To the sign-in page a query goes as it came: encodings, order, repetitions and what nobody understands."""
    head = f"client_id={site.a}&response_type=code&redirect_uri={quote_plus(CALLBACK)}"
    if "scope=" not in spelling:
        head += "&scope=openid"
    for text in (f"{head}&{spelling}", f"{spelling}&{head}"):
        answer = site.get(f"/oauth2/authorize?{text}")
        assert answer.headers["location"] == f"{site.base}/login?{text}"


def test_a1_links_keep_the_query_and_forms_what_counts(site: Site):
    """On the page, links keep the whole query, the form the parameters that it knows (spec/http/03 §3.1.1)."""
    text = (
        f"zz=1&client_id={site.a}&response_type=code&redirect_uri={quote(CALLBACK, safe='')}&scope=openid&state=%7e+a"
    )
    page = site.get(f"/login?{text}").text.replace("&amp;", "&")
    assert f'href="/auth/{site.prefix}/forgotPassword?{text}"' in page
    assert f'href="/auth/{site.prefix}/signup?{text}"' in page
    action = re.search(r'action="([^"]+)"', page)[1]
    names = ["client_id", "response_type", "redirect_uri", "scope", "state"]
    assert list(query(action)) == names
    assert query(action)["state"] == "~ a"


STATES = [
    "a/b=",
    "a+b c%20d",
    "\"<>#?&=;:@,!$'()*[]{}|\\^`~",
    "äöü中文😀",
    "eyJhIjoiYiJ9==",
    '{"returnUrl":"https://x/?a=b&c=d"}',
    "line\r\nbreak\tand\x00nul",
    " ",
    "x" * 4000,
]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", ["code", "token"])
def test_a15_state_in_every_answer(site: Site, state: str, kind: str):
    """State comes back exactly, with codes, tokens and errors."""
    site.sign_in()

    def answered(**changes: str) -> dict[str, str]:
        location = site.authorize(response_type=kind, state=state, **changes).headers["location"]
        assert location.isascii()
        assert not set(location) & set(map(chr, range(33)))
        parts = urlsplit(location)
        assert bool(parts.fragment) is (kind == "token")
        return query("?" + (parts.fragment or parts.query))

    assert answered()["state"] == state
    refusal = answered(scope="nosuch")
    assert refusal == {"error": "invalid_scope", "state": state}
    assert list(refusal) == ["error", "state"]
    assert answered(prompt="login none")["state"] == state


@pytest.mark.parametrize(
    ("uri", "start"),
    [
        ("https://app.example/cb?tenant=a%20b&x=", "https://app.example/cb?tenant=a%20b&x=&code="),
        ("https://app.example/cb?u=https://b.example/?c", "https://app.example/cb?u=https://b.example/?c&code="),
        ("http://localhost:3000", "http://localhost:3000?code="),
        ("http://[::1]:8/", "http://[::1]:8/?code="),
        ("myapp://callback/", "myapp://callback/?code="),
        ("com.example.app:/oauth2redirect", "com.example.app:/oauth2redirect?code="),
    ],
)
def test_a17_redirect_uris_are_kept_as_registered(site: Site, uri: str, start: str):
    """Nothing of a redirect URI changes; the code is appended, and the exchange takes the same URI only."""
    client = site.app(CallbackURLs=[uri])["ClientId"]
    site.sign_in()
    location = site.authorize(client, redirect_uri=uri, state="s").headers["location"]
    assert re.fullmatch(re.escape(start) + UUID.pattern + "&state=s", location)
    code = re.search(r"code=([^&]+)", location)[1]
    assert site.redeem(code, client, redirect_uri=uri).status_code == 200
    error = site.authorize(client, redirect_uri=uri, scope="nosuch").headers["location"]
    assert error == start.replace("code=", "error=invalid_scope")


@pytest.mark.parametrize("spelling", ["userInfo", "userinfo", "USERINFO", "UserInfo"])
def test_userinfo_in_any_case(site: Site, spelling: str):
    """The path of ``userInfo`` is found in any case (spec/http/01 §1.4)."""
    token = site.tokens()["access_token"]
    answer = site.get(f"/oauth2/{spelling}", authorization=f"Bearer {token}")
    assert answer.status_code == 200
    assert answer.json()["email"] == site.email


def test_a32_lang_is_remembered_by_every_path(site: Site):
    """``lang`` sets its cookie on authorize, signed in or not, and on every page; an unknown language does not."""

    def cookie(answer: httpx.Response) -> str | None:
        return next((c for c in answer.headers.get_list("set-cookie") if c.startswith("lang=")), None)

    fresh = site.authorize(lang="pt-BR")
    assert re.fullmatch(
        rf"lang=pt-BR; Max-Age=31536000; Expires=\w{{3}}, \d\d-\w{{3}}-\d{{4}} [\d:]{{8}} GMT; "
        rf"Path=/auth/{site.prefix}; HttpOnly; SameSite=Lax",
        cookie(fresh) or "",
    )
    assert cookie(site.authorize(lang="xx")) is None
    for path in ("/login", "/signup", "/forgotPassword"):
        assert cookie(site.get(path + asked(site, lang="de"))) is not None
    for path in ("/error?error=x&lang=de", "/confirmUser?lang=de"):
        assert cookie(site.get(path)) is not None
    site.sign_in()
    silent = site.authorize(lang="de")
    assert silent.headers["location"].startswith(CALLBACK)
    assert cookie(silent) is not None


def test_no_language_on_a_classic_domain(site: Site, call):
    """``lang`` belongs to managed login: the classic domain neither speaks it nor keeps it."""
    call("UpdateUserPoolDomain", UserPoolId=site.pool_id, Domain=site.prefix, ManagedLoginVersion=1)
    for answer in (site.authorize(lang="de"), site.get("/login" + asked(site, lang="de"))):
        assert not [c for c in answer.headers.get_list("set-cookie") if c.startswith("lang=")]


LOGOUTS = [
    ("client_id={a}&logout_uri={out}&state=s&foo=bar", "{out}"),
    ("logout_uri={out}&client_id={a}&redirect_uri={cb}&response_type=code", "{out}"),
    ("client_id={a}&logout_uri=&redirect_uri={cb}&response_type=code&scope=openid", "/login?"),
    ("client_id={a}&logout_uri=https://evil.example&redirect_uri={cb}&response_type=code&scope=openid", "/login?"),
    ("client_id={a}&logout_uri={out}/", "redirect_uri"),
    ("client_id={a}&logout_uri={out}%3Fx", "redirect_uri"),
    ("client_id={a}&redirect_uri=&response_type=code", "redirect_uri"),
    ("client_id={a}&redirect_uri={cb}&response_type=", "response_type"),
    ("client_id=&logout_uri={out}", "client_id"),
    ("logout_uri={out}", "client_id"),
    ("", "client_id"),
]


@pytest.mark.parametrize(("text", "expected"), LOGOUTS)
def test_logout_with_odd_input(site: Site, text: str, expected: str):
    """Forms A and B of /logout, empty and surplus parameters included (spec/http/03 §3.2)."""
    values = {"a": site.a, "out": LOGOUT, "cb": CALLBACK}
    asked_for = text.format(**values)
    answer = site.get(f"/logout?{asked_for}")
    location = answer.headers["location"]
    cleared = [c for c in answer.headers.get_list("set-cookie") if c.startswith('cognito=""')]
    if expected == "{out}":
        assert location == LOGOUT
    elif expected == "/login?":
        assert location == f"{site.base}/login?{asked_for}"
    else:
        assert not cleared
        error = query(location)["error"]
        assert error == f"Required String parameter '{expected}' is not present"
        page = site.http.get(location)
        assert page.status_code == 400
        assert "An error was encountered with the requested page." in page.text
        assert f"Required String parameter &#39;{expected}&#39; is not present" in page.text
        return
    assert len(cleared) == 1
