"""Signing up, confirming, and what follows (spec/http/09, rows S1 to S6)."""

import base64

import pytest

from tests.conftest import PASSWORD
from tests.login.conftest import CALLBACK, address

BY_EMAIL = {"UsernameAttributes": ["email"], "AutoVerifiedAttributes": ["email"]}


def sign_up(site, browser, name, **more):
    """Fill in the sign-up form."""
    page = browser.open("/signup" + site.query())
    return browser.send(page, username=name, password=PASSWORD, **more)


def last_code(inbox, to):
    return inbox(to)[-1].code


def test_sign_up_and_confirm(front, visitor, inbox):
    """S1, S2: the account waits for its code; the right code signs in."""
    site, name = front(**BY_EMAIL), address()
    browser = visitor(site)
    moved = sign_up(site, browser, name)
    assert moved.location == f"{site.base}/confirm{site.query()}"
    assert site.user(name)["UserStatus"] == "UNCONFIRMED"
    page = browser.follow(moved)
    assert "a***@e***" in page.html
    assert page.input("code")["autocomplete"] == "one-time-code"
    done = browser.send(page, code=last_code(inbox, name))
    tokens = site.redeem(done.location)
    assert site.user(name)["UserStatus"] == "CONFIRMED"
    assert "id_token" in tokens
    assert browser.open("/login" + site.query()).location.startswith(CALLBACK)


def test_wrong_code(front, visitor, inbox):
    """A wrong code is told beside its field, and the right one still works."""
    site, name = front(**BY_EMAIL), address()
    browser = visitor(site)
    page = browser.follow(sign_up(site, browser, name))
    right = last_code(inbox, name)
    wrong = browser.send(page, code="000000" if right != "000000" else "111111")
    assert wrong.wrong("confirmationCode") == "Invalid verification code provided, please try again."
    assert wrong.input("code")["aria-describedby"] == "confirmationCodeError"
    assert browser.send(wrong, code="").wrong("confirmationCode") == "Please fill in this field."
    assert browser.send(wrong, code=right).location.startswith(CALLBACK)


def test_another_code(front, visitor, inbox):
    """A new code is sent on request and voids the old one."""
    site, name = front(**BY_EMAIL), address()
    browser = visitor(site)
    page = browser.follow(sign_up(site, browser, name))
    old = last_code(inbox, name)
    again = browser.follow(browser.send(page, 1))
    assert again.notice == "We have sent a new code to a***@e***."
    assert len(inbox(name)) == 2
    new = last_code(inbox, name)
    if new != old:
        assert browser.send(again, code=old).status == 200
    assert browser.send(again, code=new).location.startswith(CALLBACK)


def test_a_code_too_many(front, visitor, inbox, limited):
    """The account is made nevertheless, and the page that waits for its code can send one later."""
    site, name = front(**BY_EMAIL), address()
    limited("email-pool=1/day")
    sign_up(site, visitor(site), address())
    browser = visitor(site)
    page = sign_up(site, browser, name)
    assert page.error == "Attempt limit exceeded, please try after some time."
    assert site.user(name)["UserStatus"] == "UNCONFIRMED"
    assert browser.send(page, 1).error == page.error
    limited()
    again = browser.follow(browser.send(page, 1))
    done = browser.follow(browser.send(again, code=last_code(inbox, name)))
    assert done.notice == "Your account has been confirmed. You can now sign in."


def test_confirmation_is_reached_by_signing_up_only(front, visitor):
    """Without a sign-up or sign-in under way there is nothing to confirm."""
    site = front(**BY_EMAIL)
    browser = visitor(site)
    for path in ("/confirm", "/resendcode", "/changePassword", "/confirmforgotPassword", "/confirmForgotPassword"):
        assert browser.open(path + site.query()).location == f"{site.base}/login{site.query()}"


def test_unconfirmed_user_signs_in(front, visitor, inbox):
    """Signing in before confirming asks for the code; then the user signs in, since no password was proved."""
    site, name = front(**BY_EMAIL), address()
    sign_up(site, visitor(site), name)
    browser = visitor(site)
    moved = browser.send(browser.open("/login" + site.query()), username=name, password=PASSWORD)
    assert moved.location == f"{site.base}/confirm{site.query()}"
    done = browser.send(browser.follow(moved), code=last_code(inbox, name))
    assert done.location == f"{site.base}/login{site.query()}"
    page = browser.follow(done)
    assert page.notice == "Your account has been confirmed. You can now sign in."
    assert browser.open("/login" + site.query()).notice is None
    assert browser.send(page, username=name, password=PASSWORD).location.startswith(CALLBACK)


