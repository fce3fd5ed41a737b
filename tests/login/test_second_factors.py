"""Second factors on the login pages: asked for, chosen and set up (spec/http/03 §3.7, 07 §7.3)."""

import contextlib
import re
import socket
import time
from urllib.parse import urlencode, urljoin

import httpx
import pytest

from poolhouse.login.texts import texts_of
from tests.authenticator import one_time_code
from tests.conftest import PASSWORD
from tests.login.conftest import CALLBACK, address
from tests.login.test_spec_pages import phone
from tests.operations.owner import ON, SENDER, SMS, Owner
from tests.operations.talk import other

FLOWS = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}
OFFERED = {
    "SOFTWARE_TOKEN_MFA": {"SoftwareTokenMfaConfiguration": {"Enabled": True}},
    "SMS_MFA": {"SmsMfaConfiguration": {"SmsConfiguration": SMS["SmsConfiguration"]}},
    "EMAIL_OTP": {"EmailMfaConfiguration": {"Message": "Code {####}", "Subject": "Code"}},
}
SOMETHING_WRONG = "Something went wrong"


def offers(site, mode, *factors):
    """Have the pool offer these factors."""
    members = {name: value for factor in factors for name, value in OFFERED[factor].items()}
    site.call("SetUserPoolMfaConfig", UserPoolId=site.pool_id, MfaConfiguration=mode, **members)


def prefers(site, name, **settings):
    site.call("AdminSetUserMFAPreference", UserPoolId=site.pool_id, Username=name, **settings)


def signs_in(browser, site, name, **more):
    """The answer to name and password."""
    return browser.send(browser.open("/login" + site.query(**more)), username=name, password=PASSWORD)


def form_number(page, name):
    return next(number for number, form in enumerate(page.forms) if form.name == name)


def presses(browser, page, form, **buttons):
    """Press a button of one of the smaller forms of a page."""
    return browser.send(page, form_number(page, form), **buttons)


def button_values(page, name="answer"):
    return [given["value"] for tag, given in page.elements if tag == "button" and given.get("name") == name]


