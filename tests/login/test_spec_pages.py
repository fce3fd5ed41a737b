"""The pages' whole ways, for every kind of pool: sign-up, confirmation, recovery (spec/http/03 §3.3–3.6, 07 §7.2)."""

import itertools
import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from poolhouse.login.texts import LANGUAGES, texts_of
from tests.conftest import PASSWORD
from tests.login.conftest import CALLBACK, address
from tests.login.pages import Page
from tests.oauth.conftest import claims

NEW = "Another-Horse-2"
CONTACTS = ["email", "phone_number"]
_numbers = itertools.count(1)


def phone() -> str:
    """A telephone number that nobody has yet."""
    return f"+1432555{next(_numbers):04}"


def name() -> str:
    """A user name that nobody has yet."""
    return f"sam{next(_numbers)}"


def required(*names: str) -> list[dict]:
    return [{"Name": each, "AttributeDataType": "String", "Required": True, "Mutable": True} for each in names]


@dataclass(frozen=True)
class Kind:
    """A kind of pool: its settings, what is typed at sign-up, where codes go, and the names to sign in with."""

    settings: dict
    username: str
    attributes: tuple[str, ...] = ()
    reached: str = "email"
    names: tuple[str, ...] = field(default=("username",))


KINDS = {
    "email": Kind({"UsernameAttributes": ["email"], "AutoVerifiedAttributes": ["email"]}, "email"),
    "phone": Kind(
        {"UsernameAttributes": ["phone_number"], "AutoVerifiedAttributes": ["phone_number"]},
        "phone_number",
        reached="phone_number",
    ),
    "either-by-email": Kind({"UsernameAttributes": CONTACTS, "AutoVerifiedAttributes": CONTACTS}, "email"),
    "either-by-phone": Kind(
        {"UsernameAttributes": CONTACTS, "AutoVerifiedAttributes": CONTACTS}, "phone_number", reached="phone_number"
    ),
    "username": Kind({"AutoVerifiedAttributes": ["email"], "Schema": required("email")}, "username", ("email",)),
    "username-by-phone": Kind(
        {"AutoVerifiedAttributes": ["phone_number"], "Schema": required("phone_number")},
        "username",
        ("phone_number",),
        "phone_number",
    ),
    "alias-email": Kind(
        {"AliasAttributes": ["email"], "AutoVerifiedAttributes": ["email"]},
        "username",
        ("email",),
        names=("username", "email"),
    ),
    "alias-phone": Kind(
        {"AliasAttributes": ["phone_number"], "AutoVerifiedAttributes": ["phone_number"]},
        "username",
        ("phone_number",),
        "phone_number",
        names=("username", "phone_number"),
    ),
}
CLIENT = {"PreventUserExistenceErrors": "ENABLED", "AllowedOAuthScopes": ["openid", "email", "phone"]}


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_from_sign_up_to_recovery(front, visitor, inbox, kind: Kind, version: int):
    """Somebody signs up, confirms, comes to the application, signs in by every name, and recovers the password."""
    site = front(version=version, client=CLIENT, **kind.settings)
    values = {"email": address(), "phone_number": phone(), "username": name()}
    username, destination = values[kind.username], values[kind.reached]
    browser, asked = visitor(site), {"nonce": "n", "scope": "openid email phone"}

    form = browser.follow(browser.open("/oauth2/authorize" + site.query(**asked)))
    page = browser.open(site.server.url + form.links_to("/signup")[0])
    given = {f"requiredAttributes[{each}]": values[each] for each in kind.attributes}
    assert given.keys() <= page.form.inputs.keys()
    moved = browser.send(page, username=username, password=PASSWORD, **given)
    assert moved.location == f"{site.base}/confirm{site.query(**asked)}", moved.html
    done = browser.send(browser.follow(moved), code=inbox(destination)[-1].code)
    identity = claims(site.redeem(done.location)["id_token"])
    assert identity["nonce"] == "n"
    assert identity.get("email_verified") is (True if kind.reached == "email" else None)
    assert identity.get("phone_number_verified") is (True if kind.reached == "phone_number" else None)

    for each in kind.names:
        other, typed = visitor(site), values[kind.username if each == "username" else each]
        again = other.open("/login" + site.query())
        assert other.send(again, username=typed, password=PASSWORD).location.startswith(CALLBACK)

    fresh = visitor(site)
    page = fresh.open(site.server.url + fresh.open("/login" + site.query()).links_to("/forgotPassword")[0])
    moved = fresh.send(page, username=username)
    assert moved.location == f"{site.base}/confirmforgotPassword{site.query()}"
    page = fresh.follow(moved)
    shown = "a***@e***" if kind.reached == "email" else f"+*******{destination[-4:]}"
    assert shown in page.html
    message = inbox(destination)[-1]
    assert message.channel == ("EMAIL" if kind.reached == "email" else "SMS")
    back = fresh.send(page, code=message.code, password=NEW, confirm_password=NEW)
    page = fresh.follow(back)
    assert fresh.send(page, username=username, password=PASSWORD).error == "Incorrect username or password."
    assert fresh.send(page, username=username, password=NEW).location.startswith(CALLBACK)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_labels_and_inputs_of_the_sign_in_name(front, visitor, kind: Kind):
    """The first field says what users of this pool sign in with."""
    site = front(version=1, **kind.settings)
    page = visitor(site).open("/login" + site.query())
    usernames = kind.settings.get("UsernameAttributes", [])
    expected = {
        ("email",): ("Email", "name@host.com", "Sign in with your email and password"),
        ("phone_number",): ("Phone number", "Phone number", "Sign in with your phone number and password"),
        ("email", "phone_number"): ("Email or phone number", "Email or phone number", None),
        (): ("Username", "Username", "Sign in with your username and password"),
    }[tuple(usernames)]
    given = page.input("username")
    assert given["type"] == "text"
    assert given["autocapitalize"] == "none"
    assert "required" in given
    assert given["placeholder"] == expected[1]
    assert re.search(r'<label[^>]*for="signInFormUsername"[^>]*>([^<]*)<', page.html)[1] == expected[0]
    if expected[2]:
        assert expected[2] in page.html
    password = page.input("password")
    assert (password["id"], password["type"], password["placeholder"]) == ("signInFormPassword", "password", "Password")
    assert next(iter(page.form.inputs)) == "_csrf"
    assert list(page.form.inputs)[-1] == "signInSubmitButton"