def test_proof_ends_with_the_password(front, visitor, inbox, call):
    """A password set by somebody else meanwhile is not this browser's: the code alone does not sign in."""
    site, name = front(**BY_EMAIL), address()
    browser = visitor(site)
    page = browser.follow(sign_up(site, browser, name))
    code = last_code(inbox, name)
    site.server.clock.advance(2)
    site.server.write(lambda tx: _touch_password(tx, site, name))
    done = browser.send(page, code=code)
    assert done.location == f"{site.base}/login{site.query()}"
    assert "cognito" not in browser.http.cookies


def _touch_password(tx, site, name):
    from msgspec.structs import replace

    from poolhouse.core.aliases import names_of
    from poolhouse.flows.users import find_user

    pool = tx.catalogue.find_pool(site.pool_id)
    user = find_user(tx, pool, name)
    credentials = replace(user.credentials, password_set_at=user.credentials.password_set_at + 1)
    user = replace(user, credentials=credentials)
    tx.users.save(user, names_of(pool, user))


@pytest.mark.parametrize("ending", ["AdminUserGlobalSignOut", "AdminDisableUser"])
def test_proof_ends_with_signing_out(front, visitor, inbox, call, ending):
    """Whoever is signed out everywhere, or disabled for a while, before the code is there has to type the password."""
    site, name = front(**BY_EMAIL), address()
    browser = visitor(site)
    page = browser.follow(sign_up(site, browser, name))
    user = {"UserPoolId": site.pool_id, "Username": name}
    call(ending, **user)
    call("AdminEnableUser", **user)
    assert browser.send(page, code=last_code(inbox, name)).location == f"{site.base}/login{site.query()}"


def test_proof_of_another_browser_is_worth_nothing(front, visitor, inbox):
    """The state is sealed for the browser it was made in."""
    site, name = front(**BY_EMAIL), address()
    browser, thief = visitor(site), visitor(site)
    browser.follow(sign_up(site, browser, name))
    thief.open("/login" + site.query())
    path = f"/auth/{site.prefix}"
    stolen = browser.http.cookies["page-data"]
    thief.http.cookies.delete("page-data", domain="localhost.local", path=path)
    thief.http.cookies.set("page-data", stolen, domain="localhost.local", path=path)
    assert thief.open("/confirm" + site.query()).location == f"{site.base}/login{site.query()}"


def test_state_does_not_show_what_it_says(front, visitor):
    """The cookie tells nothing of the user it is about."""
    site, name = front(**BY_EMAIL), address()
    browser = visitor(site)
    sign_up(site, browser, name)
    value = browser.http.cookies["page-data"]
    assert name.encode() not in base64.urlsafe_b64decode(value)
    assert PASSWORD.encode() not in base64.urlsafe_b64decode(value)


def test_required_attributes(front, visitor, inbox):
    """The form asks for what the schema requires, with inputs of the right kind, and keeps what was typed."""
    required = ["email", "birthdate", "given_name", "phone_number"]
    site = front(
        Schema=[{"Name": name, "AttributeDataType": "String", "Required": True, "Mutable": True} for name in required],
        AutoVerifiedAttributes=["email"],
    )
    browser = visitor(site)
    page = browser.open("/signup" + site.query())
    assert page.input("requiredAttributes[email]")["type"] == "email"
    assert page.input("requiredAttributes[birthdate]")["type"] == "date"
    assert page.input("requiredAttributes[phone_number]")["type"] == "tel"
    assert page.input("password")["autocomplete"] == "new-password"
    name = address()
    given = {
        "username": "sue",
        "password": PASSWORD,
        "requiredAttributes[email]": name,
        "requiredAttributes[phone_number]": "+1 (432) 555-1212",
        "requiredAttributes[birthdate]": "2001-02-03",
    }
    again = browser.send(page, **given)
    assert again.status == 200
    assert again.wrong("attribute-given_name") == "Please fill in this field."
    assert again.input("requiredAttributes[email]")["value"] == name
    assert not again.input("password").get("value")
    moved = browser.send(again, **given, **{"requiredAttributes[given_name]": "Sue"})
    assert moved.status == 302
    found = {entry["Name"]: entry["Value"] for entry in site.user("sue")["UserAttributes"]}
    assert found["phone_number"] == "+14325551212"
    assert found["birthdate"] == "2001-02-03"


def test_weak_password(front, visitor):
    """A password against the policy is refused beside its field, in the words of spec/http/07 §7.4."""
    site, name = front(**BY_EMAIL), address()
    browser = visitor(site)
    page = browser.send(browser.open("/signup" + site.query()), username=name, password="short")
    assert page.wrong("signUpFormPassword") == "Password does not conform to policy: Password not long enough"
    assert page.input("username")["value"] == name


def test_pool_that_cannot_confirm(front, visitor):
    """S4: the user exists, the page shows an error."""
    site = front()
    browser = visitor(site)
    moved = sign_up(site, browser, "sam")
    assert moved.location.startswith(f"{site.base}/error")
    assert browser.follow(moved).status == 400
    assert site.user("sam")["UserStatus"] == "UNCONFIRMED"


