"""Signing in by SAML providers (spec/http/06 §6.6; rows X13–X21 of spec/http/09)."""

import sys
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

import poolhouse.providers
from poolhouse.login.texts import texts_of
from tests.federation.provider import Answer
from tests.federation.saml_provider import (
    ENTITY_ID,
    SIGN_ON,
    SIGN_OUT,
    Posted,
    SamlProvider,
    decoded,
    encoded,
    pair,
    sign,
    stranger,
)
from tests.login.conftest import CALLBACK, Front
from tests.login.pages import Page
from tests.login.test_providers import add_provider, buttons, let_choose
from tests.oauth.conftest import claims

MAIL, GIVEN_NAME = "urn:oid:0.9.2342.19200300.100.1.3", "urn:oid:2.5.4.42"
UNSIGNED = "Invalid SAML response received: SAML Assertion signature is invalid. "
NO_STATE = "/error?error=Invalid%20relayState%20from%20identity%20provider"
NOTHING = "/error?error=Invalid%20samlResponse%20or%20relayState%20from%20identity%20provider"


@pytest.fixture(scope="module")
def saml_session(tmp_path_factory):
    return SamlProvider(tmp_path_factory.mktemp("saml"))


@pytest.fixture
def saml(saml_session):
    """The provider as it is when nobody asks it for anything else."""
    saml_session.reset()
    return saml_session


def add_saml(site: Front, saml: SamlProvider, name="Saml", **details):
    """Give the pool the provider, and the client nothing but that."""
    details = {name: value for name, value in ({"MetadataFile": saml.metadata} | details).items() if value}
    certificate = site.call("GetSigningCertificate", UserPoolId=site.pool_id)["Certificate"]
    signs = "RequestSigningAlgorithm" in details or "IDPSignout" in details
    saml.trust(site.pool_id, site.base, certificate if signs else None)
    add_provider(
        site, "SAML", name, details=details, AttributeMapping={"email": MAIL, "given_name": GIVEN_NAME},
        IdpIdentifiers=["saml.example"],
    )  # fmt: skip
    let_choose(site, name)


@pytest.fixture
def site(front, saml):
    """Pages of a client whose users come from the provider, which may begin."""
    site = front(UsernameConfiguration={"CaseSensitive": False})
    add_saml(site, saml, IDPInit="true")
    return site


def set_out(browser, site, **parameters):
    """Go to the provider; its address."""
    page = browser.open("/oauth2/authorize" + site.query(**{"identity_provider": "Saml"} | parameters))
    assert page.status == 302, page.html
    return page.location


def post(browser, posted: Posted, **changes):
    """Bring what the provider says."""
    form = {name: value for name, value in (posted.form | changes).items() if value is not None}
    return Page(browser.http.post(posted.url, data=form, headers={"origin": "https://idp.example"}))


def told(page):
    """What the application is told."""
    assert page.status == 302, page.html
    assert page.location.startswith(CALLBACK + "?"), page.location
    return dict(parse_qsl(urlsplit(page.location).query))


def relay_state(site, **changes):
    """What a provider sends along that begins a sign-in."""
    parameters = {
        "identity_provider": "Saml",
        "client_id": site.client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "email openid",
    }
    return urlencode(parameters | changes)


def begin(site, saml, **changes):
    """A sign-in that begins at the provider."""
    url, audience = f"{site.base}/saml2/idpresponse", f"urn:amazon:cognito:sp:{site.pool_id}"
    return saml.begin(url, audience, relay_state(site, **changes))


