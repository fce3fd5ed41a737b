"""Choice-based sign-in, passkeys and levels on the login pages (spec/http/03 §3.8, 04 §4.11, 07 §7.2.1)."""

import json

import pytest

from poolhouse.login.texts import texts_of
from tests.authenticator import Authenticator
from tests.conftest import PASSWORD
from tests.login.conftest import CALLBACK, address
from tests.login.test_second_factors import button_values, form_number, presses, signs_in
from tests.login.test_spec_pages import phone
from tests.oauth.conftest import claims
from tests.operations.chooser import CHOICE, Chooser, first_factors
from tests.operations.owner import ON, SENDER, SMS, TOTP, Owner
from tests.operations.talk import other

CHOOSING = {"ExplicitAuthFlows": CHOICE, "PreventUserExistenceErrors": "ENABLED"}
L1, L3, L4 = (f"urn:cognito:loa:{level}" for level in (1, 3, 4))


def factors(*names):
    """The settings of a pool that takes these besides passwords, and reaches its users."""
    return first_factors(*names) | SMS | {"EmailConfiguration": SENDER, "AutoVerifiedAttributes": ["email"]}


def names_oneself(browser, site, name, **more):
    """The answer to the name alone."""
    return browser.send(browser.open("/login" + site.query(**more)), username=name)


def options_of(page):
    return next(json.loads(given["data-options"]) for tag, given in page.elements if "data-options" in given)


def registers(browser, page, site):
    """Make a passkey on the page that offers it; the answer and the authenticator."""
    authenticator = Authenticator()
    credential = authenticator.create(options_of(page), origin=site.server.url)
    return browser.send(page, credential=json.dumps(credential)), authenticator


@pytest.mark.parametrize("factor", ["EMAIL_OTP", "SMS_OTP"])
def test_a_code_in_place_of_a_password(front, visitor, user, inbox, factor):
    """Chosen, left for the other options, chosen again, sent again: a right code is enough, and then no password."""
    site = front(client=CHOOSING, **factors("EMAIL_OTP", "SMS_OTP"))
    mail, number = address(), phone()
    name = user(site.pool_id, email=mail, email_verified="true", phone_number=number)
    to = mail if factor == "EMAIL_OTP" else number
    browser = visitor(site)
    moved = names_oneself(browser, site, name)
    assert moved.location == f"{site.base}/challenge{site.query()}"
    choice = browser.follow(moved)
    assert button_values(choice) == ["PASSWORD", "EMAIL_OTP", "SMS_OTP"]
    assert browser.send(choice, answer="WEB_AUTHN").status == 200
    page = browser.follow(browser.send(choice, answer=factor))
    choice = browser.follow(presses(browser, page, "otherOptionsForm"))
    page = browser.follow(browser.send(choice, answer=factor))
    page = browser.follow(presses(browser, page, "resendCodeForm"))
    code = inbox(to)[-1].code
    assert len(code) == 8
    assert browser.send(page, authentication_code=other(code)).wrong("authenticationCode")
    assert site.redeem(browser.send(page, authentication_code=code).location)


def test_the_password_of_several_choices(front, visitor, user, inbox):
    """Chosen, it is asked for on its own page, from which the others can be had; the wrong one is refused there."""
    site = front(client=CHOOSING, **factors("EMAIL_OTP"))
    mail = address()
    name, browser = user(site.pool_id, email=mail, email_verified="true"), visitor(site)
    choice = browser.follow(names_oneself(browser, site, name))
    page = browser.send(choice, answer="PASSWORD")
    assert page.input("username")["value"] == name
    refused = browser.send(page, password="Wrong-Horse-1")
    assert refused.error == "Incorrect username or password."
    elsewhere = browser.send(page, username=user(site.pool_id), password="Wrong-Horse-1")
    assert "otherOptionsForm" not in [form.name for form in elsewhere.forms], "those would be somebody else's"
    choice = browser.follow(presses(browser, refused, "otherOptionsForm"))
    page = browser.send(choice, answer="PASSWORD")
    assert site.redeem(browser.send(page, password=PASSWORD).location)
    # A script that knows the form sends both at once.
    both = visitor(site)
    assert both.send(both.open("/login" + site.query()), username=name, password=PASSWORD).location.startswith(CALLBACK)
    late = visitor(site)
    page = late.send(late.follow(names_oneself(late, site, name)), answer="PASSWORD")
    site.server.clock.advance(181)
    assert late.send(page, password=PASSWORD).error == "Something went wrong"


