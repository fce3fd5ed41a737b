"""Rows 6, 7, 8, 12, 19 and 30 at the pages: what a stranger puts into a request stays text, and stays the stranger's."""

import re
from urllib.parse import quote, urlencode

import httpx
import pytest

from tests.login.pages import Page
from tests.oauth.conftest import CALLBACK

PASSWORD = "Correct-Horse-1"
ATTACKS = (
    "<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus='alert(1)",
    "</title><script>alert(1)</script>",
    "</textarea><svg onload=alert(1)>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "{{7*7}}",
    "{% print(7*7) %}",
    "${7*7}",
    "<!--",
    "]]>",
    "\u2028alert(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "<ſcript>alert(1)</ſcript>",
    "＜script＞alert(1)＜/script＞",
    "x\r\nSet-Cookie: evil=1",
    "x\nLocation: https://evil.example",
)
PARAMETERS = (
    "state", "nonce", "lang", "login_hint", "error", "error_description", "scope", "resource", "identity_provider",
    "idp_identifier", "client_id", "redirect_uri", "response_type", "prompt", "max_age", "code_challenge", "anything",
)  # fmt: skip
PAGES = ("/login", "/signup", "/confirm", "/forgotPassword", "/confirmforgotPassword", "/changePassword", "/resendcode")
MESSAGES = ("/error", "/confirmUser")


def check_inert(answer: httpx.Response, what: str) -> None:
    """Check that an answer holds nothing that a browser would run, and is allowed to run nothing."""
    page = Page(answer)
    text = answer.text
    assert answer.status_code < 500, what
    assert not any(cookie.startswith("evil") for cookie in answer.headers.get_list("set-cookie")), what
    assert not answer.headers.get("location", "").startswith("https://evil"), what
    assert "49" not in re.findall(r"(?<![\w-])49(?![\w-])", text), what
    scripts = [given for tag, given in page.elements if tag == "script"]
    assert all(re.search(r"/static/login/[0-9a-f]+/login\.js$", given.get("src") or "") for given in scripts), what
    for tag, given in page.elements:
        assert tag in ALLOWED, (what, tag)
        assert not any(name.startswith("on") for name in given), (what, given)
        for name in ("href", "src", "action", "formaction"):
            target = given.get(name) or "/"
            if (tag, given.get("rel"), target) == ("link", "icon", "data:,"):  # no icon
                continue
            assert target.startswith("/") and not target.startswith("//"), (what, target)
    if answer.headers.get("content-type", "").startswith("text/html"):
        check_policy(answer)


ALLOWED = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "link",
        "script",
        "body",
        "header",
        "main",
        "footer",
        "div",
        "h1",
        "h2",
        "p",
        "form",
        "input",
        "label",
        "button",
        "a",
        "span",
        "ul",
        "li",
        "svg",
        "circle",
        "path",
        "img",
        "br",
    ]
)


def check_policy(answer: httpx.Response) -> None:
    """Check the headers that every page must have (rows 6 and 19)."""
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "no-store" in answer.headers["cache-control"]
    assert "access-control-allow-origin" not in answer.headers


@pytest.fixture(params=[1, 2], ids=["classic", "managed"])
def pages(front, request):
    """The pages of both generations, of a pool where anybody may sign up."""
    return front(
        version=request.param,
        AutoVerifiedAttributes=["email"],
        Schema=[{"Name": "email", "AttributeDataType": "String", "Required": True, "Mutable": True}],
        client={"PreventUserExistenceErrors": "ENABLED"},
    )


def test_6_reflected_parameters(pages):
    """Row 6: no parameter of any page, nor of the authorization endpoint, comes back as markup."""
    with httpx.Client(trust_env=False) as client:
        for path in (*PAGES, *MESSAGES, "/oauth2/authorize", "/logout"):
            for number, attack in enumerate(ATTACKS):
                # A few parameters at a time: those of one request do not hide each other.
                for name in PARAMETERS[number % 3 :: 3]:
                    answer = client.get(pages.base + path + pages.query(**{name: attack}))
                    check_inert(answer, f"{path} {name}={attack}")


def test_6_raw_queries(pages):
    """Row 6: a query that was never encoded, as no browser would send it, is text as well."""
    with httpx.Client(trust_env=False) as client:
        for attack in ATTACKS:
            raw = quote(attack, safe="<>\"'{}()/:=;!&|$%[]")
            for path in PAGES:
                answer = client.get(httpx.URL(f"{pages.base}{path}{pages.query()}&x={raw}"))
                check_inert(answer, f"{path} {attack}")


