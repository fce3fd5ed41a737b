"""``/logout``: rows O of spec/http/09."""

from urllib.parse import quote, urlencode

import httpx

from tests.oauth.conftest import CALLBACK, LOGOUT, SCOPES, Site, query

NO_REDIRECT_URI = "Required String parameter 'redirect_uri' is not present"


def logout(site: Site, **parameters: str) -> httpx.Response:
    return site.get("/logout?" + urlencode(parameters))


def error_page(site: Site, answer: httpx.Response) -> str:
    location = answer.headers["location"]
    assert answer.status_code == 302
    assert location.startswith(f"{site.base}/error?")
    return query(location)["error"]


def test_o1_registered_logout_uri(site: Site):
    """A registered sign-out URL is gone to as it is, and the session cookie is cleared."""
    answer = logout(site, client_id=site.a, logout_uri=LOGOUT, state="s")
    assert (answer.status_code, answer.headers["location"]) == (302, LOGOUT)
    path = f"/auth/{site.prefix}"
    expected = f'cognito=""; Expires=Thu, 01-Jan-1970 00:00:10 GMT; Path={path}; HttpOnly; SameSite=Lax'
    assert answer.headers.get_list("set-cookie") == [expected]


def test_o2_unregistered_logout_uri(site: Site):
    """A sign-out URL that is not registered counts as absent."""
    for uri in ("https://evil.example/", f"{LOGOUT}/", LOGOUT.upper(), "//app.example/out", CALLBACK):
        assert error_page(site, logout(site, client_id=site.a, logout_uri=uri)) == NO_REDIRECT_URI
    page = site.http.get(logout(site, client_id=site.a).headers["location"])
    assert page.status_code == 400
    assert "redirect_uri" in page.text


def test_o3_no_client(site: Site):
    """The client id is required, and has to be one of this pool."""
    expected = "Required String parameter 'client_id' is not present"
    assert error_page(site, logout(site, logout_uri=LOGOUT)) == expected
    assert error_page(site, logout(site, client_id="nosuch", logout_uri=LOGOUT)) == "Client does not exist."


def test_o4_sign_in_again(site: Site):
    """With a callback the browser goes on to sign in, its parameters unchanged."""
    text = f"client_id={site.a}&redirect_uri={quote(CALLBACK)}&response_type=code&scope=openid&state=a%20b&nonce=n"
    answer = site.get(f"/logout?{text}")
    assert answer.headers["location"] == f"{site.base}/login?{text}"
    assert answer.headers["set-cookie"].startswith('cognito=""')


def test_o4_needs_response_type_and_registered_uri(site: Site):
    """The callback has to be registered, and the response type has to be there."""
    missing = logout(site, client_id=site.a, redirect_uri=CALLBACK)
    assert error_page(site, missing) == "Required String parameter 'response_type' is not present"
    other = logout(site, client_id=site.a, redirect_uri=LOGOUT, response_type="code")
    assert other.headers["location"] == f"{site.base}/error?error=redirect_mismatch&client_id={site.a}"


def test_o5_scopes_are_filled_in(site: Site):
    """Without scopes, all of the client's are asked for."""
    answer = logout(site, client_id=site.a, redirect_uri=CALLBACK, response_type="code")
    assert set(query(answer.headers["location"])["scope"].split()) == set(SCOPES)


def test_o6_both_uris(site: Site):
    """The sign-out URL wins over the callback."""
    answer = logout(site, client_id=site.a, logout_uri=LOGOUT, redirect_uri=CALLBACK, response_type="code")
    assert answer.headers["location"] == LOGOUT


def test_o7_session_is_over(site: Site):
    """A browser that obeys is asked to sign in afterwards."""
    with httpx.Client(trust_env=False) as browser:
        site.sign_in()
        browser.cookies.set("cognito", site.cookie, domain="127.0.0.1", path=f"/auth/{site.prefix}")
        base = site.base.replace("localhost", "127.0.0.1")
        asked = f"{base}/oauth2/authorize?" + urlencode(
            {"client_id": site.a, "redirect_uri": CALLBACK, "response_type": "code"}
        )
        assert browser.get(asked).headers["location"].startswith(CALLBACK)
        browser.get(f"{base}/logout?" + urlencode({"client_id": site.a, "logout_uri": LOGOUT}))
        assert browser.get(asked).headers["location"].startswith(f"{site.base}/login?")


def test_o8_tokens_live_on(site: Site):
    """Signing out of the browser leaves tokens alone."""
    token = site.tokens()["refresh_token"]
    assert logout(site, client_id=site.a, logout_uri=LOGOUT).status_code == 302
    assert site.refresh(token).status_code == 200


def test_o9_openid_parameters(site: Site):
    """The parameters of OpenID Connect's own logout are not understood."""
    answer = logout(site, id_token_hint="x", post_logout_redirect_uri=LOGOUT)
    assert error_page(site, answer) == "Required String parameter 'client_id' is not present"
    answer = logout(site, client_id=site.a, id_token_hint="x", post_logout_redirect_uri=LOGOUT)
    assert error_page(site, answer) == NO_REDIRECT_URI


def test_methods(site: Site):
    """Signing out is a GET."""
    assert site.post("/logout", {"client_id": site.a, "logout_uri": LOGOUT}).status_code == 405
