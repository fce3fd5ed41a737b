"""Signing in on the pages (spec/http/09, rows L1 to L19)."""

import json
import re
from base64 import urlsafe_b64decode
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from tests.conftest import PASSWORD
from tests.login.conftest import CALLBACK, CLIENT, address
from tests.login.pages import Page

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
BY_EMAIL = {"UsernameAttributes": ["email"], "AutoVerifiedAttributes": ["email"]}


def test_page_has_headers_and_cookies(front, visitor):
    """L1, L19: the page says what it is, cannot be framed, and gives the double-submit cookie."""
    site = front(**BY_EMAIL)
    page = visitor(site).open("/login" + site.query())
    headers = page.response.headers
    assert page.status == 200
    assert headers["content-type"] == "text/html;charset=UTF-8"
    assert headers["content-language"] == "en-US"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-cache, no-store, max-age=0, must-revalidate"
    cookie = next(c for c in headers.get_list("set-cookie") if c.startswith("XSRF-TOKEN="))
    assert re.fullmatch(rf"XSRF-TOKEN={UUID}; Path=/auth/{site.prefix}; HttpOnly; SameSite=Lax", cookie)
    assert page.input("_csrf")["value"] in cookie


def test_policy_forbids_inline_and_lets_the_callback_through(front, visitor):
    """No script or style may be inline; a form may lead to the callback's scheme."""
    site = front(client=CLIENT | {"CallbackURLs": [CALLBACK, "myapp://cb", "http://localhost:3000/cb"]})
    browser = visitor(site)
    policies = {
        uri: browser.open("/login" + site.query(redirect_uri=uri)).response.headers["content-security-policy"]
        for uri in (CALLBACK, "myapp://cb", "http://localhost:3000/cb")
    }
    for policy in policies.values():
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        assert "frame-ancestors 'none'" in policy
    assert policies[CALLBACK].endswith("form-action 'self' https:")
    assert policies["myapp://cb"].endswith("form-action 'self' https: myapp:")
    assert policies["http://localhost:3000/cb"].endswith("form-action 'self' http:")


def test_page_has_no_inline_script_or_style(front, visitor):
    """The markup holds to its own policy."""
    site = front()
    page = visitor(site).open("/login" + site.query())
    for tag, given in page.elements:
        assert tag != "style"
        assert "style" not in given
        assert not [name for name in given if name.startswith("on")]
        assert tag != "script" or given["src"]


@pytest.mark.parametrize("version", [1, 2])
def test_form_is_what_scripts_look_for(front, visitor, version):
    """Both generations keep the names and ids that public scripts drive (spec/http/07 §7.4.1)."""
    site = front(version=version, **BY_EMAIL)
    page = visitor(site).open("/login" + site.query(response_mode="form_post"))
    assert page.form.name == "cognitoSignInForm"
    assert page.input("username")["id"] == "signInFormUsername"
    assert page.input("password")["id"] == "signInFormPassword"
    assert page.input("signInSubmitButton")["value"] == "Sign in"
    assert page.has("cognitoAsfData")
    assert page.has("csrf") is (version == 2)
    assert set(parse_qs(urlsplit(page.form.action).query)) == {
        "client_id",
        "response_type",
        "redirect_uri",
        "scope",
        "state",
    }
    assert "response_mode=form_post" in page.links_to("/forgotPassword")[0]


def test_classic_strings(front, visitor):
    """L7: a classic page needs no style, and says what the classic page says."""
    site = front(version=1, **BY_EMAIL)
    page = visitor(site).open("/login" + site.query())
    assert page.status == 200
    assert page.texts["title"] == "Signin"
    assert "Sign in with your email and password" in page.html
    assert page.input("username")["placeholder"] == "name@host.com"
    assert "Need an account?" in page.html