def test_6_reflected_fields(pages, visitor):
    """Row 6: what is typed into a form comes back as text."""
    browser = visitor(pages)
    for attack in ATTACKS:
        for path, extra in (
            ("/login", {"password": attack}),
            ("/signup", {"password": "short", "requiredAttributes[email]": attack}),
            ("/forgotPassword", {}),
        ):
            page = browser.send(browser.open(path + pages.query()), username=attack, **extra)
            check_inert(page.response, f"POST {path} {attack}")
            if page.status == 302:
                check_inert(browser.follow(page).response, f"after {path} {attack}")


def test_6_cookies_are_no_markup(pages):
    """Row 6: nor do cookies come back as markup."""
    for attack in ATTACKS:
        safe = quote(attack, safe="<>'\"(){}=/:")
        for name in ("XSRF-TOKEN", "page-data", "lang", "cognito"):
            answer = httpx.get(
                pages.base + "/login" + pages.query(), headers={"cookie": f"{name}={safe}"}, trust_env=False
            )
            check_inert(answer, f"cookie {name}={attack}")


# Row 7: forged forms and fixed sessions.


def test_7_every_form_wants_its_token(pages, visitor):
    """Row 7: without the double submit, or from another site, no page does anything."""
    browser = visitor(pages)
    form = {"username": "ann", "password": PASSWORD, "code": "123456", "confirm_password": PASSWORD}
    for path in PAGES:
        url = pages.base + path + pages.query()
        page = browser.open("/login" + pages.query())
        token = page.form.values["_csrf"]
        for headers, data in (
            ({}, form),
            ({}, form | {"_csrf": ""}),
            ({}, form | {"_csrf": "0" * 36}),
            ({}, form | {"_csrf": token[:-1]}),
            ({}, form | {"_csrf": token.upper()}),
            ({"sec-fetch-site": "cross-site"}, form | {"_csrf": token}),
            ({"sec-fetch-site": "same-site"}, form | {"_csrf": token}),
        ):
            answer = browser.http.post(url, data=data, headers=headers)
            assert answer.status_code == 403, (path, headers, data)
            assert "location" not in answer.headers
        stranger = httpx.post(url, data=form | {"_csrf": token}, trust_env=False)
        assert stranger.status_code == 403


def test_7_a_planted_token_does_not_survive_the_sign_in(pages, visitor, user):
    """Row 7: a token that somebody fixed in the browser is replaced with the sign-in, and so is the page's state."""
    user(pages.pool_id, "ann", email="ann@example.com", email_verified="true")
    browser = visitor(pages)
    planted = "11111111-1111-4111-8111-111111111111"
    path = browser.base.partition("//")[2].partition("/")[2]
    browser.http.cookies.set("XSRF-TOKEN", planted, domain="localhost.local", path=f"/{path}")
    page = browser.open("/login" + pages.query())
    done = browser.send(page, username="ann", password=PASSWORD)
    assert done.location.startswith(CALLBACK)
    given = done.response.headers.get_list("set-cookie")
    fresh = [cookie for cookie in given if re.match(r"XSRF-TOKEN=[0-9a-f-]{36};", cookie)]
    assert len(fresh) == 1
    assert planted not in fresh[0]
    assert any(cookie.startswith('page-data="";') for cookie in given)


def test_7_state_of_another_browser(pages, visitor, call, inbox):
    """Row 7: the state of one browser's pages means nothing in another, nor beside another token."""
    first, second = visitor(pages), visitor(pages)
    page = first.send(first.open("/forgotPassword" + pages.query()), username="ann")
    assert page.location.partition("?")[0].endswith("/confirmforgotPassword")
    state = first.http.cookies["page-data"]
    second.open("/login" + pages.query())
    token = second.http.cookies["XSRF-TOKEN"]
    cookies = {"cookie": f'XSRF-TOKEN={token}; page-data="{state}"'}
    answer = httpx.get(pages.base + "/confirmforgotPassword" + pages.query(), headers=cookies, trust_env=False)
    assert answer.status_code == 302
    assert "/login?" in answer.headers["location"]