def test_there_and_back(site, saml, visitor):
    """X13: a button leads to the provider, whose answer makes a user; the second time the user is changed."""
    browser = visitor(site)
    assert buttons(browser.open("/login" + site.query())) == ["Saml"]
    posted = saml.approve(set_out(browser, site))
    request = posted.request
    assert request.issuer.text == f"urn:amazon:cognito:sp:{site.pool_id}"
    assert posted.url == request.assertion_consumer_service_url == f"{site.base}/saml2/idpresponse"
    assert request.protocol_binding == "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
    assert (request.destination, request.version, request.id[0]) == (SIGN_ON, "2.0", "_")
    assert (request.name_id_policy, request.force_authn) == (None, None)
    page = post(browser, posted)
    assert page.location.endswith("&state=s1")
    held = claims(site.redeem(page.location.removesuffix("&state=s1"))["id_token"])
    identity = held["identities"][0]
    assert (held["cognito:username"], held["email"]) == ("saml_ann@example.com", "ann@example.com")
    assert (identity["userId"], identity["providerType"], identity["issuer"]) == ("Ann@Example.com", "SAML", ENTITY_ID)
    assert held["cognito:groups"] == [f"{site.pool_id}_Saml"]
    user = site.user("saml_ann@example.com")
    assert user["UserStatus"] == "EXTERNAL_PROVIDER"
    saml.person["givenName"] = ["Anna", "B C"]
    browser = visitor(site)
    assert "code" in told(post(browser, saml.approve(set_out(browser, site))))
    attributes = {each["Name"]: each["Value"] for each in site.user("saml_ann@example.com")["UserAttributes"]}
    assert attributes["given_name"] == "[Anna, B+C]"
    # Signed in with this browser.
    assert "code" in told(browser.open("/oauth2/authorize" + site.query(identity_provider="Saml")))


def test_signed_requests(front, saml, visitor):
    """Where RequestSigningAlgorithm is set, requests are signed with the pool's certificate; else they are not."""
    site = front()
    add_saml(site, saml, RequestSigningAlgorithm="rsa-sha256")
    browser = visitor(site)
    location = set_out(browser, site, idp_identifier="saml.example", identity_provider=None)
    assert [name for name, _ in parse_qsl(urlsplit(location).query)] == [
        "tenant", "SAMLRequest", "RelayState", "SigAlg", "Signature",
    ]  # fmt: skip
    assert "code" in told(post(browser, saml.approve(location)))
    with pytest.raises(Exception, match="not signed correctly"):
        saml.approve(location.replace("RelayState=", "RelayState=A"))


def test_refused(site, saml, visitor):
    """X14, X15: by a signature or an audience that is wrong, with Cognito's words; the way was used up then."""
    browser = visitor(site)
    posted = saml.approve(set_out(browser, site))
    root = decoded(posted)
    root.find(".//{*}NameID").text = "admin@example.com"
    refused = told(post(browser, posted, SAMLResponse=encoded(root)))
    assert refused == {"error_description": UNSIGNED, "state": "s1", "error": "server_error"}
    assert post(browser, posted).location == site.base + NO_STATE
    posted = saml.approve(set_out(browser, site))
    other = saml.begin(posted.url, f"urn:amazon:cognito:sp:{site.pool_id}", "x")
    refused = told(post(browser, posted, SAMLResponse=other.form["SAMLResponse"]))
    assert refused["error_description"] == (
        "Invalid SAML response received: InResponseTo of the SAML response is not the id of a request. "
    )


def test_who_comes_back_is_who_went(site, saml, visitor):
    """Not with another browser, not with what is no relay state, and not without one of the fields."""
    browser = visitor(site)
    posted = saml.approve(set_out(browser, site))
    assert post(visitor(site), posted).location == site.base + NO_STATE
    assert post(browser, posted, RelayState="nothing").location == site.base + NO_STATE
    for name in ("RelayState", "SAMLResponse"):
        assert post(browser, posted, **{name: None}).location == site.base + NOTHING
    assert "code" in told(post(browser, posted))


def test_too_late(site, saml, visitor, server):
    """After five minutes the sign-in begins again, in the language that was asked for: a form of others brings no cookie."""
    browser = visitor(site)
    posted = saml.approve(set_out(browser, site, lang="de"))
    del browser.http.cookies["lang"]
    server.clock.advance(301)
    page = post(browser, posted)
    assert (page.status, page.error) == (200, texts_of("de")("something_wrong"))