def test_right_password(front, visitor, user):
    """L2: the browser goes to the callback with a code, and is signed in for an hour."""
    site = front(**BY_EMAIL)
    name = address()
    user(site.pool_id, name, email=name, email_verified="true")
    browser = visitor(site)
    page = browser.open("/login" + site.query(state="a/b="))
    before = page.input("_csrf")["value"]
    done = browser.send(page, username=name, password=PASSWORD)
    assert done.status == 302
    assert re.fullmatch(rf"https://app\.example/cb\?code={UUID}&state=a%2Fb%3D", done.location)
    cookies = done.response.headers.get_list("set-cookie")
    session = next(c for c in cookies if c.startswith("cognito="))
    assert "Max-Age=3600" in session
    assert "HttpOnly; SameSite=Lax" in session
    fresh = [c for c in cookies if c.startswith("XSRF-TOKEN=")]
    assert fresh[0].startswith('XSRF-TOKEN=""; Expires=Thu, 01-Jan-1970')
    assert before not in fresh[1]
    assert "id_token" in site.redeem(done.location)


def test_signed_in_browser_goes_straight_on(front, visitor, user):
    """A second visit asks nothing, unless the request wants a fresh sign-in."""
    site = front()
    name = user(site.pool_id)
    browser = visitor(site)
    browser.send(browser.open("/login" + site.query()), username=name, password=PASSWORD)
    again = browser.open("/login" + site.query())
    assert again.location.startswith(f"{CALLBACK}?code=")
    assert browser.open("/login" + site.query(prompt="login")).status == 200
    assert browser.open("/oauth2/authorize" + site.query()).location.startswith(f"{CALLBACK}?code=")


def test_authorize_leads_here_and_back(front, visitor, user):
    """The whole way round, from the application to the application."""
    site = front()
    name = user(site.pool_id)
    browser = visitor(site)
    page = browser.follow(browser.open("/oauth2/authorize" + site.query(nonce="n1")))
    done = browser.send(page, username=name, password=PASSWORD)
    assert site.redeem(done.location)["token_type"] == "Bearer"


@pytest.mark.parametrize("who", ["known", "unknown"])
def test_wrong_password(front, visitor, user, who):
    """L3, L4: a wrong password and an unknown user read alike, and the name stays in its field."""
    site = front(client={"PreventUserExistenceErrors": "ENABLED"})
    name = user(site.pool_id) if who == "known" else "nobody"
    browser = visitor(site)
    page = browser.send(browser.open("/login" + site.query()), username=name, password="Wrong-Horse-1")
    assert page.status == 200
    assert page.error == "Incorrect username or password."
    assert page.input("username")["value"] == name
    assert not page.input("password").get("value")
    assert page.input("password")["aria-describedby"] == "loginErrorMessage"
    assert not [c for c in page.response.headers.get_list("set-cookie") if c.startswith("cognito=")]


def test_unknown_user_shows_where_the_client_lets_it(front, visitor):
    """LEGACY clients say that there is no such user."""
    site = front(client={"PreventUserExistenceErrors": "LEGACY"})
    browser = visitor(site)
    page = browser.send(browser.open("/login" + site.query()), username="nobody", password=PASSWORD)
    assert page.error == "User does not exist."


def test_disabled_user(front, visitor, user, call):
    """A disabled user does not sign in, and is told so only where users are not concealed."""
    site = front(client={"PreventUserExistenceErrors": "LEGACY"})
    name = user(site.pool_id)
    call("AdminDisableUser", UserPoolId=site.pool_id, Username=name)
    browser = visitor(site)
    page = browser.send(browser.open("/login" + site.query()), username=name, password=PASSWORD)
    assert page.error == "User is disabled."


@pytest.mark.parametrize(
    "change",
    [
        {"_csrf": None, "csrf": None},
        {"_csrf": "00000000-0000-0000-0000-000000000000"},
        {"_csrf": "", "csrf": ""},
    ],
)
def test_forged_form_does_not_sign_in(front, visitor, user, change):
    """L5: without the browser's own token there is no session and no code."""
    site = front()
    name = user(site.pool_id)
    browser = visitor(site)
    page = browser.send(browser.open("/login" + site.query()), username=name, password=PASSWORD, **change)
    assert page.status == 403
    assert page.error == "Something went wrong"
    assert "cognito" not in browser.http.cookies


def test_form_without_cookies_does_not_sign_in(front, visitor, user):
    """A browser that keeps no cookies is told so."""
    site = front()
    name = user(site.pool_id)
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    browser.http.cookies.clear()
    refused = browser.send(page, username=name, password=PASSWORD)
    assert refused.status == 403
    assert refused.error == "Please allow cookies for this page, then try again."