def test_the_only_choice_is_asked_for_at_once(front, visitor, user, inbox):
    """A user without a password who can be sent a code gets it without being asked."""
    site = front(client=CHOOSING, **factors("EMAIL_OTP"))
    mail, browser = address(), visitor(site)
    attributes = [{"Name": "email", "Value": mail}]
    made = {"ClientId": site.client_id, "Username": f"bare-{mail[:5]}", "UserAttributes": attributes}
    site.call("SignUp", **made)
    site.call("AdminConfirmSignUp", UserPoolId=site.pool_id, Username=made["Username"])
    verified = [{"Name": "email_verified", "Value": "true"}]
    site.call("AdminUpdateUserAttributes", UserPoolId=site.pool_id, Username=made["Username"], UserAttributes=verified)
    page = browser.follow(names_oneself(browser, site, made["Username"]))
    assert [form.name for form in page.forms] == ["cognitoMfaForm", "resendCodeForm"]
    assert site.redeem(browser.send(page, authentication_code=inbox(mail)[-1].code).location)


def test_nobody_is_asked_as_users_are(front, visitor, user, inbox):
    """Unknown and disabled users see the same choices, pages, masks and refusals; no message leaves."""
    site = front(client=CHOOSING, UsernameAttributes=["email"], **factors("EMAIL_OTP"))
    known, disabled, unknown = address(), address(), address()
    for name in (known, disabled):
        user(site.pool_id, name, email=name, email_verified="true")
    site.call("AdminDisableUser", UserPoolId=site.pool_id, Username=disabled)
    seen = []
    for name in (known, disabled, unknown):
        browser = visitor(site)
        moved = names_oneself(browser, site, name)
        while not moved.location.endswith(site.query()) or button_values(browser.follow(moved)) != [
            "PASSWORD",
            "EMAIL_OTP",
        ]:
            # Some users have no password, and so seem some who are not there.
            assert name != known
            name = address()
            moved = names_oneself(browser, site, name)
        page = browser.follow(browser.send(browser.follow(moved), answer="EMAIL_OTP"))
        refused = browser.send(page, authentication_code="00000000")
        again = presses(browser, refused, "resendCodeForm")
        pages = [moved, page, refused, again]
        texts = [each.html.replace(name, "NAME") for each in pages]
        csrf = browser.http.cookies["XSRF-TOKEN"]
        seen.append([(each.status, text.replace(csrf, "CSRF")) for each, text in zip(pages, texts, strict=True)])
        assert bool(inbox(name)) is (name == known)
    assert seen[0] == seen[1] == seen[2]