def test_one_way_is_not_the_other(site, saml, provider, visitor):
    """What is known of a browser that went to a SAML provider is of no use at ``/oauth2/idpresponse``, and vice versa."""
    add_provider(site, details=provider.details())
    let_choose(site, "Saml", "Partner")
    browser = visitor(site)
    posted = saml.approve(set_out(browser, site))
    page = browser.open("/oauth2/idpresponse?" + urlencode({"state": posted.form["RelayState"], "code": "x"}))
    assert page.location == f"{site.base}/error?error=Invalid%20state"
    state = dict(parse_qsl(urlsplit(set_out(browser, site, identity_provider="Partner")).query))["state"]
    assert post(browser, posted, RelayState=state).location == site.base + NO_STATE


def test_a_provider_that_is_gone(site, saml, visitor):
    """Deleted while its user is there, it signs nobody in (design/SECURITY.md §4, 15)."""
    browser = visitor(site)
    posted = saml.approve(set_out(browser, site))
    site.call("DeleteIdentityProvider", UserPoolId=site.pool_id, ProviderName="Saml")
    page = post(browser, posted)
    assert page.location.startswith(f"{site.base}/error?") or page.status == 401


def test_posted_only(site):
    """``/saml2/idpresponse`` answers GET with 405."""
    answer = httpx.get(f"{site.base}/saml2/idpresponse", trust_env=False)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_begun_at_the_provider(site, saml, visitor):
    """X18, X16: a sign-in may begin there, without any cookie; its assertion counts once."""
    posted = begin(site, saml)
    page = post(visitor(site), posted)
    assert page.response.headers["content-length"] == "0"
    assert "x-amz-cognito-request-id" in page.response.headers
    assert claims(site.redeem(page.location)["id_token"])["cognito:username"] == "saml_ann@example.com"
    refused = told(post(visitor(site), posted))
    assert refused["error_description"] == "Invalid SAML response received: SAML Assertion was used before. "


@pytest.mark.usefixtures("still_clock")
def test_begun_too_long_ago(site, saml, visitor, server):
    """What nobody asked for is good for six minutes, whatever it says itself."""
    posted = begin(site, saml)
    root = decoded(posted)
    assertion = root.find("{*}Assertion")
    assertion.remove(assertion.find("{*}Signature"))
    for element in root.iter("{*}Conditions", "{*}SubjectConfirmationData"):
        element.set("NotOnOrAfter", "2099-01-01T00:00:00Z")
    sign(assertion, pair().key)
    server.clock.advance(359)
    assert "code" in told(post(visitor(site), posted, SAMLResponse=encoded(root)))
    server.clock.advance(3)
    refused = told(post(visitor(site), posted, SAMLResponse=encoded(root)))
    assert refused["error_description"] == "Invalid SAML response received: SAML Assertion has expired. "


def test_where_none_may_begin(front, saml, visitor):
    """X17: not without IDPInit, not by a provider that the client does not list, nor where there are other ways in."""
    site = front()
    add_saml(site, saml)
    refused = told(post(visitor(site), begin(site, saml)))
    assert refused["error"] == "server_error"
    assert "may not begin" in refused["error_description"]
    assert post(visitor(site), begin(site, saml, identity_provider="Other")).status == 401
    assert post(visitor(site), begin(site, saml, redirect_uri="https://evil.example")).location.startswith(
        f"{site.base}/error?error=redirect_mismatch"
    )
    site = front()
    add_saml(site, saml, IDPInit="true")
    let_choose(site, "COGNITO", "Saml")
    refused = told(post(visitor(site), begin(site, saml)))
    assert refused["error_description"] == "IdP-initiated sign-in needs a client with SAML providers only"


@pytest.fixture
def metadata(provider, saml):
    """Metadata behind an address: ``serve`` a document, and the address."""

    def serve(document):
        provider.answers["discovery"] = Answer(body=document.encode(), headers={"Content-Type": "text/xml"})

    serve(saml.metadata)
    return serve, f"{provider.url}/.well-known/openid-configuration"