def test_classic_script(front, user):
    """A script of the classic form, as public ones are: authorize, read ``_csrf``, post four fields, take the code."""
    site = front(version=1, UsernameAttributes=["email"])
    mail = address()
    user(site.pool_id, mail, email=mail, email_verified="true")
    with httpx.Client(trust_env=False, follow_redirects=True) as http:
        page = http.get(f"{site.base}/oauth2/authorize{site.query()}")
        csrf = re.search(r'name="_csrf" value="([^"]+)"', page.text)[1]
        assert http.cookies["XSRF-TOKEN"] == csrf
        form = {"_csrf": csrf, "username": mail, "password": PASSWORD, "signInSubmitButton": "Sign in"}
        done = http.post(f"{site.base}/login{site.query()}", data=form, follow_redirects=False)
    assert done.status_code == 302
    assert site.redeem(done.headers["location"])["token_type"] == "Bearer"


def test_script_that_names_the_token_as_managed_login_does(front, user):
    """The hidden field may be called ``csrf``; the advanced security data may be left out or be there."""
    site = front(version=2)
    username = user(site.pool_id)
    with httpx.Client(trust_env=False) as http:
        page = Page(http.get(f"{site.base}/login{site.query()}"))
        form = {"csrf": page.input("csrf")["value"], "username": username, "password": PASSWORD, "cognitoAsfData": "e="}
        done = http.post(f"{site.base}/login{site.query()}", data=form)
    assert done.headers["location"].startswith(CALLBACK)


