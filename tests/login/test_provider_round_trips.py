"""To an identity provider and back (spec/http/06 §6.3–6.4, spec/http/03 §3.10)."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.federation.provider import CLIENT_ID, Answer
from tests.login.conftest import CALLBACK
from tests.login.pages import Page
from tests.login.test_providers import add_provider, let_choose

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
INVALID_STATE = "/error?error=Invalid%20state"


def asked(location):
    """The parameters of a redirect."""
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


@pytest.fixture
def site(front, provider):
    """Pages of a client whose users can come from the provider of the tests, or from Apple."""
    site = front()
    add_provider(site, details=provider.details(), IdpIdentifiers=["partner.example"], AcrMapping={"Level4": "gold"})
    add_provider(site, "SignInWithApple", details=provider.details("SignInWithApple"))
    let_choose(site, "COGNITO", "Partner", "SignInWithApple")
    return site


def set_out(browser, site, path="/oauth2/authorize", **parameters):
    """Go to the provider; its address."""
    page = browser.open(path + site.query(**{"identity_provider": "Partner"} | parameters))
    assert page.status == 302, page.html
    return page.location


def come_back(browser, provider, location):
    """Sign in at the provider and come back."""
    approved = provider.approve(location)
    if approved.form is None:
        return browser.open(approved.url)
    return Page(browser.http.post(approved.url, data=approved.form, headers={"origin": "https://appleid.apple.com"}))


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/login"])
@pytest.mark.parametrize("naming", [{}, {"identity_provider": None, "idp_identifier": "partner.example"}])
def test_to_the_provider(site, visitor, provider, path, naming):
    """A request that names it, by name or identifier, leads there with Cognito's parameters and two cookies."""
    browser = visitor(site)
    page = browser.open(path + site.query(**{"identity_provider": "Partner"} | naming))
    given = asked(page.location)
    assert page.location.startswith(f"{provider.url}/authorize?client_id={CLIENT_ID}&redirect_uri=")
    assert list(given) == ["client_id", "redirect_uri", "scope", "response_type", "state", "nonce"]
    assert given["redirect_uri"] == f"{site.base}/oauth2/idpresponse"
    assert "s1" not in given["state"]
    binding = browser.http.cookies["csrf-state"]
    assert browser.http.cookies["csrf-state-legacy"] == binding
    browser.open(path + site.query(identity_provider="Partner"))
    assert browser.http.cookies["csrf-state"] == binding, "two tabs do not void each other's way"


def test_what_the_provider_is_told(site, visitor):
    """``login_hint``, ``prompt`` without what is ours alone, and the levels in the provider's own words."""
    given = asked(
        set_out(
            visitor(site),
            site,
            login_hint="ann@partner.example",
            prompt="consent login other select_account",
            acr_values="urn:cognito:loa:4 urn:cognito:loa:3 other",
        )
    )
    assert given["login_hint"] == "ann@partner.example"
    assert given["prompt"] == "login select_account consent"
    assert given["acr_values"] == "gold"


def test_without_a_page(site, visitor):
    """``prompt=none`` never leads to a provider."""
    page = visitor(site).open("/oauth2/authorize" + site.query(identity_provider="Partner", prompt="none"))
    assert asked(page.location) == {"error": "login_required", "state": "s1"}


def test_no_way_to_the_provider(site, visitor, provider):
    """Where the issuer does not tell its addresses, the application is told so."""
    provider.answers["discovery"] = Answer(500)
    add_provider(site, name="Broken", details=provider.details(oidc_issuer=provider.url + "/broken"))
    let_choose(site, "COGNITO", "Broken")
    location = set_out(visitor(site), site, identity_provider="Broken")
    assert location.startswith(CALLBACK)
    assert asked(location)["error"] == "invalid_request"