def test_single_logout(front, saml, visitor, provider, metadata):
    """X19, X20: whoever signs out goes to the provider with a signed request, and from there to the application."""
    site = front(client={"LogoutURLs": ["https://app.example/bye"]})
    add_saml(site, saml, IDPSignout="true", RequestSigningAlgorithm="rsa-sha256")
    let_choose(site, "Saml", LogoutURLs=["https://app.example/bye"])
    browser = visitor(site)
    answer = saml.approve(set_out(browser, site))
    assert "code" in told(post(browser, answer))
    leaving = f"/logout?client_id={site.client_id}&logout_uri=https%3A%2F%2Fapp.example%2Fbye"
    page = browser.open(leaving)
    assert [name for name, _ in parse_qsl(urlsplit(page.location).query)] == [
        "SAMLRequest", "RelayState", "SigAlg", "Signature",
    ]  # fmt: skip
    ended = saml.end(page.location)
    session = decoded(answer).find(".//{*}AuthnStatement").get("SessionIndex")
    assert ended.request.session_index[0].text == session
    assert (ended.request.name_id.text, ended.request.issuer.text) == (
        "Ann@Example.com", f"urn:amazon:cognito:sp:{site.pool_id}",
    )  # fmt: skip
    # Here the session is over already.
    assert browser.open("/oauth2/authorize" + site.query(identity_provider="Saml")).location.startswith(SIGN_ON)
    assert browser.open(leaving).location == "https://app.example/bye"
    assert post(browser, ended).location == "https://app.example/bye"
    assert httpx.get(ended.url, trust_env=False).status_code == 405
    unsigned = decoded(ended)
    unsigned.remove(unsigned.find("{*}Signature"))
    page = post(browser, ended, SAMLResponse=encoded(unsigned))
    assert page.location.startswith(f"{site.base}/error?error=Invalid%20SAML%20response%20received%3A%20SAML%20Logout")
    unsigned.set("InResponseTo", "_other")
    sign(unsigned, pair().key)
    assert "InResponseTo" in post(browser, ended, SAMLResponse=encoded(unsigned)).location
    for changes in ({"RelayState": "x"}, {"RelayState": answer.form["RelayState"]}, {"SAMLResponse": None}):
        assert post(browser, ended, **changes).location == site.base + NOTHING
    site.call("DeleteIdentityProvider", UserPoolId=site.pool_id, ProviderName="Saml")
    assert post(browser, ended).location == "https://app.example/bye"


def test_metadata_behind_an_address(front, saml, visitor, provider, metadata, server):
    """It is read once in six hours, and once more for a signature that fits none of its certificates."""
    serve, url = metadata
    site = front()
    serve(saml.metadata.replace(pair().bare, stranger().bare))
    add_saml(site, saml, MetadataFile=None, MetadataURL=url)

    def come():
        browser = visitor(site)
        return told(post(browser, saml.approve(set_out(browser, site))))

    assert come()["error_description"] == UNSIGNED
    serve(saml.metadata)
    assert come()["error_description"] == UNSIGNED
    assert len(provider.asked("discovery")) == 1
    server.clock.advance(61)
    assert "code" in come()
    assert "code" in come()
    assert len(provider.asked("discovery")) == 2
    details = site.call("DescribeIdentityProvider", UserPoolId=site.pool_id, ProviderName="Saml")["IdentityProvider"]
    assert details["ProviderDetails"] == {
        "MetadataURL": url,
        "SSORedirectBindingURI": SIGN_ON,
        "SLORedirectBindingURI": SIGN_OUT,
    }
    identities = {each["Name"]: each["Value"] for each in site.user("Saml_Ann@Example.com")["UserAttributes"]}
    assert f'"issuer":"{ENTITY_ID}"' in identities["identities"]
    provider.answers["discovery"] = Answer(500)
    assert "code" in come()
    server.clock.advance(6 * 3600)
    refused = told(visitor(site).open("/oauth2/authorize" + site.query(identity_provider="Saml")))
    assert (refused["error"], refused["error_description"]) == ("server_error", "Error in reading SAML metadata")