def test_social_auth_core_s_backend(front, visitor, user, app):
    """Python Social Auth's Cognito backend: ``/login`` in place of authorize, Basic at the token, userInfo with Bearer."""
    site = front(client={"GenerateSecret": True})
    described = site.call("DescribeUserPoolClient", UserPoolId=site.pool_id, ClientId=site.client_id)["UserPoolClient"]
    username = user(site.pool_id, email="psa@example.com", email_verified="true")
    browser = visitor(site)
    parameters = {
        "client_id": site.client_id,
        "redirect_uri": CALLBACK,
        "state": "xyz",
        "response_type": "code",
        "scope": "openid email",
    }
    done = browser.send(browser.open("/login?" + urlencode(parameters)), username=username, password=PASSWORD)
    answer = parse_qs(urlsplit(done.location).query)
    assert answer["state"] == ["xyz"]
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"][0],
        "client_id": site.client_id,
        "redirect_uri": CALLBACK,
    }
    auth = (site.client_id, described["ClientSecret"])
    tokens = httpx.post(f"{site.base}/oauth2/token", data=form, auth=auth, trust_env=False).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    who = httpx.get(f"{site.base}/oauth2/userInfo", headers=bearer, trust_env=False).json()
    assert (who["username"], who["email"]) == (username, "psa@example.com")


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_switch_and_persist(front, visitor, language: str):
    """Each of the twelve languages is spoken when asked for, remembered after, and left when another is asked for."""
    site = front()
    browser, text = visitor(site), texts_of(language)
    page = browser.follow(browser.open("/oauth2/authorize" + site.query(lang=language)))
    for path in ("/login", "/signup", "/forgotPassword"):
        page = browser.open(path + site.query())
        assert f'<html lang="{language}"' in page.html
        expected = "en-US" if language == "en" else language
        assert page.response.headers["content-language"] == expected
    assert page.texts["pageHeading"] == text("forgot_heading")
    refused = browser.send(browser.open("/login" + site.query()), username="nobody", password="")
    assert refused.wrong("signInFormPassword") == text("fill_in")
    browser.open("/error?error=x&lang=" + ("de" if language != "de" else "fr"))
    changed = browser.open("/login" + site.query())
    assert f'<html lang="{"de" if language != "de" else "fr"}"' in changed.html


def test_new_password_with_missing_attributes_of_every_kind(front, visitor, call):
    """A temporary password leads through every required attribute that is missing, with inputs of the right kind."""
    missing = ["birthdate", "email", "given_name", "phone_number", "zoneinfo"]
    site = front(Schema=required(*missing), client={"AllowedOAuthScopes": ["openid", "email"]})
    call(
        "AdminCreateUser",
        UserPoolId=site.pool_id,
        Username="tea",
        TemporaryPassword=PASSWORD,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "given_name", "Value": "Tea"}],
    )
    browser = visitor(site)
    page = browser.follow(browser.send(browser.open("/login" + site.query()), username="tea", password=PASSWORD))
    asked = {key[19:-1] for key in page.form.inputs if key.startswith("requiredAttributes[")}
    assert asked == set(missing) - {"given_name"}
    given = {
        "requiredAttributes[birthdate]": "2001-02-03",
        "requiredAttributes[email]": "no address",
        "requiredAttributes[phone_number]": "+1 432 555-9999",
        "requiredAttributes[zoneinfo]": "Europe/Berlin",
    }
    wrong = browser.send(page, password=NEW, confirm_password=NEW, **given)
    assert wrong.status == 200
    assert wrong.wrong("attribute-email") == "Invalid email address format."
    given["requiredAttributes[email]"] = "tea@example.com"
    done = browser.send(wrong, password=NEW, confirm_password=NEW, **given)
    site.redeem(done.location)
    found = {entry["Name"]: entry["Value"] for entry in site.user("tea")["UserAttributes"]}
    assert (found["email"], found["phone_number"]) == ("tea@example.com", "+14325559999")
    assert (found["birthdate"], found["zoneinfo"]) == ("2001-02-03", "Europe/Berlin")
    again = visitor(site)
    assert again.send(again.open("/login" + site.query()), username="tea", password=NEW).location.startswith(CALLBACK)


