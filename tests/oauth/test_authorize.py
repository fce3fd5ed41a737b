"""``/oauth2/authorize``: rows A of spec/http/09."""

import re
from dataclasses import replace
from urllib.parse import quote, urlsplit

import httpx
import pytest

from poolhouse.oauth import OAuth
from tests.oauth.conftest import CALLBACK, CHALLENGE, Site, claims, fragment, query

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def to(answer: httpx.Response) -> str:
    """Where a redirect goes."""
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def refused(answer: httpx.Response) -> str:
    """The error code that an application is told in its callback's query."""
    location = to(answer)
    assert location.startswith(f"{CALLBACK}?")
    return query(location)["error"]


def error_page(site: Site, answer: httpx.Response) -> str:
    """The error that a page of the domain is to show."""
    location = to(answer)
    assert location.startswith(f"{site.base}/error?")
    return query(location)["error"]


def signs_in(site: Site, answer: httpx.Response) -> bool:
    return to(answer).startswith(f"{site.base}/login?")


def test_a1_to_the_sign_in_page_with_the_query_verbatim(site: Site):
    """Without a session the browser goes to sign in, its query unchanged: order, spelling and unknown parameters."""
    text = (
        f"zz=1&response_type=code&client_id={site.a}&redirect_uri=https%3a%2F%2Fapp.example%2Fcb&scope=openid%20email"
        "&x-client-SKU=a+b%20c&state=%7e~&response_mode=query"
    )
    answer = site.get(f"/oauth2/authorize?{text}")
    assert to(answer) == f"{site.base}/login?{text}"
    assert re.match(r"XSRF-TOKEN=[0-9a-f-]{36}; Path=/auth/\S+; HttpOnly; SameSite=Lax$", answer.headers["set-cookie"])


def test_a1_alias(site: Site):
    """``/authorize`` is the same endpoint."""
    assert signs_in(site, site.get(f"/authorize?response_type=code&client_id={site.a}&redirect_uri={quote(CALLBACK)}"))


def test_a2_unregistered_redirect_uri(site: Site):
    """A redirect URI that is not registered leads to the error page, which answers 400."""
    answer = site.authorize(redirect_uri="https://evil.example/cb")
    assert to(answer) == f"{site.base}/error?error=redirect_mismatch&client_id={site.a}"
    assert site.http.get(to(answer)).status_code == 400


def test_a3_trailing_slash(site: Site):
    """A trailing slash makes another URI."""
    assert error_page(site, site.authorize(redirect_uri=f"{CALLBACK}/")) == "redirect_mismatch"


def test_a4_unknown_client(site: Site, pool, app):
    """An unknown client, or one of another pool, never gets the browser to its URI."""
    assert error_page(site, site.authorize("nosuchclient")) == "Client does not exist."
    other = app(pool(), CallbackURLs=[CALLBACK], SupportedIdentityProviders=["COGNITO"])
    assert error_page(site, site.authorize(other["ClientId"])) == "Client does not exist."


def test_a5_no_client(site: Site):
    """A request without client id is told so on the error page."""
    expected = "Required String parameter 'client_id' is not present"
    assert error_page(site, site.get("/oauth2/authorize?response_type=code")) == expected
    assert error_page(site, site.get("/oauth2/authorize?client_id=")) == expected


def test_no_redirect_uri(site: Site):
    """A client with several callbacks has to name one."""
    app = site.app(CallbackURLs=[CALLBACK, "https://b.example"])
    expected = "Required String parameter 'redirect_uri' is not present"
    assert error_page(site, site.authorize(app["ClientId"], redirect_uri=None)) == expected


def test_a6_no_response_type(site: Site):
    """A missing response type is an error for the application, with its state."""
    location = to(site.authorize(response_type=None, state="s"))
    assert location == f"{CALLBACK}?error=invalid_request&state=s"


@pytest.mark.parametrize("value", ["id_token", "code id_token", "none"])
def test_a7_unknown_response_type(site: Site, value: str):
    """Hybrid and unknown response types are refused."""
    assert refused(site.authorize(response_type=value)) == "invalid_request"


def test_a8_response_type_not_enabled(site: Site):
    """A response type that the client may not use is refused, in the fragment where the implicit flow answers."""
    location = to(site.authorize(site.b, response_type="token"))
    assert location.startswith(f"{CALLBACK}#")
    assert fragment(location) == {"error": "unauthorized_client"}


