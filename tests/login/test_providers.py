"""What the sign-in page shows of identity providers, and where its buttons lead (spec/http/06 §6.7)."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.login.conftest import CLIENT, Front
from tests.login.test_looks import set_style
from tests.operations.test_identity_providers import GIVEN

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1"/></svg>'


def add_provider(site: Front, kind="OIDC", name=None, details=None, **members):
    """Give the pool a provider."""
    site.call(
        "CreateIdentityProvider",
        UserPoolId=site.pool_id,
        ProviderName=name or ("Partner" if kind in {"OIDC", "SAML"} else kind),
        ProviderType=kind,
        ProviderDetails=details or GIVEN[kind],
        **members,
    )


def let_choose(site: Front, *names, **changes):
    """Make the client list these providers."""
    settings = CLIENT | {"SupportedIdentityProviders": [*names]} | changes
    site.call("UpdateUserPoolClient", UserPoolId=site.pool_id, ClientId=site.client_id, **settings)


def buttons(page):
    """The captions of the page's buttons for providers, by their names and in order."""
    found = [given for tag, given in page.elements if tag == "a" and "data-provider" in given]
    return [given["data-provider"] for given in found]


def button(page, name):
    return next(given for tag, given in page.elements if tag == "a" and given.get("data-provider") == name)


@pytest.fixture
def site(front):
    """Pages of a client that lists a provider of its own besides the pool and three that everybody knows."""
    site = front()
    for kind in ("Google", "Facebook", "SignInWithApple"):
        add_provider(site, kind)
    add_provider(site, IdpIdentifiers=["partner.example"])
    let_choose(site, "COGNITO", "Google", "Partner", "Facebook", "SignInWithApple")
    return site


def test_buttons_and_form(site, visitor):
    """Buttons in the client's order, then the form; each button repeats the request and names its provider."""
    page = visitor(site).open("/login" + site.query(nonce="n 1", extra="x"))
    assert buttons(page) == ["Google", "Partner", "Facebook", "SignInWithApple"]
    assert page.has("password")
    assert page.html.index("data-provider") < page.html.index("cognitoSignInForm")
    assert "Continue with Apple" in page.html
    address = urlsplit(button(page, "Partner")["href"])
    assert address.path == urlsplit(site.base).path + "/oauth2/authorize"
    asked = dict(parse_qsl(urlsplit(site.query(nonce="n 1", extra="x")).query))
    assert dict(parse_qsl(address.query)) == asked | {"identity_provider": "Partner"}


def test_classic_buttons(front, visitor):
    """Classic pages have two groups with Cognito's headings and classes, and its promise."""
    site = front(version=1)
    add_provider(site, "Google")
    add_provider(site)
    let_choose(site, "COGNITO", "Google", "Partner")
    page = visitor(site).open("/login" + site.query())
    assert "socialButton-customizable" in button(page, "Google")["class"]
    assert "idpButton-customizable" in button(page, "Partner")["class"]
    for text in (
        "Sign in with your social account",
        "Sign in with your corporate ID",
        "We won&#39;t post to any of your accounts without asking first",
        "<span>Continue with Google</span>",
        "<span>Partner</span>",
    ):
        assert text in page.html


def test_no_button_for_what_cannot_be_used(front, visitor):
    """A provider that the client does not list has no button; named, it is not available."""
    site = front()
    add_provider(site)
    let_choose(site, "COGNITO")
    browser = visitor(site)
    assert buttons(browser.open("/login" + site.query())) == []
    for name in ("Partner", "Nobody"):
        page = browser.follow(browser.open("/oauth2/authorize" + site.query(identity_provider=name)))
        assert (page.status, page.error) == (401, "Login option is not available. Please try another one")
        assert page.has("password")


def test_a_client_without_the_pool(site, visitor):
    """No form for the pool's own users, and naming these is naming what is not available."""
    let_choose(site, "Partner")
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    assert (page.status, page.error, page.forms, buttons(page)) == (200, None, [], ["Partner"])
    assert browser.open("/login" + site.query(identity_provider="COGNITO")).status == 401
    let_choose(site, "COGNITO", "Partner")
    page = browser.open("/login" + site.query(identity_provider="COGNITO"))
    assert (page.status, page.has("password"), buttons(page)) == (200, True, [])


def test_branding_of_the_buttons(site, visitor):
    """The branding says what comes first, whether buttons have icons, and which; the form can come before them."""
    order = [[{"display": "INPUT", "type": "USERNAME_PASSWORD"}, {"display": "BUTTON", "type": "FEDERATED"}]]
    auth = {"federation": {"order": ["Partner", "Facebook"]}, "authMethodOrder": order}
    icon = {"Category": "IDP_BUTTON_ICON", "ColorMode": "DYNAMIC", "Extension": "SVG", "Bytes": SVG}
    set_style(site, Settings={"categories": {"auth": auth}}, Assets=[icon | {"ResourceId": "Partner"}])
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    assert buttons(page) == ["Partner", "Facebook", "Google", "SignInWithApple"]
    assert page.html.index("data-provider") > page.html.index("cognitoSignInForm")
    images = [given["src"] for tag, given in page.elements if tag == "img" and "icon" in (given.get("class") or "")]
    assert len(images) == 1
    assert browser.http.get(site.server.url + images[0]).content == SVG
    assert ">G</span>" in page.html
    set_style(site, Settings={"componentClasses": {"idpButtons": {"icons": {"enabled": False}}}})
    assert 'class="icon' not in browser.open("/login" + site.query()).html


@pytest.mark.parametrize(
    "auth",
    [
        {"federation": {"interfaceStyle": "DOMAIN_SEARCH"}},
        {"authMethodOrder": [[{"display": "INPUT", "type": "FEDERATED"}]]},
    ],
)
def test_search_by_the_domain(site, visitor, auth):
    """Where the branding wants it, an e-mail address finds the provider; what has no identifier keeps its button."""
    set_style(site, Settings={"categories": {"auth": auth}})
    browser = visitor(site)
    page = browser.open("/login" + site.query(identity_provider="COGNITO"))
    assert not page.has("domainSearchButton")
    page = browser.open("/login" + site.query())
    assert buttons(page) == ["Google", "Facebook", "SignInWithApple"]
    found = browser.send(page, email="ann@Partner.example")
    assert found.location == f"{site.base}/oauth2/authorize{site.query(idp_identifier='partner.example')}"
    nobody = browser.send(page, email="ann@other.example")
    assert nobody.wrong("domainSearchInput") == "There is no sign-in for this email address."
    assert nobody.input("email")["value"] == "ann@other.example"


def test_search_leads_to_this_machine_too(site, visitor):
    """The policy of a page with the input lets its form lead to a provider under http, where there is one."""
    set_style(site, Settings={"categories": {"auth": {"federation": {"interfaceStyle": "DOMAIN_SEARCH"}}}})
    browser = visitor(site)
    policy = browser.open("/login" + site.query()).response.headers["content-security-policy"]
    assert policy.endswith("form-action 'self' https:")
    add_provider(
        site, name="Local", details=GIVEN["OIDC"] | {"oidc_issuer": "http://localhost:1"}, IdpIdentifiers=["local"]
    )
    let_choose(site, "COGNITO", "Local")
    policy = browser.open("/login" + site.query()).response.headers["content-security-policy"]
    assert policy.endswith("form-action 'self' http:")