@pytest.mark.parametrize("where", ["cross-site", "same-site"])
def test_form_from_elsewhere_does_not_sign_in(front, visitor, user, where):
    """The browser's word that a form came from another site counts more than its cookie."""
    site = front()
    name = user(site.pool_id)
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    refused = browser.send(page, username=name, password=PASSWORD, headers={"sec-fetch-site": where})
    assert refused.status == 403


def test_two_tabs(front, visitor, user):
    """Opening the page again does not void the form that is open already."""
    site = front()
    name = user(site.pool_id)
    browser = visitor(site)
    first = browser.open("/login" + site.query())
    browser.open("/login" + site.query(state="other"))
    assert browser.send(first, username=name, password=PASSWORD).status == 302


def test_managed_client_without_style(front, visitor):
    """L6: no style, no pages."""
    site = front(branded=False)
    page = visitor(site).open("/login" + site.query())
    assert page.status == 403
    assert "Login pages unavailable. Please contact an administrator." in page.html


def test_sign_up_closed(front, visitor):
    """L8: where only administrators make users there is no link, and the page refuses."""
    site = front(AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    assert not page.links_to("/signup")
    refused = browser.open("/signup" + site.query())
    assert refused.status == 403
    assert "SignUp is not permitted for this user pool" in refused.html
    assert browser.send(page, username="x", password=PASSWORD).error
    posted = browser.http.post(
        f"{site.base}/signup{site.query()}",
        data={"_csrf": page.input("_csrf")["value"], "username": "eve", "password": PASSWORD},
    )
    assert posted.status_code == 403


def test_recovery_closed(front, visitor):
    """L9: where only administrators recover accounts there is no link, and the page refuses."""
    site = front(AccountRecoverySetting={"RecoveryMechanisms": [{"Priority": 1, "Name": "admin_only"}]})
    browser = visitor(site)
    assert not browser.open("/login" + site.query()).links_to("/forgotPassword")
    page = browser.send(browser.open("/forgotPassword" + site.query()), username="ann")
    assert page.error == "Could not reset password for the account, please contact support or try again"


def test_name_first(front, visitor, user):
    """L12: with ALLOW_USER_AUTH the first page has no password input, the second one does."""
    site = front(client={"ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]})
    name = user(site.pool_id)
    browser = visitor(site)
    first = browser.open("/login" + site.query())
    assert not first.has("password")
    second = browser.send(first, username=name)
    assert second.status == 200
    assert second.error is None
    assert second.input("username")["value"] == name
    done = browser.send(second, password=PASSWORD)
    assert done.location.startswith(f"{CALLBACK}?code=")


def test_late_form(front, visitor, user):
    """L14: a page left open for more than five minutes fails, and a new one works."""
    site = front()
    name = user(site.pool_id)
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    site.server.clock.advance(301)
    late = browser.send(page, username=name, password=PASSWORD)
    assert late.status == 200
    assert late.error == "Something went wrong"
    assert browser.send(late, username=name, password=PASSWORD).status == 302


def test_form_in_time(front, visitor, user):
    """A page open for a little less than five minutes works."""
    site = front()
    name = user(site.pool_id)
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    site.server.clock.advance(290)
    assert browser.send(page, username=name, password=PASSWORD).status == 302


@pytest.mark.usefixtures("still_clock")
def test_lock_out(front, visitor, user):
    """L17: after five wrong passwords the right one is refused for a second."""
    site = front()
    name = user(site.pool_id)
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    for _ in range(5):
        assert browser.send(page, username=name, password="Wrong-Horse-1").error == "Incorrect username or password."
    assert browser.send(page, username=name, password=PASSWORD).error == "Password attempts exceeded"
    site.server.clock.advance(2)
    assert browser.send(page, username=name, password=PASSWORD).status == 302


def test_login_hint(front, visitor):
    """The hint stands in the field, as text and nothing else."""
    site = front()
    page = visitor(site).open("/login" + site.query(login_hint='x@y.z"><script>alert(1)</script>'))
    assert page.input("username")["value"] == 'x@y.z"><script>alert(1)</script>'
    assert "<script>alert" not in page.html


def test_silent_request_without_session(front, visitor):
    """``prompt=none`` never shows a page."""
    site = front()
    page = visitor(site).open("/login" + site.query(prompt="none"))
    assert page.location == f"{CALLBACK}?error=login_required&state=s1"


def test_unknown_provider(front, visitor):
    """A provider that the client has not gives the page with its sentence, 401."""
    site = front()
    page = visitor(site).open("/login" + site.query(identity_provider="NoSuch"))
    assert page.status == 401
    assert page.error == "Login option is not available. Please try another one"


def test_request_is_checked_as_by_authorize(front, visitor):
    """``/login`` trusts no more than ``/oauth2/authorize`` does."""
    site = front()
    browser = visitor(site)
    mismatch = browser.open("/login" + site.query(redirect_uri=CALLBACK + "/"))
    assert mismatch.location == f"{site.base}/error?error=redirect_mismatch&client_id={site.client_id}"
    assert browser.follow(mismatch).status == 400
    missing = browser.open("/login" + site.query(client_id=None))
    assert "Required String parameter 'client_id' is not present" in browser.follow(missing).html.replace("&#39;", "'")
    scope = browser.open("/login" + site.query(scope="openid nosuch/x"))
    assert scope.location.startswith(f"{CALLBACK}?")
    assert "error=invalid_scope" in scope.location


def test_password_to_be_reset(front, visitor, user, call):
    """Whoever must reset the password first is told so."""
    site = front(**BY_EMAIL, client={"PreventUserExistenceErrors": "LEGACY"})
    name = address()
    user(site.pool_id, name, email=name, email_verified="true")
    call("AdminResetUserPassword", UserPoolId=site.pool_id, Username=name)
    browser = visitor(site)
    page = browser.send(browser.open("/login" + site.query()), username=name, password=PASSWORD)
    assert page.error == "Password reset required for the user"
    assert page.links_to("/forgotPassword")


def test_second_factor_is_never_skipped(front, visitor, user, call):
    """Where the pool wants a factor, the password alone leads to its page: there is no session and no code yet."""
    site = front()
    name = user(site.pool_id)
    call(
        "SetUserPoolMfaConfig",
        UserPoolId=site.pool_id,
        MfaConfiguration="ON",
        SoftwareTokenMfaConfiguration={"Enabled": True},
    )
    by_phone = {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms", "ExternalId": "x"}
    for offered in ({}, {"SmsMfaConfiguration": {"SmsConfiguration": by_phone}}):
        if offered:
            call("SetUserPoolMfaConfig", UserPoolId=site.pool_id, MfaConfiguration="ON", **offered)
            phone = [{"Name": "phone_number", "Value": "+15550100"}]
            call("AdminUpdateUserAttributes", UserPoolId=site.pool_id, Username=name, UserAttributes=phone)
        browser = visitor(site)
        page = browser.send(browser.open("/login" + site.query()), username=name, password=PASSWORD)
        assert page.location == f"{site.base}/mfa{site.query()}"
        assert "cognito" not in browser.http.cookies


def test_other_methods(front, visitor):
    """The pages take GET and POST."""
    site = front()
    answer = visitor(site).http.put(f"{site.base}/login{site.query()}")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_unknown_path(front, visitor):
    """A path that is no page answers 404 in JSON."""
    site = front()
    page = visitor(site).open("/favicon.ico")
    assert page.status == 404
    assert page.response.headers["content-type"] == "application/json;charset=UTF-8"


@pytest.mark.parametrize("body", [b"", b"username=%ff&password=x", b"a=1&" * 300, b"\xff\xfe"])
def test_broken_bodies_are_refused(front, visitor, body):
    """Whatever is sent in place of the form, nobody is signed in."""
    site = front()
    browser = visitor(site)
    browser.open("/login" + site.query())
    for path in ("/login", "/signup", "/confirm", "/changePassword", "/confirmforgotPassword", "/resendcode"):
        answer = browser.http.post(
            f"{site.base}{path}{site.query()}",
            content=body,
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        assert answer.status_code in {400, 403}
        assert "cognito" not in browser.http.cookies


def test_client_deleted_meanwhile(front, visitor, user, call):
    """A client that is gone by the time the form is sent signs nobody in (design/SECURITY §4, row 15)."""
    site = front()
    name = user(site.pool_id)
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    call("DeleteUserPoolClient", UserPoolId=site.pool_id, ClientId=site.client_id)
    refused = browser.send(page, username=name, password=PASSWORD)
    assert refused.location.startswith(f"{site.base}/error?")
    assert "cognito" not in browser.http.cookies


def test_phone_number_as_people_write_it(front, visitor, user):
    """Blanks and dashes in a telephone number do not matter."""
    site = front(UsernameAttributes=["phone_number"])
    user(site.pool_id, "+14325551212", phone_number="+14325551212", phone_number_verified="true")
    browser = visitor(site)
    page = browser.open("/login" + site.query())
    assert page.input("username")["inputmode"] == "tel"
    assert browser.send(page, username="+1 (432) 555-1212", password=PASSWORD).status == 302


def test_domain_with_its_own_host(front, visitor, user):
    """On a host of its own the domain's pages and cookies are at the root."""
    site = front()
    name = user(site.pool_id)
    host = f"{site.prefix}.auth.localhost"
    port = site.server.url.rpartition(":")[2]
    answer = httpx.get(f"{site.server.url}/login{site.query()}", headers={"host": f"{host}:{port}"}, trust_env=False)
    assert answer.status_code == 200
    page = Page(answer)
    assert page.form.action.startswith("/login?")
    cookie = answer.headers.get_list("set-cookie")[0]
    assert "Path=/;" in cookie
    assert "Domain" not in cookie
    values = page.form.values | {"username": name, "password": PASSWORD}
    done = httpx.post(
        f"{site.server.url}{page.form.action}",
        data=values,
        trust_env=False,
        headers={"host": f"{host}:{port}", "cookie": cookie.partition(";")[0]},
    )
    assert done.headers["location"].startswith(f"{CALLBACK}?code=")


def test_client_of_other_providers_only(front, visitor, user):
    """L10: where the pool's own users may not sign in there is no form for them, and no way around it."""
    site = front()
    name = user(site.pool_id)
    browser = visitor(site)
    page = browser.open("/login" + site.query())

    def bar_own_users(tx):
        _, client = tx.catalogue.find_app(site.client_id)
        tx.clients.save(replace(client, settings=replace(client.settings, supported_identity_providers=["Partner"])))

    site.server.write(bar_own_users)
    barred = browser.open("/login" + site.query())
    assert not barred.has("password")
    assert not barred.links_to("/signup")
    refused = browser.send(page, username=name, password=PASSWORD)
    assert refused.status == 401
    assert browser.open("/signup" + site.query()).status == 403
    assert "cognito" not in browser.http.cookies


def test_sign_ins_are_recorded(front, visitor, user, call):
    """Threat protection sees the pages as well: refused, passed, and the id that the tokens name (spec/api/07 §5)."""
    site = front(**BY_EMAIL, UserPoolTier="PLUS", UserPoolAddOns={"AdvancedSecurityMode": "ENFORCED"})
    name = address()
    user(site.pool_id, name, email=name, email_verified="true")
    browser = visitor(site)
    page = browser.send(browser.open("/login" + site.query()), username=name, password="wrong")
    tokens = site.redeem(browser.send(page, username=name, password=PASSWORD).location)
    passed, failed = call("AdminListUserAuthEvents", UserPoolId=site.pool_id, Username=name)["AuthEvents"]
    assert (failed["EventResponse"], passed["EventResponse"]) == ("Fail", "Pass")
    assert passed["EventContextData"]["IpAddress"] == "127.0.0.1"
    claims = json.loads(urlsafe_b64decode(tokens["access_token"].split(".")[1] + "==="))
    assert claims["event_id"] == passed["EventId"]
    blocked = {"RiskExceptionConfiguration": {"BlockedIPRangeList": ["127.0.0.0/8"]}}
    call("SetRiskConfiguration", UserPoolId=site.pool_id, **blocked)
    page = browser.open("/login" + site.query(prompt="login"))
    assert browser.send(page, username=name, password=PASSWORD).status != 302