def test_8_two_users_share_nothing(pages, visitor, user, server):
    """Row 8: whoever signs in after another in one browser shares no cookie, session or code with the one before."""
    for name in ("ann", "bob"):
        user(pages.pool_id, name, email=f"{name}@example.com", email_verified="true")
    browser = visitor(pages)
    seen: list[dict[str, str]] = []
    claims = []
    for name in ("ann", "bob"):
        done = browser.send(browser.open("/login" + pages.query()), username=name, password=PASSWORD)
        seen.append({cookie.name: cookie.value or "" for cookie in browser.http.cookies.jar})
        tokens = pages.redeem(done.location)
        claims.append(_claims(tokens["access_token"]) | _claims(tokens["id_token"]))
        out = browser.open("/logout?" + urlencode({"client_id": pages.client_id, "redirect_uri": CALLBACK}))
        assert out.status == 302
        browser.open(
            "/logout?" + urlencode({"client_id": pages.client_id, "redirect_uri": CALLBACK, "response_type": "code"})
        )
        assert "cognito" not in browser.http.cookies
    for name in ("cognito", "XSRF-TOKEN"):
        assert seen[0][name] != seen[1][name]
    for name in ("sub", "origin_jti", "jti", "event_id", "username"):
        assert claims[0][name] != claims[1][name]


def _claims(token: str) -> dict[str, str]:
    from tests.oauth.conftest import claims

    return claims(token)


def test_8_the_other_user_instead(pages, visitor, user):
    """Row 8: a sign-in on top of another, without signing out, is the second user's alone."""
    for name in ("ann", "bob"):
        user(pages.pool_id, name, email=f"{name}@example.com", email_verified="true")
    browser = visitor(pages)
    form = browser.open("/login" + pages.query())
    browser.send(form, username="ann", password=PASSWORD)
    page = browser.open("/signup" + pages.query())
    token = page.form.values["_csrf"]
    answer = browser.http.post(
        pages.base + "/login" + pages.query(), data={"_csrf": token, "username": "bob", "password": PASSWORD}
    )
    assert _claims(pages.redeem(answer.headers["location"])["id_token"])["cognito:username"] == "bob"
    again = browser.open("/oauth2/authorize" + pages.query())
    assert _claims(pages.redeem(again.location)["id_token"])["cognito:username"] == "bob"


# Rows 12, 19 and 30: headers, cookies, hosts.


def test_12_hosts_do_not_reach_the_answer(pages, call, inbox, server):
    """Row 12: whatever a request says of its own host, links, redirects, documents and mails keep the configured one."""
    evil = "evil.example"
    forwarded = {
        "x-forwarded-host": evil, "x-forwarded-proto": "https", "x-forwarded-port": "444", "x-host": evil,
        "forwarded": f"host={evil};proto=https", "x-original-url": "//evil.example/", "x-rewrite-url": "/evil.example",
        "x-forwarded-server": evil, "x-forwarded-prefix": "/evil.example", "x-http-host-override": evil,
        "x-forwarded-for": "not an address, 1.2.3.4", "true-client-ip": "1.2.3.4", "origin": f"https://{evil}",
    }  # fmt: skip
    hosts = ({}, {"host": evil}, {"host": f"{evil}:7665"}, {"host": f"x@{evil}"}, {"host": f"{evil}/x#"}, {"host": ""})
    paths = [
        f"/auth/{pages.prefix}{path}{pages.query()}" for path in (*PAGES, "/oauth2/authorize", "/error", "/logout")
    ]
    paths += [f"/{pages.pool_id}/.well-known/{name}" for name in ("openid-configuration", "jwks.json")]
    paths += ["/console/", "/console", "/", f"/auth/{pages.prefix}/nothing", f"/auth/{pages.prefix}/oauth2/userInfo"]
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        for host in hosts:
            for path in paths:
                answer = client.get(path, headers=forwarded | host)
                assert answer.status_code < 500, (host, path)
                assert evil not in answer.text, (host, path)
                assert not any(evil in value for value in answer.headers.values()), (host, path)
        headers = forwarded | {"host": evil} | API
        body = {"ClientId": pages.client_id, "Username": "eve", "Password": PASSWORD}
        body |= {"UserAttributes": [{"Name": "email", "Value": "eve12@example.com"}]}
        signed_up = client.post("/", json=body, headers=headers | {"x-amz-target": TARGET + "SignUp"})
        assert signed_up.status_code == 200, signed_up.text
    assert all(evil not in message.body for message in inbox("eve12@example.com"))


API = {"content-type": "application/x-amz-json-1.1"}
TARGET = "AWSCognitoIdentityProviderService."