@pytest.mark.parametrize("version", [1, 2])
def test_link_in_the_mail_confirms(front, visitor, inbox, version: int):
    """S3: a pool that confirms by link: the page waits for the mail's own link, opened in another browser, and goes on."""
    site = front(
        version=version,
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        VerificationMessageTemplate={
            "DefaultEmailOption": "CONFIRM_WITH_LINK",
            "EmailMessageByLink": "Hello {username}, {##Confirm it & go##}.",
            "EmailSubjectByLink": "Confirm",
        },
    )
    mail = address().replace("@", "+tag@")
    browser = visitor(site)
    moved = browser.send(browser.open("/signup" + site.query()), username=mail, password=PASSWORD)
    waiting = browser.follow(moved)
    assert "We have sent a link to a***@e***. Open it to confirm your account." in waiting.html
    assert "code" not in waiting.form.inputs
    assert browser.send(waiting).error == "Your account is not confirmed yet. Please open the link first."
    [message] = inbox(mail)
    assert message.subject == "Confirm"
    link = re.search(r"href=[\"']?([^\"' >]+)", message.body)[1].replace("&amp;", "&")
    assert link.startswith(f"{site.base}/confirmUser?client_id={site.client_id}&user_name=")
    page = visitor(site).open(link)
    assert page.status == 200
    assert "Your registration has been confirmed!" in page.html
    found = site.user(mail)
    assert found["UserStatus"] == "CONFIRMED"
    assert {"Name": "email_verified", "Value": "true"} in found["UserAttributes"]
    again = visitor(site).open(link)
    assert "Your account has been confirmed. You can now sign in." in again.html
    done = browser.send(waiting)
    assert claims(site.redeem(done.location)["id_token"])["email_verified"] is True


def test_waiting_for_a_link(front, visitor, inbox):
    """Another link can be had; who has not signed up in this browser may sign in later, and no more than that."""
    site, mail = (
        front(
            UsernameAttributes=["email"],
            AutoVerifiedAttributes=["email"],
            VerificationMessageTemplate={"DefaultEmailOption": "CONFIRM_WITH_LINK"},
        ),
        address(),
    )
    signing_up, browser = visitor(site), visitor(site)
    signing_up.send(signing_up.open("/signup" + site.query()), username=mail, password=PASSWORD)
    page = browser.follow(browser.send(browser.open("/login" + site.query()), username=mail, password=PASSWORD))
    assert "Open the link that we have sent you" in page.html
    assert [form.name for form in page.forms] == ["resendCodeForm"]
    page = browser.follow(browser.send(page))
    assert page.notice == "We have sent a new link to a***@e***."
    assert len(inbox(mail)) == 2
    site.call("AdminConfirmSignUp", UserPoolId=site.pool_id, Username=mail)
    forged = browser.http.post(f"{site.base}/confirm{site.query()}", data=page.form.values)
    assert forged.headers["location"] == f"{site.base}/login{site.query()}"
    assert "cognito" not in browser.http.cookies


def test_sign_in_for_two_applications(front, visitor, user, app):
    """Signing in once serves the other client too, an hour from the sign-in and no longer, with one time of it."""
    site = front(client={"LogoutURLs": ["https://app.example/out"]})
    username = user(site.pool_id, email="two@example.com", email_verified="true")
    second = app(
        site.pool_id,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid"],
        CallbackURLs=[CALLBACK],
        SupportedIdentityProviders=["COGNITO"],
    )["ClientId"]
    browser = visitor(site)
    first = browser.send(browser.open("/login" + site.query()), username=username, password=PASSWORD)
    signed_in = claims(site.redeem(first.location)["id_token"])["auth_time"]
    site.server.clock.advance(3590)
    silent = browser.open("/oauth2/authorize" + site.query(client_id=second, scope="openid", prompt="none"))
    site.client_id = second
    assert claims(site.redeem(silent.location)["id_token"])["auth_time"] == signed_in
    site.server.clock.advance(15)
    over = browser.open("/oauth2/authorize" + site.query(scope="openid"))
    assert over.location.startswith(f"{site.base}/login?")