def test_a9_challenge_without_method(site: Site):
    """A challenge needs its method."""
    assert refused(site.authorize(code_challenge=CHALLENGE)) == "invalid_request"


def test_a10_plain_challenge(site: Site):
    """The method ``plain`` is refused."""
    assert refused(site.authorize(code_challenge=CHALLENGE, code_challenge_method="plain")) == "invalid_request"


@pytest.mark.parametrize("scope", ["openid nosuch/scope", "openid rs/write"])
def test_a11_unknown_scope(site: Site, scope: str):
    """A scope that is not the client's is refused."""
    assert refused(site.authorize(scope=scope)) == "invalid_scope"


def test_a12_offline_access(site: Site):
    """``offline_access`` is no scope."""
    assert refused(site.authorize(scope="openid offline_access")) == "invalid_scope"


def test_a13_email_without_openid(site: Site):
    """The scopes of OpenID Connect need ``openid``."""
    assert refused(site.authorize(scope="email")) == "invalid_scope"


def test_a14_no_scope(site: Site):
    """Without scopes, all of the client's are granted."""
    token = claims(site.tokens(scope=None)["access_token"])
    assert set(token["scope"].split()) == {
        "openid",
        "email",
        "phone",
        "profile",
        "aws.cognito.signin.user.admin",
        "rs/read",
    }


@pytest.mark.parametrize("state", ["a/b=", '{"a":"b c"}', "ä&=#%", "x" * 2000])
def test_a15_state(site: Site, state: str):
    """State comes back as it was, whatever is in it."""
    site.sign_in()
    assert query(to(site.authorize(state=state)))["state"] == state


def test_a16_no_state(site: Site):
    """Without state, there is none in the answer."""
    site.sign_in()
    assert list(query(to(site.authorize()))) == ["code"]


def test_a17_code_is_uuid(site: Site):
    """A code is a UUID and comes before the state."""
    site.sign_in()
    answer = query(to(site.authorize(state="s")))
    assert list(answer) == ["code", "state"]
    assert UUID.fullmatch(answer["code"])


def test_a17_redirect_uri_with_a_query(site: Site):
    """A redirect URI keeps the query that it has."""
    uri = f"{CALLBACK}?a=b"
    app = site.app(CallbackURLs=[uri])
    site.sign_in()
    location = to(site.authorize(app["ClientId"], redirect_uri=uri))
    assert location.startswith(f"{uri}&code=")


def test_a18_implicit(site: Site):
    """The implicit flow answers in the fragment, without refresh token, and nothing in the query."""
    site.sign_in()
    location = to(site.authorize(response_type="token", state="s", nonce="n"))
    answer = fragment(location)
    assert list(answer) == ["id_token", "access_token", "expires_in", "token_type", "state"]
    assert (answer["expires_in"], answer["token_type"], answer["state"]) == ("3600", "Bearer", "s")
    assert urlsplit(location).query == ""
    assert claims(answer["id_token"])["nonce"] == "n"
    assert site.userinfo(answer["access_token"]).status_code == 200


def test_a19_implicit_without_openid(site: Site):
    """Without ``openid`` there is no ID token."""
    site.sign_in()
    location = to(site.authorize(response_type="token", scope="rs/read"))
    assert list(fragment(location)) == ["access_token", "expires_in", "token_type"]


def test_a20_silent_with_a_session(site: Site):
    """With a session the browser goes straight back with a code."""
    site.sign_in()
    assert to(site.authorize()).startswith(f"{CALLBACK}?code=")


def test_a21_silent_for_a_second_client(site: Site):
    """A session serves the other clients of the pool."""
    site.sign_in()
    assert to(site.authorize(site.b)).startswith(f"{CALLBACK}?code=")


def test_a21_not_for_another_pool(site: Site, call, pool, app):
    """A session does not serve another pool on the same host."""
    from tests.oauth.conftest import OAUTH_CLIENT

    site.sign_in()
    other = pool()
    call("CreateUserPoolDomain", UserPoolId=other, Domain=f"x{site.prefix}", ManagedLoginVersion=2)
    client = app(other, **(OAUTH_CLIENT | {"AllowedOAuthScopes": ["openid", "email"]}))
    site.prefix = f"x{site.prefix}"
    assert signs_in(site, site.authorize(client["ClientId"]))


