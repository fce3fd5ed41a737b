"""To an identity provider and back (spec/http/06 §6.3–6.4, spec/http/03 §3.10)."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from poolhouse.core.domain import Domain
from poolhouse.flows.calls import Identity
from poolhouse.model import DomainDescriptionType
from poolhouse.web.domains import DomainContext
from poolhouse.web.round_trips import bind
from tests.conftest import PASSWORD
from tests.federation.provider import CLIENT_ID, PEOPLE, Answer
from tests.login.conftest import CALLBACK, CLIENT
from tests.login.pages import Page
from tests.login.test_providers import add_provider, let_choose
from tests.oauth.conftest import claims
from tests.operations.test_provisioned_limits import at_rest, limit  # noqa: F401 - fixtures of the tests here too

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


def refuse(event, context):
    raise PermissionError("nope")


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
    assert site.client_id not in given["state"]
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


def test_x23_no_second_factor_of_the_pool(site, visitor, provider, call):
    """X23: where the pool requires a second factor, users of a provider are asked for none, the first time and later."""
    totp = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
    call("SetUserPoolMfaConfig", UserPoolId=site.pool_id, MfaConfiguration="ON", **totp)
    for _ in range(2):
        browser = visitor(site)
        assert "id_token" in site.redeem(come_back(browser, provider, set_out(browser, site)).location)


def test_five_minutes(site, visitor, provider, server):
    """Whoever takes longer is back at the sign-in page, where they can begin again."""
    browser = visitor(site)
    back = provider.approve(set_out(browser, site)).url
    server.clock.advance(301)
    page = browser.open(back)
    assert (page.status, page.error) == (200, "Something went wrong")
    action = urlsplit(page.form.action)
    assert action.path == f"{urlsplit(site.base).path}/login"
    assert dict(parse_qsl(action.query)) == asked(site.query())
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


def test_x1_x7_x11_the_whole_way(site, visitor, provider):
    """X1, X7, X11: a new user, whose address nobody verified; the pool shows the provider its secret in the form."""
    site.call(
        "UpdateIdentityProvider", UserPoolId=site.pool_id, ProviderName="Partner", AttributeMapping={"email": "email"}
    )
    browser = visitor(site)
    page = come_back(browser, provider, set_out(browser, site))
    assert page.status == 302
    assert asked(page.location)["state"] == "s1"
    token = claims(site.redeem(page.location)["id_token"])
    assert token["cognito:username"] == "Partner_AbC"
    assert (token["email"], token["email_verified"]) == (PEOPLE["OIDC"]["email"], False)
    assert token["cognito:groups"] == [f"{site.pool_id}_Partner"]
    assert token["identities"][0]["userId"] == "AbC"
    assert re.fullmatch(r"[\w-]{128}", token["nonce"])
    assert site.user("Partner_AbC")["UserStatus"] == "EXTERNAL_PROVIDER"
    sent = provider.asked("token")[0]
    assert sent.form["client_secret"]
    assert sent.form["redirect_uri"] == f"{site.base}/oauth2/idpresponse"
    assert "authorization" not in sent.headers
    page = come_back(browser, provider, set_out(browser, site, nonce="n1", prompt="login"))
    assert claims(site.redeem(page.location)["id_token"])["nonce"] == "n1"


def test_the_session_of_a_provider(site, visitor, provider, user):
    """Whoever came from a provider is let in again by it or unnamed; another one, and the pool, ask anew, until logout."""
    browser = visitor(site)
    come_back(browser, provider, set_out(browser, site))
    for naming in ({}, {"identity_provider": "Partner"}, {"idp_identifier": "partner.example"}):
        assert browser.open("/oauth2/authorize" + site.query(**naming)).location.startswith(f"{CALLBACK}?code=")
    apple = browser.open("/oauth2/authorize" + site.query(identity_provider="SignInWithApple"))
    assert apple.location.startswith("https://appleid.apple.com/auth/authorize?")
    local = browser.follow(browser.open("/oauth2/authorize" + site.query(identity_provider="COGNITO")))
    name = user(site.pool_id)
    assert browser.send(local, username=name, password=PASSWORD).location.startswith(f"{CALLBACK}?code=")
    assert set_out(browser, site).startswith(provider.url), "who signed in with a password did not come from there"
    come_back(browser, provider, set_out(browser, site))
    out = browser.open("/logout" + site.query(identity_provider="Partner"))
    assert out.location == f"{site.base}/login{site.query()}", "signing out does not sign in again"
    assert set_out(browser, site).startswith(provider.url)


def test_the_implicit_way(site, visitor, provider):
    """Tokens come in the fragment, with a nonce in the ID token although none was sent; so do errors."""
    let_choose(site, "Partner", AllowedOAuthFlows=["implicit"])
    browser = visitor(site)
    page = come_back(browser, provider, set_out(browser, site, response_type="token"))
    told = dict(parse_qsl(urlsplit(page.location).fragment))
    assert claims(told["id_token"])["nonce"]
    provider.denial = ("access_denied", "no")
    page = come_back(browser, provider, set_out(browser, site, response_type="token", prompt="login"))
    assert page.location == f"{CALLBACK}#error_description=no&state=s1&error=access_denied"


def test_apple_comes_back_by_a_form(site, visitor, provider):
    """Apple posts from its own site, and tells the name of its user beside the first code."""
    mapping = {"name": "name", "given_name": "firstName"}
    site.call(
        "UpdateIdentityProvider", UserPoolId=site.pool_id, ProviderName="SignInWithApple", AttributeMapping=mapping
    )
    provider.person = dict(PEOPLE["SignInWithApple"])
    provider.apple_user = {"name": {"firstName": "Ann", "lastName": "Lee"}}
    browser = visitor(site)
    location = set_out(browser, site, identity_provider="SignInWithApple")
    assert provider.approve(location).form is not None
    site.redeem(come_back(browser, provider, location).location)
    username = f"SignInWithApple_{provider.person['sub']}"
    told = {each["Name"]: each["Value"] for each in site.user(username)["UserAttributes"]}
    assert told["given_name"] == "Ann"


def test_x5_x6_refusals_reach_the_callback(front, visitor, provider, functions):
    """X5, X6: what is missing, and what a function said, in the order of the captured redirects."""
    site = front(Schema=[{"Name": "given_name", "Required": True}])
    add_provider(site, details=provider.details())
    let_choose(site, "Partner")
    browser = visitor(site)

    def told():
        return come_back(browser, provider, set_out(browser, site)).location

    ending = "&state=s1&error=invalid_request"
    assert told() == f"{CALLBACK}?error_description=attributes+required%3A+%5Bgiven_name%5D{ending}"
    site.call(
        "UpdateIdentityProvider",
        UserPoolId=site.pool_id,
        ProviderName="Partner",
        AttributeMapping={"given_name": "name"},
    )
    site.call("UpdateUserPool", UserPoolId=site.pool_id, LambdaConfig={"PreSignUp": functions.add(refuse)})
    assert told() == f"{CALLBACK}?error_description=PreSignUp+failed+with+error+nope.+{ending}"
    assert "cognito" not in browser.http.cookies


def test_x23_no_second_factor(front, visitor, provider):
    """X23: whoever comes from a provider is asked for no factor of the pool, also where everybody needs one."""
    site = front()
    site.call(
        "SetUserPoolMfaConfig",
        UserPoolId=site.pool_id,
        MfaConfiguration="ON",
        SoftwareTokenMfaConfiguration={"Enabled": True},
    )
    add_provider(site, details=provider.details())
    let_choose(site, "COGNITO", "Partner")
    browser = visitor(site)
    assert site.redeem(come_back(browser, provider, set_out(browser, site)).location)


@pytest.mark.usefixtures("at_rest")
def test_coming_back_counts(site, visitor, provider, limit):  # noqa: F811
    """Federated sign-ins have a limit of their own; what anybody can send does not use it up."""
    browser, other = visitor(site), visitor(site)
    locations = [(each, set_out(each, site)) for each in (browser, other)]
    limit("UserFederation", 1)
    browser.open("/oauth2/idpresponse?code=c&state=x")
    answers = [come_back(each, provider, location) for each, location in locations]
    assert answers[0].location.startswith(f"{CALLBACK}?code=")
    assert (answers[1].status, answers[1].response.headers["retry-after"]) == (429, "1")


@pytest.mark.parametrize(("url", "secure"), [("https://id.example", " Secure;"), ("http://localhost:7665", "")])
def test_cookies_that_cross_sites(url, secure):
    """The first cookie comes along with a form of the provider's; browsers that do not take it get one that says nothing."""
    identity = Identity(region="us-east-1", account_id="0" * 12, public_url=url)
    domain = Domain(name="shop", pool_id="p", custom=False, description=DomainDescriptionType(domain="shop"))
    context = DomainContext(identity=identity, pool=None, domain=domain, path="/")
    crossing, legacy = (value.decode() for _, value in bind(context, "b"))
    assert crossing == "csrf-state=b; Path=/auth/shop; Secure; HttpOnly; SameSite=None"
    assert legacy == f"csrf-state-legacy=b; Path=/auth/shop;{secure} HttpOnly"