def test_error_page_says_what_it_is_told(front, visitor):
    """The error page is 400, and shows the text as text (spec/http/03 §3.9)."""
    site = front()
    browser = visitor(site)
    for text in ("Invalid state", "Required String parameter 'redirect_uri' is not present", "<b>bold</b>"):
        page = browser.open("/error?" + urlencode({"error": text, "client_id": site.client_id}))
        assert page.status == 400
        assert "An error was encountered with the requested page." in page.html
        assert f'<p class="detail">{text}</p>' in unescape(page.html)
        assert "<b>" not in page.html
    described = browser.open("/error?error_description=attributes+required&state=s&error=invalid_request")
    assert "attributes required" in described.html


@pytest.mark.parametrize("language", ["en", "de"])
def test_l12_form_of_the_name_comes_first(front, visitor, user, language: str):
    """Where the name comes first, one of the wrong form gets no further; the right ones and the ``sub`` do."""
    flows = CLIENT | {"ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}
    text = texts_of(language)
    by_email = front(client=flows, UsernameAttributes=["email"])
    by_phone = front(client=flows, UsernameAttributes=["phone_number"])
    by_either = front(client=flows, UsernameAttributes=CONTACTS)
    by_name = front(client=flows)
    cases = [
        (by_email, "+14325550000", "want_email"),
        (by_phone, "a@example.com", "want_phone"),
        (by_either, "abc", "want_either"),
        (by_email, "a@example.com", None),
        (by_phone, "+1 (432) 555-0000", None),
        (by_either, "+14325550000", None),
        (by_name, "abc", None),
        (by_email, user(by_email.pool_id, mail := address(), email=mail), None),
    ]
    for site, typed, wrong in cases:
        browser = visitor(site)
        page = browser.send(browser.open("/login" + site.query(lang=language)), username=typed)
        assert page.status == 200
        assert page.has("password") is (wrong is None)
        assert page.wrong("signInFormUsername") == (text(wrong) if wrong else None)


@pytest.mark.parametrize("version", [1, 2])
def test_l16_optional_factors_are_not_asked_for(front, visitor, user, call, version: int):
    """L16: where second factors are optional, whoever has none goes straight to the application."""
    site = front(version=version)
    username = user(site.pool_id)
    call(
        "SetUserPoolMfaConfig",
        UserPoolId=site.pool_id,
        MfaConfiguration="OPTIONAL",
        SoftwareTokenMfaConfiguration={"Enabled": True},
    )
    browser = visitor(site)
    done = browser.send(browser.open("/login" + site.query()), username=username, password=PASSWORD)
    assert site.redeem(done.location)["token_type"] == "Bearer"


def test_l6_no_page_without_a_style(front, visitor):
    """L6: not one page of a managed domain opens for a client without a style, and a form signs nobody in."""
    site = front(branded=False)
    browser = visitor(site)
    for path in ("/login", "/signup", "/forgotPassword", "/confirm"):
        page = browser.open(path + site.query())
        assert page.status == 403
        assert "Login pages unavailable. Please contact an administrator." in page.html
        assert not page.forms
    answer = browser.http.post(f"{site.base}/login{site.query()}", data={"username": "x", "password": PASSWORD})
    assert answer.status_code == 403


def test_l8_nobody_is_made_by_a_refused_sign_up(front, visitor):
    """L8: a form sent to a closed sign-up makes no user."""
    site = front(AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})
    browser = visitor(site)
    csrf = browser.open("/login" + site.query()).input("_csrf")["value"]
    data = {"_csrf": csrf, "username": "eve", "password": PASSWORD}
    assert browser.http.post(f"{site.base}/signup{site.query()}", data=data).status_code == 403
    assert site.call("ListUsers", UserPoolId=site.pool_id)["Users"] == []