def test_a22_session_lasts_an_hour(site: Site):
    """The session ends an hour after the sign-in, though it was used in between."""
    site.sign_in()
    site.server.clock.advance(3500)
    assert to(site.authorize()).startswith(f"{CALLBACK}?code=")
    site.server.clock.advance(101)
    assert signs_in(site, site.authorize())


def test_a23_prompt_none_without_a_session(site: Site):
    """``prompt=none`` without a session is told to the application."""
    assert to(site.authorize(prompt="none", state="s")) == f"{CALLBACK}?error=login_required&state=s"


def test_a24_prompt_none_with_a_session(site: Site):
    """``prompt=none`` with a session gives a code."""
    site.sign_in()
    assert to(site.authorize(prompt="none")).startswith(f"{CALLBACK}?code=")


def test_a25_prompt_login(site: Site):
    """``prompt=login`` asks again, and the old session lives on."""
    site.sign_in()
    assert signs_in(site, site.authorize(prompt="login"))
    assert to(site.authorize()).startswith(f"{CALLBACK}?code=")


def test_a26_prompt_none_with_another(site: Site):
    """``none`` excludes every other prompt."""
    assert refused(site.authorize(prompt="none login")) == "invalid_request"


def test_prompt_on_a_classic_domain(site: Site, call):
    """The classic pages do not know ``prompt``."""
    call("UpdateUserPoolDomain", UserPoolId=site.pool_id, Domain=site.prefix, ManagedLoginVersion=1)
    site.sign_in()
    assert to(site.authorize(prompt="login")).startswith(f"{CALLBACK}?code=")


def test_a27_max_age(site: Site):
    """``max_age`` counts from the sign-in."""
    site.sign_in()
    assert to(site.authorize(max_age="100")).startswith(f"{CALLBACK}?code=")
    site.server.clock.advance(2)
    assert signs_in(site, site.authorize(max_age="1"))
    assert refused(site.authorize(max_age="1", prompt="none")) == "login_required"
    assert refused(site.authorize(max_age="soon")) == "invalid_request"


def test_a29_unknown_provider(site: Site):
    """An unknown identity provider is refused by the sign-in page."""
    site.sign_in()
    answer = site.authorize(identity_provider="NoSuch")
    assert signs_in(site, answer)
    page = site.http.get(to(answer))
    assert page.status_code == 401
    assert "Login option is not available. Please try another one" in page.text


def test_identity_provider_of_the_pool_itself(site: Site):
    """A session of the pool's own users serves requests that name ``COGNITO``."""
    site.sign_in()
    assert to(site.authorize(identity_provider="COGNITO")).startswith(f"{CALLBACK}?code=")


def test_a31_response_mode(site: Site):
    """``response_mode`` is ignored."""
    site.sign_in()
    assert to(site.authorize(response_mode="form_post")).startswith(f"{CALLBACK}?code=")


def test_a32_lang(site: Site):
    """``lang`` chooses the language of the page and is remembered."""
    page = site.http.get(to(site.authorize(lang="de")))
    assert any(cookie.startswith("lang=de") for cookie in page.headers.get_list("set-cookie"))
    assert 'lang="de"' in page.text


def test_a33_login_hint(site: Site):
    """``login_hint`` fills in the user name."""
    page = site.http.get(to(site.authorize(login_hint="x@y.z")))
    assert 'value="x@y.z"' in page.text


def test_a34_default_redirect_uri(site: Site):
    """A client with one callback and one provider need not name its redirect URI."""
    site.sign_in()
    assert to(site.authorize(redirect_uri=None)).startswith(f"{CALLBACK}?code=")


def test_a34_configured_default(site: Site):
    """Of several callbacks, the default one is taken."""
    app = site.app(CallbackURLs=[CALLBACK, "https://b.example/"], DefaultRedirectURI="https://b.example/")
    site.sign_in()
    assert to(site.authorize(app["ClientId"], redirect_uri=None)).startswith("https://b.example/?code=")