@pytest.fixture
def at_rest(server):
    """Codes of apps count once for each half minute: begin in a fresh one."""
    server.clock.advance(31 - server.clock.now() // 1000 % 30)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("factor", ["SMS_MFA", "EMAIL_OTP"])
def test_a_code_by_message(front, visitor, user, inbox, factor, version):
    """Both generations: wrong, sent again, late for another page, right; only then there is a session and a code."""
    site = front(version=version, client=FLOWS, EmailConfiguration=SENDER)
    mail, number = address(), phone()
    offers(site, "OPTIONAL", factor)
    name = user(site.pool_id, email=mail, email_verified="true", phone_number=number)
    block = {"SMS_MFA": "SMSMfaSettings", "EMAIL_OTP": "EmailMfaSettings"}[factor]
    prefers(site, name, **{block: ON})
    to = number if factor == "SMS_MFA" else mail
    browser = visitor(site)

    moved = signs_in(browser, site, name)
    assert moved.location == f"{site.base}/mfa{site.query()}"
    page = browser.follow(moved)
    field = page.input("authentication_code")
    assert (field["autocomplete"], field["inputmode"]) == ("one-time-code", "numeric")
    assert ("+*******" if factor == "SMS_MFA" else "***@") in page.html
    first = inbox(to)[-1].code
    assert browser.send(page).wrong("authenticationCode") == "Please fill in this field."
    wrong = browser.send(page, authentication_code=other(first))
    assert wrong.wrong("authenticationCode") == texts_of("en")("code_mismatch")
    assert wrong.input("authentication_code")["aria-invalid"] == "true"
    again = browser.follow(presses(browser, wrong, "resendCodeForm"))
    assert again.notice.startswith("We have sent a new code to")
    second = inbox(to)[-1].code
    if first != second:
        assert browser.send(again, authentication_code=first).wrong("authenticationCode")
    assert "cognito" not in browser.http.cookies
    tokens = site.redeem(browser.send(again, authentication_code=second).location)
    assert tokens["id_token"]
    assert browser.open("/mfa" + site.query()).location.startswith(f"{site.base}/login?")


def test_a_form_that_was_begun_long_ago(at_rest, front, visitor, user, app, call):
    """A request is as old as the last of its body: what was good for once when it began is not good again."""
    site = front(client=FLOWS)
    offers(site, "OPTIONAL", "SOFTWARE_TOKEN_MFA")
    ann = Owner(site.server, call, app(site.pool_id, **FLOWS), site.pool_id, user(site.pool_id))
    ann.has_an_app()
    ann.does("SetUserMFAPreference", SoftwareTokenMfaSettings=ON)
    site.server.clock.advance(30)
    browser, thief = visitor(site), visitor(site)
    stolen = thief.follow(signs_in(thief, site, ann.username))
    with slow_form(thief, stolen) as send:
        code = ann.code()
        page = browser.follow(signs_in(browser, site, ann.username))
        assert browser.send(page, authentication_code=code).location.startswith(CALLBACK)
        site.server.clock.advance(600)
        site.server.write(lambda tx: tx.sweep(site.server.clock.now(), 1000))
        assert CALLBACK not in send(authentication_code=code)


@contextlib.contextmanager
def slow_form(browser, page):
    """Begin to send a form; what is given sends the rest, and returns the head of the answer."""
    url = httpx.URL(urljoin(str(page.response.url), page.form.action))
    length = len(urlencode(page.form.values | {"authentication_code": "000000"}))
    request = browser.http.build_request("POST", url, headers={"content-type": "application/x-www-form-urlencoded"})
    head = f"POST {url.raw_path.decode()} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nContent-Length: {length}\r\n"
    head += f"Content-Type: application/x-www-form-urlencoded\r\nCookie: {request.headers['cookie']}\r\n\r\n"
    with socket.create_connection((url.host, url.port), timeout=20) as connection:
        connection.sendall(head.encode())
        time.sleep(0.1)

        def send(**values):
            connection.sendall(urlencode(page.form.values | values).encode())
            return connection.recv(65_536).decode()

        yield send


@pytest.mark.usefixtures("still_clock")
def test_an_app(at_rest, front, visitor, user, app, call):
    """Its code is asked for by the name of the device; one code counts once, and the fifth wrong one locks."""
    site = front(client=FLOWS)
    offers(site, "OPTIONAL", "SOFTWARE_TOKEN_MFA")
    name = user(site.pool_id)
    ann = Owner(site.server, call, app(site.pool_id, **FLOWS), site.pool_id, name)
    ann.has_an_app(FriendlyDeviceName="Ann's phone")
    ann.does("SetUserMFAPreference", SoftwareTokenMfaSettings=ON)
    browser = visitor(site)
    page = browser.follow(signs_in(browser, site, name))
    assert "Ann&#39;s phone" in page.html
    assert [form.name for form in page.forms] == ["cognitoMfaForm"]
    used = browser.send(page, authentication_code=ann.code())
    assert used.wrong("authenticationCode") == texts_of("en")("code_used")
    for _ in range(5):
        refused = browser.send(page, authentication_code=other(ann.code()))
    assert refused.wrong("authenticationCode")
    locked = browser.send(page, authentication_code=ann.code(late=30))
    assert locked.error == "Password attempts exceeded"
    site.server.clock.advance(30)
    assert browser.send(page, authentication_code=ann.code()).location.startswith(f"{CALLBACK}?code=")


def test_a_choice_of_factors(front, visitor, user, inbox):
    """Who has several chooses, and may choose again; whatever is posted, what the user has not is not to be had."""
    site = front(client=FLOWS, EmailConfiguration=SENDER)
    mail, number = address(), phone()
    offers(site, "OPTIONAL", "SMS_MFA", "EMAIL_OTP")
    name = user(site.pool_id, email=mail, email_verified="true", phone_number=number)
    prefers(site, name, SMSMfaSettings=ON, EmailMfaSettings=ON)
    browser = visitor(site)
    choice = browser.follow(signs_in(browser, site, name))
    assert button_values(choice) == ["SMS_MFA", "EMAIL_OTP"]
    assert browser.send(choice, answer="SOFTWARE_TOKEN_MFA").status == 200
    by_text = browser.follow(browser.send(choice, answer="SMS_MFA"))
    sent = len(inbox(number))
    choice = browser.follow(presses(browser, by_text, "otherOptionsForm"))
    by_mail = browser.follow(browser.send(choice, answer="EMAIL_OTP"))
    assert len(inbox(number)) == sent
    assert site.redeem(browser.send(by_mail, authentication_code=inbox(mail)[-1].code).location)


def test_l15_an_app_is_set_up(at_rest, front, visitor, user):
    """L15: where a factor is required a user without one gets a secret, as QR code and as text, proves it and is in."""
    site = front(client=FLOWS)
    offers(site, "ON", "SOFTWARE_TOKEN_MFA")
    name = user(site.pool_id)
    browser = visitor(site)
    page = browser.follow(signs_in(browser, site, name))
    secret = page.texts["secretKey"]
    assert re.fullmatch(r"[A-Z2-7]{52}", secret)
    images = [given for tag, given in page.elements if tag == "img"]
    assert [(image["src"][:18], bool(image["alt"])) for image in images] == [("data:image/svg+xml", True)]
    code = one_time_code(secret, site.server.clock.now() / 1000)
    refused = browser.send(page, authentication_code=other(code), friendly_device_name="Ann's phone")
    assert refused.wrong("authenticationCode")
    assert refused.texts["secretKey"] == secret
    assert refused.input("friendly_device_name")["value"] == "Ann's phone"
    assert site.redeem(browser.send(refused, authentication_code=code).location)
    assert site.user(name)["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]
    site.server.clock.advance(30)
    fresh = visitor(site)
    page = fresh.follow(signs_in(fresh, site, name))
    assert "secretKey" not in page.texts
    later = one_time_code(secret, site.server.clock.now() / 1000)
    assert site.redeem(fresh.send(page, authentication_code=later).location)


@pytest.mark.parametrize("factor", ["SMS_MFA", "EMAIL_OTP"])
def test_an_address_is_set_up(at_rest, front, visitor, user, inbox, factor):
    """One of several: the way leads back and forth, also to the app; the address is the user's after the right code."""
    site = front(client=FLOWS, EmailConfiguration=SENDER)
    offers(site, "ON", *OFFERED)
    name, mail, number = user(site.pool_id), address(), phone()
    to, attribute = (number, "phone_number") if factor == "SMS_MFA" else (mail, "email")
    browser = visitor(site)
    choice = browser.follow(signs_in(browser, site, name))
    assert button_values(choice) == ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "SMS_MFA"]
    form = browser.follow(browser.send(choice, answer=factor))
    assert browser.send(form, address="not one").wrong("mfaAddress")
    typed = number[:2] + " (" + number[2:5] + ") " + number[5:] if factor == "SMS_MFA" else to
    code_page = browser.follow(browser.send(form, address=typed))
    back = browser.follow(presses(browser, code_page, "otherOptionsForm"))
    app_page = browser.follow(browser.send(back, answer="SOFTWARE_TOKEN_MFA"))
    assert app_page.texts["secretKey"]
    back = browser.follow(presses(browser, app_page, "otherOptionsForm"))
    form = browser.follow(browser.send(back, answer=factor))
    code_page = browser.follow(browser.send(form, address=to))
    code_page = browser.follow(presses(browser, code_page, "resendCodeForm"))
    code = inbox(to)[-1].code
    assert browser.send(code_page, authentication_code=other(code)).wrong("authenticationCode")
    assert "UserMFASettingList" not in site.user(name)
    assert site.redeem(browser.send(code_page, authentication_code=code).location)
    shown = {each["Name"]: each["Value"] for each in site.user(name)["UserAttributes"]}
    assert (shown[attribute], shown[f"{attribute}_verified"]) == (to, "true")
    assert site.user(name)["UserMFASettingList"] == [factor]


def test_the_app_after_an_address(at_rest, front, visitor, user):
    """Whoever had a code sent to an address and sets up an app instead is in by the app, and the address is nobody's."""
    site = front(client=FLOWS, EmailConfiguration=SENDER)
    offers(site, "ON", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP")
    name, browser = user(site.pool_id), visitor(site)
    choice = browser.follow(signs_in(browser, site, name))
    form = browser.follow(browser.send(choice, answer="EMAIL_OTP"))
    code_page = browser.follow(browser.send(form, address=address()))
    back = browser.follow(presses(browser, code_page, "otherOptionsForm"))
    page = browser.follow(browser.send(back, answer="SOFTWARE_TOKEN_MFA"))
    code = one_time_code(page.texts["secretKey"], site.server.clock.now() / 1000)
    assert site.redeem(browser.send(page, authentication_code=code).location)
    assert site.user(name)["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]
    assert "email" not in {each["Name"] for each in site.user(name)["UserAttributes"]}


def test_a_sign_in_begins_anew(front, visitor, user):
    """Whoever left a set-up and signs in again begins at the choice, and sees nothing of what somebody else typed."""
    site = front(client=FLOWS, EmailConfiguration=SENDER)
    offers(site, "ON", *OFFERED)
    ann, bob, browser = user(site.pool_id), user(site.pool_id), visitor(site)
    choice = browser.follow(signs_in(browser, site, ann))
    assert browser.follow(browser.send(choice, answer="SOFTWARE_TOKEN_MFA")).texts["secretKey"]
    choice = browser.follow(signs_in(browser, site, ann))
    assert button_values(choice) == ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "SMS_MFA"]
    form = browser.follow(browser.send(choice, answer="SMS_MFA"))
    code_page = browser.follow(browser.send(form, address=phone()))
    assert code_page.notice is None
    choice = browser.follow(signs_in(browser, site, bob))
    assert button_values(choice) == ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "SMS_MFA"]
    assert not browser.follow(browser.send(choice, answer="SMS_MFA")).input("address")["value"]


def test_a_code_is_new_where_it_was_sent_again(front, visitor, user):
    """Not where a sign-in begins anew: there it is the first."""
    site = front(client=FLOWS)
    offers(site, "OPTIONAL", "SMS_MFA")
    name, browser = user(site.pool_id, phone_number=phone()), visitor(site)
    prefers(site, name, SMSMfaSettings=ON)
    for _ in range(2):
        assert browser.follow(signs_in(browser, site, name)).notice is None


def test_a_new_password_first(at_rest, front, visitor, call):
    """L18 with a factor required: after the temporary password a new one, then the set-up, and the user is in."""
    site = front(client=FLOWS)
    offers(site, "ON", "SOFTWARE_TOKEN_MFA")
    call("AdminCreateUser", UserPoolId=site.pool_id, Username="eve", TemporaryPassword=PASSWORD)
    browser = visitor(site)
    change = browser.follow(signs_in(browser, site, "eve"))
    moved = browser.send(change, password="Another-Horse-2", confirm_password="Another-Horse-2")
    page = browser.follow(moved)
    code = one_time_code(page.texts["secretKey"], site.server.clock.now() / 1000)
    assert site.redeem(browser.send(page, authentication_code=code).location)
    assert site.user("eve")["UserStatus"] == "CONFIRMED"


def test_names_stay_those_that_were_typed(front, visitor, call):
    """After a new password as well: the name that a pool by e-mail made up says nothing to its user."""
    site = front(client=FLOWS, UsernameAttributes=["email"], EmailConfiguration=SENDER)
    offers(site, "ON", "SMS_MFA", "EMAIL_OTP")
    mail = address()
    attributes = {"email": mail, "email_verified": "true", "phone_number": phone()}
    call(
        "AdminCreateUser", UserPoolId=site.pool_id, Username=mail, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS",
        UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
    )  # fmt: skip
    prefers(site, mail, SMSMfaSettings=ON, EmailMfaSettings=ON)
    browser = visitor(site)
    change = browser.follow(signs_in(browser, site, mail))
    choice = browser.follow(browser.send(change, password="Another-Horse-2", confirm_password="Another-Horse-2"))
    assert button_values(choice) == ["SMS_MFA", "EMAIL_OTP"]
    assert mail in choice.html


def test_a_sign_in_that_is_over(front, visitor, user, inbox):
    """After AuthSessionValidity, or once it was answered in another tab, it begins again and gives nothing."""
    site = front(client=FLOWS)
    offers(site, "OPTIONAL", "SMS_MFA")
    number = phone()
    name = user(site.pool_id, phone_number=number)
    prefers(site, name, SMSMfaSettings=ON)
    browser = visitor(site)
    page = browser.follow(signs_in(browser, site, name))
    site.server.clock.advance(181)
    late = browser.send(page, authentication_code=inbox(number)[-1].code)
    assert late.error == SOMETHING_WRONG
    assert late.has("password")
    page = browser.follow(signs_in(browser, site, name))
    stolen = dict(browser.http.cookies)
    code = inbox(number)[-1].code
    assert browser.send(page, authentication_code=code).location.startswith(CALLBACK)
    twice = visitor(site)
    twice.http.cookies.update(stolen)
    again = twice.send(page, authentication_code=code)
    assert again.error == SOMETHING_WRONG
    assert "cognito" not in twice.http.cookies


def test_the_code_of_the_sign_up_counts(front, visitor, inbox):
    """Where a factor is required, the code that confirmed the sign-up is the factor of the sign-in after it."""
    site = front(client=FLOWS, AutoVerifiedAttributes=["phone_number"], UsernameAttributes=["phone_number"])
    offers(site, "ON", "SMS_MFA")
    number, browser = phone(), visitor(site)
    page = browser.open("/signup" + site.query())
    moved = browser.send(page, username=number, password=PASSWORD)
    done = browser.send(browser.follow(moved), code=inbox(number)[-1].code)
    assert site.redeem(done.location)
    assert len(inbox(number)) == 1
    fresh = visitor(site)
    assert signs_in(fresh, site, number).location.startswith(f"{site.base}/mfa")