def test_duplicate_address_as_name(front, visitor, user):
    """S5: an address that is a sign-in name already is refused."""
    site, name = front(**BY_EMAIL), address()
    user(site.pool_id, name, email=name)
    browser = visitor(site)
    page = sign_up(site, browser, name)
    assert page.wrong("signUpFormUsername") == "An account with the given email already exists."


def test_duplicate_address_as_alias(front, visitor, user, inbox):
    """S6: an alias clashes when it is confirmed."""
    site, name = front(AliasAttributes=["email"], AutoVerifiedAttributes=["email"]), address()
    user(site.pool_id, "first", email=name, email_verified="true")
    browser = visitor(site)
    moved = sign_up(site, browser, "second", **{"requiredAttributes[email]": name})
    assert moved.status == 302
    page = browser.send(browser.follow(moved), code=last_code(inbox, name))
    assert page.error == "An account with the email already exists."
    assert "cognito" not in browser.http.cookies


def test_wrong_kind_of_name(front, visitor):
    """A name that is no e-mail address is refused beside its field."""
    site = front(**BY_EMAIL)
    page = sign_up(site, visitor(site), "sam")
    assert page.wrong("signUpFormUsername") == "Username should be an email."


def test_name_that_the_api_does_not_take(front, visitor):
    """A name with a blank inside is refused, not stored."""
    site = front()
    page = sign_up(site, visitor(site), "sam smith")
    assert page.wrong("signUpFormUsername") == "This value is not allowed."


def test_link_of_the_message(front, visitor, inbox):
    """S3: the link confirms; used again, it says that there is nothing left to confirm."""
    site, name = front(**BY_EMAIL), address()
    sign_up(site, visitor(site), name)
    browser = visitor(site)
    code = last_code(inbox, name)
    link = f"/confirmUser?client_id={site.client_id}&user_name={name}&confirmation_code={code}"
    wrong = browser.open(link.replace(code, "000000" if code != "000000" else "111111"))
    assert wrong.status == 400
    assert "Invalid verification code provided, please try again." in wrong.html
    page = browser.open(link + "&response_type=code")
    assert page.status == 200
    assert "Your registration has been confirmed!" in page.html
    assert site.user(name)["UserStatus"] == "CONFIRMED"
    assert browser.open(link).status == 400
    assert browser.open("/confirmUser/" + link.removeprefix("/confirmUser")).status == 400


def test_link_that_is_too_old(front, visitor, inbox, server):
    """A day later the link confirms nobody (spec/api/03 §6), and the page says what to do."""
    site, name = front(**BY_EMAIL), address()
    sign_up(site, visitor(site), name)
    link = f"/confirmUser?client_id={site.client_id}&user_name={name}&confirmation_code={last_code(inbox, name)}"
    server.clock.advance(86_400)
    page = visitor(site).open(link)
    server.clock.back_to_now()
    assert page.status == 400
    assert "Invalid code provided, please request a code again." in page.html
    assert site.user(name)["UserStatus"] == "UNCONFIRMED"


def test_link_of_another_pool(front, visitor, inbox):
    """A client of another pool confirms nobody here."""
    site, other, name = front(**BY_EMAIL), front(**BY_EMAIL), address()
    sign_up(site, visitor(site), name)
    code = last_code(inbox, name)
    page = visitor(other).open(f"/confirmUser?client_id={site.client_id}&user_name={name}&confirmation_code={code}")
    assert page.status == 400
    assert site.user(name)["UserStatus"] == "UNCONFIRMED"


def test_second_factor_is_not_skipped_after_the_confirmation(front, visitor, inbox, call):
    """The code proves the address, not more: a factor that the pool requires is still asked for."""
    site, name = front(**BY_EMAIL), address()
    browser = visitor(site)
    page = browser.follow(sign_up(site, browser, name))
    call(
        "SetUserPoolMfaConfig",
        UserPoolId=site.pool_id,
        MfaConfiguration="ON",
        SoftwareTokenMfaConfiguration={"Enabled": True},
    )
    done = browser.send(page, code=last_code(inbox, name))
    assert done.location.startswith(f"{site.base}/mfa?")
    assert "cognito" not in browser.http.cookies


def test_state_of_one_page_is_none_of_another(front, visitor, inbox):
    """What a sign-up left in the browser opens neither the recovery nor the change of a password."""
    site, name = front(**BY_EMAIL), address()
    browser = visitor(site)
    page = browser.follow(sign_up(site, browser, name))
    form = page.form.values | {"code": last_code(inbox, name), "password": "Another-Horse-2"}
    for path in ("/confirmforgotPassword", "/changePassword"):
        answer = browser.http.post(
            f"{site.base}{path}{site.query()}", data=form | {"confirm_password": form["password"]}
        )
        assert answer.headers["location"] == f"{site.base}/login{site.query()}"
    assert site.user(name)["UserStatus"] == "UNCONFIRMED"