def test_l12_a_passkey_is_added_and_signs_in(front, visitor, user):
    """Whoever adds one signs in first; it is chosen before the password then, and a wrong answer leads to the choices."""
    site = front(client=CHOOSING, **factors("WEB_AUTHN"))
    name, browser = user(site.pool_id), visitor(site)
    moved = browser.open("/passkeys/add" + site.query())
    assert moved.location == f"{site.base}/login{site.query()}"
    page = browser.follow(moved)
    assert page.notice == "Sign in to add a passkey."
    page = browser.send(page, username=name)
    moved = browser.send(page, password=PASSWORD)
    assert moved.location == f"{site.base}/passkeys/add{site.query()}"
    page = browser.follow(moved)
    assert browser.send(page, credential="{").error
    done, authenticator = registers(browser, page, site)
    assert site.redeem(done.location)

    other_browser = visitor(site)
    choice = other_browser.follow(names_oneself(other_browser, site, name))
    assert button_values(choice) == ["WEB_AUTHN", "PASSWORD"]
    page = other_browser.send(choice, answer="WEB_AUTHN")
    assert options_of(page)["rpId"] == "localhost"
    for credential in ("", "{", Authenticator.get(authenticator, options_of(page) | {"challenge": "AAAA"})):
        refused = other_browser.send(page, credential=credential)
        assert refused.error == texts_of("en")("passkey_failed")
    again = other_browser.open("/challenge" + site.query())
    page = other_browser.send(again, answer="WEB_AUTHN")
    credential = authenticator.get(options_of(page), origin=site.server.url)
    assert site.redeem(other_browser.send(page, credential=credential).location)


@pytest.mark.parametrize("asked", [{}, {"prompt": "login"}])
def test_a_passkey_is_offered_after_the_sign_up(front, visitor, inbox, asked):
    """Right after the confirmation, also where the request takes no session; it may be declined, and then no more."""
    settings = factors("WEB_AUTHN") | {"UsernameAttributes": ["email"]}
    site = front(client=CHOOSING, **settings)
    mail, browser = address(), visitor(site)
    moved = browser.send(browser.open("/signup" + site.query(**asked)), username=mail, password=PASSWORD)
    moved = browser.send(browser.follow(moved), code=inbox(mail)[-1].code)
    assert moved.location == f"{site.base}/passkeys/add{site.query(**asked)}"
    page = browser.follow(moved)
    named = options_of(page)["user"]
    assert (named["name"], named["displayName"]) == (mail, mail), "browsers list passkeys by this"
    done = browser.send(page, form_number(page, "otherOptionsForm"))
    assert site.redeem(done.location)
    fresh = visitor(site)
    page = fresh.send(fresh.open("/login" + site.query()), username=mail)
    assert fresh.send(page, password=PASSWORD).location.startswith(CALLBACK)


def test_p1_no_passkeys_where_they_are_not_on(front, visitor):
    """P1: the classic pages add none, nor do pools without them, nor clients whose users do not choose."""
    for version, client, settings in (
        (1, CHOOSING, factors("WEB_AUTHN")),
        (2, CHOOSING, {}),
        (2, {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}, factors("WEB_AUTHN")),
    ):
        site = front(version=version, client=client, **settings)
        assert visitor(site).open("/passkeys/add" + site.query()).status == 404


def test_p2_the_twenty_first_passkey(front, visitor, user, call):
    """P2: it is refused, in words."""
    site = front(client=CHOOSING, **factors("WEB_AUTHN"))
    name, browser = user(site.pool_id), visitor(site)
    ann = Chooser(call, {"ClientId": site.client_id}, name)
    token = ann.registers()
    for _ in range(19):
        options = call("StartWebAuthnRegistration", AccessToken=token)["CredentialCreationOptions"]
        call("CompleteWebAuthnRegistration", AccessToken=token, Credential=Authenticator().create(options))
    page = browser.follow(browser.open("/passkeys/add" + site.query()))
    moved = browser.send(
        browser.send(browser.follow(names_oneself(browser, site, name)), answer="PASSWORD"), password=PASSWORD
    )
    assert moved.location.startswith(CALLBACK)
    page = browser.open("/passkeys/add" + site.query())
    refused, _ = registers(browser, page, site)
    assert refused.error == "A user can have at most 20 passkeys."


@pytest.fixture
def stepper(server, front, user, app, call):
    """A site, and the user of an authenticator app whom a password is enough for."""
    server.clock.advance(31 - server.clock.now() // 1000 % 30)
    flows = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}
    site = front(client=flows | {"AllowedOAuthFlows": ["code", "implicit"]})
    call("SetUserPoolMfaConfig", UserPoolId=site.pool_id, MfaConfiguration="OPTIONAL", **TOTP)
    ann = Owner(server, call, app(site.pool_id, **flows), site.pool_id, user(site.pool_id))
    ann.has_an_app()
    return site, ann