def test_a35_post(site: Site):
    """A posted form is an authorization request too."""
    form = {"response_type": "code", "client_id": site.a, "redirect_uri": CALLBACK}
    answer = site.post("/oauth2/authorize", form)
    assert signs_in(site, answer)
    assert query(to(answer)) == form


def test_a35_post_in_strict_mode(site: Site):
    """In strict mode, GET is the only method."""
    deps = site.server.deps
    strict = OAuth(replace(deps, identity=replace(deps.identity, strict=True)))

    async def post() -> httpx.Response:
        from poolhouse.web.domains import find_address

        async def app(scope, receive, send):
            assert await strict.answer(scope, receive, send, await find_address(scope, deps))

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.post(f"{site.base}/oauth2/authorize", data={"client_id": site.a})

    answer = site.server.run(post())
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


DOMAIN_HEADERS = {
    "cache-control": "no-cache, no-store, max-age=0, must-revalidate",
    "pragma": "no-cache",
    "strict-transport-security": "max-age=31536000 ; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-xss-protection": "0",
    "server": "Server",
}


def test_a36_headers_of_redirects(site: Site):
    """Every redirect has an absolute target, no body, no expiry, and the headers of the domain once each."""
    site.sign_in()
    for answer in (
        site.authorize(),
        site.authorize(prompt="login"),
        site.authorize(redirect_uri="x"),
        site.authorize(scope="x"),
        site.get(f"/logout?client_id={site.a}&logout_uri=https://app.example/out"),
    ):
        assert urlsplit(to(answer)).scheme in {"http", "https"}
        assert answer.headers["content-length"] == "0"
        assert answer.content == b""
        assert "expires" not in answer.headers
        assert {name: answer.headers[name] for name in DOMAIN_HEADERS} == DOMAIN_HEADERS
        assert UUID.fullmatch(answer.headers["x-amz-cognito-request-id"])


def test_request_ids_differ(site: Site):
    """Each request has an id of its own."""
    assert len({site.authorize().headers["x-amz-cognito-request-id"] for _ in range(3)}) == 3


def test_repeated_parameters(site: Site):
    """No parameter counts twice; of the two that decide where errors go, neither is believed."""
    start = f"/oauth2/authorize?response_type=code&client_id={site.a}&redirect_uri={quote(CALLBACK)}"
    assert refused(site.get(f"{start}&scope=openid&scope=email")) == "invalid_request"
    assert refused(site.get(f"{start}&resource=https://a.example&resource=https://b.example")) == "invalid_request"
    assert error_page(site, site.get(f"{start}&redirect_uri={quote(CALLBACK)}")) == "redirect_mismatch"
    assert error_page(site, site.get(f"{start}&client_id={site.b}")) == "invalid_request"
    assert signs_in(site, site.get(f"{start}&unknown=1&unknown=2"))


def test_malformed_query(site: Site):
    """A query that is no UTF-8 is refused on the error page."""
    assert error_page(site, site.get("/oauth2/authorize?client_id=%ff")) == "invalid_request"


def test_resource(site: Site):
    """Tokens are bound to the one resource that was named; what is no URL is refused."""
    tokens = site.tokens(resource="https://api.example")
    assert claims(tokens["access_token"])["aud"] == "https://api.example"
    assert refused(site.authorize(resource="api")) == "invalid_request"


def test_client_without_provider(site: Site):
    """A client nobody can sign in to has only the error page."""
    app = site.app(SupportedIdentityProviders=[])
    assert error_page(site, site.authorize(app["ClientId"])) == "unauthorized_client"


@pytest.mark.parametrize("operation", ["AdminDisableUser", "AdminDeleteUser"])
def test_disabled_and_deleted_users(site: Site, call, operation: str):
    """A session of somebody who was disabled or deleted serves no more."""
    site.sign_in()
    call(operation, UserPoolId=site.pool_id, Username=site.username)
    assert signs_in(site, site.authorize())
    assert refused(site.authorize(prompt="none")) == "login_required"


def test_cookies_that_are_none(site: Site):
    """A cookie that was altered or made up is no session."""
    site.sign_in()
    genuine = site.cookie
    assert genuine is not None
    middle = len(genuine) // 2
    for forged in ("x", "", "=", "!", genuine[:-4], genuine[:middle] + "AAAA" + genuine[middle + 4 :], genuine * 40):
        site.cookie = forged
        assert signs_in(site, site.authorize())