def test_a_pool_is_a_provider_too(front, visitor, call, app, user):
    """Another pool of this installation signs users in, as any provider of OpenID Connect does."""
    site, other = front(), front()
    back = {"CallbackURLs": [f"{site.base}/oauth2/idpresponse"]}
    there = app(other.pool_id, **CLIENT | back, GenerateSecret=True)
    call(
        "CreateManagedLoginBranding",
        UserPoolId=other.pool_id,
        ClientId=there["ClientId"],
        UseCognitoProvidedValues=True,
    )
    details = {
        "client_id": there["ClientId"],
        "client_secret": there["ClientSecret"],
        "authorize_scopes": "openid email",
        "attributes_request_method": "GET",
        "oidc_issuer": f"{site.server.url}/{other.pool_id}",
    }
    add_provider(site, details=details, AttributeMapping={"email": "email"})
    let_choose(site, "Partner")
    name = user(other.pool_id, email="ann@example.com", email_verified="true")
    here, away = visitor(site), visitor(other)
    page = away.follow(away.open(set_out(here, site)))
    arrived = here.open(away.send(page, username=name, password=PASSWORD).location)
    token = claims(site.redeem(arrived.location)["id_token"])
    assert token["email"] == "ann@example.com"
    assert token["identities"][0]["providerName"] == "Partner"


def test_a_code_of_another_provider(site, visitor, provider):
    """A provider that says whose answer it gives is heard on its own way only: its code does not reach another one.

    RFC 9207: somebody's provider sends a browser that was sent there on to an honest one, to get the code by coming back.
    """
    browser = visitor(site)
    back = provider.approve(set_out(browser, site)).url
    page = browser.open(f"{back}&{urlencode({'iss': 'https://honest.example'})}")
    told = asked(page.location)
    assert (told["error"], told["error_description"]) == ("invalid_request", "Bad issuer https://honest.example")
    assert provider.asked("token") == []
    back = provider.approve(set_out(browser, site)).url
    page = browser.open(f"{back}&{urlencode({'iss': provider.url})}")
    assert "code" in asked(page.location)