def told(tokens):
    """What both tokens say of the level and the methods."""
    access, identity = claims(tokens["access_token"]), claims(tokens["id_token"])
    assert (access.get("acr"), access.get("amr")) == (identity.get("acr"), identity.get("amr"))
    return access.get("acr"), access.get("amr")


def test_levels_are_told_where_they_are_asked_for(stepper, visitor):
    """``acr`` and ``amr`` come with ``acr_values`` that the pool knows; what cannot be reached hinders nobody."""
    site, ann = stepper
    browser = visitor(site)
    signs_in(browser, site, ann.username)
    for acr_values, expected in (
        (None, (None, None)),
        ("urn:nonsense", (None, None)),
        (L1, (L1, ["pwd"])),
        (f"{L4} {L1}", (L1, ["pwd"])),
        (L3, (L1, ["pwd"])),
    ):
        silent = browser.open("/oauth2/authorize" + site.query(acr_values=acr_values))
        assert told(site.redeem(silent.location)) == expected


def test_a_step_up(stepper, visitor):
    """A session by password is asked for the app only, after a word; the session then has the level, and keeps it."""
    site, ann = stepper
    browser = visitor(site)
    signs_in(browser, site, ann.username)
    ann.does("SetUserMFAPreference", SoftwareTokenMfaSettings=ON)
    site.server.clock.advance(60)
    assert browser.open("/oauth2/authorize" + site.query(acr_values=L4, prompt="none")).location.endswith(
        "error=login_required&state=s1"
    )
    moved = browser.open("/oauth2/authorize" + site.query(acr_values=f"urn:x {L4}"))
    page = browser.follow(moved)
    assert ann.username in page.html
    assert [form.name for form in page.forms] == ["cognitoStepUpForm"]
    page = browser.follow(browser.send(page))
    tokens = site.redeem(browser.send(page, authentication_code=ann.code()).location)
    assert told(tokens) == (L4, ["pwd", "otp", "mfa"])
    assert site.server.clock.now() // 1000 - claims(tokens["id_token"])["auth_time"] < 30
    silent = browser.open("/oauth2/authorize" + site.query(acr_values=L4))
    assert told(site.redeem(silent.location)) == (L4, ["pwd", "otp", "mfa"])
    implicit = browser.open("/oauth2/authorize" + site.query(acr_values=L1, response_type="token")).location
    assert claims(implicit.partition("access_token=")[2].partition("&")[0])["acr"] == L4


def test_what_a_step_up_needs(stepper, visitor):
    """One that is too old, or not wanted, is followed by a whole sign-in; whatever is posted."""
    site, ann = stepper
    browser = visitor(site)
    signs_in(browser, site, ann.username)
    ann.does("SetUserMFAPreference", SoftwareTokenMfaSettings=ON)
    site.server.clock.advance(60)
    for more in ({"max_age": "59"}, {"prompt": "login"}):
        assert browser.open("/login" + site.query(acr_values=L4, **more)).has("password")
    stranger = visitor(site)
    page = stranger.open("/login" + site.query(acr_values=L4))
    assert page.has("password")
    forged = stranger.send(page, stepUpButton="1", username="")
    assert forged.location.startswith(f"{site.base}/login?")
    assert "cognito" not in stranger.http.cookies
    page = stranger.follow(signs_in(stranger, site, ann.username, acr_values=L4))
    assert told(site.redeem(stranger.send(page, authentication_code=ann.code()).location))[0] == L4


def test_classic_pages_know_no_levels(front, visitor, user):
    """There ``acr_values`` is passed over."""
    site = front(version=1)
    done = signs_in(visitor(site), site, user(site.pool_id), acr_values=L1)
    assert told(site.redeem(done.location)) == (None, None)