def test_x10_a_state_that_does_not_count(site, front, visitor, provider):
    """X10: tampered, left out, of another browser, of another pool or used before, the state leads to the error page."""
    browser, stranger = visitor(site), visitor(site)
    back = provider.approve(set_out(browser, site)).url
    state = asked(back)["state"]
    set_out(stranger, site)
    refused = site.base + INVALID_STATE
    altered = state[:-6] + ("A" if state[-6] != "A" else "B") + state[-5:]
    for other in (altered, "", "x", state[:-4], "é", state + state):
        page = browser.open(f"/oauth2/idpresponse?{urlencode({'code': 'c', 'state': other})}")
        assert page.location == refused, other
    assert browser.open("/oauth2/idpresponse?code=%ff").location == refused
    assert stranger.open(back).location == refused
    assert visitor(site).open(back).location == refused
    elsewhere = front()
    other = visitor(elsewhere)
    other.http.cookies.set("csrf-state", browser.http.cookies["csrf-state"])
    page = other.open(f"/oauth2/idpresponse?code=c&state={state}")
    assert page.location == elsewhere.base + INVALID_STATE
    provider.denial = ("access_denied", "no")
    assert browser.open(back).location.startswith(CALLBACK)
    assert browser.open(back).location == refused
    error = browser.follow(browser.open(back))
    assert error.status == 400
    assert "Invalid state" in error.html


def test_the_provider_says_no(site, visitor, provider):
    """What the provider says reaches the application's callback, in the way that the request asked for."""
    provider.denial = ("access_denied", "The user said no & more")
    browser = visitor(site)
    page = come_back(browser, provider, set_out(browser, site))
    expected = {"error_description": "The user said no & more", "state": "s1", "error": "access_denied"}
    assert page.location.startswith(
        f"{CALLBACK}?error_description=The+user+said+no+%26+more&state=s1&error=access_denied"
    )
    assert asked(page.location) == expected
    assert provider.asked("token") == []


def test_five_minutes(site, visitor, provider, server):
    """Whoever takes longer is back at the sign-in page, where they can begin again."""
    browser = visitor(site)
    back = provider.approve(set_out(browser, site)).url
    server.clock.advance(301)
    page = browser.open(back)
    assert (page.status, page.error) == (200, "Something went wrong")
    assert page.form.action.startswith(f"{urlsplit(site.base).path}/login?client_id={site.client_id}")
    assert provider.asked("token") == []


@pytest.mark.parametrize("change", ["client", "provider"])
def test_a_provider_that_is_gone(site, visitor, provider, call, change):
    """15: a provider that was taken from the client, or deleted, while the user was there signs nobody in."""
    browser = visitor(site)
    back = provider.approve(set_out(browser, site)).url
    if change == "client":
        let_choose(site, "COGNITO")
    else:
        call("DeleteIdentityProvider", UserPoolId=site.pool_id, ProviderName="Partner")
    page = browser.open(back)
    assert (page.status, page.error) == (401, "Login option is not available. Please try another one")
    assert provider.asked("token") == []


def test_a_client_that_changed_meanwhile(site, visitor, provider, call):
    """15: the request is checked again: a callback that is not the client's any more is not gone to."""
    browser = visitor(site)
    back = provider.approve(set_out(browser, site)).url
    call("DeleteUserPoolClient", UserPoolId=site.pool_id, ClientId=site.client_id)
    assert browser.open(back).location == f"{site.base}/error?error=Client%20does%20not%20exist."


def test_a_provider_that_answers_wrongly(site, visitor, provider):
    """X12: a token of a stranger's key ends at the callback, with an error and nobody signed in."""
    provider.kid = "stranger"
    browser = visitor(site)
    page = come_back(browser, provider, set_out(browser, site))
    assert asked(page.location)["error"] == "invalid_request"
    assert "cognito" not in browser.http.cookies


def test_neither_code_nor_error(site, visitor, provider):
    """What is no answer at all is told as an invalid request; other methods are refused."""
    browser = visitor(site)
    state = asked(set_out(browser, site))["state"]
    page = browser.open(f"/oauth2/idpresponse?state={state}")
    assert asked(page.location) == {"error": "invalid_request", "state": "s1"}
    head = browser.http.head(f"{site.base}/oauth2/idpresponse?state={state}")
    assert (head.status_code, head.headers["allow"]) == (405, "GET, POST")
    assert browser.http.post(f"{site.base}/oauth2/idpresponse", json={}).status_code == 415