def test_encrypted_assertions(front, saml, visitor):
    """X21: with EncryptedResponses the provider gets a certificate that stays; plain assertions are refused then."""
    site = front()
    add_saml(site, saml, EncryptedResponses="true")
    named = {"UserPoolId": site.pool_id, "ProviderName": "Saml"}
    details = site.call("DescribeIdentityProvider", **named)["IdentityProvider"]["ProviderDetails"]
    certificate = details["ActiveEncryptionCertificate"]
    assert not {"decryption_key", "entity_id"} & details.keys()
    browser = visitor(site)
    refused = told(post(browser, saml.approve(set_out(browser, site))))
    assert (
        refused["error_description"]
        == "Invalid SAML response received: SAML response must have one EncryptedAssertion. "
    )
    saml.options |= {"encrypt_assertion": True, "encrypt_cert_assertion": certificate}
    assert "code" in told(post(browser, saml.approve(set_out(browser, site, prompt="login"))))
    changed = site.call("UpdateIdentityProvider", **named, ProviderDetails=details | {"IDPSignout": "true"})
    assert changed["IdentityProvider"]["ProviderDetails"]["ActiveEncryptionCertificate"] == certificate
    assert "code" in told(post(browser, saml.approve(set_out(browser, site, prompt="login"))))
    changed = site.call("UpdateIdentityProvider", **named, ProviderDetails=details | {"EncryptedResponses": "false"})
    assert "ActiveEncryptionCertificate" not in changed["IdentityProvider"]["ProviderDetails"]


def test_attributes_that_are_missing(front, saml, visitor):
    """What the pool requires and the provider does not say is told in the words for SAML."""
    site = front(Schema=[{"Name": "given_name", "Required": True}, {"Name": "email", "Mutable": False}])
    add_saml(site, saml)
    browser = visitor(site)

    def refused():
        given = told(post(browser, saml.approve(set_out(browser, site, prompt="login"))))
        return given["error"], given["error_description"].removeprefix("Invalid SAML response received: ")

    del saml.person["givenName"]
    assert refused() == ("server_error", "Invalid user attributes: given_name: The attribute is required. ")
    saml.person["givenName"] = ["Ann"]
    assert "code" in told(post(browser, saml.approve(set_out(browser, site))))
    assert refused() == ("server_error", "Invalid user attributes: email: Attribute cannot be updated. ")


def test_what_the_function_sees(front, saml, visitor, functions):
    """The inbound federation trigger sees the assertion in the place of tokens, and may say what is mapped."""
    seen = []

    def inbound(event, context):
        seen.append(event["request"])
        event["response"]["userAttributesToMap"] = {"NameID": "x", MAIL: "other@example.com"}
        return event

    config = {"InboundFederation": {"LambdaArn": functions.add(inbound), "LambdaVersion": "V1_0"}}
    site = front(LambdaConfig=config)
    add_saml(site, saml)
    browser = visitor(site)
    assert "code" in told(post(browser, saml.approve(set_out(browser, site))))
    assert seen == [
        {
            "providerName": "Saml",
            "providerType": "SAML",
            "attributes": {"samlResponse": {MAIL: "ann@example.com", GIVEN_NAME: "Ann", "NameID": "Ann@Example.com"}},
        }
    ]


def test_without_the_packages(site, saml, visitor, monkeypatch, caplog):
    """Where the extra is not installed, the log says what to do."""
    monkeypatch.setitem(sys.modules, "poolhouse.providers.saml_response", None)
    monkeypatch.delattr(poolhouse.providers, "saml_response", raising=False)
    browser = visitor(site)
    refused = told(post(browser, saml.approve(set_out(browser, site))))
    assert (refused["error"], refused["error_description"]) == ("server_error", "SAML is not available")
    assert "pip install 'poolhouse[saml]'" in caplog.text