def test_12_links_in_mail(front, server, inbox):
    """Row 12: a link that confirms a sign-up leads to the configured server, whichever host asked for it."""
    pages = front(
        AutoVerifiedAttributes=["email"], VerificationMessageTemplate={"DefaultEmailOption": "CONFIRM_WITH_LINK"}
    )
    body = {"ClientId": pages.client_id, "Username": "eve", "Password": PASSWORD}
    body |= {"UserAttributes": [{"Name": "email", "Value": "link12@example.com"}]}
    headers = API | {"x-amz-target": TARGET + "SignUp", "host": "evil.example", "x-forwarded-host": "evil.example"}
    assert httpx.post(server.url, json=body, headers=headers, trust_env=False).status_code == 200
    mail = inbox("link12@example.com")[-1].body
    assert f"{pages.base}/confirmUser?" in mail
    assert "evil.example" not in mail


def test_19_cookies_are_out_of_reach(pages, visitor, user):
    """Row 19: every cookie is for HTTP alone, for this site, below the domain's own path; over https it is secure."""
    user(pages.pool_id, "ann", email="ann@example.com", email_verified="true")
    browser = visitor(pages)
    page = browser.open("/login" + pages.query(lang="de"))
    done = browser.send(page, username="ann", password=PASSWORD)
    given = page.response.headers.get_list("set-cookie") + done.response.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in given} >= {"XSRF-TOKEN", "page-data", "cognito"}
    for cookie in given:
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "samesite=lax", f"path=/auth/{pages.prefix}"} <= parts, cookie
        assert not any(part.startswith("domain=") for part in parts), cookie


def test_19_cookies_are_secure_over_https(rsa_keys, tmp_path):
    """Row 19: where the public URL is https, so are all cookies, those of the console too."""
    from tests.conftest import Server, make_settings

    operator = {"operator_email": "op@example.org", "operator_password": "an-operators-password"}
    settings = make_settings(
        f"sqlite:///{tmp_path}/poolhouse.db", tmp_path, public_url="https://id.example", **operator
    )
    server = Server(settings)
    server.start()
    try:
        local = f"http://127.0.0.1:{settings.port}"
        console = httpx.get(f"{local}/console/", trust_env=False)
        target = console.headers["location"].replace("https://id.example", local)
        form = httpx.get(target, trust_env=False)
        page = httpx.get(form.headers["location"].replace("https://id.example", local), trust_env=False)
        cookies = [c for answer in (console, form, page) for c in answer.headers.get_list("set-cookie")]
        assert len(cookies) >= 3
        assert all("; secure" in cookie.lower() for cookie in cookies)
    finally:
        server.stop()


def test_30_no_cors_at_pages(pages, server):
    """Row 30: scripts of other origins read tokens and documents only, never pages, redirects or the console."""
    origin = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        for path in (*PAGES, *MESSAGES, "/oauth2/authorize", "/logout"):
            for method in ("GET", "OPTIONS", "POST"):
                answer = client.request(method, f"/auth/{pages.prefix}{path}{pages.query()}", headers=origin)
                assert not any(name.startswith("access-control") for name in answer.headers), (method, path)
        for path in ("/console/", "/console/welcome", "/console/static/console.css", "/health/live"):
            answer = client.get(path, headers=origin)
            assert not any(name.startswith("access-control") for name in answer.headers), path
        for path in ("/oauth2/token", "/oauth2/userInfo", "/oauth2/revoke"):
            answer = client.post(f"/auth/{pages.prefix}{path}", headers=origin)
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in answer.headers


def test_16_tokens_are_not_cached(site):
    """Row 16: answers with tokens, and redirects with codes, are kept by no cache."""
    token = site.redeem(site.code())
    code = site.authorize()
    for answer in (token, code, site.userinfo(token.json()["access_token"])):
        assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["pragma"] == "no-cache"
    assert code.headers["location"].startswith(CALLBACK)


def test_6_console_reflects_text_only(server):
    """Row 6: the open pages of the console show what they are given as text, under the same policy."""
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        for attack in ATTACKS:
            for path, name in (
                ("/console/landing", "code"), ("/console/landing", "error"), ("/console/welcome", "token"),
                ("/console/callback", "state"), ("/console/signed-out", "region"), ("/console/landing", "region"),
            ):  # fmt: skip
                answer = client.get(path, params={name: attack})
                assert answer.status_code < 500, (path, attack)
                page = Page(answer)
                allowed = [given.get("src") or "" for tag, given in page.elements if tag == "script"]
                assert all(src.startswith("/console/static/") for src in allowed), (path, attack)
                assert not any(n.startswith("on") for _, given in page.elements for n in given), (path, attack)
                assert not any(
                    tag in {"img", "iframe", "svg", "object"} and "onerror" in given for tag, given in page.elements
                )
                assert "unsafe" not in answer.headers["content-security-policy"]
                assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
